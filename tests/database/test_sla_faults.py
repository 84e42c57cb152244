"""Faults that SLA clocks and escalations have had, each as what a caller sees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

import gndp
from gndp.core.errors import Invalid
from gndp.engine import sweep
from gndp.jobs.job import JobContext
from gndp.jobs.sla_sweep import sla_sweep
from gndp.settings import Settings
from tests.moving_clock import NINE, Clock, started

BOSS = {"to": "person", "person": "boss"}
TO_BOSS = {**BOSS, "action": "reassign"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wb(new_workbench: Callable[..., gndp.Workbench], clock: Clock) -> gndp.Workbench:
    wb = new_workbench(clock=clock)
    wb.directory.add_person("boss")
    return wb


def added(wb: gndp.Workbench, process: gndp.Process, **more: Any) -> gndp.Task:
    given = {"task_definition_id": "step", "task_name": "Step", "task_type": "manual", **more}
    return wb.tasks.create(process_instance_id=process.id, **given)


def publish(wb: gndp.Workbench, **policy: Any) -> None:
    wb.sla.publish({"name": "care", "item": "task", "target_minutes": 30, **policy}, user_id="eve")


def events(wb: gndp.Workbench, process: gndp.Process, kind: str) -> list[gndp.core.records.Event]:
    found = [e for e in wb.processes.events(process.id, limit=500) if e.event_type == kind]
    return found[::-1]


def not_done(wb: gndp.Workbench, process: gndp.Process) -> list[str | None]:
    return [event.details.get("not_done") for event in events(wb, process, "escalation.triggered")]


# The end of an item


@pytest.mark.parametrize("action", ["reassign", "raise_priority"])
def test_an_escalation_leaves_what_is_final_alone(wb: gndp.Workbench, clock: Clock, action: str) -> None:
    """A clock with terms of its own stop still ends with its item, so nothing is left to escalate."""
    publish(wb, stop=["task.completed"], escalations=[{**BOSS, "action": action}])
    process = started(wb)
    skipped, other = added(wb, process), added(wb, process)
    wb.tasks.skip(skipped.id, user_id="eve", reason="not needed")
    clock.move(hours=1)
    wb.sla.sweep()
    after = wb.tasks.get(skipped.id)
    assert (after.status, after.priority, after.sla_status) == ("skipped", "medium", "met")
    assert [event.task_id for event in events(wb, process, "escalation.triggered")] == [other.id]
    assert wb.check().ok


def test_an_escalation_does_only_what_a_command_could(wb: gndp.Workbench, clock: Clock) -> None:
    """A failed task is nobody's, and nothing in a process that does not run accepts work."""
    publish(wb, escalations=[TO_BOSS, {"action": "raise_priority", "to": "assignee", "after_minutes": 1}])
    process = started(wb)
    failed = added(wb, process)
    wb.tasks.start(failed.id, user_id="ann")
    wb.tasks.fail(failed.id, user_id="ann", error_message="no", final=True)
    clock.move(hours=1)
    wb.sla.sweep()
    assert not_done(wb, process) == ["the process is failed", "the process is failed"]
    after = wb.tasks.get(failed.id)
    assert (after.status, after.priority) == ("failed", "medium")
    assert wb.check().ok


@pytest.mark.parametrize("stop", [["task.started"], ["task.completed"], ["process.failed"]])
def test_completing_or_skipping_decides_whatever_stops_the_clock(wb: gndp.Workbench, stop: list[str]) -> None:
    publish(wb, stop=stop)
    process = started(wb, auto_complete=False)
    task = added(wb, process)
    wb.tasks.skip(task.id, user_id="eve", reason="not needed")
    (reading,) = wb.sla.clocks(task_id=task.id)
    assert (reading.clock.ended, reading.clock.status) == ("stopped", "met")
    assert wb.check().ok


def test_the_clock_of_a_failed_task_ends_with_its_cancelled_process(wb: gndp.Workbench, clock: Clock) -> None:
    process = started(wb)
    task = added(wb, process, sla_target_mins=30)
    wb.tasks.start(task.id, user_id="ann")
    wb.tasks.fail(task.id, user_id="ann", error_message="no", final=True)
    wb.processes.cancel(process.id, user_id="eve", reason="gone")
    clock.move(hours=1)
    assert wb.sla.sweep().breached == 0
    (reading,) = wb.sla.clocks(task_id=task.id)
    assert (reading.clock.ended, reading.reading.status) == ("cancelled", None)
    assert wb.check().ok


