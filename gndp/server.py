"""The server: workbench pages and API as one ASGI application on one port.

Until authentication exists it listens on loopback only, answers only to loopback names (so that no other
site can be made to resolve to it) and refuses requests and WebSockets that another origin's page sends.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Callable
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gndp.core.errors import DatabaseUnavailable, Forbidden, ServerUnavailable
from gndp.workbench import Workbench

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def build_app(workbench: Workbench) -> FastAPI:
    """The application on a workbench; the caller closes the workbench."""
    # Bokeh reads its settings when it is imported, and Panel's extensions are served only if they were
    # imported before the application is mounted.
    from bokeh.settings import settings as bokeh_settings

    bokeh_settings.sign_sessions = True
    bokeh_settings.secret_key = secrets.token_urlsafe(32)
    bokeh_settings.resources = "server"
    from panel.io.fastapi import add_applications

    shell = _shell()
    app = FastAPI(title="GNDP", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    def healthz() -> JSONResponse:
        try:
            workbench.processes.list(limit=1)
        except DatabaseUnavailable as error:
            return JSONResponse({"status": "unavailable", "detail": str(error)}, status_code=503)
        return JSONResponse({"status": "ok"})

    add_applications(shell.pages(workbench), app=app, title=shell.TITLE)
    app.add_middleware(SameOriginOnly)
    return app


def serve(workbench: Workbench, host: str, port: int, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM. ``port`` 0 takes any; ``on_ready`` is told the address once it listens.

    Raises Forbidden for a host that is not loopback, ServerUnavailable when the port cannot be had.
    """
    listening = _listen(host, port)
    name = "localhost" if host == "localhost" else f"[{host}]" if ":" in host else host
    address = f"http://{name}:{listening.getsockname()[1]}/"
    config = uvicorn.Config(
        build_app(workbench), log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=3
    )
    server = _Server(config, lambda: on_ready(address) if on_ready else None)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # uvicorn has shut down in order and says how it was asked to
    finally:
        listening.close()


class SameOriginOnly:
    """ASGI middleware: only loopback names as Host, and no Origin but the server's own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403 (a WebSocket by closing it before it opens)."""
        if scope["type"] not in ("http", "websocket") or _is_own(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            refusal = JSONResponse({"detail": "another site's request"}, status_code=403)
            await refusal(scope, receive, send)


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self._on_ready()


def _is_own(scope: Scope) -> bool:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    if host.rpartition(":")[0] not in _LOOPBACK_NAMES and host not in _LOOPBACK_NAMES:
        return False
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin).netloc == host


def _listen(host: str, port: int) -> socket.socket:
    if not _is_loopback(host):
        raise Forbidden(f"cannot listen on {host}: without authentication only loopback is allowed")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise ServerUnavailable(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return listening


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shell() -> Any:
    """The pages: ``apps`` beside the package in a checkout, ``gndp._apps`` in an installed wheel."""
    try:
        return import_module("gndp._apps.workbench")
    except ModuleNotFoundError:
        return import_module("apps.workbench")
