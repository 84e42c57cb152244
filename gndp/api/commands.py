"""``POST …/{id}/<verb>``: a command on one item, as every noun has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from gndp.api import schemas
from gndp.api.callers import Bench, Common, ItemId
from gndp.api.descriptions import answers
from gndp.api.replies import item_reply


def add_commands(
    router: APIRouter, noun: str, answer: Any, verbs: Mapping[str, tuple[type[schemas.Body], str]]
) -> None:
    """An endpoint for each of some verbs of ``wb.<noun>``; it answers with the item.

    ``verbs`` has the body of each, and what it means.
    """
    for verb, (body_type, meaning) in verbs.items():
        endpoint = _endpoint(noun, verb)
        endpoint.__name__, endpoint.__doc__ = f"{verb}_{noun}", meaning
        endpoint.__annotations__["body"] = body_type
        router.post(f"/{{id}}/{verb}", responses=answers(answer, 404, 409, 412, 422))(endpoint)


def _endpoint(noun: str, verb: str) -> Callable[..., Response]:
    def endpoint(request: Request, bench: Bench, common: Common, id: ItemId, body: Any) -> Response:
        command = getattr(getattr(bench, noun), verb)
        return item_reply(request, command(id, **body.model_dump(), **common))

    return endpoint