# Clocks hear escalations


def test_a_clock_that_a_reassignment_stops_is_stopped_by_an_escalated_one(
    wb: gndp.Workbench, clock: Clock
) -> None:
    later = {**BOSS, "after_minutes": 10}
    publish(wb, stop=["task.assigned", "task.reassigned"], escalations=[TO_BOSS, later])
    process = started(wb)
    task = added(wb, process)
    clock.move(minutes=31)
    assert wb.sla.sweep().escalated == 1
    clock.move(minutes=30)
    assert wb.sla.sweep().escalated == 0
    (reading,) = wb.sla.clocks(task_id=task.id)
    assert (reading.clock.end_time, reading.clock.status) == (NINE.replace(minute=31), "breached")
    assert wb.check().ok


def test_a_sweep_that_comes_late_fires_no_level_after_the_one_that_stopped_the_clock(
    wb: gndp.Workbench, clock: Clock
) -> None:
    publish(wb, stop=["task.assigned"], escalations=[TO_BOSS, {**BOSS, "after_minutes": 10}])
    process = started(wb)
    added(wb, process)
    clock.move(hours=5)
    assert wb.sla.sweep().escalated == 1
    assert wb.check().ok


def test_a_clock_that_waits_goes_on_when_an_escalation_of_another_hands_the_task_over(
    wb: gndp.Workbench, clock: Clock
) -> None:
    publish(wb, name="usual", objective="usual", target_minutes=60, pause=["task.waiting"])
    publish(wb, escalations=[TO_BOSS])
    process = started(wb)
    task = added(wb, process)
    wb.tasks.start(task.id, user_id="ann")
    wb.tasks.wait(task.id, user_id="ann", reason="customer")
    clock.move(minutes=31)
    wb.sla.sweep()
    assert wb.tasks.get(task.id).assigned_to == "boss"
    clock.move(minutes=61)
    assert wb.sla.sweep().breached == 1
    assert {reading.clock.status for reading in wb.sla.clocks(task_id=task.id)} == {"breached"}
    assert wb.check().ok


def test_the_clocks_of_the_process_hear_what_an_escalation_does_to_a_task(
    wb: gndp.Workbench, clock: Clock
) -> None:
    publish(wb, escalations=[TO_BOSS])
    publish(wb, name="taken", objective="taken", item="process", stop=["task.assigned"], target_minutes=600)
    publish(wb, name="done", objective="done", item="process", start=["task.assigned"], target_minutes=600)
    process = started(wb)
    tasks = [added(wb, process) for _ in range(2)]
    clock.move(minutes=31)
    wb.sla.sweep()
    assert [wb.tasks.get(task.id).status for task in tasks] == ["assigned", "assigned"]
    ended = {r.clock.objective: r.clock.ended for r in wb.sla.clocks(process_id=process.id)}
    assert ended == {"taken": "stopped", "done": None}
    clock.move(minutes=31)
    wb.sla.sweep()
    assert wb.check().ok


@pytest.mark.parametrize("again", ["skip", "retry"])
def test_the_clocks_of_all_tasks_hear_that_one_fails_the_process_or_lets_it_run_again(
    wb: gndp.Workbench, clock: Clock, again: str
) -> None:
    publish(wb, pause=["process.failed"])
    process = started(wb)
    task, other = added(wb, process), added(wb, process)
    wb.tasks.start(task.id, user_id="ann")
    clock.move(minutes=20)
    wb.tasks.fail(task.id, user_id="ann", error_message="no", final=True)
    clock.move(hours=5)
    assert wb.sla.sweep().breached == 0
    assert wb.check().ok
    if again == "skip":
        wb.tasks.skip(task.id, user_id="eve", reason="not needed")
    else:
        wb.tasks.retry(task.id, user_id="eve")
    (reading,) = wb.sla.clocks(task_id=other.id)
    assert reading.clock.due_at == wb.tasks.get(other.id).due_date == clock.now + timedelta(minutes=10)
    assert wb.check().ok


# What an item shows


