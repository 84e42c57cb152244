"""``/api/processes``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gndp.api import schemas
from gndp.api.callers import Actor, Bench, Common, Creating, ItemId
from gndp.api.commands import add_commands
from gndp.api.descriptions import answers
from gndp.api.filters import ProcessFilters
from gndp.api.meanings import FIELDS
from gndp.api.replies import item_reply, json_reply, row, rows
from gndp.api.types import Text
from gndp.core import records

router = APIRouter(prefix="/processes", tags=["processes"])


@router.post("", responses=answers(schemas.Process, 404, 409, 422))
def start_process(request: Request, bench: Bench, creating: Creating, body: schemas.StartProcess) -> Response:
    """Start a process; a published definition makes its tasks."""
    return item_reply(request, bench.processes.start(**body.model_dump(), **creating))


@router.get("", responses=answers(schemas.ProcessPage, 422))
def list_processes(bench: Bench, wanted: Annotated[ProcessFilters, Query()]) -> Response:
    """A page of processes, newest first unless `sort` says otherwise."""
    page = bench.processes.list(**wanted.model_dump())
    listed = [{name: getattr(one, name) for name in records.ListedProcess._fields} for one in page.processes]
    return json_reply({**page._asdict(), "processes": listed})


@router.get("/stats/summary", responses=answers(schemas.Summary))
def summary(bench: Bench) -> Response:
    """The figures of the processes created in the last 30 days."""
    return json_reply(row(bench.processes.summary()))


@router.get("/{id}", responses=answers(schemas.Process, 304, 404, 422))
def get_process(request: Request, bench: Bench, id: ItemId) -> Response:
    """One process, the whole row."""
    return item_reply(request, bench.processes.get(id))


@router.patch("/{id}", responses=answers(schemas.Process, 404, 409, 412, 422))
def update_process(
    request: Request, bench: Bench, common: Common, id: ItemId, body: schemas.UpdateProcess
) -> Response:
    """Change priority, due date, tags or variables."""
    return item_reply(request, bench.processes.update(id, **body.model_dump(), **common))


@router.put("/{id}/status", responses=answers(schemas.Process, 404, 409, 412, 422))
def update_process_status(
    request: Request, bench: Bench, common: Common, id: ItemId, body: schemas.UpdateStatus
) -> Response:
    """The command that leads to a status."""
    return item_reply(request, bench.processes.update_status(id, **body.model_dump(), **common))


@router.post("/{id}/suspend", responses=answers(schemas.Process, 404, 409, 412, 422))
def suspend_process(
    request: Request,
    bench: Bench,
    common: Common,
    id: ItemId,
    reason: Annotated[Text, Query(description=FIELDS["reason"])],
    user_id: Actor = None,
) -> Response:
    """Pause a running process: nothing in it accepts work until it is resumed."""
    return item_reply(request, bench.processes.suspend(id, reason=reason, user_id=user_id, **common))


@router.post("/{id}/resume", responses=answers(schemas.Process, 404, 409, 412, 422))
def resume_process(
    request: Request,
    bench: Bench,
    common: Common,
    id: ItemId,
    user_id: Actor = None,
) -> Response:
    """Go on with a suspended process."""
    return item_reply(request, bench.processes.resume(id, user_id=user_id, **common))


@router.get("/{id}/events", responses=answers(list[schemas.Event], 404, 422))  # type: ignore[valid-type]
def process_events(
    bench: Bench,
    id: ItemId,
    limit: Annotated[int, Query(ge=1, le=500, description=FIELDS["limit"])] = 100,
) -> Response:
    """What happened in a process, newest first."""
    return json_reply(rows(bench.processes.events(id, limit=limit)))


@router.get("/{id}/timeline", responses=answers(schemas.Timeline, 404, 422))
def timeline(bench: Bench, id: ItemId) -> Response:
    """Where a process and each of its tasks stood, from when until when: what a Gantt chart is drawn from."""
    return json_reply({"stretches": rows(bench.processes.timeline(id))})


@router.get("/{id}/children", responses=answers(list[schemas.Process], 404, 422))  # type: ignore[valid-type]
def children(bench: Bench, id: ItemId) -> Response:
    """The parts of a process, oldest first."""
    return json_reply(rows(bench.processes.children(id)))


VERBS: dict[str, tuple[type[schemas.Body], str]] = {
    "complete": (schemas.WithOutput, "Complete a running process by hand."),
    "fail": (schemas.WithError, "Give a running process up."),
    "cancel": (schemas.WithReason, "Call a process off, with its open tasks and its children."),
    "retry": (schemas.ByPerson, "Run a failed process again, with all its failed tasks."),
    "comment": (schemas.Comment, "Say something about a process; it is kept as an event."),
}
add_commands(router, "processes", schemas.Process, VERBS)
