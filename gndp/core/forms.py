"""Forms: what a step's ``output_data`` must look like, as JSON Schema (draft 2020-12), in words for people.

A form is checked once, when its definition is published (`form_problems`); a `FormValidator` then checks
what people fill in. A form stands alone: it may refer to its own parts (``#/$defs/…``), never to another
document, so that checking it needs no file and no network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time
from fractions import Fraction
from functools import cache
from graphlib import CycleError, TopologicalSorter
from math import isfinite
from typing import Any
from urllib.parse import unquote, urlsplit

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

from gndp.core.errors import Problem
from gndp.core.values import at, bounded, shown

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The only dialect of JSON Schema that forms are written in."""

MAX_CHOICES = 12
"""How many allowed values a message lists."""

FORMATS: Mapping[str, str] = {
    "date": "must be a date such as 2024-05-31",
    "date-time": "must be an instant with its offset, such as 2024-05-31T14:30:00Z",
    "time": "must be a time of day with its offset, such as 14:30:00Z",
    "email": "must be an e-mail address",
    "uri": "must be an address such as https://example.com/page",
    "uuid": "must be a UUID such as 0190d1f4-5b7e-7c3a-9d55-6f1b2a3c4d5e",
    "ipv4": "must be an IPv4 address",
    "ipv6": "must be an IPv6 address",
    "regex": "must be a regular expression",
}
"""The formats that are checked, with the word of refusal; other formats are notes without effect."""

_CHECKER = FormatChecker(formats=("date", "uuid", "ipv4", "ipv6"))
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@.<>,;:\"()\[\]\\]+(\.[^\s@.<>,;:\"()\[\]\\]+)*")


@_CHECKER.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return bool(_INSTANT.fullmatch(value) and datetime.fromisoformat(value.upper()))


@_CHECKER.checks("time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or (
        _TIME.fullmatch(value) is not None and time.fromisoformat(value.upper()).tzinfo is not None
    )


@_CHECKER.checks("email")
def _is_email(value: object) -> bool:
    return not isinstance(value, str) or (len(value) <= 254 and _EMAIL.fullmatch(value) is not None)


@_CHECKER.checks("uri", raises=ValueError)
def _is_uri(value: object) -> bool:
    if not isinstance(value, str):
        return True
    parts = urlsplit(value)
    return bool(parts.scheme and (parts.netloc or parts.path)) and not re.search(r"\s", value)


@_CHECKER.checks("regex", raises=(re.error, OverflowError, RecursionError))
def _is_regex(value: object) -> bool:
    return not isinstance(value, str) or re.compile(value) is not None


