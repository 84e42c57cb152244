"""Every type of event that the engine writes, as a frozen payload: what an event's ``details`` hold.

A payload class says its type, the category and severity that its events have, and beside each field what it
means. ``docs/reference/events.md`` is drawn from this file. Types are open: what is not listed here reads as
``OtherEvent``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from gndp.core.states import EventCategory, Severity

Reason = Annotated[str, "why, in the words of whoever decided it"]
ErrorMessage = Annotated[str, "what went wrong"]
Comment = Annotated[str, "what was said"]
TeamName = Annotated[str, "the team whose queue it is in"]
Method = Annotated[str, "how the person is found: an assignment method"]
DueDate = Annotated[datetime, "the clock's due instant, in UTC"]
PolicyName = Annotated[str, "the policy that the clock runs by"]
Objective = Annotated[str, "what the clock measures, such as response"]


class Payload:
    """What one type of event says beside what every event has; fields that are None are left out."""

    event_type: ClassVar[str] = ""
    category: ClassVar[EventCategory] = EventCategory.LIFECYCLE
    severity: ClassVar[Severity] = Severity.INFO
    # A field whose name is a keyword of Python ends in an underscore, which its key has not.
    __pydantic_config__ = ConfigDict(alias_generator=lambda name: name.removesuffix("_"))

    @property
    def details(self) -> dict[str, Any]:
        """The fields as an event's ``details``."""
        return {name.removesuffix("_"): value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class ProcessCreated(Payload):
    """A process was created and is held: it starts later."""

    event_type = "process.created"


@dataclass(frozen=True)
class ProcessStarted(Payload):
    """A process began to run."""

    event_type = "process.started"


@dataclass(frozen=True)
class ProcessSuspended(Payload):
    """A person paused a process; nothing in it accepts work."""

    event_type = "process.suspended"
    reason: Reason


@dataclass(frozen=True)
class ProcessResumed(Payload):
    """A suspended process goes on."""

    event_type = "process.resumed"


@dataclass(frozen=True)
class ProcessCompleted(Payload):
    """A process is done, by hand or because its last open task ended."""

    event_type = "process.completed"


@dataclass(frozen=True)
class ProcessFailed(Payload):
    """A process was given up, by hand or because a task failed for good."""

    event_type = "process.failed"
    category = EventCategory.ERROR
    severity = Severity.ERROR
    error_message: ErrorMessage


@dataclass(frozen=True)
class ProcessRetried(Payload):
    """A failed process runs again."""

    event_type = "process.retried"


@dataclass(frozen=True)
class ProcessCancelled(Payload):
    """A process was called off, with its open tasks."""

    event_type = "process.cancelled"
    reason: Reason


@dataclass(frozen=True)
class ProcessUpdated(Payload):
    """Columns of a process were changed by hand or by an escalation; `new_data` holds their new values."""

    event_type = "process.updated"


@dataclass(frozen=True)
class ProcessCommented(Payload):
    """Somebody said something about a process."""

    event_type = "process.commented"
    text: Comment


@dataclass(frozen=True)
class TaskCreated(Payload):
    """A process got a task."""

    event_type = "task.created"
    ready: Annotated[bool | None, "true when nothing blocks it; then no task.ready follows"] = None


@dataclass(frozen=True)
class TaskAssigned(Payload):
    """A task that nobody had, or whose assignment was closed, went to a person."""

    event_type = "task.assigned"
    category = EventCategory.ASSIGNMENT
    assigned_to: Annotated[str, "the person"]
    assignment_method: Method
    team: Annotated[str | None, "the team that it was routed to"] = None
    routing: Annotated[dict[str, Any] | None, "how it was routed, as in assignment.needed"] = None


@dataclass(frozen=True)
class TaskQueued(Payload):
    """A task was put into a team's queue, to be routed or claimed."""

    event_type = "task.queued"
    category = EventCategory.ASSIGNMENT
    team: TeamName
    assignment_method: Method


@dataclass(frozen=True)
class TaskReady(Payload):
    """The last task that a task depended on was completed or skipped: it can be started."""

    event_type = "task.ready"


@dataclass(frozen=True)
class TaskStarted(Payload):
    """A task's assignee began to work on it."""

    event_type = "task.started"


@dataclass(frozen=True)
class TaskReleased(Payload):
    """A task's assignee gave it back."""

    event_type = "task.released"
    category = EventCategory.ASSIGNMENT
    assigned_to: Annotated[str, "the person who had it"]


@dataclass(frozen=True)
class TaskReassigned(Payload):
    """A task went from one person to another."""

    event_type = "task.reassigned"
    category = EventCategory.ASSIGNMENT
    from_: Annotated[str, "the person who had it"]
    to: Annotated[str, "the person who has it now"]
    reason: Reason


@dataclass(frozen=True)
class TaskWaiting(Payload):
    """The work on a task stands still until something outside happens."""

    event_type = "task.waiting"
    reason: Reason
    until: Annotated[datetime | None, "until when, in UTC"] = None


@dataclass(frozen=True)
class TaskResumed(Payload):
    """A task does not wait any more."""

    event_type = "task.resumed"


@dataclass(frozen=True)
class TaskUpdated(Payload):
    """Columns of a task were changed by hand or by an escalation; `new_data` holds their new values."""

    event_type = "task.updated"


@dataclass(frozen=True)
class TaskCommented(Payload):
    """Somebody said something about a task."""

    event_type = "task.commented"
    text: Comment


@dataclass(frozen=True)
class TaskCompleted(Payload):
    """A task's assignee has done it."""

    event_type = "task.completed"


@dataclass(frozen=True)
class TaskSkipped(Payload):
    """A task was left out; it counts as done."""

    event_type = "task.skipped"
    reason: Reason


@dataclass(frozen=True)
class TaskCancelled(Payload):
    """A task was called off, alone or with what it belongs to; it counts as if it had not been there."""

    event_type = "task.cancelled"
    reason: Reason


@dataclass(frozen=True)
class TaskRetried(Payload):
    """A task is tried again: a person wants a failed one done again, or the work failed with retries left and
    stays with its assignee; then it is of category error, severity warning."""

    event_type = "task.retried"
    error_message: Annotated[str | None, "what went wrong, when the work failed"] = None
    retry_count: Annotated[int | None, "which retry this is, from 1, when the work failed"] = None


@dataclass(frozen=True)
class TaskFailed(Payload):
    """A task was given up: no retry was left, or somebody said so."""

    event_type = "task.failed"
    category = EventCategory.ERROR
    severity = Severity.ERROR
    error_message: ErrorMessage


@dataclass(frozen=True)
class SlaAtRisk(Payload):
    """A warning level of a clock was reached; each is told once."""

    event_type = "sla.at_risk"
    category = EventCategory.SLA
    severity = Severity.WARNING
    due_date: DueDate
    policy: PolicyName
    objective: Objective
    level: Annotated[int, "which warning of the policy, from 1, the earliest first"]


@dataclass(frozen=True)
class SlaBreached(Payload):
    """A clock's due instant has passed."""

    event_type = "sla.breached"
    category = EventCategory.SLA
    severity = Severity.WARNING
    due_date: DueDate
    policy: PolicyName
    objective: Objective


@dataclass(frozen=True)
class SlaMet(Payload):
    """What a clock measures ended at or before its due instant."""

    event_type = "sla.met"
    category = EventCategory.SLA
    due_date: DueDate
    policy: PolicyName
    objective: Objective


@dataclass(frozen=True)
class ClockFigures:
    """A clock in a few figures: its policy, target in minutes along the calendar, status and due instant."""

    policy: str
    target_mins: int
    status: str
    due_date: datetime


@dataclass(frozen=True)
class SlaRecomputed(Payload):
    """The clocks of an item were worked out anew from its history; this alone can undo a breach."""

    event_type = "sla.recomputed"
    category = EventCategory.SLA
    reason: Reason
    before: Annotated[
        dict[str, ClockFigures],
        "by objective the clocks that the item had: `policy`, `target_mins` (minutes along the calendar), "
        "`status` and `due_date` (UTC)",
    ]
    after: Annotated[dict[str, ClockFigures], "the same for the clocks that it has now"]


@dataclass(frozen=True)
class EscalationTriggered(Payload):
    """A level of a clock's escalation chain has come; when it could not be carried out, of severity error."""

    event_type = "escalation.triggered"
    category = EventCategory.SLA
    severity = Severity.WARNING
    level: Annotated[int, "which level of the policy, from 1, the earliest first"]
    action: Annotated[str, "what it does: notify, raise_priority or reassign"]
    policy: PolicyName
    objective: Objective
    due_date: DueDate
    to: Annotated[str | None, "the person whom it is for"] = None
    not_done: Annotated[str | None, "why it could not be carried out"] = None


@dataclass(frozen=True)
class NotificationSend(Payload):
    """Somebody is to be told about an item."""

    event_type = "notification.send"
    category = EventCategory.SLA
    to: Annotated[str, "the person to tell"]
    subject: Annotated[str, "what to tell, in one line"]
    due_date: DueDate
    policy: PolicyName


@dataclass(frozen=True)
class AssignmentNeeded(Payload):
    """Routing found nobody for a ready task; it waits in its team's queue."""

    event_type = "assignment.needed"
    category = EventCategory.ASSIGNMENT
    severity = Severity.WARNING
    assignment_method: Method
    team: TeamName
    routing: Annotated[
        dict[str, Any],
        "`chosen` (null when nobody could be), `reason`, and `considered`: of each candidate `user_id`, "
        "`score` (the lowest wins, null for who is left out) and `reason`",
    ]


@dataclass(frozen=True)
class WorkloadImbalance(Payload):
    """An assignment made the difference between the most and the least loaded of a team pass its limit."""

    event_type = "workload.imbalance"
    category = EventCategory.ASSIGNMENT
    severity = Severity.WARNING
    team: Annotated[str, "the team"]
    measure: Annotated[str, "what load is counted in: tasks, priority or estimated_minutes"]
    spread: Annotated[float, "the difference now, in that measure"]
    limit: Annotated[float, "the team's imbalance limit, in that measure"]
    loads: Annotated[dict[str, float], "each person's load, in that measure"]


@dataclass(frozen=True)
class OtherEvent(Payload):
    """An event of a type that is not listed here, or whose details do not fit its type."""

    data: dict[str, Any]

    @property
    def details(self) -> dict[str, Any]:
        """The details as they are."""
        return self.data


EVENT_TYPES: Mapping[str, type[Payload]] = {
    payload.event_type: payload for payload in Payload.__subclasses__() if payload.event_type
}
"""The payload of each type of event, in the order in which they are said above."""


def payload_of(event_type: str, details: Mapping[str, Any]) -> Payload:
    """The typed payload in an event's details, instants and objects read back from their JSON.

    Keys that are no fields, such as ``clock_reading``, are ignored. The log outlives its writers, so details
    that do not fit are no error: they give an ``OtherEvent``.
    """
    if event_type in EVENT_TYPES:
        with suppress(ValidationError):
            return _reader(event_type).validate_python(dict(details))
    return OtherEvent(dict(details))


@cache
def _reader(event_type: str) -> TypeAdapter[Payload]:
    return TypeAdapter(EVENT_TYPES[event_type])
