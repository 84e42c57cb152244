"""JSON Schemas (draft 2020-12) of the documents beside definitions: SLA policies and calendars.

Editors complete and check a document with them. What a schema cannot say, the parsers check: `parse_policy`
and `Calendar.from_document`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gndp.core.calendars import WEEKDAYS
from gndp.core.policies import CLOCK_EVENTS, MAX_MINUTES
from gndp.core.states import Priority

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_json_schema() -> dict[str, Any]:
    """The JSON Schema of an SLA policy, with a description of every field."""
    usual_warning = (
        "Without this field: 15 minutes before due, or a fifth of the target when that is shorter."
    )
    fields = {
        "name": {
            **_text("Names the policy; its versions share it.", 100),
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        },
        "description": _text("What it is for.", 10_000),
        "item": _choice(("process", "task"), "Whether it measures processes or tasks.", "process"),
        "objective": {
            **_text("What it promises; each objective of an item has a clock.", 100),
            "minLength": 1,
            "default": "resolution",
            "examples": ["resolution", "response"],
        },
        "applies_to": _applies_to(),
        "target_minutes": _minutes("The target, along the calendar; plain minutes without a calendar.", 1),
        "calendar": _optional(_text("The name of the calendar that the clock counts along.", 500)),
        **_clock(),
        "warnings": _optional(_list(_warning(), f"When an item is at risk. {usual_warning}")),
        "escalations": _list(_escalation(), "Who hears of it and when, and what else is done."),
        "business_impact": _optional(_text("What a breach means; kept with it.", 1_000)),
    }
    return {
        "$schema": _DIALECT,
        "$id": "urn:gndp:policy",
        "title": "GNDP SLA policy",
        **_object(fields, "A promise about processes or tasks: its target, its clock, and who hears of it."),
        "required": ["name", "target_minutes"],
        "$defs": {"condition": _condition()},
    }


def calendar_json_schema() -> dict[str, Any]:
    """The JSON Schema of a working-time calendar, with a description of every field."""
    days = {str(day): _list(_period(), f"{name}'s periods.") for day, name in enumerate(WEEKDAYS)}
    fields = {
        "time_zone": {
            **_text("The time zone that its hours are in."),
            "default": "UTC",
            "examples": ["Europe/Berlin", "America/New_York"],
        },
        "hours": {
            **_object(days, "The periods of each weekday, 0 (Monday) to 6 (Sunday); others are closed."),
            "minProperties": 1,
        },
        "country": _optional(
            {
                **_text("The country (ISO 3166-1) on whose public holidays nothing is worked."),
                "pattern": "^[A-Z]{2}$",
                "examples": ["DE", "US"],
            }
        ),
        "region": _optional(
            {
                **_text("The part of the country (ISO 3166-2) whose own holidays count too."),
                "examples": ["BY", "DE-BY"],
            }
        ),
        "holidays": _optional(_list(_date(), "More dates on which nothing is worked.")),
    }
    return {
        "$schema": _DIALECT,
        "$id": "urn:gndp:calendar",
        "title": "GNDP working-time calendar",
        **_object(fields, "When work is done: hours for each weekday, in a time zone, except on holidays."),
        "required": ["hours"],
    }


# Parts of a policy ------------------------------------------------------------------------------------


def _applies_to() -> dict[str, Any]:
    fields = {
        "template": _optional(_text("The id of a process definition.")),
        "steps": _list({"type": "string"}, "The ids of steps; for tasks."),
        "process_types": _list({"type": "string"}, "The kinds of processes."),
        "priorities": _list({"enum": [str(priority) for priority in Priority]}, "The priorities."),
    }
    return _object(
        fields,
        "Which items it is for; what is left out does not restrict. Of several policies with one objective "
        "the most specific wins: by step, then template, process type, priority.",
    )


def _clock() -> dict[str, Any]:
    meanings = {
        "start": "Starts the clock. [process.started, or task.ready]",
        "pause": "Makes it stand still until what paused it is over. [process.suspended]",
        "resume": "Lets it go on after a pause that nothing else ends.",
        "stop": "Ends it, met or breached. [process.completed, or task.completed and task.skipped]",
        "cancel": "Ends it without a verdict, beside the cancelling of the item.",
    }
    clock = {part: _list({"$ref": "#/$defs/condition"}, meaning) for part, meaning in meanings.items()}
    for part in ("start", "stop"):
        clock[part]["minItems"] = 1
    return clock


def _condition() -> dict[str, Any]:
    event = _choice(CLOCK_EVENTS, "The type of the event.")
    reasons = _list({"type": "string"}, "Only with one of these reasons (up to a colon, whatever the case).")
    with_reasons = _object({"event": event, "reasons": reasons}, "An event with certain reasons.")
    return {
        "description": "An event that a clock listens to: its type, or an object that also names reasons.",
        "anyOf": [event, {**with_reasons, "required": ["event"]}],
    }


def _warning() -> dict[str, Any]:
    fields = {
        "percent": {
            "type": "integer",
            "minimum": 1,
            "maximum": 99,
            "description": "When so much of the target is used up.",
        },
        "minutes_before": _minutes("So many minutes before due.", 1),
    }
    only_one = {"minProperties": 1, "maxProperties": 1}
    return {**_object(fields, "A warning: percent or minutes_before, one of them."), **only_one}


def _escalation() -> dict[str, Any]:
    whom = "The assignee, the lead or the manager of the team, or the person named."
    what = "Tell them, raise the priority by one, or give them the task."
    fields = {
        "after_minutes": {
            **_minutes("So many minutes after due; negative: before it.", -MAX_MINUTES),
            "default": 0,
        },
        "to": _choice(("assignee", "team_lead", "manager", "person"), whom, "team_lead"),
        "person": _text("The id of the person; goes with to: person.", 500),
        "action": _choice(("notify", "raise_priority", "reassign"), what, "notify"),
    }
    return {
        **_object(fields, "What happens when so much time has passed."),
        "if": {"properties": {"to": {"const": "person"}}, "required": ["to"]},
        "then": {"required": ["person"]},
        "else": {"properties": {"person": {"not": {}}}},
    }


# Parts of a calendar ----------------------------------------------------------------------------------


def _period() -> dict[str, Any]:
    time = {"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}
    two = {"minItems": 2, "maxItems": 2, "examples": [["09:00", "12:30"]]}
    return {**_list(time, "Where it begins and where it ends, in local time."), **two}


def _date() -> dict[str, Any]:
    return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


# Forms ------------------------------------------------------------------------------------------------


def _object(fields: dict[str, Any], description: str) -> dict[str, Any]:
    closed = {"type": "object", "additionalProperties": False, "properties": fields}
    return {**closed, "description": description}


def _list(items: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": description}


def _text(description: str, longest: int | None = None) -> dict[str, Any]:
    bound = {} if longest is None else {"maxLength": longest}
    return {"type": "string", **bound, "description": description}


def _minutes(description: str, least: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": MAX_MINUTES, "description": description}


def _choice(values: Iterable[str], description: str, default: str | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"enum": list(values), "description": description}
    return schema if default is None else {**schema, "default": default}


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    """The same, or null: as if the field were left out."""
    return {**schema, "type": [schema["type"], "null"]}
