"""What there is to say about a process and its tasks, events and parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gndp.core.policies import PLAIN_TARGET

from ..components.facts import Fact
from ..components.html import duration
from ..components.table import instant

if TYPE_CHECKING:
    from gndp.core.clocks import ClockReading
    from gndp.core.records import Event, Process, Task


def process_facts(process: Process, parent: Process | None, clocks: Sequence[ClockReading]) -> list[Fact]:
    """The facts of a process, its clocks among them."""
    facts = [
        Fact("Status", process.status, "badge"),
        Fact("Priority", process.priority, "dot"),
        Fact(
            "Progress",
            {
                "percent": process.progress_percentage,
                "text": f"{process.progress_percentage:.0f} %, {process.current_step}/{process.total_steps}",
            },
            "progress",
        ),
        Fact("Type", process.process_type),
        Fact("Assigned to", process.assigned_to),
        Fact("Team", process.assigned_team),
        Fact("Phase", process.current_phase),
        Fact("Started by", process.initiated_by),
        Fact("Started", instant(process.started_at), "instant"),
        Fact("Due", instant(process.due_date), "instant"),
        *_clock_facts(process.sla_status, clocks),
    ]
    if process.completed_at is not None:
        facts.append(Fact("Completed", instant(process.completed_at), "instant"))
    if process.tags:
        facts.append(Fact("Tags", ", ".join(process.tags)))
    if parent is not None:
        facts.append(
            Fact("Part of", {"text": parent.process_name, "href": f"/process?id={parent.id}"}, "link")
        )
    if process.error_message:
        facts.append(Fact("What went wrong", process.error_message))
    return facts


def task_facts(task: Task, clocks: Sequence[ClockReading]) -> list[Fact]:
    """The facts of a task, its clocks among them."""
    facts = [
        Fact("Status", task.status, "badge"),
        Fact("Substatus", task.substatus),
        Fact("Priority", task.priority, "dot"),
        Fact("Type", task.task_type),
        Fact("Assigned to", task.assigned_to),
        Fact("Team", task.assigned_team),
        Fact("Started", instant(task.started_at), "instant"),
        Fact("Due", instant(task.due_date), "instant"),
        *_clock_facts(task.sla_status, clocks),
    ]
    if task.wait_until is not None:
        facts.append(Fact("Waits until", instant(task.wait_until), "instant"))
    if task.tags:
        facts.append(Fact("Tags", ", ".join(task.tags)))
    if task.notes:
        facts.append(Fact("Notes", task.notes))
    if task.error_message:
        facts.append(Fact("What went wrong", task.error_message))
    return facts


def _clock_facts(status: str, clocks: Sequence[ClockReading]) -> list[Fact]:
    if not clocks:
        return [Fact("SLA", status, "dot")]
    return [Fact(f"SLA: {_policy(clock.clock.policy_name)}", _clock(clock), "clock") for clock in clocks]


def _policy(name: str) -> str:
    """A clock that no policy started has the item's own target."""
    return "own target" if name == PLAIN_TARGET else name


def _clock(shown: ClockReading) -> dict[str, Any]:
    reading = shown.reading
    minutes = reading.remaining.total_seconds() / 60
    if shown.clock.end_time is not None:
        text, note = f"after {duration(reading.elapsed.total_seconds() / 60)}", "ended"
    else:
        text = f"{duration(minutes)} left" if minutes >= 0 else f"{duration(-minutes)} overdue"
        note = "paused" if reading.is_paused else ""
    return {"status": reading.status, "text": text, "note": note, "due": reading.due_at.isoformat()}


def event_row(event: Event) -> dict[str, Any]:
    """An event as a table shows it."""
    return {
        "id": str(event.id),
        "label": event.event_type,
        "at": event.timestamp.isoformat(),
        "severity": event.severity,
        "type": event.event_type,
        "message": event.message,
        "user": event.user_id,
    }


def part_row(relation: str, process: Process) -> dict[str, Any]:
    """The parent or a child of a process as a table shows it."""
    return {
        "id": str(process.id),
        "label": process.process_name,
        "name": {
            "text": process.process_name,
            "href": f"/process?id={process.id}",
            "note": process.process_type,
        },
        "relation": relation,
        "status": process.status,
        "progress": {
            "percent": process.progress_percentage,
            "text": f"{process.progress_percentage:.0f} %",
            "level": "running",
        },
        "sla_status": process.sla_status,
        "assigned_to": process.assigned_to,
        "created": instant(process.created_at),
    }
