"""Routing on a real database: who gets a task, in the transaction that makes it ready."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

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
    for person in ("ann", "bob", "cid"):
        wb.directory.add_person(person, team="ops", capacity=3)
    return wb


def started(wb: gndp.Workbench, **more: Any) -> gndp.core.records.Process:
    return wb.processes.start(
        **{
            "process_definition_id": "loose",
            "process_name": "Case",
            "process_type": "custom",
            "initiated_by": "eve",
            **more,
        }
    )


def routed(wb: gndp.Workbench, process: Any, method: str, **more: Any) -> gndp.core.records.Task:
    given = {"task_definition_id": "step", "task_name": "Step", "task_type": "manual", "assigned_team": "ops"}
    return wb.tasks.create(process_instance_id=process.id, assignment_method=method, **{**given, **more})


def done(wb: gndp.Workbench, task: Any) -> None:
    wb.tasks.start(task.id, user_id=task.assigned_to)
    wb.tasks.complete(task.id, user_id=task.assigned_to)


def events(wb: gndp.Workbench, task: Any, kind: str) -> list[Any]:
    listed = wb.processes.events(task.process_instance_id, limit=500)
    return [event for event in listed if event.event_type == kind and event.task_id == task.id]


def test_round_robin_goes_around_whoever_asks(wb: gndp.Workbench, database_url: str) -> None:
    process = started(wb)
    with gndp.connect(wb.database_url) as other:
        people = [routed(w, process, "round_robin").assigned_to for w in (wb, other, wb, other)]

    assert people == ["ann", "bob", "cid", "ann"]
    assert wb.check().ok


def test_load_balanced_takes_the_least_loaded_for_their_capacity(wb: gndp.Workbench) -> None:
    wb.directory.update_person("ann", capacity=10)
    process = started(wb)
    people = [routed(wb, process, "load_balanced").assigned_to for _ in range(16)]

    assert Counter(people) == {"ann": 10, "bob": 3, "cid": 3}
    assert people[:4] == ["ann", "bob", "cid", "ann"]


def test_fifty_at_once_over_five_people_differ_by_one_at_most(
    new_workbench: Callable[..., gndp.Workbench],
) -> None:
    wb = new_workbench()
    wb.directory.add_team("ops")
    for number in range(5):
        wb.directory.add_person(f"p{number}", team="ops", capacity=100)
    processes = [started(wb) for _ in range(50)]
    with gndp.connect(wb.database_url) as other, ThreadPoolExecutor(16) as pool:
        tasks = list(
            pool.map(
                lambda numbered: routed((wb, other)[numbered[0] % 2], numbered[1], "load_balanced"),
                enumerate(processes),
            )
        )

    shares = Counter(task.assigned_to for task in tasks)
    assert len(shares) == 5
    assert max(shares.values()) - min(shares.values()) <= 1
    assert wb.check().ok


def test_a_step_is_routed_when_it_becomes_ready_in_the_same_transaction(wb: gndp.Workbench) -> None:
    wb.definitions.publish(
        {
            "id": "loan",
            "name": "Loan",
            "steps": [
                {"id": "apply", "name": "Apply"},
                {
                    "id": "check",
                    "name": "Check",
                    "team": "ops",
                    "assignment_method": "skill_based",
                    "required_skills": {"law": 3},
                    "depends_on": ["apply"],
                    "different_person_from": ["apply"],
                },
            ],
        },
        user_id="eve",
    )
    for person, level in (("ann", 3), ("bob", 4), ("cid", 2)):
        wb.directory.update_person(person, skills={"law": level})
    process = started(wb, process_definition_id="loan")
    apply, check = (listed.task for listed in wb.tasks.list(process_id=process.id).tasks)
    assert check.assigned_to is None

    wb.tasks.start(apply.id, user_id="ann")
    wb.tasks.complete(apply.id, user_id="ann")

    check = wb.tasks.get(check.id)
    assert (check.status, check.assigned_to) == ("assigned", "bob")
    why = wb.tasks.explain_assignment(check.id)
    assert {one.user_id: one.reason for one in why.considered} == {
        "bob": "skills exceed by 1, load 0, 0.00 for their capacity",
        "ann": "did a step that this one must be kept apart from",
        "cid": "lacks law 3 (has 2)",
    }
    kinds = [event.event_type for event in reversed(wb.processes.events(process.id))]
    assert kinds[-3:] == ["task.completed", "task.ready", "task.assigned"]
    assert wb.check().ok


def test_two_steps_that_must_differ_go_to_two_people_though_they_become_ready_together(
    wb: gndp.Workbench,
) -> None:
    step = {"team": "ops", "assignment_method": "load_balanced"}
    wb.definitions.publish(
        {
            "id": "pair",
            "name": "Pair",
            "steps": [
                {"id": "one", "name": "One", **step},
                {"id": "two", "name": "Two", "different_person_from": ["one"], **step},
            ],
        },
        user_id="eve",
    )
    wb.directory.update_person("bob", capacity=1)
    wb.directory.update_person("cid", active=False)
    process = started(wb, process_definition_id="pair")

    people = {listed.task.assigned_to for listed in wb.tasks.list(process_id=process.id).tasks}
    assert people == {"ann", "bob"}


def test_nobody_free_waits_in_the_queue_until_somebody_is_the_most_urgent_first(
    wb: gndp.Workbench, clock: Clock
) -> None:
    wb.directory.update_person("bob", active=False)
    wb.directory.update_person("cid", active=False)
    wb.directory.update_person("ann", capacity=1)
    process = started(wb)
    first = routed(wb, process, "load_balanced")
    waiting = []
    for priority in ("low", "high", "high"):
        clock.now += timedelta(minutes=1)
        waiting.append(routed(wb, process, "load_balanced", priority=priority))

    assert [task.assigned_to for task in waiting] == [None, None, None]
    (needed,) = events(wb, waiting[0], "assignment.needed")
    assert "ann" in str(needed.details["routing"])
    assert wb.tasks.explain_assignment(waiting[0].id).considered[0].reason == "has 1 of at most 1 tasks"

    done(wb, first)
    assert wb.tasks.get(waiting[1].id).assigned_to == "ann"
    done(wb, wb.tasks.get(waiting[1].id))
    assert wb.tasks.get(waiting[2].id).assigned_to == "ann"
    assert wb.tasks.get(waiting[0].id).assigned_to is None
    assert len(events(wb, waiting[0], "assignment.needed")) == 1
    assert wb.check().ok


def test_capacity_freed_in_a_unit_of_work_is_used_after_it(wb: gndp.Workbench) -> None:
    for person in ("bob", "cid"):
        wb.directory.update_person(person, active=False)
    wb.directory.update_person("ann", capacity=1)
    process = started(wb)
    first, second = (routed(wb, process, "round_robin") for _ in range(2))
    with wb.transaction():
        done(wb, first)
        assert wb.tasks.get(second.id).assigned_to is None
    assert wb.tasks.get(second.id).assigned_to == "ann"


def test_a_substitute_stands_in_for_who_is_away(wb: gndp.Workbench) -> None:
    wb.directory.add_team("other")
    wb.directory.add_person("dora", team="other", capacity=1)
    for person in ("bob", "cid"):
        wb.directory.update_person(person, active=False)
    wb.directory.set_out_of_office("ann", until=NOON + timedelta(days=2), substitute="dora")
    process = started(wb)

    task = routed(wb, process, "load_balanced")
    assert task.assigned_to == "dora"
    assert "stands in for ann" in wb.tasks.explain_assignment(task.id).reason
    assert routed(wb, process, "load_balanced").assigned_to is None


def test_the_last_performer_is_asked_again(wb: gndp.Workbench, clock: Clock) -> None:
    process = started(wb, auto_complete=False)
    by_hand = {"assigned_team": None, "assignment_method": "manual"}
    for person in ("cid", "bob"):
        clock.now += timedelta(minutes=5)
        task = wb.tasks.create(
            process_instance_id=process.id,
            task_definition_id="s",
            task_name="S",
            task_type="manual",
            assigned_to=person,
            **by_hand,
        )
        done(wb, task)
    assert routed(wb, process, "last_performer").assigned_to == "bob"
    wb.directory.update_person("bob", active=False)
    assert routed(wb, process, "last_performer").assigned_to == "cid"
    assert routed(wb, started(wb), "last_performer").assigned_to == "ann"


def test_who_gave_a_task_back_does_not_get_it_again(wb: gndp.Workbench) -> None:
    task = routed(wb, started(wb), "round_robin")
    assert task.assigned_to == "ann"
    wb.tasks.release(task.id, user_id="ann")
    assert wb.tasks.get(task.id).assigned_to == "bob"


def test_skills_nobody_has_are_said(wb: gndp.Workbench) -> None:
    task = routed(wb, started(wb), "skill_based", required_skills={"welding": 2})
    assert task.assigned_to is None
    assert wb.tasks.explain_assignment(task.id).reason == "nobody in the team ops has welding 2"


def test_a_team_that_nobody_knows_is_said(wb: gndp.Workbench) -> None:
    task = routed(wb, started(wb), "round_robin", assigned_team="nowhere")
    assert wb.tasks.explain_assignment(task.id).reason == "there is no team nowhere in the directory"


def test_imbalance_is_told_once_when_it_passes_the_limit(wb: gndp.Workbench) -> None:
    wb.directory.update_team("ops", imbalance_limit=1)
    for person in ("bob", "cid"):
        wb.directory.update_person(person, skills={})
    wb.directory.update_person("ann", skills={"law": 1})
    process = started(wb)
    for _ in range(3):
        routed(wb, process, "skill_based", required_skills={"law": 1})
    told = [e for e in wb.processes.events(process.id) if e.event_type == "workload.imbalance"]
    assert [event.details["spread"] for event in told] == [2.0]


def test_work_is_weighed_by_priority_or_by_minutes_where_the_team_wants_it(wb: gndp.Workbench) -> None:
    wb.directory.update_person("cid", active=False)
    process = started(wb)
    wb.directory.update_team("ops", load_measure="estimated_minutes")
    first = routed(wb, process, "load_balanced", estimated_duration_mins=300)
    people = [routed(wb, process, "load_balanced", estimated_duration_mins=60).assigned_to for _ in range(3)]
    assert first.assigned_to == "ann"
    assert people == ["bob", "bob", "bob"]


def test_a_held_process_routes_when_it_starts(wb: gndp.Workbench) -> None:
    process = started(wb, hold=True)
    task = routed(wb, process, "round_robin")
    assert task.assigned_to is None
    wb.processes.update_status(process.id, new_status="running", user_id="eve")
    assert wb.tasks.get(task.id).assigned_to == "ann"


def test_a_manual_task_is_left_for_somebody_to_claim(wb: gndp.Workbench) -> None:
    task = routed(wb, started(wb), "manual")
    assert task.assigned_to is None
    with pytest.raises(Conflict, match="looked for"):
        wb.tasks.explain_assignment(task.id)
    wb.tasks.assign(task.id, assignment_method="load_balanced", team="ops", user_id="eve")
    assert wb.tasks.get(task.id).assigned_to == "ann"
    assert wb.check().ok


def test_reassigned_by_hand_is_explained_with_its_reason(wb: gndp.Workbench) -> None:
    task = routed(wb, started(wb), "round_robin")
    wb.tasks.reassign(task.id, new_assignee="cid", reassigned_by="eve", reason="knows the case")
    why = wb.tasks.explain_assignment(task.id)
    assert (why.assigned_to, why.reason, why.considered) == ("cid", "knows the case", [])
