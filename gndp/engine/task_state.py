"""Tasks as decisions about them need them, from the rows that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gndp.core.flow import OpenStep
from gndp.core.processes import AffectedTask
from gndp.core.records import Assignment, Dependant, Process, Task
from gndp.core.tasks import TaskState
from gndp.engine.transition import Work
from gndp.store.queries import statement

_TASK_WIDTH = len(Task._fields)


def affected_task(row: Sequence[Any]) -> AffectedTask:
    """A task and its active assignment from a row that has both, one after the other."""
    assignment = Assignment._make(row[_TASK_WIDTH : _TASK_WIDTH + len(Assignment._fields)])
    return AffectedTask(Task._make(row[:_TASK_WIDTH]), assignment if assignment.id is not None else None)


def load_state(
    work: Work,
    task_id: UUID,
    with_dependants: bool = False,
    lock: str = "lock_of_task",
) -> TaskState:
    """Lock a task's process and load what a decision about the task needs.

    Raises NotFound when there is no such task, or ``lock`` leaves out a process that another command holds.
    """
    wanted = [
        statement("processes", lock, task_id=task_id),
        statement("tasks", "state", task_id=task_id),
    ]
    if with_dependants:
        wanted.append(statement("sla", "of_task_and_dependants", task_id=task_id))
        wanted.append(statement("tasks", "dependants", task_id=task_id))
    else:
        wanted.append(statement("sla", "of_task", task_id=task_id))
    process_rows, task_rows, clock_rows, *more = work.load(*wanted)
    dependant_rows = more[0] if with_dependants else ()
    process: Process = work.locked_process(process_rows, task_id, "task")
    work.take_clocks(clock_rows, process)
    row = task_rows[0]
    task = Task._make(row[:_TASK_WIDTH])
    last_event_at, position, phase = row[_TASK_WIDTH : _TASK_WIDTH + 3]
    assignment = Assignment._make(row[_TASK_WIDTH + 3 :])
    return TaskState(
        process,
        task,
        assignment if assignment.id is not None else None,
        last_event_at,
        None if position is None else OpenStep(position, phase),
        [Dependant._make(dependant) for dependant in dependant_rows],
    )
