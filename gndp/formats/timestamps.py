"""Reading the times of a log: ISO 8601, and the day/month/year forms that spreadsheets write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from gndp.core.errors import Invalid

_CLOCK = r"""
    (?: [T ,:]+ (?P<hour>\d{1,2}) [:.] (?P<minute>\d{2}) (?: [:.] (?P<second>\d{2}) (?: [.,] (?P<fraction>\d+) )? )?
        (?: \s* (?P<half>[AaPp])\.?[Mm]\.? )?
    )?
    \s* (?P<zone> Z | z | UTC | GMT | [+-]\d{2}:?\d{2} )?
"""  # noqa: E501 (one alternative a line reads better than a wrapped one)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4}) [/.\-] (?P<month>\d{1,2}) [/.\-] (?P<day>\d{1,2})" + _CLOCK, re.X)
_YEAR_LAST = re.compile(
    r"(?P<first>\d{1,2}) (?P<separator>[/.\-]) (?P<then>\d{1,2}) [/.\-] (?P<year>\d{4}|\d{2})" + _CLOCK, re.X
)
_NAMED_MONTH = re.compile(
    r"(?P<day>\d{1,2}) [ /\-.] (?P<name>[A-Za-z]{3})[a-z]* [ /\-.] (?P<year>\d{4}|\d{2})" + _CLOCK, re.X
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


class TimestampReader:
    """Turns the times of one log into aware UTC datetimes.

    ``time_zone`` (an IANA name) is what times without an offset are in; without it they are taken as UTC,
    and ``assumed_time_zone`` says so once such a time was read. ``day_first`` says how 2/3/2016 is to be
    read; without it ``decide_date_order`` looks at the whole log. Raises Invalid for an unknown zone.
    """

    def __init__(self, time_zone: str | None = None, day_first: bool | None = None) -> None:
        self.time_zone = time_zone
        self._zone = _zone(time_zone)
        self._day_first = day_first
        self._order_given = day_first is not None
        self.assumed_time_zone: str | None = None
        self.note: str | None = None

    @property
    def date_order(self) -> str | None:
        """``day first`` or ``month first``; None while no date needed it."""
        return None if self._day_first is None else "day first" if self._day_first else "month first"

    @property
    def assumed_date_order(self) -> str | None:
        """The order that was found or assumed; None when the caller gave it or no date needed it."""
        return None if self._order_given else self.date_order

    def decide_date_order(self, values: Iterable[object]) -> None:
        """Decide between day first and month first from all the times of a log.

        A first number above 12 shows the day first, a second one above 12 the month first; when both occur
        the more frequent wins (the others become unreadable rows). When nothing decides, 2/3/2016 is read
        month first, 2.3.2016 and 2-3-2016 day first, and the note says that this was assumed.
        """
        if self._order_given:
            return
        example: dict[bool, str] = {}
        counts = {True: 0, False: 0}
        undecided = None
        for value in values:
            match = _YEAR_LAST.fullmatch(value.strip()) if _may_be_year_last(value) else None  # type: ignore[attr-defined]
            if match is None:
                continue
            first, then = int(match["first"]), int(match["then"])
            if first <= 12 and then <= 12:
                undecided = undecided or match
            else:
                counts[first > 12] += 1
                example.setdefault(first > 12, match.string)
        if example:
            self._day_first = counts[True] >= counts[False]
            self.note = f"dates are read {self.date_order}, as {example[self._day_first]} shows"
        elif undecided is not None:
            self._day_first = undecided["separator"] != "/"
            self.note = (
                f"dates such as {undecided.string} are read {self.date_order}: nothing in the log decides it"
            )

    def read(self, value: str | datetime) -> datetime:
        """A time as aware UTC, cut to the microsecond; raises ValueError with the reason if it is none."""
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            moment = self._other_form(str(value))
        if moment.tzinfo is None:
            if self.time_zone is None:
                self.assumed_time_zone = "UTC"
            moment = moment.replace(tzinfo=self._zone)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"the time {value!s} is out of range") from None

    def _other_form(self, text: str) -> datetime:
        text = text.strip()
        unreadable = ValueError(f"cannot read {text[:60]!r} as a time")
        try:
            if match := _YEAR_FIRST.fullmatch(text):
                return _moment(match, int(match["month"]), int(match["day"]))
            if match := _YEAR_LAST.fullmatch(text):
                day, month = int(match["first"]), int(match["then"])
                return _moment(match, *((month, day) if self._day_first else (day, month)))
            if match := _NAMED_MONTH.fullmatch(text):
                return _moment(match, _MONTHS.index(match["name"].lower()) + 1, int(match["day"]))
            return datetime.fromisoformat(text)
        except ValueError:
            raise unreadable from None


def _may_be_year_last(value: object) -> bool:
    return isinstance(value, str) and not value[:4].isdigit() and value.strip()[:1].isdigit()


def _moment(match: re.Match[str], month: int, day: int) -> datetime:
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 2000 if year < 69 else 1900  # the pivot of POSIX
    hour = int(match["hour"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
    microsecond = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    zone = match["zone"]
    return datetime(
        year, month, day, hour, int(match["minute"] or 0), int(match["second"] or 0), microsecond
    ).replace(tzinfo=_offset(zone) if zone else None)


def _offset(zone: str) -> tzinfo | None:
    return UTC if zone[0] not in "+-" else datetime.strptime(zone, "%z").tzinfo


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(f"there is no time zone {name!r}; use a name such as Europe/Amsterdam") from None
