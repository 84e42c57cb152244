"""Working-time calendars: weekly hours on the clock of a time zone, without holidays.

An instant is working time when its local time, on its local date, lies in a period of that weekday (from its
begin to just before its end) and the date is no holiday. So an hour that the clock skips in spring is not
worked at all, and one that it repeats in autumn is worked twice.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, NamedTuple, TypeGuard

from gndp.core.errors import Invalid, Problem
from gndp.core.values import at, bounded, require_aware, shown
from gndp.core.working_years import (
    MICROSECONDS,
    WeeklyHours,
    WorkingYears,
    to_instant,
    to_microseconds,
    working_years,
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""What the weekdays 0 to 6 are called."""

_MICROSECONDS_PER_MINUTE = 60 * MICROSECONDS
_MOST_MINUTES = 10_000 * 366 * 24 * 60  # more than all years have, so that no float overflows
_BEYOND = "leads beyond the years 1 to 9999"
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KEYS = ("time_zone", "hours", "country", "region", "holidays")


class WorkingPeriod(NamedTuple):
    """A stretch of working time without a break: from ``begin`` to just before ``end``, in UTC."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, init=False, repr=False)
class Calendar:
    """When work is done: hours for each weekday, in a time zone, except on holidays.

    ::

        Calendar(
            time_zone="Europe/Berlin",
            hours={day: [("09:00", "12:30"), ("13:30", "18:00")] for day in range(5)},
            country="DE",
            region="BY",
            holidays=["2026-12-24"],
        )

    ``hours`` goes from weekday (0 is Monday; "0" in JSON) to periods of local time, written HH:MM; a day's
    last may end at 24:00, and periods that touch become one. ``country`` (ISO 3166-1, two letters) leaves
    out its public holidays, ``region`` (ISO 3166-2, with or without the country before it) also those of
    that part of it; where the `holidays` library knows none, as for years after 2100, there are none.
    ``holidays`` are further dates on which nothing is worked. Raises Invalid with every problem at once.

    A calendar never changes; those with the same meaning in the same words are equal. In attributes,
    ``hours`` holds the periods of the seven weekdays, Monday first, and ``holidays`` the dates in order.
    """

    time_zone: str
    hours: tuple[tuple[tuple[str, str], ...], ...]
    country: str | None
    region: str | None
    holidays: tuple[date, ...]
    _years: WorkingYears = field(compare=False)

    def __init__(
        self,
        *,
        time_zone: str = "UTC",
        hours: Mapping[int, Iterable[Sequence[str]]] | Mapping[str, Iterable[Sequence[str]]],
        country: str | None = None,
        region: str | None = None,
        holidays: Iterable[date | str] = (),
    ) -> None:
        problems: list[Problem] = []
        _check_time_zone(time_zone, problems)
        weekly = _parsed_hours(hours, problems)
        region = _parsed_region(country, region, problems)
        dates = _parsed_dates(holidays, problems)
        if problems:
            raise Invalid(*bounded(problems))
        days_off = frozenset(day.toordinal() - date(1970, 1, 1).toordinal() for day in dates)
        values: dict[str, Any] = {
            "time_zone": time_zone,
            "hours": tuple(tuple((_written(b), _written(e)) for b, e in periods) for periods in weekly),
            "country": country,
            "region": region,
            "holidays": tuple(sorted(dates)),
            "_years": working_years(time_zone, weekly, country, region, days_off),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"Calendar.from_document({self.to_document()!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # What has been worked out stays here: a copy finds it, another process works it out anew.
        return Calendar.from_document, (self.to_document(),)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Calendar:
        """The calendar that `to_document` wrote, or a person in the same form; keys may be left out.

        Raises Invalid with every problem at once, also for keys that a calendar has not.
        """
        if not isinstance(document, Mapping):
            raise Invalid(f"a calendar must be an object, not {shown(document)}")
        known = {"hours": {}} | {key: document[key] for key in _KEYS if key in document}
        if known.get("holidays", ()) is None:
            known["holidays"] = ()
        problems = [
            Problem(at("", key), f"is no key of a calendar; it has {', '.join(_KEYS)}")
            for key in document
            if key not in _KEYS
        ]
        try:
            calendar = cls(**known)
        except Invalid as refusal:
            problems += refusal.problems
        if problems:
            raise Invalid(*bounded(problems))
        return calendar

    def to_document(self) -> dict[str, Any]:
        """The calendar as plain JSON values, from which `from_document` makes an equal one."""
        return {
            "time_zone": self.time_zone,
            "hours": {
                str(day): [list(period) for period in periods]
                for day, periods in enumerate(self.hours)
                if periods
            },
            "country": self.country,
            "region": self.region,
            "holidays": [day.isoformat() for day in self.holidays],
        }

    @property
    def fingerprint(self) -> str:
        """The first half of the document's SHA-256, in hexadecimal: equal for equal calendars."""
        document = json.dumps(self.to_document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(document.encode()).hexdigest()[:32]

    def public_holidays(self, year: int) -> dict[date, str]:
        """The public holidays of a year that the calendar leaves out, with their names as said there."""
        if self.country is None:
            return {}
        from holidays import country_holidays

        return dict(country_holidays(self.country, subdiv=self.region, years=year))

    def add_working_minutes(self, start: datetime, minutes: float) -> datetime:
        """The instant at which so many ``minutes`` have been worked since ``start``, in UTC.

        It is the earliest such instant, so a closing time rather than the next opening; 0 gives ``start``
        itself. Negative minutes go back, to the latest instant from which on so much is worked until
        ``start``. Parts of a minute count to the microsecond. Raises Invalid when that is beyond the years 1
        to 9999, or when the calendar has nothing open for 50 years.
        """
        if not isinstance(minutes, int | float) or isinstance(minutes, bool):
            raise Invalid(Problem("minutes", f"must be a number, not {shown(minutes)}"))
        if isinstance(minutes, float) and not math.isfinite(minutes):
            raise Invalid(Problem("minutes", f"is not a finite number: {minutes}"))
        if abs(minutes) > _MOST_MINUTES:
            raise Invalid(Problem("minutes", _BEYOND))
        return self._added(start, round(minutes * _MICROSECONDS_PER_MINUTE), "minutes")

    def add_working_time(self, start: datetime, duration: timedelta) -> datetime:
        """The instant at which ``duration`` has been worked since ``start``: see `add_working_minutes`."""
        if not isinstance(duration, timedelta):
            raise Invalid(Problem("duration", f"must be a timedelta, not {shown(duration)}"))
        seconds = duration.days * 86_400 + duration.seconds
        return self._added(start, seconds * MICROSECONDS + duration.microseconds, "duration")

    def working_minutes(self, start: datetime, end: datetime) -> float:
        """The minutes worked from ``start`` to ``end``; negative when ``end`` is before ``start``."""
        return self._worked(start, end) / _MICROSECONDS_PER_MINUTE

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """The time worked from ``start`` to ``end``, exact; negative when ``end`` is before ``start``."""
        return timedelta(microseconds=self._worked(start, end))

    def is_working(self, instant: datetime) -> bool:
        """Whether ``instant`` is working time; an opening time is, a closing time is not."""
        instant = _utc(instant, "instant")
        year = self._years.year(instant.year)
        moment = to_microseconds(instant)
        return year.elapsed(moment + 1) > year.elapsed(moment)

    def next_opening(self, instant: datetime) -> datetime:
        """``instant`` itself when it is working time, else the next instant that is, in UTC.

        Raises Invalid when there is none before the year 10000, or none for 50 years.
        """
        instant = _utc(instant, "instant")
        moment = to_microseconds(instant)
        try:
            begin, _ = self._years.interval_from(moment, instant.year)
        except OverflowError:
            raise Invalid(Problem("instant", "has no opening after it until the year 9999 ends")) from None
        return to_instant(max(begin, moment))

    def periods(self, start: datetime, end: datetime) -> list[WorkingPeriod]:
        """The stretches of working time from ``start`` to ``end``, in order, cut off at these."""
        start, end = _utc(start, "start"), _utc(end, "end")
        if end < start:
            raise Invalid(Problem("end", "is before the start"))
        if end == start:
            return []
        joined: list[list[int]] = []
        cut = (to_microseconds(start), start.year, to_microseconds(end), end.year)
        for begin, finish in self._years.intervals(*cut):
            if joined and joined[-1][1] == begin:
                joined[-1][1] = finish
            else:
                joined.append([begin, finish])
        return [WorkingPeriod(to_instant(begin), to_instant(finish)) for begin, finish in joined]

    def _added(self, start: datetime, duration: int, place: str) -> datetime:
        start = _utc(start, "start")
        if duration == 0:
            return start
        moment = to_microseconds(start)
        try:
            if duration > 0:
                return to_instant(self._years.after(moment, start.year, duration))
            return to_instant(self._years.before(moment, start.year, -duration))
        except OverflowError:
            raise Invalid(Problem(place, _BEYOND)) from None

    def _worked(self, start: datetime, end: datetime) -> int:
        start, end = _utc(start, "start"), _utc(end, "end")
        if end < start:
            return -self._years.between(to_microseconds(end), end.year, to_microseconds(start), start.year)
        return self._years.between(to_microseconds(start), start.year, to_microseconds(end), end.year)


def _utc(instant: datetime, place: str) -> datetime:
    """``instant`` in UTC; quick for the engine's own instants, which are."""
    return instant if type(instant) is datetime and instant.tzinfo is UTC else require_aware(instant, place)


@cache
def known_time_zones() -> frozenset[str]:
    """Every name of a time zone, old names included.

    It is the list of the `tzdata` package, so the same on every machine; what a machine's own folder has
    beside it ("localtime", names in another case) means something else elsewhere.
    """
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


@cache
def known_countries() -> dict[str, frozenset[str]]:
    """The countries with known public holidays, each with its known regions."""
    from holidays import list_supported_countries

    countries = list_supported_countries(include_aliases=False)
    return {country: frozenset(regions) for country, regions in countries.items()}


def _check_time_zone(name: object, problems: list[Problem]) -> None:
    if not isinstance(name, str):
        problems.append(Problem("time_zone", f"must be the name of a time zone, not {shown(name)}"))
    elif name not in known_time_zones():
        problems.append(Problem("time_zone", f"is no known time zone: {shown(name)}; write as Europe/Berlin"))


def _parsed_hours(hours: object, problems: list[Problem]) -> WeeklyHours:
    """The periods of each weekday in seconds, in order, those that touch joined."""
    week: list[tuple[tuple[int, int], ...]] = [()] * 7
    found: list[Problem] = []
    if not isinstance(hours, Mapping):
        found.append(Problem("hours", f"must go from weekday to periods, not be {shown(hours)}"))
    else:
        seen: set[int] = set()
        for key, periods in hours.items():
            day = _weekday(key)
            if day is None:
                message = "is no weekday; write 0 (Monday) to 6 (Sunday)"
                found.append(Problem(at("hours", key), message))
            elif day in seen:
                found.append(Problem(at("hours", day), f"{WEEKDAYS[day]} is given twice"))
            else:
                seen.add(day)
                week[day] = _joined(_parsed_periods(periods, at("hours", day), found))
        if not found and not any(week):
            found.append(Problem("hours", "never opens; give at least one period"))
    problems += found
    return tuple(week)


def _weekday(key: object) -> int | None:
    if type(key) is int and 0 <= key <= 6:
        return key
    if isinstance(key, str) and key in {"0", "1", "2", "3", "4", "5", "6"}:
        return int(key)
    return None


def _parsed_periods(periods: object, place: str, problems: list[Problem]) -> list[tuple[int, int]]:
    """The periods of a day in order."""
    if not _is_list(periods):
        problems.append(Problem(place, f"must be a list of periods, not {shown(periods)}"))
        return []
    parsed = []
    for index, period in enumerate(periods):
        times = _parsed_period(period, at(place, index), problems)
        if times is not None:
            parsed.append((times, index))
    parsed.sort()
    latest: tuple[int, int] = (0, 0)
    for times, index in parsed:
        if times[0] < latest[1]:
            overlapped = f"{_written(latest[0])}–{_written(latest[1])}"
            problems.append(Problem(at(place, index), f"overlaps {overlapped}"))
        latest = max(latest, times, key=lambda period: period[1])
    return [times for times, _ in parsed]


def _parsed_period(period: object, place: str, problems: list[Problem]) -> tuple[int, int] | None:
    if not isinstance(period, list | tuple) or len(period) != 2:
        message = f'must be two times, as ("09:00", "17:30"), not {shown(period)}'
        problems.append(Problem(place, message))
        return None
    malformed = [
        Problem(at(place, index), f"is no time of day: {shown(time)}; write HH:MM, 00:00 to 24:00")
        for index, time in enumerate(period)
        if not isinstance(time, str) or not _TIME.fullmatch(time)
    ]
    problems += malformed
    if malformed:
        return None
    begin, end = _seconds(period[0]), _seconds(period[1])
    if end <= begin:
        message = f"{period[0]}–{period[1]} does not end after it begins; split at 24:00 what passes midnight"
        problems.append(Problem(place, message))
        return None
    return begin, end


def _joined(periods: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for begin, end in periods:
        if joined and joined[-1][1] == begin:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return tuple(joined)


def _seconds(time: str) -> int:
    return int(time[:2]) * 3600 + int(time[3:]) * 60


def _written(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def _parsed_region(country: object, region: object, problems: list[Problem]) -> str | None:
    """The region without its country before it."""
    if country is None:
        if region is not None:
            problems.append(Problem("region", "needs the country that it is in"))
        return None
    if not isinstance(country, str) or country not in known_countries():
        message = f"is no country with known holidays: {shown(country)}; write two capital letters, as DE"
        problems.append(Problem("country", message))
        return None
    if region is None:
        return None
    regions = known_countries()[country]
    if isinstance(region, str):
        code = region if region in regions else region.removeprefix(f"{country}-")
        if code in regions:
            return code
    message = f"is no region of {country} with known holidays: {shown(region)}; {_listed(regions)}"
    problems.append(Problem("region", message))
    return None


def _listed(regions: frozenset[str]) -> str:
    return f"known are {', '.join(sorted(regions))}" if regions else "none are known"


def _parsed_dates(dates: object, problems: list[Problem]) -> set[date]:
    if not _is_list(dates):
        problems.append(Problem("holidays", f"must be a list of dates, not {shown(dates)}"))
        return set()
    return {day for index, item in enumerate(dates) if (day := _parsed_date(item, index, problems))}


def _parsed_date(item: object, index: int, problems: list[Problem]) -> date | None:
    if isinstance(item, date) and not isinstance(item, datetime):
        return item
    if isinstance(item, str) and _DATE.fullmatch(item):
        try:
            return date.fromisoformat(item)
        except ValueError:
            pass
    problems.append(Problem(at("holidays", index), f"is no date: {shown(item)}; write YYYY-MM-DD"))
    return None


def _is_list(value: object) -> TypeGuard[Iterable[object]]:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
