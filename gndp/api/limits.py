"""What a request may cost: the size and the form of its body; and headers that every reply has."""

from __future__ import annotations

from fastapi import Request
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gndp.api.problems import problem_reply

MOST_BYTES = 1_000_000
"""How large the body of a request may be."""

_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Limits:
    """ASGI middleware for ``/api``: refuses a body that is too large (413) or not JSON by name (415), before
    anything reads it; adds the headers that keep browsers from guessing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_SECURITY]
            await send(message)

        headers = Headers(scope=scope)
        try:
            body = await _body(headers, receive)
        except ClientDisconnect:
            return  # what came by then may be half of a command
        request = Request(scope)
        if body is None:
            refusal = problem_reply(
                request, "too-large", 413, f"the body is larger than {MOST_BYTES:,} bytes"
            )
            await refusal(scope, receive, send_secured)
        elif body and not _is_json(headers):
            refusal = problem_reply(request, "unsupported", 415, "the body must be application/json")
            await refusal(scope, receive, send_secured)
        else:
            await self._app(scope, _replayed(body, receive), send_secured)


def _is_json(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json"


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """The whole body; None as soon as it is too large. Raises ClientDisconnect when it breaks off."""
    declared = headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > MOST_BYTES:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            return None
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read once more, then what comes after it."""
    is_given = False

    async def replay() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
