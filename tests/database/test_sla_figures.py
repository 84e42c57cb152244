"""Figures are true at any instant: what a sweep would tell is counted before it has told it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

import gndp
from gndp.workbench import utc_now
from tests.moving_clock import Clock, started

MINUTE, INSTANT = timedelta(minutes=1), timedelta(microseconds=1)
LATER = {"after_minutes": 30, "to": "person", "person": "boss"}
POLICIES = [
    {
        "name": "answer",
        "item": "task",
        "objective": "answer",
        "target_minutes": 40,
        "stop": ["task.started", "task.completed"],
        "warnings": [],
        "escalations": [{"after_minutes": -35, "to": "person", "person": "boss"}],
    },
    {
        "name": "step",
        "item": "task",
        "target_minutes": 60,
        "pause": ["process.suspended", {"event": "task.waiting", "reasons": ["customer"]}],
        "warnings": [{"percent": 50}, {"minutes_before": 5}],
        "escalations": [{"after_minutes": -45, "to": "person", "person": "boss"}],
    },
    {"name": "case", "target_minutes": 100, "pause": ["task.waiting"]},
    {"name": "whole", "objective": "whole", "target_minutes": 100, "warnings": [{"percent": 30}]},
]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wb(new_workbench: Callable[..., gndp.Workbench], clock: Clock) -> gndp.Workbench:
    return new_workbench(clock=clock)


def given_task(wb: gndp.Workbench, process: Any, **more: Any) -> Any:
    step = {"task_definition_id": "step", "task_name": "Step", "task_type": "manual", "assigned_to": "ann"}
    return wb.tasks.create(process_instance_id=process.id, **{**step, **more})


def test_figures_count_what_is_late_by_its_clock_and_not_what_stands_still(
    wb: gndp.Workbench, clock: Clock
) -> None:
    """Between sweeps, too: a due instant that passed counts, the due date of a paused clock does not."""
    wb.sla.publish(
        {"name": "step", "item": "task", "target_minutes": 30, "pause": ["task.waiting"]}, user_id="eve"
    )
    running, suspended = (started(wb, sla_target_mins=30) for _ in range(2))
    tasks = [
        wb.tasks.create(
            process_instance_id=running.id,
            task_definition_id="step",
            task_name="Step",
            task_type="manual",
            assigned_to="ann",
        )
        for _ in range(2)
    ]
    wb.tasks.start(tasks[0].id, user_id="ann")
    wb.tasks.wait(tasks[0].id, user_id="ann", reason="customer")
    wb.processes.suspend(suspended.id, user_id="eve", reason="holiday")
    assert wb.processes.summary().sla_breached == 0

    clock.move(minutes=31)
    assert wb.processes.summary().sla_breached == 1
    (ann,) = wb.tasks.workload()
    assert (ann.active_tasks, ann.at_risk, ann.breached) == (2, 0, 1)


def test_a_sweep_changes_no_figure(wb: gndp.Workbench, clock: Clock) -> None:
    """Several clocks on each item, with and without warnings, some standing still, and time that jumps."""
    chance = random.Random(4)
    for policy in POLICIES:
        wb.sla.publish(policy, user_id="eve")
    seen = set()
    for _ in range(6):
        processes = [started(wb, sla_target_mins=chance.choice([None, 30, 90])) for _ in range(4)]
        tasks = [
            given_task(wb, chance.choice(processes), sla_target_mins=chance.choice([None, 20, 60]))
            for _ in range(8)
        ]
        for _ in range(6):
            clock.move(minutes=chance.choice([1, 5, 10, 20]), microseconds=chance.choice([0, 1]))
            before = wb.tasks.workload(), wb.processes.summary().sla_breached
            wb.sla.sweep()
            assert (wb.tasks.workload(), wb.processes.summary().sla_breached) == before
            seen.add((before[0][0].at_risk > 0, before[0][0].breached > 0, before[1] > 0))
            task = chance.choice(tasks)
            match wb.tasks.get(task.id).status, wb.tasks.get(task.id).substatus:
                case "assigned", _:
                    wb.tasks.start(task.id, user_id="ann")
                    wb.tasks.wait(task.id, user_id="ann", reason=chance.choice(["customer", "supplier"]))
                case "in_progress", "waiting":
                    wb.tasks.resume(task.id, user_id="ann")
                case "in_progress", _:
                    wb.tasks.complete(task.id, user_id="ann")
    assert {figures[0] for figures in seen} == {figures[1] for figures in seen} == {True, False}
    assert wb.check().violations == ()


def test_at_the_very_instant_nothing_is_late_and_without_warnings_nothing_is_at_risk(
    wb: gndp.Workbench, clock: Clock
) -> None:
    wb.sla.publish(POLICIES[0], user_id="eve")
    given_task(wb, started(wb))
    for moved, figures in ((40 * MINUTE, (0, 0)), (INSTANT, (0, 1))):
        clock.now += moved
        (ann,) = wb.tasks.workload()
        assert (ann.at_risk, ann.breached) == figures


def breaches(wb: gndp.Workbench) -> list[tuple[Any, ...]]:
    with psycopg.connect(wb.database_url) as connection:
        rows = connection.execute(
            "SELECT breach_type, name, sla_status, minutes_overdue, due_date FROM v_sla_breaches"
        )
        return rows.fetchall()


def test_the_list_of_breaches_is_true_before_any_sweep(wb: gndp.Workbench, clock: Clock) -> None:
    """It goes by the database's clock, so this one starts in the past of that."""
    begun = clock.now = utc_now() - timedelta(minutes=95, seconds=30)
    by_hand = begun + timedelta(days=9)
    process = started(wb, sla_target_mins=60, due_date=by_hand)
    given_task(wb, process, task_name="Late", sla_target_mins=30)
    given_task(wb, process, task_name="At risk", sla_target_mins=100)
    wb.sla.publish(
        {"name": "told", "item": "task", "target_minutes": 10, "escalations": [LATER]}, user_id="eve"
    )
    given_task(wb, process, task_name="Told already")
    wb.sla.retire("told", user_id="eve")
    done = given_task(wb, process, task_name="Done", sla_target_mins=30)
    wb.tasks.start(done.id, user_id="ann")
    wb.tasks.complete(done.id, user_id="ann")
    waiting = given_task(wb, started(wb, process_name="Held up"), task_name="Waits", sla_target_mins=30)
    wb.processes.suspend(waiting.process_instance_id, user_id="eve", reason="holiday")

    clock.move(minutes=11)
    assert wb.sla.sweep().breached == 1
    late = [
        ("task", "Told already", "breached", 86, begun + timedelta(minutes=10)),
        ("task", "Late", "breached", 66, begun + timedelta(minutes=30)),
        ("process", "Case", "breached", 36, by_hand),
    ]
    assert breaches(wb) == late
    clock.now = utc_now()
    report = wb.sla.sweep()
    assert (report.breached, report.escalated) == (2, 1)
    assert breaches(wb) == late
