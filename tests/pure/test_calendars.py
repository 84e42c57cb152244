"""Working-time calendars: examples by hand, bad input, laws. The check by minute is a file of its own."""

from __future__ import annotations

import copy
import json
import pickle
import zoneinfo
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import holidays as library
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gndp import Calendar, Invalid, Problem
from gndp.core.calendars import WorkingPeriod, known_time_zones
from gndp.core.working_years import working_years

OFFICE = {day: [("09:00", "12:30"), ("13:30", "18:00")] for day in range(5)}
EVERY_DAY = range(7)
MINUTE = timedelta(minutes=1)

BERLIN = Calendar(time_zone="Europe/Berlin", hours=OFFICE, country="DE", region="BY", holidays=["2026-12-24"])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def every_day(time_zone: str, *periods: tuple[str, str], holidays: tuple[str, ...] = ()) -> Calendar:
    return Calendar(time_zone=time_zone, hours=dict.fromkeys(EVERY_DAY, periods), holidays=holidays)


def seen(calendar: Calendar, start: str, end: str) -> list[tuple[str, str]]:
    """The periods as a person would write them down."""
    periods = calendar.periods(utc(start), utc(end))
    return [(f"{period.begin:%m-%d %H:%M}", f"{period.end:%m-%d %H:%M}") for period in periods]


# A week in Munich. In February 2026 its clock is one hour ahead of UTC; the 6th is a Friday.


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-02-06 08:00", 60, "2026-02-06 09:00"),
        ("2026-02-06 05:00", 60, "2026-02-06 09:00"),  # before opening
        ("2026-02-06 11:00", 60, "2026-02-06 13:00"),  # over lunch
        ("2026-02-06 16:00", 120, "2026-02-09 09:00"),  # over the weekend
        ("2026-02-06 16:00", 60, "2026-02-06 17:00"),  # lands on closing time, not on Monday's opening
        ("2026-02-06 08:00", 210, "2026-02-06 11:30"),  # lands on the lunch break, not behind it
        ("2026-02-07 12:00", 1, "2026-02-09 08:01"),  # begins on a Saturday
        ("2026-02-07 12:00", 0, "2026-02-07 12:00"),
        ("2026-02-09 08:00", 5 * 480, "2026-02-13 17:00"),  # a whole week
        ("2026-02-09 09:00", -60, "2026-02-09 08:00"),  # lands on the opening, not on Friday's closing
        ("2026-02-09 08:00", -60, "2026-02-06 16:00"),
        ("2026-02-08 08:00", -480, "2026-02-06 08:00"),
        ("2026-02-06 13:00", -60, "2026-02-06 11:00"),
        ("2026-12-23 16:00", 120, "2026-12-28 09:00"),  # own holiday, Christmas, Boxing Day, weekend
        ("2026-12-31 16:00", 120, "2027-01-04 09:00"),  # New Year
        ("2026-01-05 16:00", 120, "2026-01-07 09:00"),  # Epiphany, which is Bavaria's
        ("2026-02-06 08:00", 0.5, "2026-02-06 08:00:30"),
        ("2026-02-06 08:00", 1e-6 / 60, "2026-02-06 08:00:00.000001"),
        ("2026-02-06 16:59:59.999999", 2e-6 / 60, "2026-02-09 08:00:00.000001"),
    ],
)
def test_working_minutes_are_added(start: str, minutes: float, due: str) -> None:
    found = BERLIN.add_working_minutes(utc(start), minutes)
    assert found == utc(due)
    assert found.tzinfo is UTC
    assert BERLIN.working_minutes(utc(start), found) == pytest.approx(minutes)


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2026-02-06 08:00", "2026-02-06 17:00", 480),
        ("2026-02-06 16:30", "2026-02-09 08:30", 60),
        ("2026-02-09 08:30", "2026-02-06 16:30", -60),
        ("2026-02-07 00:00", "2026-02-08 23:00", 0),
        ("2026-02-06 11:45", "2026-02-06 12:15", 0),
        ("2026-02-06 08:00", "2026-02-06 08:00", 0),
        ("2026-02-06 08:00", "2026-02-06 08:00:01.5", 0.025),
        # 261 weekdays; nine public holidays and the calendar's own fall on one.
        ("2026-01-01 00:00", "2027-01-01 00:00", (261 - 10) * 480),
    ],
)
def test_working_minutes_are_measured(start: str, end: str, minutes: float) -> None:
    assert BERLIN.working_minutes(utc(start), utc(end)) == minutes
    assert BERLIN.working_time(utc(start), utc(end)) == minutes * MINUTE


