"""What a clock does as its item is held, suspended, waits, fails, is tried again, skipped or called off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

import gndp
from tests.moving_clock import NINE, Clock, started

EVE: dict[str, Any] = {"user_id": "eve"}
ANN: dict[str, Any] = {"user_id": "ann"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wb(new_workbench: Callable[..., gndp.Workbench], clock: Clock) -> gndp.Workbench:
    return new_workbench(clock=clock)


def new_task(wb: gndp.Workbench, process: Any, depends_on: Sequence[Any] = (), **more: Any) -> Any:
    step = {"task_definition_id": "step", "task_name": "Step", "task_type": "manual", "assigned_to": "ann"}
    wanted = {**step, "sla_target_mins": 60, "depends_on": [task.id for task in depends_on], **more}
    return wb.tasks.create(process_instance_id=process.id, **wanted)


def minutes(wb: gndp.Workbench, item: Any) -> tuple[str | None, int, bool] | None:
    """Status, minutes counted and whether it stands still, of an item's only clock; None without one."""
    by = {"task_id": item.id} if hasattr(item, "task_name") else {"process_id": item.id}
    readings = [reading for _, _, reading in wb.sla.clocks(**by)]
    assert len(readings) <= 1
    for reading in readings:
        return reading.status, reading.elapsed // timedelta(minutes=1), reading.is_paused
    return None


def told(wb: gndp.Workbench, process: Any) -> list[str]:
    events = wb.processes.events(process.id, limit=500)
    return [event.event_type[4:] for event in reversed(events) if event.event_type.startswith("sla.")]


def test_a_held_process_has_no_clock_until_it_starts(wb: gndp.Workbench, clock: Clock) -> None:
    process = started(wb, hold=True, sla_target_mins=60)
    clock.move(minutes=90)
    wb.sla.sweep()
    assert minutes(wb, process) is None
    wb.processes.update_status(process.id, new_status="running", user_id="eve")
    clock.move(minutes=10)
    assert minutes(wb, process) == ("on_track", 10, False)
    assert wb.processes.get(process.id).due_date == NINE + timedelta(minutes=150)
    assert wb.check().violations == ()


def test_a_task_of_a_held_process_is_ready_and_its_clock_runs(wb: gndp.Workbench, clock: Clock) -> None:
    """The clock starts at ready_at, and what waits for nothing is ready, whoever may work on it when."""
    process = started(wb, hold=True)
    task = new_task(wb, process)
    clock.move(minutes=61)
    assert wb.sla.sweep().breached == 1
    assert minutes(wb, task) == ("breached", 61, False)
    assert wb.check().violations == ()


def test_a_blocked_task_has_no_clock_until_it_is_ready(wb: gndp.Workbench, clock: Clock) -> None:
    process = started(wb)
    first = new_task(wb, process)
    second = new_task(wb, process, [first])
    clock.move(minutes=20)
    assert minutes(wb, second) is None
    wb.tasks.skip(first.id, reason="not needed", **EVE)
    clock.move(minutes=5)
    assert minutes(wb, second) == ("on_track", 5, False)
    assert minutes(wb, first) == ("met", 20, False)
    assert wb.check().violations == ()


def test_suspended_the_clocks_of_the_process_and_its_tasks_stand_still(
    wb: gndp.Workbench, clock: Clock
) -> None:
    process = started(wb, sla_target_mins=60)
    task = new_task(wb, process)
    clock.move(minutes=20)
    wb.processes.suspend(process.id, reason="holiday", **EVE)
    clock.move(days=9)
    assert wb.sla.sweep().clocks == 0
    assert minutes(wb, process) == minutes(wb, task) == ("on_track", 20, True)
    wb.processes.resume(process.id, **EVE)
    clock.move(minutes=40)
    assert minutes(wb, process) == minutes(wb, task) == ("at_risk", 60, False)
    wb.tasks.skip(task.id, reason="in time", **EVE)
    assert told(wb, process) == ["met", "met"]
    assert wb.check().violations == ()


def test_while_a_task_has_failed_its_clock_and_the_others_run_on(wb: gndp.Workbench, clock: Clock) -> None:
    process = started(wb, sla_target_mins=600)
    task, other = new_task(wb, process), new_task(wb, process)
    wb.tasks.start(task.id, **ANN)
    clock.move(minutes=10)
    wb.tasks.fail(task.id, error_message="no paper", final=True, **ANN)
    clock.move(minutes=51)
    assert wb.sla.sweep().breached == 2
    assert minutes(wb, task) == minutes(wb, other) == ("breached", 61, False)

    wb.tasks.retry(task.id, **EVE)
    clock.move(minutes=9)
    wb.tasks.start(task.id, **ANN)
    wb.tasks.complete(task.id, **ANN)
    assert minutes(wb, task) == ("breached", 70, False)
    assert minutes(wb, process) == ("on_track", 70, False)
    assert told(wb, process) == ["breached", "breached"]
    assert wb.check().violations == ()


