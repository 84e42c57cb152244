"""Calendars: how many due instants and how many measurements a second, with one thread.

Run it with ``make bench``, or ``python -m benchmarks.calendars``. The floor is the loop over days that anyone
would write first. The package businesstimedelta is measured too where it can be imported; nothing else needs
it, so install it into a folder of its own and name that in PYTHONPATH. Each round runs them one after the
other on the same instants. All must agree. Half a year lies at most between two instants.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from zoneinfo import ZoneInfo

import holidays

import gndp

_ZONE = "Europe/Berlin"
_PERIODS = [("09:00", "12:30"), ("13:30", "18:00")]
_FIRST, _YEARS = datetime(2024, 1, 1, tzinfo=UTC), 4
_ROUNDS, _CASES = 5, 100_000
_SECONDS = 1.0
"""How long each is run in each round, unless it is through all cases before."""

Case = tuple[datetime, datetime, int]
"""Start, end, and minutes to add to the start."""

Add = Callable[[datetime, int], datetime]
Measure = Callable[[datetime, datetime], float]


class DayByDay:
    """The floor: walks from day to day, and puts each period on the clock."""

    def __init__(self) -> None:
        self._zone = ZoneInfo(_ZONE)
        self._holidays = holidays.country_holidays("DE", years=range(2023, 2030))
        self._times = [
            tuple(datetime.strptime(edge, "%H:%M").time() for edge in period) for period in _PERIODS
        ]

    def add(self, start: datetime, minutes: int) -> datetime:
        remaining = timedelta(minutes=minutes)
        for opens, closes in self._periods(start):
            begin = max(opens, start)
            if begin < closes:
                if remaining <= closes - begin:
                    return begin + remaining
                remaining -= closes - begin
        raise AssertionError

    def measure(self, start: datetime, end: datetime) -> float:
        total = timedelta()
        for opens, closes in self._periods(start):
            if opens >= end:
                break
            total += max(min(closes, end) - max(opens, start), timedelta())
        return total / timedelta(minutes=1)

    def _periods(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        day: date = start.astimezone(self._zone).date()
        while True:
            if day.weekday() < 5 and day not in self._holidays:
                for begin, end in self._times:
                    opens = datetime.combine(day, begin, self._zone).astimezone(UTC)
                    yield opens, datetime.combine(day, end, self._zone).astimezone(UTC)
            day += timedelta(days=1)


def _peer() -> tuple[Add, Measure]:
    """The same calendar made of the rules of businesstimedelta."""
    import businesstimedelta as peer
    import pytz

    zone = pytz.timezone(_ZONE)
    times = [tuple(datetime.strptime(edge, "%H:%M").time() for edge in period) for period in _PERIODS]
    days = [0, 1, 2, 3, 4]
    rules = peer.Rules(
        [
            peer.WorkDayRule(start_time=times[0][0], end_time=times[-1][1], working_days=days, tz=zone),
            peer.LunchTimeRule(start_time=times[0][1], end_time=times[1][0], working_days=days, tz=zone),
            peer.HolidayRule(holidays.country_holidays("DE", years=range(2023, 2030)), tz=zone),
        ]
    )

    def add(start: datetime, minutes: int) -> datetime:
        reached: datetime = start + peer.BusinessTimeDelta(rules, seconds=minutes * 60)
        return reached

    def measure(start: datetime, end: datetime) -> float:
        return float(rules.difference(start, end).timedelta / timedelta(minutes=1))

    return add, measure


def _cases(seed: int, count: int) -> list[Case]:
    chance = random.Random(seed)
    cases = []
    for _ in range(count):
        start = _FIRST + timedelta(seconds=chance.randrange(_YEARS * 365 * 86_400))
        end = start + timedelta(seconds=chance.randrange(183 * 86_400))
        cases.append((start, end, chance.randrange(1, 40_000)))
    return cases


def _adds_per_second(add: Add, cases: Sequence[Case]) -> float:
    began = time.perf_counter()
    for number, (start, _, minutes) in enumerate(cases, 1):
        add(start, minutes)
        if number % 10 == 0 and time.perf_counter() - began > _SECONDS:
            break
    return number / (time.perf_counter() - began)


def _measures_per_second(measure: Measure, cases: Sequence[Case]) -> float:
    began = time.perf_counter()
    for number, (start, end, _) in enumerate(cases, 1):
        measure(start, end)
        if number % 10 == 0 and time.perf_counter() - began > _SECONDS:
            break
    return number / (time.perf_counter() - began)


def _require_agreement(ours: tuple[Add, Measure], theirs: tuple[Add, Measure], name: str) -> None:
    for start, end, minutes in _cases(0, 20):
        added = ours[0](start, minutes) == theirs[0](start, minutes)
        if not added or ours[1](start, end) != theirs[1](start, end):
            raise SystemExit(f"{name} disagrees: {start}, {end}, {minutes}")


def main() -> None:
    calendar = gndp.Calendar(time_zone=_ZONE, hours=dict.fromkeys(range(5), _PERIODS), country="DE")
    floor = DayByDay()
    contenders: dict[str, tuple[Add, Measure]] = {
        "Calendar": (calendar.add_working_minutes, calendar.working_minutes),
        "day by day": (floor.add, floor.measure),
    }
    if find_spec("businesstimedelta"):
        contenders["businesstimedelta"] = _peer()
    else:
        print("businesstimedelta is not installed, so it is not measured")
    adds: dict[str, list[float]] = {name: [] for name in contenders}
    measures: dict[str, list[float]] = {name: [] for name in contenders}
    for name, contender in contenders.items():
        _require_agreement(contenders["Calendar"], contender, name)
    for round_ in range(_ROUNDS):
        cases = _cases(round_, _CASES)
        for name, (add, measure) in contenders.items():
            adds[name].append(_adds_per_second(add, cases))
            measures[name].append(_measures_per_second(measure, cases))
    _report("add_working_minutes", adds)
    _report("working_minutes", measures)


def _report(operation: str, speeds: dict[str, list[float]]) -> None:
    for name, found in speeds.items():
        ratio = statistics.median(
            ours / theirs for ours, theirs in zip(speeds["Calendar"], found, strict=True)
        )
        print(
            f"{operation}, {name}: {statistics.median(found):,.0f} a second "
            f"({min(found):,.0f}–{max(found):,.0f}), 1/{ratio:,.0f} of ours"
        )


if __name__ == "__main__":
    main()
