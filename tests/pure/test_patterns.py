"""Patterns of event types: what each means, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from gndp.core.errors import Invalid
from gndp.core.patterns import matches, validated_pattern


@pytest.mark.parametrize(
    ("pattern", "meant", "not_meant"),
    [
        ("task.completed", ["task.completed"], ["task.complete", "task.completed.twice", "task"]),
        ("sla.*", ["sla.met", "sla.a.b"], ["sla", "slam.met", "task.sla.met"]),
        ("parcel.sent.*", ["parcel.sent.home"], ["parcel.sent"]),
        ("*", ["task.completed", "anything"], []),
    ],
)
def test_patterns_mean_a_type_a_prefix_or_everything(
    pattern: str, meant: list[str], not_meant: list[str]
) -> None:
    assert validated_pattern(pattern) == pattern
    assert all(matches(pattern, event_type) for event_type in meant)
    assert not any(matches(pattern, event_type) for event_type in not_meant)


@pytest.mark.parametrize("pattern", ["task.complete", "custom", "my-shop.parcel_2.sent"])
def test_types_that_nobody_knows_are_patterns_too(pattern: str) -> None:
    assert validated_pattern(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("", "blank"),
        (" ", "blank"),
        ("sla*", "alone or after the last dot"),
        ("*.met", "alone or after the last dot"),
        ("a.*.b", "alone or after the last dot"),
        ("a.*.*", "alone or after the last dot"),
        ("**", "alone or after the last dot"),
        (".*", "words joined by dots"),
        ("sla.", "words joined by dots"),
        ("a..b", "words joined by dots"),
        ("Task.Completed", "words joined by dots"),
        ("task completed", "words joined by dots"),
        ("task.completed\n", "words joined by dots"),
        ("täsk.*", "words joined by dots"),
        (None, "must be a text"),
        (["sla.*"], "must be a text"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(pattern: Any, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        validated_pattern(pattern)