def test_a_region_has_holidays_that_its_country_has_not() -> None:
    epiphany = utc("2026-01-06 09:00")
    assert not Calendar(time_zone="Europe/Berlin", hours=OFFICE, country="DE", region="BY").is_working(
        epiphany
    )
    assert Calendar(time_zone="Europe/Berlin", hours=OFFICE, country="DE", region="HH").is_working(epiphany)
    assert Calendar(time_zone="Europe/Berlin", hours=OFFICE, country="DE").is_working(epiphany)
    assert not Calendar(time_zone="Europe/Berlin", hours=OFFICE, country="DE").is_working(
        utc("2026-05-01 09:00")
    )
    assert Calendar(time_zone="Europe/Berlin", hours=OFFICE).is_working(utc("2026-05-01 09:00"))


@pytest.mark.parametrize(("country", "region"), [("US", "CA"), ("IN", None), ("AU", "NSW"), ("JP", None)])
def test_public_holidays_are_those_of_the_library(country: str, region: str | None) -> None:
    calendar = Calendar(
        hours={day: [("00:00", "24:00")] for day in EVERY_DAY}, country=country, region=region
    )
    known = library.country_holidays(country, subdiv=region)
    days = [date(2020, 12, 1) + timedelta(days=number) for number in range(800)]
    noons = {day: datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in days}
    assert [day for day in days if not calendar.is_working(noons[day])] == [
        day for day in days if day in known
    ]


def test_a_holiday_kept_in_the_year_before_is_known() -> None:
    # New Year 2022 was a Saturday, so it was kept on the last day of 2021.
    calendar = Calendar(time_zone="America/New_York", hours=OFFICE, country="US")
    assert calendar.next_opening(utc("2021-12-30 23:30")) == utc("2022-01-03 14:00")


def test_the_evening_of_a_holiday_may_lie_in_the_next_year_of_utc() -> None:
    evenings = {day: [("20:00", "24:00")] for day in EVERY_DAY}
    calendar = Calendar(time_zone="America/New_York", hours=evenings, country="US")
    assert not calendar.is_working(utc("2022-01-01 03:00"))
    assert calendar.next_opening(utc("2022-01-01 00:00")) == utc("2022-01-03 01:00")


def test_a_holiday_is_a_local_date() -> None:
    calendar = every_day("Pacific/Auckland", ("00:00", "24:00"), holidays=("2026-06-10",))
    assert seen(calendar, "2026-06-09 00:00", "2026-06-11 00:00") == [
        ("06-09 00:00", "06-09 12:00"),
        ("06-10 12:00", "06-11 00:00"),
    ]


# The clock goes forward and back.


def test_an_hour_that_the_clock_skips_is_not_worked() -> None:
    # Europe/Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
    calendar = every_day("Europe/Berlin", ("01:30", "03:30"))
    assert seen(calendar, "2026-03-28 12:00", "2026-03-29 12:00") == [("03-29 00:30", "03-29 01:30")]
    assert calendar.add_working_minutes(utc("2026-03-29 00:30"), 45) == utc("2026-03-29 01:15")
    skipped = every_day("Europe/Berlin", ("02:00", "03:00"))
    assert seen(skipped, "2026-03-28 12:00", "2026-03-30 12:00") == [("03-30 00:00", "03-30 01:00")]


def test_an_hour_that_the_clock_repeats_is_worked_twice() -> None:
    # Europe/Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
    calendar = every_day("Europe/Berlin", ("01:30", "03:30"))
    assert seen(calendar, "2026-10-24 12:00", "2026-10-25 12:00") == [("10-24 23:30", "10-25 02:30")]
    assert calendar.working_minutes(utc("2026-10-24 12:00"), utc("2026-10-25 12:00")) == 180


def test_a_period_whose_edge_lies_in_the_repeated_hour_comes_apart() -> None:
    ends_within = every_day("Europe/Berlin", ("01:00", "02:30"))
    assert seen(ends_within, "2026-10-24 12:00", "2026-10-25 12:00") == [
        ("10-24 23:00", "10-25 00:30"),
        ("10-25 01:00", "10-25 01:30"),
    ]
    begins_within = every_day("Europe/Berlin", ("02:30", "04:00"))
    assert seen(begins_within, "2026-10-24 12:00", "2026-10-25 12:00") == [
        ("10-25 00:30", "10-25 01:00"),
        ("10-25 01:30", "10-25 03:00"),
    ]
    lies_within = every_day("Europe/Berlin", ("02:10", "02:20"))
    assert lies_within.working_minutes(utc("2026-10-24 12:00"), utc("2026-10-25 12:00")) == 20
    assert ends_within.add_working_minutes(utc("2026-10-24 23:00"), 90) == utc("2026-10-25 00:30")
    assert ends_within.add_working_minutes(utc("2026-10-24 23:00"), 91) == utc("2026-10-25 01:01")
    assert ends_within.add_working_minutes(utc("2026-10-25 12:00"), -30) == utc("2026-10-25 01:00")
    assert ends_within.next_opening(utc("2026-10-25 00:45")) == utc("2026-10-25 01:00")


