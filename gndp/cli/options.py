"""What several commands take: the options, the settings, and the workbench that they open."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import psycopg
import pydantic
import typer
from psycopg.conninfo import conninfo_to_dict
from pydantic_settings import SettingsError

from gndp.core.errors import Invalid, Problem
from gndp.settings import Settings
from gndp.workbench import Workbench, connect

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        show_default=False,
        help="A PostgreSQL server (15 to 18). Without one, here or in GNDP_DATABASE_URL, an embedded "
        "PostgreSQL runs in the data directory.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="FOLDER",
        show_default=False,
        help="Where the embedded PostgreSQL keeps its data. Without it: GNDP_DATA_DIR, else the user's "
        "data folder.",
    ),
]
WriteTo = Annotated[
    Path | None, typer.Option("--write", metavar="FILE", help="Write the page there instead of printing it.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def system_user() -> str:
    """The name of the system's user, for whoever gives no other; Invalid when the system does not know it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise Invalid("the system does not know your name: give --user") from error


def read_instant(text: str, place: str) -> datetime:
    """The instant that an option or argument spells, perhaps without a zone; ``place`` is its name."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(Problem(place, "is no instant such as 2026-08-15T08:00+02:00")) from None


def read_settings() -> Settings:
    """The settings; Invalid, naming the variables, when one of them has no possible value."""
    try:
        return Settings()
    except pydantic.ValidationError as error:
        problems = [
            Problem(f"GNDP_{'.'.join(str(part) for part in found['loc']).upper()}", found["msg"])
            for found in error.errors()
        ]
        raise Invalid(*problems) from error
    except SettingsError as error:
        raise Invalid(str(error)) from error


@contextmanager
def opened(
    database_url: str | None, data_dir: Path | None, statement_timeout: float | None = None
) -> Iterator[Workbench]:
    """The workbench that the options and settings name, closed after the block; takes ``statement_timeout``
    and raises as ``connect``."""
    if database_url is not None and data_dir is not None:
        raise Invalid("give --database-url or --data-dir, not both")
    settings = read_settings()
    given = database_url or (settings.database_url.get_secret_value() if settings.database_url else None)
    if given is not None and data_dir is None:
        try:
            conninfo_to_dict(given)
        except psycopg.ProgrammingError as error:
            raise Invalid(f"the database URL cannot be read: {error}") from error
    with connect(database_url, data_dir, settings=settings, statement_timeout=statement_timeout) as workbench:
        yield workbench
