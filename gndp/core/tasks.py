"""What each task command does to a task and its process: pure decisions.

Source: the semantics page, "Tasks". Each function takes the state that the engine has loaded under the
process's lock and returns the changes, or raises a typed refusal. Commands that end a task (complete,
fail, skip, cancel) are in ``endings``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gndp.core import processes, sla
from gndp.core.changes import Changes, Command, OpenedAssignment
from gndp.core.errors import Conflict, Invalid
from gndp.core.events import (
    TaskAssigned,
    TaskCommented,
    TaskCreated,
    TaskQueued,
    TaskReassigned,
    TaskReleased,
    TaskResumed,
    TaskStarted,
    TaskUpdated,
    TaskWaiting,
)
from gndp.core.flow import OpenStep, earliest, steps_after
from gndp.core.processes import close_assignment, is_open
from gndp.core.records import Assignment, Dependant, Process, Task
from gndp.core.states import (
    TASK_TRANSITIONS,
    AssignmentMethod,
    AssignmentStatus,
    ProcessStatus,
    TaskStatus,
    TaskSubstatus,
    sources,
)


class TaskState(NamedTuple):
    """A task with what a decision about it needs: its locked process, the process's newest event, its
    active assignment, the earliest open step beside it, the tasks that wait for it, and whoever did the
    steps that must be done by somebody else."""

    process: Process
    task: Task
    assignment: Assignment | None
    last_event_at: datetime | None
    next_open: OpenStep | None = None
    dependants: Sequence[Dependant] = ()
    kept_apart: Collection[str] = frozenset()


_SOURCES = {t.command: sources(TASK_TRANSITIONS, t.command) for t in TASK_TRANSITIONS}


def conflict(task: Task, message: str) -> Conflict:
    """A conflict that carries the task's state."""
    return Conflict(message, status=task.status, version=task.version)


def begin(state: TaskState, verb: str, command: Command) -> Changes:
    """Start the changes of a command, or refuse it: the process must run and the status must allow it."""
    if state.process.status != ProcessStatus.RUNNING:
        raise processes.conflict(
            state.process, f"cannot {verb} a task: its process is {state.process.status}"
        )
    if state.task.status not in _SOURCES[verb]:
        raise conflict(state.task, f"cannot {verb} a task that is {state.task.status}")
    return Changes.begin(state.process, command, state.last_event_at)


def refuse_unless_ready(task: Task, verb: str) -> None:
    """Raise Conflict while the task has open dependencies."""
    if task.open_dependencies:
        raise conflict(task, f"cannot {verb} a blocked task: {task.open_dependencies} dependencies are open")


def refuse_unless_assignee(task: Task, actor: str | None, verb: str) -> None:
    """Raise Conflict when the task is somebody else's."""
    if task.assigned_to != actor:
        raise conflict(task, f"cannot {verb}: the task is assigned to {task.assigned_to}")


def refuse_same_person(state: TaskState, person: str) -> None:
    """Raise Conflict when ``person`` did a step that must be done by somebody different."""
    if person in state.kept_apart:
        raise conflict(state.task, f"{person} did a step that this one must be kept apart from")


def create(
    process: Process,
    last_event_at: datetime | None,
    first_open: OpenStep | None,
    tasks: Sequence[Task],
    command: Command,
) -> Changes:
    """Add tasks to a process. ``tasks`` are complete rows but for their instants; those with an
    assignee are assigned at once. ``first_open`` is the earliest step that was open before."""
    if process.status not in (ProcessStatus.PENDING, ProcessStatus.RUNNING):
        raise processes.conflict(process, f"cannot add tasks to a process that is {process.status}")
    changes = Changes.begin(process, command, last_event_at)
    add_tasks(changes, first_open, tasks)
    return changes


