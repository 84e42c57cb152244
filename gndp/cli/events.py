"""``gndp events``: the types of events."""

from __future__ import annotations

import typer

from gndp.cli.options import WriteTo
from gndp.cli.output import print_page
from gndp.core.events_page import events_page

events_app = typer.Typer(help="Events: the catalogue of their types.", no_args_is_help=True)


@events_app.command()
def catalogue(write: WriteTo = None) -> None:
    """Print every type of event and what its details hold.

    The page docs/reference/events.md, drawn from the code.
    """
    print_page(events_page(), write)
