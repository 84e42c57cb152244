"""The working time of a calendar as sorted intervals of UTC instants, a year at a time.

Instants and durations are integers here: microseconds, since 1970 for instants. A year of UTC is worked out
when it is first asked for, then kept; equal calendars share what is kept. Measuring is then two bisections,
whole years between them are added by their totals.

Nothing is locked: a year is published when it is complete, and two threads may at worst both work it out.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from gndp.core.errors import Invalid, Problem

MICROSECONDS = 1_000_000
"""How many make a second."""

LONGEST_WAIT = 50
"""Years without any working time after which a search gives up: such a calendar is a mistake."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_DAY_MICROSECONDS = _DAY * MICROSECONDS
_EPOCH_WEEKDAY = 3

# Zones and public holidays change by decree from 1771 (the first holidays) to 2100 (the last). Before and
# after, the year repeats with the Gregorian calendar, so far instants (9999-12-31 as "never") cost little.
_CYCLE_YEARS = 400
_CYCLE = 146_097 * _DAY_MICROSECONDS
_FIRST_DECREE, _LAST_DECREE = 1700, 2199

# In every zone, changes of the clock lie six days and more apart, so looking this often misses none.
_LOOK_EVERY = 3 * _DAY

WeeklyHours = tuple[tuple[tuple[int, int], ...], ...]
"""For each weekday, Monday first, the periods as seconds of the day: begin and end, in order, apart."""


def to_microseconds(instant: datetime) -> int:
    """``instant`` as microseconds since 1970."""
    since = instant - _EPOCH
    return since.days * _DAY_MICROSECONDS + since.seconds * MICROSECONDS + since.microseconds


def to_instant(microseconds: int) -> datetime:
    """The instant so many ``microseconds`` after 1970, in UTC; raises OverflowError beyond its years."""
    return _EPOCH + timedelta(0, 0, microseconds)


@dataclass(frozen=True, slots=True)
class WorkingYear:
    """The working intervals of one year of UTC.

    ``begins`` and ``ends`` bound the intervals, which are in order; some may touch.
    ``before`` is the working time of the year before each of them, ``total`` that of the whole year.
    """

    begins: array[int]
    ends: array[int]
    before: array[int]
    total: int

    def elapsed(self, instant: int) -> int:
        """The working time of this year before ``instant``."""
        index = bisect_right(self.begins, instant) - 1
        if index < 0:
            return 0
        end = self.ends[index]
        return self.before[index] + (instant if instant < end else end) - self.begins[index]

    def earliest(self, elapsed: int) -> int:
        """The earliest instant with so much working time before it (above 0, at most the total)."""
        index = bisect_left(self.before, elapsed) - 1
        return self.begins[index] + elapsed - self.before[index]

    def latest(self, elapsed: int) -> int:
        """The latest instant with so much working time before it (at least 0, below the total)."""
        index = bisect_right(self.before, elapsed) - 1
        return self.begins[index] + elapsed - self.before[index]

    def shifted(self, by: int) -> WorkingYear:
        """The same year so many microseconds later."""
        begins = array("q", [begin + by for begin in self.begins])
        return WorkingYear(begins, array("q", [end + by for end in self.ends]), self.before, self.total)


