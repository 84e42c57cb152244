"""What ends a task, and what follows from it: pure decisions.

Source: the semantics page, "Tasks" and "Processes". Completing or skipping frees the tasks that waited, and
completes the process when nothing is left to do; a task that fails for good fails its process. Events come
cause before consequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gndp.core import processes, sla
from gndp.core.changes import Changes, Command
from gndp.core.events import Payload, TaskCompleted, TaskFailed, TaskReady, TaskRetried, TaskSkipped
from gndp.core.flow import OpenStep, earliest, freed, steps_after
from gndp.core.processes import AffectedTask, cancel_task, close_assignment
from gndp.core.states import (
    OPEN_TASK_STATUSES,
    AssignmentStatus,
    EventCategory,
    ProcessStatus,
    Severity,
    TaskStatus,
    TaskSubstatus,
)
from gndp.core.tasks import TaskState, begin, conflict, refuse_unless_assignee


def complete(
    state: TaskState, command: Command, output_data: dict[str, Any] | None, is_form: bool
) -> Changes:
    """The assignee has done the task. ``is_form`` says that the output was checked against a form."""
    changes = begin(state, "complete", command)
    refuse_unless_assignee(state.task, command.actor, "complete")
    if output_data is not None:
        changes.change_task(state.task, output_data=output_data)
        if is_form:
            changes.change_task(state.task, form_data=output_data)
    close_assignment(changes, state.assignment, AssignmentStatus.COMPLETED)
    _done(changes, state, TaskStatus.COMPLETED, TaskCompleted(), f"completed by {command.actor}")
    return changes


def skip(state: TaskState, command: Command, reason: str) -> Changes:
    """The task is left out; it counts as done. A failed process runs again."""
    changes = _begin_after_failure(state, "skip", command)
    close_assignment(changes, state.assignment, AssignmentStatus.CANCELLED, reason)
    _done(changes, state, TaskStatus.SKIPPED, TaskSkipped(reason), f"skipped: {reason}")
    return changes


def fail(state: TaskState, command: Command, error_message: str, final: bool) -> Changes:
    """The work failed: again with the same assignee while retries are left, else for good."""
    changes = begin(state, "fail", command)
    task = state.task
    if not final and task.retry_count < task.max_retries:
        changes.change_task(
            task,
            status=TaskStatus.ASSIGNED,
            substatus=TaskSubstatus.READY,
            retry_count=task.retry_count + 1,
            error_message=error_message,
            wait_until=None,
        )
        changes.event(
            TaskRetried(error_message, task.retry_count + 1),
            f"{task.task_name} failed and is tried again: {error_message}",
            task_id=task.id,
            old=task.status,
            new=TaskStatus.ASSIGNED,
            category=EventCategory.ERROR,
            severity=Severity.WARNING,
        )
        return changes
    changes.change_task(
        task, status=TaskStatus.FAILED, substatus=None, error_message=error_message, wait_until=None
    )
    close_assignment(changes, state.assignment, AssignmentStatus.CANCELLED)
    changes.event(
        TaskFailed(error_message),
        f"{task.task_name} failed: {error_message}",
        task_id=task.id,
        old=task.status,
        new=TaskStatus.FAILED,
    )
    changes.change_process(**steps_after(state.process, failed=1), current_phase=_phase(state.next_open))
    processes.mark_failed(changes, f"{task.task_name}: {error_message}")
    return changes


def retry(state: TaskState, command: Command) -> Changes:
    """A failed task is to be done again; its failed process runs again."""
    changes = _begin_after_failure(state, "retry", command)
    processes.reopen(changes, state.task)
    step = earliest(state.next_open, OpenStep(state.task.position, state.task.phase))
    changes.change_process(**steps_after(state.process, failed=-1), current_phase=_phase(step))
    processes.run_again(changes)
    return changes


def cancel(
    state: TaskState,
    command: Command,
    reason: str,
    behind: Sequence[AffectedTask],
    next_open: OpenStep | None,
) -> Changes:
    """A task is called off, with the open tasks ``behind`` it that wait for it, directly or not."""
    changes = begin(state, "cancel", command)
    for item in (AffectedTask(state.task, state.assignment), *behind):
        cancel_task(changes, item, reason)
    changes.change_process(
        **steps_after(state.process, cancelled=1 + len(behind)), current_phase=_phase(next_open)
    )
    return changes


def _begin_after_failure(state: TaskState, verb: str, command: Command) -> Changes:
    if state.task.status != TaskStatus.FAILED:
        return begin(state, verb, command)
    if state.process.status != ProcessStatus.FAILED:
        raise processes.conflict(
            state.process, f"cannot {verb} a task: its process is {state.process.status}"
        )
    return Changes.begin(state.process, command, state.last_event_at)


def _done(changes: Changes, state: TaskState, to: TaskStatus, payload: Payload, how: str) -> None:
    task = state.task
    changes.change_task(
        task,
        status=to,
        substatus=None,
        completed_at=changes.at,
        actual_duration_mins=sla.whole_minutes(task.started_at, changes.at),
        wait_until=None,
    )
    changes.event(payload, f"{task.task_name} {how}", task_id=task.id, old=task.status, new=to)
    _free_dependants(changes, state)
    _advance_process(changes, state)


def _free_dependants(changes: Changes, state: TaskState) -> None:
    for dependant in state.dependants:
        columns = freed(dependant, changes.at)
        changes.freed.append((dependant, columns))
        if columns["open_dependencies"] == 0 and dependant.status in OPEN_TASK_STATUSES:
            changes.event(TaskReady(), f"{dependant.task_name} is ready", task_id=dependant.id)


def _advance_process(changes: Changes, state: TaskState) -> None:
    was_failed = state.task.status == TaskStatus.FAILED
    changes.change_process(
        **steps_after(state.process, done=1, failed=-1 if was_failed else 0),
        current_phase=_phase(state.next_open),
    )
    if was_failed:
        processes.run_again(changes)
    process = changes.process_after()
    if process.auto_complete and process.open_steps == 0:
        processes.finish(changes)


def _phase(step: OpenStep | None) -> str | None:
    return step.phase if step else None


def refuse_open_dependants(state: TaskState, open_dependants: int) -> None:
    """Raise Conflict when open tasks depend on a task that is to be cancelled alone."""
    if open_dependants:
        raise conflict(state.task, f"cannot cancel: {open_dependants} open tasks depend on it")
