"""Stores: what pages show, derived from the workbench. No user interface, no SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import TYPE_CHECKING

from gndp.core.errors import GndpError

if TYPE_CHECKING:
    from gndp.core.records import ProcessPage, Summary
    from gndp.workbench import Workbench

PAGE_SIZE = 25
"""Processes a page of the table shows."""


@dataclass
class Overview:
    """The figures and the process table of the overview, for one browser session.

    ``status`` filters the table (None for all), ``page`` counts from 0. ``problem`` says in words why the
    last refresh failed; the figures of the one before then stay. ``listeners`` are told after every refresh.
    Callbacks run in several threads: refreshes take turns, so that the last one shows the newest choice.
    """

    workbench: Workbench
    status: str | None = None
    page: int = 0
    summary: Summary | None = None
    processes: ProcessPage | None = None
    problem: str | None = None
    refreshed_at: datetime | None = None
    listeners: list[Callable[[], None]] = field(default_factory=list)
    _turn: RLock = field(default_factory=RLock, repr=False)

    def refresh(self) -> None:
        """Read the figures anew; past the end of a list that became shorter, its last page."""
        with self._turn:
            try:
                self.summary = self.workbench.processes.summary()
                self.processes = self._read_page()
                if self.page >= self.pages:
                    self.page = self.pages - 1
                    self.processes = self._read_page()
                self.problem = None
                self.refreshed_at = self.workbench.clock()
            except GndpError as error:
                self.problem = str(error)
            for listener in self.listeners:
                listener()

    def _read_page(self) -> ProcessPage:
        return self.workbench.processes.list(
            status=self.status, limit=PAGE_SIZE, offset=self.page * PAGE_SIZE
        )

    @property
    def pages(self) -> int:
        """How many pages the table has, at least 1; no further than lists reach."""
        total = self.processes.total if self.processes else 0
        return max(1, -(-min(total, 10_000) // PAGE_SIZE))

    @property
    def completion_rate(self) -> float | None:
        """Percent of the last 30 days' processes that are completed; None while there is none."""
        if self.summary is None or not self.summary.total_processes:
            return None
        return 100 * self.summary.completed / self.summary.total_processes
