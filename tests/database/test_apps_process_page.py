"""The page of a process without a browser: what it shows, what it offers, and that the engine agrees."""

from __future__ import annotations

import json
from typing import Any

import pytest

import gndp
from apps.desk import Desk
from apps.pages.process import ProcessView
from apps.stores.actions import process_actions, task_actions
from apps.workbench import Shell
from gndp.access.principals import Principal
from gndp.core.errors import GndpError
from gndp.core.records import Process, Task
from gndp.core.states import Role

HOSTILE = "<img src=x onerror=alert(1)>"


def start(workbench: gndp.Workbench, **options: Any) -> Process:
    given = {"process_definition_id": "p", "process_name": "Loan", "process_type": "custom", **options}
    return workbench.processes.start(initiated_by="ann", **given)


def add(workbench: gndp.Workbench, process: Process, **options: Any) -> Task:
    given = {"task_definition_id": "t", "task_name": "Check", "task_type": "manual", **options}
    return workbench.tasks.create(process_instance_id=process.id, user_id="ann", **given)


def opened(workbench: gndp.Workbench, process: Process, task: Task | None = None) -> ProcessView:
    view = ProcessView(Desk(lambda: workbench, url=address(process, task)))
    view.refresh()
    return view


def address(process: Process, task: Task | None = None) -> str:
    return f"/process?id={process.id}" + (f"&task={task.id}" if task else "")


def acting(workbench: gndp.Workbench, user_id: str, role: Role, team: str | None = None) -> gndp.Workbench:
    return workbench.acting_as(Principal(user_id, role, team))


def facts(view: Any) -> dict[str, Any]:
    return {fact["name"]: fact["value"] for fact in view.facts.facts}


def offered(view: Any) -> set[str]:
    return {action["name"] for action in view.actions.panel.actions}


def test_a_page_that_is_built_has_read_nothing() -> None:
    class Unread:
        acting_user = None

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    view = ProcessView(Desk(lambda: Unread(), url="/process?id=1"))  # type: ignore[arg-type,return-value]
    assert not view.body.visible


def test_it_shows_the_process_with_its_parts(workbench: gndp.Workbench) -> None:
    parent = start(workbench, process_name="Parent")
    process = start(
        workbench,
        process_name=HOSTILE,
        parent_process_id=parent.id,
        sla_target_mins=60,
        input_data={"customer": HOSTILE},
    )
    child = start(workbench, process_name="Child", parent_process_id=process.id)
    first = add(workbench, process)
    add(workbench, process, task_name="Second", depends_on=[first.id])
    view = opened(workbench, process)
    assert view.body.visible
    assert "&lt;img" in view.title.object
    assert HOSTILE not in view.title.object
    assert facts(view)["Status"] == "running"
    (clock,) = [fact for fact in view.facts.facts if fact["kind"] == "clock"]
    assert clock["value"]["status"] == "on_track"
    assert clock["value"]["text"] == "60 min left"
    assert facts(view)["Part of"]["href"] == f"/process?id={parent.id}"
    assert [row["name"]["text"] for row in view.tasks.table.rows] == ["Check", "Second"]
    assert [row["type"] for row in view.events.table.rows][-1] == "process.started"
    assert [(row["relation"], row["name"]["text"]) for row in view.parts.table.rows] == [
        ("parent", "Parent"),
        ("child", "Child"),
    ]
    assert "&lt;img" in view.context["input_data"].object
    assert [node["className"] for node in view.flow.panel.nodes] == ["ready", "blocked"]
    assert [row["name"] for row in view.gantt.rows] == [HOSTILE, "Check", "Second"]
    assert not view.task.panel.visible
    assert view.concerns(workbench.processes.events(child.id)[0])
    assert view.concerns(workbench.processes.events(process.id)[0])
    assert not view.concerns(workbench.processes.events(start(workbench).id)[0])


