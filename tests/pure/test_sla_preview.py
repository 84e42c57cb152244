"""A preview of a policy says what its clock will tell when nothing comes between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gndp.core import sla
from gndp.core.calendars import Calendar
from gndp.core.errors import Invalid
from gndp.core.policies import Terms, parse_policy

OFFICE = Calendar(
    time_zone="Europe/Berlin",
    hours={day: [("09:00", "12:30"), ("13:30", "17:30")] for day in range(5)},
    country="DE",
)
LEVELS = {
    "warnings": [{"minutes_before": 30}, {"percent": 50}],
    "escalations": [{"after_minutes": 60}, {"after_minutes": 0}, {"after_minutes": -60}],
}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def terms(calendar: Calendar | None, target_minutes: int, **more: object) -> Terms:
    return Terms(parse_policy({"name": "p", "target_minutes": target_minutes, **more}), calendar)


def test_instants_are_along_the_calendar() -> None:
    """Worked out on paper: Friday 22 May 2026, 15:00 in Berlin; the Monday after is Whit Monday."""
    previewed = sla.preview(terms(OFFICE, 450, **LEVELS), utc("2026-05-22 13:00"))
    assert previewed.due_at == utc("2026-05-26 13:00")  # 150 minutes on Friday, 300 on Tuesday
    assert previewed.warnings == [utc("2026-05-26 08:15"), utc("2026-05-26 12:30")]
    before, at_due, after = previewed.escalations
    assert (before, after) == (utc("2026-05-26 12:00"), utc("2026-05-26 14:00"))
    assert previewed.due_at < at_due < previewed.due_at + timedelta(seconds=1)


def test_an_escalation_at_due_comes_when_due_has_passed_and_not_at_the_next_opening() -> None:
    previewed = sla.preview(terms(OFFICE, 450, **LEVELS), utc("2026-05-22 07:00"))
    assert previewed.due_at == utc("2026-05-22 15:30")
    assert previewed.escalations[1].date() == previewed.due_at.date()
    assert previewed.escalations[2] == utc("2026-05-26 08:00")


def test_what_leads_out_of_time_is_refused() -> None:
    for calendar in (None, OFFICE):
        with pytest.raises(Invalid, match="years 1 to 9999"):
            sla.preview(terms(calendar, 5_000_000), utc("9999-12-30 00:00"))


@given(
    st.sampled_from([None, OFFICE]),
    st.integers(1, 20_000),
    st.datetimes(utc("2020-01-01").replace(tzinfo=None), utc("2035-01-01").replace(tzinfo=None)),
    st.lists(st.integers(1, 99), max_size=3),
    st.lists(st.integers(-20_000, 20_000), max_size=3),
)
def test_a_preview_says_what_the_clock_then_tells(
    calendar: Calendar | None, target: int, opened: datetime, percents: list[int], delays: list[int]
) -> None:
    given_terms = terms(
        calendar,
        target,
        warnings=[{"percent": percent} for percent in percents],
        escalations=[{"after_minutes": delay} for delay in delays if delay > -target],
    )
    previewed = sla.preview(given_terms, opened.replace(tzinfo=UTC))
    breach = previewed.due_at + timedelta(microseconds=1)
    told = {*previewed.warnings, *previewed.escalations, breach}
    assert set(told_by_the_clock(given_terms, previewed.opened_at)) == told


def told_by_the_clock(given_terms: Terms, opened_at: datetime) -> Iterator[datetime]:
    """The instants at which a clock that nothing disturbs changes, read one after the other."""
    timer = sla.start(given_terms, opened_at)
    instant = sla.read(timer, given_terms, opened_at).next_at
    while instant is not None:
        yield instant
        instant = sla.read(timer, given_terms, instant).next_at
