"""``/api/definitions``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, Field

from gndp.api.callers import Actor, Bench, Creating, ExpectedVersion
from gndp.api.descriptions import answers
from gndp.api.problems import Place
from gndp.api.replies import item_reply, json_reply, rows
from gndp.api.schemas import described
from gndp.api.types import Name
from gndp.core import records
from gndp.core.errors import Invalid
from gndp.core.templates import parse_template

router = APIRouter(prefix="/definitions", tags=["definitions"])
validation = APIRouter(prefix="/validation", tags=["definitions"])

Definition = described(
    records.Definition,
    "Definition",
    meanings={"id": "its id, which a process names to be started from it", "version": "which version it is"},
)
_Document = Annotated[
    dict[str, Any],
    Body(
        description="the definition: docs/reference/definition.schema.json is its JSON Schema",
        examples=[{"id": "greeting", "name": "Greeting", "steps": [{"id": "greet", "name": "Greet"}]}],
    ),
]


class Verdict(BaseModel):
    """Whether a document could be published."""

    valid: bool = Field(description="whether it could be published")
    problems: list[Place] = Field(description="everything that is wrong with it; empty when nothing is")


@router.get("", responses=answers(list[Definition]))  # type: ignore[valid-type]
def list_definitions(bench: Bench) -> Response:
    """The newest version of every definition, by id."""
    return json_reply(rows(bench.definitions.list()))


@router.post("", responses=answers(Definition, 409, 412, 422))
def publish_definition(
    request: Request,
    bench: Bench,
    creating: Creating,
    expected: ExpectedVersion,
    document: _Document,
    user_id: Actor = None,
) -> Response:
    """Publish a definition as its next version; the newest one again when nothing has changed.

    `If-Match` says which version must be the newest still, "0" that there is none yet.
    """
    key = creating["idempotency_key"]
    published = bench.definitions.publish(
        document, user_id=user_id, expected_version=expected, idempotency_key=key
    )
    return item_reply(request, published)


@validation.post("/definition", responses=answers(Verdict, 422))
def validate_definition(bench: Bench, document: _Document) -> Response:
    """Say everything that is wrong with a definition, without publishing it."""
    problems: list[dict[str, str]] = []
    try:
        parse_template(document)
    except Invalid as refusal:
        problems = [{"place": problem.place, "message": problem.message} for problem in refusal.problems]
    return json_reply({"valid": not problems, "problems": problems})


@router.get("/{id}", responses=answers(Definition, 304, 404, 422))
def get_definition(
    request: Request,
    bench: Bench,
    id: Annotated[Name, Path(description="the id of the definition")],
    version: Annotated[int | None, Query(description="which version; the newest if left out", ge=1)] = None,
) -> Response:
    """One definition."""
    return item_reply(request, bench.definitions.get(id, version))
