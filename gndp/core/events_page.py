"""``docs/reference/events.md``, drawn from the payloads of ``gndp.core.events``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from inspect import getdoc
from itertools import groupby
from types import NoneType
from typing import Annotated, get_args, get_origin, get_type_hints

from gndp.core.events import EVENT_TYPES, Payload

_INTRODUCTION = """\
# Events

Every type of event that the engine writes, and what its `details` hold. `gndp events catalogue` draws this
page from `gndp/core/events.py`, the types that the engine itself writes by: change those, then run
`make docs`.

`event.payload` is an event's details as an object: for `task.skipped` a `TaskSkipped` of that module, with
instants (ISO 8601 texts in the details) as aware UTC `datetime`. Where there is nothing to say, a field that
may be missing is left out of the details. Any event may have one more, `clock_reading` (instant): what the
workbench's clock said, when it went backwards and the event has the instant of the event before it.

Types are open: an event of any other type has an `OtherEvent`, which holds the details as they are. A pattern
names event types: one (`task.completed`), all that begin alike (`sla.*`), or every one (`*`).
"""

_TITLES = {"process": "Processes", "task": "Tasks", "sla": "SLA clocks"}
_JSON_TYPES: dict[object, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    datetime: "instant",
    dict: "object",
}


def events_page() -> str:
    """The whole page as Markdown: the types by what they are about, each with its fields."""
    parts = [_INTRODUCTION]
    for title, payloads in groupby(EVENT_TYPES.values(), _title):
        parts.append(f"## {title}\n")
        parts += [_section(payload) for payload in payloads]
    return "\n".join(parts)


def _title(payload: type[Payload]) -> str:
    return _TITLES.get(payload.event_type.partition(".")[0], "Escalations, notifications, assignment")


def _section(payload: type[Payload]) -> str:
    meaning = (getdoc(payload) or "").replace("\n", " ")
    kind = f"Category `{payload.category}`, severity `{payload.severity}`."
    rows = "".join(_rows(payload))
    table = f"\n| field | type | meaning |\n|---|---|---|\n{rows}" if rows else ""
    return f"### {payload.event_type}\n\n{meaning}\n\n{kind}\n{table}"


def _rows(payload: type[Payload]) -> Iterator[str]:
    for name, hint in get_type_hints(payload, include_extras=True).items():
        if get_origin(hint) is Annotated:
            kind, meaning = get_args(hint)
            missing = "; may be missing" if hasattr(payload, name) else ""
            yield f"| `{name.removesuffix('_')}` | {_json_type(kind)} | {meaning}{missing} |\n"


def _json_type(kind: object) -> str:
    if NoneType in get_args(kind):
        kind = get_args(kind)[0]
    return _JSON_TYPES[get_origin(kind) or kind]
