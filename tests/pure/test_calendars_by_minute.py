"""Working time against a slow counter: it walks the minutes one by one and looks at the local clock.

The counter shares nothing with the calendar: it asks the time zone about every minute of UTC, the library
about every date, and counts. 10,000 cases, most of them around changes of the clock.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays as library
import pytest

from gndp import Calendar

MINUTE = timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)

CHANGES = {
    "Europe/Berlin": ["2026-03-29 01:00", "2026-10-25 01:00", "2050-10-30 01:00", "2025-12-31 23:00"],
    "America/New_York": ["2026-03-08 07:00", "2026-11-01 06:00", "2700-03-14 07:00", "2026-01-01 05:00"],
    "Australia/Lord_Howe": ["2026-04-04 15:00", "2026-10-03 15:30", "2016-04-02 15:00", "2025-12-31 13:00"],
    "Asia/Kolkata": ["1945-10-14 17:30", "2026-02-28 18:30", "2025-12-31 18:30", "2700-02-28 18:30"],
    "UTC": ["2026-01-01 00:00", "2024-02-29 00:00", "2026-06-15 12:00", "9000-03-01 00:00"],
}
"""The changes of the clock (or of the year, or of nothing) around which the cases lie, in UTC."""

CALENDARS, CASES = 100, 20
"""How many of each zone: together with five zones, 10,000 cases."""

REACH = 6 * 24 * 60
"""How many minutes before and after the change can be walked; cases lie within five days of it."""

LocalMinute = tuple[int, int, date]


@cache
def local_minutes(time_zone: str, change: datetime) -> list[LocalMinute]:
    """For each minute of UTC around ``change``: weekday, minute of the day and date of the local clock."""
    zone = ZoneInfo(time_zone)
    found = []
    for number in range(-REACH, REACH):
        local = (change + number * MINUTE).astimezone(zone)
        found.append((local.weekday(), local.hour * 60 + local.minute, local.date()))
    return found


@dataclass
class SlowCounter:
    """Counts the working time near a change of the clock, in microseconds since the first minute walked."""

    first: datetime
    worked: list[bool]

    @classmethod
    def of(cls, description: Description, change: datetime) -> SlowCounter:
        known = library.country_holidays(description.country) if description.country else {}
        minutes = local_minutes(description.time_zone, change)
        closed = {
            day for day in {day for _, _, day in minutes} if day in description.holidays or day in known
        }
        worked = [
            day not in closed and any(begin <= minute < end for begin, end in description.week[weekday])
            for weekday, minute, day in minutes
        ]
        return cls(change - REACH * MINUTE, worked)

    def count(self, start: datetime, end: datetime) -> int:
        """The microseconds worked from ``start`` to ``end``."""
        minute, into = divmod((start - self.first) // MICROSECOND, 60_000_000)
        last, beyond = divmod((end - self.first) // MICROSECOND, 60_000_000)
        total = 60_000_000 * self.worked[minute:last].count(True)
        return total - into * self.worked[minute] + beyond * self.worked[last]

    def after(self, start: datetime, duration: int) -> datetime:
        """The first instant with ``duration`` worked since ``start``."""
        minute, into = divmod((start - self.first) // MICROSECOND, 60_000_000)
        while True:
            if self.worked[minute]:
                if duration <= 60_000_000 - into:
                    return self.first + minute * MINUTE + (into + duration) * MICROSECOND
                duration -= 60_000_000 - into
            minute, into = minute + 1, 0

    def before(self, start: datetime, duration: int) -> datetime:
        """The last instant from which on ``duration`` is worked until ``start``."""
        minute, into = divmod((start - self.first) // MICROSECOND, 60_000_000)
        while True:
            if self.worked[minute]:
                if duration <= into:
                    return self.first + minute * MINUTE + (into - duration) * MICROSECOND
                duration -= into
            minute, into = minute - 1, 60_000_000


@dataclass
class Description:
    """A calendar in plain values: periods as minutes of the day."""

    time_zone: str
    week: list[list[tuple[int, int]]]
    country: str | None
    holidays: set[date]

    def calendar(self) -> Calendar:
        def written(minute: int) -> str:
            return f"{minute // 60:02}:{minute % 60:02}"

        return Calendar(
            time_zone=self.time_zone,
            hours={
                day: [(written(begin), written(end)) for begin, end in periods]
                for day, periods in enumerate(self.week)
            },
            country=self.country,
            holidays=self.holidays,
        )


def some_day(chance: random.Random) -> list[tuple[int, int]]:
    """Periods with edges in the small hours, when clocks are changed, or anywhere."""
    edges = {
        chance.choice([chance.randint(0, 240), chance.randint(0, 1440), 60 * chance.randint(0, 24)])
        for _ in range(2 * chance.randint(0, 3))
    }
    ordered = sorted(edges)
    return list(zip(ordered[::2], ordered[1::2], strict=False))


def some_description(chance: random.Random, time_zone: str, change: datetime) -> Description:
    week = [some_day(chance) for _ in range(7)]
    week[chance.randrange(7)] = [(chance.randint(0, 120), chance.randint(121, 1440))]
    holidays = {change.date() + timedelta(days=chance.randint(-5, 5)) for _ in range(chance.randint(0, 3))}
    return Description(time_zone, week, chance.choice([None, None, "DE", "US", "IN"]), holidays)


def some_instant(chance: random.Random, change: datetime) -> datetime:
    """An instant near the change: often within its hours, often on a whole minute."""
    seconds = chance.choice([3, 5 * 24]) * 3600
    instant = change + timedelta(seconds=chance.randint(-seconds, seconds))
    if chance.random() < 0.5:
        return instant.replace(second=0)
    return instant + timedelta(microseconds=chance.randrange(1_000_000))


@pytest.mark.filterwarnings("ignore:Requested Holidays are available")
@pytest.mark.parametrize("time_zone", CHANGES)
def test_every_minute_agrees(time_zone: str) -> None:
    chance = random.Random(time_zone)
    for number in range(CALENDARS):
        change = datetime.fromisoformat(CHANGES[time_zone][number % 4]).replace(tzinfo=UTC)
        description = some_description(chance, time_zone, change)
        calendar, slow = description.calendar(), SlowCounter.of(description, change)
        for _ in range(CASES):
            start, end = sorted(some_instant(chance, change) for _ in range(2))
            case = (description, start, end)
            worked = slow.count(start, end)
            assert calendar.working_time(start, end) == worked * MICROSECOND, case
            assert calendar.working_minutes(start, end) == worked / 60_000_000, case
            assert calendar.working_minutes(end, start) == -worked / 60_000_000, case
            # This lands on a closing time whenever the later instant lies outside of hours.
            for duration in {worked, worked // 60_000_000 * 60_000_000} - {0}:
                due, since = slow.after(start, duration), slow.before(end, duration)
                assert calendar.add_working_time(start, duration * MICROSECOND) == due, case
                assert calendar.add_working_time(end, -duration * MICROSECOND) == since, case
                assert calendar.add_working_minutes(start, duration / 60_000_000) == due, case
                assert calendar.add_working_minutes(end, -duration / 60_000_000) == since, case
