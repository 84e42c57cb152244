"""What an escalation does: pure decisions.

Each level of a policy's chain fires once for a clock, when the sweep finds that its instant has come. It
leaves an escalation.triggered event, and does what it says: tells somebody (notification.send), raises the
priority by one, or gives the task to somebody else. Source: the semantics page, "Events": these are rows like
any other.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from gndp.core import sla
from gndp.core.changes import Changes
from gndp.core.clocks import timer_of
from gndp.core.events import EscalationTriggered, NotificationSend, ProcessUpdated, TaskUpdated
from gndp.core.policies import EscalationLevel, Terms
from gndp.core.records import Assignment, SlaClock, Task
from gndp.core.states import (
    FINAL_PROCESS_STATUSES,
    OPEN_TASK_STATUSES,
    AssignmentMethod,
    Priority,
    ProcessStatus,
    Severity,
    SlaStatus,
    TaskStatus,
)
from gndp.core.tasks import give, hand_over


class EscalatedItem(NamedTuple):
    """What a clock measures: a task with its active assignment, or (without a task) the process itself.

    ``kept_apart`` are those who did steps that must be done by somebody other than the task's person.
    """

    task: Task | None = None
    assignment: Assignment | None = None
    kept_apart: Collection[str] = frozenset()


class Recipient(NamedTuple):
    """Whom a level is for; ``why_nobody`` says why there is no such person, ``unable`` why the person cannot
    be given work."""

    person: str | None
    why_nobody: str | None = None
    unable: str | None = None


def due_level(clock: SlaClock, terms: Terms, at: datetime) -> tuple[int, EscalationLevel] | None:
    """The first level that has come and has not fired, with its number from 1; None when there is none."""
    if clock.end_time is not None or clock.running_since is None:
        return None
    levels = terms.policy.escalation_levels
    told = clock.escalations_told
    has_come = told < len(levels) and told < sla.read(timer_of(clock), terms, at).escalations
    return (told + 1, levels[told]) if has_come else None


def escalate(
    changes: Changes,
    clock: SlaClock,
    number: int,
    level: EscalationLevel,
    item: EscalatedItem,
    recipient: Recipient,
) -> SlaClock:
    """Fire one level; the answer is the clock with that noted."""
    name = changes.process.process_name if item.task is None else item.task.task_name
    person = recipient.person
    undone = _reason_to_leave_undone(changes, level, item, recipient)
    changes.event(
        EscalationTriggered(
            level=number,
            action=level.action,
            policy=clock.policy_name,
            objective=clock.objective,
            due_date=clock.due_at,
            to=person,
            not_done=undone,
        ),
        f"{name}: escalation {number} to {person or level.to.replace('_', ' ')}"
        + (f", not done: {undone}" if undone else ""),
        task_id=clock.task_id,
        severity=Severity.ERROR if undone else None,
    )
    if undone is None:
        _act(changes, clock, level, item, person or "", name)
    return clock._replace(
        escalations_told=number, escalated_to=person or clock.escalated_to, escalated_at=changes.at
    )


def _reason_to_leave_undone(
    changes: Changes, level: EscalationLevel, item: EscalatedItem, recipient: Recipient
) -> str | None:
    """An escalation does what a command could do at this moment, and no more."""
    if level.action != "raise_priority" and recipient.person is None:
        return recipient.why_nobody
    if level.action == "notify":
        return None
    status = changes.process_after().status
    if item.task is None:
        return f"the process is {status}" if status in FINAL_PROCESS_STATUSES else None
    if status != ProcessStatus.RUNNING:
        return f"the process is {status}"
    task = changes.task_after(item.task)
    if task.status not in OPEN_TASK_STATUSES:
        return f"the task is {task.status}"
    if level.action == "reassign":
        if recipient.person in item.kept_apart:
            return f"{recipient.person} did a step that this one must be kept apart from"
        return recipient.unable
    return None


def _act(
    changes: Changes, clock: SlaClock, level: EscalationLevel, item: EscalatedItem, person: str, name: str
) -> None:
    match level.action:
        case "notify":
            changes.event(
                NotificationSend(
                    to=person,
                    subject=f"{name} {_state_in_words(clock)}",
                    due_date=clock.due_at,
                    policy=clock.policy_name,
                ),
                f"tell {person}: {name} {_state_in_words(clock)}",
                task_id=clock.task_id,
            )
        case "raise_priority":
            _raise_priority(changes, item.task, name)
        case "reassign" if item.task is not None:
            _reassign(changes, item.task, item.assignment, person)


def _raise_priority(changes: Changes, task: Task | None, name: str) -> None:
    row = changes.process_after() if task is None else changes.task_after(task)
    ranked = list(Priority)
    raised = ranked[min(Priority(row.priority).rank, len(ranked) - 1)]
    if raised == row.priority:
        return
    new_data = {"priority": str(raised)}
    if task is None:
        changes.change_process(**new_data)
        changes.event(ProcessUpdated(), f"{name} updated", new_data=new_data)
    else:
        changes.change_task(task, **new_data)
        changes.event(TaskUpdated(), f"{name} updated", task_id=task.id, new_data=new_data)


def _reassign(changes: Changes, task: Task, assignment: Assignment | None, person: str) -> None:
    now = changes.task_after(task)
    if now.assigned_to == person:
        return
    if any(opened.task_id == task.id for opened in changes.opened):
        # An earlier level gave it to somebody in this very sweep: that assignment is not written yet.
        changes.opened = [opened for opened in changes.opened if opened.task_id != task.id]
        hand_over(changes, now, None, person, "escalated")
    elif now.status == TaskStatus.PENDING:
        give(changes, task, person, AssignmentMethod.MANUAL, None)
    else:
        hand_over(changes, now, assignment, person, "escalated")


def _state_in_words(clock: SlaClock) -> str:
    return "is overdue" if clock.status == SlaStatus.BREACHED else "is due soon"
