"""What a request belongs to: the caller's correlation id, or one of our own, and who calls once that is
known."""

from __future__ import annotations

import re
from contextvars import ContextVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

HEADER = "X-Correlation-ID"

_KEY = "gndp.correlation_id"
_FORM = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,100}")


class Caller:
    """A request that is under way: its ``correlation_id``, and ``user_id`` once somebody has proven theirs.

    One object for all threads and tasks of the request, so that each sees what another has found out.
    """

    __slots__ = ("correlation_id", "user_id")

    def __init__(self, correlation_id: str) -> None:
        self.correlation_id = correlation_id
        self.user_id: str | None = None


caller: ContextVar[Caller | None] = ContextVar("caller", default=None)
"""The request that this thread or task works for, None outside of any."""


def caller_is(user_id: str) -> None:
    """Say who calls, for the log lines of this request from now on."""
    current = caller.get()
    if current is not None:
        current.user_id = user_id


class Correlation:
    """ASGI middleware: gives each request its correlation id, and the reply the header that says it.

    An id that the caller sends is taken when it is 1 to 100 letters, digits or ``. _ : / + = @ -``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-correlation-id"), b"")
        correlation_id = given.decode() if _FORM.fullmatch(given) else str(uuid7())
        scope[_KEY] = correlation_id
        caller.set(Caller(correlation_id))
        header = (b"x-correlation-id", correlation_id.encode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        await self._app(scope, receive, send_with_id)


def correlation_of(scope: Scope) -> str:
    """The correlation id of a request."""
    found: str = scope.get(_KEY, "none")
    return found
