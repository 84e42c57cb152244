"""Adds the API to an application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi_swagger import patch_fastapi

from gndp.api.descriptions import describe
from gndp.api.limits import Limits
from gndp.api.problems import add_problem_replies
from gndp.api.rates import RateLimits, Rates
from gndp.api.routes import (
    accounts,
    authentication,
    bulk,
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
from gndp.settings import Settings
from gndp.workbench import Workbench

_DOCS = {"tryItOutEnabled": True, "filter": True, "displayRequestDuration": True, "docExpansion": "none"}
_ROUTERS = (
    *(authentication.router, processes.router, tasks.router, tasks.batches, bulk.router),
    *(definitions.router, definitions.validation, sla.router, calendars.router, directory.router),
    *(events.router, subscriptions.router, jobs.router, accounts.router),
)


def add_api(
    app: FastAPI,
    workbench: Workbench,
    needs_authentication: bool,
    settings: Settings,
    sign_in_only: bool = False,
) -> None:
    """Serve the API of a workbench under ``/api`` and its description for people under ``/docs``, or only
    what a browser signs in with, and answer every refusal with a problem."""
    app.state.workbench = workbench
    app.state.needs_authentication = needs_authentication
    app.state.needs_if_match = settings.require_if_match == "on"
    app.state.rates = Rates(settings.rate_limit, settings.sign_in_rate_limit, needs_authentication)
    api = APIRouter(prefix="/api")
    for router in (authentication.router,) if sign_in_only else _ROUTERS:
        api.include_router(router)
    app.include_router(api)
    if not sign_in_only:
        patch_fastapi(app, redirect_from_root_to_docs=False, swagger_ui_parameters=_DOCS)
    describe(app)
    add_problem_replies(app)
    app.add_middleware(Limits, body_timeout=settings.body_timeout_seconds)
    app.add_middleware(RateLimits, rates=app.state.rates)
