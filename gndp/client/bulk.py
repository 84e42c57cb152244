"""One verb for many items, with what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from gndp.client.refusals import error_of
from gndp.client.replies import Record, record
from gndp.client.transport import Transport
from gndp.core.errors import GndpError
from gndp.core.records import Process, Task
from gndp.core.values import parse_id

Item = TypeVar("Item", Process, Task)
Chosen = UUID | str | tuple[UUID | str, int]
"""An item by its id, or by its id and the version that it must still have."""


class BulkResult(NamedTuple, Generic[Item]):
    """What became of one item: ``item`` as it is now, or the ``error`` that says why it was refused."""

    id: UUID
    item: Item | None
    error: GndpError | None


class BulkResults(NamedTuple, Generic[Item]):
    """What became of each item, in the order given; how many were ``done``, and how many ``refused``."""

    results: list[BulkResult[Item]]
    done: int
    refused: int


def bulk(
    transport: Transport,
    noun: str,
    kind: type[Item],
    verb: str,
    items: Iterable[Chosen],
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
) -> BulkResults[Item]:
    """Do a verb to each of up to 500 items, each in a transaction of its own."""
    named = {name: value for name, value in arguments.items() if value is not None}
    body = {"verb": verb, "arguments": named, "items": [_item(chosen) for chosen in items]}
    answer = transport.command("POST", f"/bulk/{noun}", body, options=options)
    results = [_result(kind, result) for result in answer["results"]]
    return BulkResults(results, answer["done"], answer["refused"])


def _item(chosen: Chosen) -> dict[str, Any]:
    id, version = chosen if isinstance(chosen, tuple) else (chosen, None)
    return {"id": parse_id(id, "id"), "version": version}


def _result(kind: type[Record], result: Mapping[str, Any]) -> Any:
    refused = result["problem"] is not None
    return BulkResult(
        UUID(result["id"]),
        None if refused else record(kind, result["item"]),
        error_of(result["status"], result["problem"]) if refused else None,
    )
