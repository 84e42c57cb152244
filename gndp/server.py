"""The server: workbench pages and API as one ASGI application on one port.

It refuses requests, frames and WebSockets of another origin's page; a link to the workbench may be followed
from anywhere. Without authentication it listens on loopback only and answers only to loopback names, so that
no other site can be made to resolve to it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.cors import CORSMiddleware
from fastapi.requests import HTTPConnection
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from gndp.access.entrance import Entrance, principal_of
from gndp.api.app import add_api
from gndp.api.callers import COOKIE
from gndp.api.correlation import Correlation, caller_is
from gndp.api.headers import SecurityHeaders
from gndp.core.errors import Forbidden, ServerUnavailable, Unauthenticated
from gndp.operations.probes import add_probes
from gndp.operations.requests import Requests
from gndp.settings import Settings
from gndp.workbench import Workbench

_OPEN = ("/api/", "/docs", "/healthz", "/metrics", "/readyz", "/sign-in", "/static/", "/swagger/")
"""What may be asked for by whoever has no session: the beginnings of the paths."""

_SIGN_IN_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}


_SHARED_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SHARED_HEADERS = (
    *("Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key"),
    *("Last-Event-ID", "X-Correlation-ID"),
)
_TOLD_HEADERS = ("ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Correlation-ID")


def build_app(
    workbench: Workbench,
    needs_authentication: bool = False,
    only: Literal["api", "ui"] | None = None,
    settings: Settings | None = None,
) -> FastAPI:
    """The application on a workbench, or one half of it; the caller closes the workbench."""
    settings = settings or Settings()
    schema = None if only == "ui" else "/api/openapi.json"
    app = FastAPI(
        title="GNDP",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        openapi_url=schema,
    )
    add_api(app, workbench, needs_authentication, settings, sign_in_only=only == "ui")
    metrics = app.state.metrics = add_probes(app, workbench, needs_authentication)
    if only != "api":
        _add_pages(app, workbench, needs_authentication)
    for route in app.routes:
        if isinstance(route, APIRoute):  # probes and pages, which are no part of the API
            route.include_in_schema = False
    if needs_authentication and only != "api":
        app.add_middleware(SignedInOnly, entrance=workbench.entrance)
    app.add_middleware(
        SameOriginOnly, loopback_only=not needs_authentication, shared_with=settings.cors_origins
    )
    app.add_middleware(SecurityHeaders, is_private=needs_authentication)
    app.add_middleware(Requests, count=metrics.count_request)
    app.add_middleware(Correlation)
    return app


def _add_pages(app: FastAPI, workbench: Workbench, needs_authentication: bool) -> None:
    from bokeh.settings import settings as bokeh_settings
    from panel.io.fastapi import add_applications

    # The same on every worker and server: a page of one may open its WebSocket at another.
    secret = workbench.entrance.keys.key("pages")
    bokeh_settings.sign_sessions = True
    bokeh_settings.secret_key = secret.decode()
    bokeh_settings.resources = "server"
    # Panel's extensions are served only if they were imported before the application is mounted.
    shell = _shell()

    @app.get("/components/{path:path}")
    def component(path: str) -> None:
        # Panel's own route here, which this one stands before, imports whatever module the URL names.
        raise HTTPException(404)

    def whose(cookies: Mapping[str, str]) -> Workbench:
        if not needs_authentication:
            return workbench
        session = workbench.entrance.sessions.find(cookies.get(COOKIE, ""))
        return workbench.acting_as(principal_of(session.identity))

    def leave(cookies: Mapping[str, str]) -> None:
        workbench.entrance.sessions.close(cookies.get(COOKIE, ""))

    @app.get("/sign-in")
    def sign_in() -> FileResponse:
        return FileResponse(Path(shell.__file__).with_name("sign_in.html"), headers=_SIGN_IN_HEADERS)

    @app.get("/sign-in.js")
    def sign_in_script() -> FileResponse:
        return FileResponse(Path(shell.__file__).with_name("sign_in.js"), media_type="text/javascript")

    # Said again, since bokeh-fastapi reads the settings once, when it is first imported.
    application = add_applications(
        shell.pages(whose, leave, workbench),
        app=app,
        title=shell.TITLE,
        sign_sessions=True,
        secret_key=secret,
    )
    shell.begin_anywhere(application)


def listen(host: str, port: int, needs_authentication: bool) -> socket.socket:
    """A socket that listens on ``host`` and ``port`` (0 takes any), taken before there is anything to serve.

    Raises Forbidden for a host that is not loopback when nobody has to say who they are, and
    ServerUnavailable when the port cannot be had.
    """
    if not needs_authentication and not _is_loopback(host):
        raise Forbidden(f"cannot listen on {host}: with GNDP_AUTH=off only loopback is allowed")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, since asyncio switches Nagle's delay off for sockets that say they are TCP: replies took 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or error
        raise ServerUnavailable(f"cannot listen on {host}:{port}: {reason}") from error
    return listening


class SameOriginOnly:
    """ASGI middleware: nothing that another origin's page asked for; ``loopback_only`` lets only loopback
    names pass as Host, too.

    Pages of the origins that it is ``shared_with`` may call the API (CORS), with tokens: what a browser's
    cookie says is not heard then.

    Browsers send no Origin with the images, scripts and frames of another page, but they say in
    ``Sec-Fetch-Site`` that it is another's; of those only a page opened by a link is let in.
    """

    def __init__(self, app: ASGIApp, loopback_only: bool, shared_with: Sequence[str] = ()) -> None:
        self._app = app
        self._loopback_only = loopback_only
        self._shared_with = frozenset(origin.encode() for origin in shared_with)
        self._shared = CORSMiddleware(
            app,
            allow_origins=shared_with,
            allow_methods=_SHARED_METHODS,
            allow_headers=_SHARED_HEADERS,
            expose_headers=_TOLD_HEADERS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403 (a WebSocket by closing it before it opens)."""
        if scope["type"] not in ("http", "websocket") or _is_own(scope, self._loopback_only):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif self._is_shared(scope):
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
            await self._shared(scope, receive, send)
        else:
            refusal = JSONResponse({"detail": "another site's request"}, status_code=403)
            await refusal(scope, receive, send)

    def _is_shared(self, scope: Scope) -> bool:
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        return (
            scope["path"].startswith("/api/")
            and len(origins) == 1
            and origins[0] in self._shared_with
            and _is_own_name(_host(scope), self._loopback_only)
        )