def test_new_york_changes_its_clock_on_other_days() -> None:
    # 8 March 2026: 02:00 EST becomes 03:00 at 07:00 UTC; 1 November: 02:00 EDT becomes 01:00 at 06:00 UTC.
    calendar = every_day("America/New_York", ("00:00", "06:00"))
    assert seen(calendar, "2026-03-08 00:00", "2026-03-09 00:00") == [("03-08 05:00", "03-08 10:00")]
    assert seen(calendar, "2026-11-01 00:00", "2026-11-02 00:00") == [("11-01 04:00", "11-01 11:00")]


def test_lord_howe_changes_its_clock_by_half_an_hour() -> None:
    # 5 April 2026: 02:00 (+11) becomes 01:30 (+10:30) at 15:00 UTC; 4 October: 02:00 becomes 02:30 at 15:30.
    calendar = every_day("Australia/Lord_Howe", ("01:45", "02:15"))
    assert seen(calendar, "2026-04-04 12:00", "2026-04-04 18:00") == [
        ("04-04 14:45", "04-04 15:00"),
        ("04-04 15:15", "04-04 15:45"),
    ]
    assert seen(calendar, "2026-10-03 12:00", "2026-10-03 18:00") == [("10-03 15:15", "10-03 15:30")]


def test_a_date_that_a_zone_left_out_is_not_worked() -> None:
    # Samoa went from 29 to 31 December 2011: there was no Friday.
    calendar = every_day("Pacific/Apia", ("00:00", "24:00"))
    friday = Calendar(time_zone="Pacific/Apia", hours={4: [("00:00", "24:00")]})
    assert len(calendar.periods(utc("2011-12-29 00:00"), utc("2012-01-02 00:00"))) == 1
    assert friday.working_minutes(utc("2011-12-25 00:00"), utc("2012-01-01 00:00")) == 0


def test_offsets_may_have_seconds() -> None:
    # Liberia was 44 minutes and 30 seconds behind until 7 January 1972, then at UTC.
    calendar = every_day("Africa/Monrovia", ("08:00", "10:00"))
    assert calendar.next_opening(utc("1972-01-05 00:00")) == utc("1972-01-05 08:44:30")
    assert calendar.next_opening(utc("1972-01-08 00:00")) == utc("1972-01-08 08:00:00")


def test_every_change_of_the_clock_in_a_century_is_seen() -> None:
    # Zones with many changes; Boa Vista had two within a week, Casablanca has four in some years.
    for time_zone in ("America/Boa_Vista", "Africa/Casablanca", "Europe/Simferopol", "Asia/Gaza"):
        calendar = every_day(time_zone, ("12:00", "13:00"))
        zone = zoneinfo.ZoneInfo(time_zone)
        expected = []
        for number in range(366 * 40):
            day = date(1995, 1, 1) + timedelta(days=number)
            local = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
            expected.append((local.astimezone(UTC), local.replace(hour=13).astimezone(UTC)))
        assert calendar.periods(expected[0][0], expected[-1][1]) == expected


# Days and years without end.


def test_a_period_may_end_at_midnight() -> None:
    night = Calendar(hours={0: [("22:00", "24:00")], 1: [("00:00", "06:00")], 3: [("20:00", "24:00")]})
    assert seen(night, "2026-02-09 00:00", "2026-02-14 00:00") == [
        ("02-09 22:00", "02-10 06:00"),
        ("02-12 20:00", "02-13 00:00"),
    ]
    assert night.is_working(utc("2026-02-10 00:00"))
    assert not night.is_working(utc("2026-02-13 00:00"))


def test_a_calendar_that_never_closes_is_the_clock() -> None:
    always = every_day("Europe/Berlin", ("00:00", "24:00"))
    start, end = utc("1888-11-11 11:11:11.111111"), utc("2131-03-03 03:03:03.030303")
    assert always.working_time(start, end) == end - start
    assert always.add_working_time(start, end - start) == end
    assert always.periods(start, end) == [WorkingPeriod(start, end)]
    assert always.add_working_time(end, start - end) == start


def test_far_years_are_counted_as_near_ones() -> None:
    # The Gregorian calendar repeats after 400 years, 146,097 days.
    far = timedelta(days=146_097)
    for start, cycles in [
        ("2200-01-01", 1),
        ("2400-01-01", 7),
        ("2599-12-31 23:00", 1),
        ("2599-12-31 23:00", 18),
        ("1690-01-01", -1),
        ("1698-01-01", -4),
        ("1300-06-01", -3),
    ]:
        begin, end = utc(start), utc(start) + timedelta(days=500)
        there = [
            (opens + cycles * far, closes + cycles * far) for opens, closes in BERLIN.periods(begin, end)
        ]
        assert BERLIN.periods(begin + cycles * far, end + cycles * far) == there
        assert len(there) > 600


