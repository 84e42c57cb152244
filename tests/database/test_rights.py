"""``wb.acting_as``: who may do what, to whose work, checked by the engine itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import gndp
from gndp.access.guard import ACTIONS
from gndp.access.policy import POLICY, Reach
from gndp.access.principals import Principal
from gndp.core.errors import Forbidden, GndpError, Invalid
from gndp.core.records import Process, Task
from gndp.core.states import Role, TokenScope


@pytest.fixture
def house(workbench: gndp.Workbench) -> gndp.Workbench:
    workbench.directory.add_team("north")
    workbench.directory.add_team("south")
    for name, team, role in (
        ("ann", "north", "worker"),
        ("bob", "north", "worker"),
        ("lea", "north", "lead"),
        ("sue", "south", "worker"),
        ("max", None, "manager"),
    ):
        workbench.directory.add_person(name, team=team, role=role)
    return workbench


def started(house: gndp.Workbench, team: str | None = "north", assignee: str = "ann") -> tuple[Process, Task]:
    process = house.processes.start(
        process_definition_id="x",
        process_name="X",
        process_type="custom",
        initiated_by="pat",
        assigned_team=team,
    )
    task = house.tasks.create(
        process_instance_id=process.id,
        task_definition_id="t",
        task_name="T",
        task_type="manual",
        assigned_to=assignee,
        assigned_team=team,
    )
    return process, task


def acting(house: gndp.Workbench, user_id: str) -> gndp.Workbench:
    return house.acting_as(Principal.of(house.directory.person(user_id)))


def test_a_worker_does_their_own_tasks_and_names_nobody(house: gndp.Workbench) -> None:
    _, task = started(house)
    ann = acting(house, "ann")
    assert ann.tasks.start(task.id).claimed_by == "ann"
    assert ann.tasks.complete(task.id).status == "completed"
    event = house.processes.events(task.process_instance_id)[1]
    assert (event.event_type, event.user_id) == ("task.completed", "ann")
    assert "given_by" not in event.details


def test_what_is_refused_has_changed_nothing(house: gndp.Workbench) -> None:
    process, task = started(house)
    before = house.processes.events(process.id)
    for user_id in ("bob", "sue"):
        bound = acting(house, user_id)
        for refused in (
            lambda bound=bound: bound.tasks.start(task.id),
            lambda bound=bound: bound.tasks.start(task.id, user_id="ann"),
            lambda bound=bound: bound.tasks.reassign(task.id, new_assignee="bob", reason="mine"),
            lambda bound=bound: bound.tasks.skip(task.id, reason="no"),
            lambda bound=bound: bound.processes.cancel(process.id, reason="no"),
            lambda bound=bound: bound.processes.update(process.id, priority="low"),
        ):
            with pytest.raises(Forbidden):
                refused()
    assert house.processes.events(process.id) == before
    assert house.tasks.get(task.id) == task


def test_a_team_sees_its_own_work_and_that_of_no_team(house: gndp.Workbench) -> None:
    process, task = started(house)
    shared, _ = started(house, team=None)
    north, south = acting(house, "bob"), acting(house, "sue")
    assert north.processes.get(process.id).id == process.id
    assert north.tasks.get(task.id).id == task.id
    for hidden in (
        lambda: south.processes.get(process.id),
        lambda: south.processes.events(process.id),
        lambda: south.tasks.get(task.id),
        lambda: south.sla.clocks(process_id=process.id),
        lambda: south.sla.clocks(task_id=task.id),
        lambda: south.tasks.explain_assignment(task.id),
    ):
        with pytest.raises(Forbidden):
            hidden()
    assert south.processes.get(shared.id).id == shared.id


def test_whoever_has_a_task_in_a_process_sees_the_process(house: gndp.Workbench) -> None:
    process, _ = started(house)
    sue = acting(house, "sue")
    with pytest.raises(Forbidden):
        sue.processes.get(process.id)
    house.tasks.create(
        process_instance_id=process.id,
        task_definition_id="u",
        task_name="U",
        task_type="manual",
        assigned_to="sue",
    )
    assert sue.processes.get(process.id).id == process.id


def test_a_lead_shares_out_the_work_of_the_team_only(house: gndp.Workbench) -> None:
    _, of_north = started(house)
    _, of_south = started(house, team="south", assignee="sue")
    lea = acting(house, "lea")
    assert lea.tasks.reassign(of_north.id, new_assignee="bob", reason="even").assigned_to == "bob"
    assert lea.directory.set_out_of_office("ann", house.clock().replace(year=2099)).user_id == "ann"
    for refused in (
        lambda: lea.tasks.reassign(of_south.id, new_assignee="bob", reason="even"),
        lambda: lea.directory.set_out_of_office("sue", house.clock().replace(year=2099)),
        lambda: lea.directory.add_person("eve"),
        lambda: lea.jobs.list(),
    ):
        with pytest.raises(Forbidden):
            refused()


def test_who_acts_for_somebody_stands_in_the_event(house: gndp.Workbench) -> None:
    _, task = started(house)
    manager = acting(house, "max")
    manager.tasks.start(task.id, user_id="ann")
    event = house.processes.events(task.process_instance_id)[0]
    assert (event.event_type, event.user_id, event.details["given_by"]) == ("task.started", "ann", "max")


def test_a_viewer_and_a_reading_token_change_nothing(house: gndp.Workbench) -> None:
    process, task = started(house, team=None)
    viewer = house.acting_as(Principal("vic", Role.VIEWER))
    reader = house.acting_as(Principal("ann", Role.ADMIN, scope=TokenScope.READ))
    for bound in (viewer, reader):
        assert bound.processes.get(process.id).id == process.id
        assert bound.processes.summary().total_processes == 1
        for refused in (
            lambda bound=bound: bound.processes.comment(process.id, text="hello"),
            lambda bound=bound: bound.tasks.start(task.id),
            lambda bound=bound: bound.processes.start(
                process_definition_id="x", process_name="X", process_type="custom"
            ),
            lambda bound=bound: bound.calendars.save("c", {}),
        ):
            with pytest.raises(Forbidden):
                refused()


def test_commands_of_a_unit_ask_each_for_itself(house: gndp.Workbench) -> None:
    process, task = started(house)
    ann = acting(house, "ann")
    with pytest.raises(Forbidden), ann.transaction():
        ann.tasks.start(task.id)
        ann.tasks.skip(task.id, reason="no")
    assert house.tasks.get(task.id).status == "assigned"
    assert house.processes.get(process.id).version == 2


def test_nobody_acts_for_somebody_through_somebody_else(house: gndp.Workbench) -> None:
    with pytest.raises(Forbidden):
        acting(house, "ann").acting_as(Principal("max", Role.ADMIN))


def test_a_command_that_asks_for_no_right_writes_nothing(
    house: gndp.Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, _ = started(house)
    monkeypatch.setattr("gndp.engine.transition.Work.permit", lambda *given: None)
    with pytest.raises(Forbidden, match="nothing says who may"):
        acting(house, "max").processes.comment(process.id, text="hello")


def test_what_the_policy_does_not_name_is_nobody_s(house: gndp.Workbench) -> None:
    admin = house.acting_as(Principal("root", Role.ADMIN))
    with pytest.raises(Forbidden):
        admin.events.rebase()
    with pytest.raises(Forbidden):
        admin.jobs.start()
    assert set(ACTIONS.values()) <= POLICY.keys()


def test_an_unbound_workbench_still_wants_a_name(house: gndp.Workbench) -> None:
    process, _ = started(house)
    with pytest.raises(Invalid):
        house.processes.comment(process.id, text="hello")
    with pytest.raises(Invalid):
        house.processes.start(process_definition_id="x", process_name="X", process_type="custom")


_COMMANDS: dict[str, Callable[[gndp.Workbench, Process, Task], Any]] = {
    "processes.suspend": lambda wb, p, t: wb.processes.suspend(p.id, reason="r"),
    "processes.comment": lambda wb, p, t: wb.processes.comment(p.id, text="r"),
    "processes.update": lambda wb, p, t: wb.processes.update(p.id, priority="low"),
    "tasks.claim": lambda wb, p, t: wb.tasks.claim(t.id),
    "tasks.assign": lambda wb, p, t: wb.tasks.assign(t.id, assigned_to="bob"),
    "tasks.comment": lambda wb, p, t: wb.tasks.comment(t.id, text="r"),
    "tasks.update": lambda wb, p, t: wb.tasks.update(t.id, notes="r"),
    "tasks.skip": lambda wb, p, t: wb.tasks.skip(t.id, reason="r"),
    "tasks.start": lambda wb, p, t: wb.tasks.start(t.id),
    "sla.recompute": lambda wb, p, t: wb.sla.recompute(task_id=t.id, reason="r"),
}


@pytest.mark.parametrize("role", list(Role))
def test_the_engine_goes_by_the_table(house: gndp.Workbench, role: Role) -> None:
    bound = house.acting_as(Principal("pia", role, "north"))
    for action, command in _COMMANDS.items():
        over: Reach = getattr(POLICY[action], role.value)
        for team in ("north", "south"):
            process, task = started(house, team=team, assignee="sue")
            is_allowed = over == Reach.ALL or (over == Reach.TEAM and team == "north")
            try:
                command(bound, process, task)
            except Forbidden:
                assert not is_allowed, (action, team)
            except GndpError:
                assert is_allowed, (action, team, "the state is looked at only by those who may")
            else:
                assert is_allowed, (action, team)


def test_lists_hold_what_may_be_seen_and_no_more(house: gndp.Workbench) -> None:
    of_north, north_task = started(house)
    of_south, south_task = started(house, team="south", assignee="sue")
    shared, shared_task = started(house, team=None)
    house.tasks.create(
        process_instance_id=of_north.id,
        task_definition_id="u",
        task_name="U",
        task_type="manual",
        assigned_to="sue",
    )

    def listed(bound: gndp.Workbench) -> tuple[set[Any], set[Any]]:
        processes, tasks = bound.processes.list(), bound.tasks.list()
        assert processes.total == len(processes.processes) and tasks.total == len(tasks.tasks)
        for process in processes.processes:
            assert bound.processes.get(process.id)
        for task in tasks.tasks:
            assert bound.tasks.get(task.id)
        return {one.id for one in processes.processes}, {one.id for one in tasks.tasks}

    processes, tasks = listed(acting(house, "bob"))
    assert processes == {of_north.id, shared.id}
    assert {north_task.id, shared_task.id} <= tasks and south_task.id not in tasks
    processes, tasks = listed(acting(house, "sue"))
    assert processes == {of_north.id, of_south.id, shared.id}
    assert {south_task.id, shared_task.id} <= tasks and north_task.id not in tasks and len(tasks) == 3
    assert len(listed(acting(house, "max"))[0]) == 3
    assert acting(house, "bob").processes.list(status="running", assigned_to="ann").total == 0
