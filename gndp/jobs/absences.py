"""Who is out of office: what they have and have not begun goes to their substitutes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gndp.core.errors import Refusal
from gndp.engine.tasks import Tasks
from gndp.engine.transition import Transitions
from gndp.jobs.job import Job, JobContext
from gndp.store.session import statement


def absences(transitions: Transitions, tasks: Tasks) -> Job:
    """The job that looks every minute for people who have gone out of office.

    Ready tasks that they have not started go to the substitute, unless that person is away or not active
    too. Who has come back is given tasks like everybody else.
    """

    def run(context: JobContext) -> dict[str, Any]:
        (rows,) = transitions.read(statement("directory", "left_behind", now=transitions.now()))
        handed_over, refused = 0, {}
        for task_id, person, substitute in rows:
            if context.should_stop():
                break
            reason = f"{person} is out of office"
            try:
                tasks.reassign(task_id, new_assignee=substitute, reassigned_by="system", reason=reason)
                handed_over += 1
            except Refusal as refusal:
                refused[str(task_id)] = str(refusal)
        return {"handed_over": handed_over, "refused": refused}

    return Job(
        name="absences",
        interval=timedelta(minutes=1),
        run=run,
        meaning="hands tasks of people who are out of office to their substitutes",
    )
