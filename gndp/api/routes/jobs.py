"""``/api/jobs``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from gndp.api.callers import Bench
from gndp.api.descriptions import answers
from gndp.api.meanings import FIELDS
from gndp.api.once import Repeatable
from gndp.api.replies import json_reply, row, rows
from gndp.api.schemas import described
from gndp.api.types import Name
from gndp.core import records

router = APIRouter(prefix="/jobs", tags=["jobs"])

JobRun = described(
    records.JobRun,
    "JobRun",
    meanings={
        "status": "running, succeeded, failed or abandoned",
        "details": "what the job reported",
        "started_at": "when it began",
    },
)
ScheduledJob = described(
    records.ScheduledJob,
    "ScheduledJob",
    frozenset({"name", "meaning", "next_slot", "leader"}),
    interval_seconds=float,
    last_run=JobRun | None,
)


@router.get("", responses=answers(list[ScheduledJob]))  # type: ignore[valid-type]
def list_jobs(bench: Bench) -> Response:
    """Every scheduled job with its newest run, and when it is due next."""
    return json_reply([_job(job) for job in bench.jobs.list()])


@router.get("/runs", responses=answers(list[JobRun], 404, 422))  # type: ignore[valid-type]
def job_runs(
    bench: Bench,
    job: Annotated[Name | None, Query(description="only runs of this job")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description=FIELDS["limit"])] = 50,
) -> Response:
    """The runs of the scheduled jobs, newest first."""
    return json_reply(rows(bench.jobs.runs(job, limit)))


@router.post("/{name}/run", responses=answers(JobRun, 404, 409, 422))
def run_job(
    bench: Bench, once: Repeatable, name: Annotated[Name, Path(description="the name of the job")]
) -> Response:
    """Run a job now; the reply comes when it has ended, and says how."""
    return once(None, lambda: row(bench.jobs.run(name)), in_one_transaction=False)


def _job(job: records.ScheduledJob) -> dict[str, Any]:
    return {
        "name": job.name,
        "meaning": job.meaning,
        "interval_seconds": job.interval.total_seconds(),
        "last_run": None if job.last_run is None else row(job.last_run),
        "next_slot": job.next_slot,
        "leader": job.leader,
    }
