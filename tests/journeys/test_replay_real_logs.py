"""Real logs through the engine and out again, compared by a reader that shares nothing with the product."""

from __future__ import annotations

import csv
import gzip
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import gndp
from gndp.export import export
from gndp.replay import replay
from tests.conftest import real_log

Instances = list[tuple[str, datetime | None, datetime, str | None]]
"""A case's activity, start, completion and resource, in the order of completion."""

LOGS = [
    ("receipt.xes.gz", 1_434, 8_577),
    ("PurchasingExample.xes.gz", 608, 9_119),
    ("AcademicCredentials.csv.gz", 954, 4_928),
]


def read(path: Path) -> dict[str, Instances]:
    """The cases of a log in their order, each with its instances; standard library only."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        if ".xes" in path.name:
            return _read_xes(file)
        return _read_csv(file)


def _read_xes(file: Any) -> dict[str, Instances]:
    log = {}
    for _, element in ElementTree.iterparse(file):
        if element.tag.rpartition("}")[2] == "trace":
            events = [_values(child) for child in element if child.tag.rpartition("}")[2] == "event"]
            log[_values(element)["concept:name"]] = _instances(events)
            element.clear()
    return log


def _values(element: ElementTree.Element) -> dict[str, str]:
    return {child.attrib["key"]: child.attrib["value"] for child in element if "key" in child.attrib}


def _instances(events: list[dict[str, str]]) -> Instances:
    """Completions in order, each with the earliest start left of its activity and resource."""
    starts: dict[tuple[str, str | None], list[datetime]] = defaultdict(list)
    instances: Instances = []
    for event in sorted(events, key=lambda e: _instant(e["time:timestamp"])):
        key = event["concept:name"], event.get("org:resource")
        at = _instant(event["time:timestamp"])
        if event.get("lifecycle:transition", "complete").lower() == "start":
            starts[key].append(at)
        else:
            instances.append((key[0], starts[key].pop(0) if starts[key] else None, at, key[1]))
    return instances


def _read_csv(file: Any) -> dict[str, Instances]:
    log: dict[str, Instances] = {}
    for row in csv.DictReader(line.decode() for line in file):
        start = row.get("start_time") or row.get("start_timestamp")
        end = row.get("end_time") or row["timestamp"]
        log.setdefault(row["case_id"], []).append(
            (row["activity"], _instant(start) if start else None, _instant(end), row["resource"] or None)
        )
    return {case_id: sorted(instances, key=lambda i: i[2]) for case_id, instances in log.items()}


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


@pytest.mark.reallog
@pytest.mark.parametrize(("name", "cases", "activities"), LOGS)
def test_a_real_log_comes_out_as_it_went_in(
    workbench: gndp.Workbench, tmp_path: Path, name: str, cases: int, activities: int
) -> None:
    source = read(real_log(name))
    assert (len(source), sum(map(len, source.values()))) == (cases, activities)
    report = replay(workbench, real_log(name))
    assert (report.cases, report.skipped, report.tasks) == (cases, 0, activities)
    assert report.problems == []
    assert workbench.check().violations == ()

    for extension in ("xes.gz", "csv"):
        written = export(workbench, tmp_path / f"out.{extension}", tag=report.tag)
        assert (written.cases, written.activities, written.left_out) == (cases, activities, 0)
        exported = read(tmp_path / f"out.{extension}")
        assert list(exported) == list(source)
        assert exported == source

    again = replay(workbench, real_log(name))
    assert (again.cases, again.skipped, again.tasks) == (0, cases, 0)
    assert export(workbench, tmp_path / "again.csv").activities == activities
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()


REPLAYING = """
import sys
import gndp
from gndp.replay import replay

with gndp.connect(sys.argv[1]) as workbench:
    replay(workbench, sys.argv[2], progress=lambda done, total: print(done, flush=True))
"""


def test_killed_in_the_middle_and_run_again(
    new_workbench: Callable[..., gndp.Workbench], tmp_path: Path
) -> None:
    log = tmp_path / "small.csv"
    _write_small_log(log, cases=60)
    source = read(log)
    workbench = new_workbench()
    for kill_after in (3, 20, 41):
        _replay_and_kill(workbench.database_url, log, kill_after)
        assert workbench.check().violations == ()
        export(workbench, tmp_path / "part.csv")
        part = read(tmp_path / "part.csv")
        assert kill_after <= len(part) < len(source)
        assert part == {case_id: source[case_id] for case_id in part}

    report = replay(workbench, log)
    assert report.problems == []
    assert report.cases + report.skipped == len(source)
    assert report.cases > 0
    assert report.skipped >= len(part)
    assert workbench.check().violations == ()
    export(workbench, tmp_path / "whole.csv")
    assert list(read(tmp_path / "whole.csv").items()) == list(source.items())


def _write_small_log(path: Path, cases: int) -> None:
    begin = datetime(2024, 1, 1, 8, tzinfo=UTC)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case_id", "activity", "start_time", "end_time", "resource"])
        for case in range(cases):
            for step in range(8):
                start = begin + timedelta(hours=case, minutes=7 * step)
                end = start + timedelta(minutes=5 * (step % 3))
                writer.writerow([f"c{case}", f"step {step % 5}", start, end, f"person {case % 4}"])


def _replay_and_kill(database_url: str, log: Path, kill_after: int) -> None:
    command = [sys.executable, "-c", REPLAYING, database_url, str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as replaying:
        assert replaying.stdout is not None
        for line in replaying.stdout:
            if int(line) == kill_after:
                break
        replaying.kill()
    assert replaying.returncode == -9
