"""Who calls, on which workbench, and what every command of theirs carries.

What does not wait is asynchronous: FastAPI gives each other dependency a thread of its own.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from fastapi.concurrency import run_in_threadpool

from gndp.access.entrance import Entrance, principal_of
from gndp.access.identity import Identity
from gndp.api.correlation import caller_is, correlation_of
from gndp.api.meanings import FIELDS
from gndp.api.problems import Refused
from gndp.api.rates import Rates
from gndp.api.types import Id, Name
from gndp.core.arguments import MAX_KEY
from gndp.core.errors import Forbidden, Unauthenticated
from gndp.workbench import Workbench

_ETAG = re.compile(r'"(\d{1,9})"')
_IfMatch = Annotated[
    str | None,
    Header(
        description="the ETag that the item must still have, else 412",
        examples=['"3"'],
        json_schema_extra={"minLength": 1, "pattern": '^("[0-9]{1,9}"|[*])$'},
    ),
]
_IdempotencyKey = Annotated[
    str | None,
    Header(
        description="with the same key the first reply comes again for 24 hours, and nothing is done twice",
        min_length=1,
        max_length=MAX_KEY,
        json_schema_extra={"pattern": "^[!-~]+$"},
    ),
]


COOKIE = "gndp_session"
CSRF_HEADER = "X-CSRF-Token"

_BEARER = re.compile(r"Bearer +(\S+)", re.IGNORECASE)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def entrance_of(request: Request) -> Entrance:
    """What proves who somebody is."""
    return _workbench(request).entrance


def identity_of(request: Request) -> Identity:
    """Who calls: by the token in Authorization, else by the session in the cookie. Raises Unauthenticated;
    Forbidden for a session that changes something without its page's token. The request's log lines say who
    it is from then on."""
    identity = _proven(request, _workbench(request).entrance)
    caller_is(identity.user_id)
    return identity


def _proven(request: Request, entrance: Entrance) -> Identity:
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        match = _BEARER.fullmatch(authorization)
        if match is None:
            raise Unauthenticated
        return entrance.by_token(match[1])
    secret = request.cookies.get(COOKIE)
    if secret is None:
        raise Unauthenticated
    identity = entrance.sessions.find(secret).identity
    if request.method not in _SAFE and not entrance.sessions.is_csrf_token(
        secret, request.headers.get(CSRF_HEADER)
    ):
        raise Forbidden(f"a session needs the {CSRF_HEADER} of its page to change something")
    return identity


def caller_of(request: Request) -> Identity:
    """Who calls, counted against their rate limit; Refused when they ask too often. Raises as
    ``identity_of``."""
    rates: Rates = request.app.state.rates
    try:
        identity = identity_of(request)
    except (Unauthenticated, Forbidden):
        rates.count_address(request.scope)
        raise
    rates.count_user(request.scope, identity.user_id)
    return identity


async def workbench_of(request: Request) -> Workbench:
    """The workbench with the rights of whoever calls; without authentication, as it is."""
    workbench = _workbench(request)
    if not request.app.state.needs_authentication:
        return workbench
    identity = await run_in_threadpool(caller_of, request)
    return workbench.acting_as(principal_of(identity))


def _workbench(request: Request) -> Workbench:
    workbench: Workbench = request.app.state.workbench
    return workbench


async def common_of(
    request: Request,
    if_match: _IfMatch = None,
    idempotency_key: _IdempotencyKey = None,
) -> dict[str, Any]:
    """What every command on an item carries."""
    require_precondition(request, if_match is not None)
    return {
        "expected_version": _version(if_match),
        "idempotency_key": idempotency_key,
        "correlation_id": correlation_of(request.scope),
    }


async def if_match_of(request: Request, if_match: _IfMatch = None) -> int | None:
    """The version that the item must still have; None for any."""
    require_precondition(request, if_match is not None)
    return _version(if_match)


def require_precondition(request: Request, is_given: bool) -> None:
    """Raise Refused, where a setting says so, for a change that neither says which version it is meant for
    nor can be known when it comes again."""
    if not request.app.state.needs_if_match or is_given or "Idempotency-Key" in request.headers:
        return
    detail = "send If-Match with the ETag that you have seen (or *), or an Idempotency-Key"
    raise Refused("precondition-required", 428, detail)


async def creating_of(
    request: Request,
    idempotency_key: _IdempotencyKey = None,
) -> dict[str, Any]:
    """What every command carries that makes something new."""
    return {"idempotency_key": idempotency_key, "correlation_id": correlation_of(request.scope)}


Who = Annotated[Identity, Depends(caller_of)]
TheEntrance = Annotated[Entrance, Depends(entrance_of)]
Bench = Annotated[Workbench, Depends(workbench_of)]
Common = Annotated[dict[str, Any], Depends(common_of)]
Creating = Annotated[dict[str, Any], Depends(creating_of)]
ExpectedVersion = Annotated[int | None, Depends(if_match_of)]
ItemId = Annotated[Id, Path(description="its id: a UUID")]
Actor = Annotated[Name | None, Query(description=FIELDS["user_id"])]


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    if not if_match.strip():
        raise Refused("stale", 412, "If-Match names no version")
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise Refused("malformed", 400, 'If-Match takes one ETag as it was sent, such as "3"')
    return int(match[1])
