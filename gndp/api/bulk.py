"""``POST /api/bulk/<noun>``: one verb for many items, each a command of its own with a result of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response
from pydantic import Field, create_model

from gndp.api import schemas
from gndp.api.callers import Bench, Creating, require_precondition
from gndp.api.descriptions import answers
from gndp.api.problems import Problem, problem_of
from gndp.api.replies import json_reply, row
from gndp.api.types import Count
from gndp.core.errors import GndpError

MOST_ITEMS = 500
"""How many items one request may name."""


class BulkItem(schemas.Body):
    """One of the items."""

    id: UUID = Field(description="its id", examples=["01a211c1-c552-7642-b48c-fa1ae01e586f"])
    version: Count | None = Field(
        None, ge=0, le=2**31 - 1, description="the version that it must still have; null for any"
    )


def add_bulk(
    router: APIRouter, noun: str, answer: Any, verbs: Mapping[str, tuple[type[schemas.Body], str]]
) -> None:
    """An endpoint that does one of some verbs of ``wb.<noun>`` to many items.

    Each item is a transaction of its own: one that is refused stops none of the others.
    """
    name = noun.capitalize()
    bodies = [_body_of(name, verb, arguments, meaning) for verb, (arguments, meaning) in verbs.items()]
    any_body: Any = reduce(or_, bodies)
    body_type = Annotated[any_body, Body(discriminator="verb")]
    result_type = create_model(
        f"Bulk{name}Result",
        __doc__="What became of one item.",
        id=(UUID, Field(description="its id")),
        status=(int, Field(description="the status code that the command alone would have had")),
        item=(answer | None, Field(description="the item as it is now; null when it was refused")),
        problem=(Problem | None, Field(description="why it was refused; null when it was not")),
    )
    page_type = create_model(
        f"Bulk{name}Results",
        __doc__="What became of each item, in the order of the request.",
        results=(list[result_type], Field(description="one result for each item")),  # type: ignore[valid-type]
        done=(int, Field(description="how many were done")),
        refused=(int, Field(description="how many were refused")),
    )

    def bulk(request: Request, bench: Bench, creating: Creating, body: Any) -> Response:
        """Do one thing to many items. Each is a command of its own; the reply says what became of each."""
        require_precondition(request, all(item.version is not None for item in body.items))
        given = body.arguments.model_dump()
        command = getattr(getattr(bench, noun), body.verb)
        results = [_done(request, command, item, given, creating) for item in _distinct(body.items)]
        done = sum(result["problem"] is None for result in results)
        return json_reply({"results": results, "done": done, "refused": len(results) - done})

    bulk.__name__ = f"bulk_{noun}"
    bulk.__annotations__["body"] = body_type
    router.post(f"/{noun}", responses=answers(page_type, 422, 428))(bulk)


def _body_of(noun: str, verb: str, arguments: type[schemas.Body], meaning: str) -> Any:
    this_verb: Any = Literal.__getitem__(verb)
    needs_arguments = any(field.is_required() for field in arguments.model_fields.values())
    said = Field(description="the body that the verb has for one item")
    return create_model(
        f"Bulk{noun}{verb.title().replace('_', '')}",
        __base__=schemas.Body,
        __doc__=meaning,
        verb=(this_verb, Field(description="what is done to each of them")),
        arguments=(
            arguments,
            said if needs_arguments else Field(default_factory=arguments, description=said.description),
        ),
        items=(
            list[BulkItem],
            Field(min_length=1, max_length=MOST_ITEMS, description="the items, each once"),
        ),
    )


def _distinct(items: list[BulkItem]) -> list[BulkItem]:
    return list({item.id: item for item in items}.values())


def _done(
    request: Request, command: Any, item: BulkItem, given: dict[str, Any], creating: dict[str, Any]
) -> dict[str, Any]:
    common = {
        "correlation_id": creating["correlation_id"],
        "idempotency_key": _key(creating["idempotency_key"], item.id),
        "expected_version": item.version,
    }
    result: dict[str, Any] = {"id": item.id, "status": 200, "item": None, "problem": None}
    try:
        result["item"] = row(command(item.id, **given, **common))
    except GndpError as error:
        result["problem"], _ = problem_of(request, error)
        result["status"] = result["problem"]["status"]
    return result


def _key(key: str | None, id: UUID) -> str | None:
    """The key of one item, so that a request that is repeated goes on where it broke off."""
    return None if key is None else hashlib.sha256(f"{key} {id}".encode()).hexdigest()
