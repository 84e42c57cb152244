"""Problem details (RFC 9457) as the errors that they were made from: the tree of ``gndp.core.errors``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from gndp.core.errors import (
    Conflict,
    DatabaseUnavailable,
    Forbidden,
    GndpError,
    Invalid,
    NotFound,
    Problem,
    RateLimited,
    ServerFault,
    ServerUnavailable,
    StatementTimeout,
    Unauthenticated,
)


def refusal_of(reply: httpx.Response) -> GndpError:
    """The error that a reply without success means."""
    problem = _problem(reply)
    if reply.is_redirect:
        there = reply.headers.get("Location", "elsewhere")
        return ServerFault(f"{reply.url.host} leads to {there}: use that address")
    return error_of(reply.status_code, problem, retry_after(reply))


def error_of(status: int, problem: Mapping[str, Any], wait: float | None = None) -> GndpError:
    """The error that problem details mean; ``wait`` is in how many seconds to ask again."""
    detail = str(problem.get("detail") or f"the server answered with the status {status}")
    match status:
        case 404 if problem.get("missing"):
            return NotFound(problem["missing"]["kind"], problem["missing"]["id"])
        case 409 | 412:
            current = problem.get("current") or {}
            version = current.get("version")
            return Conflict(detail, status=current.get("status"), version=version, stale=status == 412)
        case 400 | 413 | 415 | 422 | 428:
            found = [Problem(one["place"], one["message"]) for one in problem.get("problems") or ()]
            return Invalid(*(found or [Problem("", detail)]))
        case 401:
            return Unauthenticated()
        case 403:
            return Forbidden(detail)
        case 429:
            return RateLimited(detail, retry_after=wait)
        case 503 if str(problem.get("type")).endswith(":timeout"):
            return StatementTimeout(detail)
        case 503 if problem.get("type"):
            return DatabaseUnavailable(detail)
        case 408 | 502 | 503 | 504:
            return ServerUnavailable(detail)
        case _:
            return ServerFault(detail, correlation_id=problem.get("correlation_id"))


def retry_after(reply: httpx.Response) -> float | None:
    """In how many seconds the server says to ask again; None when it does not."""
    seconds = reply.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else None


def _problem(reply: httpx.Response) -> dict[str, Any]:
    try:
        problem = orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        return {}
    return problem if isinstance(problem, dict) else {}
