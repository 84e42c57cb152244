"""Going through a queue: who gets what of it, and what a command's changes free."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from gndp.core.changes import Changes, Command
from gndp.core.people import new_person, new_team
from gndp.core.queues import Aftermath, QueuePlan, freed_people, returned_tasks, starts_or_stops
from gndp.core.records import Process, Task
from gndp.core.routing import Candidate, Wanted
from gndp.core.states import ProcessStatus, TaskStatus

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TEAM = new_team("ops", {}, NOON)


def candidates(**capacities: int | None) -> list[Candidate]:
    return [
        Candidate(new_person(user_id, {"team": "ops", "capacity": capacity}, NOON))
        for user_id, capacity in capacities.items()
    ]


def wanted(**more: Any) -> Wanted:
    given = {
        "task_id": uuid4(),
        "task_name": "Step",
        "method": "round_robin",
        "team": "ops",
        "required_skills": {},
        "priority": "medium",
        "estimated_minutes": None,
    }
    return Wanted(**{**given, **more})


def test_a_plan_gives_until_nobody_is_free() -> None:
    plan = QueuePlan(TEAM, candidates(ann=1, bob=2), NOON)
    queue = [wanted() for _ in range(5)]
    for task in queue:
        plan.consider(task)
    assert plan.given == [task.task_id for task in queue[:3]]
    assert plan.left == {"nobody of 2 in the team ops can take it now": 2}
    assert not plan.is_anybody_free


def test_a_plan_passes_by_what_nobody_can_take() -> None:
    plan = QueuePlan(TEAM, candidates(ann=1), NOON)
    hard, given_back, easy = wanted(required_skills={"law": 2}), wanted(gave_back={"ann"}), wanted()
    for task in (hard, hard, given_back, easy):
        plan.consider(task)
    assert plan.given == [easy.task_id]
    assert plan.left == {
        "nobody in the team ops has law 2": 2,
        "nobody of 1 in the team ops can take it now": 1,
    }


def row(kind: Any, **columns: Any) -> Any:
    return kind(**{**dict.fromkeys(kind._fields), "id": uuid4(), **columns})


def changes_of(task: Task | None = None, of: str = ProcessStatus.RUNNING, **columns: Any) -> Changes:
    process = row(Process, status=of, total_steps=2, current_step=0, failed_steps=0)
    changes = Changes.begin(process, Command("eve", NOON), None)
    if task is not None:
        changes.change_task(task, **columns)
    return changes


HELD = {"status": TaskStatus.ASSIGNED, "assigned_to": "ann", "ready_at": NOON, "assignment_method": "manual"}
ROUTED = {**HELD, "assignment_method": "round_robin", "assigned_team": "ops"}


@pytest.mark.parametrize(
    ("task", "columns", "freed"),
    [
        (HELD, {"status": TaskStatus.COMPLETED}, {"ann"}),
        (HELD, {"status": TaskStatus.FAILED}, {"ann"}),
        (HELD, {"assigned_to": "bob"}, {"ann"}),
        (HELD, {"status": TaskStatus.PENDING, "assigned_to": None}, {"ann"}),
        (HELD, {"status": TaskStatus.IN_PROGRESS}, set()),
        (HELD, {"priority": "high"}, set()),
        ({**HELD, "ready_at": None}, {"status": TaskStatus.CANCELLED}, set()),
        ({**HELD, "status": TaskStatus.PENDING, "assigned_to": None}, {"assigned_to": "bob"}, set()),
    ],
)
def test_who_has_less_to_do(task: dict[str, Any], columns: dict[str, Any], freed: set[str]) -> None:
    assert freed_people(changes_of(row(Task, **task), **columns)) == freed


def test_only_routed_tasks_come_back_into_a_queue() -> None:
    routed, manual = row(Task, **ROUTED), row(Task, **HELD)
    back = {"status": TaskStatus.PENDING, "assigned_to": None}
    assert dict(returned_tasks(changes_of(routed, **back))) == {routed.id: "ops"}
    assert dict(returned_tasks(changes_of(manual, **back))) == {}
    assert dict(returned_tasks(changes_of(routed, status=TaskStatus.SKIPPED))) == {}


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ("running", {"status": "suspended"}, True),
        ("suspended", {"status": "running"}, True),
        ("running", {"priority": "high"}, False),
        ("suspended", {"status": "cancelled"}, False),
        ("running", {"status": "completed", "current_step": 2}, False),
    ],
)
def test_a_process_starts_or_stops_to_count(before: str, after: dict[str, Any], answer: bool) -> None:
    changes = changes_of(of=before)
    changes.change_process(**after)
    assert starts_or_stops(changes) is answer


def test_the_aftermath_of_a_unit_is_that_of_its_commands() -> None:
    task = UUID(int=1)
    unit = Aftermath()
    assert not unit
    for other in (Aftermath({"ops"}), Aftermath(people={"ann"}), Aftermath(tasks={task: "ops"})):
        unit.add(other)
    assert unit == Aftermath({"ops"}, {"ann"}, {task: "ops"})
