"""Routing where it once went wrong: queues, freed capacity, people who are away, and commands at once."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest

import gndp
from gndp.core.errors import Conflict

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wb(new_workbench: Callable[..., gndp.Workbench], clock: Clock) -> gndp.Workbench:
    wb = new_workbench(clock=clock)
    wb.directory.add_team("ops")
    wb.directory.add_person("ann", team="ops", capacity=1)
    return wb


@pytest.fixture
def process(wb: gndp.Workbench) -> Any:
    return started(wb)


def started(wb: gndp.Workbench, **more: Any) -> Any:
    given = {"process_definition_id": "loose", "process_name": "Case", "process_type": "custom"}
    return wb.processes.start(**{**given, "initiated_by": "eve", "auto_complete": False, **more})


def wanted(process: Any, **more: Any) -> dict[str, Any]:
    return {
        "process_instance_id": process.id,
        "task_definition_id": "step",
        "task_name": "Step",
        "task_type": "manual",
        "assigned_team": "ops",
        "assignment_method": "round_robin",
        **more,
    }


def routed(wb: gndp.Workbench, process: Any, **more: Any) -> Any:
    return wb.tasks.create(**wanted(process, **more))


def by_hand(wb: gndp.Workbench, process: Any, person: str, **more: Any) -> Any:
    return routed(wb, process, assignment_method="manual", assigned_to=person, **more)


def done(wb: gndp.Workbench, task: Any) -> None:
    task = wb.tasks.get(task.id)
    wb.tasks.start(task.id, user_id=task.assigned_to)
    wb.tasks.complete(task.id, user_id=task.assigned_to)


def who_has(wb: gndp.Workbench, task: Any) -> str | None:
    return wb.tasks.get(task.id).assigned_to


def kinds(wb: gndp.Workbench, process: Any, task: Any) -> list[str]:
    listed = reversed(wb.processes.events(process.id, limit=500))
    return [event.event_type for event in listed if event.task_id == task.id]


def tasks_of(wb: gndp.Workbench, person: str) -> int:
    return sum(load.active_tasks for load in wb.tasks.workload() if load.assigned_to == person)


# What a command ends while it routes.


def test_whoever_completes_the_step_before_worked_last(
    wb: gndp.Workbench, clock: Clock, process: Any
) -> None:
    wb.directory.add_person("bob", team="ops")
    first, between = by_hand(wb, process, "bob"), by_hand(wb, process, "ann")
    behind = routed(wb, process, depends_on=[first.id], assignment_method="last_performer")
    wb.tasks.start(first.id, user_id="bob")
    clock.now += timedelta(minutes=10)
    done(wb, between)
    clock.now += timedelta(minutes=10)
    wb.tasks.complete(first.id, user_id="bob")
    assert who_has(wb, behind) == "bob"


def test_whoever_had_a_step_that_was_skipped_has_not_worked_on_it(
    wb: gndp.Workbench, clock: Clock, process: Any
) -> None:
    wb.directory.add_person("bob", team="ops")
    first, between = by_hand(wb, process, "ann"), by_hand(wb, process, "bob")
    behind = routed(wb, process, depends_on=[first.id], assignment_method="last_performer")
    done(wb, between)
    clock.now += timedelta(minutes=10)
    wb.tasks.skip(first.id, user_id="eve", reason="not needed")
    assert who_has(wb, behind) == "bob"


@pytest.mark.parametrize("measure", ["tasks", "priority", "estimated_minutes"])
def test_a_task_that_is_completed_is_no_load_any_more(wb: gndp.Workbench, process: Any, measure: str) -> None:
    """With it bob would seem to have as much as ann, who comes first."""
    wb.directory.update_team("ops", load_measure=measure)
    wb.directory.update_person("ann", capacity=2)
    wb.directory.add_person("bob", team="ops", capacity=2)
    by_hand(wb, process, "ann")
    before = by_hand(wb, process, "bob")
    behind = routed(wb, process, depends_on=[before.id], assignment_method="load_balanced")
    done(wb, before)
    assert who_has(wb, behind) == "bob"
    assert wb.tasks.explain_assignment(behind.id).considered[0].score == 0


def test_what_a_command_makes_ready_for_somebody_takes_room(wb: gndp.Workbench, process: Any) -> None:
    first = by_hand(wb, process, "eve")
    ahead = by_hand(wb, process, "ann", depends_on=[first.id])
    behind = routed(wb, process, depends_on=[first.id])
    done(wb, first)
    assert (who_has(wb, ahead), who_has(wb, behind)) == ("ann", None)
    done(wb, ahead)
    assert who_has(wb, behind) == "ann"


def test_what_a_command_creates_for_somebody_takes_room(wb: gndp.Workbench, process: Any) -> None:
    named = wanted(process, assignment_method="manual", assigned_to="ann")
    _, behind = wb.tasks.create_many([named, wanted(process)])
    assert behind.assigned_to is None
    assert wb.check().ok


def test_what_somebody_has_in_a_process_that_begins_to_run_takes_room(wb: gndp.Workbench) -> None:
    held = started(wb, hold=True)
    by_hand(wb, held, "ann")
    waits = routed(wb, held)
    wb.processes.update_status(held.id, new_status="running", user_id="eve")
    assert who_has(wb, waits) is None
    assert wb.check().ok


def test_what_somebody_has_in_a_process_that_runs_again_takes_room(wb: gndp.Workbench, process: Any) -> None:
    by_hand(wb, process, "ann")
    fails = by_hand(wb, process, "eve")
    behind = routed(wb, process, depends_on=[fails.id])
    wb.tasks.start(fails.id, user_id="eve")
    wb.tasks.fail(fails.id, user_id="eve", error_message="no", final=True)
    wb.tasks.skip(fails.id, user_id="eve", reason="not needed")
    assert who_has(wb, behind) is None
    assert wb.check().ok


# Capacity that a command frees.


def test_whoever_completes_a_step_can_have_the_one_behind_it(wb: gndp.Workbench, process: Any) -> None:
    first = routed(wb, process)
    second = routed(wb, process, depends_on=[first.id])
    done(wb, first)

    assert who_has(wb, second) == "ann"
    assert kinds(wb, process, second) == ["task.created", "task.ready", "task.assigned"]
    assert wb.check().ok


def test_capacity_goes_to_the_most_urgent_of_the_queue_before_the_step_behind(
    wb: gndp.Workbench, process: Any
) -> None:
    first = routed(wb, process)
    urgent = routed(wb, process, priority="high")
    behind = routed(wb, process, depends_on=[first.id])
    done(wb, first)

    assert (who_has(wb, urgent), who_has(wb, behind)) == ("ann", None)
    assert kinds(wb, process, behind) == ["task.created", "task.ready", "assignment.needed"]
    assert wb.tasks.explain_assignment(behind.id).considered[0].reason == "has 1 of at most 1 tasks"


@pytest.mark.parametrize(
    "free",
    [
        lambda wb, process, task: wb.processes.cancel(process.id, user_id="eve", reason="r"),
        lambda wb, process, task: wb.processes.suspend(process.id, user_id="eve", reason="r"),
        lambda wb, process, task: wb.processes.fail(process.id, user_id="eve", error_message="m"),
        lambda wb, process, task: wb.tasks.skip(task.id, user_id="eve", reason="r"),
        lambda wb, process, task: wb.tasks.reassign(
            task.id, new_assignee="zoe", reassigned_by="eve", reason="r"
        ),
        lambda wb, process, task: wb.directory.update_person("ann", capacity=2),
        lambda wb, process, task: wb.directory.add_person("bob", team="ops"),
        lambda wb, process, task: wb.directory.update_person("cid", active=True),
        lambda wb, process, task: wb.directory.set_out_of_office("dora", until=None),
    ],
)
def test_a_command_that_frees_somebody_gives_out_what_waits(
    wb: gndp.Workbench, process: Any, free: Callable[..., Any]
) -> None:
    wb.directory.add_person("cid", team="ops", active=False)
    wb.directory.add_person("dora", team="ops")
    wb.directory.set_out_of_office("dora", until=NOON + timedelta(days=1))
    other = started(wb)
    held, waiting = routed(wb, other), routed(wb, process)
    assert (who_has(wb, held), who_has(wb, waiting)) == ("ann", None)

    free(wb, other, held)
    assert who_has(wb, waiting) is not None
    assert wb.check().ok


def test_a_process_that_goes_on_gives_out_what_waits_in_it(wb: gndp.Workbench, process: Any) -> None:
    held, waiting = routed(wb, started(wb)), routed(wb, process)
    wb.processes.suspend(process.id, user_id="eve", reason="r")
    done(wb, held)
    assert who_has(wb, waiting) is None
    wb.processes.resume(process.id, user_id="eve")
    assert who_has(wb, waiting) == "ann"


def test_a_substitute_who_is_free_again_serves_the_teams_of_those_who_are_away(
    wb: gndp.Workbench, process: Any
) -> None:
    wb.directory.add_team("other")
    wb.directory.add_person("sue", team="other", capacity=1)
    wb.directory.add_person("tom")
    wb.directory.set_out_of_office("tom", until=NOON + timedelta(days=1), substitute="sue")
    wb.directory.set_out_of_office("ann", until=NOON + timedelta(days=1), substitute="tom")
    first, second = routed(wb, process), routed(wb, process)
    assert (who_has(wb, first), who_has(wb, second)) == ("sue", None)
    done(wb, first)
    assert who_has(wb, second) == "sue"


def test_what_fails_after_the_commit_does_not_reach_whoever_gave_the_command(
    wb: gndp.Workbench, process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = routed(wb, process), routed(wb, process)
    monkeypatch.setattr("gndp.engine.waiting.route", lambda *_, **__: 1 / 0)
    done(wb, first)
    assert wb.tasks.get(first.id).status == "completed"
    monkeypatch.undo()
    assert wb.jobs.run("assignment").details["given"] == {"ops": 1}
    assert who_has(wb, second) == "ann"


# The queue.


@pytest.mark.parametrize("in_front", [11, 1_001])
def test_tasks_that_nobody_can_do_hold_nobody_up(wb: gndp.Workbench, process: Any, in_front: int) -> None:
    first = routed(wb, process)
    hard = wanted(process, required_skills={"magic": 5}, priority="high")
    wb.tasks.create_many([hard] * in_front)
    easy = routed(wb, process)
    done(wb, first)

    assert who_has(wb, easy) == "ann"
    done(wb, easy)
    report = wb.jobs.run("assignment").details
    assert report["given"] == {"ops": 0}
    assert report["left"] == {"ops": {"nobody in the team ops has magic 5": in_front}}


def test_a_task_kept_apart_from_the_only_one_free_holds_nobody_up(wb: gndp.Workbench, process: Any) -> None:
    step = {"team": "ops", "assignment_method": "round_robin"}
    wb.definitions.publish(
        {
            "id": "pair",
            "name": "Pair",
            "steps": [
                {"id": "make", "name": "Make"},
                {"id": "check", "name": "Check", "different_person_from": ["make"], **step},
            ],
        },
        user_id="eve",
    )
    first = routed(wb, process)
    for _ in range(12):
        pair = started(wb, process_definition_id="pair")
        make = wb.tasks.list(process_id=pair.id).tasks[0].task
        wb.tasks.start(make.id, user_id="ann")
        wb.tasks.complete(make.id, user_id="ann")
    easy = routed(wb, process)
    done(wb, first)
    assert who_has(wb, easy) == "ann"


def test_the_job_says_why_tasks_are_left(wb: gndp.Workbench, process: Any) -> None:
    routed(wb, process, assigned_team="nowhere")
    for skills in ({}, {}, {}, {"magic": 5}):
        routed(wb, process, required_skills=skills)
    report = wb.jobs.run("assignment").details
    assert report["given"] == {"nowhere": 0, "ops": 0}
    assert report["left"] == {
        "nowhere": {"there is nobody in the team nowhere": 1},
        "ops": {"nobody of 1 in the team ops can take it now": 2, "nobody in the team ops has magic 5": 1},
    }


def test_a_process_that_is_held_does_not_stop_the_job(wb: gndp.Workbench, process: Any) -> None:
    other = started(wb)
    routed(wb, process)
    held, free = routed(wb, process), routed(wb, other)
    with psycopg.connect(wb.database_url) as connection:
        connection.execute("SELECT FROM process_instances WHERE id = %s FOR NO KEY UPDATE", [process.id])
        wb.directory.update_person("ann", capacity=3)
        run = wb.jobs.run("assignment")
    assert (run.status, who_has(wb, free), who_has(wb, held)) == ("succeeded", "ann", None)
    assert run.details["left"] == {"ops": {"another command holds its process": 1}}
    assert wb.jobs.run("assignment").details["given"] == {"ops": 1}


def test_a_team_that_is_held_does_not_stop_the_job(wb: gndp.Workbench, process: Any) -> None:
    wb.directory.add_team("zeta")
    wb.directory.update_person("ann", active=False)
    held, free = routed(wb, process), routed(wb, process, assigned_team="zeta")
    with psycopg.connect(wb.database_url) as direct:
        direct.execute("UPDATE people SET active = true")
        direct.execute(
            "INSERT INTO people (user_id, name, team, created_at) VALUES ('zoe', 'Z', 'zeta', now())"
        )
    with psycopg.connect(wb.database_url) as connection:
        connection.execute("SELECT FROM teams WHERE name = 'ops' FOR NO KEY UPDATE")
        run = wb.jobs.run("assignment")
    assert (run.status, who_has(wb, free), who_has(wb, held)) == ("succeeded", "zoe", None)
    assert "stayed locked" in run.details["failed"][str(held.id)]


def test_a_definition_that_cannot_be_read_does_not_stop_the_job(
    wb: gndp.Workbench, new_workbench: Callable[..., gndp.Workbench], clock: Clock, process: Any
) -> None:
    step = {"id": "make", "name": "Make", "team": "ops", "assignment_method": "round_robin"}
    wb.definitions.publish({"id": "one", "name": "One", "steps": [step]}, user_id="eve")
    wb.directory.update_person("ann", active=False)
    unreadable = wb.tasks.list(process_id=started(wb, process_definition_id="one").id).tasks[0].task
    readable = routed(wb, process)
    with psycopg.connect(wb.database_url) as direct:
        direct.execute("UPDATE people SET active = true, capacity = NULL")
        direct.execute("""UPDATE process_definitions SET document = '{"id": "one", "from": "tomorrow"}'""")
    other = new_workbench(database_url=wb.database_url, clock=clock)
    run = other.jobs.run("assignment")
    assert (run.status, who_has(wb, readable), run.details["failures"]) == ("succeeded", "ann", 1)
    assert list(run.details["failed"]) == [str(unreadable.id)]


# Tasks that come back.


def test_a_task_that_was_claimed_or_given_by_hand_and_comes_back_is_routed_again(
    wb: gndp.Workbench, process: Any
) -> None:
    wb.directory.update_person("ann", active=False)
    task = routed(wb, process)
    wb.tasks.claim(task.id, user_id="visitor")
    assert wb.tasks.get(task.id).assignment_method == "round_robin"
    with psycopg.connect(wb.database_url) as direct:
        direct.execute("UPDATE people SET active = true")
        methods = "SELECT assignment_method FROM task_assignments WHERE task_id = %s ORDER BY id"
        assert direct.execute(methods, [task.id]).fetchall() == [("manual",)]
    wb.tasks.release(task.id, user_id="visitor")
    assert who_has(wb, task) == "ann"

    wb.tasks.reassign(task.id, new_assignee="zoe", reassigned_by="eve", reason="r")
    wb.tasks.release(task.id, user_id="zoe")
    assert who_has(wb, task) == "ann"
    assert wb.check().ok


def test_a_task_that_comes_back_and_nobody_takes_needs_somebody(wb: gndp.Workbench, process: Any) -> None:
    task = routed(wb, process)
    wb.tasks.release(task.id, user_id="ann")

    assert kinds(wb, process, task)[-2:] == ["task.released", "assignment.needed"]
    why = wb.tasks.explain_assignment(task.id)
    assert (why.assigned_to, why.considered[0].reason) == (None, "gave it back")
    wb.jobs.run("assignment")
    assert kinds(wb, process, task).count("assignment.needed") == 1


def test_a_failed_task_that_is_retried_is_routed_again(wb: gndp.Workbench, process: Any) -> None:
    task = routed(wb, process)
    wb.tasks.start(task.id, user_id="ann")
    wb.tasks.fail(task.id, user_id="ann", error_message="m", final=True)
    wb.directory.update_person("ann", active=False)
    wb.tasks.retry(task.id, user_id="eve")
    assert kinds(wb, process, task)[-2:] == ["task.retried", "assignment.needed"]
    assert wb.tasks.explain_assignment(task.id).assigned_to is None


def test_a_manual_task_that_comes_back_is_explained(wb: gndp.Workbench, process: Any) -> None:
    task = by_hand(wb, process, "ann")
    wb.tasks.release(task.id, user_id="ann")
    why = wb.tasks.explain_assignment(task.id)
    assert (why.assigned_to, why.reason) == (None, "taken back from ann, and nobody has it since")


def test_whoever_gave_a_task_back_may_get_it_when_it_is_put_into_a_queue_again(
    wb: gndp.Workbench, process: Any
) -> None:
    task = routed(wb, process)
    wb.tasks.release(task.id, user_id="ann")
    assert who_has(wb, task) is None
    wb.tasks.assign(task.id, team="ops", assignment_method="round_robin", user_id="eve")
    assert who_has(wb, task) == "ann"


def test_a_task_that_a_server_left_without_a_word_is_told_by_the_job(
    wb: gndp.Workbench, process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = routed(wb, process)
    monkeypatch.setattr("gndp.engine.waiting.route", lambda *_, **__: 1 / 0)  # as if it had died
    wb.tasks.release(task.id, user_id="ann")
    assert kinds(wb, process, task)[-1] == "task.released"
    monkeypatch.undo()
    wb.jobs.run("assignment")
    assert kinds(wb, process, task)[-1] == "assignment.needed"


# People who are away, have left, or do no tasks.


def test_what_somebody_away_left_goes_along_the_chain_of_substitutes(
    wb: gndp.Workbench, process: Any
) -> None:
    task = routed(wb, process)
    for person in ("bea", "cleo"):
        wb.directory.add_person(person)
    until = NOON + timedelta(days=3)
    wb.directory.set_out_of_office("bea", until=until, substitute="cleo")
    wb.directory.set_out_of_office("ann", until=until, substitute="bea")
    assert wb.jobs.run("absences").details["handed_over"] == 1
    assert who_has(wb, task) == "cleo"
    assert wb.tasks.explain_assignment(task.id).reason == "ann is out of office"
    assert wb.check().ok


def test_a_substitute_gets_no_more_than_there_is_room_for_and_the_rest_goes_back(
    wb: gndp.Workbench, process: Any
) -> None:
    wb.directory.update_person("ann", capacity=3)
    tasks = [routed(wb, process) for _ in range(3)]
    wb.directory.add_person("sue", capacity=1)
    wb.directory.add_person("bob", team="ops", capacity=1)
    wb.directory.set_out_of_office("ann", until=NOON + timedelta(days=3), substitute="sue")
    details = wb.jobs.run("absences").details
    assert (details["handed_over"], details["returned"]) == (1, 2)
    assert sorted(str(who_has(wb, task)) for task in tasks) == ["None", "bob", "sue"]
    assert tasks_of(wb, "sue") == 1


@pytest.mark.parametrize("begun", [False, True])
def test_what_somebody_has_who_left_goes_back(wb: gndp.Workbench, process: Any, begun: bool) -> None:
    task, own = routed(wb, process), by_hand(wb, process, "ann", assigned_team=None)
    if begun:
        wb.tasks.start(task.id, user_id="ann")
    wb.directory.add_person("bob", team="ops")
    wb.directory.update_person("ann", active=False)
    assert wb.jobs.run("absences").details["returned"] == 2
    assert (who_has(wb, task), who_has(wb, own)) == ("bob", None)
    assert wb.check().ok


def test_what_somebody_away_has_without_a_substitute_goes_back_to_the_team(
    wb: gndp.Workbench, process: Any
) -> None:
    wb.directory.update_person("ann", capacity=2)
    task, own = routed(wb, process), by_hand(wb, process, "ann", assigned_team=None)
    wb.directory.add_person("bob", team="ops")
    wb.directory.set_out_of_office("ann", until=NOON + timedelta(days=3))
    assert wb.jobs.run("absences").details["returned"] == 1
    assert (who_has(wb, task), who_has(wb, own)) == ("bob", "ann")
    wb.directory.set_out_of_office("ann", until=None)
    wb.directory.update_person("bob", active=False)
    wb.jobs.run("absences")
    assert who_has(wb, task) == "ann", "what was taken from somebody away was not given back"


def test_begun_work_stays_with_whoever_is_away(wb: gndp.Workbench, process: Any) -> None:
    task = routed(wb, process)
    wb.tasks.start(task.id, user_id="ann")
    wb.directory.set_out_of_office("ann", until=NOON + timedelta(days=3))
    assert wb.jobs.run("absences").details == {"handed_over": 0, "returned": 0, "stayed": {}}
    assert who_has(wb, task) == "ann"


@pytest.mark.parametrize("role", ["viewer", "service"])
def test_viewers_and_programs_are_given_nothing(wb: gndp.Workbench, process: Any, role: str) -> None:
    wb.directory.update_person("ann", role=role)
    task = routed(wb, process)
    assert task.assigned_to is None
    assert wb.tasks.explain_assignment(task.id).considered[0].reason.startswith(f"is a {role}")


# Balance and explanations.


def test_a_team_made_uneven_by_hand_is_told_once_by_the_job(wb: gndp.Workbench, process: Any) -> None:
    wb.directory.update_person("ann", capacity=None)
    wb.directory.add_person("bob", team="ops")
    wb.directory.update_team("ops", imbalance_limit=2)
    tasks = [by_hand(wb, process, "ann", assigned_team=None) for _ in range(4)]

    def told() -> int:
        return sum(e.event_type == "workload.imbalance" for e in wb.processes.events(process.id, limit=500))

    assert wb.jobs.run("assignment").details["uneven"] == ["ops"]
    assert wb.jobs.run("assignment").details["uneven"] == []
    assert routed(wb, process, assignment_method="load_balanced").assigned_to == "bob"
    assert told() == 1
    for task in tasks:
        done(wb, task)
    wb.jobs.run("assignment")
    for _ in range(4):
        by_hand(wb, process, "ann", assigned_team=None)
    wb.jobs.run("assignment")
    assert told() == 2
    assert wb.check().ok


def test_a_choice_in_an_uneven_team_tells_it_though_it_was_uneven_before(
    wb: gndp.Workbench, process: Any
) -> None:
    wb.directory.update_person("ann", capacity=None)
    wb.directory.add_person("bob", team="ops")
    wb.directory.update_team("ops", imbalance_limit=2)
    for _ in range(6):
        by_hand(wb, process, "ann")
    routed(wb, process, assignment_method="load_balanced")
    events = wb.processes.events(process.id, limit=500)
    assert [event.details["spread"] for event in events if event.event_type == "workload.imbalance"] == [5.0]


def test_an_explanation_of_a_large_team_stays_small(wb: gndp.Workbench, process: Any) -> None:
    rows = "".join(f"p{number:03},ops\n" for number in range(199))
    wb.directory.import_csv(io.StringIO("user_id,team\n" + rows))
    task = routed(wb, process, assignment_method="last_performer")
    (event,) = [e for e in wb.processes.events(process.id) if e.event_type == "task.assigned"]
    assert len(orjson.dumps(event.details)) < 3_000
    why = wb.tasks.explain_assignment(task.id)
    assert (why.considered[0].user_id, len(why.considered) + why.unlisted) == (task.assigned_to, 200)


# Commands at once.


def test_two_teams_do_not_both_fill_a_substitute_who_is_in_no_team(wb: gndp.Workbench) -> None:
    wb.directory.add_person("sue", capacity=1)
    wb.directory.add_team("other")
    wb.directory.add_person("bob", team="other")
    for person in ("ann", "bob"):
        wb.directory.set_out_of_office(person, until=NOON + timedelta(days=5), substitute="sue")
    for _ in range(8):
        processes = [started(wb) for _ in range(2)]
        at_once(
            lambda team, process: routed(wb, process, assigned_team=team),
            *zip(("ops", "other"), processes, strict=True),
        )
        assert tasks_of(wb, "sue") == 1
        for process in processes:
            wb.processes.cancel(process.id, user_id="eve", reason="r")


def test_an_absence_that_is_entered_while_routing_waits_is_heeded(wb: gndp.Workbench) -> None:
    """Routing waits for the team while somebody of another team comes to stand in for its person."""
    wb.directory.add_team("subs")
    wb.directory.add_person("sue", team="subs", capacity=1)
    ours, theirs = started(wb), started(wb)
    with psycopg.connect(wb.database_url) as absence, psycopg.connect(wb.database_url) as other:
        absence.execute("SELECT FROM teams WHERE name = 'ops' FOR NO KEY UPDATE")
        absence.execute(
            "UPDATE people SET out_of_office_from = %s, out_of_office_until = %s, substitute = 'sue'"
            " WHERE user_id = 'ann'",
            [NOON, NOON + timedelta(days=1)],
        )
        with ThreadPoolExecutor(2) as pool:
            waits_for_ops = pool.submit(routed, wb, ours)
            _until_waiting(wb.database_url, 1)
            other.execute("SELECT FROM teams WHERE name = 'subs' FOR NO KEY UPDATE")
            absence.commit()
            _until_waiting(wb.database_url, 1)  # for the substitute's team, which it did not know of before
            first = pool.submit(routed, wb, theirs, assigned_team="subs")
            _until_waiting(wb.database_url, 2)
            other.commit()
            tasks = [waits_for_ops.result(timeout=20), first.result(timeout=20)]
    assert sorted(str(who_has(wb, task)) for task in tasks) == ["None", "sue"]


def test_adding_to_several_processes_beside_one_of_them_never_waits_in_a_circle(wb: gndp.Workbench) -> None:
    wb.directory.update_person("ann", capacity=None)
    processes = [started(wb, id=id) for id in sorted(uuid4() for _ in range(2))]

    def many() -> None:
        for _ in range(10):
            wb.tasks.create_many([wanted(process) for process in processes])

    def one() -> None:
        for _ in range(20):
            routed(wb, processes[1])

    at_once(lambda work: work(), (many,), (one,))
    assert tasks_of(wb, "ann") == 40


def test_a_unit_that_routes_and_then_adds_people_never_waits_in_a_circle(wb: gndp.Workbench) -> None:
    wb.directory.update_person("ann", capacity=None)
    process = started(wb)

    def unit() -> None:
        for number in range(15):
            with wb.transaction():
                routed(wb, process)
                wb.directory.add_person(f"new{number}")

    def change() -> None:
        for number in range(30):
            wb.directory.update_person("ann", capacity=1_000 + number)

    at_once(lambda work: work(), (unit,), (change,))
    assert tasks_of(wb, "ann") == 15


def test_a_command_that_was_caught_in_a_circle_is_tried_again(wb: gndp.Workbench, process: Any) -> None:
    """Whoever holds the team first and then wants the process goes against the order of locks."""
    other = started(wb)
    with psycopg.connect(wb.database_url) as against, ThreadPoolExecutor(1) as pool:
        against.execute("SET deadlock_timeout = '1min'")
        against.execute("SELECT FROM teams WHERE name = 'ops' FOR NO KEY UPDATE")
        running = pool.submit(routed, wb, other)
        _until_waiting(wb.database_url, 1)
        against.execute("SELECT FROM process_instances WHERE id = %s FOR NO KEY UPDATE", [other.id])
        against.commit()
        assert running.result(timeout=20).assigned_to == "ann"


def test_a_part_of_a_unit_that_was_caught_in_a_circle_undoes_the_unit(
    wb: gndp.Workbench, process: Any
) -> None:
    other = started(wb)

    def unit() -> None:
        with wb.transaction():
            wb.processes.comment(process.id, user_id="eve", text="t")
            routed(wb, other)

    with psycopg.connect(wb.database_url) as against, ThreadPoolExecutor(1) as pool:
        against.execute("SET deadlock_timeout = '1min'")
        against.execute("SELECT FROM teams WHERE name = 'ops' FOR NO KEY UPDATE")
        running = pool.submit(unit)
        _until_waiting(wb.database_url, 1)
        against.execute("SELECT FROM process_instances WHERE id = %s FOR NO KEY UPDATE", [other.id])
        against.commit()
        with pytest.raises(Conflict, match="waited for each other"):
            running.result(timeout=20)


def at_once(act: Callable[..., Any], *each: tuple[Any, ...]) -> list[Any]:
    barrier = threading.Barrier(len(each))

    def run(arguments: tuple[Any, ...]) -> Any:
        barrier.wait()
        return act(*arguments)

    with ThreadPoolExecutor(len(each)) as pool:
        return list(pool.map(run, each))


def _until_waiting(url: str, count: int) -> None:
    """Returns when so many transactions of the database wait for a lock."""
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in _moments():
            (waiting,) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchone()
            if waiting >= count:
                return
    raise AssertionError(f"no {count} transactions came to wait")


def _moments() -> Iterator[None]:
    moment = threading.Event()
    for _ in range(400):
        yield
        moment.wait(0.025)
