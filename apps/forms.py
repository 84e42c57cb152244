"""Forms as people fill them in: which fields a JSON Schema asks for, and what was put into them as data.

Pure. What is right is decided by ``gndp.core.forms`` alone, as when a task is completed; here it is only
said which input a problem belongs to. What cannot be shown as fields is asked for as JSON.

A draft is what the inputs hold: a text for each field (JSON for a choice), a list for each list, a dict for
each group. The way to an input through a draft, as browsers write JSON, is its key:
``["address","lines",0]``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from gndp.core import arguments
from gndp.core.errors import Invalid, Problem
from gndp.core.forms import FormValidator
from gndp.core.values import at

WHOLE = "output_data"
"""What the engine calls the whole of a form's data when it says what is wrong with it."""

_LONG_TEXT = 500
_MOST_ROWS = 10
_DEEPEST = 8
_INTEGER = re.compile(r"[+-]?\d{1,30}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORD = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_COMBINING = ("allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas")
_OPEN_OBJECT = ("patternProperties", "propertyNames", "unevaluatedProperties", "minProperties")
_OPEN_LIST = ("prefixItems", "contains", "unevaluatedItems")
_BY_KEYWORD = {
    "properties": "object",
    "items": "array",
    "format": "string",
    "pattern": "string",
    "minLength": "string",
    "maxLength": "string",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
    "multipleOf": "number",
}
_MISSING: Any = object()


class Field(NamedTuple):
    """One input, or a group or list of them.

    ``kind`` is text, long_text, number, integer, yes_no, choice, choices, date, date_time, list, group or
    json. ``options`` are (JSON, label) pairs, ``item`` is what each row of a list is, ``start`` what a draft
    begins with. ``takes_null`` says that an emptied input may mean null.
    """

    kind: str
    name: str = ""
    label: str = ""
    help: str = ""
    is_required: bool = False
    takes_null: bool = False
    options: tuple[tuple[str, str], ...] = ()
    fields: tuple[Field, ...] = ()
    item: Field | None = None
    start: Any = ""

    def described(self) -> dict[str, Any]:
        """The field as JSON, for the browser."""
        return {
            **self._asdict(),
            "options": [list(option) for option in self.options],
            "fields": [field.described() for field in self.fields],
            "item": None if self.item is None else self.item.described(),
        }


class Reading(NamedTuple):
    """What a draft says, and what is wrong with it: a message for each key, ``[]`` for the whole."""

    data: dict[str, Any]
    problems: dict[str, str]


class Form:
    """The form of one JSON Schema, which must have passed ``gndp.core.forms.form_problems``."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.root = _field(_Schema(schema, schema), "", False)._replace(is_required=True)
        self._validator = FormValidator(schema)

    def read(self, draft: Any) -> Reading:
        """The data of a draft and its problems, by the same rule as when the task is completed."""
        reader = _Reader()
        found = reader.read(self.root, draft, (), WHOLE)
        try:
            data = arguments.json_object({} if found is _MISSING else found, WHOLE)
        except Invalid as refusal:
            return Reading({}, reader.told(refusal.problems))
        return Reading(data, reader.told(self._validator.problems(data, WHOLE)))


def title_of(name: str) -> str:
    """What people call a field that has no title: ``credit_score`` is "Credit score"."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


# From a schema to fields ------------------------------------------------------------------------------


class _Schema(NamedTuple):
    """A part of a form, with the form that it may refer to and the references that led here."""

    form: Mapping[str, Any]
    part: Any
    led_by: tuple[str, ...] = ()

    def to(self, part: Any) -> _Schema:
        """A part of this part."""
        return self._replace(part=part)

    def resolved(self) -> _Schema:
        """The part that is referred to, with what is said beside the reference; JSON where it goes round."""
        reference = self.part.get("$ref") if isinstance(self.part, dict) else None
        if reference is None:
            return self
        if reference in self.led_by or len(self.led_by) >= _DEEPEST:
            return self.to(True)
        target: Any = self.form
        for key in reference.removeprefix("#").split("/")[1:]:
            key = key.replace("~1", "/").replace("~0", "~")
            target = target[int(key)] if isinstance(target, list) else target[key]
        beside = {name: value for name, value in self.part.items() if name != "$ref"}
        if not isinstance(target, dict):
            return self.to(target)
        found = self._replace(part={**target, **beside}, led_by=(*self.led_by, reference))
        return found.resolved()


def _field(schema: _Schema, name: str, is_required: bool) -> Field:
    schema = schema.resolved()
    part = schema.part if isinstance(schema.part, dict) else {}
    kinds = _types(part)
    options = _options(part)
    said = {
        "name": name,
        "label": str(part.get("title") or title_of(name)),
        "help": str(part.get("description") or ""),
        "is_required": is_required,
        "takes_null": "null" in kinds or any(json.loads(option) is None for option, _ in options),
    }
    if options:
        shown = tuple(option for option in options if option[0] != "null")
        return _begun(Field("choice", **said, options=shown), part)
    match [kind for kind in kinds if kind != "null"]:
        case ["string"]:
            return _begun(Field(_text_kind(part), **said), part)
        case ["number" | "integer" as kind]:
            return _begun(Field(kind, **said), part)
        case ["boolean"]:
            return _begun(Field("yes_no", **said), part)
        case ["array"]:
            return _begun(_list(schema, said), part)
        case ["object"]:
            return _begun(_group(schema, said), part)
    return _begun(Field("json", **said), part)


def _types(part: Mapping[str, Any]) -> list[str]:
    """The types that a value may have; guessed from the other keywords where none is said."""
    if "type" in part:
        return [part["type"]] if isinstance(part["type"], str) else list(part["type"])
    return list(dict.fromkeys(kind for keyword, kind in _BY_KEYWORD.items() if keyword in part))


def _text_kind(part: Mapping[str, Any]) -> str:
    match part.get("format"):
        case "date":
            return "date"
        case "date-time":
            return "date_time"
    return "long_text" if part.get("maxLength", 0) > _LONG_TEXT else "text"


def _options(part: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The values to choose from, as JSON with a label each; none when it is no choice."""
    if "enum" in part:
        return [(json.dumps(value), _label(value)) for value in part["enum"]]
    if "const" in part:
        return [(json.dumps(part["const"]), _label(part["const"]))]
    for keyword in ("oneOf", "anyOf"):
        listed = part.get(keyword, ())
        if listed and all(isinstance(one, dict) and "const" in one for one in listed):
            return [
                (json.dumps(one["const"]), str(one.get("title") or _label(one["const"]))) for one in listed
            ]
    return []


def _label(value: Any) -> str:
    if isinstance(value, str):
        return value.replace("_", " ") if _WORD.fullmatch(value) else value
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else json.dumps(value)


def _list(schema: _Schema, said: dict[str, Any]) -> Field:
    part = schema.part
    if any(keyword in part for keyword in _OPEN_LIST) or not isinstance(part.get("items"), dict):
        return Field("json", **said)
    item = _field(schema.to(part["items"]), "", True)
    if item.kind == "choice" and part.get("uniqueItems"):
        return Field("choices", **said, options=item.options, start=[])
    if item.kind == "json":
        return Field("json", **said)
    rows = min(max(part.get("minItems", 0), int(said["is_required"])), _MOST_ROWS)
    return Field("list", **said, item=item, start=[item.start for _ in range(int(rows))])


def _group(schema: _Schema, said: dict[str, Any]) -> Field:
    part = schema.part
    properties = {name: inner for name, inner in part.get("properties", {}).items() if inner is not False}
    required = part.get("required", [])
    is_open = isinstance(part.get("additionalProperties"), dict) or any(key in part for key in _OPEN_OBJECT)
    asked_for = {*required, *_named_elsewhere(part)}
    is_empty = not properties and part.get("additionalProperties") is not False
    if is_empty or is_open or not asked_for <= properties.keys():
        return Field("json", **said)
    fields = tuple(_field(schema.to(inner), name, name in required) for name, inner in properties.items())
    return Field("group", **said, fields=fields, start={field.name: field.start for field in fields})


def _named_elsewhere(part: Mapping[str, Any]) -> Iterator[str]:
    """The fields that an object's alternatives and conditions name; a reference in them may name any."""
    for keyword in _COMBINING:
        inner = part.get(keyword, [])
        if keyword == "dependentSchemas":
            inner = list(inner.values()) if inner else []
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict):
                yield from one.get("properties", {})
                yield from one.get("required", ())
                yield from _named_elsewhere(one)
                if "$ref" in one:
                    yield ""


def _begun(field: Field, part: Mapping[str, Any]) -> Field:
    """The field, beginning with the schema's default."""
    return field._replace(start=draft_of(field, part["default"])) if "default" in part else field


def draft_of(field: Field, value: Any) -> Any:
    """What a field's input holds when it shows a value."""
    match field.kind, value:
        case "group", dict():
            return {
                inner.name: draft_of(inner, value[inner.name]) if inner.name in value else inner.start
                for inner in field.fields
            }
        case "list", list() if field.item is not None:
            return [draft_of(field.item, one) for one in value]
        case "choices", list():
            return [json.dumps(one) for one in value]
        case (("choice" | "yes_no" | "json"), _):
            return "" if value is None else json.dumps(value)
        case (("group" | "list" | "choices"), _):
            return field.start
    return "" if value is None else str(value)


# From a draft to data ---------------------------------------------------------------------------------


class _Reader:
    """Reads drafts, noting at which place of the data the input of each key stands."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._not_json: dict[str, str] = {}

    def read(self, field: Field, raw: Any, way: tuple[str | int, ...], place: str) -> Any:
        """The value of an input, or of a group or list of them; ``_MISSING`` when it is left empty."""
        key = json.dumps(way, separators=(",", ":"), ensure_ascii=False)
        self._keys[place] = key
        match field.kind:
            case "group":
                return self._group(field, raw, way, place)
            case "list":
                return self._rows(field, raw, way, place)
            case "choices":
                chosen = [json.loads(option) for option, _ in field.options if option in _as_list(raw)]
                return chosen or ([] if field.is_required else _MISSING)
        text = raw if isinstance(raw, str) else ""
        if not text:
            return None if field.takes_null and field.is_required else _MISSING
        return self._value(field, text, key)

    def told(self, problems: Iterable[Problem]) -> dict[str, str]:
        """The problems by key of the input that each belongs to: the nearest one around its place."""
        told: dict[str, list[str]] = {key: [message] for key, message in self._not_json.items()}
        for problem in problems:
            key = self._keys.get(problem.place)
            message = problem.message
            if key is None:
                around = self._around(problem.place)
                key = self._keys.get(around, "[]")
                message = f"{problem.place.removeprefix(around).lstrip('.')} {message}".strip()
            if key not in self._not_json:
                told.setdefault(key, []).append(message)
        return {key: "; ".join(messages) for key, messages in told.items()}

    def _around(self, place: str) -> str:
        """The nearest place around another one that has an input."""
        around = [known for known in self._keys if place.startswith((f"{known}.", f"{known}["))]
        return max(around, key=len, default="")

    def _group(self, field: Field, raw: Any, way: tuple[str | int, ...], place: str) -> Any:
        held = raw if isinstance(raw, dict) else {}
        values = {
            inner.name: self.read(inner, held.get(inner.name), (*way, inner.name), at(place, inner.name))
            for inner in field.fields
        }
        found = {name: value for name, value in values.items() if value is not _MISSING}
        return found if found or field.is_required else _MISSING

    def _rows(self, field: Field, raw: Any, way: tuple[str | int, ...], place: str) -> Any:
        assert field.item is not None
        values: list[Any] = []
        for index, row in enumerate(_as_list(raw)):
            # A row that is left empty is none, so places and rows may differ.
            value = self.read(field.item, row, (*way, index), at(place, len(values)))
            if value is not _MISSING:
                values.append(value)
        return values if values or field.is_required else _MISSING

    def _value(self, field: Field, text: str, key: str) -> Any:
        if field.kind in ("number", "integer"):
            return _number(text)
        if field.kind not in ("choice", "yes_no", "json"):
            return text
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
            self._not_json[key] = f'must be JSON, such as {{"name": 1}}{place}'
            return _MISSING


def _as_list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _number(text: str) -> Any:
    """The number that a text spells; else the text, which the rule refuses in its own words."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) and len(text) <= 100 else text
