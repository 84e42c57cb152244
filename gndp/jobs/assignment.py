"""Tasks that wait in the teams' queues are given out as people get free."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gndp.engine.waiting import Waiting
from gndp.jobs.job import Job, JobContext


def assignment(waiting: Waiting) -> Job:
    """The job that gives out, every minute, what the commands that freed somebody did not."""

    def run(_: JobContext) -> dict[str, Any]:
        return {"given": waiting.give_out_all()}

    return Job(
        name="assignment",
        interval=timedelta(minutes=1),
        run=run,
        meaning="gives waiting tasks to people who are free",
    )
