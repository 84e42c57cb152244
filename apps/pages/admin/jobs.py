"""Scheduled jobs: when they are due, what became of their runs, and running one now."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import panel_material_ui as pmui

from gndp.core.states import JobRunStatus

from ...components.html import heading
from ...components.rows import Rows
from ...components.table import Column, instant
from ...stores.jobs import ScheduledJobs
from ...stores.notebooks import notebook_cell
from .frame import AdminView, address, row

if TYPE_CHECKING:
    from gndp.core.records import JobRun, ScheduledJob

    from ...desk import Desk

_JOBS = (
    Column("name", "Job", "link", "name"),
    Column("interval", "Every"),
    Column("status", "Last run", "badge", "status"),
    Column("ended_at", "Ended", "instant", "ended_at"),
    Column("duration", "Took", "text"),
    Column("next_slot", "Due next", "instant", "next_slot"),
)
_RUNS = (
    Column("job", "Job", sort="job"),
    Column("status", "Status", "badge", "status"),
    Column("started_at", "Started", "instant", "started_at"),
    Column("duration_ms", "Milliseconds", "number", "duration_ms"),
    Column("attempt", "Attempt", "number", "attempt"),
    Column("said", "What it said"),
    Column("holder", "Run by", sort="holder"),
)

_ALL = "all"


class JobsView(AdminView):
    """The jobs, and the runs of one or of all."""

    def __init__(self, desk: Desk) -> None:
        store = ScheduledJobs(lambda: desk.workbench, desk.query.get("job"))
        self.jobs = Rows(_JOBS, label="Jobs", sort="name", notebook_cell=notebook_cell("wb.jobs.list()"))
        self.runs = Rows(
            _RUNS,
            label="Runs",
            empty="It has not run yet.",
            notebook_cell=notebook_cell("wb.jobs.runs(limit=1000)"),
        )
        self.job = pmui.Select(
            label="Job", options=[_ALL, *filter(None, [store.chosen])], value=store.chosen or _ALL, width=220
        )
        self.job.param.watch(self._choose, "value")
        self.run = pmui.Button(label="Run it now", on_click=lambda _: self._run(), disabled=True)
        offered = [self.run] if desk.workbench.may("jobs.run") else []
        self.leader = pmui.Typography("", variant="body2")
        parts = [self.leader, self.jobs, heading("Runs", 2), row(self.job, *offered), self.runs]
        super().__init__(desk, store, "Jobs", parts)

    def show(self) -> None:
        """Show jobs and runs."""
        jobs = self.store.jobs
        leader = jobs[0].leader if jobs else None
        self.leader.object = (
            f"They are run by {leader}." if leader else "No server runs them now: they wait until one does."
        )
        self.jobs.show(map(_job_row, jobs))
        self.runs.show(map(_run_row, self.store.runs))
        names = [_ALL, *(job.name for job in jobs)]
        if names != self.job.options:
            self.job.options = names
        self.run.disabled = self.store.chosen not in names

    def _choose(self, _: Any) -> None:
        self.store.chosen = None if self.job.value == _ALL else self.job.value
        self.desk.say_in_address(job=self.store.chosen)
        self.refresh()

    def _run(self) -> None:
        name = self.store.chosen
        if name is None:
            return
        self.run.loading = True
        try:
            ended = self.desk.do(lambda wb: wb.jobs.run(name))
        finally:
            self.run.loading = False
        if ended is not None:
            has_failed = ended.status != JobRunStatus.SUCCEEDED
            said = f"{name} {ended.status}: {_said(ended)}"
            self.desk.say(said, "error" if has_failed else "success")
        self.refresh()


def _job_row(job: ScheduledJob) -> dict[str, Any]:
    last = job.last_run
    return {
        "id": job.name,
        "name": {"text": job.name, "href": address("jobs", job=job.name), "note": job.meaning},
        "interval": _interval(job.interval),
        "status": last.status if last else "none",
        "ended_at": instant(last.ended_at) if last else None,
        "duration": None if last is None or last.duration_ms is None else f"{last.duration_ms:,} ms",
        "next_slot": instant(job.next_slot),
    }


def _run_row(run: JobRun) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "job": run.job,
        "status": run.status,
        "started_at": instant(run.started_at),
        "duration_ms": run.duration_ms,
        "attempt": run.attempt,
        "said": _said(run),
        "holder": run.holder,
    }


def _said(run: JobRun) -> str:
    if run.error:
        return run.error
    parts = ((name, value) for name, value in run.details.items() if value not in (0, None, [], {}))
    told = (f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in parts)
    return ", ".join(told) or ("nothing to do" if run.status == JobRunStatus.SUCCEEDED else "—")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _interval(interval: timedelta) -> str:
    seconds = int(interval.total_seconds())
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
