"""Tasks that wait in the teams' queues are given out as people get free."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gndp.engine.balance import tell_imbalances
from gndp.engine.transition import Transitions
from gndp.engine.waiting import Waiting
from gndp.jobs.job import Job, JobContext


def assignment(transitions: Transitions, waiting: Waiting) -> Job:
    """The job that gives out, every minute, what the commands that freed somebody did not.

    It reports how many tasks were given by team, how many were left and why, and which could not be looked
    at; and the teams whose work has become uneven, which it tells.
    """

    def run(context: JobContext) -> dict[str, Any]:
        report = waiting.give_out_all(context.should_stop)
        uneven = [] if context.should_stop() else tell_imbalances(transitions)
        return {**report, "uneven": uneven}

    return Job(
        name="assignment",
        interval=timedelta(minutes=1),
        run=run,
        meaning="gives waiting tasks to people who are free",
    )
