"""The payloads of events: what is written reads back as it was, and the catalogue that is drawn from them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from uuid import uuid4

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gndp.cli import app
from gndp.core import events
from gndp.core.changes import Changes, Command
from gndp.core.events import EVENT_TYPES, ClockFigures, OtherEvent, Payload, payload_of
from gndp.core.events_page import events_page
from gndp.core.records import Event

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "events.md"
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONTRACT = {
    *(f"process.{it}" for it in ("started", "completed", "failed", "suspended", "resumed", "cancelled")),
    *(f"task.{it}" for it in ("created", "assigned", "started", "completed", "failed", "reassigned")),
    *("sla.at_risk", "sla.breached", "sla.met", "assignment.needed", "workload.imbalance"),
    *("notification.send", "escalation.triggered"),
}

JSON = st.none() | st.booleans() | st.text() | st.lists(st.dictionaries(st.text(), st.text()), max_size=2)
NUMBERS = st.integers(0, 2**31 - 1)
INSTANTS = st.datetimes(timezones=st.just(UTC))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: NUMBERS,
    float: FLOATS,
    str: st.text(),
    datetime: INSTANTS,
    NoneType: st.none(),
    dict[str, Any]: st.dictionaries(st.text(), JSON),
    dict[str, float]: st.dictionaries(st.text(), FLOATS),
    dict[str, ClockFigures]: st.dictionaries(
        st.text(), st.builds(ClockFigures, st.text(), NUMBERS, st.text(), INSTANTS)
    ),
}


def fields(payload: type[Payload]) -> dict[str, tuple[Any, str]]:
    """The fields of a payload: their types and meanings."""
    hints = get_type_hints(payload, include_extras=True)
    return {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Annotated}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    return st.one_of(*(VALUES[part] for part in get_args(kind))) if kind not in VALUES else VALUES[kind]


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_is_written_reads_back_as_it_was(kind: type[Payload], data: st.DataObject) -> None:
    payload = data.draw(st.builds(kind, **{name: values_of(it) for name, (it, _) in fields(kind).items()}))
    stored = orjson.loads(orjson.dumps({**payload.details, "clock_reading": NINE}))
    assert payload_of(kind.event_type, stored) == payload
    assert None not in payload.details.values()


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_a_payload_is_frozen_named_as_its_type_and_documented(kind: type[Payload]) -> None:
    assert dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen
    assert kind.__name__.lower() == kind.event_type.replace(".", "").replace("_", "")
    assert {field.name for field in dataclasses.fields(kind)} == fields(kind).keys()
    assert all(meaning for _, meaning in fields(kind).values())


def test_the_types_of_the_contract_are_all_there() -> None:
    assert EVENT_TYPES.keys() >= CONTRACT


def test_details_have_their_keys_without_underscores_and_nothing_that_is_none() -> None:
    assert events.TaskReassigned("ann", "bob", "ill").details == {"from": "ann", "to": "bob", "reason": "ill"}
    assert events.TaskWaiting("customer").details == {"reason": "customer"}
    assert events.TaskStarted().details == {}


@pytest.mark.parametrize(
    ("event_type", "details"),
    [
        ("parcel.sent", {"to": "ann"}),
        ("task.reassigned", {"to": "ann"}),
        ("sla.met", {"due_date": "soon", "policy": "care", "objective": "response"}),
    ],
)
def test_a_type_that_nobody_knows_and_details_that_do_not_fit_read_as_another_event(
    event_type: str, details: dict[str, Any]
) -> None:
    payload = payload_of(event_type, details)
    assert payload == OtherEvent(details)
    assert payload.details == details


def test_a_null_of_an_older_log_reads_as_missing() -> None:
    assert payload_of("task.waiting", {"reason": "customer", "until": None}) == events.TaskWaiting("customer")


def test_an_event_is_written_as_its_payload_says_unless_it_differs() -> None:
    changes = Changes(None, Command("ann", NINE), NINE)  # type: ignore[arg-type]
    changes.event(events.TaskFailed("no paper"), "failed")
    changes.event(events.TaskRetried("no paper", 1), "again", category="error", severity="warning")
    told = [(e.event_type, e.event_category, e.severity, e.details) for e in changes.events]
    assert told == [
        ("task.failed", "error", "error", {"error_message": "no paper"}),
        ("task.retried", "error", "warning", {"error_message": "no paper", "retry_count": 1}),
    ]


def test_an_event_of_the_log_has_its_payload() -> None:
    columns = dict.fromkeys(Event._fields)
    columns |= {"id": uuid4(), "event_type": "task.skipped", "details": {"reason": "moot"}}
    assert Event(**columns).payload == events.TaskSkipped("moot")  # type: ignore[arg-type]


def test_the_catalogue_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == events_page(), "docs/reference/events.md is stale: run `make docs`"
    assert CliRunner().invoke(app, ["events", "catalogue"]).output == page


def test_the_catalogue_has_every_type_and_field_with_its_meaning() -> None:
    sections = {section.partition("\n")[0]: section for section in events_page().split("### ")[1:]}
    assert list(sections) == list(EVENT_TYPES)
    for kind in EVENT_TYPES.values():
        section = sections[kind.event_type]
        assert f"Category `{kind.category}`, severity `{kind.severity}`." in section
        assert section.count("\n| `") == len(fields(kind))
        for name, (_, meaning) in fields(kind).items():
            assert f"| `{name.removesuffix('_')}` | " in section and f" | {meaning}" in section
