"""Answers of the workbench as replies: JSON made straight from the records, with the version as ETag."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import orjson
from fastapi import Request, Response

from gndp.core.records import ListedTask, MyTask, Task


def json_reply(value: Any, headers: dict[str, str] | None = None) -> Response:
    """Any JSON value as a reply."""
    return Response(orjson.dumps(value), headers=headers, media_type="application/json")


class Versioned(Protocol):
    """A record with a version."""

    @property
    def version(self) -> int:
        """Goes up with every change."""

    def _asdict(self) -> dict[str, Any]: ...


def item_reply(request: Request, item: Versioned) -> Response:
    """One item, with its version as its ETag; 304 without a body when the caller has this version already."""
    return tagged_reply(request, item._asdict(), f'"{item.version}"')


def tagged_reply(request: Request, value: Any, etag: str) -> Response:
    """A JSON value with its ETag; 304 without a body when the caller has it already."""
    if request.method == "GET" and etag in request.headers.get("If-None-Match", "").split(", "):
        return Response(status_code=304, headers={"ETag": etag})
    return json_reply(value, {"ETag": etag})


def rows(records: Iterable[Any]) -> list[dict[str, Any]]:
    """Records as JSON objects."""
    return [row(record) for record in records]


def row(record: Any) -> dict[str, Any]:
    """A record as a JSON object; what stands beside a task goes into it."""
    fields: dict[str, Any] = record._asdict()
    if isinstance(record, ListedTask | MyTask):
        task: Task = fields.pop("task")
        return {**task._asdict(), **fields}
    return fields
