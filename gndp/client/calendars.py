"""Working-time calendars: ``wb.calendars``, as ``gndp.directory.calendars`` has it."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from gndp.client.encoding import segment
from gndp.client.noun import Noun
from gndp.core.calendars import Calendar
from gndp.core.errors import Invalid, Problem


class Calendars(Noun):
    """Save and read working-time calendars by name."""

    def save(
        self, name: str, calendar: Calendar | Mapping[str, Any], *, in_place_of: Calendar | None = None
    ) -> Calendar:
        """Keep a calendar under a name, in place of the one that had it.

        Raises Invalid with every problem; Conflict (stale) when the one that has the name is not
        ``in_place_of``, where that is given.
        """
        if isinstance(calendar, Mapping):
            calendar = Calendar.from_document(calendar)
        elif not isinstance(calendar, Calendar):
            raise Invalid(Problem("calendar", f"must be a Calendar, not {type(calendar).__name__}"))
        saved = self._transport.change(
            "PUT",
            _path(name),
            calendar.to_document(),
            is_repeatable=in_place_of is None,
            etag=None if in_place_of is None else f'"{in_place_of.fingerprint}"',
        )
        return Calendar.from_document(saved)

    def get(self, name: str) -> Calendar:
        """A calendar by name; NotFound when there is none."""
        return Calendar.from_document(self._transport.get(_path(name)))

    def list(self) -> builtins.list[str]:
        """The names of all calendars, in order."""
        names: builtins.list[str] = self._transport.get("/calendars")["calendars"]
        return names


def _path(name: str) -> str:
    return f"/calendars/{segment(name, 'name')}"
