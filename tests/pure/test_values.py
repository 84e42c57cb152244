"""What may enter the engine: texts, JSON values, instants, ids."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum

import numpy
import orjson
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gndp.core.errors import Invalid, Problem
from gndp.core.states import Priority
from gndp.core.values import (
    MAX_DEPTH,
    MAX_PROBLEMS,
    at,
    bounded,
    parse_id,
    require_aware,
    shown,
    validate_texts,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner, max_size=4
        )
    ),
    max_leaves=20,
)


class Level(IntEnum):
    HIGH = 3


def nested(levels: int) -> list:
    value: list = []
    for _ in range(levels - 1):
        value = [value]
    return value


@given(JSON)
def test_plain_json_has_no_problem_and_can_be_sent_on(value):
    assert validate_texts(value, "input_data") == []
    orjson.dumps(value)
    json.dumps(value, allow_nan=False).encode()


@pytest.mark.parametrize(
    "value", ["plain", "", "Grüße 😀", None, True, 0, 1.5, {}, [], Priority.HIGH, Level.HIGH]
)
def test_ordinary_values_pass(value):
    assert validate_texts(value, "value") == []


@pytest.mark.parametrize(
    ("value", "place", "word"),
    [
        ("a\0b", "data", "NUL character (at 1)"),
        ("ab\ud800", "data", "surrogate pair (at 2)"),
        ({"a": {"b": ["x", "\0"]}}, "data.a.b[1]", "NUL"),
        ({"\udfff": 1}, "data['\\udfff']", "its key has half of a surrogate pair"),
        ({"k\0": 1}, "data['k\\x00']", "its key has a NUL"),
        ({1: "x"}, "data[1]", "its key is not a text: int"),
        ({Priority.LOW: 1}, "data.low", "its key is not a text: Priority"),
        ([float("nan")], "data[0]", "not a finite number"),
        ([1, float("-inf")], "data[1]", "not a finite number: -inf"),
        (2**64, "data", "beyond 64 bits"),
        (-(2**63) - 1, "data", "beyond 64 bits"),
        ((1, 2), "data", "not a JSON value: tuple"),
        ({"at": date(2024, 1, 1)}, "data.at", "not a JSON value: date"),
        (numpy.float64(1.5), "data", "not a JSON value: float64"),
        (uuid.UUID(int=1), "data", "not a JSON value: UUID"),
        (b"x", "data", "not a JSON value: bytes"),
        (nested(MAX_DEPTH + 1), "data" + "[0]" * MAX_DEPTH, "nested deeper than 32 levels"),
    ],
)
def test_what_cannot_be_stored_is_named_with_its_place(value, place, word):
    (problem,) = validate_texts(value, "data")
    assert problem.place == place
    assert word in problem.message
    str(problem).encode()


def test_all_problems_come_at_once():
    problems = validate_texts({"a": "\0", "b": [float("nan"), {"c": "\ud800\0"}]}, "x")
    assert [problem.place for problem in problems] == ["x.a", "x.b[0]", "x.b[1].c", "x.b[1].c"]


def test_the_deepest_allowed_nesting_passes():
    assert validate_texts(nested(MAX_DEPTH), "x") == []


def test_an_endless_value_is_refused():
    endless: list = []
    endless.append(endless)
    assert "nested deeper" in validate_texts(endless, "x")[0].message


def test_the_number_of_problems_is_bounded():
    problems = validate_texts(["\0"] * 10_000, "x")
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].message == "there are more problems than these"
    assert len(bounded([Problem("a", "b")] * 10_000)) == 1


def test_places_are_readable_and_harmless():
    assert at("", "steps") == "steps"
    assert at("steps", 2) == "steps[2]"
    assert at("a", "$ref") == "a.$ref"
    assert at("a", "two words") == "a['two words']"
    assert len(at("a", "x" * 100_000)) < 100


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, {"a": "x" * 10**6}, [1] * 10**6, 10**5000, object(), "\ud800\0\n", 1e300, None],
    ids=lambda value: type(value).__name__,
)
def test_shown_values_are_short_and_printable(value):
    text = shown(value)
    assert len(text) <= 60
    assert text.isprintable()


def test_an_aware_instant_comes_back_in_utc():
    local = datetime(2024, 5, 31, 14, 30, 1, 5, tzinfo=timezone(timedelta(hours=2)))
    instant = require_aware(local, "due_date")
    assert instant == local
    assert instant.tzinfo is UTC
    assert instant.hour == 12


def test_a_pandas_timestamp_becomes_a_plain_datetime():
    instant = require_aware(pandas.Timestamp("2024-05-31T14:30:00.000001999+02:00"), "due_date")
    assert type(instant) is datetime
    assert instant == datetime(2024, 5, 31, 12, 30, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (datetime(2024, 5, 31), "no time zone"),
        (pandas.NaT, "no time zone"),
        (date(2024, 5, 31), "must be a datetime"),
        ("2024-05-31T00:00:00Z", "must be a datetime"),
        (None, "must be a datetime"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=2))), "outside the years"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-2))), "outside the years"),
    ],
)
def test_other_instants_are_refused(value, word):
    with pytest.raises(Invalid, match=word) as refusal:
        require_aware(value, "due_date")
    assert refusal.value.problems[0].place == "due_date"


def test_an_id_may_be_given_as_uuid_or_text():
    id = uuid.uuid4()
    assert parse_id(id, "id") is id
    assert parse_id(str(id), "id") == parse_id(str(id).upper(), "id") == parse_id(id.hex, "id") == id


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "123",
        None,
        5,
        b"0" * 32,
        "0" * 31,
        "0" * 33,
        " " + "0" * 32,
        "0" * 32 + "\n",
        "٠" * 32,
        "1_" * 16,
        "{00000000-0000-0000-0000-000000000000}",
        "urn:uuid:00000000-0000-0000-0000-000000000000",
        "0000-00000000-0000-0000-000000000000",
        "\0" * 32,
        "\ud800",
        "00000000-000000000000-0000-000000000000",
    ],
)
def test_other_ids_are_refused(value):
    with pytest.raises(Invalid, match="is not a UUID") as refusal:
        parse_id(value, "task_id")
    assert refusal.value.problems[0].place == "task_id"
    str(refusal.value).encode()
