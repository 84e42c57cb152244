"""SLA clocks on a real database: each thing is told once, whatever the clock and the faults do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

import gndp
from gndp.core.errors import Invalid, NotFound
from tests.moving_clock import NINE, Clock, started

POLICY = {
    "name": "care",
    "target_minutes": 60,
    "warnings": [{"percent": 50}, {"minutes_before": 10}],
    "escalations": [
        {"after_minutes": 0, "to": "person", "person": "boss"},
        {"after_minutes": 30, "to": "person", "person": "chief", "action": "raise_priority"},
    ],
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wb(new_workbench: Callable[..., gndp.Workbench], clock: Clock) -> gndp.Workbench:
    return new_workbench(clock=clock)


def told(wb: gndp.Workbench, process: Any) -> Counter[str]:
    events = wb.processes.events(process.id, limit=500)
    return Counter(
        f"{event.event_type} {event.details.get('level', '')}".strip()
        for event in events
        if event.event_type.startswith(("sla.", "escalation."))
    )


ALL_TOLD = {"sla.breached": 1, "escalation.triggered 1": 1, "escalation.triggered 2": 1}


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=1)])
def test_a_clock_that_jumps_ahead_and_back_tells_each_thing_once(
    wb: gndp.Workbench, clock: Clock, jump: timedelta
) -> None:
    wb.sla.publish(POLICY, user_id="eve")
    process = started(wb)
    clock.move(minutes=59)
    wb.sla.sweep()
    assert told(wb, process) == {"sla.at_risk 1": 1, "sla.at_risk 2": 1}

    for step in (jump, timedelta(minutes=-5), -jump, timedelta(minutes=5), timedelta(days=2)):
        clock.now += step
        wb.sla.sweep()
        wb.processes.comment(process.id, user_id="eve", text="look")

    assert told(wb, process) == {"sla.at_risk 1": 1, "sla.at_risk 2": 1, **ALL_TOLD}
    assert wb.check().ok


def test_a_clock_that_goes_back_does_not_undo_a_breach(wb: gndp.Workbench, clock: Clock) -> None:
    process = started(wb, sla_target_mins=30)
    clock.move(minutes=31)
    wb.sla.sweep()
    clock.move(minutes=-20)
    wb.sla.sweep()
    assert wb.processes.get(process.id).sla_status == "breached"
    assert wb.check().ok


def test_nothing_is_told_or_escalated_while_a_clock_is_paused(wb: gndp.Workbench, clock: Clock) -> None:
    wb.sla.publish(POLICY, user_id="eve")
    process = started(wb)
    clock.move(minutes=20)
    wb.processes.suspend(process.id, user_id="eve", reason="holiday")
    clock.move(days=30)
    assert wb.sla.sweep().clocks == 0
    assert told(wb, process) == {}
    wb.processes.resume(process.id, user_id="eve")
    (reading,) = wb.sla.clocks(process_id=process.id)
    assert reading.clock.original_due_at == NINE + timedelta(minutes=60)
    assert reading.clock.due_at == clock.now + timedelta(minutes=40) == wb.processes.get(process.id).due_date

    clock.move(minutes=41)
    wb.sla.sweep()
    wb.processes.suspend(process.id, user_id="eve", reason="holiday")
    clock.move(days=30)
    wb.sla.sweep()
    assert told(wb, process)["escalation.triggered 2"] == 0
    wb.processes.resume(process.id, user_id="eve")
    clock.move(minutes=29)
    wb.sla.sweep()
    assert told(wb, process) == ALL_TOLD
    assert wb.check().ok


def test_a_due_date_set_by_hand_stays_and_the_clock_goes_its_own_way(
    wb: gndp.Workbench, clock: Clock
) -> None:
    by_hand = NINE + timedelta(days=9)
    process = started(wb, sla_target_mins=30, due_date=by_hand)
    clock.move(minutes=31)
    wb.sla.sweep()
    process = wb.processes.get(process.id)
    assert (process.due_date, process.sla_status) == (by_hand, "breached")
    assert wb.check().ok


def test_a_comment_on_a_late_task_answers_with_what_its_clock_says(wb: gndp.Workbench, clock: Clock) -> None:
    task = wb.tasks.create(
        process_instance_id=started(wb).id,
        task_definition_id="step",
        task_name="Step",
        task_type="manual",
        sla_target_mins=5,
    )
    clock.move(minutes=6)
    commented = wb.tasks.comment(task.id, user_id="ann", text="too late")
    assert (commented.sla_status, commented.sla_breach_time) == ("breached", NINE + timedelta(minutes=5))
    assert commented == wb.tasks.get(task.id)
    wb.tasks.claim(task.id, user_id="ann", expected_version=commented.version)


def test_recomputing_brings_a_running_item_what_was_changed_and_can_undo_a_breach(
    wb: gndp.Workbench, clock: Clock
) -> None:
    wb.sla.publish(POLICY, user_id="eve")
    process = started(wb)
    clock.move(minutes=61)
    wb.sla.sweep()
    wb.sla.publish({**POLICY, "target_minutes": 600}, user_id="eve")
    assert wb.processes.get(process.id).sla_status == "breached"

    (clock_row,) = wb.sla.recompute(process_id=process.id, user_id="eve", reason="longer target")
    assert (clock_row.status, clock_row.due_at) == ("on_track", NINE + timedelta(minutes=600))
    process = wb.processes.get(process.id)
    assert (process.sla_status, process.sla_breach_time) == ("on_track", None)
    (event,) = [e for e in wb.processes.events(process.id) if e.event_type == "sla.recomputed"]
    assert event.details["before"]["resolution"]["status"] == "breached"
    assert event.details["after"]["resolution"]["status"] == "on_track"

    wb.sla.recompute(process_id=process.id, user_id="eve", reason="again")
    assert told(wb, process)["sla.recomputed"] == 1
    clock.move(minutes=600)
    wb.sla.sweep()
    assert told(wb, process)["sla.breached"] == 2
    assert wb.check().ok


def test_the_more_specific_policy_wins_and_objectives_run_side_by_side(wb: gndp.Workbench) -> None:
    wb.sla.publish({"name": "usual", "target_minutes": 100}, user_id="eve")
    wb.sla.publish(
        {"name": "urgent", "target_minutes": 50, "applies_to": {"priorities": ["critical"]}}, user_id="eve"
    )
    wb.sla.publish(
        {"name": "answer", "objective": "response", "target_minutes": 10, "stop": ["task.started"]},
        user_id="eve",
    )
    assert [r.clock.policy_name for r in wb.sla.clocks(process_id=started(wb).id)] == ["answer", "usual"]
    critical = started(wb, priority="critical")
    assert [r.clock.policy_name for r in wb.sla.clocks(process_id=critical.id)] == ["answer", "urgent"]
    assert critical.due_date == NINE + timedelta(minutes=10)

    wb.sla.retire("answer", user_id="eve")
    assert [r.clock.policy_name for r in wb.sla.clocks(process_id=started(wb).id)] == ["usual"]


def test_a_calendar_that_cannot_be_used_any_more_is_said_and_stops_nothing(
    wb: gndp.Workbench, clock: Clock
) -> None:
    hours = {day: [("00:00", "24:00")] for day in range(7)}
    wb.calendars.save("office", gndp.Calendar(hours=hours))
    wb.sla.publish({"name": "loan", "target_minutes": 60, "calendar": "office"}, user_id="eve")
    with psycopg.connect(wb.database_url) as connection:
        connection.execute(
            "UPDATE calendars SET document = replace(document::text, 'UTC', 'Atlantis/Capital')::json"
        )
    process = started(wb, sla_target_mins=30)
    clock.move(minutes=31)
    report = wb.sla.sweep()
    assert report.breached == 1
    (said,) = report.unusable
    assert "loan" in said and "Atlantis/Capital" in said
    assert [r.clock.policy_name for r in wb.sla.clocks(process_id=process.id)] == ["sla_target_mins"]
    with pytest.raises(Invalid, match="Atlantis/Capital"):
        wb.calendars.get("office")


def test_commands_and_sweeps_at_once_tell_each_thing_once(
    new_workbench: Callable[..., gndp.Workbench], clock: Clock
) -> None:
    wb = new_workbench(clock=clock)
    wb.sla.publish(POLICY, user_id="eve")
    processes = [started(wb) for _ in range(4)]

    def act(number: int) -> None:
        clock.move(seconds=12)
        if number % 5 == 0:
            wb.sla.sweep()
        else:
            wb.processes.comment(processes[number % 4].id, user_id="eve", text="look")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(500)))
    clock.move(hours=3)
    wb.sla.sweep()
    for process in processes:
        assert {kind: times for kind, times in told(wb, process).items() if times > 1} == {}
        assert told(wb, process)["sla.breached"] == 1
    assert wb.check().ok


def test_a_preview_is_what_the_clock_then_does_and_writes_nothing(wb: gndp.Workbench) -> None:
    wb.calendars.save("office", gndp.Calendar(hours={0: [("09:00", "10:30")], 2: [("09:00", "10:30")]}))
    document = {**POLICY, "target_minutes": 120, "calendar": "office"}
    previewed = wb.sla.preview(document, NINE)
    assert previewed.due_at == NINE + timedelta(days=2, minutes=30)
    assert previewed.warnings == [NINE + timedelta(minutes=60), NINE + timedelta(days=2, minutes=20)]
    assert wb.sla.policies() == []

    published = wb.sla.publish(document, user_id="eve")
    assert wb.sla.preview(published.document, NINE) == previewed
    (reading,) = wb.sla.clocks(process_id=started(wb).id)
    assert (reading.clock.due_at, reading.clock.next_at) == (previewed.due_at, previewed.warnings[0])


def test_a_preview_refuses_what_cannot_be_published_and_instants_without_a_zone(wb: gndp.Workbench) -> None:
    with pytest.raises(Invalid, match="there is no calendar nowhere"):
        wb.sla.preview({**POLICY, "calendar": "nowhere"}, NINE)
    with pytest.raises(Invalid, match="and ends it at once"):
        wb.sla.preview({**POLICY, "start": ["process.completed"]}, NINE)
    with pytest.raises(Invalid, match="opened_at: has no time zone"):
        wb.sla.preview(POLICY, NINE.replace(tzinfo=None))


def test_unknown_policies_calendars_and_items_are_refused(wb: gndp.Workbench) -> None:
    with pytest.raises(Invalid, match="calendar"):
        wb.sla.publish({"name": "loan", "target_minutes": 60, "calendar": "nowhere"}, user_id="eve")
    with pytest.raises(NotFound):
        wb.sla.policy("nothing")
    with pytest.raises(NotFound):
        wb.sla.retire("nothing", user_id="eve")
    with pytest.raises(Invalid):
        wb.sla.clocks()
    with pytest.raises(NotFound):
        wb.sla.clocks(task_id="0" * 32)
    assert wb.sla.policies() == []
