"""What each process command does to a process: pure decisions.

Source: the semantics page, "Processes". Each function takes the state that the engine has loaded under
the process's lock and returns the changes, or raises a typed refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gndp.core import sla
from gndp.core.changes import Changes, Command
from gndp.core.errors import Conflict, Invalid
from gndp.core.events import (
    Payload,
    ProcessCancelled,
    ProcessCommented,
    ProcessCompleted,
    ProcessCreated,
    ProcessFailed,
    ProcessResumed,
    ProcessRetried,
    ProcessStarted,
    ProcessSuspended,
    ProcessUpdated,
    TaskCancelled,
    TaskRetried,
)
from gndp.core.flow import OpenStep, earliest, steps_after
from gndp.core.records import Assignment, Process, Task
from gndp.core.states import (
    FINAL_PROCESS_STATUSES,
    OPEN_TASK_STATUSES,
    PROCESS_TRANSITIONS,
    AssignmentStatus,
    ProcessStatus,
    TaskStatus,
    TaskSubstatus,
    sources,
)


class ProcessState(NamedTuple):
    """A locked process and its newest event's instant."""

    process: Process
    last_event_at: datetime | None


class AffectedTask(NamedTuple):
    """A task that a process command changes, with its active assignment if it has one."""

    task: Task
    assignment: Assignment | None


_SOURCES = {t.command: sources(PROCESS_TRANSITIONS, t.command) for t in PROCESS_TRANSITIONS}


def refuse_unless_allowed(process: Process, command: str) -> None:
    """Raise Conflict unless ``command`` may be given in the process's status."""
    if process.status not in _SOURCES[command]:
        raise conflict(process, f"cannot {command} a process that is {process.status}")


def conflict(process: Process, message: str) -> Conflict:
    """A conflict that carries the process's state."""
    return Conflict(message, status=process.status, version=process.version)


def start(process: Process, command: Command) -> Changes:
    """A new process: ``process`` is the row to be inserted, pending when held, else running."""
    changes = Changes.begin(process, command, None)
    if process.status == ProcessStatus.PENDING:
        changes.event(ProcessCreated(), f"{process.process_name} created", new=process.status)
    else:
        changes.event(ProcessStarted(), f"{process.process_name} started", new=process.status)
    return changes


def start_held(state: ProcessState, command: Command) -> Changes:
    """Start a process that was created with hold=True."""
    process = state.process
    refuse_unless_allowed(process, "start")
    changes = Changes.begin(process, command, state.last_event_at)
    changes.change_process(
        status=ProcessStatus.RUNNING,
        started_at=changes.at,
    )
    changes.event(
        ProcessStarted(), f"{process.process_name} started", old=process.status, new=ProcessStatus.RUNNING
    )
    return changes


def suspend(state: ProcessState, command: Command, reason: str) -> Changes:
    """Pause a running process."""
    payload = ProcessSuspended(reason)
    return _move(state, command, "suspend", ProcessStatus.SUSPENDED, payload, f"suspended: {reason}")


def resume(state: ProcessState, command: Command) -> Changes:
    """Go on with a suspended process."""
    return _move(state, command, "resume", ProcessStatus.RUNNING, ProcessResumed(), "resumed")


def complete(state: ProcessState, command: Command, output_data: dict[str, Any] | None) -> Changes:
    """Complete a process by hand; a conflict while tasks are open."""
    process = state.process
    refuse_unless_allowed(process, "complete")
    if process.open_steps:
        raise conflict(process, f"cannot complete a process with {process.open_steps} open tasks")
    changes = Changes.begin(process, command, state.last_event_at)
    finish(changes)
    if output_data is not None:
        changes.change_process(output_data=output_data)
    return changes


def finish(changes: Changes) -> None:
    """The process of these changes completes."""
    process = changes.process_after()
    changes.change_process(
        status=ProcessStatus.COMPLETED,
        completed_at=changes.at,
        current_phase=None,
        actual_duration_mins=sla.whole_minutes(process.started_at, changes.at),
    )
    changes.event(
        ProcessCompleted(),
        f"{process.process_name} completed",
        old=process.status,
        new=ProcessStatus.COMPLETED,
    )


def fail(state: ProcessState, command: Command, error_message: str) -> Changes:
    """Give a running process up by hand."""
    process = state.process
    refuse_unless_allowed(process, "fail")
    changes = Changes.begin(process, command, state.last_event_at)
    mark_failed(changes, error_message)
    return changes


def mark_failed(changes: Changes, error_message: str) -> None:
    """The process of these changes fails, saying why."""
    process = changes.process_after()
    changes.change_process(status=ProcessStatus.FAILED, error_message=error_message)
    changes.event(
        ProcessFailed(error_message),
        f"{process.process_name} failed: {error_message}",
        old=process.status,
        new=ProcessStatus.FAILED,
    )