def test_a_breach_that_is_told_when_a_task_becomes_ready_shows_in_its_row(
    wb: gndp.Workbench, clock: Clock
) -> None:
    publish(wb, start=["task.created"])
    process = started(wb)
    first = added(wb, process)
    second = added(wb, process, depends_on=[first.id])
    wb.tasks.start(first.id, user_id="ann")
    clock.move(hours=1)
    wb.tasks.complete(first.id, user_id="ann")
    after = wb.tasks.get(second.id)
    assert (after.substatus, after.sla_status) == ("ready", "breached")
    assert after.sla_breach_time == after.due_date == NINE.replace(minute=30)
    assert wb.check().ok


# Whom an escalation may choose


MAKE = {"id": "make", "name": "Make", "type": "manual"}
CHECK = {"id": "check", "name": "Check", "type": "manual", "different_person_from": ["make"]}


def test_an_escalation_gives_a_task_to_nobody_who_must_be_kept_apart_from_it(
    wb: gndp.Workbench, clock: Clock
) -> None:
    wb.definitions.publish({"id": "loan", "name": "Loan", "steps": [MAKE, CHECK]}, user_id="eve")
    publish(wb, applies_to={"steps": ["check"]}, escalations=[TO_BOSS])
    process = started(wb, process_definition_id="loan")
    make, check = (listed.task for listed in wb.tasks.list(process_id=process.id).tasks)
    wb.tasks.start(make.id, user_id="boss")
    wb.tasks.complete(make.id, user_id="boss")
    clock.move(hours=1)
    wb.sla.sweep()
    assert wb.tasks.get(check.id).assigned_to is None
    assert not_done(wb, process) == ["boss did a step that this one must be kept apart from"]


def test_two_steps_that_are_kept_apart_are_not_escalated_to_one_person_at_once(
    wb: gndp.Workbench, clock: Clock
) -> None:
    wb.definitions.publish({"id": "loan", "name": "Loan", "steps": [MAKE, CHECK]}, user_id="eve")
    publish(wb, escalations=[TO_BOSS])
    process = started(wb, process_definition_id="loan")
    clock.move(hours=1)
    wb.sla.sweep()
    people = [listed.task.assigned_to for listed in wb.tasks.list(process_id=process.id).tasks]
    assert sorted(people, key=str) == [None, "boss"]


@pytest.mark.parametrize("away", [True, False])
def test_an_escalation_gives_no_task_to_somebody_who_is_away_or_gone(
    wb: gndp.Workbench, clock: Clock, away: bool
) -> None:
    if away:
        wb.directory.set_out_of_office("boss", until=NINE.replace(day=9))
    else:
        wb.directory.update_person("boss", active=False)
    publish(wb, escalations=[TO_BOSS])
    process = started(wb)
    task = added(wb, process)
    clock.move(hours=1)
    wb.sla.sweep()
    assert wb.tasks.get(task.id).status == "pending"
    (reason,) = not_done(wb, process)
    assert reason is not None and reason.startswith("boss is ")


# The beginning of a clock


@pytest.mark.parametrize("routed", [False, True])
def test_what_a_clock_has_come_to_when_its_item_begins_shows_in_the_row(
    wb: gndp.Workbench, routed: bool
) -> None:
    """Somebody has the task in the command that creates it, so the promise to answer is kept at once."""
    wb.directory.add_team("ops")
    wb.directory.add_person("ann", team="ops")
    publish(wb, stop=["task.assigned"])
    wb.sla.publish({"name": "first", "target_minutes": 30, "stop": ["task.assigned"]}, user_id="eve")
    step = {"id": "step", "name": "Step", "type": "manual", "team": "ops", "assignment_method": "round_robin"}
    wb.definitions.publish({"id": "routed", "name": "Routed", "steps": [step]}, user_id="eve")
    if routed:
        process = started(wb, process_definition_id="routed")
        (listed,) = wb.tasks.list(process_id=process.id).tasks
        task = listed.task
    else:
        process = started(wb)
        task = added(wb, process, assigned_to="ann")
    assert (task.assigned_to, task.sla_status) == ("ann", "met")
    assert wb.tasks.get(task.id) == task
    assert wb.processes.get(process.id).sla_status == "met"
    assert wb.check().ok


