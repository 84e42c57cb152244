"""The client has every operation of the served API with all it takes, and every keyword of the workbench."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints
from unittest.mock import MagicMock
from uuid import UUID

import httpx
import orjson
import pytest
from serving import calling, served

import gndp
from gndp.access.accounts import Accounts
from gndp.access.tokens import ApiTokens
from gndp.client import Client
from gndp.client.transport import Transport
from gndp.directory.calendars import Calendars
from gndp.directory.table_directory import TableDirectory
from gndp.engine.creation import Specification
from gndp.engine.definitions import Definitions
from gndp.engine.processes import Processes
from gndp.engine.sla import Sla
from gndp.engine.tasks import Tasks
from gndp.events.events import Events
from gndp.jobs.jobs import Jobs

WORKBENCH: dict[str, type] = {
    "processes": Processes,
    "tasks": Tasks,
    "definitions": Definitions,
    "sla": Sla,
    "calendars": Calendars,
    "directory": TableDirectory,
    "events": Events,
    "jobs": Jobs,
    "accounts": Accounts,
    "tokens": ApiTokens,
}

NOT_REACHED = {
    "/api/auth/": "signing in and out, passwords and one's own tokens are for browsers: a script has a token",
}

LEFT_OUT = {
    "automated": "says that a replay or a job does it: people and programs cannot say so of themselves",
    "accounts.issue_link created_by": "the caller",
    "accounts.issue_link valid_for": "the API's links are good for a day",
    "tokens.create created_by": "the caller",
    "tokens.create for_program": "the API makes no others for somebody else",
}
"""Keywords of the workbench that the client has not."""

NOT_THERE = {
    "definitions": {"template", "check_form", "steps_apart", "kept_apart"}  # the engine's own
    | {"versions"},  # a page's: the client reads one by its number
    "sla": {"sweep", "next_due", "versions"},  # the job's, and a page's
    "processes": {"trend", "recent_events"},  # what the pages show
    "tasks": {"preview_reassignment", "queue"},
    "directory": {"import_csv"},
    "events": {"subscribe", "subscribe_durable", "publish", "history", "oldest_writer", "rebase"}
    | {"end_streams", "require_sight"},
    "jobs": {"start", "stop"},
    "accounts": {"create", "first_admin_link", "sign_in", "current", "change_password", "set_password"},
    "tokens": {"verify", "revoke_all"},
}
"""Methods of the workbench that the client has not: they run in the server's process, or sign somebody in."""

ID = UUID(int=7)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OFFICE = gndp.Calendar(hours={0: [("09:00", "17:00")]}, country="DE", region="BY", holidays=["2026-12-24"])
SAMPLES: dict[str, Any] = {
    **dict.fromkeys(("id", "process_id", "task_id", "process_instance_id", "parent_process_id"), ID),
    **dict.fromkeys(("due_date", "until", "as_of", "opened_at", "from_", "expires_at"), NOON),
    **dict.fromkeys(("due_after", "due_before", "created_after", "created_before"), NOON),
    **dict.fromkeys(("expected_version", "version", "limit", "offset", "capacity", "imbalance_limit"), 3),
    **{key: {"a": 1} for key in ("input_data", "output_data", "variables", "business_context")},
    **dict.fromkeys(("auto_complete", "hold", "final", "cascade", "active"), True),
    **{key: {"kyc": 3} for key in ("skills", "required_skills")},
    **{key: ["read"] for key in ("tags", "scopes")},
    "seqs": [3],
    "depends_on": [ID],
    "items": [(ID, 3)],
    "specifications": [{"task_name": "A"}],
    "document": {"name": "answer"},
    "calendar": "office",
    "arguments": {"reason": "why"},
    "in_place_of": OFFICE,
}
"""What is given for a keyword; for others its name."""

CALLS: dict[str, list[dict[str, Any]]] = {
    "calendars.save": [{"calendar": OFFICE}],
    "directory.set_out_of_office": [{}, {"until": None, "from_": None, "substitute": None}],
    "tokens.revoke": [{"id": "0" * 16}],
    "sla.clocks": [{"process_id": None}, {"task_id": None}],
    "sla.recompute": [{"process_id": None}, {"task_id": None}],
}
"""What calls of a method differ in from the samples: one call for each, by default one with the samples."""

Operation = tuple[str, str]


class _Recorded(Exception):
    pass


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    with served(MagicMock()) as url, calling(url) as client:
        found: dict[str, Any] = client.get("/api/openapi.json").json()
        return found


def methods(owner: type) -> dict[str, Callable[..., Any]]:
    found = inspect.getmembers(owner, inspect.isfunction)
    return {name: method for name, method in found if not name.startswith("_") and name != "close"}


def keywords(name: str, method: Callable[..., Any]) -> dict[str, Any]:
    """The keywords of a method with their defaults; those of a TypedDict have none."""
    found: dict[str, Any] = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            found[parameter.name] = parameter.default
            continue
        typed = get_args(get_type_hints(method)[parameter.name])
        if typed:
            expanded = list(get_type_hints(typed[0]))
        elif name == "tasks.create":
            expanded = [*Specification._fields[1:]]
        elif parameter.name == "common":
            expanded = ["expected_version", "idempotency_key", "correlation_id", "automated"]
        else:
            expanded = ["arguments"]
        found |= dict.fromkeys(expanded, inspect.Parameter.empty)
    return found