def test_whole_millennia_are_added_up() -> None:
    mondays = Calendar(hours={0: [("09:00", "10:00")]})
    weeks = (utc("9999-12-27") - utc("2026-01-04")) // timedelta(weeks=1)
    assert mondays.working_minutes(utc("2026-01-04"), utc("9999-12-26")) == weeks * 60
    assert mondays.add_working_minutes(utc("2026-01-04"), weeks * 60) == utc("9999-12-20 10:00")


def test_a_far_holiday_of_ones_own_is_kept() -> None:
    calendar = every_day("UTC", ("00:00", "24:00"), holidays=("0004-02-29", "3000-01-01"))
    assert calendar.working_time(utc("3000-01-01"), utc("3000-01-02")) == timedelta()
    assert calendar.working_time(utc("3400-01-01"), utc("3400-01-02")) == timedelta(days=1)
    assert calendar.working_time(utc("0004-02-29"), utc("0004-03-02")) == timedelta(days=1)


@pytest.mark.parametrize("time_zone", ["Europe/Berlin", "America/New_York"])
def test_the_first_and_the_last_day_of_time_can_be_asked_about(time_zone: str) -> None:
    for dates in ((), ("0001-01-02", "9999-12-30")):
        calendar = every_day(time_zone, ("11:00", "12:00"), holidays=dates)
        for start in (datetime.min.replace(tzinfo=UTC), utc("9999-12-29 00:00")):
            end = start + timedelta(days=2)
            assert calendar.working_minutes(start, end) == (60 if dates else 120)
        assert calendar.working_minutes(datetime.max.replace(tzinfo=UTC), utc("9999-12-31 00:00")) == -60


@pytest.mark.parametrize(
    ("call", "place"),
    [
        (lambda: BERLIN.add_working_minutes(utc("9999-12-30"), 60_000), "minutes"),
        (lambda: BERLIN.add_working_minutes(utc("0001-01-03"), -60_000), "minutes"),
        (lambda: BERLIN.add_working_minutes(utc("2026-01-01"), 1e300), "minutes"),
        (lambda: BERLIN.add_working_minutes(utc("2026-01-01"), -1e300), "minutes"),
        (lambda: BERLIN.add_working_minutes(utc("2026-01-01"), 1e308), "minutes"),
        (lambda: BERLIN.add_working_minutes(utc("2026-01-01"), 10**400), "minutes"),
        (lambda: BERLIN.add_working_minutes(utc("2026-01-01"), 3e9), "minutes"),
        (lambda: BERLIN.add_working_time(utc("2026-01-01"), timedelta.max), "duration"),
        (lambda: BERLIN.next_opening(utc("9999-12-31 22:00")), "instant"),
    ],
)
def test_what_leads_out_of_time_is_refused(call: Any, place: str) -> None:
    with pytest.raises(Invalid, match="9999") as refusal:
        call()
    assert [problem.place for problem in refusal.value.problems] == [place]


def test_a_calendar_that_stays_closed_for_decades_is_refused() -> None:
    mondays = [date(2026, 1, 5) + timedelta(weeks=week) for week in range(60 * 53)]
    calendar = Calendar(hours={0: [("09:00", "10:00")]}, holidays=mondays)
    inside, after = utc("2026-01-01"), utc("2086-11-01")
    assert calendar.next_opening(utc("2025-12-28")) == utc("2025-12-29 09:00")
    assert calendar.working_time(inside, utc("2080-01-01")) == timedelta()
    for call in (
        lambda: calendar.add_working_minutes(inside, 1),
        lambda: calendar.add_working_minutes(after, -60),
        lambda: calendar.next_opening(inside),
    ):
        with pytest.raises(Invalid, match="no working time for more than 50 years"):
            call()


def test_a_calendar_may_stay_closed_for_years() -> None:
    mondays = [date(2026, 1, 5) + timedelta(weeks=week) for week in range(40 * 52)]
    calendar = Calendar(hours={0: [("09:00", "10:00")]}, holidays=mondays)
    opening = datetime(2065, 11, 16, 9, tzinfo=UTC)
    assert mondays[-1] == date(2065, 11, 9)
    assert calendar.next_opening(utc("2026-01-01")) == opening
    assert calendar.add_working_minutes(utc("2026-01-01"), 60) == opening + 60 * MINUTE
    assert calendar.add_working_minutes(opening, -60) == utc("2025-12-29 09:00")


# Opening times.


