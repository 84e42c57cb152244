"""Running a job at a slot, with the books that make it happen once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from gndp.core.errors import Conflict, DatabaseUnavailable, Invalid, Problem
from gndp.core.states import JobRunStatus
from gndp.core.values import validate_texts
from gndp.engine.transition import Transitions
from gndp.jobs.job import Job, JobContext
from gndp.store.lease import Lease, Reign
from gndp.store.queries import Statement, statement
from gndp.store.session import unhurried

_LONGEST_ERROR = 2_000

CountRun = Callable[[str, JobRunStatus, float], None]
"""Is told the job, the status and the seconds of a run."""

_log = logging.getLogger(__name__)


class JobRuns:
    """Begins, carries out and ends runs of jobs under a lease; all it writes is fenced by a reign of it.

    ``stopping`` asks jobs to end soon. ``count_run`` is told the job, the status and the seconds of each run
    that has ended.
    """

    def __init__(self, transitions: Transitions, lease: Lease, stopping: Event, count_run: CountRun) -> None:
        self._transitions = transitions
        self._lease = lease
        self._stopping = stopping
        self._count_run = count_run

    def last_slot(self, job: Job, reign: Reign) -> tuple[datetime | None, bool]:
        """The newest slot of a job that was begun, and whether it was left unfinished.

        Runs that nobody can be at any more are marked as abandoned first. Raises Conflict when the reign is
        over.
        """
        with self._transitions.fenced(reign.fence):
            _, newest = self._transitions.write(
                statement("job_runs", "abandon", job=job.name, lease=reign.lease),
                statement("job_runs", "newest", job=job.name, lease=reign.lease),
            )
        if not newest:
            return None, False
        slot, status = newest[0]
        return slot, status == JobRunStatus.ABANDONED

    def run(self, job: Job, slot: datetime, reign: Reign) -> UUID | None:
        """Run a job at a slot in this thread; the run's id, or None when it is not to be run now.

        What the job raises is logged and kept with the run. Raises Conflict when the reign is over before the
        run has begun or ended: whoever comes next runs the slot again.
        """
        id = uuid7()
        with unhurried(), self._transitions.fenced(reign.fence):
            _, begun = self._transitions.write(
                statement("job_runs", "abandon", job=job.name, lease=reign.lease),
                statement("job_runs", "begin", id=id, job=job.name, slot=slot, **_of(reign)),
            )
            if not begun:
                return None
            context = JobContext(slot, begun[0][0], self._transitions.write, self._should_stop(reign))
            start, status = time.monotonic(), JobRunStatus.SUCCEEDED
            try:
                ended = _succeeded(id, job.run(context))
            except BaseException as error:
                _log.exception("the job %s failed at its slot %s", job.name, slot)
                status = JobRunStatus.FAILED
                self._finish(_failed(id, error), reign)
                if not isinstance(error, Exception):
                    raise
            else:
                self._finish(ended, reign)
        self._count_run(job.name, status, time.monotonic() - start)
        return id

    def _should_stop(self, reign: Reign) -> Callable[[], bool]:
        return lambda: self._stopping.is_set() or not self._lease.holds(reign)

    def _finish(self, ended: Statement, reign: Reign) -> None:
        """Write how a run ended, over a database that is away for a moment as well."""
        while True:
            try:
                self._transitions.write(ended)
                return
            except DatabaseUnavailable:
                if not self._lease.holds(reign):
                    raise Conflict("the lease was lost before the run's end could be kept") from None
                time.sleep(0.5)


def _of(reign: Reign) -> dict[str, Any]:
    return {"lease": reign.lease, "holder": reign.holder, "epoch": reign.epoch}


def _succeeded(id: UUID, details: dict[str, Any]) -> Statement:
    problems = validate_texts(details, "details")
    if problems:
        raise Invalid(*problems)
    if not isinstance(details, dict):
        raise Invalid(Problem("details", "must be an object"))
    return _ended(id, JobRunStatus.SUCCEEDED, details, None)


def _failed(id: UUID, error: BaseException) -> Statement:
    text = f"{type(error).__name__}: {error}".replace("\0", "\N{REPLACEMENT CHARACTER}")
    storable = text.encode(errors="replace").decode()
    return _ended(id, JobRunStatus.FAILED, {}, storable[:_LONGEST_ERROR])


def _ended(id: UUID, status: JobRunStatus, details: dict[str, Any], error: str | None) -> Statement:
    values = {"status": str(status), "details": orjson.dumps(details).decode(), "error": error}
    return statement("job_runs", "finish", id=id, **values)