def test_a_try_that_fails_with_retries_left_changes_nothing(wb: gndp.Workbench, clock: Clock) -> None:
    process = started(wb)
    task = new_task(wb, process)
    for _ in range(3):
        wb.tasks.start(task.id, **ANN)
        clock.move(minutes=10)
        wb.tasks.fail(task.id, error_message="no paper", **ANN)
    assert minutes(wb, task) == ("on_track", 30, False)
    wb.tasks.start(task.id, **ANN)
    wb.tasks.complete(task.id, **ANN)
    assert minutes(wb, task) == ("met", 30, False)
    assert told(wb, process) == ["met"]


def test_skipping_a_failed_task_is_its_verdict_and_its_process_goes_on(
    wb: gndp.Workbench, clock: Clock
) -> None:
    process = started(wb, sla_target_mins=600)
    failed, waits = new_task(wb, process), None
    waits = new_task(wb, process, [failed])
    wb.tasks.start(failed.id, **ANN)
    wb.tasks.fail(failed.id, error_message="no paper", final=True, **ANN)
    clock.move(minutes=30)
    wb.tasks.skip(failed.id, reason="not needed", **EVE)
    assert minutes(wb, failed) == ("met", 30, False)
    clock.move(minutes=10)
    assert minutes(wb, waits) == ("on_track", 10, False)
    assert minutes(wb, process) == ("on_track", 40, False)
    assert wb.check().violations == ()


@pytest.mark.parametrize("again", ["skip", "retry the task", "retry the process"])
def test_a_policy_may_pause_every_clock_of_a_failed_process(
    wb: gndp.Workbench, clock: Clock, again: str
) -> None:
    for item in ("process", "task"):
        document = {"name": item, "item": item, "target_minutes": 60, "pause": ["process.failed"]}
        wb.sla.publish(document, **EVE)
    process = started(wb)
    failing, other = (new_task(wb, process, sla_target_mins=None) for _ in range(2))
    wb.tasks.start(failing.id, **ANN)
    clock.move(minutes=10)
    wb.tasks.fail(failing.id, error_message="no paper", final=True, **ANN)
    clock.move(days=9)
    assert wb.sla.sweep().clocks == 0
    assert [minutes(wb, item) for item in (process, failing, other)] == 3 * [("on_track", 10, True)]
    assert wb.check().violations == ()
    match again:
        case "skip":
            wb.tasks.skip(failing.id, reason="not needed", **EVE)
        case "retry the task":
            wb.tasks.retry(failing.id, **EVE)
        case "retry the process":
            wb.processes.retry(process.id, **EVE)
    clock.move(minutes=5)
    assert [minutes(wb, item) for item in (process, other)] == 2 * [("on_track", 15, False)]
    assert wb.check().violations == ()


@pytest.mark.parametrize(
    ("reason", "stands_still"), [("customer", True), ("Customer: a payslip", True), ("supplier", False)]
)
@pytest.mark.parametrize("ending", ["resume", "release", "reassign", "fail"])
def test_waiting_pauses_for_the_reasons_that_a_policy_names(
    wb: gndp.Workbench, clock: Clock, reason: str, stands_still: bool, ending: str
) -> None:
    pause = [{"event": "task.waiting", "reasons": ["customer"]}]
    wb.sla.publish({"name": "step", "item": "task", "target_minutes": 60, "pause": pause}, **EVE)
    process = started(wb)
    task = new_task(wb, process, sla_target_mins=None)
    wb.tasks.start(task.id, **ANN)
    clock.move(minutes=10)
    wb.tasks.wait(task.id, reason=reason, **ANN)
    clock.move(minutes=30)
    assert minutes(wb, task) == ("on_track", 10 if stands_still else 40, stands_still)
    match ending:
        case "resume":
            wb.tasks.resume(task.id, **ANN)
        case "release":
            wb.tasks.release(task.id, **ANN)
        case "reassign":
            wb.tasks.reassign(task.id, new_assignee="bob", reassigned_by="eve", reason="ill")
        case "fail":
            wb.tasks.fail(task.id, error_message="no answer", **ANN)
    clock.move(minutes=5)
    assert minutes(wb, task) == ("on_track", 15, False) or not stands_still
    assert wb.check().violations == ()


def test_what_is_called_off_has_no_verdict_and_its_children_neither(wb: gndp.Workbench, clock: Clock) -> None:
    parent = started(wb, sla_target_mins=60)
    child = started(wb, sla_target_mins=60, parent_process_id=parent.id)
    held = started(wb, hold=True, parent_process_id=parent.id, sla_target_mins=60)
    tasks = [new_task(wb, process) for process in (parent, child)]
    wb.processes.suspend(child.id, reason="holiday", **EVE)
    clock.move(minutes=20)
    wb.processes.cancel(parent.id, reason="withdrawn", **EVE)
    clock.move(days=9)
    assert wb.sla.sweep().clocks == 0
    assert minutes(wb, parent) == minutes(wb, tasks[0]) == (None, 20, False)
    assert minutes(wb, child) == minutes(wb, tasks[1]) == (None, 0, False)
    assert minutes(wb, held) is None
    assert told(wb, parent) == told(wb, child) == []
    assert {wb.tasks.get(task.id).sla_status for task in tasks} == {"on_track"}
    assert wb.check().violations == ()