def test_an_opening_time_is_worked_and_a_closing_time_is_not() -> None:
    assert BERLIN.is_working(utc("2026-02-06 08:00"))
    assert not BERLIN.is_working(utc("2026-02-06 07:59:59.999999"))
    assert BERLIN.is_working(utc("2026-02-06 11:29:59.999999"))
    assert not BERLIN.is_working(utc("2026-02-06 11:30"))
    assert not BERLIN.is_working(utc("2026-02-07 09:00"))


@pytest.mark.parametrize(
    ("instant", "opening"),
    [
        ("2026-02-06 07:00", "2026-02-06 08:00"),
        ("2026-02-06 08:00", "2026-02-06 08:00"),
        ("2026-02-06 10:00:01", "2026-02-06 10:00:01"),
        ("2026-02-06 11:30", "2026-02-06 12:30"),
        ("2026-02-06 17:00", "2026-02-09 08:00"),
        ("2026-12-31 17:00", "2027-01-04 08:00"),
    ],
)
def test_the_next_opening(instant: str, opening: str) -> None:
    assert BERLIN.next_opening(utc(instant)) == utc(opening)


def test_periods_are_cut_off_and_joined_over_new_year() -> None:
    assert seen(BERLIN, "2026-02-06 10:00", "2026-02-09 08:01") == [
        ("02-06 10:00", "02-06 11:30"),
        ("02-06 12:30", "02-06 17:00"),
        ("02-09 08:00", "02-09 08:01"),
    ]
    always = every_day("UTC", ("00:00", "24:00"))
    assert len(always.periods(utc("2025-12-31"), utc("2027-01-02"))) == 1
    assert BERLIN.periods(utc("2026-02-06 10:00"), utc("2026-02-06 10:00")) == []
    assert BERLIN.periods(utc("2026-02-06 17:00"), utc("2026-02-09 08:00")) == []
    with pytest.raises(Invalid, match="end: is before the start"):
        BERLIN.periods(utc("2026-02-07"), utc("2026-02-06"))


def test_instants_of_any_offset_are_taken() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert BERLIN.add_working_minutes(datetime(2026, 2, 6, 17, tzinfo=tokyo), 60) == utc("2026-02-06 09:00")
    assert BERLIN.working_minutes(datetime(2026, 2, 6, 17, tzinfo=tokyo), utc("2026-02-06 09:00")) == 60
    # Its year in UTC is another than on its own clock.
    assert BERLIN.next_opening(datetime(2027, 1, 1, 1, tzinfo=tokyo)) == utc("2026-12-31 16:00")


NAIVE = datetime(2026, 2, 6)


@pytest.mark.parametrize(
    ("call", "place"),
    [
        (lambda: BERLIN.add_working_minutes(NAIVE, 1), "start"),
        (lambda: BERLIN.add_working_time(NAIVE, MINUTE), "start"),
        (lambda: BERLIN.working_minutes(NAIVE, utc("2026-02-06")), "start"),
        (lambda: BERLIN.working_minutes(utc("2026-02-06"), NAIVE), "end"),
        (lambda: BERLIN.working_time(utc("2026-02-06"), NAIVE), "end"),
        (lambda: BERLIN.is_working(NAIVE), "instant"),
        (lambda: BERLIN.next_opening(NAIVE), "instant"),
        (lambda: BERLIN.periods(NAIVE, utc("2026-02-06")), "start"),
        (lambda: BERLIN.periods(utc("2026-02-06"), NAIVE), "end"),
        (lambda: BERLIN.add_working_minutes(utc("2026-02-06"), True), "minutes"),
        (lambda: BERLIN.add_working_minutes(utc("2026-02-06"), "1"), "minutes"),  # type: ignore[arg-type]
        (lambda: BERLIN.add_working_minutes(utc("2026-02-06"), float("nan")), "minutes"),
        (lambda: BERLIN.add_working_minutes(utc("2026-02-06"), float("inf")), "minutes"),
        (lambda: BERLIN.add_working_time(utc("2026-02-06"), 5), "duration"),  # type: ignore[arg-type]
    ],
)
def test_wrong_arguments_are_refused(call: Any, place: str) -> None:
    with pytest.raises(Invalid) as refusal:
        call()
    assert [problem.place for problem in refusal.value.problems] == [place]


# What makes a calendar.