class SignedInOnly:
    """ASGI middleware: pages and their WebSocket for whoever has a session; others are led to the sign-in.

    The API asks by itself, since programs come without a session. What pages are drawn with is no secret.
    """

    def __init__(self, app: ASGIApp, entrance: Entrance) -> None:
        self._app = app
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or lead it to the sign-in (a WebSocket is closed before it opens)."""
        is_open = scope["type"] not in ("http", "websocket") or scope["path"].startswith(_OPEN)
        if is_open or await run_in_threadpool(self._is_signed_in, scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            query = scope["query_string"].decode("latin-1")
            wanted = f"{scope['path']}?{query}" if query else scope["path"]
            there = RedirectResponse(f"/sign-in?{urlencode({'next': wanted})}", status_code=303)
            await there(scope, receive, send)

    def _is_signed_in(self, scope: Scope) -> bool:
        secret = HTTPConnection(scope).cookies.get(COOKIE)
        if secret is None:
            return False
        try:
            caller_is(self._entrance.sessions.find(secret).identity.user_id)
        except Unauthenticated:
            return False
        return True


def _is_own(scope: Scope, loopback_only: bool) -> bool:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    if not _is_own_name(host, loopback_only):
        return False
    if headers.get(b"origin", f"http://{host}") not in (f"http://{host}", f"https://{host}"):
        return False
    if headers.get(b"sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    return headers.get(b"sec-fetch-mode") == "navigate" and headers.get(b"sec-fetch-dest") == "document"


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")


def _is_own_name(host: str, loopback_only: bool) -> bool:
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return not loopback_only or _is_loopback(name.removeprefix("[").removesuffix("]"))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shell() -> Any:
    """The pages: ``apps`` beside the package in a checkout, ``gndp._apps`` in an installed wheel."""
    try:
        return import_module("gndp._apps.workbench")
    except ModuleNotFoundError as error:
        if error.name != "gndp._apps":
            raise
        return import_module("apps.workbench")
