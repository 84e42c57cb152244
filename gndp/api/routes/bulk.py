"""``/api/bulk``: one verb for many items."""

from __future__ import annotations

from fastapi import APIRouter

from gndp.api import schemas
from gndp.api.bulk import add_bulk
from gndp.api.routes import processes, tasks

router = APIRouter(prefix="/bulk", tags=["bulk"])

add_bulk(
    router,
    "processes",
    schemas.Process,
    {
        **processes.VERBS,
        "suspend": (schemas.WithReason, "Pause a running process."),
        "resume": (schemas.ByPerson, "Go on with a suspended process."),
        "update": (schemas.UpdateProcess, "Change what is given."),
    },
)
add_bulk(
    router,
    "tasks",
    schemas.Task,
    {**tasks.VERBS, "update": (schemas.UpdateTask, "Change what is given.")},
)
