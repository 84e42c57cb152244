"""What a list is asked for: its filters, its sort, and the cursor that goes on behind a page.

A cursor is text that fits into a URL: where the last row of a page stands in the order, and how large the
list was when its first page was read. It is sealed with a digest over the list's filters and sort, so that a
cursor that was cut, changed or brought to another list is told from a good one. The digest is no secret:
whoever forges a cursor gets a page of a list that they may read anyway, from another place on.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gndp.core import arguments
from gndp.core.errors import Invalid, Problem
from gndp.core.states import Priority, ProcessStatus, SlaStatus, TaskStatus
from gndp.core.values import require_aware

MAX_OFFSET = 10_000
"""How many rows an offset may skip; a cursor goes on beyond."""

MAX_WORDS = 10
"""How many different words a search may have: each is looked up by itself."""

_MAX_CURSOR = 8_000
_SEAL_LENGTH = 12


class Noun(NamedTuple):
    """What is listed: ``name`` in the plural, the enumeration of its statuses, and the column of its name."""

    name: str
    statuses: type[StrEnum]
    name_column: str

    @property
    def sorts(self) -> dict[str, tuple[str, ...]]:
        """The columns that each sort goes by, the first one first."""
        sorts = {
            "created_at": ("created_at", "id"),
            "due_date": ("due_date", "id"),
            "priority": ("priority", "created_at", "id"),
            "name": (self.name_column, "id"),
            "status": ("status", "created_at", "id"),
        }
        return {**sorts, "position": ("position", "id")} if self is TASKS else sorts


PROCESSES = Noun("processes", ProcessStatus, "process_name")
TASKS = Noun("tasks", TaskStatus, "task_name")


class Sort(NamedTuple):
    """An order of a list: the name of the sort, and whether it is turned round."""

    name: str
    is_descending: bool

    def __str__(self) -> str:
        return f"-{self.name}" if self.is_descending else self.name


class Position(NamedTuple):
    """Where a page ended: the values of the sort's columns in its last row; and the list's size, as the first
    page told it."""

    values: tuple[Any, ...]
    total: int
    total_is_estimate: bool


class Listing(NamedTuple):
    """A page that is asked for. ``filters`` holds what is given, by column or by name of the filter;
    ``after`` is where the page before ended, None for a page that ``offset`` finds."""

    noun: Noun
    filters: dict[str, Any]
    sort: Sort
    limit: int
    offset: int
    after: Position | None

    def position(self, row: Any, total: int, total_is_estimate: bool) -> str:
        """The cursor that goes on behind a row, which has the columns as attributes."""
        columns = self.noun.sorts[self.sort.name]
        values = tuple(getattr(row, column) for column in columns)
        return _sealed(self, Position(values, total, total_is_estimate))


def listing(
    noun: Noun,
    filters: Mapping[str, Any],
    *,
    sort: str | None,
    default: str,
    limit: Any,
    offset: Any,
    cursor: str | None,
) -> Listing:
    """What is asked for, checked; filters that are None do not apply."""
    limit = arguments.whole_number(limit, "limit", least=1, most=100)
    offset = arguments.whole_number(offset, "offset", least=0)
    if offset > MAX_OFFSET:
        raise Invalid(Problem("offset", f"must be at most {MAX_OFFSET:,}; next_cursor goes on beyond"))
    given = {name: value for name, value in filters.items() if value is not None}
    order = _sort(noun, default if sort is None else sort)
    if order.name == "position" and "process_instance_id" not in given:
        raise Invalid(Problem("sort", "position orders the tasks of one process: it needs process_id"))
    asked = Listing(noun, given, order, limit, offset, None)
    if cursor is None:
        return asked
    if offset:
        raise Invalid(Problem("offset", "does not go with a cursor"))
    return asked._replace(after=_opened(asked, cursor))


def statuses(noun: Noun, value: str | Sequence[str] | None) -> list[str] | None:
    """One status or several, in the order of a life, each once; None for any."""
    return members(noun.statuses, value, "status")


def priorities(value: str | Sequence[str] | None) -> list[str] | None:
    """One priority or several; None for any."""
    return members(Priority, value, "priority")


def sla_statuses(value: str | Sequence[str] | None) -> list[str] | None:
    """One SLA status or several; None for any."""
    return members(SlaStatus, value, "sla_status")


def members(kind: type[StrEnum], value: str | Sequence[str] | None, place: str) -> list[str] | None:
    """One member of an enumeration or several, in the enumeration's order, each once; None for any."""
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [arguments.member(kind, value, place)]
    if not value:
        raise Invalid(Problem(place, "names none: leave it out to have any"))
    given = {arguments.member(kind, item, f"{place}[{index}]") for index, item in enumerate(value)}
    return [str(member) for member in kind if member in given]