@pytest.mark.parametrize("later", ["published", "fitting"])
def test_a_clock_that_begins_when_something_happens_again_goes_by_that(
    wb: gndp.Workbench, clock: Clock, later: str
) -> None:
    """The first time its policy was not there yet, or not for the task."""
    policy = {"start": ["task.started"], "applies_to": {"priorities": ["critical"]}}
    if later == "fitting":
        publish(wb, **policy)
    task = added(wb, started(wb), priority="medium" if later == "fitting" else "critical")
    wb.tasks.start(task.id, user_id="ann")
    if later == "published":
        publish(wb, **policy)
    else:
        wb.tasks.update(task.id, user_id="ann", priority="critical")
    clock.move(minutes=20)
    wb.tasks.release(task.id, user_id="ann")
    wb.tasks.start(task.id, user_id="bob")
    due = NINE + timedelta(minutes=50)
    (reading,) = wb.sla.clocks(task_id=task.id)
    assert (reading.clock.due_at, reading.reading.due_at) == (due, due)
    assert wb.sla.clocks(task_id=task.id, as_of=NINE) == []
    assert wb.check().ok


def test_recomputing_a_task_tells_what_has_come_for_its_process(wb: gndp.Workbench, clock: Clock) -> None:
    process = started(wb, sla_target_mins=30)
    task = added(wb, process, sla_target_mins=300)
    clock.move(hours=1)
    publish(wb, target_minutes=400)
    wb.sla.recompute(task_id=task.id, user_id="eve", reason="a promise of its own")
    assert [event.task_id for event in events(wb, process, "sla.breached")] == [None]
    assert wb.processes.get(process.id).sla_status == "breached"
    assert wb.check().ok


# The sweep


