"""The pages of jobs, events and audit, without a browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

import gndp
from apps.desk import Desk
from apps.pages.admin.audit import AuditView
from apps.pages.admin.events import EventsView
from apps.pages.admin.jobs import JobsView
from gndp.access.principals import Principal
from gndp.core.states import Role

HOSTILE = "<b>x</b>"


def desk_of(workbench: gndp.Workbench, role: Role = Role.ADMIN, url: str = "/") -> Desk:
    bound = workbench.acting_as(Principal("root", role, None))
    return Desk(lambda: bound, url=url)


def offered(view: Any, button: Any) -> bool:
    return bool(view.panel.select(lambda part: part is button))


def start(workbench: gndp.Workbench, name: str = HOSTILE) -> Any:
    return workbench.processes.start(
        process_definition_id="x", process_name=name, process_type="custom", initiated_by="ann"
    )


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


# Jobs --------------------------------------------------------------------------------------------------


def test_a_job_is_run_now_and_stands_in_the_history(workbench: gndp.Workbench) -> None:
    view = JobsView(desk_of(workbench))
    view.refresh()
    assert {row["status"] for row in view.jobs.rows} == {"none"}
    assert view.run.disabled
    view.job.value = "sla_sweep"
    assert not view.run.disabled
    view.run.clicks += 1
    (run,) = view.runs.rows
    assert (run["job"], run["status"]) == ("sla_sweep", "succeeded")
    assert run["duration_ms"] is not None
    assert "sla_sweep succeeded" in view.desk.message.object


def test_the_runs_are_those_of_the_job_that_is_chosen(workbench: gndp.Workbench) -> None:
    workbench.jobs.run("sla_sweep")
    workbench.jobs.run(workbench.jobs.list()[1].name)
    view = JobsView(desk_of(workbench, url="/admin/jobs?job=sla_sweep"))
    view.refresh()
    assert [row["job"] for row in view.runs.rows] == ["sla_sweep"]
    view.job.value = "all"
    assert len(view.runs.rows) == 2


def test_a_job_that_fails_says_its_error(workbench: gndp.Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> Any:
        raise RuntimeError("no disk")

    monkeypatch.setattr(workbench.sla, "sweep", broken)
    view = JobsView(desk_of(workbench, url="/admin/jobs?job=sla_sweep"))
    view.refresh()
    view.run.clicks += 1
    assert view.runs.rows[0]["status"] == "failed"
    assert "no disk" in view.runs.rows[0]["said"]
    assert view.desk.message.severity == "error"


def test_a_manager_may_look_at_jobs_but_run_none(workbench: gndp.Workbench) -> None:
    view = JobsView(desk_of(workbench, Role.MANAGER))
    view.refresh()
    assert len(view.jobs.rows) > 3
    assert not offered(view, view.run)


# Events ------------------------------------------------------------------------------------------------


@pytest.fixture
def dead(workbench: gndp.Workbench) -> dict[str, Any]:
    """A subscription whose handler refuses everything until it is healed; two letters are dead."""
    found: dict[str, Any] = {"healed": threading.Event(), "handled": []}

    def handler(event: Any) -> None:
        if not found["healed"].is_set():
            raise RuntimeError(f"cannot post {HOSTILE}")
        found["handled"].append(event.seq)

    workbench.events.subscribe_durable("mail", "process.started", handler, max_attempts=1)
    start(workbench)
    start(workbench)
    until(lambda: len(workbench.events.dead()) == 2)
    return found


def test_dead_letters_are_inspected_and_replayed(workbench: gndp.Workbench, dead: dict[str, Any]) -> None:
    view = EventsView(desk_of(workbench))
    view.refresh()
    assert view.subscriptions.rows[0]["dead"] == 2
    first, second = view.parked.rows
    view.parked.selected = [first["id"]]
    assert view.inspection.visible
    assert f"cannot post {HOSTILE}" in str(view.inspected.facts)
    dead["healed"].set()
    view.replay.clicks += 1
    until(lambda: dead["handled"] and len(workbench.events.dead()) == 1)
    view.refresh()
    assert [row["id"] for row in view.parked.rows] == [second["id"]]
    assert view.parked.selected == []
    assert not view.inspection.visible
    assert "1 event is given to its handler again" in view.desk.message.object


def test_dead_letters_are_discarded_after_a_question(workbench: gndp.Workbench, dead: dict[str, Any]) -> None:
    view = EventsView(desk_of(workbench))
    view.refresh()
    view.parked.selected = [row["id"] for row in view.parked.rows]
    view.discard.clicks += 1
    assert len(workbench.events.dead()) == 2
    view.dialog.form.submit()
    assert workbench.events.dead() == []
    assert view.parked.rows == []
    assert dead["handled"] == []


def test_only_those_with_the_status_that_is_chosen_are_shown(
    workbench: gndp.Workbench, dead: dict[str, Any]
) -> None:
    view = EventsView(desk_of(workbench, url="/admin/events?status=retrying"))
    view.refresh()
    assert view.parked.rows == []
    view.status.value = "all"
    assert len(view.parked.rows) == 2


def test_a_manager_may_inspect_but_not_replay(workbench: gndp.Workbench, dead: dict[str, Any]) -> None:
    view = EventsView(desk_of(workbench, Role.MANAGER))
    view.refresh()
    assert len(view.parked.rows) == 2
    assert not offered(view, view.replay)
    assert not offered(view, view.discard)


def test_the_oldest_open_writer_is_shown(workbench: gndp.Workbench) -> None:
    with psycopg.connect(workbench.database_url, application_name="slow import") as connection:
        connection.execute("SELECT pg_current_xact_id()")
        view = EventsView(desk_of(workbench))
        view.refresh()
        assert {"name": "Application", "value": "slow import", "kind": "text"} in view.writer.facts
        connection.rollback()


# Audit -------------------------------------------------------------------------------------------------


def test_the_check_says_what_holds_and_how_far_it_has_come(workbench: gndp.Workbench) -> None:
    start(workbench)
    view = AuditView(desk_of(workbench, Role.MANAGER))
    told: list[int] = []
    view.check.work.bar.param.watch(lambda event: told.append(event.new), "value")
    view.check.check()
    assert view.check.verdict.object == "Everything holds."
    assert told[-1] == 100
    assert told == sorted(told)
    assert len(told) > 10
    assert not view.check.work.bar.visible
    assert {row["state"] for row in view.check.invariants.rows} == {"holds"}


def test_the_check_lists_what_is_broken(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    with psycopg.connect(workbench.database_url, autocommit=True) as connection:
        connection.execute("UPDATE process_instances SET progress_percentage = 50")
    view = AuditView(desk_of(workbench))
    view.check.check()
    assert view.check.verdict.severity == "error"
    assert view.check.invariants.rows[0]["state"] == "broken"
    assert str(process.id) in {row["id"] for row in view.check.violations.rows}


def test_the_log_is_held_against_an_anchor(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    view = AuditView(desk_of(workbench))
    made = view.anchors._anchor()
    assert made is not None
    assert made.name.endswith(".jsonl.gz")
    view.anchors.file.value = made.content
    view.anchors.verify()
    assert view.anchors.verdict.object == "The log is what was anchored."
    with psycopg.connect(workbench.database_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM process_events")
    view.anchors.verify()
    assert view.anchors.verdict.severity == "error"
    assert view.anchors.findings.rows[0]["id"] == str(process.id)


def test_a_file_that_is_no_anchor_is_said_without_the_servers_paths(workbench: gndp.Workbench) -> None:
    view = AuditView(desk_of(workbench))
    view.anchors.verify()
    assert "Choose the anchor" in view.desk.message.object
    view.anchors.file.value = b"hello"
    view.anchors.verify()
    assert "no anchor" in view.anchors.findings.rows[0]["what"]
    assert "/tmp" not in str(view.anchors.findings.rows)


def test_the_events_of_a_process_are_searched(workbench: gndp.Workbench) -> None:
    process = start(workbench, "Loan")
    workbench.processes.suspend(process.id, user_id="ann", reason="waits for the Appraiser")
    view = AuditView(desk_of(workbench))
    view.refresh()
    assert view.events.rows == []
    view.process.value = str(process.id)
    assert len(view.events.rows) >= 2
    assert view.events.rows[0]["event_type"] == "process.suspended"
    view.words.value = "appraiser suspended"
    assert [row["event_type"] for row in view.events.rows] == ["process.suspended"]
    assert view.desk.navigation.said.startswith("/?process=")
    view.process.value = "nonsense"
    assert view.problem.visible
