"""Replay and export against a real database, on small logs that hold the traps of real ones."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import gndp
from gndp.core.errors import Invalid
from gndp.export import ExportReport, export
from gndp.formats import Case, Log, read_log
from gndp.replay import ReplayReport, replay
from tests.logfiles import at, event, instances, trace

HEAD = "case_id,activity,start,end,resource\n"


class Desk:
    """A workbench and a folder: writes a log, replays it, exports it."""

    def __init__(self, workbench: gndp.Workbench, folder: Path) -> None:
        self.workbench = workbench
        self.folder = folder

    def replay(self, text: str, name: str = "log.csv", **options: Any) -> ReplayReport:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        report = replay(self.workbench, path, **options)
        assert self.workbench.check().violations == ()
        return report

    def replay_xes(self, *traces: str) -> ReplayReport:
        return self.replay(f"<log>{''.join(traces)}</log>", "log.xes")

    def export(self, name: str = "out.xes", **selection: Any) -> tuple[ExportReport, Log]:
        report = export(self.workbench, self.folder / name, **selection)
        log = read_log(self.folder / name)
        assert log.problems == []
        assert (report.cases, report.activities) == (len(log.cases), log.instance_count)
        return report, log

    def same_after_export(self) -> None:
        """What comes out equals what the file holds: cases, activities, order, times and resources."""
        (source,) = (path for path in self.folder.iterdir() if path.stem == "log")
        assert cases(self.export()[1]) == cases(read_log(source))

    def tasks(self) -> list[Any]:
        return list(reversed(self.workbench.tasks.list(limit=100).tasks))


def cases(log: Log) -> list[tuple]:
    return [content(case) for case in log.cases]


def content(case: Case) -> tuple:
    return case.case_id, [(a.activity, a.started_at, a.completed_at, a.resource) for a in case.activities]


@pytest.fixture
def desk(workbench: gndp.Workbench, tmp_path: Path) -> Desk:
    return Desk(workbench, tmp_path)


def row(case_id: str, activity: str, start: datetime, end: datetime, resource: str = "ann") -> str:
    return f"{case_id},{activity},{start.isoformat()},{end.isoformat()},{resource}\n"


def test_a_case_becomes_a_process_with_the_logs_own_times(desk: Desk) -> None:
    report = desk.replay(
        "case_id,channel,activity,start,end,resource,amount\n"
        f"c1,web,Register,{at(8).isoformat()},{at(9).isoformat()},ann,10\n"
        f"c1,web,Decide,{at(10).isoformat()},{at(12).isoformat()},ben,20\n"
    )
    assert (report.cases, report.tasks, report.skipped, report.problems) == (1, 2, 0, [])
    assert report.definition_id == "log"
    (process,) = desk.workbench.processes.list().processes
    assert (process.process_name, process.process_type, process.status) == ("c1", "custom", "completed")
    assert (process.started_at, process.completed_at) == (at(8), at(12))
    assert process.process_definition_id == "log"
    assert process.business_context == {"channel": "web"}
    assert process.variables == {"case_id": "c1", "log": report.fingerprint}
    assert process.tags == ["replay", report.tag]
    register, decide = desk.tasks()
    assert (register.task_name, register.assigned_to, register.input_data) == (
        "Register",
        "ann",
        {"amount": "10"},
    )
    assert (register.created_at, register.started_at, register.completed_at) == (at(8), at(8), at(9))
    assert (decide.created_at, decide.started_at, decide.completed_at) == (at(10), at(10), at(12))
    assert register.tags == decide.tags == []
    assert all("clock_reading" not in e.details for e in desk.workbench.processes.events(process.id))
    desk.same_after_export()


def test_only_completions_are_known(desk: Desk) -> None:
    desk.replay_xes(trace("c", event("A", "2024-03-01T09:00:00Z"), event("B", "2024-03-01T10:00:00Z")))
    first, second = desk.tasks()
    assert first.tags == second.tags == ["start-unobserved", "resource-unobserved"]
    assert (first.assigned_to, first.started_at, first.completed_at) == ("unknown", at(9), at(9))
    desk.same_after_export()


def test_a_person_who_is_called_unknown_is_a_person(desk: Desk) -> None:
    desk.replay(HEAD + row("c", "A", at(8), at(9), "unknown") + row("c", "B", at(8), at(9), ""))
    (case,) = desk.export()[1].cases
    assert [a.resource for a in case.activities] == ["unknown", None]


def test_equal_timestamps_keep_the_order_of_the_file(desk: Desk) -> None:
    names = ["Z", "M", "A", "Q", "B", "Z", "A"]
    desk.replay(HEAD + "".join(row("c", name, at(9), at(9)) for name in names))
    (case,) = desk.export()[1].cases
    assert [a.activity for a in case.activities] == names
    assert all(a.started_at == a.completed_at for a in case.activities)
    desk.same_after_export()


def test_events_out_of_order_come_in_order(desk: Desk) -> None:
    desk.replay(
        HEAD
        + row("c", "last", at(11), at(12))
        + row("d", "other", at(1), at(2))
        + row("c", "first", at(8), at(9))
        + row("c", "long", at(7), at(13))
    )
    log = desk.export()[1]
    assert [a.activity for a in log.cases[0].activities] == ["first", "last", "long"]
    process = next(p for p in desk.workbench.processes.list().processes if p.process_name == "c")
    assert (process.started_at, process.completed_at) == (at(7), at(13))
    desk.same_after_export()


def test_one_person_in_overlapping_intervals_of_one_activity(desk: Desk) -> None:
    desk.replay(
        HEAD
        + row("c", "A", at(8), at(12))
        + row("c", "A", at(9), at(10))
        + row("c", "B", at(9), at(11))
        + row("c", "A", at(9, 30), at(12))
    )
    desk.same_after_export()


def test_an_interval_without_length_at_the_end_of_another(desk: Desk) -> None:
    desk.replay(HEAD + row("c", "zero", at(9), at(9)) + row("c", "before", at(8), at(9)))
    desk.same_after_export()


@pytest.mark.parametrize("case_id", ["NA", "null", "None", "1.0", "007", " padded ", "é\u2028ü", "x" * 800])
def test_a_case_id_stays_as_it_is(desk: Desk, case_id: str) -> None:
    report = desk.replay(HEAD + row(f'"{case_id}"', "A", at(8), at(9)) + row("other", "A", at(8), at(9)))
    assert report.problems == []
    assert [case.case_id for case in desk.export()[1].cases] == [case_id, "other"]


def test_old_and_new_times_in_one_case(desk: Desk) -> None:
    old, new = datetime(1948, 5, 1, 12, tzinfo=UTC), datetime(2020, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)
    desk.replay(HEAD + row("c", "born", old, old) + row("c", "seen", new, new + timedelta(microseconds=1)))
    desk.same_after_export()


def test_a_case_longer_than_a_duration_can_be_is_reported(desk: Desk) -> None:
    first, last = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
    report = desk.replay(HEAD + row("c", "A", first, last) + row("d", "A", first, first))
    assert [str(problem) for problem in report.problems] == ["case 'c': lasts more than 4,083 years"]
    assert report.cases == 1


def test_broken_rows_are_reported_with_their_place_and_the_rest_loads(desk: Desk) -> None:
    report = desk.replay(
        HEAD
        + row("c", "A", at(8), at(9))
        + row("", "no case", at(8), at(9))
        + "c,B,yesterday,today,ann\n"
        + row("c", " ", at(8), at(9))
        + "c,too short\n"
        + row("c", "C", at(9), at(10))
    )
    assert [problem.place for problem in report.problems] == ["line 3", "line 4", "line 5", "line 6"]
    assert [task.task_name for task in desk.tasks()] == ["A", "C"]
    assert (report.cases, report.tasks) == (1, 2)


def test_what_only_the_engine_refuses_is_reported_with_its_place_too(desk: Desk) -> None:
    report = desk.replay(
        HEAD
        + row("c", "x" * 501, at(8), at(9))
        + row("c", "A", at(8), at(9))
        + row("c", "B", at(8), at(9), "y" * 501)
        + row("d", "z" * 501, at(8), at(9))
    )
    assert [str(problem) for problem in report.problems] == [
        "event 1, case 'c': activity: is longer than 500 characters",
        "event 3, case 'c': resource: is longer than 500 characters",
        "event 4, case 'd': activity: is longer than 500 characters",
        "case 'd': has no activity instance to load",
    ]
    assert [task.task_name for task in desk.tasks()] == ["A"]
    assert (report.cases, report.tasks) == (1, 1)


def test_an_attribute_that_cannot_be_stored_costs_only_itself(desk: Desk) -> None:
    deep = '<container key="deep">' * 40 + "</container>" * 40
    done = event("A", "2024-03-01T09:00:00Z").replace("</event>", f"{deep}</event>")
    report = desk.replay_xes(trace("c", done, more=f'{deep}<string key="kept" value="yes"/>'))
    assert [problem.place for problem in report.problems] == ["event 1, case 'c'", "case 'c'"]
    (process,) = desk.workbench.processes.list().processes
    assert process.business_context == {"kept": "yes"}
    assert (report.cases, report.tasks) == (1, 1)
    desk.same_after_export()


def test_other_lifecycles_are_counted_and_a_case_of_nothing_else_is_reported(desk: Desk) -> None:
    report = desk.replay_xes(
        trace(
            "c",
            event("A", "2024-03-01T08:00:00Z", "SCHEDULE"),
            event("A", "2024-03-01T08:30:00Z", "Start", "ann"),
            event("A", "2024-03-01T08:40:00Z", "suspend"),
            event("A", "2024-03-01T09:00:00Z", "COMPLETE", "ann"),
            event("B", "2024-03-01T09:10:00Z", "null", "ben"),
        ),
        trace("d", event("A", "2024-03-01T08:00:00Z", "schedule")),
        trace("e"),
    )
    assert report.other_events == {"schedule": 2, "suspend": 1}
    assert [problem.place for problem in report.problems] == ["case 'd'", "case 'e'"]
    assert instances(desk.export()[1]) == [
        ("c", "A", at(8, 30), at(9), "ann"),
        ("c", "B", None, at(9, 10), "ben"),
    ]


def test_again_adds_nothing_and_says_the_same_problems(desk: Desk) -> None:
    text = (
        HEAD + row("c", "A", at(8), at(9)) + row("d", "x" * 501, at(8), at(9)) + row("e", "B", at(8), at(9))
    )
    first, again = desk.replay(text), desk.replay(text, definition_id="another")
    assert (first.cases, first.skipped) == (2, 0)
    assert (again.cases, again.skipped, again.tasks) == (0, 2, 0)
    assert again.problems == first.problems
    assert desk.export()[0].activities == 2


def test_two_replays_at_once_load_each_case_once(
    new_workbench: Callable[..., gndp.Workbench], tmp_path: Path
) -> None:
    workbench = new_workbench()
    text = HEAD + "".join(row(f"c{n}", name, at(8), at(9)) for n in range(40) for name in "ABC")
    (tmp_path / "log.csv").write_text(text)
    other = new_workbench(database_url=workbench.database_url)
    with ThreadPoolExecutor() as pool:
        reports = list(pool.map(lambda wb: replay(wb, tmp_path / "log.csv"), [workbench, other]))
    assert sum(report.cases for report in reports) == 40
    assert sum(report.skipped for report in reports) == 40
    assert all(report.problems == [] for report in reports)
    desk = Desk(workbench, tmp_path)
    assert workbench.check().violations == ()
    assert sorted(cases(desk.export()[1])) == sorted(cases(read_log(tmp_path / "log.csv")))


def test_progress_and_the_workbenchs_own_clock(
    new_workbench: Callable[..., gndp.Workbench], tmp_path: Path
) -> None:
    desk = Desk(new_workbench(clock=lambda: at(3)), tmp_path)
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        assert desk.workbench.clock() == at(3)

    desk.replay(HEAD + row("c", "A", at(8), at(9)) + row("d", "B", at(8), at(9)), progress=progress)
    assert seen == [(1, 2), (2, 2)]


def test_a_published_template_is_not_mixed_with_a_log(desk: Desk) -> None:
    desk.workbench.definitions.publish(
        {"id": "log", "name": "A template", "steps": [{"id": "a", "name": "A"}]}, user_id="ida"
    )
    with pytest.raises(Invalid, match="published template"):
        desk.replay(HEAD + row("c", "A", at(8), at(9)))
    assert desk.replay(HEAD + row("c", "A", at(8), at(9)), definition_id="log of 2024").cases == 1


def test_any_process_can_be_exported(desk: Desk) -> None:
    workbench = desk.workbench
    workbench.clock = lambda: at(8)
    about = {"process_definition_id": "loan", "process_type": "journey", "initiated_by": "ida"}
    running = workbench.processes.start(
        process_name="one", business_context={"amount": 5, "vip": True}, **about
    )
    workbench.processes.start(process_name="two", **about)
    first, second = (
        workbench.tasks.create(
            process_instance_id=running.id, task_definition_id=n, task_name=n, task_type="manual"
        )
        for n in ("check", "pay")
    )
    workbench.clock = lambda: at(9)
    workbench.tasks.start(second.id, user_id="ben")
    workbench.tasks.start(first.id, user_id="ann")
    workbench.clock = lambda: at(10)
    workbench.tasks.complete(first.id, user_id="ann")
    report, log = desk.export()
    assert (report.cases, report.left_out, report.renamed) == (1, 1, 0)
    assert instances(log) == [(str(running.id), "check", at(9), at(10), "ann")]
    assert log.cases[0].attributes == {"amount": 5, "vip": True}
    workbench.tasks.complete(second.id, user_id="ben")
    assert [name for _, name, *_ in instances(desk.export(definition_id="loan")[1])] == ["check", "pay"]


def test_one_log_among_several_is_selected_by_tag_or_definition(desk: Desk) -> None:
    one = desk.replay(HEAD + row("1", "A", at(8), at(9)), "one.csv")
    two = desk.replay(HEAD + row("1", "B", at(8), at(9)), "two.csv")
    report, both = desk.export()
    assert report.renamed == 1
    assert [a.activity for case in both.cases for a in case.activities] == ["A", "B"]
    assert len({case.case_id for case in both.cases}) == 2
    assert [name for _, name, *_ in instances(desk.export(tag=one.tag)[1])] == ["A"]
    assert [name for _, name, *_ in instances(desk.export(definition_id=two.definition_id)[1])] == ["B"]


@pytest.mark.parametrize("extension", ["csv.gz", "parquet", "xes.gz"])
def test_every_format_comes_out(desk: Desk, extension: str) -> None:
    text = HEAD + row("c", "A", at(8), at(9)) + row("c", "=B", at(8), at(9), "") + row("d", "C", at(8), at(9))
    desk.replay(text)
    out = desk.export(f"out.{extension}")[1]
    assert cases(out) == cases(read_log(desk.folder / "log.csv"))


def test_nothing_to_export_is_said_and_leaves_no_file(desk: Desk) -> None:
    with pytest.raises(Invalid, match="nothing to export: no process has a completed task"):
        desk.export()
    desk.replay(HEAD + row("c", "A", at(8), at(9)))
    with pytest.raises(Invalid, match="no process of tag other"):
        desk.export(tag="other")
    assert [path.name for path in desk.folder.iterdir()] == ["log.csv"]
