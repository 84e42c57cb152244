"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

import time
from hashlib import sha256

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from gndp.access.entrance import principal_of
from gndp.api.callers import identity_of
from gndp.core.errors import DatabaseMismatch, DatabaseUnavailable
from gndp.operations.latest import Latest
from gndp.operations.metrics import Metrics
from gndp.operations.readiness import checks
from gndp.store.health import DatabaseState
from gndp.workbench import Workbench

_STATE_SECONDS, _STATE_PATIENCE = 1.0, 2.0
_FIGURES_SECONDS, _FIGURES_PATIENCE = 5.0, 5.0

PROVEN_SECONDS = 3600.0
"""How long a caller of ``/metrics`` is let in without a database to ask, after it was last asked about
them."""


def add_probes(app: FastAPI, workbench: Workbench, needs_authentication: bool) -> Metrics:
    """Serve the probes, which are open to all, and the metrics; the answer counts what there is to count."""
    state = Latest(workbench.health.state, _STATE_SECONDS, _STATE_PATIENCE)
    figures = Latest(workbench.health.figures, _FIGURES_SECONDS, _FIGURES_PATIENCE)
    metrics = Metrics(workbench.health.pool, state, figures)
    workbench.count_with(metrics.count_events, metrics.count_run)
    scrapers = _Scrapers(workbench, state) if needs_authentication else None

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        # Asynchronous, for it must not wait for a thread that is free.
        return JSONResponse({"status": "ok"})

    @app.get("/readyz")
    def readyz() -> JSONResponse:
        found = checks(state, workbench.jobs.are_started)
        is_ready = all(check.ok for check in found.values())
        said = {
            "status": "ready" if is_ready else "not ready",
            "checks": {name: check._asdict() for name, check in found.items()},
        }
        return JSONResponse(said, status_code=200 if is_ready else 503)

    @app.get("/metrics")
    def exposition(request: Request) -> Response:
        if scrapers is not None:
            scrapers.require(request)
        content, media_type = metrics.exposition(request.headers.get("accept", ""))
        return Response(content, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    return metrics


class _Scrapers:
    """Who may read the metrics. Whoever could within the last hour still may while the database is away: that
    is when the metrics are wanted most."""

    def __init__(self, workbench: Workbench, state: Latest[DatabaseState]) -> None:
        self._workbench = workbench
        self._state = state
        self._proven: dict[bytes, float] = {}

    def require(self, request: Request) -> None:
        """Raise Unauthenticated or Forbidden, or DatabaseUnavailable when nobody can say."""
        key = sha256(repr((request.headers.get("authorization"), request.cookies)).encode()).digest()
        now = time.monotonic()
        try:
            self._state.get()
            self._workbench.acting_as(principal_of(identity_of(request))).health.pool()
        except (DatabaseUnavailable, DatabaseMismatch, TimeoutError):
            if now >= self._proven.get(key, 0.0):
                raise DatabaseUnavailable("the database, which knows the callers, does not answer") from None
        else:
            still_good = {known: until for known, until in self._proven.items() if until > now}
            self._proven = {**still_good, key: now + PROVEN_SECONDS}
