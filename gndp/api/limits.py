"""What a request may be: its address in UTF-8; its body not too large, slow or nested, and JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import Request
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gndp.api.problems import Refused, reply_to
from gndp.core.errors import Invalid, Problem

MOST_BYTES = 1_000_000
"""How large the body of a request may be."""

MOST_LEVELS = 64
"""How deep objects and arrays may be nested."""

MOST_MEMBERS = 10_000
"""How many members one object or array may have."""

_LONGEST_PLACE = 200

_Place = tuple["_Place", str | int] | None
"""The way to a value: the way to what it is in, and its name there."""


class Limits:
    """ASGI middleware for ``/api``: refuses what nothing should read.

    That is an address that is not UTF-8 (400), and a body that is too large (413), takes longer than
    ``body_timeout`` seconds (408), is not JSON by name (415) or beyond what JSON ought to be (400, 422).
    """

    def __init__(self, app: ASGIApp, body_timeout: float) -> None:
        self._app = app
        self._body_timeout = body_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            _require_utf8(scope)
            if _announces_body(scope):
                body = await self._body(headers, receive)
                receive = _replayed(body, receive)
            else:
                body = b""
            if body:
                _require_json(headers)
                _require_reasonable(body)
        except ClientDisconnect:
            return  # what came by then may be half of a command
        except (Refused, Invalid) as refusal:
            await reply_to(Request(scope), refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _body(self, headers: Headers, receive: Receive) -> bytes:
        try:
            async with asyncio.timeout(self._body_timeout):
                return await _body(headers, receive)
        except TimeoutError:
            detail = f"the body took longer than {self._body_timeout:g} seconds"
            raise Refused("too-slow", 408, detail, {"Connection": "close"}) from None


def _announces_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def _require_utf8(scope: Scope) -> None:
    """Raise Refused for an address that would be read as other characters than those that were meant."""
    address = scope.get("raw_path", b"") + scope.get("query_string", b"")
    if b"%" in address or not address.isascii():
        try:
            unquote_to_bytes(address).decode()
        except UnicodeDecodeError:
            raise Refused("malformed", 400, "the address is not UTF-8") from None


def _require_json(headers: Headers) -> None:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused("unsupported", 415, "the body must be application/json")


async def _body(headers: Headers, receive: Receive) -> bytes:
    """The whole body. Raises Refused as soon as it is too large, ClientDisconnect when it breaks off."""
    too_large = Refused("too-large", 413, f"the body is larger than {MOST_BYTES:,} bytes")
    declared = headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > MOST_BYTES:
        raise too_large
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise too_large
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _require_reasonable(body: bytes) -> None:
    """Raise Invalid for what is nested too deep or has too many members, Refused for what only looks like
    JSON. What is no JSON at all is told by whoever reads it."""
    if b"\0" in body:
        raise Refused("malformed", 400, "the body is not JSON in UTF-8")
    # Most bodies are so short that counting their brackets and commas is enough.
    may_be_deep = body.count(b"[") + body.count(b"{") > MOST_LEVELS
    may_be_long = body.count(b",") >= MOST_MEMBERS
    if not (may_be_deep or may_be_long or b"NaN" in body or b"Infinity" in body):
        return
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        detail = f"the body is nested far more than {MOST_LEVELS} levels deep"
        raise Refused("malformed", 400, detail) from None
    except ValueError:
        return
    _require_shape(value)


def _refuse_constant(name: str) -> None:
    raise Refused("malformed", 400, f"the body is not JSON: {name} is no number there")


def _require_shape(value: Any) -> None:
    """Raise Invalid unless the value is within the limits. It walks without recursion, and spells a place
    only when it is wanted: places of many values may be far longer than the body."""
    pending: list[tuple[_Place, Any, int]] = [(None, value, 1)]
    while pending:
        place, container, level = pending.pop()
        if level > MOST_LEVELS:
            raise Invalid(Problem(_spelled(place), f"is nested more than {MOST_LEVELS} levels deep"))
        if len(container) > MOST_MEMBERS:
            raise Invalid(Problem(_spelled(place), f"has more than {MOST_MEMBERS:,} members"))
        members: Iterable[tuple[str | int, Any]] = (
            container.items() if isinstance(container, dict) else enumerate(container)
        )
        pending += [
            ((place, name), member, level + 1) for name, member in members if isinstance(member, dict | list)
        ]


def _spelled(place: _Place) -> str:
    names: list[str | int] = []
    while place is not None:
        place, name = place
        names.append(name[:_LONGEST_PLACE] if isinstance(name, str) else name)
    text = "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in reversed(names))
    return text.removeprefix(".")[:_LONGEST_PLACE]


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
