"""The scheduler: runs jobs at their slots, in whichever of the servers holds the lease."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.schedulers.background import BackgroundScheduler

from gndp.core.errors import GndpError
from gndp.engine.transition import Transitions
from gndp.jobs.job import Job
from gndp.jobs.runs import CountRun, JobRuns
from gndp.store.lease import Lease, Reign

LEASE = "scheduler"
"""The name of the lease that one scheduler of all servers holds."""

_LOOK_EVERY = 1.0

_log = logging.getLogger(__name__)
# APScheduler would warn every second that a job which takes longer is still running.
_apscheduler_log = logging.getLogger(f"{__name__}.apscheduler")
_apscheduler_log.setLevel(logging.ERROR)


class Scheduler:
    """Looks every second whether a job is due, while this process holds the scheduler's lease.

    Jobs run in threads of their own, none of them beside itself. Whatever a job raises ends only that run.
    One per process, made after a fork; ``holder`` is what other processes call this one, ``count_run`` is as
    in ``JobRuns``. It is started and stopped once.
    """

    def __init__(
        self,
        transitions: Transitions,
        jobs: Iterable[Job],
        holder: str,
        count_run: CountRun = lambda job, status, seconds: None,
    ) -> None:
        self._jobs = tuple(jobs)
        self._lease = Lease(transitions.database, LEASE, holder)
        self._stopping = threading.Event()
        self._runs = JobRuns(transitions, self._lease, self._stopping, count_run)
        self._done: dict[str, tuple[int, datetime | None]] = {}
        self._unasked: set[str] = set()
        self._threads = _DaemonThreads()
        self._apscheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": self._threads}, logger=_apscheduler_log
        )

    def start(self) -> None:
        """Try for the lease, and run jobs once it is held; DatabaseUnavailable as ``Database``."""
        self._lease.start()
        for job in self._jobs:
            self._apscheduler.add_job(
                self._look,
                "interval",
                seconds=_LOOK_EVERY,
                args=(job,),
                id=job.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
                next_run_time=datetime.now(UTC),
            )
        self._apscheduler.start()

    def stop(self, wait: float = 10.0) -> None:
        """Ask running jobs to end, wait that many seconds at most, and give the lease back.

        A job that has not ended by then can write nothing more; whoever takes the lease runs its slot again.
        """
        self._stopping.set()
        self._apscheduler.pause()
        self._threads.join(wait)
        self._apscheduler.shutdown(wait=False)
        self._lease.stop()

    def _look(self, job: Job) -> None:
        """Run a job if it is due and this process leads."""
        reign = self._lease.reign
        if reign is None or self._stopping.is_set():
            return
        try:
            slot = self._due_slot(job, reign)
            if slot is not None and self._runs.run(job, slot, reign) is not None:
                self._done[job.name] = reign.epoch, slot
        except GndpError as error:
            # Nothing is known any more of what has been begun or done.
            self._done.pop(job.name, None)
            _log.warning("the job %s: %s", job.name, error)

    def _due_slot(self, job: Job, reign: Reign) -> datetime | None:
        """The slot to run now: one that was left unfinished, else the newest one that nobody has begun."""
        epoch, done = self._done.get(job.name, (None, None))
        if epoch != reign.epoch:
            done, is_unfinished = self._runs.last_slot(job, reign)
            if is_unfinished:
                return done
            self._done[job.name] = reign.epoch, done
        now = reign.now
        slots = [job.slot_at(now)]
        early = self._early_slot(job)
        if early is not None and early <= now:
            slots.append(early)
        newest = max(slots)
        return newest if done is None or newest > done else None

    def _early_slot(self, job: Job) -> datetime | None:
        if job.next_due is None:
            return None
        try:
            early = job.next_due()
        except Exception:
            if job.name not in self._unasked:
                _log.exception("the job %s cannot say when it is next due; its interval goes on", job.name)
            self._unasked.add(job.name)
            return None
        self._unasked.discard(job.name)
        return early


class _DaemonThreads(BaseExecutor):  # type: ignore[misc]
    """A thread for each call, which does not hold up the end of the process as a pool's threads do."""

    def __init__(self) -> None:
        super().__init__()
        self._running: set[threading.Thread] = set()

    def join(self, seconds: float) -> None:
        """Wait until all calls have ended, at most that long."""
        deadline = time.monotonic() + seconds
        for thread in list(self._running):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        thread = threading.Thread(target=self._call, args=(job, run_times), name=f"job {job.id}", daemon=True)
        self._running.add(thread)
        thread.start()

    def _call(self, job: Any, run_times: list[datetime]) -> None:
        try:
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
        except BaseException as error:
            self._run_job_error(job.id, error, sys.exc_info()[2])
        else:
            self._run_job_success(job.id, events)
        finally:
            self._running.discard(threading.current_thread())
