"""Who may do what, cell by cell: every operation of the API × every role × whose object it is, over HTTP.

``rights_matrix.csv`` is written by hand from what the roles mean, and not drawn from the policy table, which
is what is tested. Its cells are status codes; those of bulk operations are what is said of their one item.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from gndp.core.states import Role
from tests.journeys.rights_house import ROLES, SECRET, Caller, House, house_on
from tests.journeys.rights_requests import REQUESTS, Asked

COLUMNS = (*ROLES, "anonymous")
OPEN = {
    ("POST", "/api/auth/sign-in"),
    ("POST", "/api/auth/token"),
    ("POST", "/api/auth/link"),
}
"""What may be asked by whoever has not said who they are."""

NOWHERE = "01a210a9-0000-7000-8000-000000000000"


class Matrix(NamedTuple):
    """A row: an operation on somebody's object, and the status for the caller of each column."""

    method: str
    path: str
    whose: str
    expected: dict[str, int]


def _matrix() -> Iterator[Matrix]:
    with Path(__file__).with_name("rights_matrix.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        assert reader.fieldnames == ["method", "path", "object", *COLUMNS]
        for row in reader:
            expected = {column: int(row[column]) for column in COLUMNS}
            yield Matrix(row["method"], row["path"], row["object"], expected)


MATRIX = list(_matrix())


@pytest.fixture(scope="module")
def house(module_database_url: str) -> Iterator[House]:
    with house_on(module_database_url) as house:
        yield house


def send(house: House, method: str, path: str, asked: Asked, caller: Caller) -> httpx.Response:
    """The reply; of an endless one only its beginning."""
    address = re.sub(r"\{(\w+)\}", lambda name: str(asked.parameters[name[1]]), path)
    headers = (asked.caller or caller).headers
    house.client.cookies.clear()
    with house.client.stream(
        method, address, params=dict(asked.query), json=asked.body, headers=headers
    ) as reply:
        if not reply.headers.get("Content-Type", "").startswith("text/event-stream"):
            reply.read()
        return reply


def status_of(path: str, reply: httpx.Response) -> int:
    if path.startswith("/api/bulk/") and reply.status_code == 200 and "results" in (said := reply.json()):
        (result,) = said["results"]
        status: int = result["status"]
        return status
    return reply.status_code


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row.method} {row.path} {row.whose}")
def test_every_cell(house: House, row: Matrix) -> None:
    """Refusals first: after them nothing is written, and nothing was told. Then what is allowed succeeds."""
    make = REQUESTS[row.method, row.path]
    in_one = row.path.startswith(("/api/processes", "/api/tasks"))
    with house.workbench.transaction() if in_one else nullcontext():
        asked = {column: make(house, column, row.whose) for column in COLUMNS}
    replies: dict[str, httpx.Response] = {}

    def ask(is_allowed: bool) -> None:
        for column, expected in row.expected.items():
            if (expected == 200) == is_allowed:
                replies[column] = send(house, row.method, row.path, asked[column], house.callers[column])

    before = house.written()
    ask(is_allowed=False)
    is_unchanged = house.written() == before
    ask(is_allowed=True)
    found = {column: status_of(row.path, replies[column]) for column in COLUMNS}
    assert found == row.expected
    assert is_unchanged, "what was refused has changed something"
    told = [column for column in COLUMNS if found[column] != 200 and SECRET in replies[column].text]
    assert told == [], "whoever is refused is told what they must not see"


def test_every_operation_has_its_rows_and_no_other_has_one(house: House) -> None:
    served = {
        (method.upper(), path)
        for path, verbs in house.client.get("/api/openapi.json").json()["paths"].items()
        for method in verbs
    }
    whose: dict[tuple[str, str], set[str]] = {}
    for row in MATRIX:
        known = whose.setdefault((row.method, row.path), set())
        assert row.whose not in known, f"{row.method} {row.path} {row.whose} is there twice"
        known.add(row.whose)
    assert whose.keys() == served, "operations and rows of rights_matrix.csv differ"
    assert REQUESTS.keys() == served
    for (method, path), found in whose.items():
        if path.startswith(("/api/processes/{", "/api/tasks/{", "/api/bulk/")):
            assert found >= {"own", "team", "foreign"}, f"{method} {path} has not everybody's objects"


def test_every_role_has_a_column_and_only_the_ways_in_are_open() -> None:
    assert ROLES.keys() == {*Role, "reading", "writing"}
    assert {(row.method, row.path) for row in MATRIX if row.expected["anonymous"] != 401} == OPEN


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Cookie": "gndp_session=x"}])
def test_whoever_does_not_say_who_they_are_is_refused_before_anything_else(
    house: House, headers: dict[str, str]
) -> None:
    nobody = Caller("nobody", headers)
    before = house.written()
    for method, path in REQUESTS.keys() - OPEN:
        for body in (None, {}, {"nonsense": 1}):
            parameters = dict.fromkeys(("id", "user_id", "name"), NOWHERE)
            reply = send(house, method, path, Asked(parameters, body=body), nobody)
            assert reply.status_code == 401, (method, path)
    assert house.written() == before


@pytest.mark.parametrize("noun", ["processes", "tasks"])
def test_a_version_that_does_not_fit_tells_nothing_of_a_foreign_item(house: House, noun: str) -> None:
    caller = house.callers["worker"]
    item = house.process(caller, "foreign") if noun == "processes" else house.task(caller, "foreign")
    headers = {**caller.headers, "If-Match": '"99"'}
    for verb, body in {
        "": {"priority": "high"},
        "/comment": {"text": "hello"},
        "/cancel": {"reason": "no"},
        "/retry": {},
    }.items():
        method = "POST" if verb else "PATCH"
        reply = house.client.request(method, f"/api/{noun}/{item.id}{verb}", json=body, headers=headers)
        assert (reply.status_code, reply.json().get("current")) == (403, None), verb
    bulk = {
        "verb": "comment",
        "arguments": {"text": "hello"},
        "items": [{"id": str(item.id), "version": 99}],
    }
    reply = house.client.post(f"/api/bulk/{noun}", json=bulk, headers=caller.headers)
    (result,) = reply.json()["results"]
    assert (result["status"], result["item"], result["problem"].get("current")) == (403, None, None)


def test_an_id_that_is_taken_tells_nothing_of_a_foreign_task(house: House) -> None:
    caller = house.callers["worker"]
    own, foreign = house.process(caller, "own"), house.task(caller, "foreign", "failed")
    body = {
        "process_instance_id": str(own.id),
        "id": str(foreign.id),
        "task_definition_id": "t",
        "task_name": "T",
        "task_type": "manual",
    }
    reply = house.client.post("/api/tasks", json=body, headers=caller.headers)
    assert reply.status_code == 409
    assert reply.json()["current"] == {"status": None, "version": None}
