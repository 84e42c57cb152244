"""Idempotency keys are deleted when they have expired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gndp.jobs.job import Job, JobContext
from gndp.store.queries import statement

BATCH = 1_000
"""How many keys a transaction deletes."""


def idempotency() -> Job:
    """The job that deletes idempotency keys after their 24 hours, by the database's clock."""

    def run(context: JobContext) -> dict[str, Any]:
        batch = statement("idempotency", "delete_expired", most=BATCH)
        return {"deleted": context.write_all(batch, BATCH)}

    return Job(
        name="idempotency",
        interval=timedelta(hours=1),
        run=run,
        meaning="deletes idempotency keys that have expired",
    )