def add_tasks(changes: Changes, first_open: OpenStep | None, tasks: Sequence[Task]) -> None:
    """The process of these changes gets these tasks."""
    for blank in tasks:
        task = _dated(blank, changes.at)
        changes.event(
            TaskCreated(ready=True if task.ready_at is not None else None),
            f"{task.task_name} created",
            task_id=task.id,
            new=TaskStatus.PENDING,
        )
        if task.assigned_to is not None:
            changes.opened.append(OpenedAssignment(task.id, task.assigned_to, AssignmentMethod.MANUAL, None))
            changes.event(
                TaskAssigned(task.assigned_to, task.assignment_method),
                f"{task.task_name} assigned to {task.assigned_to}",
                task_id=task.id,
                old=TaskStatus.PENDING,
                new=TaskStatus.ASSIGNED,
            )
        changes.created_tasks.append(task)
    step = earliest(first_open, *(OpenStep(task.position, task.phase) for task in tasks))
    changes.change_process(
        **steps_after(changes.process_after(), created=len(tasks)), current_phase=step.phase if step else None
    )


def _dated(task: Task, at: datetime) -> Task:
    ready = task.open_dependencies == 0
    return task._replace(
        status=TaskStatus.ASSIGNED if task.assigned_to is not None else TaskStatus.PENDING,
        substatus=TaskSubstatus.READY if ready else TaskSubstatus.BLOCKED,
        created_at=at,
        ready_at=at if ready else None,
    )


def assign(state: TaskState, command: Command, person: str, method: str, team: str | None) -> Changes:
    """Give a task to a person; a blocked one may be assigned ahead."""
    changes = begin(state, "assign", command)
    task = state.task
    if task.assigned_to == person:
        raise conflict(task, f"the task is assigned to {person} already")
    refuse_same_person(state, person)
    close_assignment(changes, state.assignment, AssignmentStatus.REASSIGNED)
    give(changes, task, person, method, team)
    return changes


def queue(state: TaskState, command: Command, method: str, team: str) -> Changes:
    """Put a pending task into a team's queue; routing, or somebody who claims it, takes it from there."""
    changes = begin(state, "assign", command)
    task = state.task
    if task.status != TaskStatus.PENDING:
        raise conflict(task, f"cannot queue a task that is {task.status}: release it first")
    changes.change_task(task, assigned_team=team, assignment_method=method)
    changes.event(
        TaskQueued(team, method),
        f"{task.task_name} goes into the queue of {team}",
        task_id=task.id,
    )
    return changes


def claim(state: TaskState, command: Command) -> Changes:
    """The caller takes a ready task that nobody has."""
    changes = begin(state, "claim", command)
    refuse_unless_ready(state.task, "claim")
    _claim(changes, state, command)
    return changes


def start(state: TaskState, command: Command) -> Changes:
    """The assignee begins to work; a ready task that nobody has is claimed first."""
    changes = begin(state, "start", command)
    refuse_unless_ready(state.task, "start")
    if state.task.status == TaskStatus.PENDING:
        _claim(changes, state, command)
    else:
        refuse_unless_assignee(state.task, command.actor, "start")
        refuse_same_person(state, state.task.assigned_to or "")
    task = changes.task_after(state.task)
    changes.change_task(
        state.task,
        status=TaskStatus.IN_PROGRESS,
        substatus=None,
        started_at=task.started_at or changes.at,
        claimed_by=command.actor,
        claimed_at=changes.at,
    )
    if state.assignment is not None and state.assignment.accepted_at is None:
        changes.closed.append(
            (
                state.assignment.id,
                {
                    "accepted_at": changes.at,
                    "time_to_accept_mins": sla.whole_minutes(state.assignment.assigned_at, changes.at),
                },
            )
        )
    changes.event(
        TaskStarted(),
        f"{task.task_name} started by {command.actor}",
        task_id=task.id,
        old=task.status,
        new=TaskStatus.IN_PROGRESS,
    )
    return changes


def release(state: TaskState, command: Command, reason: str | None = None) -> Changes:
    """The task goes back to where anybody may take it."""
    changes = begin(state, "release", command)
    task = state.task
    changes.change_task(
        task,
        status=TaskStatus.PENDING,
        substatus=TaskSubstatus.BLOCKED if task.open_dependencies else TaskSubstatus.READY,
        assigned_to=None,
        claimed_by=None,
        claimed_at=None,
        wait_until=None,
    )
    close_assignment(changes, state.assignment, AssignmentStatus.CANCELLED, reason)
    changes.event(
        TaskReleased(task.assigned_to or ""),
        f"{task.task_name} released by {task.assigned_to}",
        task_id=task.id,
        old=task.status,
        new=TaskStatus.PENDING,
    )
    return changes


