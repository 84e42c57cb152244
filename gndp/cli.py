"""The command line, ``gndp``: each command opens a workbench, asks it, and says what it answered.

Nothing is decided here. Whatever the workbench refuses becomes one line on standard error and an exit code:
1 when a check found something, 2 for a refusal, 3 when the database, its data directory or the port cannot
be used.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import orjson
import psycopg
import pydantic
import sqlalchemy
import typer
from psycopg.conninfo import conninfo_to_dict
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gndp.core.errors import DatabaseUnavailable, GndpError, Invalid, Problem, Refusal
from gndp.core.states_page import states_page
from gndp.engine.checker import CheckReport
from gndp.formats import EXTENSIONS, Columns
from gndp.settings import Settings
from gndp.store import embedded
from gndp.workbench import Workbench, connect

FOUND, REFUSED, UNAVAILABLE = 1, 2, 3
"""The exit codes: a check found something; a refusal or wrong usage; something needed cannot be used."""

_EXIT_CODES = (
    "Exit codes: 0 success; 1 a check found something; 2 refused, or wrong usage; "
    "3 the database, its data directory or the port cannot be used."
)

app = typer.Typer(
    name="gndp",
    help="The GNDP operations workbench: a workflow engine for work that people do, on PostgreSQL.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
definitions_app = typer.Typer(help="Process definitions: publish one, list them.", no_args_is_help=True)
app.add_typer(definitions_app, name="definitions")

_DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        show_default=False,
        help="A PostgreSQL server (15 to 18). Without one, here or in GNDP_DATABASE_URL, an embedded "
        "PostgreSQL runs in the data directory.",
    ),
]
_DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="FOLDER",
        show_default=False,
        help="Where the embedded PostgreSQL keeps its data. Without it: GNDP_DATA_DIR, else the user's "
        "data folder.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def main() -> NoReturn:
    """Run the command that the arguments name, and exit."""
    try:
        app()
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        line, code = told
        typer.echo(f"gndp: {_one_line(line)}", err=True)
        sys.exit(code)
    sys.exit(0)


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


def _one_line(text: str) -> str:
    """A text as one line that no terminal takes for a command to itself."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))


def _settings() -> Settings:
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
def _workbench(database_url: str | None, data_dir: Path | None) -> Iterator[Workbench]:
    if database_url is not None and data_dir is not None:
        raise Invalid("give --database-url or --data-dir, not both")
    settings = _settings()
    given = database_url or (settings.database_url.get_secret_value() if settings.database_url else None)
    if given is not None and data_dir is None:
        try:
            conninfo_to_dict(given)
        except psycopg.ProgrammingError as error:
            raise Invalid(f"the database URL cannot be read: {error}") from error
    with connect(database_url, data_dir, settings=settings) as workbench:
        yield workbench


def _print_json(value: Any) -> None:
    typer.echo(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2))


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = 240
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(_one_line(cell) for cell in row))
    console.print(table)


@contextmanager
def _progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, drawn only for a terminal; the function takes how many are done, of how many."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gndp {version('gndp')}")
        raise typer.Exit


@app.callback(epilog=_EXIT_CODES)
def _gndp(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """The GNDP operations workbench: a workflow engine for work that people do, on PostgreSQL."""


@app.command()
def init(database_url: _DatabaseUrl = None, data_dir: _DataDir = None) -> None:
    """Bring the database to this version's tables. Every other command does so by itself."""
    with _workbench(database_url, data_dir) as workbench:
        place = conninfo_to_dict(workbench.database_url)
        typer.echo(f"the database {place.get('dbname', '')} on {place.get('host', 'localhost')} is ready")


@app.command()
def stop(data_dir: _DataDir = None) -> None:
    """Stop the embedded PostgreSQL of the data directory, whoever uses it. Open transactions are undone."""
    place = data_dir or _settings().data_dir or embedded.default_data_dir()
    was_running = embedded.stop(place)
    typer.echo(f"the embedded PostgreSQL in {place} {'is stopped' if was_running else 'was not running'}")


@app.command()
def check(database_url: _DatabaseUrl = None, data_dir: _DataDir = None, as_json: _Json = False) -> None:
    """Verify what always holds, over the whole database in one consistent read.

    Exits with 1, and lists the offending rows, when something does not hold.
    """
    with _workbench(database_url, data_dir) as workbench:
        report = workbench.check()
    if as_json:
        _print_json(
            {
                "ok": report.ok,
                "as_of": report.as_of,
                "rows": report.rows,
                "invariants": [invariant._asdict() for invariant in report.invariants],
                "violations": [violation._asdict() for violation in report.violations],
            }
        )
    else:
        _print_check(report)
    if not report.ok:
        raise typer.Exit(FOUND)


def _print_check(report: CheckReport) -> None:
    for invariant in report.broken:
        typer.echo(f"{invariant.name}: {invariant.offenders:,} broken. {invariant.meaning}")
        listed = [violation for violation in report.violations if violation.invariant == invariant.name]
        for violation in listed:
            typer.echo(_one_line(f"  {violation.id}  {violation.detail}"))
        if invariant.offenders > len(listed):
            typer.echo(f"  … and {invariant.offenders - len(listed):,} more")
    counted = ", ".join(f"{count:,} {table}" for table, count in report.rows.items())
    verdict = f"{len(report.broken)} broken" if report.broken else "all hold"
    typer.echo(f"{len(report.invariants)} invariants over {counted}: {verdict}")


@app.command("settings")
def show_settings(as_json: _Json = False) -> None:
    """Print every setting with its source: the environment, the .env file or the default. Secrets are masked."""
    settings = _settings()
    sources: list[tuple[str, BaseSettings]] = []
    rows = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value is None and name == "data_dir":
            value = embedded.default_data_dir()
        shown = None if value is None else str(value)
        rows.append((f"GNDP_{name.upper()}", shown, _source(name), field.description or ""))
    del sources
    if as_json:
        _print_json(
            {name: {"value": value, "source": source, "meaning": meaning} for name, value, source, meaning in rows}
        )
    else:
        _print_table(
            ("setting", "value", "source", "meaning"),
            [(name, "–" if value is None else value, *rest) for name, value, *rest in rows],
        )
