"""Breach flags of the incident log: the engine's own, and those of a script that shares nothing with it."""

from __future__ import annotations

import ast
import csv
import gzip
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

import gndp
from gndp.replay import replay
from tests import independent_sla
from tests.conftest import real_log
from tests.independent_sla import ALL_DAY, PROMISES

SCRIPT = Path(independent_sla.__file__)
OFFICE = gndp.Calendar(
    time_zone="Europe/Rome",
    hours={day: [("08:30", "12:30"), ("13:30", "17:30")] for day in range(5)},
    country="IT",
)
CLOCKS = """
SELECT p.variables ->> 'case_id', p.priority, c.objective, c.start_time, c.due_at, c.end_time, c.status,
       p.sla_status, p.status
FROM sla_metrics c JOIN process_instances p ON p.id = c.process_instance_id
WHERE c.task_id IS NULL
"""


class Flag(NamedTuple):
    """What a promise says of a case."""

    opened: datetime
    due: datetime
    closed: datetime
    breached: bool


def test_the_script_knows_nothing_of_the_product() -> None:
    names = set()
    for node in ast.walk(ast.parse(SCRIPT.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or ".").partition(".")[0])
    assert names <= sys.stdlib_module_names


@pytest.mark.reallog
def test_the_breach_flags_of_every_fifth_case_are_what_the_raw_log_says(
    workbench: gndp.Workbench, tmp_path: Path
) -> None:
    fifth = tmp_path / "fifth.csv.gz"
    with gzip.open(real_log("uci_incidents.csv.gz"), "rt") as whole, gzip.open(fifth, "wt") as part:
        part.write(next(whole))
        cases: dict[str, int] = {}
        part.writelines(
            line for line in whole if cases.setdefault(line.partition(",")[0], len(cases)) % 5 == 0
        )
    assert compare(workbench, fifth) == (400, 2_749)


@pytest.mark.reallog
@pytest.mark.soak
def test_every_breach_flag_is_what_the_raw_log_says(workbench: gndp.Workbench) -> None:
    assert compare(workbench, real_log("uci_incidents.csv.gz")) == (2_000, 14_041)


def compare(workbench: gndp.Workbench, log: Path) -> tuple[int, int]:
    """Replay a log, and compare its flags with the script's; how many cases and tasks there were."""
    publish_promises(workbench)
    report = replay(workbench, log, priority="priority")
    assert report.problems == []
    assert report.priorities.items() <= independent_sla.PRIORITIES.items()

    expected = recomputed(log)
    with psycopg.connect(workbench.database_url) as connection:
        rows = connection.execute(CLOCKS).fetchall()
    found = {(case_id, objective): Flag(*times, status == "breached")
             for case_id, _, objective, *times, status, _, _ in rows}  # fmt: skip
    assert len(rows) == len(found) == 2 * report.cases
    assert {row[-1] for row in rows} == {"completed"}
    assert {row[-3] for row in rows} == {"met", "breached"}
    assert found == expected
    assert shown(rows) == {case_id: first_due(expected, case_id) for case_id, _ in expected}
    assert workbench.check().violations == ()
    return report.cases, report.tasks


def test_the_promises_try_the_edges() -> None:
    by_promise: dict[tuple[str, str], Counter[str]] = {}
    for flag in independent_sla.flags(real_log("uci_incidents.csv.gz")):
        seen = by_promise.setdefault((flag.objective, flag.priority), Counter())
        seen["late" if flag.breached else "kept"] += 1
        seen["in the last minute"] += flag.closed == flag.due
    assert by_promise.keys() == PROMISES.keys()
    closures = [seen for (objective, _), seen in by_promise.items() if objective == "closure"]
    assert all(seen["late"] and seen["kept"] and seen["in the last minute"] for seen in closures)


def publish_promises(workbench: gndp.Workbench) -> None:
    """The script's promises as policies by priority."""
    workbench.calendars.save("office", OFFICE)
    for (objective, priority), (minutes, counting) in PROMISES.items():
        workbench.sla.publish(
            {
                "name": f"{objective}.{priority}",
                "objective": objective,
                "applies_to": {"priorities": [priority]},
                "target_minutes": minutes,
                "calendar": None if counting == ALL_DAY else "office",
            },
            user_id="ida",
        )


def recomputed(log: Path) -> dict[tuple[str, str], Flag]:
    """What the script prints, run apart."""
    printed = subprocess.run(
        [sys.executable, "-I", SCRIPT, log], check=True, capture_output=True, text=True
    ).stdout
    return {
        (row["case_id"], row["objective"]): Flag(
            instant(row["opened"]), instant(row["due"]), instant(row["closed"]), row["breached"] == "True"
        )
        for row in csv.DictReader(printed.splitlines())
    }


def instant(minutes: str) -> datetime:
    return datetime(2016, 1, 1, tzinfo=UTC) + timedelta(minutes=int(minutes))


def shown(rows: list[tuple]) -> dict[str, bool]:
    """The flag in the process's own column."""
    return {case_id: sla_status == "breached" for case_id, *_, sla_status, _ in rows}


def first_due(expected: dict[tuple[str, str], Flag], case_id: str) -> bool:
    """The flag of the promise that was due first, which a process shows."""
    both = [expected[case_id, objective] for objective in ("resolution", "closure")]
    return min(both, key=lambda flag: flag.due).breached
