"""``/api/sla``, and the clocks of processes and tasks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, Field

from gndp.api import schemas
from gndp.api.callers import Actor, Bench, Creating, ExpectedVersion, ItemId
from gndp.api.descriptions import answers
from gndp.api.replies import item_reply, json_reply, row, rows
from gndp.api.types import Instant, Name, Text
from gndp.core import records
from gndp.core.clocks import ClockReading

router = APIRouter(tags=["SLA"])

Policy = schemas.described(records.PublishedPolicy, "Policy", meanings={"version": "which version it is"})
_POLICY_EXAMPLE = {"name": "answer", "item": "task", "objective": "response", "target_minutes": 60}
_Document = Annotated[
    dict[str, Any],
    Body(
        description="the policy: docs/reference/policy.schema.json is its JSON Schema",
        examples=[_POLICY_EXAMPLE],
    ),
]
_Name = Annotated[Name, Path(description="the name of the policy")]
_AsOf = Annotated[Instant | None, Query(description="the instant to read them at; now if left out")]


SlaClock = schemas.described(records.SlaClock, "SlaClock")


class Clock(BaseModel):
    """An SLA clock of a process or a task, as it stood at an instant."""

    task_id: str | None = schemas.given(name="task_id")
    item_name: str = schemas.given(name="item_name")
    policy_name: str = schemas.given(name="policy_name")
    objective: str = schemas.given(name="objective")
    status: str | None = Field(description="on_track, at_risk, breached or met; null: it was called off")
    target_duration_mins: int = schemas.given(name="target_duration_mins")
    elapsed_mins: float = schemas.given(name="elapsed_mins")
    remaining_mins: float = schemas.given(name="remaining_mins")
    start_time: datetime = schemas.given(name="start_time")
    due_at: datetime = schemas.given(name="due_at")
    original_due_at: datetime = schemas.given(name="original_due_at")
    is_paused: bool = schemas.given(name="is_paused")
    end_time: datetime | None = schemas.given(name="end_time")
    ended: str | None = schemas.given(name="ended")
    warnings: int = schemas.given(name="warnings")
    escalations: int = schemas.given(name="escalations")
    next_at: datetime | None = schemas.given(name="next_at")
    clock: SlaClock = Field(description="its row as it is now")  # type: ignore[valid-type]


class Clocks(BaseModel):
    """The clocks of an item."""

    clocks: list[Clock] = schemas.given(name="clocks")


class Preview(schemas.Body):
    """A policy to be tried out."""

    policy: dict[str, Any] = Field(
        description="the policy, as it would be published", examples=[_POLICY_EXAMPLE]
    )
    opened_at: Instant = schemas.given(name="opened_at")


class Previewed(BaseModel):
    """What a clock comes to if nothing pauses or ends it."""

    opened_at: datetime = schemas.given(name="opened_at")
    due_at: datetime = schemas.given(name="due_at")
    warnings: list[datetime] = Field(description="when it would warn, in the order of the policy")
    escalations: list[datetime] = Field(description="when it would escalate, in the order of the policy")
    terms: dict[str, Any] = Field(description="what it would run by: the policy, and its calendar as it is")


class Recompute(schemas.ByPerson):
    """Why the clocks of an item are to be worked out anew."""

    reason: Text = schemas.given(name="reason", examples=["the calendar had a wrong holiday"])


@router.get("/sla/policies", responses=answers(list[Policy]))  # type: ignore[valid-type]
def list_policies(bench: Bench) -> Response:
    """The newest version of every SLA policy, by name, retired ones too."""
    return json_reply(rows(bench.sla.policies()))


@router.get("/sla/policies/{name}", responses=answers(Policy, 304, 404, 422))
def get_policy(request: Request, bench: Bench, name: _Name) -> Response:
    """The newest version of an SLA policy."""
    return item_reply(request, bench.sla.policy(name))


@router.post("/sla/policies", responses=answers(Policy, 409, 412, 422))
def publish_policy(
    request: Request,
    bench: Bench,
    creating: Creating,
    expected: ExpectedVersion,
    document: _Document,
    user_id: Actor = None,
) -> Response:
    """Publish a policy as its next version; it is for clocks that start after that.

    `If-Match` says which version must be the newest still, "0" that there is none yet.
    """
    key = creating["idempotency_key"]
    published = bench.sla.publish(document, user_id=user_id, expected_version=expected, idempotency_key=key)
    return item_reply(request, published)


@router.post("/sla/policies/{name}/retire", responses=answers(Policy, 404, 412, 422))
def retire_policy(
    request: Request,
    bench: Bench,
    creating: Creating,
    expected: ExpectedVersion,
    name: _Name,
    user_id: Actor = None,
) -> Response:
    """A policy starts no more clocks; those that run go on."""
    key = creating["idempotency_key"]
    retired = bench.sla.retire(name, user_id=user_id, expected_version=expected, idempotency_key=key)
    return item_reply(request, retired)


@router.post("/sla/preview", responses=answers(Previewed, 422))
def preview_policy(bench: Bench, body: Preview) -> Response:
    """When a clock of a policy would be due, warn and escalate, without publishing it."""
    preview = bench.sla.preview(body.policy, body.opened_at)
    return json_reply({**preview._asdict(), "terms": preview.terms.document})


@router.get("/processes/{id}/clocks", responses=answers(Clocks, 404, 422))
def process_clocks(bench: Bench, id: ItemId, as_of: _AsOf = None) -> Response:
    """The SLA clocks of a process, due soonest first, now or at any instant."""
    return json_reply({"clocks": list(map(_clock, bench.sla.clocks(process_id=id, as_of=as_of)))})


@router.get("/tasks/{id}/clocks", responses=answers(Clocks, 404, 422))
def task_clocks(bench: Bench, id: ItemId, as_of: _AsOf = None) -> Response:
    """The SLA clocks of a task, due soonest first, now or at any instant."""
    return json_reply({"clocks": list(map(_clock, bench.sla.clocks(task_id=id, as_of=as_of)))})


@router.post("/processes/{id}/recompute", responses=answers(list[SlaClock], 404, 409, 422))  # type: ignore[valid-type]
def recompute_process(bench: Bench, creating: Creating, id: ItemId, body: Recompute) -> Response:
    """Work the clocks of a process out anew, from its whole history under what is in force now."""
    return _recomputed(bench.sla.recompute(process_id=id, **body.model_dump(), **creating))


@router.post("/tasks/{id}/recompute", responses=answers(list[SlaClock], 404, 409, 422))  # type: ignore[valid-type]
def recompute_task(bench: Bench, creating: Creating, id: ItemId, body: Recompute) -> Response:
    """Work the clocks of a task out anew, from its whole history under what is in force now."""
    return _recomputed(bench.sla.recompute(task_id=id, **body.model_dump(), **creating))


def _clock(found: ClockReading) -> dict[str, Any]:
    clock, reading = found.clock, found.reading
    return {
        "task_id": clock.task_id,
        "item_name": found.item_name,
        "policy_name": clock.policy_name,
        "objective": clock.objective,
        "status": reading.status,
        "target_duration_mins": clock.target_duration_mins,
        "elapsed_mins": _minutes(reading.elapsed),
        "remaining_mins": _minutes(reading.remaining),
        "start_time": clock.start_time,
        "due_at": reading.due_at,
        "original_due_at": clock.original_due_at,
        "is_paused": reading.is_paused,
        "end_time": clock.end_time,
        "ended": clock.ended,
        "warnings": reading.warnings,
        "escalations": reading.escalations,
        "next_at": reading.next_at,
        "clock": row(clock),
    }


def _minutes(duration: timedelta) -> float:
    return duration / timedelta(minutes=1)


def _recomputed(clocks: list[records.SlaClock]) -> Response:
    return json_reply(rows(clocks))