BAD: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({}, [("hours", "never opens")]),
    ({"hours": {}}, [("hours", "never opens")]),
    ({"hours": {"0": [], 1: []}}, [("hours", "never opens")]),
    ({"hours": [["09:00", "10:00"]]}, [("hours", "from weekday to periods")]),
    ({"hours": None}, [("hours", "from weekday to periods")]),
    ({"hours": {7: [("09:00", "10:00")]}}, [("hours[7]", "no weekday")]),
    ({"hours": {-1: []}}, [("hours[-1]", "no weekday")]),
    ({"hours": {True: []}}, [("hours[True]", "no weekday")]),
    ({"hours": {"monday": []}}, [("hours.monday", "no weekday")]),
    ({"hours": {"\u0661": []}}, [("hours['\u0661']", "no weekday")]),
    ({"hours": {"00": []}}, [("hours['00']", "no weekday")]),
    ({"hours": {0: [("09:00", "10:00")], "0": []}}, [("hours[0]", "Monday is given twice")]),
    ({"hours": {0: "09:00-10:00"}}, [("hours[0]", "list of periods")]),
    ({"hours": {0: None}}, [("hours[0]", "list of periods")]),
    ({"hours": {0: [("09:00", "10:00"), "11:00"]}}, [("hours[0][1]", "two times")]),
    ({"hours": {0: [("09:00",)]}}, [("hours[0][0]", "two times")]),
    ({"hours": {0: [("9:00", "10:00")]}}, [("hours[0][0][0]", "no time of day: '9:00'")]),
    ({"hours": {0: [("09:00", "10:60")]}}, [("hours[0][0][1]", "no time of day")]),
    ({"hours": {0: [("09:00", "24:01")]}}, [("hours[0][0][1]", "no time of day")]),
    ({"hours": {0: [("09:00", "10:00\n")]}}, [("hours[0][0][1]", "no time of day")]),
    ({"hours": {0: [("٠9:00", "10:00")]}}, [("hours[0][0][0]", "no time of day")]),
    ({"hours": {0: [(9, 10)]}}, [("hours[0][0][0]", "no time"), ("hours[0][0][1]", "no time")]),
    ({"hours": {0: [("10:00", "10:00")]}}, [("hours[0][0]", "does not end after it begins")]),
    ({"hours": {0: [("22:00", "06:00")]}}, [("hours[0][0]", "split at 24:00")]),
    ({"hours": {0: [("24:00", "24:00")]}}, [("hours[0][0]", "does not end after it begins")]),
    ({"hours": {0: [("09:00", "12:00"), ("11:59", "13:00")]}}, [("hours[0][1]", "overlaps 09:00–12:00")]),
    ({"hours": {0: [("11:59", "13:00"), ("09:00", "12:00")]}}, [("hours[0][0]", "overlaps 09:00–12:00")]),
    ({"hours": {0: [("09:00", "12:00"), ("09:00", "12:00")]}}, [("hours[0][1]", "overlaps")]),
    (
        {"hours": {0: [("09:00", "18:00"), ("10:00", "11:00"), ("12:00", "13:00")]}},
        [("hours[0][1]", "overlaps 09:00–18:00"), ("hours[0][2]", "overlaps 09:00–18:00")],
    ),
    ({"hours": OFFICE, "time_zone": "Europe/Nowhere"}, [("time_zone", "no known time zone")]),
    ({"hours": OFFICE, "time_zone": "europe/berlin"}, [("time_zone", "no known time zone")]),
    ({"hours": OFFICE, "time_zone": "localtime"}, [("time_zone", "no known time zone")]),
    ({"hours": OFFICE, "time_zone": "../../etc/passwd"}, [("time_zone", "no known time zone")]),
    ({"hours": OFFICE, "time_zone": "Europe"}, [("time_zone", "no known time zone")]),
    ({"hours": OFFICE, "time_zone": ""}, [("time_zone", "no known time zone")]),
    ({"hours": OFFICE, "time_zone": "UTC\0"}, [("time_zone", "no known time zone")]),
    ({"hours": OFFICE, "time_zone": None}, [("time_zone", "must be the name")]),
    ({"hours": OFFICE, "time_zone": ["UTC"]}, [("time_zone", "must be the name")]),
    ({"hours": OFFICE, "country": "ZZ"}, [("country", "no country")]),
    ({"hours": OFFICE, "country": "de"}, [("country", "no country")]),
    ({"hours": OFFICE, "country": "DEU"}, [("country", "no country")]),
    ({"hours": OFFICE, "country": ["DE"]}, [("country", "no country")]),
    ({"hours": OFFICE, "country": "DE", "region": "XX"}, [("region", "known are Augsburg, BB,")]),
    ({"hours": OFFICE, "country": "DE", "region": "US-BY"}, [("region", "no region of DE")]),
    ({"hours": OFFICE, "country": "DE", "region": 5}, [("region", "no region of DE")]),
    ({"hours": OFFICE, "country": "LU", "region": "X"}, [("region", "none are known")]),
    ({"hours": OFFICE, "region": "BY"}, [("region", "needs the country")]),
    ({"hours": OFFICE, "holidays": "2026-12-24"}, [("holidays", "list of dates")]),
    ({"hours": OFFICE, "holidays": 5}, [("holidays", "list of dates")]),
    ({"hours": OFFICE, "holidays": {"2026-12-24": "eve"}}, [("holidays", "list of dates")]),
    (
        {
            "hours": OFFICE,
            "holidays": ["2026-12-24", "2026-02-30", "24.12.2026", "20261224", "2026-W52-4", 7, None],
        },
        [(f"holidays[{index}]", "no date") for index in range(1, 7)],
    ),
    ({"hours": OFFICE, "holidays": [datetime(2026, 12, 24)]}, [("holidays[0]", "no date")]),
    (
        {"time_zone": "X", "hours": {8: []}, "country": "X", "region": "X", "holidays": [0]},
        [
            ("time_zone", "no known time zone"),
            ("hours[8]", "no weekday"),
            ("country", "no country"),
            ("holidays[0]", "no date"),
        ],
    ),
    (
        {"hours": OFFICE, "timezone": "UTC", 5: 6},
        [("timezone", "is no key of a calendar"), ("[5]", "is no key of a calendar")],
    ),
    ({"hours": {}, "weekdays": 5}, [("weekdays", "is no key"), ("hours", "never opens")]),
]


