"""The pages of Monitoring without a browser: what they show, what choices do, and what is offered to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import gndp
from apps.desk import Desk
from apps.pages.lists import ListView, ProcessesView, TasksView
from apps.pages.overview import OverviewView
from apps.pages.workload import WorkloadView
from gndp.access.principals import Principal
from gndp.core.errors import DatabaseUnavailable

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def house(workbench: gndp.Workbench) -> gndp.Workbench:
    for team in ("north", "south"):
        workbench.directory.add_team(team)
    for name, team, role, capacity in (
        ("ann", "north", "worker", 2),
        ("bob", "north", "worker", 5),
        ("lea", "north", "lead", None),
        ("sue", "south", "worker", 3),
        ("vic", "north", "viewer", None),
        ("max", None, "manager", None),
    ):
        workbench.directory.add_person(name, team=team, role=role, capacity=capacity)
    return workbench


def started(house: gndp.Workbench, name: str = "Case", team: str | None = "north", **more: Any) -> Any:
    return house.processes.start(
        process_definition_id="case",
        process_name=name,
        process_type="custom",
        initiated_by="pat",
        assigned_team=team,
        **more,
    )


def task_of(house: gndp.Workbench, who: str | None = "ann", name: str = "Check", **more: Any) -> Any:
    process = started(house, f"Case of {name}")
    return house.tasks.create(
        process_instance_id=process.id,
        task_definition_id="t",
        task_name=name,
        task_type="manual",
        user_id="pat",
        **({"assigned_to": who} if who else {}),
        **{"assigned_team": "north", **more},
    )


def desk_of(house: gndp.Workbench, who: str, url: str = "/") -> Desk:
    bound = house.acting_as(Principal.of(house.directory.person(who)))
    return Desk(lambda: bound, url=url)


def shown(build: Callable[[Desk], Any], desk: Desk) -> Any:
    view = build(desk)
    view.refresh()
    return view


def names(view: ListView) -> list[str]:
    return [row["name"]["text"] for row in view.table.rows]


def test_building_a_page_reads_nothing(house: gndp.Workbench) -> None:
    reads: list[str] = []

    class Silent:
        acting_user = "ann"

        def __getattr__(self, name: str) -> Any:
            reads.append(name)
            raise AssertionError(name)

    desk = Desk(lambda: Silent())  # type: ignore[arg-type,return-value]
    for build in (OverviewView, ProcessesView, TasksView, WorkloadView):
        build(desk)
    assert reads == []


def test_the_overview_shows_the_engines_figures(house: gndp.Workbench) -> None:
    for number in range(3):
        started(house, f"Case {number}")
    failed = started(house, HOSTILE, priority="critical")
    house.processes.fail(failed.id, user_id="pat", error_message="no")
    view = shown(OverviewView, desk_of(house, "max"))
    assert "3 running, 0 suspended, 1 failed" in view.figures.object
    counts = {row["state"]: (row["count"], row["href"]) for row in view.statuses.rows}
    assert counts["running"] == (3, "/processes?status=running")
    assert counts["failed"][0] == 1
    series = {one["name"]: sum(one["values"]) for one in view.throughput.figures["series"]}
    assert series == {"started": 4, "completed": 0}
    assert len(view.sla.figures["days"]) == 30
    assert [row["name"]["text"] for row in view.oldest.rows] == ["Case 0", "Case 1", "Case 2"]
    assert view.recent.rows[0]["what"]["note"] == HOSTILE
    assert "<img" not in view.figures.object


def test_the_overview_lists_what_is_due_first(house: gndp.Workbench) -> None:
    for minutes in (90, 30, None):
        started(house, f"in {minutes}", sla_target_mins=minutes)
    view = shown(OverviewView, desk_of(house, "max"))
    assert [row["name"]["text"] for row in view.due_first.rows] == ["in 30", "in 90"]


def test_the_overview_shows_what_somebody_may_see(house: gndp.Workbench) -> None:
    started(house, "north case", "north")
    started(house, "south case", "south")
    view = shown(OverviewView, desk_of(house, "vic"))
    assert [row["name"]["text"] for row in view.oldest.rows] == ["north case"]
    assert {row["what"]["note"] for row in view.recent.rows} == {"north case"}
    assert {row["state"]: row["count"] for row in view.statuses.rows}["running"] == 1


def test_the_days_are_those_of_the_viewer(house: gndp.Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_of(house, "max")
    view = shown(OverviewView, desk)
    asked = []
    original = type(house.processes).trend
    monkeypatch.setattr(
        type(house.processes), "trend", lambda self, zone: asked.append(zone) or original(self, zone)
    )
    desk.navigation.zone = "Pacific/Auckland"
    assert asked == ["Pacific/Auckland"]
    view.refresh()
    assert asked == ["Pacific/Auckland"]


@pytest.mark.parametrize("build", [OverviewView, ProcessesView, TasksView, WorkloadView])
def test_an_unreachable_database_is_said_and_what_was_shown_stays(
    house: gndp.Workbench, build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_of(house)
    desk = desk_of(house, "max")
    view = shown(build, desk)
    table = getattr(view, "table", None) or getattr(view, "people", None) or view.oldest
    before = table.rows
    assert before != []

    def unreachable(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("the database cannot be reached")

    with monkeypatch.context() as patched:
        for noun, read in (("processes", "list"), ("tasks", "list"), ("tasks", "workload")):
            patched.setattr(type(getattr(house, noun)), read, unreachable)
        view.refresh()
        assert view.problem.visible and view.retry.visible
        assert "cannot be read now: the database cannot be reached" in view.problem.object
        assert table.rows == before
    view.refresh()
    assert not view.problem.visible and not view.retry.visible


def test_filters_of_the_address_are_those_of_the_list(house: gndp.Workbench) -> None:
    for number in range(3):
        started(house, f"Case {number}", priority=["low", "high", "high"][number])
    suspended = started(house, "Quiet")
    house.processes.suspend(suspended.id, user_id="pat", reason="no")
    url = "/processes?status=running,suspended&priority=high&sort=name&assigned_team=north"
    view = shown(ProcessesView, desk_of(house, "max", url))
    assert names(view) == ["Case 1", "Case 2"]
    assert view.status.value == ["running", "suspended"]
    assert view.team.options == ["any", "north", "south"]
    wrong = shown(ProcessesView, desk_of(house, "max", "/processes?status=bogus&priority=x&page=-3"))
    assert len(wrong.table.rows) == 4


def test_a_filter_begins_at_its_first_page_and_stands_in_the_address(house: gndp.Workbench) -> None:
    for number in range(30):
        started(house, f"Case {number}")
    desk = desk_of(house, "max", "/processes?page=1")
    view = shown(ProcessesView, desk)
    assert (view.table.page, len(view.table.rows), view.table.has_more) == (1, 5, False)
    view.status.value = ["running", "failed"]
    assert (view.table.page, len(view.table.rows)) == (0, 25)
    assert desk.navigation.said == "/processes?status=running%2Cfailed"
    view.table.page = 1
    assert desk.navigation.said == "/processes?status=running%2Cfailed&page=1"
    assert view.views.here == desk.navigation.said


def test_a_list_that_became_shorter_shows_its_last_page(house: gndp.Workbench) -> None:
    cases = [started(house, f"Case {number}") for number in range(30)]
    view = shown(ProcessesView, desk_of(house, "max", "/processes?status=running&page=1"))
    assert len(view.table.rows) == 5
    for process in cases[:10]:
        house.processes.fail(process.id, user_id="pat", error_message="no")
    view.refresh()
    assert (view.table.page, len(view.table.rows)) == (0, 20)


def test_a_search_narrows_the_list(house: gndp.Workbench) -> None:
    started(house, "Alpha")
    started(house, "Beta")
    view = shown(ProcessesView, desk_of(house, "max"))
    view.search.value = " alph "
    assert names(view) == ["Alpha"]
    assert view.search.value == " alph "
    view.search.value = "gamma"
    assert names(view) == []
    view.search.value = ""
    assert len(names(view)) == 2


def test_ready_made_views_show_what_they_say(house: gndp.Workbench) -> None:
    task_of(house, "ann", "Anns")
    task_of(house, None, "Nobodys")
    waiting = task_of(house, "bob", "Waits")
    house.tasks.start(waiting.id, user_id="bob")
    house.tasks.wait(waiting.id, user_id="bob", reason="customer")
    views = dict(TasksView(desk_of(house, "ann")).views.ready)
    found = {
        name: sorted(names(shown(TasksView, desk_of(house, "ann", address))))
        for name, address in views.items()
    }
    assert found == {
        "All": ["Anns", "Nobodys", "Waits"],
        "Open": ["Anns", "Nobodys", "Waits"],
        "Late": [],
        "Unassigned": ["Nobodys"],
        "Waiting": ["Waits"],
        "Mine": ["Anns"],
    }
    for _, address in ProcessesView(desk_of(house, "ann")).views.ready:
        assert shown(ProcessesView, desk_of(house, "ann", address)).problem.visible is False


def test_what_is_chosen_is_done_one_by_one_and_each_refusal_is_told(house: gndp.Workbench) -> None:
    first, second = task_of(house, "ann", "First"), task_of(house, "ann", "Second")
    desk = desk_of(house, "lea", "/tasks")
    view = shown(TasksView, desk)
    bar = view.bulk
    view.table.selected = [str(first.id), str(second.id)]
    assert "Reassign" in bar.verb.options
    bar.verb.value = "Reassign"
    assert bar.person.visible and bar.reason.visible and not bar.priority.visible
    bar.apply.clicks += 1
    assert "Say the person and the reason first." in desk.message.object

    # Somebody else was quicker with one of them.
    house.tasks.update(second.id, user_id="pat", notes="changed")
    bar.person.value = "bob"
    bar.reason.value = "holiday"
    bar.apply.clicks += 1
    assert house.tasks.get(first.id).assigned_to == "bob"
    assert house.tasks.get(second.id).assigned_to == "ann"
    assert desk.message.object == "Reassign: 1 done, 1 refused."
    assert bar.outcomes.visible and "Second" in bar.outcomes.object
    assert view.table.selected == []
    event = house.processes.events(first.process_instance_id)[0]
    assert (event.event_type, event.user_id, event.details["reason"]) == ("task.reassigned", "lea", "holiday")


def test_only_what_somebody_may_and_the_states_allow_is_offered(house: gndp.Workbench) -> None:
    mine, queued = task_of(house, "ann", "Mine"), task_of(house, None, "Queued")

    def offered(who: str, *tasks: Any) -> set[str]:
        view = shown(TasksView, desk_of(house, who, "/tasks"))
        view.table.selected = [str(task.id) for task in tasks]
        return set(view.bulk.verb.options[1:])

    assert offered("vic", mine) == set()
    assert offered("ann", mine) == {"Give back", "Reassign", "Change priority"}
    assert offered("bob", mine) == set()
    assert offered("bob", queued) == {"Claim"}
    assert offered("lea", mine) == {"Give back", "Reassign", "Change priority", "Skip", "Cancel"}
    assert offered("lea", mine, queued) == {"Change priority", "Skip", "Cancel"}


def test_processes_are_suspended_together_with_a_reason(house: gndp.Workbench) -> None:
    cases = [started(house, f"Case {number}") for number in range(3)]
    view = shown(ProcessesView, desk_of(house, "max", "/processes"))
    view.table.selected = [str(process.id) for process in cases[:2]]
    view.bulk.verb.value = "Suspend"
    view.bulk.reason.value = "holiday"
    view.bulk.apply.clicks += 1
    assert [house.processes.get(process.id).status for process in cases] == [
        "suspended",
        "suspended",
        "running",
    ]
    assert {row["status"] for row in view.table.rows} == {"suspended", "running"}


def test_a_refresh_keeps_what_is_chosen_and_typed(house: gndp.Workbench) -> None:
    task = task_of(house)
    view = shown(TasksView, desk_of(house, "lea", "/tasks"))
    view.table.selected = [str(task.id)]
    view.bulk.verb.value = "Skip"
    view.bulk.reason.value = "half a rea"
    task_of(house, "bob", "Another")
    view.refresh()
    assert len(view.table.rows) == 2
    assert view.table.selected == [str(task.id)]
    assert (view.bulk.verb.value, view.bulk.reason.value) == ("Skip", "half a rea")


def test_a_list_is_exported_whole(house: gndp.Workbench) -> None:
    for number in range(30):
        started(house, f"Case {number}")
    view = shown(ProcessesView, desk_of(house, "max", "/processes"))
    rows = list(view._exported())
    assert len(rows) == 31 and "process_name" in rows[0]
    assert "wb.processes.list(sort='-created_at', limit=100)" in view.table.notebook_cell


def test_the_workload_is_that_of_the_engine_relative_to_capacity(house: gndp.Workbench) -> None:
    for _ in range(3):
        task_of(house, "ann")
    for _ in range(4):
        task_of(house, "bob")
    task_of(house, "lea")
    task_of(house, "stranger")
    view = shown(WorkloadView, desk_of(house, "max"))
    rows = {row["id"]: row for row in view.people.rows}
    assert rows["ann"]["load"] == {"percent": 150.0, "text": "3 of 2, overloaded", "level": "overloaded"}
    assert rows["bob"]["load"]["text"] == "4 of 5, busy"
    assert rows["sue"]["load"]["text"] == "0 of 3, available"
    assert rows["lea"]["load"]["text"] == "1, no limit"
    assert rows["stranger"]["team"] is None and rows["stranger"]["active"] == 1
    assert "vic" not in rows
    assert [row["id"] for row in view.people.rows][:2] == ["ann", "bob"]
    for work in house.tasks.workload():
        row = rows[work.assigned_to]
        assert (row["active"], row["in_progress"], row["at_risk"], row["breached"]) == work[1:]
    teams = {row["id"]: row for row in view.teams.rows}
    assert (teams["north"]["people"], teams["north"]["active"]) == (3, 8)
    assert teams["south"]["load"]["text"] == "0 of 3, available"
    assert teams["north"]["load"]["text"] == "8, no limit"


def test_the_workload_is_narrowed_to_a_team_and_sorted(house: gndp.Workbench) -> None:
    task_of(house, "bob")
    desk = desk_of(house, "max", "/workload?team=north")
    view = shown(WorkloadView, desk)
    assert {row["id"] for row in view.people.rows} == {"ann", "bob", "lea"}
    view.people.sort = "-name"
    assert [row["id"] for row in view.people.rows] == ["lea", "bob", "ann"]
    assert desk.navigation.said == "/workload?team=north&sort=-name"
    view.team.value = "all"
    assert len(view.people.rows) == 5
    assert next(iter(view._exported()))[-2:] == ["capacity", "level"]


def test_a_reassignment_is_shown_before_it_is_done(house: gndp.Workbench) -> None:
    task = task_of(house, "ann")
    desk = desk_of(house, "lea", "/workload")
    view = shown(WorkloadView, desk)
    form = view.reassignment
    form.giver.value = "ann"
    assert form.task.value == str(task.id)
    assert not form.give.visible
    form.taker.value = "bob"
    before_after = [(row["before"]["text"], row["after"]["text"]) for row in form.table.rows]
    assert before_after == [
        ("1 of 2, available", "0 of 2, available"),
        ("0 of 5, available", "1 of 5, available"),
    ]
    assert "bob can take it." in form.verdict.object
    assert form.give.visible and form.reason.visible
    assert house.tasks.get(task.id).assigned_to == "ann"
    form.give.clicks += 1
    assert "Say the reason first." in desk.message.object
    form.reason.value = "holiday"
    view.refresh()
    assert form.reason.value == "holiday"
    form.give.clicks += 1
    assert house.tasks.get(task.id).assigned_to == "bob"
    assert desk.message.object == "The task is bob's now."
    assert {row["id"]: row["active"] for row in view.people.rows}["bob"] == 1


def test_a_reassignment_that_cannot_be_or_may_not_be_is_not_offered(house: gndp.Workbench) -> None:
    task_of(house, "ann")
    view = shown(WorkloadView, desk_of(house, "vic", "/workload"))
    form = view.reassignment
    form.giver.value, form.taker.value = "ann", "bob"
    assert "You may look" in form.verdict.object
    assert not form.give.visible and not form.reason.visible

    lead = shown(WorkloadView, desk_of(house, "lea", "/workload")).reassignment
    lead.giver.value, lead.taker.value = "ann", "ann"
    assert "It cannot be done: ann has it already." in lead.verdict.object
    assert not lead.give.visible
    lead.taker.value = "sue"
    assert "Routing would not choose sue, who is not in the team north." in lead.verdict.object
    assert lead.give.visible


def test_nobody_overwrites_what_they_have_not_seen(house: gndp.Workbench) -> None:
    task = task_of(house, "ann")
    desk = desk_of(house, "lea", "/workload")
    form = shown(WorkloadView, desk).reassignment
    form.giver.value, form.taker.value = "ann", "bob"
    house.tasks.update(task.id, user_id="pat", notes="changed")
    form.reason.value = "holiday"
    form.give.clicks += 1
    assert house.tasks.get(task.id).assigned_to == "ann"
    assert desk.message.severity == "error"
