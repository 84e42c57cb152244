"""What the commands print with: lines, tables, JSON and progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


def one_line(text: str) -> str:
    """A text as one line that no terminal takes for a command to itself."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))


def cells(*values: object) -> list[str]:
    """The values as cells of a table; what is not there as a dash."""
    return ["–" if value is None else str(value) for value in values]


def shown_instant(instant: datetime, time_zone: str = "UTC") -> str:
    """An instant in UTC on the clock of a time zone, with its weekday: `Tue 2026-05-26 15:00:00+02:00`."""
    try:
        local = instant.astimezone(ZoneInfo(time_zone))
    except OverflowError:  # at the edges of the years 1 to 9999
        local, time_zone = instant, "UTC"
    text = f"{local:%a} {local.isoformat(' ', 'seconds')}"
    return text.removesuffix("+00:00") + " UTC" if time_zone == "UTC" else text


def shown_duration(time: timedelta) -> str:
    """A duration in hours and minutes, the seconds only of one below an hour: `7 h 30 min`, `-45 min`."""
    seconds = int(abs(time).total_seconds())
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = ((hours, "h"), (minutes, "min"), (0 if hours else seconds, "s"))
    text = " ".join(f"{count:,} {unit}" for count, unit in parts if count)
    return ("-" if time < timedelta() else "") + text if text else "0 min"


def print_json(value: Any) -> None:
    """Print a value as JSON; what JSON has no form for, such as a path, as text."""
    typer.echo(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, as wide as the terminal; elsewhere so wide that a line stays a line."""
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = 240
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(one_line(cell) for cell in row))
    console.print(table)


def print_page(page: str, write: Path | None) -> None:
    """Print a page that is drawn from the code, or write it into a file."""
    if write is None:
        typer.echo(page, nl=False)
    else:
        write.write_text(page, encoding="utf-8")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, for terminals only; the function is told how many are done, of how many."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
