"""SLA policies: what is wrong with a document is said at once, with its place."""

from __future__ import annotations

from typing import Any

import pytest

from gndp.core.errors import Invalid
from gndp.core.policies import parse_policy, policy_document

GOOD = {"name": "loan", "target_minutes": 60}


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"target_minutes": 60}, "name"),
        ({**GOOD, "target_minutes": 0}, "target_minutes"),
        ({**GOOD, "target_minutes": "60"}, "target_minutes"),
        ({**GOOD, "colour": "red"}, "colour"),
        ({**GOOD, "name": "sla_target_mins"}, "name"),
        ({**GOOD, "item": "phase"}, "item"),
        ({**GOOD, "item": {}}, "item"),
        ({**GOOD, "start": ["process.exploded"]}, "start[0]"),
        ({**GOOD, "start": ["process.completed"], "stop": ["process.completed"]}, "start"),
        ({**GOOD, "item": "task", "start": ["task.completed"], "stop": ["task.started"]}, "stop"),
        ({**GOOD, "item": "task", "start": ["task.started", "task.skipped"]}, "start"),
        ({**GOOD, "start": ["process.started", "process.cancelled"]}, "start"),
        ({**GOOD, "start": [], "stop": ["process.completed"]}, "start"),
        ({**GOOD, "item": "task", "start": ["process.started"]}, "start[0]"),
        ({**GOOD, "pause": ["task.assigned"]}, "pause[0]"),
        ({**GOOD, "pause": ["task.assigned"], "resume": ["task.assigned"]}, "pause[0]"),
        ({**GOOD, "pause": ["task.assigned"], "resume": ["process.started"]}, "pause[0]"),
        ({**GOOD, "item": "task", "pause": ["task.started"], "resume": ["task.ready"]}, "pause[0]"),
        ({**GOOD, "pause": ["process.suspended"], "resume": ["task.started"]}, "resume[0]"),
        ({**GOOD, "item": "task", "start": ["task.ready"], "stop": ["task.ready"]}, "start"),
        ({**GOOD, "item": "task", "start": ["task.started"], "stop": ["task.ready"]}, "stop"),
        ({**GOOD, "item": "task", "stop": ["process.completed"]}, "stop[0]"),
        ({**GOOD, "warnings": [{"percent": 80, "minutes_before": 5}]}, "warnings[0]"),
        ({**GOOD, "warnings": [{}]}, "warnings[0]"),
        ({**GOOD, "warnings": [{"minutes_before": 60}]}, "warnings[0]"),
        ({**GOOD, "escalations": [{"after_minutes": -60}]}, "escalations[0]"),
        ({**GOOD, "escalations": [{"to": "person"}]}, "escalations[0]"),
        ({**GOOD, "escalations": [{"to": "manager", "action": "reassign"}]}, "escalations[0]"),
        ({**GOOD, "applies_to": {"steps": ["check"]}}, "applies_to.steps"),
        ({**GOOD, "applies_to": {"priorities": ["urgent"]}}, "applies_to.priorities[0]"),
        ({**GOOD, "description": "nul \0"}, "description"),
        ([], ""),
    ],
)
def test_a_bad_policy_is_refused_at_its_place(document: Any, place: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_policy(document)
    assert place in {problem.place for problem in refused.value.problems}


def test_all_problems_come_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        parse_policy("name: 7\ntarget_minutes: -1\nwarnings: [{percent: 100}]\nx: 1\n")
    places = {problem.place for problem in refused.value.problems}
    assert {"name", "target_minutes", "warnings[0].percent", "x"} <= places


def test_a_policy_reads_back_what_it_writes() -> None:
    policy = parse_policy(
        "name: review\nitem: task\ntarget_minutes: 600\ncalendar: berlin\n"
        "pause: [process.suspended, {event: task.waiting, reasons: [customer]}]\n"
        "warnings: [{percent: 80}]\nescalations: [{to: manager, action: reassign, after_minutes: 60}]\n"
    )
    assert parse_policy(policy_document(policy)) == policy
    assert parse_policy(policy) == policy


@pytest.mark.parametrize("part", ["start", "pause", "resume", "stop", "cancel", "warnings", "escalations"])
@pytest.mark.parametrize("item", ["process", "task"])
def test_an_empty_list_is_read_back_as_one(item: str, part: str) -> None:
    try:
        policy = parse_policy({**GOOD, "item": item, part: []})
    except Invalid:
        assert part in ("start", "stop")
    else:
        assert getattr(parse_policy(policy_document(policy)), part) == ()


@pytest.mark.parametrize(("target", "before"), [(600, 15.0), (75, 15.0), (60, 12.0), (10, 2.0)])
def test_the_usual_warning_is_fifteen_minutes_or_a_fifth_of_the_target(target: int, before: float) -> None:
    assert parse_policy({"name": "p", "target_minutes": target}).warning_minutes == (before,)


def test_a_reason_counts_up_to_its_colon_in_any_case() -> None:
    (_, waiting) = parse_policy(
        {**GOOD, "pause": ["process.suspended", {"event": "task.waiting", "reasons": ["customer"]}]}
    ).pause
    assert waiting.holds("task.waiting", "Customer: sends a payslip")
    assert not waiting.holds("task.waiting", "customer service")
    assert not waiting.holds("task.waiting", None)
