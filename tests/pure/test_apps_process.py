"""What the page of a process derives: graph, timeline, what can be done, context as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from apps.components.tree import MOST_LINES, tree
from apps.stores.actions import give, process_actions, task_actions, with_fields
from apps.stores.gantt import rows
from apps.stores.graph import graph
from gndp.core.errors import Invalid
from gndp.core.records import Process, Task
from gndp.core.templates import parse_template
from gndp.core.timeline import Stretch

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>"
DIAMOND = parse_template(
    {
        "id": "diamond",
        "name": "Diamond",
        "steps": [
            {"id": "ask", "name": "Ask"},
            {"id": "check", "name": "Check", "depends_on": ["ask"]},
            {"id": "price", "name": "Price", "depends_on": ["ask"]},
            {"id": "offer", "name": "Offer", "depends_on": ["check", "price"]},
        ],
    }
)


def row(kind: Any, **columns: Any) -> Any:
    empty = {
        "open_dependencies": 0, "tags": [], "depends_on": [], "blocking": [], "priority": "medium",
        "version": 1, "total_steps": 1, "current_step": 0, "failed_steps": 0, "retry_count": 0,
        "max_retries": 3,
    }  # fmt: skip
    return kind(**{name: columns.get(name, empty.get(name)) for name in kind._fields})


def task(number: int, step: str = "x", **columns: Any) -> Task:
    given = {"status": "pending", "task_name": step, "task_definition_id": step, **columns}
    return row(Task, id=UUID(int=number), process_instance_id=UUID(int=0), **given)


def process(status: str = "running", **columns: Any) -> Process:
    return row(Process, id=UUID(int=0), status=status, process_name="p", **columns)


def allowed(action: str, process: Process, task: Task | None) -> bool:
    return True


def names(actions: Sequence[Any]) -> set[str]:
    return {action.name.partition(".")[2] for action in actions}


# The graph


def test_a_template_is_laid_out_in_layers_with_the_state_of_each_step() -> None:
    tasks = [
        task(1, "ask", status="completed"),
        task(2, "check", status="in_progress", assigned_to="ann", depends_on=[UUID(int=1)]),
        task(3, "price", depends_on=[UUID(int=1)]),
        task(4, "offer", open_dependencies=2, depends_on=[UUID(int=2), UUID(int=3)]),
    ]
    found = graph(DIAMOND, tasks)
    assert [(node.id, node.state, node.layer, node.row) for node in found.nodes] == [
        ("ask", "completed", 0, 0),
        ("check", "in_progress", 1, -0.5),
        ("price", "ready", 1, 0.5),
        ("offer", "blocked", 2, 0),
    ]
    assert found.nodes[1].assigned_to == "ann"
    taken = {(edge.source, edge.target): edge.is_taken for edge in found.edges}
    assert taken == {
        ("ask", "check"): True,
        ("ask", "price"): True,
        ("check", "offer"): False,
        ("price", "offer"): False,
    }


def test_waiting_is_told_from_working() -> None:
    found = graph(DIAMOND, [task(1, "ask", status="in_progress", substatus="waiting")])
    assert found.nodes[0].state == "waiting"


def test_steps_whose_tasks_cannot_be_seen_are_there_all_the_same() -> None:
    found = graph(DIAMOND, [])
    assert {node.state for node in found.nodes} == {"hidden"}
    assert not any(edge.is_taken for edge in found.edges)


def test_without_a_template_tasks_stand_behind_what_they_depend_on() -> None:
    tasks = [task(1), task(2, depends_on=[UUID(int=1)]), task(3, depends_on=[UUID(int=2), UUID(int=99)])]
    found = graph(None, tasks)
    assert [(node.id, node.layer) for node in found.nodes] == [(str(UUID(int=n)), n - 1) for n in (1, 2, 3)]
    assert [(edge.source, edge.target) for edge in found.edges] == [
        (str(UUID(int=1)), str(UUID(int=2))),
        (str(UUID(int=2)), str(UUID(int=3))),
    ]


def test_tasks_that_were_added_stand_beside_the_template() -> None:
    tasks = [task(1, "ask", status="completed"), task(2, "ask"), task(3, "extra", depends_on=[UUID(int=1)])]
    found = graph(DIAMOND, tasks)
    assert len(found.nodes) == 6
    assert ("ask", str(UUID(int=3)), True) in found.edges


# The timeline


def stretch(task_id: int | None, status: str, begins: float, ends: float | None) -> Stretch:
    at = [None if hours is None else NOON + timedelta(hours=hours) for hours in (begins, ends)]
    return Stretch(None if task_id is None else UUID(int=task_id), "t", status, "ann", None, at[0], at[1])


def shown(stretches: Sequence[Stretch], row: int) -> list[tuple[str, float, float | None]]:
    hours = lambda at: None if at is None else (at - NOON).total_seconds() / 3600  # noqa: E731
    return [(bar.kind, hours(bar.begins_at), hours(bar.ends_at)) for bar in rows(stretches)[row].bars]


def test_blocked_queued_working_and_paused_are_told_apart() -> None:
    found = shown(
        [
            stretch(1, "blocked", 0, 1),
            stretch(1, "ready", 1, 2),
            stretch(1, "assigned", 2, 3),
            stretch(1, "in_progress", 3, 4),
            stretch(1, "waiting", 4, 5),
            stretch(1, "completed", 5, 5),
        ],
        0,
    )
    kinds = ["blocked", "queued", "queued", "working", "paused", "completed"]
    assert found == [(kind, n, min(n + 1, 5)) for n, kind in enumerate(kinds)]


def test_a_suspended_process_pauses_its_tasks() -> None:
    stretches = [
        stretch(None, "running", 0, 2),
        stretch(1, "in_progress", 1, None),
        stretch(None, "suspended", 2, 3),
        stretch(None, "running", 3, 6),
        stretch(None, "suspended", 6, None),
    ]
    assert shown(stretches, 0) == [
        ("working", 0, 2),
        ("paused", 2, 3),
        ("working", 3, 6),
        ("paused", 6, None),
    ]
    assert shown(stretches, 1) == [
        ("working", 1, 2),
        ("paused", 2, 3),
        ("working", 3, 6),
        ("paused", 6, None),
    ]


def test_work_that_ended_before_a_pause_is_left_alone() -> None:
    stretches = [
        stretch(1, "in_progress", 0, 1),
        stretch(None, "suspended", 1, 2),
        stretch(1, "completed", 1, 1),
    ]
    assert shown(stretches, 0) == [("working", 0, 1), ("completed", 1, 1)]


def test_a_stretch_that_ends_within_a_pause_is_paused_to_its_end() -> None:
    stretches = [stretch(1, "ready", 0, 2), stretch(None, "suspended", 1, 3)]
    assert shown(stretches, 0) == [("queued", 0, 1), ("paused", 1, 2)]


# What can be done


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("pending", {"run", "cancel", "update", "comment"}),
        ("running", {"suspend", "complete", "fail", "cancel", "update", "comment"}),
        ("suspended", {"resume", "cancel", "update", "comment"}),
        ("failed", {"retry", "cancel", "update", "comment"}),
        ("completed", {"comment"}),
        ("cancelled", {"comment"}),
    ],
)
def test_a_process_is_offered_what_its_status_allows(status: str, expected: set[str]) -> None:
    assert names(process_actions(process(status, total_steps=0), allowed)) == expected


def test_a_process_with_open_tasks_is_not_completed_by_hand() -> None:
    assert "complete" not in names(process_actions(process(total_steps=2, current_step=1), allowed))


OPEN = {"update", "comment", "cancel"}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"status": "pending"}, {"claim", "start", "assign", "skip"} | OPEN),
        ({"status": "pending", "open_dependencies": 1}, {"assign", "skip"} | OPEN),
        ({"status": "assigned", "assigned_to": "ann"}, {"start", "release", "reassign", "skip"} | OPEN),
        ({"status": "assigned", "assigned_to": "bob"}, {"release", "reassign", "skip"} | OPEN),
        (
            {"status": "in_progress", "assigned_to": "ann"},
            {"complete", "fail", "wait", "release", "reassign"} | OPEN,
        ),
        ({"status": "in_progress", "assigned_to": "bob"}, {"fail", "release", "reassign"} | OPEN),
        (
            {"status": "in_progress", "assigned_to": "ann", "substatus": "waiting"},
            {"complete", "fail", "resume", "release", "reassign"} | OPEN,
        ),
        ({"status": "failed"}, set()),
        ({"status": "completed"}, set()),
    ],
)
def test_a_task_is_offered_what_its_state_allows(columns: dict[str, Any], expected: set[str]) -> None:
    assert names(task_actions(task(1, **columns), process(), allowed, "ann")) == expected


def test_a_failed_task_of_a_failed_process_is_retried_or_skipped() -> None:
    assert names(task_actions(task(1, status="failed"), process("failed"), allowed, "ann")) == {
        "retry",
        "skip",
    }


def test_nothing_is_offered_to_tasks_of_a_suspended_process() -> None:
    assert task_actions(task(1), process("suspended"), allowed, "ann") == []


def test_only_what_somebody_may_is_offered() -> None:
    def may(action: str, process: Process, task: Task | None) -> bool:
        return action in ("tasks.claim", "processes.comment")

    assert names(process_actions(process(), may)) == {"comment"}
    # To start what nobody has is to claim it, and that they may.
    assert names(task_actions(task(1), process(), may, "ann")) == {"claim", "start"}


class Recorder:
    """A workbench that keeps what it was asked for."""

    def __init__(self) -> None:
        self.tasks = self.processes = self

    def __getattr__(self, verb: str) -> Any:
        return lambda id, **given: (verb, id, given)


def given(action: str, item: Any, values: dict[str, Any], version: int | None = 4) -> Any:
    return give(action, item, values, user_id="ann", expected_version=version)(Recorder())


def test_what_was_entered_becomes_the_command() -> None:
    assert given("tasks.reassign", task(1), {"new_assignee": " bob ", "reason": "away"}) == (
        "reassign",
        UUID(int=1),
        {"new_assignee": "bob", "reason": "away", "expected_version": 4, "reassigned_by": "ann"},
    )
    until = {"reason": "customer", "until": "2026-03-02T12:00:00.000Z"}
    assert given("tasks.wait", task(1), until)[2]["until"] == NOON
    assert given("tasks.complete", task(1), {"output_data": '{"fine": true}'})[2]["output_data"] == {
        "fine": True
    }
    assert "final" not in given("tasks.fail", task(1), {"error_message": "no", "final": False})[2]


def test_a_comment_overwrites_nothing_and_so_asks_for_no_version() -> None:
    assert given("processes.comment", process(), {"text": "hm"})[2] == {"text": "hm", "user_id": "ann"}


def test_a_held_process_is_started_by_status() -> None:
    assert given("processes.run", process("pending"), {})[0::2] == (
        "update_status",
        {"new_status": "running", "expected_version": 4, "user_id": "ann"},
    )


def test_only_what_was_changed_is_changed() -> None:
    before = task(1, priority="low", due_date=NOON, tags=["a"])
    same = {"priority": "low", "due_date": NOON.isoformat(), "tags": "a"}
    assert given("tasks.update", before, same, None)[2] == {"user_id": "ann"}
    assert given("tasks.update", before, {**same, "priority": "high", "tags": "a, b"}, None)[2] == {
        "priority": "high",
        "tags": ["a", "b"],
        "user_id": "ann",
    }
    assert given("tasks.update", before, {**same, "tags": ""}, None)[2]["tags"] == []


@pytest.mark.parametrize(
    ("action", "values"),
    [
        ("tasks.complete", {"output_data": "{"}),
        ("tasks.wait", {"reason": "x", "until": "soon"}),
        ("tasks.__class__", {}),
        ("workbench.close", {}),
    ],
)
def test_what_cannot_be_read_is_refused(action: str, values: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        give(action, task(1), values, user_id="ann")


def test_people_are_offered_where_a_person_is_asked_for() -> None:
    offered = with_fields(task_actions(task(1), process(), allowed, "ann"), "person", options=("bob",))
    fields = {field.name: field.options for action in offered for field in action.fields}
    assert fields["assigned_to"] == ("bob",)
    assert fields["reason"] == ()


# The context


def test_a_tree_shows_everything_as_text() -> None:
    html = tree({"name": HOSTILE, "loans": [{"sum": 5, "paid": False}], "none": None})
    assert HOSTILE not in html
    assert "&lt;img src=x" in html
    for shown_text in ("sum", "5", "no", "—"):
        assert f">{shown_text}<" in html
    assert "padding-left: 40px" in html


def test_a_large_tree_is_cut_and_says_so() -> None:
    html = tree({"many": list(range(MOST_LINES * 2))})
    assert html.count("<li") == MOST_LINES + 1
    assert "more than these" in html


def test_an_empty_tree_says_so() -> None:
    assert "Nothing." in tree({})
