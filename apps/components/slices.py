"""Tables of rows that are all here already, and changes that leave alone what is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .table import Column, Table

PAGE_SIZE = 25


class Slices:
    """A table of rows that are all here, shown page by page."""

    def __init__(self, columns: Sequence[Column], label: str, empty: str) -> None:
        self._rows: list[dict[str, Any]] = []
        self._columns = columns
        self.table = Table(columns, self._exported, label=label, page_size=PAGE_SIZE, empty=empty)
        self.table.param.watch(lambda _: self._turn(), "page")

    def show(self, rows: list[dict[str, Any]], notebook_cell: str) -> None:
        """Show these rows."""
        self._rows = rows
        self.table.param.update(changed(self.table, notebook_cell=notebook_cell, is_loading=False))
        self._turn()

    def _turn(self) -> None:
        page = min(self.table.page, max(0, len(self._rows) - 1) // PAGE_SIZE)
        first = page * PAGE_SIZE
        shown = {
            "rows": self._rows[first : first + PAGE_SIZE],
            "page": page,
            "total": len(self._rows),
            "has_more": first + PAGE_SIZE < len(self._rows),
        }
        self.table.param.update(changed(self.table, **shown))

    def _exported(self) -> Iterable[Sequence[Any]]:
        yield [column.title for column in self._columns]
        for row in self._rows:
            yield [_plain(row[column.field]) for column in self._columns]


def _plain(value: Any) -> Any:
    return value["text"] if isinstance(value, dict) else value


def changed(component: Any, **values: Any) -> dict[str, Any]:
    """What is not shown yet: what has not changed stays as it is on the page."""
    return {name: value for name, value in values.items() if getattr(component, name) != value}


def show_text(pane: Any, text: Any) -> None:
    """Show a text, unless it is shown."""
    pane.param.update(changed(pane, object=text))
