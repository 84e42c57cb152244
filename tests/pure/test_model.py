"""The model of the engine, by hand: a few stories whose end is written in the semantics page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.model import Model, Refused

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Story:
    """A model with one process, whose clock goes on by a minute with every command."""

    def __init__(self, **start: Any) -> None:
        self.model, self.now, self.id = Model(), NINE, uuid4()
        self.begin(self.id, **start)
        self.process = self.model.processes[self.id]

    def __call__(self, command: str, **arguments: Any) -> bool:
        self.now += timedelta(minutes=1)
        return self.model.run(command, self.now, **arguments)

    def begin(self, id: UUID, **more: Any) -> None:
        usual = {"auto_complete": True, "sla_target_mins": None, "priority": "medium"}
        self("processes.start", id=id, initiated_by="ann", process_definition_id="loose", **usual | more)

    def task(self, name: str, *depends_on: UUID, **more: Any) -> UUID:
        id = uuid4()
        item = {"process_instance_id": self.id, "task_name": name, "depends_on": list(depends_on), **more}
        self("tasks.create", id=id, **item)
        return id

    def do(self, id: UUID, person: str = "ann") -> None:
        self("tasks.start", id=id, user_id=person)
        self("tasks.complete", id=id, user_id=person)

    def log(self, last: int) -> list[str]:
        return [event.type for event in self.process.events[-last:]]

    def refused(self, *errors: str) -> Any:
        return pytest.raises(Refused, match="^" + " or ".join(sorted(errors)) + "$")


def test_a_chain_is_worked_off_and_the_process_completes_by_itself() -> None:
    story = Story(sla_target_mins=60)
    first = story.task("first", sla_target_mins=1)
    second = story.task("second", first)
    assert story.model.tasks[second].substatus == "blocked"
    with story.refused("Conflict"):
        story("tasks.start", id=second, user_id="bob")
    story.do(first)
    assert story.log(2) == ["task.completed", "task.ready"]
    assert story.model.steps(story.process) == (1, 2, 50.0)
    story.do(second, "bob")
    assert story.log(5) == [
        "task.assigned",
        "task.started",
        "task.completed",
        "process.completed",
        "sla.met",
    ]
    assert story.process.status == "completed"


def test_the_fourth_failure_fails_the_process_and_skipping_runs_it_to_its_end() -> None:
    story = Story()
    task = story.task("only")
    for _ in range(4):
        story("tasks.start", id=task, user_id="ann")
        story("tasks.fail", id=task, user_id="ann", error_message="no paper")
    assert [story.process.status, story.process.error] == ["failed", "only"]
    assert story.log(2) == ["task.failed", "process.failed"]
    with story.refused("Conflict"):
        story("tasks.comment", id=task, user_id="ann", text="hm")
    story("tasks.skip", id=task, user_id="ann", reason="not needed")
    assert story.log(3) == ["task.skipped", "process.retried", "process.completed"]


def test_retrying_the_process_retries_its_failed_task() -> None:
    story = Story()
    task = story.task("only")
    story("tasks.start", id=task, user_id="ann")
    story("tasks.fail", id=task, user_id="ann", error_message="no", final=True)
    story("processes.update_status", id=story.id, new_status="running")
    state = story.model.tasks[task]
    assert (story.process.status, state.status, state.assigned_to) == ("running", "pending", None)


def test_cancelling_takes_what_depends_on_it_only_when_told_to() -> None:
    story = Story()
    first = story.task("first")
    second = story.task("second", first)
    third = story.task("third", second, first)
    with story.refused("Conflict"):
        story("tasks.cancel", id=first, user_id="ann", reason="moot")
    story("tasks.cancel", id=first, user_id="ann", reason="moot", cascade=True)
    assert {story.model.tasks[id].status for id in (first, second, third)} == {"cancelled"}
    assert (story.process.status, story.model.steps(story.process)) == ("running", (0, 0, 0.0))


def test_children_are_cancelled_with_their_parent() -> None:
    story = Story()
    child, grandchild = uuid4(), uuid4()
    story.begin(child, parent_process_id=story.id, hold=True)
    story.begin(grandchild, parent_process_id=child)
    story("processes.cancel", id=story.id, user_id="ann", reason="moot")
    assert {process.status for process in story.model.processes.values()} == {"cancelled"}
    with story.refused("Conflict"):
        story.begin(uuid4(), parent_process_id=child)


def test_a_cycle_within_one_call_is_invalid() -> None:
    story = Story()
    one, two = uuid4(), uuid4()
    items = [
        {"id": one, "process_instance_id": story.id, "task_name": "one", "depends_on": [two]},
        {"id": two, "process_instance_id": story.id, "task_name": "two", "depends_on": [one]},
    ]
    with story.refused("Invalid"):
        story("tasks.create_many", items=items)
    items[0]["depends_on"] = []
    story("tasks.create_many", items=items)
    assert [task.substatus for task in story.model.tasks.values()] == ["ready", "blocked"]


def test_event_times_never_go_backwards() -> None:
    story = Story()
    last = story.now
    story.now -= timedelta(hours=1)
    story.task("late")
    event = story.process.events[-1]
    assert (event.at, event.reading) == (last, story.now)


def test_a_key_is_answered_once() -> None:
    story = Story()
    task = story.task("only")
    assert story("tasks.claim", id=task, user_id="ann", key="k")
    assert not story("tasks.claim", id=task, user_id="ann", key="k")
    with story.refused("Conflict", "Invalid"):
        story("tasks.claim", id=story.task("other"), user_id="ann", key="k")
    with story.refused("Conflict"):
        story("tasks.claim", id=task, user_id="bob", key="k")


def test_blank_words_and_unknown_ids() -> None:
    story = Story()
    task = story.task("only")
    with story.refused("Invalid"):
        story("tasks.skip", id=task, user_id="ann", reason="  ")
    with story.refused("NotFound"):
        story("tasks.claim", id=uuid4(), user_id="ann")
