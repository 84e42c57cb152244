"""Who calls, on which workbench, and what every command of theirs carries."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request

from gndp.api.correlation import correlation_of
from gndp.api.problems import Refused
from gndp.workbench import Workbench

_ETAG = re.compile(r'"(\d{1,18})"')
_IdempotencyKey = Annotated[
    str | None,
    Header(
        description="with the same key the first reply comes again for 24 hours, and nothing is done twice",
        max_length=200,
    ),
]


def workbench_of(request: Request) -> Workbench:
    """The workbench, with the rights of whoever calls."""
    workbench: Workbench = request.app.state.workbench
    return workbench


def common_of(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(description="the ETag that the item must still have, else 412", examples=['"3"']),
    ] = None,
    idempotency_key: _IdempotencyKey = None,
) -> dict[str, Any]:
    """What every command on an item carries."""
    return {
        "expected_version": _version(if_match),
        "idempotency_key": idempotency_key,
        "correlation_id": correlation_of(request.scope),
    }


def creating_of(
    request: Request,
    idempotency_key: _IdempotencyKey = None,
) -> dict[str, Any]:
    """What every command carries that makes something new."""
    return {"idempotency_key": idempotency_key, "correlation_id": correlation_of(request.scope)}


Bench = Annotated[Workbench, Depends(workbench_of)]
Common = Annotated[dict[str, Any], Depends(common_of)]
Creating = Annotated[dict[str, Any], Depends(creating_of)]
ItemId = Annotated[str, Path(description="its id: a UUID")]


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise Refused("malformed", 400, 'If-Match takes one ETag as it was sent, such as "3"')
    return int(match[1])


def by(user_id: str | None) -> dict[str, Any]:
    """Who does it, as the commands take it; nobody named is refused there, unless the caller is known."""
    return {"user_id": user_id}