class WorkingYears:
    """The working time of one calendar, over the years 1 to 9999.

    ``days_off`` are days since 1970. `working_years` gives the one that equal calendars share.
    """

    def __init__(
        self,
        time_zone: str,
        hours: WeeklyHours,
        country: str | None,
        region: str | None,
        days_off: frozenset[int],
    ) -> None:
        self._zone = ZoneInfo(time_zone)
        self._hours = hours
        self._place = (country, region)
        self._days_off = days_off
        own = [to_instant(day * _DAY_MICROSECONDS).year for day in days_off]
        # Local dates reach a day into the neighbouring year of UTC.
        self._first = min([_FIRST_DECREE, *(year - 1 for year in own)])
        self._last = max([_LAST_DECREE, *(year + 1 for year in own)])
        self._years: dict[int, WorkingYear] = {}

    def between(self, start: int, start_year: int, end: int, end_year: int) -> int:
        """The working time from ``start`` to a later ``end``, which lie in these years of UTC."""
        elapsed = self.year(end_year).elapsed(end) - self.year(start_year).elapsed(start)
        for year in range(start_year, end_year):
            elapsed += self._total(year)
        return elapsed

    def after(self, start: int, year: int, duration: int) -> int:
        """The earliest instant at which ``duration`` (above 0) has been worked since ``start``."""
        found = self.year(year)
        wanted = found.elapsed(start) + duration
        total = found.total
        waited = 0
        while total < wanted:
            wanted -= total
            waited = _waited(waited, total)
            year += 1
            total = self._total(year)
        return self.year(year).earliest(wanted)

    def before(self, start: int, year: int, duration: int) -> int:
        """The latest instant from which on ``duration`` (above 0) has been worked until ``start``."""
        wanted = self.year(year).elapsed(start) - duration
        waited = 0
        while wanted < 0:
            year -= 1
            total = self._total(year)
            wanted += total
            waited = _waited(waited, total)
        return self.year(year).latest(wanted)

    def interval_from(self, instant: int, year: int) -> tuple[int, int]:
        """The first interval that ends after ``instant``."""
        waited = 0
        while True:
            found = self.year(year)
            index = bisect_right(found.ends, instant)
            if index < len(found.ends):
                return found.begins[index], found.ends[index]
            waited = _waited(waited, found.total)
            year += 1

    def intervals(self, start: int, start_year: int, end: int, end_year: int) -> Iterator[tuple[int, int]]:
        """The intervals from ``start`` to a later ``end``, cut off at these; some may touch."""
        for number in range(start_year, end_year + 1):
            year = self.year(number)
            first, last = bisect_right(year.ends, start), bisect_left(year.begins, end)
            for index in range(first, last):
                yield max(year.begins[index], start), min(year.ends[index], end)

    def year(self, year: int) -> WorkingYear:
        """The working intervals of a year of UTC; raises OverflowError beyond the years 1 to 9999."""
        try:
            return self._years[year]
        except KeyError:
            return self._years.setdefault(year, self._worked_out(year))

    def _total(self, year: int) -> int:
        known = self._years.get(year)
        return known.total if known else self.year(self._like(year)).total

    def _worked_out(self, year: int) -> WorkingYear:
        like = self._like(year)
        if like != year:
            return self.year(like).shifted((year - like) // _CYCLE_YEARS * _CYCLE)
        return self._built(year)

    def _like(self, year: int) -> int:
        """The nearest year that this one repeats, mostly itself; raises OverflowError beyond 1 to 9999."""
        if not 1 <= year <= 9999:
            raise OverflowError(year)
        if year > self._last:
            return self._last + 1 + (year - self._last - 1) % _CYCLE_YEARS
        if year < self._first:
            return self._first - 1 - (self._first - 1 - year) % _CYCLE_YEARS
        return year

    def _built(self, year: int) -> WorkingYear:
        start = (date(year, 1, 1) - date(1970, 1, 1)).days * _DAY
        end = start + (366 if isleap(year) else 365) * _DAY
        days_off = self._days_off.union(*(_public_holidays(*self._place, near) for near in _near(year)))
        begins, ends = array("q"), array("q")
        for segment in _segments(self._zone, start, end):
            for begin, finish in self._worked(*segment, days_off):
                begins.append(begin * MICROSECONDS)
                ends.append(finish * MICROSECONDS)
        *before, total = accumulate((e - b for b, e in zip(begins, ends, strict=True)), initial=0)
        return WorkingYear(begins, ends, array("q", before), total)

    def _worked(
        self, start: int, end: int, offset: int, days_off: frozenset[int]
    ) -> Iterator[tuple[int, int]]:
        """The periods from ``start`` to ``end`` in seconds of UTC, while the clock is ``offset`` ahead."""
        for day in range((start + offset) // _DAY, (end + offset - 1) // _DAY + 1):
            if day in days_off:
                continue
            midnight = day * _DAY - offset
            for opens, closes in self._hours[(day + _EPOCH_WEEKDAY) % 7]:
                begin, finish = max(midnight + opens, start), min(midnight + closes, end)
                if begin < finish:
                    yield begin, finish


@lru_cache(maxsize=256)
def working_years(
    time_zone: str, hours: WeeklyHours, country: str | None, region: str | None, days_off: frozenset[int]
) -> WorkingYears:
    """The working time of the calendar with these values: one object for all that are equal."""
    return WorkingYears(time_zone, hours, country, region, days_off)


@lru_cache(maxsize=4096)
def _public_holidays(country: str | None, region: str | None, year: int) -> frozenset[int]:
    """The public holidays of a year as days since 1970."""
    if country is None:
        return frozenset()
    # Imported when a country is first named: loading it takes as long as the half of GNDP.
    from holidays import country_holidays

    dates = country_holidays(country, subdiv=region, years=year)
    return frozenset(day.toordinal() - _EPOCH.toordinal() for day in dates)


def _waited(waited: int, total: int) -> int:
    """How many years in succession had no working time; refuses to go on after too many."""
    if total:
        return 0
    if waited == LONGEST_WAIT:
        raise Invalid(Problem("", f"the calendar has no working time for more than {LONGEST_WAIT} years"))
    return waited + 1


def _near(year: int) -> range:
    """The local years of which a year of UTC may hold a date."""
    return range(max(year - 1, 1), min(year + 1, 9999) + 1)


def _segments(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The time from ``start`` to ``end`` cut where the clock of ``zone`` is changed, each with its offset.

    Within a segment local time runs evenly. So an hour that the clock skips is in no segment, an hour that
    it repeats in two, without a rule for either.
    """
    offset = _offset(zone, start)
    seen = start
    while seen < end:
        ahead = min(seen + _LOOK_EVERY, end)
        if _offset(zone, ahead) != offset:
            ahead = _change(zone, seen, ahead, offset)
            yield start, ahead, offset
            start, offset = ahead, _offset(zone, ahead)
        seen = ahead
    if start < end:
        yield start, end, offset


def _change(zone: ZoneInfo, before: int, after: int, offset: int) -> int:
    """The second at which the clock is no longer ``offset`` ahead, as it is ``before`` and not ``after``."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


# Local time must fit into the years 1 to 9999 too, so the outermost days borrow their neighbour's offset.
_EARLIEST = (datetime(1, 1, 3, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
_LATEST = (datetime(9999, 12, 29, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)


def _offset(zone: ZoneInfo, second: int) -> int:
    """How many seconds the clock of ``zone`` is ahead of UTC."""
    instant = _EPOCH + timedelta(seconds=min(max(second, _EARLIEST), _LATEST))
    ahead = instant.astimezone(zone).utcoffset()
    assert ahead is not None
    return ahead.days * _DAY + ahead.seconds
