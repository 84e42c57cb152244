"""``POST`` of what the engine has no command for: done once under the caller's idempotency key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from gndp.api.callers import Bench, Creating
from gndp.api.replies import json_reply


class Once:
    """Does what one request asks for; the same key at the same address brings the first reply again."""

    def __init__(self, bench: Bench, address: str, key: str | None) -> None:
        self._bench = bench
        self._address = address
        self._key = key

    def __call__(
        self, body: BaseModel | None, do: Callable[[], Any], *, in_one_transaction: bool = True
    ) -> Response:
        """The reply with what ``do`` answers, a JSON value."""
        given = {} if body is None else body.model_dump(mode="json")
        answer = self._bench.once(self._address, given, self._key, do, in_one_transaction=in_one_transaction)
        return json_reply(answer)


async def once_of(request: Request, bench: Bench, creating: Creating) -> Once:
    """What does the work of a request once."""
    return Once(bench, f"POST {request.url.path}", creating["idempotency_key"])


Repeatable = Annotated[Once, Depends(once_of)]
