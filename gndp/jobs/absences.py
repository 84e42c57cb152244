"""Who is away, or has left: their tasks go to whoever stands in, or back to where others can take them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from gndp.core.errors import DatabaseUnavailable, GndpError
from gndp.engine.absences import HANDED_OVER, RETURNED, Absences
from gndp.jobs.job import Job, JobContext

_NAMED = 20
"""How many of the tasks that stayed where they are a report names."""


def absences(found: Absences) -> Job:
    """The job that looks every minute for ready tasks whose people will not do them now.

    What somebody who is out of office has not started goes to the substitute, if that person can take it;
    what nobody stands in for, and all that people have who are not active, goes back. Who has come back is
    given tasks like everybody else.
    """

    def run(context: JobContext) -> dict[str, Any]:
        outcomes: Counter[str] = Counter()
        stayed: dict[str, str] = {}
        for task_id in found.left_behind():
            if context.should_stop():
                break
            try:
                outcome = found.see_to(task_id)
            except DatabaseUnavailable:
                raise
            except GndpError as error:
                outcome = str(error)
            if outcome in (HANDED_OVER, RETURNED):
                outcomes[outcome] += 1
            elif len(stayed) < _NAMED:
                stayed[str(task_id)] = outcome
        return {"handed_over": outcomes[HANDED_OVER], "returned": outcomes[RETURNED], "stayed": stayed}

    return Job(
        name="absences",
        interval=timedelta(minutes=1),
        run=run,
        meaning="hands tasks of people who are away to their substitutes, or back to their queues",
    )
