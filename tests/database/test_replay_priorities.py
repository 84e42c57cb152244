"""Replay with a column of priorities, and replay beside people and jobs that work in today's time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import gndp
from gndp import replay as replays
from gndp.core.errors import Invalid
from gndp.replay import ReplayReport, replay

HEAD = "case_id,activity,timestamp,resource,priority\n"
DAY = datetime(2024, 3, 1, tzinfo=UTC)
ONE_HOUR = {"name": "hour", "target_minutes": 60, "applies_to": {"priorities": ["critical"]}}
ONE_WEEK = {"name": "week", "target_minutes": 10_080}

Load = Callable[..., ReplayReport]


@pytest.fixture
def load(workbench: gndp.Workbench, tmp_path: Path) -> Load:
    """Replays rows of case id, activity, hour of the day, resource and priority."""

    def load(*rows: tuple[Any, ...], **options: Any) -> ReplayReport:
        path = tmp_path / "log.csv"
        lines = (
            f"{case},{activity},{DAY + timedelta(hours=hour)},{who},{said}\n"
            for case, activity, hour, who, said in rows
        )
        path.write_text(HEAD + "".join(lines))
        report = replay(workbench, path, **{"priority": "priority", **options})
        assert workbench.check().violations == ()
        return report

    return load


def priorities(workbench: gndp.Workbench) -> dict[str, str]:
    """The priority of each process at its end."""
    return {p.process_name: p.priority for p in workbench.processes.list().processes}


def test_a_case_has_the_priority_that_the_log_says(workbench: gndp.Workbench, load: Load) -> None:
    report = load(
        ("a", "open", 8, "ann", "1 - Critical"),
        ("b", "open", 8, "ann", "4 - Low"),
        ("c", "open", 8, "ann", "P2"),
        priority_map={"p2": "high"},
    )
    assert report.problems == report.notes == []
    assert report.priorities == {"1 - Critical": "critical", "4 - Low": "low", "P2": "high"}
    assert priorities(workbench) == {"a": "critical", "b": "low", "c": "high"}
    tasks = workbench.tasks.list().tasks
    assert sorted(row.task.priority for row in tasks) == ["critical", "high", "low"]
    contexts = [process.business_context for process in workbench.processes.list().processes]
    assert {"priority": "P2"} in contexts


def test_a_priority_that_changes_is_changed_at_its_event_and_the_clock_keeps_its_policy(
    workbench: gndp.Workbench, load: Load
) -> None:
    for policy in (ONE_HOUR, ONE_WEEK):
        workbench.sla.publish(policy, user_id="ida")
    load(
        ("up", "open", 8, "ann", "low"),
        ("up", "look", 9, "ann", "low"),
        ("up", "raise", 10, "ann", "critical"),
        ("up", "close", 20, "ann", "critical"),
        ("down", "open", 8, "ann", "critical"),
        ("down", "close", 20, "ann", "low"),
    )
    processes = {p.process_name: p for p in workbench.processes.list().processes}
    assert priorities(workbench) == {"up": "critical", "down": "low"}
    assert {name: p.sla_status for name, p in processes.items()} == {"up": "met", "down": "breached"}
    events = workbench.processes.events(processes["up"].id)
    (change,) = [e for e in events if e.event_type == "process.updated"]
    assert change.timestamp == DAY + timedelta(hours=10)
    tasks = workbench.tasks.list(process_id=processes["up"].id).tasks
    assert [row.task.priority for row in tasks] == ["low", "low", "critical", "critical"]


def test_what_no_priority_is_said_is_medium_and_told(workbench: gndp.Workbench, load: Load) -> None:
    report = load(
        ("a", "open", 8, "ann", ""),
        ("a", "look", 9, "ann", "high"),
        ("a", "close", 10, "ann", "?"),
        ("b", "open", 8, "ann", "3"),
        ("c", "open", 8, "ann", "3"),
        priority_map={"P9": "low"},
    )
    assert priorities(workbench) == {"a": "high", "b": "medium", "c": "medium"}
    assert [str(problem) for problem in report.problems] == [
        "event 4, case 'b': priority '3' is no known priority (events with it: 2)"
    ]
    assert report.notes == ["events without a value in priority: 2", "no event has the priority 'P9'"]
    assert (report.cases, report.tasks) == (3, 5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"priority": "urgency"}, "no event has an attribute 'urgency'; there are priority"),
        ({"priority_map": {"1": "urgent"}}, "priority_map"),
        ({"priority": None, "priority_map": {"1": "low"}}, "needs the column"),
    ],
)
def test_a_priority_that_cannot_be_read_is_refused(
    workbench: gndp.Workbench, load: Load, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        load(("a", "open", 8, "ann", "1"), ("a", "close", 9, "ann", "2"), **options)
    assert workbench.processes.list().total == 0


def test_a_sweep_at_every_moment_of_a_replay_finds_nothing(
    workbench: gndp.Workbench, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case is committed whole: no sweep, whose clock is today's, sees one that is still to be finished."""
    workbench.sla.publish(ONE_WEEK, user_id="ida")
    sweeps = []

    class Sweeping(replays._Clock):
        def __call__(self) -> datetime:
            sweeps.append(workbench.sla.sweep())
            return super().__call__()

    monkeypatch.setattr(replays, "_Clock", Sweeping)
    load(*((f"c{n}", step, 8 + n, "ann", "low") for n in range(3) for step in ("open", "close")))
    assert len(sweeps) > 20
    assert {sweep.clocks for sweep in sweeps} == {0}
    assert {p.sla_status for p in workbench.processes.list().processes} == {"met"}


def test_people_of_the_log_are_given_waiting_work_by_todays_clock(
    workbench: gndp.Workbench, load: Load
) -> None:
    """Ann finishes work in the log, years ago. She is away today, so what waits now goes on waiting."""
    today = datetime(2030, 1, 7, 9, tzinfo=UTC)
    workbench.clock = lambda: today
    directory = workbench.directory
    directory.add_team("desk")
    directory.add_person("ann", team="desk")
    directory.set_out_of_office("ann", today + timedelta(days=7), from_=today - timedelta(days=7))
    process = workbench.processes.start(
        process_definition_id="d", process_name="now", process_type="custom", initiated_by="ida"
    )
    task = workbench.tasks.create(
        process_instance_id=process.id,
        task_definition_id="t",
        task_name="t",
        task_type="manual",
        assigned_team="desk",
        assignment_method="load_balanced",
    )
    load(("a", "open", 8, "ann", "low"))
    assert workbench.tasks.get(task.id).status == "pending"
