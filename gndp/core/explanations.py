"""Why somebody has a task, or nobody has it: what the log says about it, as an object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gndp.core.records import Task
from gndp.core.routing import Considered
from gndp.core.states import AssignmentMethod


class AssignmentExplanation(NamedTuple):
    """How a task came to its person at an instant; ``assigned_to`` is None when nobody has it.

    ``considered`` lists the candidates, the best first: the lower a score the better, None for those who were
    left out, with the reason; of a large team ``unlisted`` more were considered. It is empty where a person
    was named by hand, and where the task came back and nobody has been looked for since.
    """

    task_id: UUID
    at: datetime
    assigned_to: str | None
    assignment_method: str
    team: str | None
    reason: str
    considered: list[Considered]
    unlisted: int = 0


def explanation(
    task: Task, at: datetime, event_type: str, details: Mapping[str, Any]
) -> AssignmentExplanation:
    """The explanation in the newest event that gave a task to somebody, took it from them, or said that
    somebody is needed."""
    if event_type in ("task.released", "task.retried", "task.queued"):
        method, team = task.assignment_method, task.assigned_team
        return AssignmentExplanation(task.id, at, None, method, team, _came_back(event_type, details), [])
    routing = details.get("routing")
    if routing is None:
        person = details.get("to") or details.get("assigned_to")
        reason = details.get("reason") or "named by hand"
        return AssignmentExplanation(task.id, at, person, AssignmentMethod.MANUAL, None, reason, [])
    return AssignmentExplanation(
        task.id,
        at,
        routing["chosen"],
        details["assignment_method"],
        details["team"],
        routing["reason"],
        [Considered(**considered) for considered in routing["considered"]],
        routing.get("unlisted", 0),
    )


def _came_back(event_type: str, details: Mapping[str, Any]) -> str:
    match event_type:
        case "task.released":
            return f"taken back from {details.get('assigned_to')}, and nobody has it since"
        case "task.retried":
            return "to be done again, and nobody has it since"
        case _:
            return f"put into the queue of {details.get('team')}, and nobody has it since"
