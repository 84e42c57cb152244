"""What a command decided: changed columns, new rows and events, collected without any I/O.

A decision function takes the state of one process (and of what the command touches in it) and returns
a ``Changes``; the engine writes it as a whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gndp.core.events import Payload
from gndp.core.records import Dependant, Process, SlaClock, Task


class Command(NamedTuple):
    """Who gives a command, when, and what it belongs to.

    ``now`` is the workbench clock's reading, aware UTC. ``automated`` marks what no person did.
    ``causation_id`` is the event that it reacts to. ``given_by`` is who acted for the actor, if somebody
    did.
    """

    actor: str | None
    now: datetime
    correlation_id: str | None = None
    automated: bool = False
    causation_id: UUID | None = None
    given_by: str | None = None


class NewEvent(NamedTuple):
    """An event to be written; it gets its id and seq when it is."""

    event_type: str
    task_id: UUID | None
    event_category: str
    severity: str
    message: str
    details: dict[str, Any]
    old_status: str | None
    new_status: str | None
    new_data: dict[str, Any] | None


class OpenedAssignment(NamedTuple):
    """An assignment to be opened; it gets its id when it is written."""

    task_id: UUID
    assigned_to: str
    assignment_method: str
    reason: str | None


class ItemSla(NamedTuple):
    """What the clocks say of a task that the command does not change otherwise.

    ``due_date`` replaces ``previous_due_date`` only: a date that somebody set by hand stays.
    """

    id: UUID
    sla_status: str
    sla_breach_time: datetime | None
    due_date: datetime | None
    previous_due_date: datetime | None

    def shown_by(self, task: Task) -> Task:
        """The task with what its clocks say."""
        follows = task.due_date is None or task.due_date == self.previous_due_date
        return task._replace(
            sla_status=self.sla_status,
            sla_breach_time=self.sla_breach_time,
            due_date=self.due_date if follows else task.due_date,
        )


@dataclass(slots=True)
class Changes:
    """Everything that one command changes in one process.

    ``at`` is the instant that rows and events carry: the clock's reading, or the previous event's instant
    when the reading is earlier (the reading is then kept in the events' details).
    """

    process: Process
    command: Command
    at: datetime
    process_columns: dict[str, Any] = field(default_factory=dict)
    task_columns: dict[UUID, tuple[Task, dict[str, Any]]] = field(default_factory=dict)
    freed: list[tuple[Dependant, dict[str, Any]]] = field(default_factory=list)
    created_tasks: list[Task] = field(default_factory=list)
    added_blocking: dict[UUID, list[UUID]] = field(default_factory=dict)
    opened: list[OpenedAssignment] = field(default_factory=list)
    closed: list[tuple[UUID, dict[str, Any]]] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    started_clocks: list[SlaClock] = field(default_factory=list)
    changed_clocks: list[SlaClock] = field(default_factory=list)
    item_slas: list[ItemSla] = field(default_factory=list)

    @classmethod
    def begin(cls, process: Process, command: Command, last_event_at: datetime | None) -> Changes:
        """Start collecting; event times within a process never go backwards."""
        at = command.now if last_event_at is None else max(command.now, last_event_at)
        return cls(process, command, at)

    def change_process(self, **columns: Any) -> None:
        """Give columns of the process new values."""
        self.process_columns.update(columns)

    def change_task(self, task: Task, **columns: Any) -> None:
        """Give columns of a task new values."""
        if task.id in self.task_columns:
            self.task_columns[task.id][1].update(columns)
        else:
            self.task_columns[task.id] = (task, columns)

    def event(
        self,
        payload: Payload,
        message: str,
        *,
        task_id: UUID | None = None,
        old: str | None = None,
        new: str | None = None,
        category: str | None = None,
        severity: str | None = None,
        new_data: dict[str, Any] | None = None,
    ) -> None:
        """Add an event, in the order cause before consequence.

        ``category`` and ``severity`` are the payload's, unless this event differs from others of its type.
        """
        self.events.append(
            NewEvent(
                payload.event_type,
                task_id,
                category or payload.category,
                severity or payload.severity,
                message,
                self.dated(payload.details),
                old,
                new,
                new_data,
            )
        )

    def dated(self, details: dict[str, Any]) -> dict[str, Any]:
        """An event's details, with the clock's reading when the event is recorded at a later instant, and
        with who acted for the actor."""
        if self.at != self.command.now:
            details = {**details, "clock_reading": self.command.now}
        return details if self.command.given_by is None else {**details, "given_by": self.command.given_by}

    def process_after(self) -> Process:
        """The process as it will be once this is written (but for version and updated_at)."""
        return self.process._replace(**self.process_columns) if self.process_columns else self.process

    def task_after(self, task: Task) -> Task:
        """A task as it will be once this is written (but for version and updated_at)."""
        change = self.task_columns.get(task.id)
        if change is not None:
            return task._replace(**change[1])
        shown = next((item for item in self.item_slas if item.id == task.id), None)
        return task if shown is None else shown.shown_by(task)
