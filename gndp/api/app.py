"""Adds the API to an application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from gndp.api.correlation import Correlation
from gndp.api.descriptions import describe
from gndp.api.problems import add_problem_replies
from gndp.api.routes import processes, tasks
from gndp.workbench import Workbench


def add_api(app: FastAPI, workbench: Workbench) -> None:
    """Serve the API of a workbench under ``/api``, and answer every refusal with a problem."""
    app.state.workbench = workbench
    api = APIRouter(prefix="/api")
    api.include_router(processes.router)
    api.include_router(tasks.router)
    app.include_router(api)
    describe(app)
    add_problem_replies(app)
    app.add_middleware(Correlation)
