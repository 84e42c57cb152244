"""What goes to the server: paths, queries and bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import date
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson

from gndp.core import arguments
from gndp.core.errors import Invalid, Problem
from gndp.core.values import validate_texts


def segment(name: str, place: str) -> str:
    """A name as part of a path; Invalid for what is no name, or cannot be part of one."""
    text = arguments.name(name, place)
    if "/" in text or text in (".", ".."):
        raise Invalid(Problem(place, f"{text!r} cannot be part of an address"))
    return quote(text, safe="")


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value; what is None counts as not given."""
    return {name: value for name, value in fields.items() if value is not None}


def encoded(body: Any) -> bytes:
    """A body as JSON. Raises Invalid, with their places, for values that JSON has not."""
    return orjson.dumps(_checked(body))


def query_of(query: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that have a value, as text. Raises Invalid as ``encoded``."""
    checked: dict[str, Any] = _checked(given(**query))
    return checked


def _checked(value: Any) -> Any:
    spelled = _spelled(value)
    problems = validate_texts(spelled, "")
    if problems:
        raise Invalid(*problems)
    return spelled


def _spelled(value: Any) -> Any:
    """Ids and instants as texts, mappings and sequences as objects and lists."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, Sequence | Set) and not isinstance(value, bytes):
        return [_spelled(item) for item in value]
    return value
