"""Patterns of event types: an exact type (``task.completed``), a prefix (``sla.*``) or everything (``*``)."""

from __future__ import annotations

import re

from gndp.core.errors import Invalid, Problem
from gndp.core.values import shown

_WORDS = r"[a-z0-9_-]+(\.[a-z0-9_-]+)*"
_PATTERN = re.compile(rf"\*|{_WORDS}(\.\*)?")


def matches(pattern: str, event_type: str) -> bool:
    """Whether an event of this type is meant."""
    if pattern.endswith(".*"):
        return event_type.startswith(pattern[:-1])
    return pattern in ("*", event_type)


def validated_pattern(pattern: str) -> str:
    """The pattern; Invalid, saying what is wrong with it, when it is none.

    Types are open, so one that no event has is allowed.
    """
    if isinstance(pattern, str) and _PATTERN.fullmatch(pattern):
        return pattern
    raise Invalid(Problem("pattern", _fault(pattern)))


def _fault(pattern: object) -> str:
    if not isinstance(pattern, str):
        return f"must be a text, not {type(pattern).__name__}"
    if not pattern.strip():
        return "must not be blank: * stands for every event"
    if "*" in pattern.removesuffix(".*"):
        return f"may have a * alone or after the last dot, as in sla.*, not as in {shown(pattern)}"
    return f"must be lower-case words joined by dots, such as task.completed, not {shown(pattern)}"
