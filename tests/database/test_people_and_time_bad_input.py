"""Calendars, policies, people and zones that make no sense: said when they are saved, or in the job's record.

Whatever cannot be refused at once, because it came about later, stops nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

import gndp
from gndp.core.errors import Invalid
from tests.moving_clock import NINE, Clock, started

ALWAYS = {day: [("00:00", "24:00")] for day in range(7)}
SELDOM = {0: [("09:00", "09:01")]}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wb(new_workbench: Callable[..., gndp.Workbench], clock: Clock) -> gndp.Workbench:
    return new_workbench(clock=clock)


def rename_zone(wb: gndp.Workbench, old: str, new: str) -> None:
    """As if the time zone database had it under another name from now on."""
    with psycopg.connect(wb.database_url) as connection:
        for table in ("calendars", "sla_terms"):
            kind = "json" if table == "calendars" else "jsonb"
            connection.execute(
                f"UPDATE {table} SET document = replace(document::text, %s, %s)::{kind}", (old, new)
            )


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"hours": {}}, "never opens"),
        ({"hours": {"0": [["09:00", "12:00"], ["11:00", "13:00"]]}}, "overlaps 09:00–12:00"),
        ({"hours": {"0": [["09:00", "12:00"]]}, "time_zone": "Atlantis/Capital"}, "no known time zone"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_not_saved(
    wb: gndp.Workbench, document: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        wb.calendars.save("office", document)
    assert wb.calendars.list() == []


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"start": ["process.completed"]}, "starts the clock and ends it at once"),
        (
            {"item": "task", "start": ["task.started"], "stop": ["task.assigned"]},
            "before the clock can start",
        ),
        ({"pause": ["task.assigned"]}, "never ends"),
        ({"pause": ["task.assigned"], "resume": ["task.assigned"]}, "lets it go on at once"),
        ({"item": "task", "pause": ["task.started"], "resume": ["task.ready"]}, "never ends"),
    ],
)
def test_a_policy_that_makes_no_sense_is_not_published(
    wb: gndp.Workbench, parts: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        wb.sla.publish({"name": "loan", "target_minutes": 60, **parts}, user_id="eve")
    assert wb.sla.policies() == []


def test_a_target_that_its_calendar_never_reaches_is_refused_on_either_side(wb: gndp.Workbench) -> None:
    """Ten years of work, one minute a week: that ends after the year 9999."""
    policy: dict[str, Any] = {"name": "loan", "target_minutes": 60, "calendar": "office"}
    late = {"after_minutes": 5_256_000, "to": "person", "person": "boss"}
    wb.calendars.save("office", {"hours": SELDOM})
    for document in ({**policy, "target_minutes": 5_256_000}, {**policy, "escalations": [late]}):
        with pytest.raises(Invalid, match="loan cannot be reached along it"):
            wb.sla.publish(document, user_id="eve")
        with pytest.raises(Invalid, match="loan cannot be reached along it"):
            wb.sla.preview(document, NINE)
    wb.calendars.save("office", {"hours": ALWAYS})
    wb.sla.publish({**policy, "escalations": [late]}, user_id="eve")
    with pytest.raises(Invalid, match="loan cannot be reached along it"):
        wb.calendars.save("office", {"hours": SELDOM})
    assert wb.calendars.get("office").hours[6] == (("00:00", "24:00"),)
    wb.sla.retire("loan", user_id="eve")
    wb.calendars.save("office", {"hours": SELDOM})


def test_a_renamed_time_zone_is_in_the_jobs_record_and_stops_nothing_else(
    wb: gndp.Workbench, clock: Clock
) -> None:
    hours = {"hours": ALWAYS, "time_zone": "Europe/Kyiv"}
    wb.calendars.save("office", hours)
    wb.sla.publish({"name": "loan", "target_minutes": 60, "calendar": "office"}, user_id="eve")
    running, ending = (started(wb, sla_target_mins=30) for _ in range(2))
    rename_zone(wb, "Europe/Kyiv", "Atlantis/Kyiv")
    wb.close()
    with gndp.connect(wb.database_url, clock=clock) as again:
        clock.move(minutes=61)
        after = started(again, sla_target_mins=30)
        run = again.jobs.run("sla_sweep")
        assert (run.status, run.details["breached"]) == ("succeeded", 2)
        said = run.details["unusable"]
        assert [line.split(":")[0].split()[0] for line in said] == ["clock", "clock", "policy"]
        assert "policy loan: the calendar office cannot be used" in said[2]
        assert "Atlantis/Kyiv" in said[2]
        assert again.processes.complete(ending.id, user_id="eve").status == "completed"
        for process in (running, after):
            (reading,) = again.sla.clocks(process_id=process.id)
            assert reading.clock.policy_name == "sla_target_mins"
        assert again.check().violations == ()

        # Saved anew under its other name, it is brought to what runs by a recomputation.
        again.calendars.save("office", {**hours, "time_zone": "Europe/Kiev"})
        again.sla.recompute(process_id=running.id, user_id="eve", reason="the zone was renamed")
        assert {r.clock.policy_name for r in again.sla.clocks(process_id=running.id)} == {
            "loan",
            "sla_target_mins",
        }
        (said,) = again.jobs.run("sla_sweep").details["unusable"]
        assert said.startswith("clock ")
        assert again.check().violations == ()


def test_a_stored_policy_that_this_version_refuses_stops_nothing_else(
    wb: gndp.Workbench, clock: Clock
) -> None:
    wb.sla.publish({"name": "loan", "target_minutes": 60, "pause": ["process.suspended"]}, user_id="eve")
    with psycopg.connect(wb.database_url) as connection:
        connection.execute(
            "UPDATE sla_policies"
            " SET document = replace(document::text, 'process.started', 'process.exploded')::json"
        )
    process = started(wb, sla_target_mins=30)
    clock.move(minutes=31)
    run = wb.jobs.run("sla_sweep")
    assert run.details["breached"] == 1
    (said,) = run.details["unusable"]
    assert said.startswith("policy loan: ")
    assert "process.exploded" in said
    assert [r.clock.policy_name for r in wb.sla.clocks(process_id=process.id)] == ["sla_target_mins"]


def test_skills_nobody_has_keep_a_task_waiting_and_nobody_else(wb: gndp.Workbench) -> None:
    wb.directory.add_team("ops")
    wb.directory.add_person("ann", team="ops", capacity=1)
    process = started(wb)

    def wanted(**more: Any) -> Any:
        return wb.tasks.create(
            process_instance_id=process.id,
            task_definition_id="step",
            task_name="Step",
            task_type="manual",
            assigned_team="ops",
            assignment_method="skill_based",
            **more,
        )

    first = wanted()
    welding = wanted(required_skills={"welding": 3}, priority="critical")
    behind = wanted()
    assert (first.assigned_to, welding.assigned_to, behind.assigned_to) == ("ann", None, None)
    wb.tasks.start(first.id, user_id="ann")
    wb.tasks.complete(first.id, user_id="ann")
    assert wb.tasks.get(behind.id).assigned_to == "ann"
    assert wb.tasks.explain_assignment(welding.id).reason == "nobody in the team ops has welding 3"
    told = wb.jobs.run("assignment").details
    assert told["given"] == {"ops": 0}
    assert told["left"] == {"ops": {"nobody in the team ops has welding 3": 1}}
    wb.directory.update_person("ann", skills={"welding": 3}, capacity=2)
    assert wb.tasks.get(welding.id).assigned_to == "ann"


def test_capacity_zero_is_refused_with_what_to_do_instead(wb: gndp.Workbench) -> None:
    with pytest.raises(
        Invalid, match="capacity: must be at least 1; somebody who takes no work has active=False"
    ):
        wb.directory.add_person("ann", capacity=0)
    assert wb.directory.people() == []
    wb.directory.add_team("ops")
    wb.directory.add_person("ann", team="ops", active=False)
    task = wb.tasks.create(
        process_instance_id=started(wb).id,
        task_definition_id="step",
        task_name="Step",
        task_type="manual",
        assigned_team="ops",
        assignment_method="load_balanced",
    )
    why = wb.tasks.explain_assignment(task.id)
    assert [(one.user_id, one.reason) for one in why.considered] == [("ann", "is not active")]
