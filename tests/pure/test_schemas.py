"""The published schemas of policies and calendars: in step with the code, of one mind with the parsers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gndp.core.calendars import Calendar
from gndp.core.errors import Invalid
from gndp.core.policies import (
    AppliesTo,
    Condition,
    EscalationLevel,
    Policy,
    WarningLevel,
    parse_policy,
    policy_document,
)
from gndp.core.schemas import calendar_json_schema, policy_json_schema

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
POLICY = {"name": "loan", "target_minutes": 60}
CALENDAR = {"hours": {"0": [["09:00", "12:30"]]}}


@pytest.mark.parametrize(
    ("file", "schema"),
    [("policy.schema.json", policy_json_schema), ("calendar.schema.json", calendar_json_schema)],
)
def test_the_published_schema_is_the_generated_one(file: str, schema: Callable[[], dict[str, Any]]) -> None:
    Draft202012Validator.check_schema(schema())
    generated = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    published = (REFERENCE / file).read_text(encoding="utf-8")
    assert published == generated, f"docs/reference/{file} is stale: run `make docs`"


def test_every_field_is_there_and_described() -> None:
    policy, calendar = policy_json_schema(), calendar_json_schema()
    fields = policy["properties"]
    for schema, model in (
        (policy, Policy),
        (fields["applies_to"], AppliesTo),
        (policy["$defs"]["condition"]["anyOf"][1], Condition),
        (fields["warnings"]["items"], WarningLevel),
        (fields["escalations"]["items"], EscalationLevel),
    ):
        assert set(schema["properties"]) == set(model.model_fields)
    assert set(calendar["properties"]) == set(Calendar.from_document(CALENDAR).to_document())
    for schema in (*objects(policy), *objects(calendar)):
        assert all(field["description"][-1] in ".]" for field in schema["properties"].values())
        assert schema["additionalProperties"] is False


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """The schemas of objects within a schema, itself included."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


def test_the_defaults_are_those_of_the_parser() -> None:
    fields = policy_json_schema()["properties"]
    policy = parse_policy({**POLICY, "escalations": [{}]})
    (level,) = policy.escalations
    escalation = fields["escalations"]["items"]["properties"]
    for described, parsed in ((fields, policy), (escalation, level)):
        for name, field in described.items():
            if "default" in field:
                assert getattr(parsed, name) == field["default"], name


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"calendar": None, "warnings": None, "business_impact": None, "applies_to": {"template": None}},
        {"description": "", "objective": "response", "warnings": [], "pause": []},
        {"item": "task", "applies_to": {"steps": ["check"], "process_types": ["journey"]}},
        {"applies_to": {"template": "loan", "priorities": ["high", "critical"]}, "calendar": "office"},
        {"pause": ["process.suspended", {"event": "task.waiting", "reasons": ["customer"]}]},
        {"pause": [{"event": "task.assigned"}], "resume": ["task.started"], "stop": ["process.failed"]},
        {"warnings": [{"percent": 50}, {"minutes_before": 10}], "business_impact": "trouble"},
        {"escalations": [{}, {"after_minutes": -5, "to": "person", "person": "eve", "action": "notify"}]},
    ],
)
def test_a_good_policy_is_one_to_the_schema_too(more: dict[str, Any]) -> None:
    policy = parse_policy({**POLICY, **more})
    for document in ({**POLICY, **more}, policy_document(policy)):
        Draft202012Validator(policy_json_schema()).validate(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"name": "loan"},
        {**POLICY, "name": "two words"},
        {**POLICY, "name": "n" * 101},
        {**POLICY, "target_minutes": 0},
        {**POLICY, "target_minutes": 5_256_001},
        {**POLICY, "target_minutes": "60"},
        {**POLICY, "colour": "red"},
        {**POLICY, "item": "phase"},
        {**POLICY, "objective": ""},
        {**POLICY, "start": ["process.exploded"]},
        {**POLICY, "start": []},
        {**POLICY, "stop": []},
        {**POLICY, "pause": [{"event": "task.waiting", "reason": "customer"}]},
        {**POLICY, "warnings": [{}]},
        {**POLICY, "warnings": [{"percent": 80, "minutes_before": 5}]},
        {**POLICY, "warnings": [{"percent": 100}]},
        {**POLICY, "escalations": [{"to": "person"}]},
        {**POLICY, "escalations": [{"person": "eve"}]},
        {**POLICY, "escalations": [{"action": "shout"}]},
        {**POLICY, "applies_to": {"priorities": ["urgent"]}},
        {**POLICY, "applies_to": {"step": "check"}},
    ],
)
def test_what_the_schema_of_policies_refuses_the_parser_refuses_too(document: Any) -> None:
    assert not Draft202012Validator(policy_json_schema()).is_valid(document)
    with pytest.raises(Invalid):
        parse_policy(document)


@pytest.mark.parametrize(
    "document",
    [
        CALENDAR,
        {**CALENDAR, "time_zone": "Europe/Berlin", "country": "DE", "region": "DE-BY"},
        {**CALENDAR, "country": None, "region": None, "holidays": None},
        {"hours": {"6": [["00:00", "08:00"], ["22:00", "24:00"]], "0": []}, "holidays": ["2026-12-24"]},
    ],
)
def test_a_good_calendar_is_one_to_the_schema_too(document: dict[str, Any]) -> None:
    for written in (document, Calendar.from_document(document).to_document()):
        Draft202012Validator(calendar_json_schema()).validate(written)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"hours": {}},
        {"hours": {"7": [["09:00", "10:00"]]}},
        {"hours": {"monday": [["09:00", "10:00"]]}},
        {"hours": {"0": [["9:00", "10:00"]]}},
        {"hours": {"0": [["09:00", "24:30"]]}},
        {"hours": {"0": [["09:00"]]}},
        {"hours": {"0": ["09:00", "10:00"]}},
        {**CALENDAR, "timezone": "UTC"},
        {**CALENDAR, "time_zone": None},
        {**CALENDAR, "country": "Germany"},
        {**CALENDAR, "holidays": ["24.12.2026"]},
        {**CALENDAR, "holidays": "2026-12-24"},
    ],
)
def test_what_the_schema_of_calendars_refuses_the_parser_refuses_too(document: Any) -> None:
    assert not Draft202012Validator(calendar_json_schema()).is_valid(document)
    with pytest.raises(Invalid):
        Calendar.from_document(document)
