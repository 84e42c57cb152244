"""The SLA sweep, on time: warnings, breaches and escalations that come while nobody gives a command."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gndp.engine.sla import Sla
from gndp.jobs.job import Job, JobContext


def sla_sweep(sla: Sla, seconds: int) -> Job:
    """The job that sweeps every so many seconds, and earlier when a clock's next instant is nearer."""

    def run(context: JobContext) -> dict[str, Any]:
        return sla.sweep(context.should_stop)._asdict()

    return Job(
        name="sla_sweep",
        interval=timedelta(seconds=seconds),
        run=run,
        meaning="tells warnings and breaches, and escalates",
        next_due=sla.next_due,
    )
