"""The overview: figures, what they were on each day, what is old or late, and what changed lately."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from gndp.core.errors import GndpError
from gndp.core.states import OPEN_PROCESS_STATUSES, ProcessStatus

if TYPE_CHECKING:
    from gndp.core.records import DayFigures, Process, RecentEvent, Summary
    from gndp.workbench import Workbench

SHORT = 6
"""How many processes the short lists have."""

RECENT = 12
"""How many of the newest events are listed."""

_TREND_STAYS = 20.0
"""Seconds for which the figures by day are not counted again: they are the dearest to count."""


class StatusCount(NamedTuple):
    """How many processes have a status; an estimate where there are very many."""

    status: str
    count: int
    is_estimate: bool


@dataclass
class Overview:
    """The overview, for one browser session.

    ``problem`` says in words why the last refresh failed; what the one before had read then stays.
    """

    workbench: Callable[[], Workbench]
    summary: Summary | None = None
    statuses: list[StatusCount] = field(default_factory=list)
    trend: list[DayFigures] = field(default_factory=list)
    oldest: list[Process] = field(default_factory=list)
    open_total: int = 0
    due_first: list[Process] = field(default_factory=list)
    recent: list[RecentEvent] = field(default_factory=list)
    problem: str | None = None
    _counted: tuple[str, float] | None = field(default=None, repr=False)

    def refresh(self, zone: str = "UTC") -> None:
        """Read everything anew, with the days of a time zone."""
        try:
            workbench = self.workbench()
            processes = workbench.processes
            self.summary = processes.summary()
            self.statuses = [_count(workbench, status) for status in ProcessStatus]
            open_ones = sorted(OPEN_PROCESS_STATUSES)
            oldest = processes.list(status=open_ones, sort="created_at", limit=SHORT)
            self.oldest, self.open_total = oldest.processes, oldest.total
            due = processes.list(status=open_ones, sort="due_date", limit=SHORT).processes
            self.due_first = [process for process in due if process.due_date is not None]
            since = workbench.clock() - timedelta(hours=1)
            self.recent = processes.recent_events(since, limit=RECENT)
            if self._is_stale(zone):
                self.trend = processes.trend(zone)
                self._counted = (zone, time.monotonic())
            self.problem = None
        except GndpError as error:
            self.problem = str(error)

    @property
    def completion_rate(self) -> float | None:
        """Percent of the last 30 days' processes that are completed; None while there is none."""
        if self.summary is None or not self.summary.total_processes:
            return None
        return 100 * self.summary.completed / self.summary.total_processes

    def _is_stale(self, zone: str) -> bool:
        if self._counted is None or self._counted[0] != zone:
            return True
        return time.monotonic() - self._counted[1] > _TREND_STAYS


def _count(workbench: Workbench, status: str) -> StatusCount:
    page = workbench.processes.list(status=status, limit=1)
    return StatusCount(status, page.total, page.total_is_estimate)
