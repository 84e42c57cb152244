"""Figures over all processes, and what happened to them lately."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gndp.core import arguments
from gndp.core.errors import Invalid, Problem
from gndp.core.records import DayFigures, Event, RecentEvent, Summary
from gndp.core.values import require_aware, shown
from gndp.engine.transition import EVERYTHING, Transitions
from gndp.store.queries import statement

_EVENT_WIDTH = len(Event._fields)
_LOOKED_THROUGH = 2_000
"""How many of the newest events are looked through for those that somebody may see."""


class ProcessFigures:
    """The figures of ``wb.processes``."""

    _transitions: Transitions

    def summary(self) -> Summary:
        """The figures of the processes created in the last 30 days."""
        self._transitions.require("figures.see")
        (rows,) = self._transitions.read(statement("processes", "summary", now=self._transitions.now()))
        return Summary._make(rows[0])

    def trend(self, zone: str = "UTC", *, days: int = 30) -> list[DayFigures]:
        """What happened to processes on each of the last ``days`` (1–366), as a time zone has days; today
        last. Raises Invalid for a zone that there is not."""
        self._transitions.require("figures.see")
        here = _zone(zone)
        count = arguments.whole_number(days, "days", least=1, most=366)
        now = self._transitions.now()
        today = now.astimezone(here).date()
        listed = [today - timedelta(days=back) for back in reversed(range(count))]
        bounds = [datetime.combine(day, time(), here).astimezone(UTC) for day in listed]
        (rows,) = self._transitions.read(
            statement("processes", "trend", bounds=bounds, since=bounds[0], now=now)
        )
        figures = {row[0]: row[1:] for row in rows}
        return [DayFigures(day, *figures.get(number, (0, 0, 0, 0))) for number, day in enumerate(listed, 1)]

    def recent_events(self, since: datetime, *, limit: int = 20) -> list[RecentEvent]:
        """The newest events after an instant, newest first, of processes that may be seen; as far as the
        2,000 newest of all have them. ``limit`` is 1–500."""
        wanted = {
            "since": require_aware(since, "since"),
            "limit": arguments.whole_number(limit, "limit", least=1, most=500),
            "looked_through": _LOOKED_THROUGH,
            **EVERYTHING,
            **self._transitions.sight("processes.see"),
        }
        (rows,) = self._transitions.read(statement("events", "recent", **wanted))
        return [RecentEvent(Event._make(row[:_EVENT_WIDTH]), *row[_EVENT_WIDTH:]) for row in rows]


def _zone(name: str) -> ZoneInfo:
    known = arguments.name(name, "zone")
    try:
        return ZoneInfo(known)
    except (KeyError, ValueError, OSError):
        raise Invalid(Problem("zone", f"there is no time zone {shown(known)}")) from None
