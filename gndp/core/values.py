"""Values at the edge: which texts, JSON values, instants and ids the engine accepts.

Every text and JSON argument of a command passes `validate_texts` before anything else looks at it, every
instant `require_aware`, every id `parse_id`. What they let through, PostgreSQL can store and every face
can send out again; what they refuse would otherwise come back as a fault of the database.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gndp.core.errors import Invalid, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_DEPTH = 32
"""How many lists and objects may lie inside each other."""

MAX_PROBLEMS = 500
"""How many problems of one input are listed; more are only mentioned."""

_LEAST_INTEGER, _MOST_INTEGER = -(2**63), 2**64 - 1
_UUID_FORM = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")


def at(place: str, key: object) -> str:
    """The place of ``key`` within ``place``: ``steps`` and 2 make ``steps[2]``, ``a`` and ``b`` make ``a.b``.

    A key that is no plain word is quoted (``a['two words']``) and cut when it is long.
    """
    if type(key) is int:
        return f"{place}[{key}]"
    if isinstance(key, str) and len(key) <= 100 and _PLAIN_KEY.fullmatch(key):
        return f"{place}.{key}" if place else key
    return f"{place}[{shown(key)}]"


def shown(value: object, limit: int = 60) -> str:
    """``value`` as a message may quote it: one line, at most ``limit`` characters, nothing unprintable."""
    if isinstance(value, str):
        text = repr(value[: limit + 1])
    elif isinstance(value, dict):
        text = f"an object of {len(value)}"
    elif isinstance(value, list | tuple | set | frozenset):
        text = f"a list of {len(value)}"
    elif isinstance(value, int) and not _LEAST_INTEGER <= value <= _MOST_INTEGER:
        text = "a very large number"
    elif value is None or isinstance(value, int | float | UUID):
        text = str(value)
    else:
        text = f"a {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def bounded(problems: Iterable[Problem]) -> list[Problem]:
    """The distinct ``problems`` in their order, at most `MAX_PROBLEMS` and a word that there are more."""
    found: dict[Problem, None] = {}
    for problem in problems:
        found[problem] = None
        if len(found) > MAX_PROBLEMS:
            return [*list(found)[:MAX_PROBLEMS], Problem("", "there are more problems than these")]
    return list(found)


def validate_texts(value: Any, place: str) -> list[Problem]:
    """What in ``value`` cannot be stored as JSON; ``place`` is the name of the argument.

    Problems are NUL characters and lone surrogates in texts and keys, numbers that are not finite or beyond
    64 bits, keys that are not texts, types that JSON has not (also subclasses of float, such as NumPy's),
    and nesting deeper than `MAX_DEPTH`. Lists and objects are searched to their ends.
    """
    return [] if _is_clean(value, MAX_DEPTH) else bounded(_faults(value, place, MAX_DEPTH))


def require_aware(instant: datetime, place: str) -> datetime:
    """``instant`` in UTC, as a plain ``datetime``; ``place`` is the name of the argument.

    Raises Invalid for anything but a datetime, for a naive one, and for one beyond the years 1 to 9999.
    """
    if not isinstance(instant, datetime):
        raise Invalid(Problem(place, f"must be a datetime with a time zone, not {type(instant).__name__}"))
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise Invalid(Problem(place, "has no time zone; an instant must say its offset, such as +00:00"))
    try:
        utc = instant.astimezone(UTC)
    except OverflowError:
        raise Invalid(Problem(place, "is outside the years 1 to 9999 in UTC")) from None
    if type(utc) is datetime:
        return utc
    # pandas.Timestamp and its like: the engine compares and stores plain datetimes only.
    return datetime(
        utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, UTC, fold=utc.fold
    )


def parse_id(value: UUID | str, place: str) -> UUID:
    """The id that ``value`` is or spells (32 hexadecimal digits, with the usual hyphens or none).

    Raises Invalid for anything else; ``place`` is the name of the argument.
    """
    if isinstance(value, UUID):
        return value
    if isinstance(value, str) and _UUID_FORM.fullmatch(value):
        return UUID(value)
    raise Invalid(Problem(place, f"is not a UUID: {shown(value)}"))


def _is_clean(value: Any, depth: int) -> bool:
    """Whether ``value`` has none of the faults: the quick answer, without places, for the ordinary case."""
    kind = type(value)
    if kind is str:
        return "\0" not in value and (value.isascii() or not _has_surrogate(value))
    if value is None or kind is bool:
        return True
    if kind is int:
        return bool(_LEAST_INTEGER <= value <= _MOST_INTEGER)
    if kind is float:
        return math.isfinite(value)
    if kind is dict and depth > 0:
        for key, item in value.items():
            if type(key) is not str or not _is_clean(key, 0) or not _is_clean(item, depth - 1):
                return False
        return True
    if kind is list and depth > 0:
        return all(_is_clean(item, depth - 1) for item in value)
    return False


def _faults(value: Any, place: str, depth: int) -> Iterator[Problem]:
    """Every fault in ``value`` with its place: the thorough answer."""
    if isinstance(value, str):
        yield from _text_faults(value, place)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if not _LEAST_INTEGER <= value <= _MOST_INTEGER:
            yield Problem(place, "is a number beyond 64 bits")
    elif type(value) is float:
        if not math.isfinite(value):
            yield Problem(place, f"is not a finite number: {value}")
    elif isinstance(value, dict | list):
        yield from _container_faults(value, place, depth)
    else:
        yield Problem(place, f"is not a JSON value: {type(value).__name__}")


def _container_faults(value: dict[Any, Any] | list[Any], place: str, depth: int) -> Iterator[Problem]:
    if depth == 0:
        yield Problem(place, f"is nested deeper than {MAX_DEPTH} levels")
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, at(place, index), depth - 1)
        return
    for key, item in value.items():
        inner = at(place, key)
        if type(key) is str:
            yield from _text_faults(key, inner, "its key ")
        else:
            yield Problem(inner, f"its key is not a text: {type(key).__name__}")
        yield from _faults(item, inner, depth - 1)


def _text_faults(text: str, place: str, subject: str = "") -> Iterator[Problem]:
    if "\0" in text:
        yield Problem(place, f"{subject}has a NUL character (at {text.index(chr(0))})")
    if _has_surrogate(text):
        position = next(i for i, character in enumerate(text) if "\ud800" <= character <= "\udfff")
        yield Problem(place, f"{subject}has half of a surrogate pair (at {position})")


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
