"""What giving a task to somebody else would come to, said before it is done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import gndp
from gndp.access.principals import Principal
from gndp.core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.scene import TEMPLATE

APART = {
    "id": "four_eyes",
    "name": "Four eyes",
    "steps": [
        {"id": "fill_in", "name": "Fill in", "type": "manual"},
        {"id": "check", "name": "Check", "type": "approval", "different_person_from": ["fill_in"]},
    ],
}


@pytest.fixture
def wb(workbench: gndp.Workbench) -> gndp.Workbench:
    workbench.directory.add_team("north")
    for name, capacity in (("ann", 3), ("bob", 2), ("cid", None)):
        workbench.directory.add_person(name, team="north", capacity=capacity, skills={"kyc": 2})
    return workbench


def task_of(wb: gndp.Workbench, who: str = "ann", **more: Any) -> gndp.Task:
    process = wb.processes.start(
        process_definition_id="x", process_name="X", process_type="custom", initiated_by="pat"
    )
    return wb.tasks.create(
        process_instance_id=process.id,
        task_definition_id="t",
        task_name="T",
        task_type="manual",
        assigned_to=who,
        user_id="pat",
        **more,
    )


def counts(wb: gndp.Workbench) -> dict[str, int]:
    return {work.assigned_to: work.active_tasks for work in wb.tasks.workload()}


def test_it_says_what_both_have_then_and_changes_nothing(wb: gndp.Workbench) -> None:
    task = task_of(wb)
    task_of(wb)
    found = wb.tasks.preview_reassignment(task.id, new_assignee="bob")
    assert (found.giver.before, found.giver.after, found.giver.capacity) == (2, 1, 3)
    assert (found.taker.before, found.taker.after, found.taker.capacity) == (0, 1, 2)
    assert (found.refusal, found.objection, found.version) == (None, None, task.version)
    assert wb.tasks.get(task.id) == task

    wb.tasks.reassign(task.id, new_assignee="bob", reassigned_by="pat", reason="holiday")
    assert counts(wb) == {"ann": found.giver.after, "bob": found.taker.after}


def test_what_routing_would_hold_against_somebody_is_said(wb: gndp.Workbench) -> None:
    for _ in range(2):
        task_of(wb, "bob")
    away = datetime.now(UTC) + timedelta(days=3)
    wb.directory.set_out_of_office("cid", away)
    wb.directory.add_team("south")
    wb.directory.add_person("sue", team="south")
    wb.directory.add_person("vic", team="north", role="viewer")
    task = task_of(wb, required_skills={"kyc": 3}, assigned_team="north")
    plain = task_of(wb, assigned_team="north")
    said = {
        person: wb.tasks.preview_reassignment(plain.id, new_assignee=person).objection
        for person in ("bob", "cid", "sue", "vic", "nobody")
    }
    assert said["bob"] == "has 2 of at most 2 tasks"
    assert said["cid"].startswith("is out of office until")
    assert said["sue"] == "is not in the team north"
    assert said["vic"] == "is a viewer, who does no tasks"
    assert said["nobody"] == "is not in the directory"
    wb.directory.set_out_of_office("cid", None)
    lacking = wb.tasks.preview_reassignment(task.id, new_assignee="cid")
    assert lacking.objection == "lacks kyc 3 (has 2)"
    assert lacking.refusal is None


def test_a_refusal_is_the_one_that_the_command_gives(wb: gndp.Workbench) -> None:
    same, suspended, done = (task_of(wb) for _ in range(3))
    wb.processes.suspend(suspended.process_instance_id, user_id="pat", reason="no")
    wb.tasks.start(done.id, user_id="ann")
    wb.tasks.complete(done.id, user_id="ann")
    for task, person in ((same, "ann"), (suspended, "bob"), (done, "bob")):
        found = wb.tasks.preview_reassignment(task.id, new_assignee=person)
        assert found.refusal is not None
        assert (found.giver.before, found.taker.before) == (found.giver.after, found.taker.after)
        with pytest.raises(Conflict):
            wb.tasks.reassign(task.id, new_assignee=person, reassigned_by="pat", reason="no")


def test_steps_that_are_kept_apart_refuse_somebody(wb: gndp.Workbench) -> None:
    wb.definitions.publish(APART, user_id="pat")
    process = wb.processes.start(
        process_definition_id="four_eyes", process_name="F", process_type="custom", initiated_by="pat"
    )
    first, second = (listed.task for listed in wb.tasks.list(process_id=process.id).tasks)
    wb.tasks.start(first.id, user_id="ann")
    wb.tasks.assign(second.id, assigned_to="bob", user_id="pat")
    found = wb.tasks.preview_reassignment(second.id, new_assignee="ann")
    assert found.refusal == "ann did a step that this one must be kept apart from"
    with pytest.raises(Conflict):
        wb.tasks.reassign(second.id, new_assignee="ann", reassigned_by="pat", reason="no")
    assert wb.tasks.preview_reassignment(second.id, new_assignee="cid").refusal is None


def test_what_is_blocked_is_nobodys_load_yet(wb: gndp.Workbench) -> None:
    wb.definitions.publish(TEMPLATE, user_id="pat")
    process = wb.processes.start(
        process_definition_id="with_form", process_name="F", process_type="custom", initiated_by="pat"
    )
    blocked = wb.tasks.list(process_id=process.id).tasks[1].task
    wb.tasks.assign(blocked.id, assigned_to="ann", user_id="pat")
    found = wb.tasks.preview_reassignment(blocked.id, new_assignee="bob")
    assert (found.giver.before, found.giver.after, found.taker.after) == (0, 0, 0)
    assert found.refusal is None


def test_nobody_previews_what_they_may_not_see(wb: gndp.Workbench) -> None:
    wb.directory.add_team("south")
    wb.directory.add_person("sue", team="south")
    task = task_of(wb, assigned_team="north")
    process = wb.processes.get(task.process_instance_id)
    assert process.assigned_team is None
    sue = wb.acting_as(Principal.of(wb.directory.person("sue")))
    with pytest.raises(Forbidden):
        sue.tasks.preview_reassignment(task.id, new_assignee="bob")


def test_bad_arguments_are_refused(wb: gndp.Workbench) -> None:
    task = task_of(wb)
    for person in ("", " ", None, 7, "\x00"):
        with pytest.raises(Invalid):
            wb.tasks.preview_reassignment(task.id, new_assignee=person)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        wb.tasks.preview_reassignment(task.process_instance_id, new_assignee="bob")
