"""Browser sessions that begin where their page was not made: at another worker, or after a restart."""

from __future__ import annotations

from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.ioloop import IOLoop


def begin_anywhere(application: Any) -> None:
    """Let the WebSocket of each page build its session, if the page itself was answered by another process.

    bokeh-fastapi (0.1.8) hands Panel the bare ASGI scope then, and no event loop; Panel wants the request
    that the page was asked for with.
    """
    for context in application._applications.values():
        context.create_session_if_needed = _with_request(context)


def _with_request(context: Any) -> Any:
    create = context.create_session_if_needed

    async def create_session_if_needed(session_id: str, request: Any = None, token: str | None = None) -> Any:
        if context.io_loop is None:
            context._loop = IOLoop.current()
        return await create(
            session_id, _page_request(request) if isinstance(request, dict) else request, token
        )

    return create_session_if_needed


def _page_request(scope: dict[str, Any]) -> HTTPServerRequest:
    headers = HTTPHeaders()
    for name, value in scope["headers"]:
        headers.add(name.decode("latin-1"), value.decode("latin-1"))
    path = scope["path"].removesuffix("ws")
    request = HTTPServerRequest(start_line=RequestStartLine("GET", path, "HTTP/1.1"), headers=headers)
    request.protocol = "https" if scope["scheme"] == "wss" else "http"
    request.app_path, request.route_params = scope.get("app_path") or path, scope.get("route_params") or {}
    return request
