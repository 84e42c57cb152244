"""Adds the API to an application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from gndp.api.correlation import Correlation
from gndp.api.descriptions import describe
from gndp.api.limits import Limits
from gndp.api.problems import add_problem_replies
from gndp.api.routes import (
    accounts,
    authentication,
    calendars,
    definitions,
    directory,
    events,
    jobs,
    processes,
    sla,
    subscriptions,
    tasks,
)
from gndp.workbench import Workbench

_NOUNS = (
    *(authentication, processes, tasks, definitions, sla, calendars, directory),
    *(events, subscriptions, jobs, accounts),
)


def add_api(app: FastAPI, workbench: Workbench, needs_authentication: bool) -> None:
    """Serve the API of a workbench under ``/api``, and answer every refusal with a problem."""
    app.state.workbench = workbench
    app.state.needs_authentication = needs_authentication
    api = APIRouter(prefix="/api")
    for noun in _NOUNS:
        api.include_router(noun.router)
    api.include_router(tasks.batches)
    app.include_router(api)
    describe(app)
    add_problem_replies(app)
    app.add_middleware(Limits)
    app.add_middleware(Correlation)
