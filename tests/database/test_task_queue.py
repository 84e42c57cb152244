"""What waits in a team's queue, ready to be claimed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import gndp
from gndp.access.principals import Principal
from gndp.core.errors import Invalid
from gndp.core.states import Role

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def process(workbench: gndp.Workbench, **options: object) -> gndp.Process:
    given = {"process_definition_id": "x", "process_name": "A case", "process_type": "custom"}
    return workbench.processes.start(**{**given, "initiated_by": "max", **options})


def add(workbench: gndp.Workbench, case: gndp.Process, name: str, **options: object) -> gndp.Task:
    given = {"task_definition_id": "t", "task_name": name, "task_type": "manual", "user_id": "max"}
    return workbench.tasks.create(
        process_instance_id=case.id, **{**given, "assigned_team": "north", **options}
    )


def names(listed: list[gndp.core.records.ListedTask]) -> list[str]:
    return [one.task.task_name for one in listed]


def test_a_queue_has_what_may_be_claimed_due_soonest_first(workbench: gndp.Workbench) -> None:
    case = process(workbench)
    for name, days, priority in (
        ("later", 2, "critical"),
        ("never", None, "critical"),
        ("low", 1, "low"),
        ("high", 1, "high"),
    ):
        due = None if days is None else NOON + timedelta(days=days)
        add(workbench, case, name, due_date=due, priority=priority)
    add(workbench, case, "blocked", depends_on=[workbench.tasks.queue("north")[0].task.id])
    add(workbench, case, "taken", assigned_to="ann")
    add(workbench, case, "of another team", assigned_team="south")
    add(workbench, case, "of no team", assigned_team=None)
    paused = process(workbench)
    add(workbench, paused, "paused")
    workbench.processes.suspend(paused.id, user_id="max", reason="lunch")
    assert names(workbench.tasks.queue("north")) == ["high", "low", "later", "never"]
    assert names(workbench.tasks.queue("north", limit=2)) == ["high", "low"]
    assert workbench.tasks.queue("north")[0].process_name == "A case"
    assert workbench.tasks.queue("nowhere") == []


def test_a_queue_has_what_others_would_be_found_for(workbench: gndp.Workbench) -> None:
    workbench.directory.add_team("north")
    task = add(workbench, process(workbench), "waits", assignment_method="round_robin")
    assert [one.task for one in workbench.tasks.queue("north")] == [workbench.tasks.get(task.id)]


def test_a_queue_shows_only_what_may_be_seen(workbench: gndp.Workbench) -> None:
    add(workbench, process(workbench), "theirs")
    add(workbench, process(workbench, initiated_by="sue"), "of a case of one's own")
    for team, seen in (("north", 2), ("south", 1), (None, 1)):
        sue = workbench.acting_as(Principal("sue", Role.WORKER, team))
        assert len(sue.tasks.queue("north")) == seen
    assert len(workbench.acting_as(Principal("max", Role.MANAGER)).tasks.queue("north")) == 2


@pytest.mark.parametrize("wrong", [{"team": ""}, {"team": None}, {"team": "north", "limit": 0}])
def test_a_queue_refuses_what_is_wrong_in_itself(workbench: gndp.Workbench, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        workbench.tasks.queue(**wrong)


def test_rights_over_people_are_asked_before_they_are_offered(workbench: gndp.Workbench) -> None:
    workbench.directory.add_team("north")
    workbench.directory.add_team("south")
    ann = workbench.directory.add_person("ann", team="north")
    sue = workbench.directory.add_person("sue", team="south")
    allowed = {
        (role, whose): workbench.acting_as(Principal("ann", role, "north")).may(
            "directory.be_away", person=ann if whose == "own" else sue
        )
        for role in (Role.VIEWER, Role.WORKER, Role.LEAD, Role.MANAGER)
        for whose in ("own", "other team's")
    }
    assert {key for key, may in allowed.items() if may} == {
        (Role.WORKER, "own"),
        (Role.LEAD, "own"),
        (Role.MANAGER, "own"),
        (Role.MANAGER, "other team's"),
    }
    lead = workbench.acting_as(Principal("lea", Role.LEAD, "north"))
    assert (lead.may("directory.be_away", person=ann), lead.may("directory.be_away", person=sue)) == (
        True,
        False,
    )