def test_a_refresh_changes_nothing_that_is_shown_already(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    task = add(workbench, process)
    view = opened(workbench, process, task)
    changed: list[str] = []
    for component in (view.gantt, view.flow.panel, view.tasks.table, view.events.table, view.actions.panel):
        component.param.watch(lambda event: changed.append(event.name), list(component.param))
    flow = view.flow
    view.refresh()
    assert changed == []
    assert view.flow is flow


def test_what_cannot_be_shown_is_said(workbench: gndp.Workbench) -> None:
    view = ProcessView(Desk(lambda: workbench, url="/process?id=nothing"))
    view.refresh()
    assert view.problem.visible
    assert view.retry.visible
    assert not view.body.visible


def test_another_task_is_shown_without_another_page(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    first, second = add(workbench, process), add(workbench, process, task_name="Second")
    desk = Desk(lambda: workbench, url=address(process, first))
    view = ProcessView(desk)
    view.refresh()
    assert "Task: Check" in view.task.title.object
    desk.navigation.url = address(process, second)
    assert view.follow()
    assert "Task: Second" in view.task.title.object
    assert view.gantt.chosen == str(second.id)
    desk.navigation.url = address(start(workbench))
    assert not view.follow()


def test_the_frame_keeps_the_page_for_another_task_only(workbench: gndp.Workbench) -> None:
    process, other = start(workbench), start(workbench)
    task = add(workbench, process)
    desk = Desk(lambda: workbench, url=address(process))
    shell = Shell(desk)
    view = shell.view
    desk.navigation.url = address(process, task)
    assert shell.view is view
    desk.navigation.url = address(other)
    assert shell.view is not view
    desk.navigation.url = "/processes"
    desk.navigation.url = address(other)
    assert isinstance(shell.view, ProcessView)


def test_commands_are_given_with_what_was_entered(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    view = opened(acting(workbench, "ann", Role.WORKER), process)
    assert view.actions.give("processes.suspend", {"reason": "holiday"}, process.version) == ""
    assert workbench.processes.get(process.id).status == "suspended"
    assert facts(view)["Status"] == "suspended"
    assert "processes.resume" in offered(view)
    newest = workbench.processes.events(process.id)[0]
    assert (newest.user_id, newest.details["reason"]) == ("ann", "holiday")


def test_nobody_overwrites_what_they_have_not_seen(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    view = opened(acting(workbench, "ann", Role.WORKER), process)
    workbench.processes.update(process.id, user_id="bob", priority="high")
    said = view.actions.give("processes.suspend", {"reason": "holiday"}, process.version)
    assert said
    assert workbench.processes.get(process.id).status == "running"
    # The refusal came with a fresh look, so the second try knows what it is about.
    assert view.actions.panel.version == process.version + 1
    assert view.actions.give("processes.suspend", {"reason": "holiday"}, process.version + 1) == ""


def test_a_viewer_is_offered_nothing_and_refused_all_the_same(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    task = add(workbench, process)
    process = workbench.processes.get(process.id)
    view = opened(acting(workbench, "vic", Role.VIEWER), process, task)
    assert offered(view) == set()
    assert offered(view.task) == set()
    assert "may not" in view.actions.give("processes.suspend", {"reason": "x"}, process.version)
    assert "may not" in view.task.actions.give("tasks.claim", {}, task.version)
    assert workbench.processes.get(process.id) == process
    assert workbench.tasks.get(task.id) == task


def test_who_may_not_see_a_process_sees_nothing_of_it(workbench: gndp.Workbench) -> None:
    for team in ("north", "south"):
        workbench.directory.add_team(team)
    process = start(workbench, assigned_team="south")
    view = opened(acting(workbench, "vic", Role.WORKER, "north"), process)
    assert view.problem.visible
    assert not view.body.visible
    assert view.tasks.table.rows == []


def test_it_explains_how_a_task_came_to_somebody(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    task = add(workbench, process)
    workbench.tasks.assign(task.id, assigned_to="bob", user_id="ann")
    view = opened(workbench, process, task)
    assert not view.task.explained.visible
    view.task.explain.clicks += 1
    assert view.task.explained.object == "Given to bob (manual): named by hand."


def test_what_the_form_of_a_step_asks_for_is_there_to_be_filled_in(workbench: gndp.Workbench) -> None:
    form = {
        "type": "object",
        "properties": {"sum": {"type": "integer"}, "fine": {"type": "boolean", "default": True}},
    }
    step = {"id": "check", "name": "Check", "form": form}
    workbench.definitions.publish({"id": "f", "name": "F", "steps": [step]}, user_id="ann")
    process = start(workbench, process_definition_id="f")
    task = workbench.tasks.list(process_id=process.id).tasks[0].task
    task = workbench.tasks.start(task.id, user_id="ann")
    view = opened(acting(workbench, "ann", Role.MANAGER), process, task)
    (complete,) = [action for action in view.task.actions.panel.actions if action["name"] == "tasks.complete"]
    assert json.loads(complete["fields"][0]["value"]) == {"sum": None, "fine": True}
    assert "sum" in view.task.actions.give("tasks.complete", {"output_data": '{"sum": "x"}'}, task.version)
    assert view.task.actions.give("tasks.complete", {"output_data": '{"sum": 5}'}, task.version) == ""


def test_a_large_process_is_cut_and_says_so(
    workbench: gndp.Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start(workbench)
    tasks = [add(workbench, process, task_name=f"Step {number}") for number in range(4)]
    monkeypatch.setattr("apps.stores.process.MOST_TASKS", 2)
    monkeypatch.setattr("apps.pages.process.MOST_NODES", 2)
    view = opened(workbench, process, tasks[3])
    # The one that the address asks for is there all the same.
    assert [row["name"] for row in view.gantt.rows] == ["Loan", "Step 0", "Step 1", "Step 3"]
    assert view.cut.object == "3 of the 4 tasks are shown."
    assert view.cut.visible
    assert view.graph[0].object == "3 steps are too many for a graph."


def test_the_tasks_are_exported(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    add(workbench, process, task_name="=1+1")
    view = opened(workbench, process)
    view.tasks.table._handle_msg("csv")
    header, row = list(view.tasks._exported())
    assert header[0] == "Task"
    assert row[0] == "=1+1"


def scenes(workbench: gndp.Workbench) -> list[tuple[Process, Task | None]]:
    """A process in every status, and a task in every state of a running, suspended or failed one."""
    wb = workbench
    found: list[tuple[Process, Task | None]] = []
    for status in ("pending", "running", "suspended", "completed", "failed", "cancelled"):
        process = start(wb, auto_complete=False, hold=status == "pending")
        if status == "suspended":
            wb.processes.suspend(process.id, user_id="ann", reason="x")
        elif status == "completed":
            wb.processes.complete(process.id, user_id="ann")
        elif status == "failed":
            wb.processes.fail(process.id, user_id="ann", error_message="x")
        elif status == "cancelled":
            wb.processes.cancel(process.id, user_id="ann", reason="x")
        found.append((process, None))
    for state in (
        "ready",
        "blocked",
        "assigned",
        "others",
        "working",
        "waiting",
        "completed",
        "skipped",
        "failed",
    ):
        for then in ("running", "suspended"):
            process = start(wb, auto_complete=False)
            before = add(wb, process) if state == "blocked" else None
            task = add(wb, process, max_retries=0, depends_on=[before.id] if before else [])
            if state in ("assigned", "working", "waiting", "completed", "failed"):
                wb.tasks.assign(task.id, assigned_to="ann", user_id="ann")
            if state == "others":
                wb.tasks.assign(task.id, assigned_to="bob", user_id="ann")
            if state in ("working", "waiting", "completed", "failed"):
                wb.tasks.start(task.id, user_id="ann")
            if state == "waiting":
                wb.tasks.wait(task.id, user_id="ann", reason="x")
            if state == "completed":
                wb.tasks.complete(task.id, user_id="ann")
            if state == "skipped":
                wb.tasks.skip(task.id, user_id="ann", reason="x")
            if state == "failed":
                wb.tasks.fail(task.id, user_id="ann", error_message="x")
            elif then == "suspended":
                wb.processes.suspend(process.id, user_id="ann", reason="x")
            found.append((process, task))
    return [(wb.processes.get(p.id), t and wb.tasks.get(t.id)) for p, t in found]


def accepted(workbench: gndp.Workbench, item: Any, verb: str, arguments: dict[str, Any]) -> bool:
    """Whether the engine takes a command; it is undone."""
    noun = "tasks" if isinstance(item, Task) else "processes"
    who = "reassigned_by" if verb == "reassign" else "user_id"
    given = {**arguments, who: "ann"}
    if verb == "run":
        if item.status != "pending":
            return False
        verb, given["new_status"] = "update_status", "running"

    class Undone(Exception):
        pass

    try:
        with workbench.transaction():
            getattr(getattr(workbench, noun), verb)(item.id, **given)
            raise Undone
    except Undone:
        return True
    except GndpError:
        return False


ARGUMENTS: dict[str, dict[str, Any]] = {
    "suspend": {"reason": "x"}, "resume": {}, "retry": {}, "complete": {}, "fail": {"error_message": "x"},
    "cancel": {"reason": "x"}, "update": {"priority": "critical"}, "comment": {"text": "x"}, "run": {},
}  # fmt: skip
TASK_ARGUMENTS: dict[str, dict[str, Any]] = {
    "claim": {}, "start": {}, "complete": {}, "wait": {"reason": "x"}, "resume": {},
    "assign": {"assigned_to": "cleo"}, "reassign": {"new_assignee": "cleo", "reason": "x"}, "release": {},
    "fail": {"error_message": "x"}, "retry": {}, "skip": {"reason": "x"}, "cancel": {"reason": "x"},
    "update": {"priority": "critical"}, "comment": {"text": "x"},
}  # fmt: skip


@pytest.mark.parametrize("role", [Role.MANAGER, Role.WORKER, Role.VIEWER])
def test_what_is_offered_is_what_the_engine_takes(workbench: gndp.Workbench, role: Role) -> None:
    items = scenes(workbench)
    bound = acting(workbench, "ann", role)
    for process, task in items:
        if task is None:
            offers = process_actions(process, bound.may)
            arguments, item = ARGUMENTS, process
        else:
            offers = task_actions(task, process, bound.may, "ann")
            arguments, item = TASK_ARGUMENTS, task
        offered = {action.name.partition(".")[2] for action in offers}
        taken = {verb for verb, given in arguments.items() if accepted(bound, item, verb, given)}
        if task is not None and task.status == "assigned":
            taken.discard("assign")  # offered as reassigning, which keeps the reason
        assert offered == taken, (process.status, task and (task.status, task.substatus, task.assigned_to))
