"""The lists of processes and tasks: what is filtered and sorted by, and the page that is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any

from gndp.core.errors import GndpError

if TYPE_CHECKING:
    from gndp.core.records import ProcessPage, TaskPage
    from gndp.workbench import Workbench

PAGE_SIZE = 25
NEWEST_FIRST = "-created_at"
FURTHEST = 10_000
"""How far a list is paged through, and exported."""


@dataclass
class ListStore:
    """A filtered and sorted list, for one browser session.

    ``filters`` are those of the workbench's list, by name; ``sort`` is a column, with ``-`` from the last.
    ``problem`` says in words why the last refresh failed; the page before then stays. Callbacks run in
    several threads: refreshes take turns, so that the last one shows the newest choice. ``teams`` and
    ``people`` (who is active) are read once.
    """

    workbench: Callable[[], Workbench]
    noun: str
    filters: dict[str, Any] = field(default_factory=dict)
    sort: str = NEWEST_FIRST
    page: int = 0
    found: ProcessPage | TaskPage | None = None
    teams: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    problem: str | None = None
    _turn: RLock = field(default_factory=RLock, repr=False)

    def refresh(self) -> None:
        """Read the page anew; past the end of a list that became shorter, its last page."""
        with self._turn:
            try:
                if not self.teams and not self.people:
                    directory = self.workbench().directory
                    self.teams = [team.name for team in directory.teams()]
                    self.people = [person.user_id for person in directory.people(active=True)]
                self.found = self._read(self.page * PAGE_SIZE, PAGE_SIZE)
                if self.page >= self.pages:
                    self.page = self.pages - 1
                    self.found = self._read(self.page * PAGE_SIZE, PAGE_SIZE)
                self.problem = None
            except GndpError as error:
                self.problem = str(error)

    @property
    def pages(self) -> int:
        """How many pages the list has, at least 1; no further than lists reach."""
        total = self.found.total if self.found else 0
        return max(1, -(-min(total, FURTHEST) // PAGE_SIZE))

    @property
    def rows(self) -> list[Any]:
        """The processes, or the tasks with their process's name, of the page."""
        if self.found is None:
            return []
        found: list[Any] = getattr(self.found, self.noun)
        return found

    def every(self) -> Iterator[Any]:
        """Everything that is filtered, in order, as far as lists reach; raises GndpError."""
        cursor = None
        for _ in range(FURTHEST // 100):
            page = self._read(0, 100, cursor)
            yield from getattr(page, self.noun)
            cursor = page.next_cursor
            if cursor is None:
                return

    @property
    def notebook_cell(self) -> str:
        """The list as a cell of a notebook."""
        asked = {**self.given, "sort": self.sort, "limit": 100}
        arguments = ", ".join(f"{name}={value!r}" for name, value in asked.items())
        return (
            "import gndp\nimport pandas as pd\n\nwb = gndp.connect()\n"
            f"page = wb.{self.noun}.list({arguments})\n"
            + (
                "pd.DataFrame(process._asdict() for process in page.processes)"
                if self.noun == "processes"
                else "pd.DataFrame({**listed.task._asdict(), 'process_name': listed.process_name}"
                " for listed in page.tasks)"
            )
        )

    @property
    def given(self) -> dict[str, Any]:
        """The filters that say something."""
        return {name: value for name, value in self.filters.items() if value not in (None, "", [])}

    @property
    def said(self) -> dict[str, Any]:
        """What is shown, as an address says it."""
        given = {
            name: ",".join(value) if isinstance(value, list) else value for name, value in self.given.items()
        }
        return {**given, "sort": None if self.sort == NEWEST_FIRST else self.sort, "page": self.page}

    def _read(self, offset: int, limit: int, cursor: str | None = None) -> Any:
        lists = getattr(self.workbench(), self.noun)
        place = {"offset": offset} if cursor is None else {"cursor": cursor}
        return lists.list(**self.given, sort=self.sort, limit=limit, **place)
