"""Breach flags of the incident log from its raw rows, by counting minutes; standard library only.

    python tests/independent_sla.py uci_incidents.csv.gz

prints, for each case and promise, when it was due and whether it was late. It shares nothing with the
product: neither the reader, nor the calendar, nor the clock. An incident is opened by its first update and
closed by its last; its priority is that of its first row. A promise is kept when the incident is closed at or
before the end of the last minute that it grants.
"""

from __future__ import annotations

import csv
import gzip
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

ALL_DAY, OFFICE = "all day", "office"

PRIORITIES = {
    "1 - Critical": "critical",
    "2 - High": "high",
    "3 - Moderate": "medium",
    "4 - Low": "low",
}

PROMISES = {
    ("resolution", "critical"): (240, ALL_DAY),
    ("resolution", "high"): (2 * 480, OFFICE),
    ("resolution", "medium"): (4 * 480, OFFICE),
    ("resolution", "low"): (5 * 480, OFFICE),
    # Of each priority some incident is closed in the very minute in which this is due.
    ("closure", "critical"): (28_989, ALL_DAY),
    ("closure", "high"): (1_980, OFFICE),
    ("closure", "medium"): (1_800, OFFICE),
    ("closure", "low"): (2_085, OFFICE),
}
"""How many minutes are promised, and which minutes count, by objective and priority."""

ZONE = ZoneInfo("Europe/Rome")
WORKING_TIMES = ((8 * 60 + 30, 12 * 60 + 30), (13 * 60 + 30, 17 * 60 + 30))
HOLIDAYS = frozenset(
    date.fromisoformat(day)
    for day in (
        *("2016-03-28", "2016-04-25", "2016-06-02", "2016-08-15", "2016-11-01", "2016-12-08"),
        *("2016-12-26", "2017-01-06", "2017-04-17", "2017-04-25", "2017-05-01", "2017-06-02"),
    )
)
"""Italy's public holidays from March 2016 to June 2017 that are no weekends: the office is closed."""

EPOCH = datetime(2016, 1, 1, tzinfo=UTC)


class Flag(NamedTuple):
    """What became of one promise for one case; times in minutes since the beginning of 2016 (UTC)."""

    case_id: str
    priority: str
    objective: str
    opened: int
    due: int
    closed: int

    @property
    def breached(self) -> bool:
        return self.closed > self.due


def flags(path: Path) -> Iterator[Flag]:
    """A flag for each case and objective of the log."""
    clocks = {ALL_DAY: list(range(2 * 366 * 1440)), OFFICE: list(office_minutes(2 * 366 * 1440))}
    for case_id, rows in cases(path).items():
        times = [minute(row["sys_updated_at"]) for row in rows]
        first = rows[times.index(min(times))]
        priority = PRIORITIES[first["priority"]]
        for (objective, promised_to), (minutes, counting) in PROMISES.items():
            if promised_to == priority:
                due = due_minute(clocks[counting], min(times), minutes)
                yield Flag(case_id, priority, objective, min(times), due, max(times))


def due_minute(counted: list[int], opened: int, minutes: int) -> int:
    """The end of the last of so many counted minutes since a case was opened."""
    return counted[bisect_left(counted, opened) + minutes - 1] + 1


def office_minutes(until: int) -> Iterator[int]:
    """The minutes in which the office is open, one by one."""
    for number in range(until):
        local = (EPOCH + timedelta(minutes=number)).astimezone(ZONE)
        of_day = local.hour * 60 + local.minute
        is_open = any(begin <= of_day < end for begin, end in WORKING_TIMES)
        if is_open and local.weekday() < 5 and local.date() not in HOLIDAYS:
            yield number


def cases(path: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of each case, in file order."""
    grouped: dict[str, list[dict[str, str]]] = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            grouped.setdefault(row["number"], []).append(row)
    return grouped


def minute(text: str) -> int:
    """A time of the log, which is taken as UTC."""
    at = datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)
    return round((at - EPOCH).total_seconds() / 60)


def main(path: str) -> None:
    """Print the flags as CSV."""
    writer = csv.writer(sys.stdout)
    writer.writerow([*Flag._fields, "breached"])
    rows: Iterable[Flag] = flags(Path(path))
    writer.writerows([*flag, flag.breached] for flag in rows)


if __name__ == "__main__":
    main(sys.argv[1])
