"""For every operation of the API, a request that succeeds for whoever may make it, on fresh objects.

``REQUESTS`` has a maker for each, by method and path as the OpenAPI document writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from tests.journeys.rights_house import LATER, NOON, PASSWORD, SECRET, Caller, House

NEW_PASSWORD = "another correct horse battery"
OFFICE = {"time_zone": "Europe/Berlin", "hours": {str(day): [["09:00", "17:00"]] for day in range(5)}}
START = {"process_definition_id": "loose", "process_name": SECRET, "process_type": "custom"}
STEP = {"task_definition_id": "step", "task_name": SECRET, "task_type": "manual"}


class Asked(NamedTuple):
    """What fills the path, the query and the body of a request. ``caller`` is who makes it, if not the one
    that it was made for."""

    parameters: Mapping[str, Any] = {}
    query: Mapping[str, Any] = {}
    body: Any = None
    caller: Caller | None = None


Maker = Callable[[House, str, str], Asked]
"""Makes a request from the house, the column of whoever calls, and whose the object is."""


def _plain(body: Any = None, **parameters: Any) -> Maker:
    return lambda house, column, whose: Asked(parameters, body=body)


def _process(state: str = "running", body: Any = None, query: Mapping[str, Any] = {}) -> Maker:
    def make(house: House, column: str, whose: str) -> Asked:
        id = house.process(house.callers[column], whose, state).id
        named = {"user_id": "cora"} if whose == "named" else {}
        return Asked({"id": id}, {**query, **named}, body)

    return make


def _task(state: str = "assigned", body: Any = None) -> Maker:
    def make(house: House, column: str, whose: str) -> Asked:
        free = state == "queued" and whose in ("own", "team")
        id = house.task(house.callers[column], whose, "assigned" if free else state).id
        named = {"user_id": "cora"} if whose == "named" else {}
        return Asked({"id": id}, body=None if body is None else {**body, **named})

    return make


def _start(house: House, column: str, whose: str) -> Asked:
    match whose:
        case "-":
            return Asked(body=START)
        case "named":
            return Asked(body={**START, "initiated_by": "cora"})
        case _:
            parent = house.process(house.callers[column], whose)
            return Asked(body={**START, "parent_process_id": str(parent.id)})


def _create_task(house: House, column: str, whose: str) -> Asked:
    process = house.process(house.callers[column], whose)
    named = {"user_id": "cora"} if whose == "named" else {}
    return Asked(body={**STEP, **named, "process_instance_id": str(process.id)})


def _create_tasks(house: House, column: str, whose: str) -> Asked:
    process = house.process(house.callers[column], whose)
    named = {"user_id": "cora"} if whose == "named" else {}
    return Asked(body={**named, "specifications": [{**STEP, "process_instance_id": str(process.id)}] * 2})


def _my_tasks(house: House, column: str, whose: str) -> Asked:
    task = house.task(house.callers[column], whose)
    return Asked({"user_id": task.assigned_to})


def _bulk(noun: str) -> Maker:
    def make(house: House, column: str, whose: str) -> Asked:
        item = getattr(house, noun)(house.callers[column], whose)
        return Asked(
            body={"verb": "update", "arguments": {"priority": "high"}, "items": [{"id": str(item.id)}]}
        )

    return make


def _events(house: House, column: str, whose: str) -> Asked:
    if whose == "-":
        return Asked()
    return Asked(query={"process_id": house.process(house.callers[column], whose).id})


def _link(house: House, column: str, whose: str) -> Asked:
    token = house.workbench.entrance.accounts.issue_link(_person(house)).token
    return Asked(body={"token": token, "password": PASSWORD})


def _change_password(house: House, column: str, whose: str) -> Asked:
    caller = house.callers[column] if column == "anonymous" else house.new_caller(column)
    return Asked(body={"password": PASSWORD, "new": NEW_PASSWORD}, caller=caller)


def _token_of(house: House, user_id: str) -> str:
    return house.workbench.entrance.tokens.create(user_id, "t", ["read"], NOON + timedelta(days=1)).record.id


def _own_token(house: House, column: str, whose: str) -> Asked:
    is_own = whose == "own" and column != "anonymous"
    return Asked({"id": _token_of(house, house.callers[column].user_id if is_own else "sam")})


def _person(house: House, **options: Any) -> str:
    return house.workbench.directory.add_person(house.new_name("person"), **options).user_id


def _absence(is_over: bool) -> Maker:
    def make(house: House, column: str, whose: str) -> Asked:
        is_own = whose == "own" and column != "anonymous"
        user_id = (
            house.callers[column].user_id
            if is_own
            else _person(house, team="south" if whose == "foreign" else "north")
        )
        if is_over:
            house.workbench.directory.set_out_of_office(user_id, NOON + timedelta(days=1))
        return Asked({"user_id": user_id}, body=None if is_over else {"until": LATER})

    return make


def _definition(house: House, column: str, whose: str) -> Asked:
    return Asked(body={"id": house.new_name("d"), "name": "D", "steps": [{"id": "greet", "name": "Greet"}]})


def _policy(house: House) -> dict[str, Any]:
    return {
        "name": house.new_name("p"),
        "item": "process",
        "target_minutes": 60,
        "applies_to": {"template": "none"},
    }


def _published_policy(house: House, column: str, whose: str) -> Asked:
    return Asked({"name": house.workbench.sla.publish(_policy(house), user_id="olga").name}, body={})


def _published_definition(house: House, column: str, whose: str) -> Asked:
    body = _definition(house, column, whose).body
    return Asked({"id": house.workbench.definitions.publish(body, user_id="olga").id})


def _saved_calendar(house: House, column: str, whose: str) -> Asked:
    name = house.new_name("office")
    house.workbench.calendars.save(name, OFFICE)
    return Asked({"name": name}, body=OFFICE)


def _subscription(house: House, column: str, whose: str) -> Asked:
    name = house.new_name("mail")
    house.workbench.events.subscribe_durable(name, "process.*", lambda event: None).close()
    return Asked({"name": name}, body={})


def _account(house: House, column: str, whose: str) -> Asked:
    user_id = _person(house)
    house.workbench.entrance.accounts.create(user_id)
    return Asked({"user_id": user_id})


def _token_for(house: House, column: str, whose: str) -> Asked:
    user_id = _person(house, role="service" if whose == "program" else "worker")
    return Asked({"user_id": user_id}, body={"name": "t", "scopes": ["read"], "expires_at": LATER})


def _token_of_somebody(house: House, column: str, whose: str) -> Asked:
    user_id = _person(house)
    return Asked({"user_id": user_id, "id": _token_of(house, user_id)})


def _new_team(house: House) -> str:
    return house.workbench.directory.add_team(house.new_name("team")).name


_SIGN_IN = {"user_id": "cora", "password": PASSWORD}
_REASON = {"reason": "because"}
_REQUESTS: dict[str, Maker] = {
    "POST /api/auth/sign-in": _plain(_SIGN_IN),
    "POST /api/auth/sign-out": _plain(),
    "POST /api/auth/token": _plain(_SIGN_IN),
    "GET /api/auth/me": _plain(),
    "POST /api/auth/password": _change_password,
    "POST /api/auth/link": _link,
    "GET /api/auth/tokens": _plain(),
    "POST /api/auth/tokens": _plain({"name": "t", "scopes": ["read"], "expires_at": LATER}),
    "DELETE /api/auth/tokens/{id}": _own_token,
    "POST /api/processes": _start,
    "GET /api/processes": _plain(),
    "GET /api/processes/stats/summary": _plain(),
    "GET /api/processes/{id}": _process(),
    "PATCH /api/processes/{id}": _process(body={"priority": "high"}),
    "PUT /api/processes/{id}/status": _process(body={"new_status": "suspended", **_REASON}),
    "POST /api/processes/{id}/suspend": _process(query=_REASON),
    "POST /api/processes/{id}/resume": _process("suspended"),
    "GET /api/processes/{id}/events": _process(),
    "GET /api/processes/{id}/timeline": _process(),
    "GET /api/processes/{id}/children": _process(),
    "GET /api/processes/{id}/clocks": _process(),
    "POST /api/processes/{id}/complete": _process(body={}),
    "POST /api/processes/{id}/fail": _process(body={"error_message": "no"}),
    "POST /api/processes/{id}/cancel": _process(body=_REASON),
    "POST /api/processes/{id}/retry": _process("failed", {}),
    "POST /api/processes/{id}/comment": _process(body={"text": "hello"}),
    "POST /api/processes/{id}/recompute": _process(body=_REASON),
    "POST /api/tasks": _create_task,
    "GET /api/tasks": _plain(),
    "GET /api/tasks/my-tasks/{user_id}": _my_tasks,
    "GET /api/tasks/stats/assignment": _plain(),
    "GET /api/tasks/stats/workload": _plain(),
    "GET /api/tasks/{id}": _task(),
    "PATCH /api/tasks/{id}": _task(body={"priority": "high"}),
    "GET /api/tasks/{id}/assignment": _task(),
    "GET /api/tasks/{id}/clocks": _task(),
    "POST /api/tasks/{id}/assign": _task(body={"assigned_to": "ned"}),
    "POST /api/tasks/{id}/claim": _task("queued", {}),
    "POST /api/tasks/{id}/release": _task(body={}),
    "POST /api/tasks/{id}/start": _task(body={}),
    "POST /api/tasks/{id}/complete": _task("working", {}),
    "POST /api/tasks/{id}/fail": _task("working", {"error_message": "no"}),
    "POST /api/tasks/{id}/skip": _task(body=_REASON),
    "POST /api/tasks/{id}/cancel": _task(body=_REASON),
    "POST /api/tasks/{id}/retry": _task("failed", {}),
    "POST /api/tasks/{id}/reassign": _task(body={"new_assignee": "ned", **_REASON}),
    "POST /api/tasks/{id}/wait": _task("working", _REASON),
    "POST /api/tasks/{id}/resume": _task("waiting", {}),
    "POST /api/tasks/{id}/comment": _task(body={"text": "hello"}),
    "POST /api/tasks/{id}/recompute": _task(body=_REASON),
    "POST /api/bulk/new-tasks": _create_tasks,
    "POST /api/bulk/processes": _bulk("process"),
    "POST /api/bulk/tasks": _bulk("task"),
    "GET /api/definitions": _plain(),
    "POST /api/definitions": _definition,
    "GET /api/definitions/{id}": _published_definition,
    "POST /api/validation/definition": _definition,
    "GET /api/sla/policies": _plain(),
    "POST /api/sla/policies": lambda house, column, whose: Asked(body=_policy(house)),
    "GET /api/sla/policies/{name}": _published_policy,
    "POST /api/sla/policies/{name}/retire": _published_policy,
    "POST /api/sla/preview": lambda house, column, whose: Asked(
        body={"policy": _policy(house), "opened_at": LATER}
    ),
    "GET /api/calendars": _plain(),
    "GET /api/calendars/{name}": _saved_calendar,
    "PUT /api/calendars/{name}": _saved_calendar,
    "GET /api/people": _plain(),
    "POST /api/people": lambda house, column, whose: Asked(body={"user_id": house.new_name("new")}),
    "GET /api/people/{user_id}": _plain(user_id="sam"),
    "PATCH /api/people/{user_id}": lambda house, column, whose: Asked(
        {"user_id": _person(house)}, body={"capacity": 3}
    ),
    "PUT /api/people/{user_id}/out-of-office": _absence(is_over=False),
    "DELETE /api/people/{user_id}/out-of-office": _absence(is_over=True),
    "GET /api/teams": _plain(),
    "POST /api/teams": lambda house, column, whose: Asked(body={"name": house.new_name("team")}),
    "GET /api/teams/{name}": _plain(name="south"),
    "PATCH /api/teams/{name}": lambda house, column, whose: Asked(
        {"name": _new_team(house)}, body={"imbalance_limit": 9}
    ),
    "GET /api/events": _events,
    "GET /api/subscriptions": _plain(),
    "GET /api/deliveries": _plain(),
    "POST /api/subscriptions/{name}/replay": _subscription,
    "POST /api/subscriptions/{name}/discard": _subscription,
    "DELETE /api/subscriptions/{name}": _subscription,
    "GET /api/jobs": _plain(),
    "GET /api/jobs/runs": _plain(),
    "POST /api/jobs/{name}/run": _plain(name="idempotency"),
    "GET /api/accounts": _plain(),
    "GET /api/accounts/{user_id}": _account,
    "POST /api/accounts/{user_id}/link": _account,
    "POST /api/accounts/{user_id}/sign-out": _account,
    "GET /api/accounts/{user_id}/tokens": _account,
    "POST /api/accounts/{user_id}/tokens": _token_for,
    "DELETE /api/accounts/{user_id}/tokens/{id}": _token_of_somebody,
}
REQUESTS: dict[tuple[str, str], Maker] = {
    (method, path): make
    for (method, path), make in ((tuple(name.split(" ")), make) for name, make in _REQUESTS.items())
}
