"""Which priority a log's own words mean."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from gndp.core.errors import Invalid
from gndp.formats import ActivityInstance, Case, Columns, Log, PriorityReader

AT = datetime(2024, 3, 1, tzinfo=UTC)


def log(*values: Any, of_case: dict[str, Any] | None = None) -> Log:
    """A log of one case, each of whose events says one of the values."""
    events = [
        ActivityInstance(row, "A", AT, attributes={} if value is None else {"severity": value})
        for row, value in enumerate(values)
    ]
    return Log("f", Columns(), (), [Case("c", of_case or {}, events)], [], Counter())


def read(reader: PriorityReader, log: Log) -> list[str | None]:
    (case,) = log.cases
    return [reader.read(case, instance, f"event {instance.row + 1}") for instance in case.activities]


@pytest.mark.parametrize(
    ("value", "priority"),
    [
        *[("1 - Critical", "critical"), ("2 - High", "high"), ("3 - Moderate", "medium"), ("4 - Low", "low")],
        *[("LOW", "low"), (" medium ", "medium"), ("(3) normal", "medium"), ("High (2)", "high")],
        *[
            ("P2", None),
            ("1", None),
            (1, None),
            (2.0, None),
            ("very high", None),
            ("lowest", None),
            ("-", None),
        ],
    ],
)
def test_a_name_is_read_whatever_its_number_and_nothing_else_is_guessed(
    value: Any, priority: str | None
) -> None:
    one = log(value)
    reader = PriorityReader(one, "severity")
    assert read(reader, one) == [priority]
    assert len(reader.problems) == (priority is None)


def test_what_the_caller_says_goes_before_the_name() -> None:
    one = log("High", "p1 ", 3, 3.0)
    reader = PriorityReader(one, "severity", {"high": "critical", "P1": "high", "3": "low"})
    assert read(reader, one) == ["critical", "high", "low", "low"]
    assert reader.read_as == {"High": "critical", "p1 ": "high", "3": "low"}
    assert reader.problems == reader.notes == []


def test_the_unknown_and_the_missing_are_counted_with_the_first_place() -> None:
    one = log("x", None, "low", "x", "  ", "y")
    reader = PriorityReader(one, "severity", {"z": "low"})
    assert read(reader, one) == [None, None, "low", None, None, None]
    assert [str(problem) for problem in reader.problems] == [
        "event 1: severity 'x' is no known priority (events with it: 2)",
        "event 6: severity 'y' is no known priority (events with it: 1)",
    ]
    assert reader.notes == ["events without a value in severity: 2", "no event has the severity 'z'"]


def test_an_event_s_own_value_goes_before_that_of_its_case() -> None:
    one = log(None, "low", of_case={"severity": "high"})
    assert read(PriorityReader(one, "case:severity"), one) == ["high", "low"]


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(Invalid, match="no event has an attribute 'priority'; there are severity"):
        PriorityReader(log("low"), "priority")
    with pytest.raises(Invalid, match="there are none"):
        PriorityReader(log(None), "priority")
