"""Working-time calendars, and what a month of one looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from gndp.core.calendars import WEEKDAYS, Calendar
from gndp.core.errors import Invalid, Problem

from .reading import Store

if TYPE_CHECKING:
    from gndp.workbench import Workbench


class Day(NamedTuple):
    """A day of a month's page: its working time on the calendar's clock, and why there is none if the weekday
    has hours."""

    date: date
    is_of_month: bool
    periods: tuple[tuple[str, str], ...]
    off: str


class Month(NamedTuple):
    """A month of a calendar, in weeks from Monday to Sunday, and the hours that are worked in it."""

    first: date
    weeks: list[list[Day]]
    hours: float


@dataclass
class Calendars(Store):
    """The calendars by name; None for one that cannot be used any more."""

    calendars: dict[str, Calendar | None] = field(default_factory=dict)

    def read(self) -> None:
        """Read every calendar anew."""
        workbench = self.workbench()
        self.calendars = {name: _usable(workbench, name) for name in workbench.calendars.list()}


@dataclass
class OneCalendar(Store):
    """One calendar; ``calendar`` is None until it was read."""

    name: str
    calendar: Calendar | None = None

    def read(self) -> None:
        """Read the calendar anew."""
        self.calendar = self.workbench().calendars.get(self.name)


def parsed_hours(written: Mapping[int, str]) -> dict[int, list[tuple[str, str]]]:
    """Weekly hours as a form has them, by weekday: ``09:00-12:30, 13:30-18:00``; nothing for a closed day.

    Raises Invalid with every weekday that cannot be read.
    """
    hours: dict[int, list[tuple[str, str]]] = {}
    problems = []
    for day, text in written.items():
        periods = [part.replace("–", "-").split("-") for part in text.split(",") if part.strip()]
        if any(len(period) != 2 for period in periods):
            problems.append(Problem(WEEKDAYS[day], "write periods as 09:00-12:30, 13:30-18:00"))
        elif periods:
            hours[day] = [(begin.strip(), end.strip()) for begin, end in periods]
    if problems:
        raise Invalid(*problems)
    return hours


def written_hours(calendar: Calendar, weekday: int) -> str:
    """The hours of a weekday as a form has them."""
    return ", ".join(f"{begin}–{end}" for begin, end in calendar.hours[weekday])


def month_of(calendar: Calendar, first: date) -> Month:
    """The month that begins at ``first``, as the calendar's own rule has it."""
    zone = ZoneInfo(calendar.time_zone)
    after = month_after(first)
    begin = first - timedelta(days=first.weekday())
    named = {
        **calendar.public_holidays(begin.year),
        **calendar.public_holidays((after + timedelta(days=6)).year),
        **dict.fromkeys(calendar.holidays, "own day off"),
    }
    count = -(-(after - begin).days // 7) * 7
    days = [_day(calendar, zone, begin + timedelta(days=index), first, named) for index in range(count)]
    minutes = calendar.working_minutes(_midnight(first, zone), _midnight(after, zone))
    return Month(first, [days[index : index + 7] for index in range(0, count, 7)], minutes / 60)


def month_after(first: date, months: int = 1) -> date:
    """The first day of the month that is so many months later, or earlier where ``months`` is negative."""
    index = first.year * 12 + first.month - 1 + months
    return date(min(max(index // 12, 1900), 9000), index % 12 + 1, 1)


def _day(calendar: Calendar, zone: ZoneInfo, day: date, first: date, named: Mapping[date, str]) -> Day:
    periods = calendar.periods(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))
    written = tuple((_clock(period.begin, zone, day), _clock(period.end, zone, day)) for period in periods)
    return Day(day, day.month == first.month, written, "" if written else named.get(day, ""))


def _clock(instant: datetime, zone: ZoneInfo, day: date) -> str:
    local = instant.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == day else "24:00"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _usable(workbench: Workbench, name: str) -> Calendar | None:
    try:
        return workbench.calendars.get(name)
    except Invalid:
        return None
