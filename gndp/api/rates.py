"""How often the API may be asked: by each user, else from each address, and how often passwords are tried.

Counted in the memory of each server process, by sliding windows. What is left is told in every reply
(draft-ietf-httpapi-ratelimit-headers).
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from typing import NamedTuple

from fastapi import Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gndp.api.problems import Refused, reply_to

_PASSWORD_PATHS = frozenset(f"/api/auth/{name}" for name in ("sign-in", "token", "link", "password"))
_UNASKED_PATHS = frozenset({"/api/openapi.json"})
_WITHOUT_AUTHENTICATION = 100
_LOOK_EVERY = 10.0
_KEY = "gndp.quota"


class _Quota(NamedTuple):
    """``policy`` is the header that tells of it."""

    name: bytes
    item: RateLimitItem
    policy: bytes


class Counters(MemoryStorage):
    """Counters in memory, without the thread that ``MemoryStorage`` starts up to a hundred times a second to
    look for what has expired: the event loop waited for each. They are looked through here every 10 seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.timer = _Idle(0, lambda: None)
        self._looked_at = time.monotonic()

    def take(self, key: str, most: int, window: int) -> int:
        """Count one more under a key unless that is too many in the window, a number of seconds; how many are
        left then, -1 when it was one too many.

        The strategy of ``limits`` does the same, and as much again to tell what is left.
        """
        now = time.time()
        before, current = self.sliding_window_keys(key, window, now)
        remaining = 1 - now % window / window  # of the window before, that a window to now still covers
        left = most - 1 - math.floor(self.get(before) * remaining + self.get(current))
        if left >= 0:
            self.incr(current, 2 * window)
        return max(left, -1)

    def drop_expired(self) -> None:
        """Forget what has expired, if it is time to look."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_EVERY:
            self._looked_at = now
            for key in list(self.expirations):
                self.get(key)  # which drops it


class _Idle(threading.Timer):
    """A timer that is never started, and of which it is never asked for another."""

    def is_alive(self) -> bool:
        return True


class Rates:
    """Counts requests, and refuses what is too much.

    The rates are such as ``30/minute``, or ``off``. Without authentication everybody is on this machine, most
    of them from one address: it may ask a hundred times as often.
    """

    def __init__(self, rate_limit: str, sign_in_rate_limit: str, needs_authentication: bool) -> None:
        self.needs_authentication = needs_authentication
        self._counters = Counters()
        self._limiter = SlidingWindowCounterRateLimiter(self._counters)
        times = 1 if needs_authentication else _WITHOUT_AUTHENTICATION
        self._default = _quota("default", rate_limit, times)
        self._passwords = _quota("passwords", sign_in_rate_limit)

    def count_user(self, scope: Scope, user_id: str) -> None:
        """Count a request of somebody who has proved who they are; Refused when it is one too many."""
        self._count(scope, self._default, "user", user_id)

    def count_address(self, scope: Scope) -> None:
        """Count a request of somebody unknown; Refused when it is one too many from there."""
        self._count(scope, self._default, "address", _address(scope))

    def count_password(self, scope: Scope) -> None:
        """Count a request that tries a password; Refused when it is one too many from there."""
        self._count(scope, self._passwords, "address", _address(scope))

    def _count(self, scope: Scope, quota: _Quota | None, kind: str, who: str) -> None:
        if quota is None or _KEY in scope:
            return
        self._counters.drop_expired()
        window = quota.item.get_expiry()
        left = self._counters.take(quota.item.key_for(kind, who), quota.item.amount, window)
        wait = window if left > 0 else self._wait(quota, kind, who)
        scope[_KEY] = (
            (b"ratelimit-policy", quota.policy),
            (b"ratelimit", b'"%b";r=%d;t=%d' % (quota.name, max(left, 0), wait)),
        )
        if left < 0:
            detail = f"no more than {quota.item} from one {kind}: ask again in {wait} s"
            raise Refused("rate-limited", 429, detail, {"Retry-After": str(wait)})

    def _wait(self, quota: _Quota, kind: str, who: str) -> int:
        """Seconds until somebody who has used up a quota has some again."""
        free_at, _ = self._limiter.get_window_stats(quota.item, kind, who)
        return max(1, math.ceil(free_at - time.time()))


class RateLimits:
    """ASGI middleware for ``/api``: counts what comes from nobody in particular, and tells in each reply what
    is left. Who comes with credentials is counted once they have been looked at."""

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 429."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return

        async def send_with_quota(message: Message) -> None:
            if message["type"] == "http.response.start" and _KEY in scope:
                message["headers"] = [*message.get("headers", ()), *scope[_KEY]]
            await send(message)

        try:
            self._count(scope)
        except Refused as refused:
            await reply_to(Request(scope), refused)(scope, receive, send_with_quota)
        else:
            await self._app(scope, receive, send_with_quota)

    def _count(self, scope: Scope) -> None:
        path = scope["path"]
        if path in _PASSWORD_PATHS:
            self._rates.count_password(scope)
        elif not self._rates.needs_authentication or path in _UNASKED_PATHS or not _has_credentials(scope):
            self._rates.count_address(scope)


def _quota(name: str, rate: str, times: int = 1) -> _Quota | None:
    if rate == "off":
        return None
    item = parse(rate)
    item = type(item)(item.amount * times, item.multiples, namespace=name)
    return _Quota(name.encode(), item, f'"{name}";q={item.amount};w={item.get_expiry()}'.encode())


def _has_credentials(scope: Scope) -> bool:
    return any(name in (b"authorization", b"cookie") for name, _ in scope["headers"])


def _address(scope: Scope) -> str:
    """Where a request comes from: an IPv4 address, or the 64 bits of an IPv6 one that are somebody's own."""
    host: str = scope["client"][0] if scope.get("client") else ""
    if ":" not in host:
        return host
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
