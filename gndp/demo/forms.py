"""What the demo's people put into the forms of their tasks: the required fields, with something that fits."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gndp.demo.people import FIRST_NAMES, LAST_NAMES


def filled(form: Mapping[str, Any], chance: random.Random, at: datetime) -> dict[str, Any]:
    """What a person puts into a form: its required fields."""
    return _object(form, form, chance, at)


def _object(
    schema: Mapping[str, Any], form: Mapping[str, Any], chance: random.Random, at: datetime
) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {n: _value(n, properties.get(n, {}), form, chance, at) for n in schema.get("required", [])}


def _value(
    name: str, schema: Mapping[str, Any], form: Mapping[str, Any], chance: random.Random, at: datetime
) -> Any:
    if "$ref" in schema:
        schema = form["$defs"][schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "boolean":
            return True
        case "integer" | "number":
            least = int(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1))
            return chance.randint(least, min(int(schema.get("maximum", least + 400_000)), least + 400_000))
        case "array":
            items = schema.get("items", {})
            return [_value(name, items, form, chance, at) for _ in range(schema.get("minItems", 1))]
        case "object":
            return _object(schema, form, chance, at)
        case _:
            return _text(name, schema, chance, at)


def _text(name: str, schema: Mapping[str, Any], chance: random.Random, at: datetime) -> str:
    match schema.get("format"):
        case "date":
            return at.date().isoformat()
        case "date-time":
            return at.isoformat()
        case "email":
            return f"{chance.choice(FIRST_NAMES).lower()}@example.com"
        case "uri":
            return f"https://example.com/{name}"
    if "pattern" in schema:
        digits = "".join(chance.choices("0123456789", k=10))
        return digits if schema["pattern"].startswith("^[0-9]") else f"NL91ABNA{digits}"
    return f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
