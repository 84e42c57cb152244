"""A table whose rows are all here: sorted and paged in this process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .table import Column, Table

PAGE_SIZE = 25
"""How many rows are shown at a time."""


class Rows(Table):
    """A table of some hundred rows, such as people or jobs, that are read as a whole."""

    def __init__(self, columns: Sequence[Column], **given: Any) -> None:
        super().__init__(columns, self._exported, page_size=PAGE_SIZE, **given)
        self._all: list[dict[str, Any]] = []
        self.param.watch(lambda _: self._draw(), ["sort", "page"])

    def show(self, rows: Iterable[dict[str, Any]]) -> None:
        """Show these rows, each a dict with ``id`` and the columns' fields."""
        self._all = list(rows)
        self._draw()

    def _draw(self) -> None:
        rows = self._sorted()
        last = max(0, (len(rows) - 1) // PAGE_SIZE)
        page = min(self.page, last)
        shown = rows[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
        changes = {"page": page, "total": len(rows), "has_more": page < last, "is_loading": False}
        self.param.update(**changes, **({"rows": shown} if shown != self.rows else {}))

    def _sorted(self) -> list[dict[str, Any]]:
        field = self.sort.removeprefix("-")
        if not field:
            return self._all
        known = [row for row in self._all if row[field] is not None]
        unknown = [row for row in self._all if row[field] is None]
        return sorted(known, key=lambda row: _plain(row[field]), reverse=self.sort.startswith("-")) + unknown

    def _exported(self) -> Iterable[Sequence[Any]]:
        yield [column["title"] for column in self.columns]
        for row in self._sorted():
            yield [_plain(row[column["field"]]) for column in self.columns]


def _plain(value: Any) -> Any:
    return value["text"] if isinstance(value, dict) else value
