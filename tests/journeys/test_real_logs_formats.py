"""The real logs, read whole and written back without a loss."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gndp.formats import EXTENSIONS, Log, read_log, write_log
from tests.conftest import real_log

pytestmark = pytest.mark.reallog

FIGURES = [
    ("receipt.xes.gz", 1_434, 8_577, 27, 48, 0),
    ("PurchasingExample.xes.gz", 608, 9_119, 21, 27, 9_119),
    ("AcademicCredentials.csv.gz", 954, 4_928, 16, 559, 4_928),
    ("uci_incidents.csv.gz", 2_000, 14_041, 8, 215, 0),
]
"""Name, cases, activity instances, activities, resources, instances with a start."""


def figures(log: Log) -> tuple[int, int, int, int, int]:
    instances = [instance for case in log.cases for instance in case.activities]
    return (
        len(log.cases),
        len(instances),
        len({instance.activity for instance in instances}),
        len({instance.resource for instance in instances} - {None}),
        sum(instance.started_at is not None for instance in instances),
    )


def content(log: Log) -> list[tuple]:
    return [
        (case.case_id, [(a.activity, a.started_at, a.completed_at, a.resource) for a in case.activities])
        for case in log.cases
    ]


@pytest.mark.parametrize(("name", "expected"), [(name, tuple(rest)) for name, *rest in FIGURES])
def test_a_real_log_is_read_whole(name: str, expected: tuple[int, ...]) -> None:
    log = read_log(real_log(name))
    assert figures(log) == expected
    assert log.problems == []
    assert not log.other_events
    assert sorted(a.row for case in log.cases for a in case.activities)[0] >= 0
    assert len({a.row for case in log.cases for a in case.activities}) == log.instance_count


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("name", [name for name, *_ in FIGURES])
def test_a_real_log_is_written_without_a_loss(tmp_path: Path, name: str, extension: str) -> None:
    log = read_log(real_log(name))
    assert write_log(tmp_path / f"log{extension}", log.cases) == log.instance_count
    again = read_log(tmp_path / f"log{extension}")
    assert again.problems == []
    assert content(again) == content(log)


def test_the_receipt_log_in_detail() -> None:
    case = read_log(real_log("receipt.xes.gz")).cases[0]
    assert case.attributes["channel"] == "Internet"
    assert case.attributes["deadline"] == "2011-12-06T13:41:31.788+01:00"
    first = case.activities[0]
    assert (first.activity, first.resource) == ("Confirmation of receipt", "Resource21")
    assert first.completed_at == datetime(2011, 10, 11, 11, 45, 40, 276_000, tzinfo=UTC)


def test_the_incidents_are_read_day_first_and_say_so() -> None:
    log = read_log(real_log("uci_incidents.csv.gz"))
    assert log.assumed_date_order == "day first"
    assert log.assumed_time_zone == "UTC"
    assert log.cases[0].activities[0].completed_at == datetime(2016, 2, 29, 1, 23, tzinfo=UTC)
    assert "problem_id" not in log.cases[0].attributes