def problems_of(refusal: Invalid) -> list[Problem]:
    return list(refusal.problems)


@pytest.mark.parametrize(("document", "expected"), BAD, ids=lambda value: None)
def test_every_problem_of_a_calendar_is_told(
    document: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid) as refusal:
        Calendar.from_document(document)
    found = problems_of(refusal.value)
    assert [problem.place for problem in found] == [place for place, _ in expected]
    for problem, (_, words) in zip(found, expected, strict=True):
        assert words in problem.message


@pytest.mark.parametrize("document", [None, [], "UTC", 5])
def test_a_document_must_be_an_object(document: Any) -> None:
    with pytest.raises(Invalid, match="a calendar must be an object"):
        Calendar.from_document(document)


def test_arguments_are_checked_as_documents_are() -> None:
    with pytest.raises(Invalid) as refusal:
        Calendar(time_zone="X", hours={0: [("09:00", "08:00")]}, holidays=["x"])
    assert [problem.place for problem in refusal.value.problems] == [
        "time_zone",
        "hours[0][0]",
        "holidays[0]",
    ]


def test_only_a_few_of_very_many_problems_are_listed() -> None:
    with pytest.raises(Invalid) as refusal:
        Calendar(hours=OFFICE, holidays=["never"] * 10_000)
    assert len(refusal.value.problems) == 501


def test_old_names_of_time_zones_work_and_need_nothing_of_the_machine() -> None:
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        calendar = every_day("Asia/Calcutta", ("09:00", "10:00"))
        assert calendar.next_opening(utc("2026-02-06 00:00")) == utc("2026-02-06 03:30")
        for name in known_time_zones():
            zoneinfo.ZoneInfo(name)
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()


def test_periods_that_touch_become_one() -> None:
    parts = Calendar(hours={0: [("12:00", "13:00"), ("09:00", "12:00")], 1: [], "2": [["00:00", "24:00"]]})  # type: ignore[arg-type,dict-item]
    assert parts.hours == ((("09:00", "13:00"),), (), (("00:00", "24:00"),), (), (), (), ())
    assert parts == Calendar(hours={0: [("09:00", "13:00")], 2: [("00:00", "24:00")]})


def test_a_calendar_is_a_value() -> None:
    same = Calendar(
        time_zone="Europe/Berlin",
        hours={str(day): [["13:30", "18:00"], ["09:00", "12:30"]] for day in range(5)},
        country="DE",
        region="DE-BY",
        holidays=[date(2026, 12, 24), "2026-12-24"],
    )
    assert same == BERLIN
    assert hash(same) == hash(BERLIN)
    assert (same.time_zone, same.country, same.region) == ("Europe/Berlin", "DE", "BY")
    assert same.holidays == (date(2026, 12, 24),)
    with pytest.raises(AttributeError):
        same.time_zone = "UTC"  # type: ignore[misc]
    for copied in (copy.deepcopy(BERLIN), pickle.loads(pickle.dumps(BERLIN)), eval(repr(BERLIN))):
        assert copied == BERLIN
        assert copied.working_minutes(utc("2026-01-01"), utc("2027-01-01")) == 251 * 480


def test_calendars_are_equal_though_each_was_worked_out_by_itself() -> None:
    first = every_day("Europe/Berlin", ("09:00", "10:00"))
    working_years.cache_clear()
    assert every_day("Europe/Berlin", ("09:00", "10:00")) == first


@pytest.mark.parametrize(
    "other",
    [
        {"time_zone": "Europe/Vienna"},
        {"hours": {0: [("09:00", "12:00")]}},
        {"country": "AT", "region": None},
        {"region": "HH"},
        {"holidays": []},
    ],
)
def test_calendars_that_differ_are_not_equal(other: dict[str, Any]) -> None:
    assert Calendar.from_document(BERLIN.to_document() | other) != BERLIN


