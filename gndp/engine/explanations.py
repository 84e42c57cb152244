"""Why somebody has a task: what routing wrote into the log, as an object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gndp.core.routing import Considered
from gndp.core.states import AssignmentMethod


class AssignmentExplanation(NamedTuple):
    """How a task came to its person at an instant; ``assigned_to`` is None when nobody could be chosen.

    ``considered`` lists the candidates, the best first: the lower a score the better, None for those who were
    left out, with the reason. It is empty where a person was named by hand.
    """

    task_id: UUID
    at: datetime
    assigned_to: str | None
    assignment_method: str
    team: str | None
    reason: str
    considered: list[Considered]


def explanation(
    task_id: UUID, at: datetime, event_type: str, details: Mapping[str, Any]
) -> AssignmentExplanation:
    """The explanation in the event that assigned a task, or said that somebody is needed."""
    routing = details.get("routing")
    if routing is None:
        person = details.get("to") or details.get("assigned_to")
        reason = details.get("reason") or "named by hand"
        return AssignmentExplanation(task_id, at, person, AssignmentMethod.MANUAL, None, reason, [])
    return AssignmentExplanation(
        task_id,
        at,
        routing["chosen"],
        details["assignment_method"],
        details["team"],
        routing["reason"],
        [Considered(**considered) for considered in routing["considered"]],
    )
