"""Refusals and faults as problem details (RFC 9457, ``application/problem+json``), with stable types.

The tree of ``gndp.core.errors`` is mapped once, here. A reply never shows more than the refusal says; a fault
that nobody expected is logged with its correlation id, and the reply has only that id.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from gndp.api.correlation import HEADER, correlation_of
from gndp.api.headers import FOR_DATA
from gndp.core.errors import (
    Conflict,
    DatabaseUnavailable,
    Forbidden,
    GndpError,
    Invalid,
    NotFound,
    StatementTimeout,
    Unauthenticated,
)

PROBLEM_JSON = "application/problem+json"

_FAULT = "the server failed; its log has the correlation id"
_MOST_PROBLEMS = 100
_log = logging.getLogger(__name__)


class Place(BaseModel):
    """One thing that is wrong with a request."""

    place: str = Field(description="where, as a path such as `tasks[2].priority`; empty for the whole")
    message: str = Field(description="what is wrong there, in words")


class Current(BaseModel):
    """How the item stands that is in the way."""

    status: str | None = Field(description="its status now; null where it has none")
    version: int | None = Field(description="its version now, as in its ETag; null where it has none")


class Missing(BaseModel):
    """What there is not."""

    kind: str = Field(description="what was looked for, such as process, task or person")
    id: str = Field(description="the id or name that was asked for")


class Problem(BaseModel):
    """A refusal or a fault, as RFC 9457 has it."""

    type: str = Field(
        description="which kind of problem it is: a stable name", examples=["urn:gndp:problem:conflict"]
    )
    title: str = Field(description="the kind of problem in words")
    status: int = Field(description="the HTTP status code")
    detail: str = Field(description="what is wrong this time, in words")
    correlation_id: str = Field(description="what the server's log and the events call this request")
    problems: list[Place] | None = Field(default=None, description="everything that is wrong with the input")
    current: Current | None = Field(default=None, description="the state that a conflict is with")
    missing: Missing | None = Field(default=None, description="what was not found")


class Refused(Exception):
    """A refusal that only HTTP knows: its kind (a stable word), its status code, and what is wrong."""

    def __init__(self, kind: str, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status = status
        self.detail = detail
        self.headers = headers or {}


TITLES = {
    "not-found": "There is no such thing",
    "conflict": "The current state does not allow it",
    "stale": "It was changed since you read it",
    "invalid": "The request is not valid",
    "forbidden": "You may not do this",
    "unauthenticated": "Say who you are",
    "malformed": "The request cannot be read",
    "too-large": "The request is too large",
    "unsupported": "The request is in another format",
    "too-slow": "The request took too long to arrive",
    "precondition-required": "Say which version you mean",
    "rate-limited": "You ask too often",
    "unavailable": "The database cannot be reached",
    "timeout": "The database took too long",
    "fault": "The server failed",
}
"""Every kind of problem, with its title. A kind keeps its name and meaning for ever."""


def problem_reply(
    request: Request,
    kind: str,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """A problem as a reply."""
    body = _details(request, kind, status, detail, **more)
    return Response(orjson.dumps(body), status, dict(headers or {}), media_type=PROBLEM_JSON)


def _details(request: Request, kind: str, status: int, detail: str, **more: Any) -> dict[str, Any]:
    return {
        "type": f"urn:gndp:problem:{kind}",
        "title": TITLES.get(kind) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "correlation_id": correlation_of(request.scope),
        **more,
    }


def add_problem_replies(app: FastAPI) -> None:
    """Let the application answer every refusal and fault with a problem."""
    app.add_exception_handler(GndpError, reply_to)
    app.add_exception_handler(Refused, reply_to)
    app.add_exception_handler(RequestValidationError, _reply_to_invalid_request)
    app.add_exception_handler(HTTPException, _reply_to_http_error)
    app.add_exception_handler(Exception, _reply_to_fault)


def problem_of(request: Request, error: GndpError) -> tuple[dict[str, Any], dict[str, str]]:
    """The problem details that a refusal of the workbench means, and the headers that go with them."""
    match error:
        case NotFound():
            missing = {"kind": error.kind, "id": error.id}
            return _details(request, "not-found", 404, str(error), missing=missing), {}
        case Conflict():
            kind, status = ("stale", 412) if error.stale else ("conflict", 409)
            current = {"status": error.status, "version": error.version}
            headers = {"Retry-After": "1"} if error.details.get("is_under_way") else {}
            return _details(request, kind, status, str(error), current=current), headers
        case Invalid():
            return _invalid(request, [(problem.place, problem.message) for problem in error.problems]), {}
        case Unauthenticated():
            return _details(request, "unauthenticated", 401, str(error)), {"WWW-Authenticate": "Bearer"}
        case Forbidden():
            return _details(request, "forbidden", 403, str(error)), {}
        case DatabaseUnavailable():
            return _details(request, "unavailable", 503, str(error)), {"Retry-After": "1"}
        case StatementTimeout():
            return _details(request, "timeout", 503, str(error)), {"Retry-After": "5"}
        case _:
            _log.error("the request %s failed", correlation_of(request.scope), exc_info=error)
            return _details(request, "fault", 500, _FAULT), {}


def reply_to(request: Request, error: Exception) -> Response:
    """The reply that a refusal of the workbench or of HTTP means."""
    if isinstance(error, Refused):
        return problem_reply(request, error.kind, error.status, error.detail, error.headers)
    assert isinstance(error, GndpError)
    body, headers = problem_of(request, error)
    return Response(orjson.dumps(body), body["status"], headers, media_type=PROBLEM_JSON)


def _reply_to_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(problem["type"] == "json_invalid" for problem in found):
        return problem_reply(request, "malformed", 400, "the body is not JSON")
    body = _invalid(request, [(_place(problem["loc"]), problem["msg"]) for problem in found])
    return Response(orjson.dumps(body), 422, media_type=PROBLEM_JSON)


def _reply_to_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kinds = {401: "unauthenticated", 403: "forbidden", 404: "not-found", 413: "too-large"}
    kind = kinds.get(error.status_code, "malformed")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods_of(request)) or headers.get("Allow", "")
    return problem_reply(request, kind, error.status_code, str(error.detail), headers)


def _methods_of(request: Request) -> list[str]:
    """What an address of the API can be asked for: its routes are one for each method."""
    paths = request.app.openapi()["paths"]
    return sorted(
        method.upper()
        for path, methods in paths.items()
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", path), request.url.path)
        for method in methods
    )


def _reply_to_fault(request: Request, error: Exception) -> Response:
    _log.error("the request %s failed", correlation_of(request.scope), exc_info=error)
    # Starlette answers a fault from outside of all middleware.
    headers = {name.decode(): value.decode() for name, value in FOR_DATA}
    headers[HEADER] = correlation_of(request.scope)
    return problem_reply(request, "fault", 500, _FAULT, headers)


def _invalid(request: Request, found: list[tuple[str, str]]) -> dict[str, Any]:
    listed = [{"place": place, "message": message} for place, message in found[:_MOST_PROBLEMS]]
    detail = "; ".join(f"{place}: {message}" if place else message for place, message in found[:5])
    return _details(request, "invalid", 422, detail or "the request is not valid", problems=listed)


def _place(location: tuple[int | str, ...]) -> str:
    """A place as the engine writes it: ``("body", "tasks", 2, "name")`` is ``tasks[2].name``."""
    place = ""
    for part in location[1:] if location[:1] in [("body",), ("query",), ("path",), ("header",)] else location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    return place
