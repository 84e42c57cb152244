"""The edge: every argument of a command is checked here before anything is loaded.

Each function returns the value as the commands use it, or raises Invalid naming the argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from gndp.core.errors import Invalid, Problem
from gndp.core.policies import MAX_MINUTES
from gndp.core.states import AssignmentMethod, Priority
from gndp.core.values import require_aware, validate_texts

MAX_NAME = 500
"""Characters that a name, a person's id or a tag may have."""

MAX_TEXT = 100_000
"""Characters that a comment, a reason or a message may have."""

MAX_KEY = 128
"""Characters that an idempotency key may have: with a person's id it must fit an index of PostgreSQL."""

_MAX_INTEGER = 2**31 - 1


def name(value: Any, place: str) -> str:
    """A short text that is not blank: an id of a person, a name, a type."""
    return _text(value, place, MAX_NAME)


def optional_name(value: Any, place: str) -> str | None:
    """A short text, or None."""
    return None if value is None else _text(value, place, MAX_NAME)


def optional_key(value: Any, place: str) -> str | None:
    """An idempotency key, or None."""
    return None if value is None else _text(value, place, MAX_KEY)


def text(value: Any, place: str) -> str:
    """A text that is not blank: a reason, a comment, an error message."""
    return _text(value, place, MAX_TEXT)


def optional_text(value: Any, place: str) -> str | None:
    """A text that is not blank, or None."""
    return None if value is None else _text(value, place, MAX_TEXT)


def json_object(value: Any, place: str) -> dict[str, Any]:
    """A JSON object; None counts as an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(Problem(place, f"must be an object, not {type(value).__name__}"))
    _refuse(validate_texts(value, place))
    return value


def optional_object(value: Any, place: str) -> dict[str, Any] | None:
    """A JSON object, or None."""
    return None if value is None else json_object(value, place)


def names(value: Any, place: str) -> list[str]:
    """A list of short texts, such as tags; None counts as an empty one."""
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Invalid(Problem(place, "must be a list of texts"))
    return [name(item, f"{place}[{index}]") for index, item in enumerate(value)]


def member(kind: type[StrEnum], value: Any, place: str) -> str:
    """The text of a member of an enumeration."""
    try:
        return str(kind(value))
    except ValueError:
        raise Invalid(Problem(place, f"must be one of {', '.join(kind)}")) from None


def priority(value: Any, place: str = "priority") -> str:
    """One of low, medium, high, critical."""
    return member(Priority, value, place)


def assignment_method(value: Any, place: str = "assignment_method") -> str:
    """One of manual, round_robin, load_balanced, skill_based, last_performer."""
    return member(AssignmentMethod, value, place)


def minutes(value: Any, place: str) -> int | None:
    """A positive whole number of minutes, or None."""
    return None if value is None else whole_number(value, place, least=1)


def sla_target(value: Any, place: str = "sla_target_mins") -> int | None:
    """The minutes of an SLA target, or None."""
    return None if value is None else whole_number(value, place, least=1, most=MAX_MINUTES)


def whole_number(value: Any, place: str, *, least: int, most: int = _MAX_INTEGER) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid(Problem(place, f"must be a whole number, not {type(value).__name__}"))
    if not least <= value <= most:
        raise Invalid(Problem(place, f"must be between {least} and {most}"))
    return value


def optional_instant(value: datetime | None, place: str) -> datetime | None:
    """An aware instant in UTC, or None."""
    return None if value is None else require_aware(value, place)


def flag(value: Any, place: str) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise Invalid(Problem(place, f"must be true or false, not {type(value).__name__}"))
    return value


def _text(value: Any, place: str, most: int) -> str:
    if not isinstance(value, str):
        raise Invalid(Problem(place, f"must be a text, not {type(value).__name__}"))
    if not value.strip():
        raise Invalid(Problem(place, "must not be blank"))
    if len(value) > most:
        raise Invalid(Problem(place, f"is longer than {most} characters"))
    _refuse(validate_texts(value, place))
    return value


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Invalid(*problems)
