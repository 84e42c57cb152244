"""Out of office: from when until when a person is away, and who stands in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .inbox import choice_of

if TYPE_CHECKING:
    from gndp.core.people import Person
    from gndp.workbench import Workbench


def is_planned(person: Person, now: datetime) -> bool:
    """Whether a person is away, or will be."""
    return person.out_of_office_until is not None and person.out_of_office_until > now


def absence_form(person: Person, colleagues: Sequence[Person]) -> dict[str, Any]:
    """What there is to say about an absence, as a JSON Schema."""
    others = [other for other in colleagues if other.user_id != person.user_id]
    instant = {"type": "string", "format": "date-time"}
    return {
        "type": "object",
        "required": ["until"],
        "properties": {
            "from": {**instant, "title": "Away from", "description": "At once, if you leave this empty."},
            "until": {**instant, "title": "Back on"},
            "substitute": {
                **choice_of(others, "Who stands in"),
                "description": "They get the tasks that you have not begun. Without anybody, these go back.",
            },
        },
    }


def set_absence(workbench: Workbench, person: Person, data: dict[str, Any] | None) -> Person:
    """Send a person away as they said, or end their absence (None). Raises GndpError."""
    said = data or {}
    begin, end = (datetime.fromisoformat(said[name]) if name in said else None for name in ("from", "until"))
    return workbench.directory.set_out_of_office(
        person.user_id,
        until=end,
        substitute=said.get("substitute"),
        from_=begin,
        expected_version=person.version,
    )