def test_a_breach_stays_when_its_item_is_called_off(wb: gndp.Workbench, clock: Clock) -> None:
    process = started(wb, sla_target_mins=60)
    clock.move(minutes=61)
    wb.sla.sweep()
    wb.processes.cancel(process.id, reason="withdrawn", **EVE)
    assert wb.processes.get(process.id).sla_status == "breached"
    assert told(wb, process) == ["breached"]
    assert wb.check().violations == ()


def test_a_failed_task_has_no_clock_any_more_once_its_process_is_called_off(
    wb: gndp.Workbench, clock: Clock
) -> None:
    """Nobody can bring it to an end after that, so nothing is told of it."""
    process = started(wb)
    task = new_task(wb, process)
    wb.tasks.start(task.id, **ANN)
    wb.tasks.fail(task.id, error_message="no paper", final=True, **ANN)
    wb.processes.cancel(process.id, reason="withdrawn", **EVE)
    clock.move(days=9)
    assert wb.sla.sweep().clocks == 0
    assert told(wb, process) == []
    assert wb.check().violations == ()


def test_a_cancelled_task_takes_the_clocks_of_those_behind_it_along(wb: gndp.Workbench, clock: Clock) -> None:
    policy = {"name": "from birth", "item": "task", "target_minutes": 60, "start": ["task.created"]}
    wb.sla.publish({**policy, "name": "from-birth"}, **EVE)
    process = started(wb)
    first = new_task(wb, process, sla_target_mins=None)
    second = new_task(wb, process, [first], sla_target_mins=None)
    third = new_task(wb, process, [second], sla_target_mins=None)
    clock.move(minutes=20)
    wb.tasks.cancel(first.id, reason="withdrawn", cascade=True, **EVE)
    clock.move(days=9)
    assert wb.sla.sweep().clocks == 0
    assert [minutes(wb, task) for task in (first, second, third)] == 3 * [(None, 20, False)]
    assert wb.check().violations == ()


@pytest.mark.parametrize("whole_process", [True, False])
def test_a_clock_that_has_ended_does_not_start_again(
    wb: gndp.Workbench, clock: Clock, whole_process: bool
) -> None:
    policy = {"name": "again", "item": "task", "target_minutes": 60, "start": ["task.retried"]}
    wb.sla.publish({**policy, "stop": ["task.failed"]}, **EVE)
    process = started(wb)
    task = new_task(wb, process, sla_target_mins=None)
    for _ in range(2):
        wb.tasks.start(task.id, **ANN)
        wb.tasks.fail(task.id, error_message="no paper", final=True, **ANN)
        if whole_process:
            wb.processes.retry(process.id, **EVE)
        else:
            wb.tasks.retry(task.id, **EVE)
        clock.move(minutes=5)
    wb.tasks.start(task.id, user_id=wb.tasks.get(task.id).assigned_to or "ann")
    assert minutes(wb, task) == ("met", 5, False)
    assert wb.check().violations == ()


def test_an_escalation_that_gives_a_task_away_ends_its_waiting_for_every_clock(
    wb: gndp.Workbench, clock: Clock
) -> None:
    """The clocks of the task and of its process that stand still while it waits go on."""
    waiting: dict[str, Any] = {"target_minutes": 600, "objective": "work", "pause": ["task.waiting"]}
    away = {"after_minutes": 0, "to": "person", "person": "bob", "action": "reassign"}
    wb.sla.publish({"name": "step", "item": "task", **waiting}, **EVE)
    wb.sla.publish({"name": "case", **waiting}, **EVE)
    wb.sla.publish({"name": "answer", "item": "task", "target_minutes": 60, "escalations": [away]}, **EVE)
    process = started(wb)
    task = new_task(wb, process, sla_target_mins=None)
    wb.tasks.start(task.id, **ANN)
    clock.move(minutes=10)
    wb.tasks.wait(task.id, reason="customer", **ANN)
    clock.move(minutes=51)
    report = wb.sla.sweep()
    assert (report.breached, report.escalated) == (1, 1)
    assert wb.tasks.get(task.id).assigned_to == "bob"
    assert wb.check().violations == ()
    clock.move(minutes=9)
    for by in ({"task_id": task.id}, {"process_id": process.id}):
        (work,) = [r.reading for r in wb.sla.clocks(**by) if r.clock.objective == "work"]
        assert (work.elapsed, work.is_paused) == (timedelta(minutes=19), False)
    wb.sla.sweep()
    assert told(wb, process) == ["breached"]
    assert wb.check().violations == ()
