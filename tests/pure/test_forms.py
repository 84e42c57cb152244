"""Forms: what is a good one, and what people read when they filled one in wrongly."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gndp.core.forms import FORMATS, FormValidator, form_problems
from gndp.core.values import MAX_PROBLEMS


def words(form: dict[str, Any], output_data: Any) -> list[str]:
    assert form_problems(form) == []
    return [str(problem) for problem in FormValidator(form).problems(output_data)]


def field(schema: Any, value: Any) -> list[str]:
    """The problems of one field, without its place."""
    return [
        word.removeprefix("output_data.x: ") for word in words({"properties": {"x": schema}}, {"x": value})
    ]


def test_all_problems_come_at_once_each_at_its_field():
    form = {
        "type": "object",
        "required": ["amount", "email"],
        "additionalProperties": False,
        "properties": {
            "amount": {"type": "number"},
            "email": {"type": "string", "format": "email"},
            "lines": {"type": "array", "items": {"properties": {"price": {"minimum": 0}}}},
        },
    }
    assert set(words(form, {"amount": "12", "lines": [{"price": 1}, {"price": -1}], "colour of it": 1})) == {
        "output_data.amount: must be a number, not a text",
        "output_data.email: is missing",
        "output_data.lines[1].price: must be at least 0",
        "output_data['colour of it']: is not a known field",
    }
    assert words(form, {"amount": 12.5, "email": "ann@example.com", "lines": []}) == []


@pytest.mark.parametrize(
    ("schema", "value", "word"),
    [
        ({"type": "integer"}, 1.5, "must be a whole number, not a number"),
        ({"type": "integer"}, True, "must be a whole number, not true or false"),
        ({"type": ["string", "null"]}, [], "must be a text or empty, not a list"),
        ({"type": "boolean"}, None, "must be true or false, not empty"),
        ({"enum": ["a", "b"]}, "c", "must be one of 'a', 'b'"),
        ({"const": 3}, 4, "must be 3"),
        ({"minimum": 1}, 0, "must be at least 1"),
        ({"maximum": 1}, 2, "must be at most 1"),
        ({"exclusiveMinimum": 0}, 0, "must be more than 0"),
        ({"exclusiveMaximum": 5}, 5, "must be less than 5"),
        ({"multipleOf": 0.01}, 1.005, "must be a multiple of 0.01"),
        ({"minLength": 1}, "", "must not be empty"),
        ({"minLength": 3}, "ab", "must have at least 3 characters"),
        ({"maxLength": 1}, "ab", "must have at most 1 character"),
        ({"pattern": "^a$"}, "b", "must match the pattern ^a$"),
        ({"minItems": 2}, [1], "must have at least 2 items"),
        ({"maxItems": 1}, [1, 2], "must have at most 1 item"),
        ({"contains": {"const": 1}}, [2], "has no item of the expected kind"),
        ({"minProperties": 1}, {}, "must not be empty"),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, "must have at most 1 field"),
        ({"not": {"const": 1}}, 1, "is not allowed"),
        (
            {"oneOf": [{"minimum": 1}, {"maximum": 9}]},
            5,
            "fits more than one of the alternatives where it may fit only one",
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            5,
            "must be a text, not a whole number (or another of the alternatives)",
        ),
    ],
)
def test_each_rule_has_words(schema, value, word):
    assert field(schema, value) == [word]


def test_rules_about_fields_point_at_the_field():
    assert words({"dependentRequired": {"a": ["b"]}}, {"a": 1}) == [
        "output_data.b: is missing: it is needed beside 'a'"
    ]
    assert words({"propertyNames": {"maxLength": 1}}, {"a": 1, "long": 2}) == [
        "output_data.long: is not an allowed name"
    ]
    assert words({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"x1": 1, "y": 2}) == [
        "output_data.y: is not a known field"
    ]
    assert words({"properties": {"a": False}}, {"a": 1}) == ["output_data: 1 is not allowed here"]
    assert words({"unevaluatedProperties": False}, {"a": 1}) == ["output_data: has fields that are not known"]


def test_alternatives_name_the_place_within_them():
    form = {"properties": {"x": {"oneOf": [{"required": ["a"], "properties": {"a": {"type": "string"}}}]}}}
    assert words(form, {"x": {"a": 1}}) == [
        "output_data.x.a: must be a text, not a whole number (or another of the alternatives)"
    ]


@pytest.mark.parametrize(
    ("format", "good", "bad"),
    [
        ("date", ["2024-02-29"], ["2023-02-29", "20240229", "2024-02-29T00:00:00Z", ""]),
        (
            "date-time",
            ["2024-05-31T14:30:00Z", "2024-05-31t14:30:00.123456+02:00"],
            ["2024-05-31T14:30:00", "2024-05-31", "2024-05-31T25:00:00Z", "2024-05-31T14:30:00Z\n", "now"],
        ),
        ("time", ["14:30:00Z", "14:30:00.5-01:00"], ["14:30", "24:30:00Z", "14:30:00"]),
        (
            "email",
            ["ann@example.com", "a.b+c@localhost"],
            ["ann", "a@b@c", "@x.org", "a @x.org", "a@x.", "x" * 300 + "@a.b"],
        ),
        (
            "uri",
            ["https://example.com/a?b=c", "mailto:ann@example.com"],
            ["example.com", "https://a b", "http://[", ""],
        ),
        ("uuid", ["0190d1f4-5b7e-7c3a-9d55-6f1b2a3c4d5e"], ["x", "0190d1f4"]),
        ("ipv4", ["10.0.0.1"], ["10.0.0.256"]),
        ("ipv6", ["::1"], ["::g"]),
        ("regex", ["^a$"], ["(", "a{99999999999999999999}"]),
    ],
)
def test_formats_are_checked(format, good, bad):
    schema = {"type": "string", "format": format}
    for text in good:
        assert field(schema, text) == [], text
    for text in bad:
        assert field(schema, text) == [FORMATS[format]], text


def test_other_formats_are_notes():
    assert field({"format": "currency"}, "x") == []
    assert field({"format": "date"}, 5) == []


@given(st.integers(0, 10**12))
def test_amounts_in_cents_are_multiples_of_a_cent(cents):
    assert field({"multipleOf": 0.01}, float(f"{cents // 100}.{cents % 100:02}")) == []


def test_a_dollar_sign_means_the_very_end():
    assert field({"pattern": "^[0-9]{4}$"}, "1234\n") != []
    assert field({"pattern": r"^[$]\$$"}, "$$") == []


def test_repeated_items_are_found_where_they_are():
    form = {"properties": {"x": {"uniqueItems": True}}}
    assert words(form, {"x": [{"a": 1, "b": 2}, 1, {"b": 2, "a": 1}, "1", True]}) == [
        "output_data.x[2]: is in the list already"
    ]


def test_messages_are_bounded():
    form = {
        "properties": {
            "x": {"enum": [f"{i:0100}" for i in range(1000)]},
            "y": {"pattern": "a" * 10_000},
            "z": {"items": {"type": "string"}},
        }
    }
    problems = FormValidator(form).problems({"x": "b" * 10**6, "y": "b" * 10**6, "z": list(range(10_000))})
    assert all(len(problem.message) < 1000 for problem in problems)
    assert len(problems) == MAX_PROBLEMS + 1


def test_the_place_of_the_whole_can_be_named():
    (problem,) = FormValidator({"required": ["a"]}).problems({}, "form_data")
    assert problem.place == "form_data.a"


@pytest.mark.parametrize(
    ("form", "place"),
    [
        (5, "form"),
        (True, "form"),
        ({"type": 5}, "form.type"),
        ({"type": "array"}, "form.type"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "form.$schema"),
        ({"$id": "https://example.com/form"}, "form.$id"),
        ({"$dynamicRef": "#/a"}, "form.$dynamicRef"),
        ({"required": "x"}, "form.required"),
        ({"properties": {"a": {"pattern": "("}}}, "form.properties.a.pattern"),
        ({"properties": {"a": {"minimum": "1"}}}, "form.properties.a.minimum"),
        ({"properties": {"a": {"items": [{}]}}}, "form.properties.a.items"),
        ({"properties": {"a": {"$ref": "https://example.com/x"}}}, "form.properties.a.$ref"),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "form.properties.a.$ref"),
        ({"properties": {"a": {"$ref": "#name"}}}, "form.properties.a.$ref"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "form.properties.a.$ref"),
        ({"allOf": [{"$ref": "other.json"}]}, "form.allOf[0].$ref"),
        ({"$ref": "#"}, "form"),
        ({"properties": {"a": {"anyOf": [{"$ref": "#/properties/a"}, {}]}}}, "form"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, "form"),
    ],
)
def test_bad_forms_are_refused_with_the_place(form, place):
    assert place in [problem.place for problem in form_problems(form)]


def test_the_names_of_fields_are_not_keywords():
    form = {
        "properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}, "if": {}},
        "enum": [{"$ref": "x"}],
    }
    assert form_problems(form) == []


def test_a_form_may_refer_to_its_own_parts():
    form = {
        "properties": {"home": {"$ref": "#/$defs/an~1address"}, "tree": {"$ref": "#/$defs/tree"}},
        "$defs": {
            "an/address": {"required": ["street"]},
            "tree": {"properties": {"branches": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}},
        },
    }
    assert words(form, {"home": {}, "tree": {"branches": [{"branches": 1}]}}) == [
        "output_data.home.street: is missing",
        "output_data.tree.branches[0].branches: must be a list, not a whole number",
    ]
