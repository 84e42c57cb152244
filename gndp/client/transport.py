"""Requests and replies: one pool of connections, tries that are repeated, headers, JSON."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from time import sleep
from typing import Any
from uuid import uuid4

import httpx
import orjson

from gndp.client.encoding import encoded, query_of
from gndp.client.refusals import refusal_of, retry_after
from gndp.core import arguments
from gndp.core.errors import GndpError, Invalid, Problem, ServerFault, ServerUnavailable

LONGEST_WAIT = 60.0
"""Seconds that the server may ask to wait before the next try; what it wants later is refused."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_IN_PASSING = frozenset({408, 502, 503, 504})
_OPTIONS = frozenset({"expected_version", "idempotency_key", "correlation_id"})
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,100}")


class Transport:
    """The way to a server's API. Thread-safe.

    Raises what `refusal_of` makes of a refusal, ServerUnavailable when the server cannot be reached or the
    connection breaks, ServerFault for a reply that is not the API's.
    """

    def __init__(self, url: str, token: str | None, timeout: float, retries: int) -> None:
        self.url = _address(url)
        self._retries = arguments.whole_number(retries, "retries", least=0, most=100)
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {_credentials(token)}"
        self._timeout = _seconds(timeout)
        self._http = httpx.Client(base_url=f"{self.url}/api", headers=headers, timeout=self._timeout)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """What there is at a path."""
        return self._json("GET", path, query=query, is_repeatable=True)

    def command(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """The answer of a command, which is done once however often it must be sent.

        ``options`` are expected_version, idempotency_key and correlation_id; TypeError for any other.
        """
        given = dict(options or {})
        key = arguments.optional_key(given.pop("idempotency_key", None), "idempotency_key") or str(uuid4())
        headers = {"Idempotency-Key": _header(key, "idempotency_key"), **_headers(given)}
        return self._json(
            method, path, query=query, body=body, headers=headers, is_repeatable=True, timeout=timeout
        )

    def change(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        is_repeatable: bool,
        expected_version: int | None = None,
        etag: str | None = None,
    ) -> Any:
        """The answer of what takes no idempotency key. It is sent again after a connection broke only if
        doing it twice does no more than doing it once."""
        headers = _headers({"expected_version": expected_version}) if etag is None else {"If-Match": etag}
        return self._json(method, path, body=body, headers=headers, is_repeatable=is_repeatable)

    def stream(
        self, path: str, query: Mapping[str, Any], headers: Mapping[str, str], silence: float
    ) -> httpx.Response:
        """A reply whose body is still to be read, with at most so many seconds of silence in it."""
        timeout = httpx.Timeout(self._timeout, read=silence)
        request = self._http.build_request(
            "GET", path, params=query_of(query), headers=dict(headers), timeout=timeout
        )
        return self._sent(request, is_repeatable=True, is_stream=True)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _json(
        self,
        method: str,
        path: str,
        *,
        is_repeatable: bool,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        content = None if body is None else encoded(body)
        typed = {} if content is None else {"Content-Type": "application/json"}
        request = self._http.build_request(
            method,
            path,
            params=query_of(query or {}),
            content=content,
            headers={**typed, **(headers or {})},
            timeout=self._timeout if timeout is None else httpx.Timeout(self._timeout, read=timeout),
        )
        reply = self._sent(request, is_repeatable)
        try:
            return orjson.loads(reply.content)
        except orjson.JSONDecodeError:
            raise ServerFault(f"the reply of {self.url} is not JSON: is it a GNDP server?") from None

    def _sent(self, request: httpx.Request, is_repeatable: bool, is_stream: bool = False) -> httpx.Response:
        """The reply to a request, tried again as often as it may be."""
        for tried in range(self._retries + 1):
            pause: float | None = random.uniform(0.1, 0.2) * 2**tried
            refusal: GndpError
            try:
                reply = self._http.send(request, stream=is_stream)
                if reply.is_success:
                    return reply
                reply.read()
                reply.close()
            except httpx.RequestError as error:
                refusal = self._unreachable(error)
                if not is_repeatable and not isinstance(error, _NEVER_SENT):
                    pause = None
            else:
                refusal = refusal_of(reply)
                pause = _pause(reply, is_repeatable, pause)
            if pause is None or tried == self._retries:
                break
            sleep(pause)
        raise refusal

    def _unreachable(self, error: httpx.RequestError) -> ServerUnavailable:
        why = str(error) or type(error).__name__
        if isinstance(error, _NEVER_SENT):
            return ServerUnavailable(f"{self.url} cannot be reached: {why}")
        return ServerUnavailable(f"the connection to {self.url} broke: {why}")


def _pause(reply: httpx.Response, is_repeatable: bool, usual: float | None) -> float | None:
    """How long to wait until a refused request is tried again; None not to try it."""
    asked = retry_after(reply)
    status = reply.status_code
    # With a 409 it says that the first try of the command is still under way.
    is_in_passing = status == 429 or (is_repeatable and status in _IN_PASSING)
    if not is_in_passing and not (status == 409 and asked is not None):
        return None
    wait = usual if asked is None else asked
    return wait if wait is not None and wait <= LONGEST_WAIT else None


def _headers(options: Mapping[str, Any]) -> dict[str, str]:
    unknown = options.keys() - _OPTIONS
    if unknown:
        raise TypeError(f"unexpected keyword argument '{min(unknown)}'")
    headers: dict[str, str] = {}
    version, correlation_id = options.get("expected_version"), options.get("correlation_id")
    if version is not None:
        headers["If-Match"] = f'"{arguments.whole_number(version, "expected_version", least=0)}"'
    if correlation_id is not None:
        if not isinstance(correlation_id, str) or not _CORRELATION_ID.fullmatch(correlation_id):
            raise Invalid(
                Problem("correlation_id", "must be 1 to 100 ASCII letters, digits or . _ : / + = @ -")
            )
        headers["X-Correlation-ID"] = correlation_id
    return headers


def _header(value: str, place: str) -> str:
    if not _PRINTABLE.fullmatch(value) or value != value.strip():
        raise Invalid(Problem(place, "must be printable ASCII, for it goes into a header"))
    return value


def _address(url: str) -> str:
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise Invalid(Problem("url", "is not an address such as https://work.example.org")) from None
    if address.scheme not in ("http", "https") or not address.host or address.userinfo or address.query:
        raise Invalid(Problem("url", "must be an address such as https://work.example.org, and nothing else"))
    return str(address).rstrip("/")


def _credentials(token: str) -> str:
    # Whatever is wrong with it, it must not be shown.
    if not isinstance(token, str) or not _VISIBLE.fullmatch(token):
        raise Invalid(Problem("token", "is not a token: a text without spaces, as it was told"))
    return token


def _seconds(timeout: Any) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise Invalid(Problem("timeout", "must be seconds, more than 0"))
    return float(timeout)
