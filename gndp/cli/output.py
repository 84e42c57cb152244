"""What the commands print with: lines, tables, JSON and progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


def one_line(text: str) -> str:
    """A text as one line that no terminal takes for a command to itself."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))


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