def _multiple_of(
    validator: Draft202012Validator, step: float, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Exact in decimals: 19.99 is a multiple of 0.01, which the library's division of floats denies."""
    if validator.is_type(value, "number") and (
        not isfinite(value) or Fraction(str(value)) % Fraction(str(step))
    ):
        yield ValidationError("multipleOf")


def _property_names(
    validator: Draft202012Validator, names: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """One error at each bad name; the library puts them all at the object itself."""
    if validator.is_type(value, "object"):
        for name in value:
            if not validator.evolve(schema=names).is_valid(name):
                yield ValidationError("propertyNames", path=[name])


def _unique_items(
    validator: Draft202012Validator, wanted: bool, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """One error at each repetition, in linear time; the library compares every pair of objects."""
    if not wanted or not validator.is_type(value, "array"):
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        try:
            text = json.dumps(item, sort_keys=True)
        except (TypeError, ValueError):
            continue  # no JSON value at all: not for this rule to say
        if text in seen:
            yield ValidationError("uniqueItems", path=[index])
        seen.add(text)


def _pattern(
    validator: Draft202012Validator, pattern: str, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """``$`` means the very end, as JSON Schema has it; to Python it also means before a last line break."""
    if isinstance(value, str) and not re.search(_DOLLAR.sub(_end_of_text, pattern), value):
        yield ValidationError("pattern")


_DOLLAR = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
"""A dollar sign, or what could hide one that is meant literally: an escape or a set of characters."""


def _end_of_text(found: re.Match[str]) -> str:
    return r"\Z" if found[0] == "$" else found[0]


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "multipleOf": _multiple_of,
        "pattern": _pattern,
        "propertyNames": _property_names,
        "uniqueItems": _unique_items,
    },
)


class FormValidator:
    """Checks output data against one form; made once per step, used for every completion.

    The form must have passed `form_problems`.
    """

    def __init__(self, form: Mapping[str, Any]) -> None:
        self._validator = _Validator(form, format_checker=_CHECKER, registry=REGISTRY)

    def problems(self, output_data: Any, place: str = "output_data") -> list[Problem]:
        """Everything that is wrong with ``output_data``, in words for the person who filled it in.

        Places look like ``output_data.amount``; ``place`` names the whole. The data must have passed
        `gndp.core.values.validate_texts`.
        """
        return bounded(
            problem for error in self._validator.iter_errors(output_data) for problem in _worded(error, place)
        )


def form_problems(form: Any, place: str = "form") -> list[Problem]:
    """What is wrong with a form itself: not JSON Schema, or not able to stand alone.

    Beyond the JSON Schema of JSON Schema: references lead to a part of this form and never in a circle,
    ``type`` if given is ``object``, and there is no ``$id`` or dynamic reference.
    """
    if not isinstance(form, dict):
        return [Problem(place, "must be an object (a JSON Schema)")]
    problems = _form_language().problems(form, place)
    if problems:
        return problems
    if form.get("type", "object") != "object":
        problems.append(Problem(at(place, "type"), "must be 'object', as output_data is one"))
    if form.get("$schema", DIALECT).rstrip("#") != DIALECT:
        problems.append(Problem(at(place, "$schema"), f"must be {DIALECT}, or left out"))
    return bounded([*problems, *_reference_problems(form, place)])


@cache
def _form_language() -> FormValidator:
    return FormValidator(Draft202012Validator.META_SCHEMA)


# Words ------------------------------------------------------------------------------------------------

_TYPE_WORDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "empty",
}

_BOUND_WORDS: Mapping[str, str] = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "minProperties": "must have at least {} fields",
    "maxProperties": "must have at most {} fields",
    "minContains": "must have at least {} items of the expected kind",
    "maxContains": "must have at most {} items of the expected kind",
}

_FIXED_WORDS: Mapping[str, str] = {
    "uniqueItems": "is in the list already",
    "contains": "has no item of the expected kind",
    "propertyNames": "is not an allowed name",
    "unevaluatedProperties": "has fields that are not known",
    "unevaluatedItems": "has more items than are known",
    "not": "is not allowed",
}


_OR_ANOTHER = " (or another of the alternatives)"


def _place(place: str, path: Iterable[str | int]) -> str:
    for key in path:
        place = at(place, key)
    return place


def _worded(error: ValidationError, root: str) -> Iterator[Problem]:
    """``error`` as problems: one for each missing or unknown field, else one; ``root`` names the whole."""
    place = _place(root, error.absolute_path)
    rule = str(error.validator)
    bound: Any = error.validator_value
    value: Any = error.instance
    if rule == "required":
        for name in bound:
            if name not in value:
                yield Problem(at(place, name), "is missing")
    elif rule == "dependentRequired":
        for given, others in bound.items():
            for name in others:
                if given in value and name not in value:
                    yield Problem(at(place, name), f"is missing: it is needed beside {shown(given)}")
    elif rule == "additionalProperties":
        for name in _unknown_fields(value, error.schema):
            yield Problem(at(place, name), "is not a known field")
    elif rule in ("anyOf", "oneOf"):
        yield from _worded_alternatives(error, root)
    else:
        yield Problem(place, _words(rule, bound, value))


def _worded_alternatives(error: ValidationError, root: str) -> Iterator[Problem]:
    """The problem of the alternative that comes closest, since that is what the person meant most likely."""
    closest = best_match(error.context or [])
    if closest is None:
        place = _place(root, error.absolute_path)
        yield Problem(place, "fits more than one of the alternatives where it may fit only one")
        return
    for problem in _worded(closest, root):
        words = problem.message.removesuffix(_OR_ANOTHER)
        yield Problem(problem.place, words + _OR_ANOTHER)


