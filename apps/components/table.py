"""A table of rows that are paged, filtered and sorted where they come from."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Column(NamedTuple):
    """A column: the field of a row, its title, how it is shown and by which name it is sorted ('' for not).

    ``kind`` is text, number, link ({text, href, note}), badge (a status), dot (a level), progress ({percent,
    text, level}) or instant (ISO 8601, shown relative, in the viewer's zone on hover).
    """

    field: str
    title: str
    kind: str = "text"
    sort: str = ""


class Table(JSComponent):
    """One page of rows, each a dict with ``id`` and the columns' fields.

    ``sort``, ``page`` (from 0) and ``selected`` (ids) are set by the viewer and from here. ``exported`` gives
    the whole of what is filtered, a header first, when the viewer asks for it as CSV.
    """

    columns = param.List([])
    rows = param.List([])
    sort = param.String("")
    page = param.Integer(0)
    page_size = param.Integer(25)
    total = param.Integer(0)
    total_is_estimate = param.Boolean(False)
    has_more = param.Boolean(False)
    selectable = param.Boolean(False)
    selected = param.List([])
    label = param.String("Table")
    empty = param.String("Nothing here.")
    is_loading = param.Boolean(True)
    notebook_cell = param.String("")
    download = param.Dict({})

    _esm = Path(__file__).with_name("table.js")
    _stylesheets: ClassVar[list[str]] = [SHARED_CSS]

    def __init__(
        self, columns: Sequence[Column], exported: Callable[[], Iterable[Sequence[Any]]], **given: Any
    ) -> None:
        super().__init__(
            columns=[column._asdict() for column in columns],
            sizing_mode="stretch_width",
            margin=(0, 10),
            **given,
        )
        self._exported = exported

    def _handle_msg(self, message: Any) -> None:
        if message == "csv":
            name = self.label.lower().replace(" ", "-")
            self.download = {"name": f"{name}.csv", "text": csv_of(self._exported())}
            self.download = {}


def csv_of(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV; text that a spreadsheet would take for a formula begins with an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return file.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def instant(value: datetime | None) -> str | None:
    """An instant as tables show it."""
    return None if value is None else value.isoformat()
