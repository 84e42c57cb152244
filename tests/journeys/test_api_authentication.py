"""The API with authentication on: who is let in, with what, and to what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from serving import calling, served

import gndp
from gndp.access.passwords import Passwords

PASSWORD = "correct horse battery staple"
START = {"process_definition_id": "x", "process_name": "X", "process_type": "custom"}
OPEN = {
    ("post", "/api/auth/sign-in"),
    ("post", "/api/auth/token"),
    ("post", "/api/auth/link"),
}


@pytest.fixture
def house(workbench: gndp.Workbench) -> gndp.Workbench:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    workbench.entrance.accounts._passwords = Passwords(cheap)
    workbench.directory.add_team("north")
    for name, role in (("ann", "worker"), ("max", "manager"), ("root", "admin")):
        workbench.directory.add_person(name, team="north", role=role)
        workbench.entrance.accounts.create(name, PASSWORD)
    return workbench


@pytest.fixture
def client(house: gndp.Workbench) -> Iterator[httpx.Client]:
    with served(house, needs_authentication=True) as url, calling(url) as client:
        yield client


def bearer(client: httpx.Client, user_id: str) -> dict[str, str]:
    reply = client.post("/api/auth/token", json={"user_id": user_id, "password": PASSWORD})
    assert reply.status_code == 200, reply.text
    return {"Authorization": f"Bearer {reply.json()['access_token']}"}


def sign_in(client: httpx.Client, user_id: str) -> dict[str, Any]:
    reply = client.post("/api/auth/sign-in", json={"user_id": user_id, "password": PASSWORD})
    assert reply.status_code == 200, reply.text
    said: dict[str, Any] = reply.json()
    return said


def test_every_endpoint_wants_to_know_who_calls(client: httpx.Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    asked = 0
    for path, verbs in paths.items():
        for verb in verbs:
            if (verb, path) in OPEN:
                continue
            where = path.replace("{id}", "01a210a9-0000-7000-8000-000000000000").replace("{user_id}", "ann")
            for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic YTpi"}):
                reply = client.request(verb, where, headers=headers, json={})
                assert reply.status_code == 401, (verb, path, reply.status_code)
            asked += 1
    assert asked > 30


def test_a_well_formed_command_without_a_name_is_refused(client: httpx.Client) -> None:
    reply = client.post("/api/processes", json={**START, "initiated_by": "ann"})
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert reply.json()["type"] == "urn:gndp:problem:unauthenticated"


def test_a_bearer_token_acts_as_its_person_only(client: httpx.Client) -> None:
    ann = bearer(client, "ann")
    started = client.post("/api/processes", json=START, headers=ann)
    assert started.json()["initiated_by"] == "ann"
    other = client.post("/api/processes", json={**START, "initiated_by": "max"}, headers=ann)
    assert other.status_code == 403
    by_manager = client.post(
        "/api/processes", json={**START, "initiated_by": "ann"}, headers=bearer(client, "max")
    )
    assert by_manager.json()["initiated_by"] == "ann"
    assert client.get("/api/auth/me", headers=ann).json()["role"] == "worker"


def test_a_session_reads_by_its_cookie_and_changes_with_its_token(client: httpx.Client) -> None:
    said = sign_in(client, "ann")
    cookie = client.cookies.jar
    assert [(one.name, one.has_nonstandard_attr("HttpOnly")) for one in cookie] == [("gndp_session", True)]
    assert client.get("/api/processes").status_code == 200
    assert client.post("/api/processes", json=START).status_code == 403
    forged = {"X-CSRF-Token": "0" * 64}
    assert client.post("/api/processes", json=START, headers=forged).status_code == 403
    token = {"X-CSRF-Token": said["csrf_token"]}
    assert client.post("/api/processes", json=START, headers=token).status_code == 200
    assert client.post("/api/auth/sign-out", headers=token).status_code == 200
    client.cookies.set("gndp_session", "x" * 43)
    assert client.get("/api/processes").status_code == 401


def test_another_origin_is_refused_even_with_a_session(client: httpx.Client) -> None:
    sign_in(client, "ann")
    foreign = {"Origin": "https://elsewhere.example"}
    assert client.get("/api/processes", headers=foreign).status_code == 403


def test_a_change_of_password_ends_what_was_opened(client: httpx.Client, house: gndp.Workbench) -> None:
    token = bearer(client, "ann")
    said = sign_in(client, "ann")
    new = "another correct horse battery"
    reply = client.post(
        "/api/auth/password",
        json={"password": PASSWORD, "new": new},
        headers={"X-CSRF-Token": said["csrf_token"]},
    )
    assert reply.status_code == 200
    assert client.get("/api/processes", headers=token).status_code == 401
    assert client.get("/api/auth/me").json()["user_id"] == "ann"  # by the new session
    assert client.post("/api/auth/token", json={"user_id": "ann", "password": PASSWORD}).status_code == 401


def test_api_tokens_have_their_scopes_and_their_end(client: httpx.Client, house: gndp.Workbench) -> None:
    said = sign_in(client, "root")
    csrf = {"X-CSRF-Token": said["csrf_token"]}
    until = (house.clock() + timedelta(days=30)).isoformat()

    def make(*scopes: str) -> dict[str, Any]:
        reply = client.post(
            "/api/auth/tokens", json={"name": "t", "scopes": scopes, "expires_at": until}, headers=csrf
        )
        assert reply.status_code == 200, reply.text
        made: dict[str, Any] = reply.json()
        return made

    reading, writing = make("read"), make("write")
    listed = client.get("/api/auth/tokens").json()
    assert [one["scopes"] for one in listed] == [["read", "write"], ["read"]]
    assert all("token" not in one for one in listed)
    revoked = client.delete(f"/api/auth/tokens/{writing['id']}", headers=csrf)
    assert revoked.json()["revoked_at"]
    client.cookies.clear()
    by_reading = {"Authorization": f"Bearer {reading['token']}"}
    assert client.get("/api/processes", headers=by_reading).status_code == 200
    assert client.post("/api/processes", json=START, headers=by_reading).status_code == 403
    more = client.post(
        "/api/auth/tokens",
        json={"name": "u", "scopes": ["admin"], "expires_at": until},
        headers=by_reading,
    )
    assert more.status_code == 403
    by_writing = {"Authorization": f"Bearer {writing['token']}"}
    assert client.get("/api/processes", headers=by_writing).status_code == 401


def test_the_first_admin_comes_by_a_link_that_works_once(workbench: gndp.Workbench) -> None:
    link = workbench.entrance.accounts.first_admin_link()
    assert link is not None
    with served(workbench, needs_authentication=True) as url, calling(url) as client:
        body = {"token": link.token, "password": "short"}
        assert client.post("/api/auth/link", json=body).status_code == 422
        body["password"] = PASSWORD
        reply = client.post("/api/auth/link", json=body)
        assert (reply.status_code, reply.json()["role"]) == (200, "admin")
        assert client.get("/api/processes").status_code == 200
        assert client.post("/api/auth/link", json=body).status_code == 401


def test_pages_lead_to_the_sign_in_and_a_session_leads_back(client: httpx.Client) -> None:
    for path in ("/", "/ws", "/components/x"):
        reply = client.get(path)
        assert (reply.status_code, reply.headers["Location"][:14]) == (303, "/sign-in?next="), path
    late = client.get("/tasks?sla_status=breached&page=2")
    assert late.headers["Location"] == "/sign-in?next=%2Ftasks%3Fsla_status%3Dbreached%26page%3D2"
    page = client.get("/sign-in")
    assert page.status_code == 200 and "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert client.get("/sign-in.js").status_code == 200
    sign_in(client, "ann")
    assert client.get("/").status_code == 200


def test_a_wrong_password_tells_nothing(client: httpx.Client) -> None:
    replies = [
        client.post("/api/auth/sign-in", json={"user_id": user, "password": "wrong wrong wrong"}).json()
        for user in ("ann", "nobody")
    ]
    for reply in replies:
        del reply["correlation_id"]
    assert replies[0] == replies[1]
