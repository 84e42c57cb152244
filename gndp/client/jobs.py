"""Scheduled jobs: ``wb.jobs``, as ``gndp.jobs.jobs`` has it."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gndp.client.encoding import segment
from gndp.client.noun import Noun
from gndp.client.replies import record, records
from gndp.core.records import JobRun, ScheduledJob

_LONGEST_RUN = 3600.0
"""Seconds that the reply to a run is waited for."""


class Jobs(Noun):
    """List the scheduled jobs and their runs, and run one by hand."""

    def list(self) -> builtins.list[ScheduledJob]:
        """Every job with its newest run, and when it is due next."""
        return [_job(job) for job in self._transport.get("/jobs")]

    def runs(self, job: str | None = None, limit: int = 50) -> builtins.list[JobRun]:
        """The runs of a job, or of all, newest first. ``limit`` is 1–1,000; NotFound for an unknown job."""
        return records(JobRun, self._transport.get("/jobs/runs", {"job": job, "limit": limit}))

    def run(self, name: str) -> JobRun:
        """Run a job now; how the run ended. A job that fails raises nothing here: its run says so.

        Raises NotFound for an unknown job, Conflict when it is running already.
        """
        path = f"/jobs/{segment(name, 'name')}/run"
        return record(JobRun, self._transport.command("POST", path, timeout=_LONGEST_RUN))


def _job(job: Mapping[str, Any]) -> ScheduledJob:
    last = job["last_run"]
    interval = timedelta(seconds=job["interval_seconds"])
    run = None if last is None else record(JobRun, last)
    return record(ScheduledJob, {**job, "interval": interval, "last_run": run})