def _words(rule: str, bound: Any, value: Any) -> str:
    """What the broken ``rule`` asks for."""
    if rule in _FIXED_WORDS:
        return _FIXED_WORDS[rule]
    if rule in _BOUND_WORDS:
        return _bound_words(rule, bound, value)
    if rule == "type":
        kinds = [bound] if isinstance(bound, str) else bound
        return f"must be {' or '.join(_TYPE_WORDS[kind] for kind in kinds)}, not {_kind(value)}"
    if rule == "enum":
        return f"must be one of {_choices(bound)}"
    if rule == "const":
        return f"must be {shown(bound)}"
    if rule == "pattern":
        return f"must match the pattern {bound if len(bound) <= 100 else bound[:99] + '…'}"
    if rule == "format":
        return FORMATS[bound]
    # The schema "false", for which the library does not say at which field it stands.
    return f"{shown(value)} is not allowed here"


def _bound_words(rule: str, bound: Any, value: Any) -> str:
    if rule in ("minLength", "minItems", "minProperties") and bound == 1:
        return "must not be empty"
    words = _BOUND_WORDS[rule].format(shown(bound))
    return re.sub(r"(character|item|field)s\b", r"\1", words) if bound == 1 else words


def _choices(values: list[Any]) -> str:
    listed = ", ".join(shown(value) for value in values[:MAX_CHOICES])
    return listed if len(values) <= MAX_CHOICES else f"{listed} and {len(values) - MAX_CHOICES} more"


def _kind(value: object) -> str:
    """The kind of a value in words; the order matters, as a bool is an int."""
    if value is None:
        return "empty"
    for kind, words in (
        (bool, "true or false"),
        (str, "a text"),
        (int, "a whole number"),
        (float, "a number"),
        (list, "a list"),
        (dict, "an object"),
    ):
        if isinstance(value, kind):
            return words
    return type(value).__name__


def _unknown_fields(value: Mapping[Any, Any], schema: Any) -> Iterator[Any]:
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name in value:
        if name not in known and not any(re.search(pattern, str(name)) for pattern in patterns):
            yield name


# References -------------------------------------------------------------------------------------------

_ONE_PART = (
    "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_LISTED_PARTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED_PARTS = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_SAME_VALUE = frozenset({"allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then"})
"""The keywords whose parts look at the same value: a circle through them alone would never end."""

_Path = tuple[str | int, ...]


def _parts(schema: Any) -> Iterator[_Path]:
    """The paths to the schemas directly within ``schema``."""
    if not isinstance(schema, dict):
        return
    for keyword, part in schema.items():
        if keyword in _ONE_PART:
            yield (keyword,)
        elif keyword in _LISTED_PARTS:
            yield from ((keyword, index) for index in range(len(part)))
        elif keyword in _NAMED_PARTS:
            yield from ((keyword, name) for name in part)


def _all_parts(form: Mapping[str, Any]) -> dict[_Path, Any]:
    """Every schema in ``form`` by its path, the form itself first."""
    parts: dict[_Path, Any] = {(): form}
    waiting: list[_Path] = [()]
    while waiting:
        path = waiting.pop()
        for inner in _parts(parts[path]):
            part = parts[path]
            for key in inner:
                part = part[key]
            parts[path + inner] = part
            waiting.append(path + inner)
    return parts


def _reference_problems(form: Mapping[str, Any], place: str) -> Iterator[Problem]:
    parts = _all_parts(form)
    paths = {tuple(map(str, path)): path for path in parts}
    same_value: dict[_Path, set[_Path]] = {path: set() for path in parts}
    for path, part in parts.items():
        for inner in _parts(part):
            if inner[0] in _SAME_VALUE:
                same_value[path].add(path + inner)
        if not isinstance(part, dict):
            continue
        here = _place(place, path)
        for keyword in ("$id", "$dynamicRef", "$dynamicAnchor"):
            if keyword in part:
                yield Problem(at(here, keyword), "is not supported: a form stands alone")
        if "$ref" in part:
            target = paths.get(_target(part["$ref"]))
            if target is None:
                message = (
                    f"must name a part of this form, such as '#/$defs/address', not {shown(part['$ref'])}"
                )
                yield Problem(at(here, "$ref"), message)
            else:
                same_value[path].add(target)
    try:
        TopologicalSorter(same_value).prepare()
    except CycleError as error:
        around = {_place("#", path) for path in error.args[1]}
        yield Problem(place, f"refers to itself in a circle: {', '.join(sorted(around)[:MAX_CHOICES])}")


def _target(reference: str) -> tuple[str, ...]:
    """The path that a local reference names; one that names nothing for any other reference."""
    if reference == "#":
        return ()
    if not reference.startswith("#/"):
        return ("", reference)
    tokens = unquote(reference[2:]).split("/")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens)
