"""``/api/subscriptions``: durable subscriptions, and the events that their handlers failed at."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from gndp.api import schemas
from gndp.api.callers import Bench
from gndp.api.descriptions import answers
from gndp.api.meanings import FIELDS
from gndp.api.once import Repeatable
from gndp.api.replies import json_reply, row, rows
from gndp.api.types import Name, Sequence
from gndp.core import records
from gndp.core.states import DeliveryStatus

router = APIRouter(tags=["events"])

Subscription = schemas.described(records.Subscription, "Subscription")
Delivery = schemas.described(
    records.Delivery,
    "Delivery",
    frozenset({"subscription", "attempts", "error", "parked_at"}),
    meanings={
        "status": "retrying, behind or dead",
        "due_at": "when its handler is given it again; null for others",
    },
    status=str,
    due_at=datetime | None,
    event=schemas.Event,
)
_Name = Annotated[Name, Path(description="the name of the subscription")]


class Which(schemas.Body):
    """Which of the dead events."""

    seqs: list[Sequence] | None = schemas.given(None, name="seqs", max_length=1000)


class Count(BaseModel):
    """How many events it was done to."""

    count: int = Field(description="how many events it was done to")


@router.get("/subscriptions", responses=answers(list[Subscription]))  # type: ignore[valid-type]
def list_subscriptions(bench: Bench) -> Response:
    """Every durable subscription: who reads it, and how far it has come."""
    return json_reply(rows(bench.events.subscriptions()))


@router.get("/deliveries", responses=answers(list[Delivery], 404, 422))  # type: ignore[valid-type]
def list_deliveries(
    bench: Bench,
    name: Annotated[Name | None, Query(description="only those of this subscription")] = None,
    status: Annotated[DeliveryStatus | None, Query(description="only those that stand like this")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description=FIELDS["limit"])] = 100,
) -> Response:
    """Events that durable subscriptions have passed without their being handled, oldest first; those whose
    status is dead are the dead letters."""
    parked = bench.events.parked(name, status=status, limit=limit)
    return json_reply([{**row(delivery), "event": row(delivery.event)} for delivery in parked])


@router.post("/subscriptions/{name}/replay", responses=answers(Count, 404, 422))
def replay_dead_events(bench: Bench, once: Repeatable, name: _Name, body: Which) -> Response:
    """Give dead events to the handler of a subscription again."""
    return once(body, lambda: {"count": bench.events.replay(name, body.seqs)})


@router.post("/subscriptions/{name}/discard", responses=answers(Count, 404, 422))
def discard_dead_events(bench: Bench, once: Repeatable, name: _Name, body: Which) -> Response:
    """Give dead events of a subscription up for good."""
    return once(body, lambda: {"count": bench.events.discard(name, body.seqs)})


@router.delete("/subscriptions/{name}", responses=answers(Count, 404, 422))
def remove_subscription(bench: Bench, name: _Name) -> Response:
    """Remove a subscription with its position and what is parked."""
    bench.events.unsubscribe(name)
    return json_reply({"count": 1})
