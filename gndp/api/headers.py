"""Headers that keep browsers from guessing, framing and leaking: on every reply, of the API and of pages."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_Headers = tuple[tuple[bytes, bytes], ...]

_COMMON: _Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

FOR_DATA: _Headers = (*_COMMON, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"))
"""What a reply of the API has."""

_FOR_PAGES: _Headers = (
    *_COMMON,
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"content-security-policy",
        # Bokeh begins a page with scripts in it, Panel makes its components' modules into blobs. Both do
        # without eval, but for CustomJS (jscallback, jslink): a page must not use that.
        b"default-src 'self'; script-src 'self' 'unsafe-inline' blob:; "
        b"style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        b"connect-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
        b"form-action 'self'; frame-ancestors 'none'",
    ),
)

_OVER_TLS = (b"strict-transport-security", b"max-age=31536000")
_UNSTORED = (b"cache-control", b"no-store")


class SecurityHeaders:
    """ASGI middleware: adds them to each reply that does not say otherwise.

    What is ``private`` is kept by no cache: the API's replies, when callers say who they are.
    """

    def __init__(self, app: ASGIApp, is_private: bool) -> None:
        self._app = app
        self._for_data = (*FOR_DATA, _UNSTORED) if is_private else FOR_DATA

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = self._for_data if scope["path"].startswith("/api/") else _FOR_PAGES
        if scope["scheme"] == "https":
            added = (*added, _OVER_TLS)

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                names = {name for name, _ in given}
                message["headers"] = [*given, *[header for header in added if header[0] not in names]]
            await send(message)

        await self._app(scope, receive, send_secured)