def tags(value: Sequence[str] | None) -> list[str] | None:
    """The tags that an item must have, all of them; None when none is asked for."""
    return sorted(set(arguments.names(value, "tags"))) or None


def search(value: str | None) -> str | None:
    """What is searched for, or None."""
    text = arguments.optional_name(value, "search")
    if text is not None and len(_words(text)) > MAX_WORDS:
        raise Invalid(Problem("search", f"has more than {MAX_WORDS} different words"))
    return text


def _words(text: str) -> set[str]:
    parted = "".join(character if character.isalnum() else " " for character in text.lower())
    return set(parted.split())


def _sort(noun: Noun, value: Any) -> Sort:
    name = value.removeprefix("-") if isinstance(value, str) else value
    if not isinstance(name, str) or name not in noun.sorts:
        known = ", ".join(noun.sorts)
        raise Invalid(Problem("sort", f"must be one of {known}, with - in front to turn it round"))
    return Sort(name, value.startswith("-"))


def _sealed(asked: Listing, position: Position) -> str:
    content = orjson.dumps([list(position.values), position.total, position.total_is_estimate])
    return base64.urlsafe_b64encode(_seal(asked, content) + content).rstrip(b"=").decode()


def _seal(asked: Listing, content: bytes) -> bytes:
    bound = orjson.dumps([asked.noun.name, str(asked.sort), asked.filters], option=orjson.OPT_SORT_KEYS)
    return blake2b(bound + b"\0" + content, digest_size=_SEAL_LENGTH).digest()


def _opened(asked: Listing, cursor: Any) -> Position:
    refusal = Invalid(Problem("cursor", "is not a next_cursor of this list with these filters and this sort"))
    if not isinstance(cursor, str) or len(cursor) > _MAX_CURSOR:
        raise refusal
    try:
        whole = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise refusal from None
    content = whole[_SEAL_LENGTH:]
    if whole[:_SEAL_LENGTH] != _seal(asked, content) or _sealed_text(whole) != cursor:
        raise refusal
    try:
        values, total, is_estimate = orjson.loads(content)
        columns = asked.noun.sorts[asked.sort.name]
        read = tuple(_value(asked.noun, column, value) for column, value in zip(columns, values, strict=True))
        arguments.whole_number(total, "cursor", least=0, most=2**63 - 1)
        arguments.flag(is_estimate, "cursor")
    except (ValueError, TypeError, Invalid):
        raise refusal from None
    return Position(read, total, is_estimate)


def _sealed_text(whole: bytes) -> str:
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def _value(noun: Noun, column: str, value: Any) -> Any:
    """A value of a cursor as the column has it; ValueError, TypeError or Invalid when it has no such
    value."""
    if value is None and column == "due_date":
        return None
    match column:
        case "id":
            return UUID(value)
        case "created_at" | "due_date":
            return require_aware(datetime.fromisoformat(value), column)
        case "priority":
            return arguments.priority(value)
        case "status":
            return arguments.member(noun.statuses, value, column)
        case "position":
            return arguments.whole_number(value, column, least=0)
        case _:
            return arguments.name(value, column)