def reassign(state: TaskState, command: Command, person: str, reason: str) -> Changes:
    """Give a task that somebody has to somebody else."""
    changes = begin(state, "reassign", command)
    if state.task.assigned_to == person:
        raise conflict(state.task, f"the task is assigned to {person} already")
    refuse_same_person(state, person)
    hand_over(changes, state.task, state.assignment, person, reason)
    return changes


def hand_over(changes: Changes, task: Task, assignment: Assignment | None, person: str, reason: str) -> None:
    """A task that somebody has goes to somebody else; the history keeps the reason."""
    changes.change_task(
        task,
        status=TaskStatus.ASSIGNED,
        substatus=TaskSubstatus.BLOCKED if task.open_dependencies else TaskSubstatus.READY,
        assigned_to=person,
        claimed_by=None,
        claimed_at=None,
        wait_until=None,
    )
    close_assignment(changes, assignment, AssignmentStatus.REASSIGNED, reason)
    changes.opened.append(OpenedAssignment(task.id, person, AssignmentMethod.MANUAL, reason))
    changes.event(
        TaskReassigned(task.assigned_to or "", person, reason),
        f"{task.task_name} reassigned from {task.assigned_to} to {person}: {reason}",
        task_id=task.id,
        old=task.status,
        new=TaskStatus.ASSIGNED,
    )


def wait(state: TaskState, command: Command, reason: str, until: datetime | None) -> Changes:
    """The work stands still until something outside happens."""
    changes = begin(state, "wait", command)
    task = state.task
    if task.substatus == TaskSubstatus.WAITING:
        raise conflict(task, "the task is waiting already")
    refuse_unless_assignee(task, command.actor, "wait")
    changes.change_task(task, substatus=TaskSubstatus.WAITING, wait_until=until)
    changes.event(TaskWaiting(reason, until), f"{task.task_name} waits: {reason}", task_id=task.id)
    return changes


def resume(state: TaskState, command: Command) -> Changes:
    """The waiting is over."""
    changes = begin(state, "resume", command)
    task = state.task
    if task.substatus != TaskSubstatus.WAITING:
        raise conflict(task, "the task is not waiting")
    changes.change_task(task, substatus=None, wait_until=None)
    changes.event(TaskResumed(), f"{task.task_name} goes on", task_id=task.id)
    return changes


def update(state: TaskState, command: Command, columns: dict[str, Any]) -> Changes:
    """Change what may be changed by hand of an open task."""
    changes = _begin_open(state, "update", command)
    if not columns:
        raise Invalid("nothing to update")
    changes.change_task(state.task, **columns)
    changes.event(TaskUpdated(), f"{state.task.task_name} updated", task_id=state.task.id, new_data=columns)
    return changes


def comment(state: TaskState, command: Command, text: str) -> Changes:
    """Say something about an open task."""
    changes = _begin_open(state, "comment", command)
    changes.event(TaskCommented(text), text, task_id=state.task.id)
    return changes


def _begin_open(state: TaskState, verb: str, command: Command) -> Changes:
    if state.process.status != ProcessStatus.RUNNING:
        raise processes.conflict(
            state.process, f"cannot {verb} a task: its process is {state.process.status}"
        )
    if not is_open(state.task):
        raise conflict(state.task, f"cannot {verb} a task that is {state.task.status}")
    return Changes.begin(state.process, command, state.last_event_at)


def _claim(changes: Changes, state: TaskState, command: Command) -> None:
    actor = command.actor or ""
    refuse_same_person(state, actor)
    give(changes, state.task, actor, AssignmentMethod.MANUAL, None)
    changes.change_task(state.task, claimed_by=actor, claimed_at=changes.at)


def give(changes: Changes, task: Task, person: str, method: str, team: str | None) -> None:
    """A task that nobody has, or whose assignment was closed, goes to a person.

    The method is the assignment's. The task keeps its own, by which somebody is found when it comes back.
    """
    changes.change_task(
        task,
        status=TaskStatus.ASSIGNED,
        assigned_to=person,
        assigned_team=team or task.assigned_team,
    )
    changes.opened.append(OpenedAssignment(task.id, person, method, None))
    changes.event(
        TaskAssigned(person, method),
        f"{task.task_name} assigned to {person}",
        task_id=task.id,
        old=task.status,
        new=TaskStatus.ASSIGNED,
    )