def client_methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    with Client("http://nowhere.invalid") as client:
        for noun in WORKBENCH:
            for name, method in methods(type(getattr(client, noun))).items():
                yield f"{noun}.{name}", method


CLIENT = dict(client_methods())


def requests_of(name: str, monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """What a method sends when it is given all its keywords."""
    sent: list[httpx.Request] = []

    def record(self: Transport, request: httpx.Request, *given: Any, **named: Any) -> Any:
        sent.append(request)
        raise _Recorded

    monkeypatch.setattr(Transport, "_sent", record)
    noun, _, verb = name.partition(".")
    with Client("http://nowhere.invalid") as client:
        for differing in CALLS.get(name, [{}]):
            given = {key: SAMPLES.get(key, key) for key in keywords(name, CLIENT[name])} | differing
            more = given.pop("arguments", {})
            with pytest.raises(_Recorded):
                getattr(getattr(client, noun), verb)(**given, **more)
    return sent


def operation_of(request: httpx.Request, description: dict[str, Any]) -> Operation:
    """The operation that a request is for: the template of its path that has fewest places to fill."""
    fitting = [
        path
        for path in description["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.url.path)
        and request.method.lower() in description["paths"][path]
    ]
    return request.method.lower(), min(fitting, key=lambda path: path.count("{"))


def parts_of(operation: Operation, description: dict[str, Any]) -> set[str]:
    """The names of everything that an operation takes but for its path, as ``where name``."""
    method, path = operation
    described = description["paths"][path][method]
    found = {f"{one['in']} {one['name']}" for one in described.get("parameters", []) if one["in"] != "path"}
    content = (
        described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    )
    for kind in content.get("oneOf", [content]):
        if reference := kind.get("$ref"):
            schema = description["components"]["schemas"][reference.rpartition("/")[2]]
            found |= {f"body {field}" for field in schema["properties"]}
    return found - {"header last-event-id"}  # sent when a stream goes on: test_client.py


def parts_sent(request: httpx.Request, has_free_body: bool) -> set[str]:
    found = {f"query {name}" for name in request.url.params}
    found |= {f"header {name}" for name in ("if-match", "idempotency-key") if name in request.headers}
    if request.content and not has_free_body:
        found |= {f"body {field}" for field in orjson.loads(request.content)}
    return found


@pytest.mark.parametrize("name", [name for name in CLIENT if name not in ("events.dead", "events.beginning")])
def test_a_method_says_all_that_its_operation_takes(
    name: str, description: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for request in requests_of(name, monkeypatch):
        operation = operation_of(request, description)
        is_free = name in ("definitions.publish", "definitions.validate", "sla.publish")
        assert parts_sent(request, is_free) == parts_of(operation, description), operation


def test_every_operation_is_reached(description: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    reached = {
        operation_of(request, description)
        for name in CLIENT
        if name != "events.beginning"
        for request in requests_of(name, monkeypatch)
    }
    there = {(method, path) for path, methods in description["paths"].items() for method in methods}
    unreached = there - reached
    assert {path for _, path in unreached if not path.startswith(tuple(NOT_REACHED))} == set()
    assert all(any(path.startswith(prefix) for _, path in unreached) for prefix in NOT_REACHED)


def test_the_client_has_every_method_of_the_workbench() -> None:
    missing = {
        noun: lacking
        for noun, owner in WORKBENCH.items()
        if (lacking := {name for name in methods(owner) if f"{noun}.{name}" not in CLIENT})
    }
    assert missing == NOT_THERE


@pytest.mark.parametrize("name", [n for n in CLIENT if hasattr(WORKBENCH[n.split(".")[0]], n.split(".")[1])])
def test_the_client_has_every_keyword_of_the_workbench(name: str) -> None:
    noun, _, verb = name.partition(".")
    here = keywords(name, getattr(WORKBENCH[noun], verb))
    there = keywords(name, CLIENT[name])
    lacking = here.keys() - there.keys()
    assert {key for key in lacking if key not in LEFT_OUT and f"{name} {key}" not in LEFT_OUT} == set()
    empty = inspect.Parameter.empty
    both = [key for key in here if key in there and empty not in (here[key], there[key])]
    assert {key: there[key] for key in both} == {key: here[key] for key in both}
    places = [key for key in here if key not in lacking and is_positional(WORKBENCH[noun], verb, key)]
    assert [key for key in there if is_positional(type_of(noun), verb, key)] == places


def type_of(noun: str) -> type:
    with Client("http://nowhere.invalid") as client:
        return type(getattr(client, noun))


def is_positional(owner: type, verb: str, keyword: str) -> bool:
    parameter = inspect.signature(getattr(owner, verb)).parameters.get(keyword)
    return parameter is not None and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
