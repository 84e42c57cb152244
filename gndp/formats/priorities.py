"""Which priority the values of a log's own column mean.

A value that is the name of a priority means it, whatever number or punctuation comes with it:
``1 - Critical``, ``HIGH``, ``(3) Moderate``. Which priority anything else is, a bare ``1`` for instance, only
the caller can say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from gndp.core import arguments
from gndp.core.errors import Invalid
from gndp.core.states import Priority
from gndp.core.values import shown
from gndp.formats.eventlog import ActivityInstance, BadRow, Case, Log
from gndp.formats.tables import as_text

_OTHER_NAMES = {"moderate": Priority.MEDIUM, "normal": Priority.MEDIUM}
_AROUND_A_NAME = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_PREFIX = re.compile("^(case|event):")


class _Unknown(NamedTuple):
    """A value that means no priority: where it came first, and how often it came."""

    place: str
    events: int


class PriorityReader:
    """Reads the priorities of a log's events from one attribute, and keeps what it read as what.

    ``column`` is the column (or XES attribute) of the priority, ``meanings`` says which priority a value is
    where its name does not; case and surrounding space do not matter. ``read_as`` has every value that was
    read. Raises Invalid when the log has no such attribute, or a meaning is no priority.
    """

    def __init__(self, log: Log, column: str, meanings: Mapping[str, str] | None = None) -> None:
        self.read_as: dict[str, Priority] = {}
        self._name = _attribute(log, column)
        self._meanings = {
            _plain(value): Priority(arguments.priority(meaning, "priority_map"))
            for value, meaning in (meanings or {}).items()
        }
        self._unused = {_plain(value): value for value in meanings or {}}
        self._unknown: dict[str, _Unknown] = {}
        self._missing = 0

    def read(self, case: Case, instance: ActivityInstance, place: str) -> Priority | None:
        """The priority that an event says; None when it says none, or one that nobody knows."""
        text = as_text(instance.attributes.get(self._name, case.attributes.get(self._name)))
        if text is None or not text.strip():
            self._missing += 1
            return None
        if text not in self.read_as:
            meaning = self._meaning(text)
            if meaning is None:
                first, events = self._unknown.get(text, (place, 0))
                self._unknown[text] = _Unknown(first, events + 1)
                return None
            self.read_as[text] = meaning
        return self.read_as[text]

    @property
    def problems(self) -> list[BadRow]:
        """One for each value that means no priority, at the place where it came first."""
        return [
            BadRow(place, f"{self._name} {shown(value)} is no known priority (events with it: {events:,})")
            for value, (place, events) in self._unknown.items()
        ]

    @property
    def notes(self) -> list[str]:
        """How many events say no priority, and which meanings nothing in the log needed."""
        missing = [f"events without a value in {self._name}: {self._missing:,}"] if self._missing else []
        return missing + [f"no event has the {self._name} {shown(v)}" for v in self._unused.values()]

    def _meaning(self, text: str) -> Priority | None:
        plain = _plain(text)
        self._unused.pop(plain, None)
        if plain in self._meanings:
            return self._meanings[plain]
        name = _AROUND_A_NAME.sub("", plain)
        if name in _OTHER_NAMES:
            return _OTHER_NAMES[name]
        return Priority(name) if name in list(Priority) else None


def _attribute(log: Log, column: str) -> str:
    """The name that the attribute of a column has in the log: readers of tables take prefixes off."""
    names = {name for case in log.cases for name in case.attributes}
    names |= {name for case in log.cases for instance in case.activities for name in instance.attributes}
    for name in (column, _PREFIX.sub("", column)):
        if name in names:
            return name
    raise Invalid(f"no event has an attribute {column!r}; there are {', '.join(sorted(names)) or 'none'}")


def _plain(value: str) -> str:
    return value.strip().casefold()
