"""The history of the jobs themselves is kept for 30 days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gndp.jobs.job import Job, JobContext
from gndp.store.queries import statement

BATCH = 1_000
"""How many runs a transaction deletes."""


def history() -> Job:
    """The job that deletes runs of jobs after 30 days, by the database's clock."""

    def run(context: JobContext) -> dict[str, Any]:
        batch = statement("job_runs", "delete_old", most=BATCH)
        return {"deleted": context.write_all(batch, BATCH)}

    return Job(
        name="history",
        interval=timedelta(days=1),
        run=run,
        meaning="deletes runs of jobs that are older than 30 days",
    )
