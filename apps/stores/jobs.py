"""The scheduled jobs, and their runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .reading import Store

if TYPE_CHECKING:
    from gndp.core.records import JobRun, ScheduledJob

RUNS = 200
"""How many runs are shown."""


@dataclass
class ScheduledJobs(Store):
    """Every job, and the newest runs of the one that is chosen, or of all."""

    chosen: str | None = None
    jobs: list[ScheduledJob] = field(default_factory=list)
    runs: list[JobRun] = field(default_factory=list)

    def read(self) -> None:
        """Read jobs and runs anew."""
        workbench = self.workbench()
        self.jobs = workbench.jobs.list()
        known = self.chosen if self.chosen in [job.name for job in self.jobs] else None
        self.runs = workbench.jobs.runs(known, limit=RUNS)
