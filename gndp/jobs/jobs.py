"""Scheduled jobs for whoever looks after them: ``wb.jobs``."""

from __future__ import annotations

import builtins
import os
import socket
import threading
from collections.abc import Iterable
from datetime import datetime

from gndp.core import arguments
from gndp.core.errors import Conflict, NotFound
from gndp.core.records import JobRun, ScheduledJob
from gndp.core.states import JobRunStatus
from gndp.engine.transition import Transitions
from gndp.jobs.job import Job
from gndp.jobs.runs import CountRun, JobRuns
from gndp.jobs.scheduler import LEASE, Scheduler
from gndp.store.lease import Lease
from gndp.store.queries import statement

_LONGEST_LIST = 1_000


class Jobs:
    """List the scheduled jobs and their runs, run one by hand, and let this process take its turn at them."""

    def __init__(self, transitions: Transitions, jobs: Iterable[Job]) -> None:
        self._transitions = transitions
        self._jobs = {job.name: job for job in jobs}
        self._scheduler: Scheduler | None = None
        self.count_run: CountRun = lambda job, status, seconds: None

    def list(self) -> builtins.list[ScheduledJob]:
        """Every job with its newest run, and when it is due next."""
        ((now, leader),), last = self._transitions.read(
            statement("leases", "now", name=LEASE),
            statement("job_runs", "last", jobs=list(self._jobs)),
        )
        runs = {run.job: run for run in map(JobRun._make, last)}
        return [
            ScheduledJob(
                job.name, job.meaning, job.interval, runs.get(job.name), _next_slot(job, now), leader
            )
            for job in self._jobs.values()
        ]

    def runs(self, job: str | None = None, limit: int = 50) -> builtins.list[JobRun]:
        """The runs of a job, or of all, newest first. ``limit`` is 1–1,000; NotFound for an unknown job."""
        name = None if job is None else self._known(job).name
        most = arguments.whole_number(limit, "limit", least=1, most=_LONGEST_LIST)
        (rows,) = self._transitions.read(statement("job_runs", "list", job=name, limit=most))
        return [JobRun._make(row) for row in rows]

    def run(self, name: str) -> JobRun:
        """Run a job now, in this thread, at a slot of its own; how the run ended.

        A job that fails raises nothing here: its run says so. Raises NotFound for an unknown job, Conflict
        when it is running already.
        """
        job = self._known(name)
        lease = Lease(self._transitions.database, f"by hand: {job.name}", _holder()).start()
        try:
            reign = lease.reign
            runs = JobRuns(self._transitions, lease, threading.Event(), self._count)
            id = None if reign is None else runs.run(job, reign.now, reign)
        finally:
            lease.stop()
        if id is None:
            raise Conflict(f"the job {name} is running already", status="running")
        ((row,),) = self._transitions.read(statement("job_runs", "get", id=id))
        return JobRun._make(row)

    @property
    def are_started(self) -> bool:
        """Whether this process takes its turn at the jobs."""
        return self._scheduler is not None

    def start(self) -> None:
        """Let this process run the jobs whenever no other one does, until ``stop``; DatabaseUnavailable when
        the database is away."""
        if self._scheduler is None:
            scheduler = Scheduler(self._transitions, self._jobs.values(), _holder(), self._count)
            scheduler.start()
            self._scheduler = scheduler

    def stop(self, wait: float = 10.0) -> None:
        """Stop what ``start`` began: running jobs have ``wait`` seconds to end, then another process may go
        on at once."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.stop(wait)

    def _count(self, job: str, status: JobRunStatus, seconds: float) -> None:
        self.count_run(job, status, seconds)

    def _known(self, name: str) -> Job:
        name = arguments.name(name, "job")
        if name not in self._jobs:
            raise NotFound("job", name)
        return self._jobs[name]


def _next_slot(job: Job, now: datetime) -> datetime:
    regular = job.slot_at(now) + job.interval
    early = None if job.next_due is None else job.next_due()
    return regular if early is None else max(now, min(regular, early))


def _holder() -> str:
    """What other processes call this one: its machine and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"