def retry(
    state: ProcessState, command: Command, failed: Sequence[AffectedTask], first_open: OpenStep | None
) -> Changes:
    """Run a failed process again, with all its failed tasks."""
    process = state.process
    refuse_unless_allowed(process, "retry")
    changes = Changes.begin(process, command, state.last_event_at)
    for item in failed:
        reopen(changes, item.task)
    changes.change_process(**steps_after(process, failed=-len(failed)))
    step = earliest(first_open, *(OpenStep(item.task.position, item.task.phase) for item in failed))
    changes.change_process(current_phase=step.phase if step else None)
    run_again(changes)
    return changes


def reopen(changes: Changes, task: Task) -> None:
    """A failed task is to be done again, by whoever takes it: its retries begin anew."""
    changes.change_task(
        task,
        status=TaskStatus.PENDING,
        substatus=TaskSubstatus.READY,
        assigned_to=None,
        claimed_by=None,
        claimed_at=None,
        retry_count=0,
        error_message=None,
    )
    changes.event(
        TaskRetried(),
        f"{task.task_name} is to be done again",
        task_id=task.id,
        old=task.status,
        new=TaskStatus.PENDING,
    )


def run_again(changes: Changes) -> None:
    """A failed process runs again."""
    process = changes.process_after()
    changes.change_process(
        status=ProcessStatus.RUNNING, error_message=None, retry_count=process.retry_count + 1
    )
    changes.event(
        ProcessRetried(),
        f"{process.process_name} runs again",
        old=process.status,
        new=ProcessStatus.RUNNING,
    )


def cancel(state: ProcessState, command: Command, reason: str, open_tasks: Sequence[AffectedTask]) -> Changes:
    """Call a process off, with its open tasks."""
    process = state.process
    refuse_unless_allowed(process, "cancel")
    changes = Changes.begin(process, command, state.last_event_at)
    for item in open_tasks:
        cancel_task(changes, item, reason)
    changes.change_process(**steps_after(process, cancelled=len(open_tasks)))
    changes.change_process(status=ProcessStatus.CANCELLED, current_phase=None)
    changes.event(
        ProcessCancelled(reason),
        f"{process.process_name} cancelled: {reason}",
        old=process.status,
        new=ProcessStatus.CANCELLED,
    )
    return changes


def may_cancel(process: Process) -> bool:
    """Whether a cancelled ancestor takes this process with it."""
    return process.status in _SOURCES["cancel"]


def cancel_task(changes: Changes, item: AffectedTask, reason: str) -> None:
    """An open task is called off, whoever has it."""
    task = item.task
    changes.change_task(task, status=TaskStatus.CANCELLED, substatus=None, wait_until=None)
    close_assignment(changes, item.assignment, AssignmentStatus.CANCELLED, reason)
    changes.event(
        TaskCancelled(reason),
        f"{task.task_name} cancelled: {reason}",
        task_id=task.id,
        old=task.status,
        new=TaskStatus.CANCELLED,
    )


def close_assignment(
    changes: Changes, assignment: Assignment | None, status: AssignmentStatus, reason: str | None = None
) -> None:
    """The active assignment ends, with how and why."""
    if assignment is None:
        return
    columns: dict[str, Any] = {"status": status, "completed_at": changes.at}
    if reason is not None:
        columns["reason"] = reason
    if status == AssignmentStatus.COMPLETED:
        columns["time_to_complete_mins"] = sla.whole_minutes(assignment.assigned_at, changes.at)
    changes.closed.append((assignment.id, columns))


def update(state: ProcessState, command: Command, columns: dict[str, Any]) -> Changes:
    """Change what may be changed by hand, in any but a final status."""
    process = state.process
    if process.status in FINAL_PROCESS_STATUSES:
        raise conflict(process, f"cannot update a process that is {process.status}")
    if not columns:
        raise Invalid("nothing to update")
    changes = Changes.begin(process, command, state.last_event_at)
    changes.change_process(**columns)
    changes.event(ProcessUpdated(), f"{process.process_name} updated", new_data=columns)
    return changes


def comment(state: ProcessState, command: Command, text: str) -> Changes:
    """Say something about a process; it may be said in any status."""
    changes = Changes.begin(state.process, command, state.last_event_at)
    changes.event(ProcessCommented(text), text)
    return changes


def refuse_child(parent: Process) -> None:
    """Raise Conflict when a process takes no more children."""
    if parent.status in FINAL_PROCESS_STATUSES:
        raise conflict(parent, f"cannot start a child of a process that is {parent.status}")


def _move(
    state: ProcessState, command: Command, verb: str, to: ProcessStatus, payload: Payload, how: str
) -> Changes:
    process = state.process
    refuse_unless_allowed(process, verb)
    changes = Changes.begin(process, command, state.last_event_at)
    changes.change_process(status=to)
    changes.event(payload, f"{process.process_name} {how}", old=process.status, new=to)
    return changes


def is_open(task: Task) -> bool:
    """Whether a task is still to be done."""
    return task.status in OPEN_TASK_STATUSES
