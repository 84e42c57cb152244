"""Figures by day, and what happened lately: as a viewer's zone has days, and as far as somebody may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

import gndp
from gndp.access.principals import Principal
from gndp.core.errors import Invalid

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wb(new_workbench: Callable[..., gndp.Workbench], clock: Clock) -> gndp.Workbench:
    return new_workbench(clock=clock)


def started(wb: gndp.Workbench, **more: object) -> gndp.Process:
    given = {"process_definition_id": "x", "process_name": "X", "process_type": "custom"}
    return wb.processes.start(**{**given, "initiated_by": "pat", **more})


def test_each_day_counts_what_happened_on_it(wb: gndp.Workbench, clock: Clock) -> None:
    first, second, _ = (started(wb, sla_target_mins=60) for _ in range(3))
    clock.now += timedelta(minutes=30)
    wb.processes.complete(first.id, user_id="pat")
    clock.now += timedelta(days=1)
    wb.processes.complete(second.id, user_id="pat")
    started(wb)

    before, yesterday, today = wb.processes.trend(days=3)
    assert before == (date(2026, 3, 1), 0, 0, 0, 0)
    assert yesterday == (date(2026, 3, 2), 3, 1, 1, 2)
    assert today == (date(2026, 3, 3), 1, 1, 0, 0)


def test_a_breach_counts_once_before_and_after_it_is_told(wb: gndp.Workbench, clock: Clock) -> None:
    started(wb, sla_target_mins=60)
    clock.now += timedelta(hours=2)
    assert [day.breached for day in wb.processes.trend(days=1)] == [1]
    wb.sla.sweep()
    assert [day.breached for day in wb.processes.trend(days=1)] == [1]


def test_what_is_held_or_cancelled_is_neither_started_nor_completed(wb: gndp.Workbench, clock: Clock) -> None:
    started(wb, hold=True)
    wb.processes.cancel(started(wb).id, user_id="pat", reason="no")
    assert wb.processes.trend(days=1) == [(date(2026, 3, 2), 1, 0, 0, 0)]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2026, 3, 2)),
        ("Pacific/Auckland", date(2026, 3, 3)),
        ("Pacific/Honolulu", date(2026, 3, 1)),
    ],
)
def test_days_are_those_of_the_zone(wb: gndp.Workbench, clock: Clock, zone: str, day: date) -> None:
    clock.now = NOON.replace(hour=23) if zone == "Pacific/Auckland" else NOON.replace(hour=9)
    started(wb)
    clock.now = NOON + timedelta(days=2)
    assert [figures.day for figures in wb.processes.trend(zone, days=5) if figures.started] == [day]


def test_a_day_has_the_hours_that_its_zone_gives_it(wb: gndp.Workbench, clock: Clock) -> None:
    """29 March 2026 has 23 hours in Berlin: it ends at 22:00 UTC."""
    clock.now = datetime(2026, 3, 29, 21, 59, tzinfo=UTC)
    started(wb)
    clock.now += timedelta(minutes=1)
    started(wb)
    figures = wb.processes.trend("Europe/Berlin", days=2)
    assert [(day.day.day, day.started) for day in figures] == [(29, 1), (30, 1)]


@pytest.mark.parametrize("zone", ["Middle/Earth", "", "../etc/passwd", "Europe", "\x00", 7, None])
def test_a_zone_that_is_none_is_invalid(wb: gndp.Workbench, zone: object) -> None:
    with pytest.raises(Invalid):
        wb.processes.trend(zone)  # type: ignore[arg-type]


@pytest.mark.parametrize("days", [0, 367, "3", True])
def test_days_have_bounds(wb: gndp.Workbench, days: object) -> None:
    with pytest.raises(Invalid):
        wb.processes.trend(days=days)  # type: ignore[arg-type]


def test_recent_events_come_newest_first_with_their_names(wb: gndp.Workbench, clock: Clock) -> None:
    old = started(wb, process_name="Old")
    clock.now += timedelta(hours=2)
    new = started(wb, process_name="New")
    wb.tasks.create(
        process_instance_id=new.id,
        task_definition_id="t",
        task_name="Look",
        task_type="manual",
        user_id="pat",
    )
    wb.processes.comment(old.id, user_id="pat", text="hm")

    found = wb.processes.recent_events(clock.now - timedelta(hours=1))
    assert [(one.event.event_type, one.process_name, one.task_name) for one in found][:2] == [
        ("process.commented", "Old", None),
        ("task.created", "New", "Look"),
    ]
    assert {one.event.timestamp for one in found} == {clock.now}
    assert found[0].event == wb.processes.events(old.id)[0]
    assert wb.processes.recent_events(clock.now - timedelta(hours=1), limit=1) == found[:1]
    assert wb.processes.recent_events(clock.now) == []


def test_recent_events_show_only_processes_that_somebody_may_see(wb: gndp.Workbench, clock: Clock) -> None:
    for team in ("north", "south"):
        wb.directory.add_team(team)
        started(wb, process_name=team, assigned_team=team)
    wb.directory.add_person("ann", team="north", role="viewer")
    bound = wb.acting_as(Principal.of(wb.directory.person("ann")))
    clock.now += timedelta(minutes=1)
    since = NOON - timedelta(minutes=1)
    assert {one.process_name for one in wb.processes.recent_events(since)} == {"north", "south"}
    assert {one.process_name for one in bound.processes.recent_events(since)} == {"north"}


@pytest.mark.parametrize("since", [datetime(2026, 3, 2), "yesterday", None])
def test_recent_events_need_an_instant(wb: gndp.Workbench, since: object) -> None:
    with pytest.raises(Invalid):
        wb.processes.recent_events(since)  # type: ignore[arg-type]
