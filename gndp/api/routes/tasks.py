"""``/api/tasks``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from gndp.api import schemas
from gndp.api.callers import Bench, Common, Creating, ItemId
from gndp.api.commands import add_commands
from gndp.api.descriptions import answers
from gndp.api.filters import TaskFilters
from gndp.api.meanings import FIELDS
from gndp.api.replies import item_reply, json_reply, rows
from gndp.api.types import Name

router = APIRouter(prefix="/tasks", tags=["tasks"])
batches = APIRouter(prefix="/bulk", tags=["tasks"])


@router.post("", responses=answers(schemas.Task, 404, 409, 422))
def create_task(request: Request, bench: Bench, creating: Creating, body: schemas.CreateTask) -> Response:
    """Add a task to a pending or running process."""
    given = body.model_dump(exclude_unset=True)
    return item_reply(request, bench.tasks.create(**given, **creating))


@batches.post("/new-tasks", responses=answers(list[schemas.Task], 404, 409, 422))  # type: ignore[valid-type]
def create_tasks(bench: Bench, creating: Creating, body: schemas.CreateTasks) -> Response:
    """Add many tasks in one transaction."""
    given = [task.model_dump(exclude_unset=True) for task in body.specifications]
    return json_reply(rows(bench.tasks.create_many(given, user_id=body.user_id, **creating)))


@router.get("", responses=answers(schemas.TaskPage, 422))
def list_tasks(bench: Bench, wanted: Annotated[TaskFilters, Query()]) -> Response:
    """A page of tasks: the steps of one process in their order, else newest first, unless `sort` says."""
    page = bench.tasks.list(**wanted.model_dump())
    return json_reply({**page._asdict(), "tasks": rows(page.tasks)})


@router.get("/my-tasks/{user_id}", responses=answers(list[schemas.MyTask], 422))  # type: ignore[valid-type]
def my_tasks(
    bench: Bench,
    user_id: Annotated[Name, Path(description=FIELDS["user_id"])],
    limit: Annotated[int, Query(ge=1, le=1000, description=FIELDS["limit"])] = 1000,
) -> Response:
    """What a person has, due soonest first, then the most urgent."""
    return json_reply(rows(bench.tasks.mine(user_id, limit=limit)))


@router.get("/stats/assignment", responses=answers(schemas.AssignmentStats, 422))
def assignment_stats(
    bench: Bench, team: Annotated[Name | None, Query(description=FIELDS["team"])] = None
) -> Response:
    """How the assignments of the last 7 days were made, and who has work."""
    stats = bench.tasks.assignment_stats(team)
    return json_reply({**stats._asdict(), "user_workloads": rows(stats.user_workloads)})


@router.get("/stats/workload", responses=answers(schemas.WorkloadStats))
def workload(bench: Bench) -> Response:
    """What everybody has now, most loaded first."""
    return json_reply({"user_workloads": rows(bench.tasks.workload())})


@router.get("/{id}", responses=answers(schemas.Task, 304, 404, 422))
def get_task(request: Request, bench: Bench, id: ItemId) -> Response:
    """One task, the whole row."""
    return item_reply(request, bench.tasks.get(id))


@router.get("/{id}/assignment", responses=answers(schemas.AssignmentExplanation, 404, 409, 422))
def explain_assignment(bench: Bench, id: ItemId) -> Response:
    """Why somebody has a task, or nobody has it: who was considered, with which score, who was left out."""
    explained = bench.tasks.explain_assignment(id)
    return json_reply({**explained._asdict(), "considered": rows(explained.considered)})


@router.patch("/{id}", responses=answers(schemas.Task, 404, 409, 412, 422))
def update_task(
    request: Request, bench: Bench, common: Common, id: ItemId, body: schemas.UpdateTask
) -> Response:
    """Change priority, due date, tags or notes."""
    return item_reply(request, bench.tasks.update(id, **body.model_dump(), **common))


VERBS: dict[str, tuple[type[schemas.Body], str]] = {
    "assign": (schemas.AssignTask, "Give a task to a person, or into a team's queue."),
    "claim": (schemas.ByPerson, "Take a task that nobody has."),
    "release": (schemas.ByPerson, "Give a task back."),
    "start": (schemas.ByPerson, "Begin to work on a task."),
    "complete": (schemas.WithOutput, "The task is done; the tasks that waited for it may be ready now."),
    "fail": (schemas.FailTask, "The work failed: again while retries are left, else for good."),
    "skip": (schemas.WithReason, "Leave a task out; it counts as done."),
    "cancel": (schemas.CancelTask, "Call a task off."),
    "retry": (schemas.ByPerson, "A failed task is to be done again."),
    "reassign": (schemas.ReassignTask, "Give a task to somebody else."),
    "wait": (schemas.WaitForSomething, "The work on a task waits for something."),
    "resume": (schemas.ByPerson, "Go on with a task that waited."),
    "comment": (schemas.Comment, "Say something about a task; it is kept as an event."),
}
add_commands(router, "tasks", schemas.Task, VERBS)