def test_a_clock_that_is_removed_while_a_sweep_comes_to_it_is_left_out(
    wb: gndp.Workbench, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(wb, item="process")
    process, other = started(wb), started(wb)
    clock.move(hours=1)
    publish(wb, item="process", start=["task.created"])
    asked = sweep.statement
    waiting = [process]

    def statement(noun: str, name: str, /, **values: Any) -> Any:
        if name == "lock_processes" and waiting:
            wb.sla.recompute(process_id=waiting.pop().id, user_id="eve", reason="other start")
        return asked(noun, name, **values)

    monkeypatch.setattr(sweep, "statement", statement)
    report = wb.sla.sweep()
    assert (report.breached, report.skipped, report.unusable) == (1, 0, [])
    assert wb.processes.get(other.id).sla_status == "breached"


def test_a_sweep_escalates_with_one_connection(
    new_workbench: Callable[..., gndp.Workbench], clock: Clock
) -> None:
    wb = new_workbench(clock=clock, settings=Settings(pool_min_size=1, pool_max_size=1))
    wb.directory.add_person("lea")
    wb.directory.add_team("ops", lead="lea")
    publish(wb, escalations=[{"to": "team_lead"}, {"to": "manager", "after_minutes": 1}])
    process = started(wb)
    added(wb, process, assigned_team="ops")
    clock.move(hours=1)
    assert wb.sla.sweep().escalated == 2
    assert not_done(wb, process) == [None, "the team ops has no manager"]


def test_a_sweep_asks_the_directory_as_often_for_many_tasks_as_for_one(
    wb: gndp.Workbench, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    wb.directory.add_team("ops", lead="boss")
    publish(wb, escalations=[{"to": "team_lead"}, {"to": "team_lead", "after_minutes": 1}])
    asked: list[Any] = []
    read = wb.directory._read
    monkeypatch.setattr(wb.directory, "_read", lambda *wanted: (asked.append(wanted), read(*wanted))[1])

    def asked_for(number: int) -> int:
        process = started(wb)
        for _ in range(number):
            added(wb, process, assigned_team="ops")
        clock.move(hours=1)
        asked.clear()
        assert wb.sla.sweep().escalated == 2 * number
        return len(asked)

    assert asked_for(1) == asked_for(120) > 0


@pytest.mark.parametrize(("asked_before", "told"), [(0, 0), (1, 100), (2, 150)])
def test_a_sweep_that_should_stop_ends_between_batches_and_the_next_one_tells_the_rest(
    wb: gndp.Workbench, clock: Clock, asked_before: int, told: int
) -> None:
    publish(wb)
    process = started(wb)
    for _ in range(150):
        added(wb, process)
    clock.move(hours=1)
    answers = iter([False] * asked_before)
    job = sla_sweep(wb.sla, 300)
    report = job.run(JobContext(clock.now, 1, wb.sla._transitions.write, lambda: next(answers, True)))
    assert (report["clocks"], report["breached"]) == (told, told)
    assert (wb.sla.next_due() is None) == (told == 150)
    assert wb.check().ok

    assert wb.sla.sweep().breached == 150 - told
    assert wb.sla.next_due() is None
    assert len(events(wb, process, "sla.breached")) == 150
    assert wb.check().ok


def test_what_a_command_holds_is_left_to_the_next_sweep_and_hides_nothing(
    wb: gndp.Workbench, clock: Clock
) -> None:
    held = started(wb, sla_target_mins=30)
    clock.move(minutes=1)
    other = started(wb, sla_target_mins=30)
    clock.move(minutes=23)
    with psycopg.connect(wb.database_url) as connection:
        connection.execute("SELECT FROM process_instances WHERE id = %s FOR UPDATE", [held.id])
        report = wb.sla.sweep()
    assert (report.skipped, report.at_risk, report.unusable) == (1, 0, [])
    assert wb.sla.next_due() == clock.now
    clock.move(minutes=1)
    assert wb.sla.next_due() == clock.now
    assert wb.sla.sweep().at_risk == 2
    assert wb.sla.next_due() == wb.processes.get(held.id).due_date + timedelta(microseconds=1)
    assert wb.processes.get(other.id).sla_status == "at_risk"


# What this version cannot read


def damage(wb: gndp.Workbench, statement: str) -> None:
    with psycopg.connect(wb.database_url) as connection:
        connection.execute(statement)


def test_a_policy_that_this_version_cannot_read_starts_no_clock_and_stops_nothing(
    wb: gndp.Workbench, clock: Clock
) -> None:
    publish(wb, item="process")
    process = started(wb)
    damage(wb, """UPDATE sla_policies SET document = '{"name": "care", "target_minutes": 60, "future": 1}'""")
    publish(wb, name="other", item="process", objective="other")
    wb.processes.comment(process.id, user_id="eve", text="look")
    assert [r.clock.policy_name for r in wb.sla.clocks(process_id=started(wb).id)] == ["other"]
    clock.move(hours=1)
    report = wb.sla.sweep()
    assert report.breached == 2
    (said,) = report.unusable
    assert said.startswith("policy care: ") and "future" in said


def test_terms_that_this_version_cannot_read_leave_their_clock_alone_and_stop_nothing(
    new_workbench: Callable[..., gndp.Workbench], wb: gndp.Workbench, clock: Clock
) -> None:
    publish(wb, item="process")
    process = started(wb, sla_target_mins=20)
    damage(
        wb,
        "UPDATE sla_terms SET document = jsonb_set(document, '{policy,future}', '1')"
        " WHERE document -> 'policy' ->> 'name' = 'care'",
    )
    fresh = new_workbench(database_url=wb.database_url, clock=clock)
    fresh.processes.comment(process.id, user_id="eve", text="look")
    clock.move(hours=1)
    report = fresh.sla.sweep()
    assert report.breached == 1
    assert [said.startswith("clock ") for said in report.unusable] == [True]
    (reading,) = fresh.sla.clocks(process_id=process.id)
    assert reading.clock.policy_name == "sla_target_mins"
    fresh.processes.complete(process.id, user_id="eve")
    assert fresh.check().ok


def test_a_command_is_not_refused_for_what_follows_its_commit(wb: gndp.Workbench) -> None:
    wb.directory.add_team("ops")
    wb.directory.add_person("ann", team="ops", capacity=1)
    process = started(wb)
    first, _ = (added(wb, process, assigned_team="ops", assignment_method="round_robin") for _ in range(2))

    def fail(teams: set[str]) -> None:
        raise RuntimeError(f"no room in {teams}")

    wb._transitions.use_freed_capacity = fail
    wb.tasks.start(first.id, user_id="ann")
    assert wb.tasks.complete(first.id, user_id="ann").status == "completed"
    with wb.transaction():
        wb.processes.comment(process.id, user_id="eve", text="look")


def hours(opening: str, closing: str, days: int = 7) -> gndp.Calendar:
    return gndp.Calendar(hours={day: [(opening, closing)] for day in range(days)})


def test_a_policy_whose_clock_would_never_be_due_is_refused(wb: gndp.Workbench) -> None:
    wb.calendars.save("thin", hours("09:00", "09:01", days=1))
    with pytest.raises(Invalid, match="cannot be reached"):
        publish(wb, calendar="thin", target_minutes=1_000_000)
    with pytest.raises(Invalid, match="cannot be reached"):
        publish(wb, calendar="thin", target_minutes=1, escalations=[{**BOSS, "after_minutes": 1_000_000}])


def test_a_calendar_that_became_too_thin_refuses_no_command(wb: gndp.Workbench, clock: Clock) -> None:
    wb.calendars.save("office", hours("00:00", "24:00"))
    publish(wb, item="process", calendar="office", target_minutes=1_000_000)
    damage(wb, """UPDATE calendars SET document = '{"hours": {"0": [["09:00", "09:01"]]}}'""")
    process = started(wb, sla_target_mins=30)
    assert [r.clock.policy_name for r in wb.sla.clocks(process_id=process.id)] == ["sla_target_mins"]
    clock.move(hours=1)
    (said,) = wb.sla.sweep().unusable
    assert said.startswith("policy care: calendar")


def test_a_clock_that_cannot_go_on_refuses_no_command(wb: gndp.Workbench, clock: Clock) -> None:
    """Due can be reached when it starts, and not any more when it should go on."""
    clock.now = NINE.replace(year=9900)
    wb.calendars.save("office", hours("09:00", "10:00", days=1))
    publish(wb, item="process", calendar="office", target_minutes=60 * 52 * 49)
    process = started(wb)
    wb.processes.suspend(process.id, user_id="eve", reason="holiday")
    clock.now = NINE.replace(year=9960)
    assert wb.processes.resume(process.id, user_id="eve").status == "running"
    assert wb.processes.complete(process.id, user_id="eve").status == "completed"
    assert wb.sla.clocks(process_id=process.id) == []
    assert wb.check().ok


# Recomputing


def test_a_clock_that_a_recomputation_called_off_reads_as_called_off(
    wb: gndp.Workbench, clock: Clock
) -> None:
    publish(wb, item="process")
    process = started(wb)
    clock.move(minutes=10)
    wb.sla.retire("care", user_id="eve")
    wb.sla.recompute(process_id=process.id, user_id="eve", reason="retired")
    clock.move(hours=2)
    (reading,) = wb.sla.clocks(process_id=process.id)
    assert (reading.reading.status, reading.reading.next_at) == (None, None)
    assert reading.reading.elapsed == timedelta(minutes=10)
    (before,) = wb.sla.clocks(process_id=process.id, as_of=NINE)
    assert before.reading.status == "on_track"


def test_a_level_that_fired_does_not_fire_again_after_a_recomputation(
    wb: gndp.Workbench, clock: Clock
) -> None:
    publish(wb, item="process", escalations=[BOSS])
    process = started(wb)
    clock.move(minutes=31)
    wb.sla.sweep()
    publish(wb, item="process", escalations=[BOSS, {**BOSS, "after_minutes": 30}], target_minutes=60)
    wb.sla.recompute(process_id=process.id, user_id="eve", reason="longer")
    clock.move(hours=5)
    wb.sla.sweep()
    levels = [event.details["level"] for event in events(wb, process, "escalation.triggered")]
    assert levels == [1, 2]
    assert wb.check().ok


# Arguments


@pytest.mark.parametrize("minutes", [5_256_001, 2**31 - 1])
def test_a_target_beyond_ten_years_is_refused(wb: gndp.Workbench, minutes: int) -> None:
    process = started(wb, sla_target_mins=5_256_000)
    with pytest.raises(Invalid, match="sla_target_mins"):
        started(wb, sla_target_mins=minutes)
    with pytest.raises(Invalid, match="sla_target_mins"):
        added(wb, process, sla_target_mins=minutes)


def test_a_start_beyond_all_years_is_no_fault(wb: gndp.Workbench, clock: Clock) -> None:
    clock.now = datetime(9999, 12, 31, 23, 50, tzinfo=UTC)
    assert started(wb, sla_target_mins=60).status == "running"


@pytest.mark.parametrize("name", [[], {}, None, 7, " "])
def test_a_job_that_is_no_name_is_refused(wb: gndp.Workbench, name: Any) -> None:
    with pytest.raises(Invalid):
        wb.jobs.run(name)