def test_a_document_says_all_and_is_json() -> None:
    document = BERLIN.to_document()
    assert document == {
        "time_zone": "Europe/Berlin",
        "hours": {str(day): [["09:00", "12:30"], ["13:30", "18:00"]] for day in range(5)},
        "country": "DE",
        "region": "BY",
        "holidays": ["2026-12-24"],
    }
    assert Calendar.from_document(json.loads(json.dumps(document))) == BERLIN
    plain = Calendar.from_document({"hours": {"0": [["09:00", "10:00"]]}, "holidays": None})
    assert plain == Calendar(hours={0: [("09:00", "10:00")]})


def test_many_threads_work_out_the_same() -> None:
    calendar = every_day("America/Chicago", ("08:17", "16:43"))
    start = utc("1950-05-05")

    def measured(years: int) -> float:
        return calendar.working_minutes(start, start + timedelta(days=366 * years))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(measured, [60, 59, 60, 58, 60, 57, 60, 56] * 4))
    assert found == [measured(years) for years in [60, 59, 60, 58, 60, 57, 60, 56] * 4]


# Laws.

TIMES = st.integers(0, 24 * 60).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")


@st.composite
def days(draw: st.DrawFn) -> list[tuple[str, str]]:
    edges = sorted(draw(st.sets(TIMES, max_size=6)))
    return list(zip(edges[::2], edges[1::2], strict=False))


DATES = st.dates(date(2023, 12, 1), date(2027, 2, 1))
CALENDARS = st.builds(
    lambda time_zone, week, country, dates: Calendar(
        time_zone=time_zone, hours=dict(enumerate(week)), country=country, holidays=dates
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham"]),
    st.lists(days(), min_size=7, max_size=7).filter(any),
    st.sampled_from([None, "DE", "US"]),
    st.lists(DATES, max_size=10),
)
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
DURATIONS = st.timedeltas(timedelta(days=-60), timedelta(days=60)) | st.integers(-9000, 9000).map(
    lambda minutes: minutes * MINUTE
)
laws = settings(max_examples=100, deadline=None)


@laws
@given(CALENDARS, INSTANTS, DURATIONS)
def test_what_was_added_is_measured(calendar: Calendar, start: datetime, duration: timedelta) -> None:
    reached = calendar.add_working_time(start, duration)
    assert calendar.working_time(start, reached) == duration
    step = timedelta(microseconds=1)
    if duration > timedelta():
        assert calendar.working_time(start, reached - step) == duration - step  # none is earlier
    if duration < timedelta():
        assert calendar.working_time(start, reached + step) == duration + step  # none is later


@laws
@given(CALENDARS, INSTANTS, st.integers(-20_000, 20_000))
def test_whole_minutes_come_back_as_they_were(calendar: Calendar, start: datetime, minutes: int) -> None:
    assert calendar.working_minutes(start, calendar.add_working_minutes(start, minutes)) == minutes


@laws
@given(CALENDARS, INSTANTS, INSTANTS, INSTANTS)
def test_working_time_adds_up(calendar: Calendar, a: datetime, b: datetime, c: datetime) -> None:
    assert calendar.working_time(a, b) + calendar.working_time(b, c) == calendar.working_time(a, c)
    assert calendar.working_time(a, b) == -calendar.working_time(b, a)


@laws
@given(CALENDARS, INSTANTS, INSTANTS, DURATIONS)
def test_later_is_never_less(calendar: Calendar, a: datetime, b: datetime, duration: timedelta) -> None:
    a, b = min(a, b), max(a, b)
    assert timedelta() <= calendar.working_time(a, b) <= b - a
    assert calendar.add_working_time(a, duration) <= calendar.add_working_time(b, duration)
    longer = duration + MINUTE
    assert calendar.add_working_time(a, duration) < calendar.add_working_time(a, longer)


@laws
@given(CALENDARS, INSTANTS, st.timedeltas(timedelta(), timedelta(days=40)))
def test_periods_are_the_working_time(calendar: Calendar, start: datetime, length: timedelta) -> None:
    periods = calendar.periods(start, start + length)
    total = sum((period.end - period.begin for period in periods), timedelta())
    assert total == calendar.working_time(start, start + length)
    edges = [edge for period in periods for edge in period]
    assert edges == sorted(set(edges))
    for begin, end in periods:
        assert calendar.is_working(begin)
        assert end == start + length or not calendar.is_working(end)
        assert calendar.next_opening(begin) == begin
        assert begin == start or calendar.next_opening(begin - timedelta(microseconds=1)) == begin


@laws
@given(CALENDARS)
def test_documents_come_back_as_they_were(calendar: Calendar) -> None:
    assert Calendar.from_document(json.loads(json.dumps(calendar.to_document()))) == calendar
