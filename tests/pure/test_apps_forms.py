"""Which fields a JSON Schema asks for, and what is read from what people put into them."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest

from apps.forms import Field, Form, draft_of
from gndp.core.forms import FormValidator
from gndp.core.templates import parse_template
from gndp.demo.forms import filled

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def form(required: tuple[str, ...] = (), **properties: Any) -> Form:
    return Form({"type": "object", "required": list(required), "properties": properties})


def only(part: dict[str, Any], **around: Any) -> Field:
    return Form({"type": "object", "properties": {"a": part}, **around}).root.fields[0]


def problems(asked: Form, draft: Any) -> dict[Any, str]:
    return {tuple(json.loads(key)): said for key, said in asked.read(draft).problems.items()}


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "maxLength": 2000}, "long_text"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "date-time"}, "date_time"),
        ({"type": "string", "format": "email"}, "text"),
        ({"minLength": 3}, "text"),
        ({"type": ["string", "null"]}, "text"),
        ({"type": "number"}, "number"),
        ({"type": "integer"}, "integer"),
        ({"minimum": 3}, "number"),
        ({"type": "boolean"}, "yes_no"),
        ({"enum": ["a", "b"]}, "choice"),
        ({"const": "a"}, "choice"),
        ({"oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]}, "choice"),
        ({"type": "array", "items": {"type": "string"}}, "list"),
        ({"type": "array", "uniqueItems": True, "items": {"enum": ["a", "b"]}}, "choices"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "list"),
        ({"type": "object", "properties": {"b": {"type": "string"}}}, "group"),
        ({"$ref": "#/$defs/x"}, "integer"),
        ({}, "json"),
        (True, "json"),
        ({"type": ["string", "number"]}, "json"),
        ({"type": "object"}, "json"),
        ({"type": "array"}, "json"),
        ({"type": "array", "items": {"type": "string"}, "contains": {"const": "a"}}, "json"),
        ({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}}, "json"),
        ({"type": "object", "properties": {"b": {}}, "additionalProperties": {"type": "string"}}, "json"),
        ({"type": "object", "properties": {"b": {}}, "required": ["c"]}, "json"),
        ({"type": "object", "properties": {"b": {}}, "anyOf": [{"required": ["c"]}]}, "json"),
        ({"type": "object", "properties": {"b": {}}, "then": {"properties": {"c": {}}}}, "json"),
        ({"type": "object", "properties": {"b": {}}, "allOf": [{"$ref": "#/$defs/x"}]}, "json"),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, "json"),
        ({"$ref": "#/$defs/again"}, "group"),
    ],
)
def test_each_kind_of_schema_has_its_input(part: Any, kind: str) -> None:
    again = {"type": "object", "properties": {"inner": {"$ref": "#/$defs/again"}}}
    field = only(part, **{"$defs": {"x": {"type": "integer"}, "again": again}})
    assert field.kind == kind
    if part == {"$ref": "#/$defs/again"}:
        assert field.fields[0].kind == "json"


def test_a_field_that_nothing_fits_is_not_asked_for() -> None:
    assert form(a=False, b={"type": "string"}).root.fields[0].name == "b"


def test_a_field_is_called_by_its_title_or_else_its_name() -> None:
    assert only({"type": "string", "title": "Loan wanted", "description": "In euros"})[1:4] == (
        "a",
        "Loan wanted",
        "In euros",
    )
    assert form(credit_score={"type": "integer"}).root.fields[0].label == "Credit score"


def test_choices_are_said_in_words() -> None:
    assert only({"enum": ["self_employed", "A_1", 3, True, None]}).options == (
        ('"self_employed"', "self employed"),
        ('"A_1"', "A_1"),
        ("3", "3"),
        ("true", "yes"),
    )
    assert only({"oneOf": [{"const": "a", "title": "The first"}]}).options == (('"a"', "The first"),)


@pytest.mark.parametrize(
    ("part", "raw", "value"),
    [
        ({"type": "string"}, " x ", " x "),
        ({"type": "integer"}, "12", 12),
        ({"type": "integer"}, " -3 ", -3),
        ({"type": "number"}, "0.1", 0.1),
        ({"type": "number"}, "12345678901234567890123", 12345678901234567890123),
        ({"type": "boolean"}, "false", False),
        ({"enum": [1, "1"]}, '"1"', "1"),
        ({"type": "array", "uniqueItems": True, "items": {"enum": ["a", "b"]}}, ['"b"', '"a"'], ["a", "b"]),
        ({"type": "array", "items": {"type": "integer"}}, ["1", "", "2"], [1, 2]),
        ({"type": "object", "properties": {"b": {"type": "string"}}}, {"b": "x"}, {"b": "x"}),
        ({}, '{"x": [1]}', {"x": [1]}),
    ],
)
def test_what_is_put_in_is_read_as_what_it_is(part: Any, raw: Any, value: Any) -> None:
    if value != 12345678901234567890123:  # beyond 64 bits, which cannot be kept
        assert form(a=part).read({"a": raw}) == ({"a": value}, {})
    else:
        assert "64 bits" in form(a=part).read({"a": raw}).problems['["a"]']


@pytest.mark.parametrize(
    "part",
    [
        {"type": "string"},
        {"type": "integer"},
        {"type": "boolean"},
        {"enum": ["a"]},
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "properties": {"b": {"type": "string"}}},
        {},
    ],
)
def test_what_is_left_empty_is_left_out(part: Any) -> None:
    optional, required = form(a=part), form(("a",), a=part)
    assert optional.read(optional.root.start) == ({}, {})
    if part.get("type") == "array":
        assert required.read(required.root.start) == ({"a": []}, {})
    elif part.get("type") == "object":
        assert required.read(required.root.start) == ({"a": {}}, {})
    else:
        assert required.read(required.root.start) == ({}, {'["a"]': "is missing"})


def test_an_emptied_field_that_may_be_null_is_null_where_it_is_required() -> None:
    part = {"type": ["string", "null"]}
    assert form(("a",), a=part).read({"a": ""}) == ({"a": None}, {})
    assert form(a=part).read({"a": ""}) == ({}, {})


@pytest.mark.parametrize("text", ["abc", "1,5", "1e999", "--1", "NaN", "Infinity", "1_000"])
def test_what_is_no_number_is_refused_in_the_rule_s_own_words(text: str) -> None:
    said = problems(form(a={"type": "number"}), {"a": text})[("a",)]
    assert said in ("must be a number, not a text", "is not a finite number: inf")


def test_problems_stand_at_the_field_they_are_about() -> None:
    address = {
        "type": "object",
        "required": ["city"],
        "properties": {"city": {"type": "string"}, "lines": {"type": "array", "items": {"minLength": 2}}},
    }
    asked = form(("address", "score"), address=address, score={"type": "integer", "maximum": 850})
    draft = {"address": {"city": "", "lines": ["ab", "", "c"]}, "score": "900"}
    assert problems(asked, draft) == {
        ("address", "city"): "is missing",
        # The row that is empty is none: what is wrong with the third row is told there.
        ("address", "lines", 2): "must have at least 2 characters",
        ("score",): "must be at most 850",
    }


def test_what_has_no_field_is_told_of_the_nearest_around_it() -> None:
    asked = form(a={"type": "object"})
    assert problems(asked, {"a": "[1]"}) == {("a",): "must be an object, not a list"}
    inner = Form({"properties": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}})
    said = problems(inner, {"a": '{"x": 1, "two words": 2}'})[("a",)]
    assert sorted(said.split("; ")) == [
        "['two words'] must be a text, not a whole number",
        "x must be a text, not a whole number",
    ]


def test_a_key_is_written_as_browsers_write_json() -> None:
    address = {"type": "object", "required": ["größe"], "properties": {"größe": {"type": "string"}}}
    assert list(form(("ä",), ä=address).read({}).problems) == ['["ä","größe"]']


def test_a_rule_over_several_fields_is_told_of_the_whole() -> None:
    asked = Form(
        {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "not": {"required": ["a"]}}
    )
    assert problems(asked, {"a": "x", "b": ""}) == {(): "is not allowed"}


@pytest.mark.parametrize("text", ["{", "[1,]", "'a'", "[" * 100_000])
def test_json_that_is_none_is_told_at_its_field(text: str) -> None:
    said = problems(form(("a",), a={}), {"a": text})
    assert list(said) == [("a",)] and said[("a",)].startswith("must be JSON")


def test_a_form_that_cannot_be_shown_as_fields_is_one_of_json() -> None:
    asked = Form({"type": "object", "minProperties": 1})
    assert asked.root.kind == "json"
    assert asked.read('{"a": 1}') == ({"a": 1}, {})
    assert problems(asked, "") == {(): "must not be empty"}
    assert problems(asked, "[1]") == {(): "must be an object, not list"}
    assert problems(asked, "nonsense")[()].startswith("must be JSON")


def test_a_form_for_nothing_has_no_field() -> None:
    asked = Form({"type": "object", "additionalProperties": False})
    assert (asked.root.kind, asked.root.fields, asked.read({})) == ("group", (), ({}, {}))


def test_defaults_are_there_at_the_beginning() -> None:
    asked = form(
        a={"type": "integer", "default": 7},
        b={"type": "boolean", "default": False},
        c={"type": "array", "items": {"type": "string"}, "default": ["x"]},
        d={"enum": ["p", "q"], "default": "q"},
        e={"type": "string", "default": None},
    )
    assert asked.root.start == {"a": "7", "b": "false", "c": ["x"], "d": '"q"', "e": ""}
    assert asked.read(asked.root.start).data == {"a": 7, "b": False, "c": ["x"], "d": "q"}


@pytest.mark.parametrize("draft", [None, "x", 7, [], {"a": {"b": 1}}, {"a": None}, {"a": [[]]}, {"l": "x"}])
def test_a_draft_from_a_tampered_browser_is_read_as_empty(draft: Any) -> None:
    asked = form(a={"type": "integer"}, l={"type": "array", "items": {"type": "string"}})
    assert asked.read(draft) == ({}, {})


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_a_text_that_cannot_be_kept_is_told_at_its_field(text: str) -> None:
    assert list(problems(form(a={"type": "string"}), {"a": text})) == [("a",)]


def demo_forms() -> list[dict[str, Any]]:
    folder = resources.files("gndp").joinpath("definitions")
    documents = [file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".yaml")]
    return [step.form for text in documents for step in parse_template(text).steps if step.form]


@pytest.mark.parametrize("schema", demo_forms())
def test_forms_of_the_templates_are_fields_and_read_what_fits(schema: dict[str, Any]) -> None:
    asked = Form(schema)
    data = filled(schema, random.Random(7), NOON)
    assert FormValidator(schema).problems(data) == []
    assert asked.read(draft_of(asked.root, data)) == (data, {})
    assert "json" not in {field.kind for field in asked.root.fields}
    json.dumps(asked.root.described())
