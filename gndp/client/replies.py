"""What comes from the server: JSON objects as the records of ``gndp.core``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from gndp.core.errors import ServerFault
from gndp.core.records import Delivery, Event, ListedTask, LiveEvent, MyTask, Task

Record = TypeVar("Record", bound=tuple[Any, ...])
_BESIDE_A_TASK = (ListedTask, MyTask)


def record(kind: type[Record], value: Any) -> Record:
    """A JSON object as a record (a NamedTuple). Fields that a newer server has more are left out.

    Raises ServerFault for what is no such record.
    """
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    try:
        if kind in _BESIDE_A_TASK:
            value = {**value, "task": record(Task, value)}
        elif kind in (Delivery, LiveEvent):
            value = {**value, "event": record(Event, value["event"])}
        known = {name: value[name] for name in fields if name in value}
        found: Record = _adapter(kind).validate_python(known)
        return found
    except (ValidationError, TypeError, KeyError):
        # What was told may be secret, so the error does not repeat it.
        raise ServerFault(f"the server's reply is no {kind.__name__}: is it of another version?") from None


def records(kind: type[Record], values: Iterable[Any]) -> list[Record]:
    """JSON objects as records."""
    return [record(kind, value) for value in values]


@cache
def _adapter(kind: type[Record]) -> TypeAdapter[Record]:
    return TypeAdapter(kind)
