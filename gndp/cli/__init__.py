"""The command line, ``gndp``: each command opens a workbench, asks it, and says what it answered.

Nothing is decided here. Whatever the workbench refuses becomes one line on standard error and an exit code
(``gndp.cli.exits``).
"""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

import psycopg
import sqlalchemy
import typer

from gndp.cli.commands import app
from gndp.cli.exits import REFUSED, UNAVAILABLE
from gndp.cli.output import one_line
from gndp.core.errors import GndpError, Refusal

__all__ = ["app", "main"]


def main() -> NoReturn:
    """Run the command that the arguments name, and exit."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _exit_in_order)
    try:
        app()
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        line, code = told
        typer.echo(f"gndp: {one_line(line)}", err=True)
        sys.exit(code)
    sys.exit(0)


def _exit_in_order(number: int, _: FrameType | None) -> NoReturn:
    """Leave by way of every ``finally``, so that the embedded server stops with its last user."""
    sys.exit(128 + number)


def _told(error: Exception) -> tuple[str, int] | None:
    """What to say about an error, and the exit code; None for what can only be a fault in GNDP."""
    match error:
        case Refusal():
            return str(error), REFUSED
        case GndpError():
            return str(error), UNAVAILABLE
        case sqlalchemy.exc.DBAPIError(orig=psycopg.Error() as cause):
            return f"the database refused: {cause}", UNAVAILABLE
        case psycopg.Error():
            return f"the database refused: {error}", UNAVAILABLE
        case OSError(strerror=str(reason)):
            return f"{error.filename}: {reason}" if error.filename else reason, UNAVAILABLE
        case _:
            return None
