"""The OpenAPI description: the API as a whole, and the replies of each endpoint."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from gndp.api.problems import PROBLEM_JSON, Problem

_PROBLEMS = {
    400: "The request cannot be read.",
    401: "The caller has not said who they are, or not so that it could be believed.",
    403: "The caller may not do this.",
    404: "There is no such thing.",
    408: "The body took too long to arrive.",
    409: "The current state does not allow it; `current` says how it stands.",
    412: "It was changed since the caller read it; `current` says how it stands.",
    413: "The body is larger than 1 MB.",
    415: "The body is not named application/json.",
    422: "The request is not valid; `problems` lists what is wrong.",
    428: "Changes must say which version they are meant for, or have an Idempotency-Key (a setting).",
    429: "The caller asks too often; `Retry-After` says when to ask again.",
    503: "The database cannot be reached or took too long; try again.",
}
_ALWAYS = (400, 401, 403, 408, 413, 415, 429, 503)


def answers(model: Any, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The replies of an endpoint: its answer, the problems of ``statuses``, and those that any may have."""
    found: dict[int | str, dict[str, Any]] = {200: {"model": model, "description": "The answer."}}
    if 304 in statuses:
        found[304] = {"description": "The caller has this version already."}
    also = {428} if 412 in statuses else set()
    for status in sorted({*statuses, *also, *_ALWAYS} - {304}):
        found[status] = {
            "model": Problem,
            "description": _PROBLEMS[status],
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return found


def describe(app: FastAPI) -> None:
    """Say what the API as a whole is, and how its callers say who they are."""
    app.title, app.version, app.description = "GNDP", version("gndp"), _ABOUT
    drawn = app.openapi

    def openapi() -> dict[str, Any]:
        description = drawn()
        description["components"]["securitySchemes"] = _SECURITY_SCHEMES
        description["security"] = [{name: []} for name in _SECURITY_SCHEMES]
        for path in OPEN_PATHS:
            description["paths"][path]["post"]["security"] = []
        for operations in description["paths"].values():
            for operation in operations.values():
                for parameter in operation.get("parameters", ()):
                    parameter["schema"] = _without_null(parameter["schema"])
        return description

    app.openapi = openapi  # type: ignore[method-assign]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out, never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return schema
    return {**{name: said for name, said in schema.items() if name != "anyOf"}, **kinds[0]}


OPEN_PATHS = ("/api/auth/sign-in", "/api/auth/token", "/api/auth/link")
"""What is posted to by whoever has not yet said who they are."""

_SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A bearer token of POST /api/auth/token, or an API token.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "gndp_session",
        "description": "The session of a browser; what changes something needs its X-CSRF-Token, too.",
    },
}


_ABOUT = """Work that people do: processes, their tasks, who has them, and by when.

Instants are ISO 8601 with an offset; replies are in UTC. Durations are whole minutes. Ids are UUIDs.

A reply about one item has an `ETag`; sent back as `If-Match`, it makes sure that nobody changed the item
meanwhile (412). An `Idempotency-Key` makes a POST safe to repeat: the first reply comes again, and nothing is
done twice. Refusals are `application/problem+json`; `type` says which kind it is and never changes its
meaning."""
