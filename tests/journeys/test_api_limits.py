"""What the API costs at most, and what it tells browsers: rates, bodies, timeouts, security headers, CORS."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import psycopg
import pytest
from argon2 import PasswordHasher
from serving import calling, served

import gndp
from gndp.access.passwords import Passwords
from tests.scene import digest_of

PASSWORD = "correct horse battery staple"
START = {"process_definition_id": "x", "process_name": "X", "process_type": "custom"}
Serve = Callable[..., httpx.Client]


@pytest.fixture
def serve(workbench: gndp.Workbench) -> Iterator[Serve]:
    """Serves the workbench with settings; the answer is a client of it."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    workbench.entrance.accounts._passwords = Passwords(cheap)
    with ExitStack() as stack:

        def make(needs_authentication: bool = False, **settings: Any) -> httpx.Client:
            address = stack.enter_context(served(workbench, needs_authentication, **settings))
            return stack.enter_context(calling(address))

        yield make


@pytest.fixture
def people(workbench: gndp.Workbench) -> None:
    for name in ("ann", "bob"):
        workbench.directory.add_person(name, role="manager")
        workbench.entrance.accounts.create(name, PASSWORD)


def bearer(workbench: gndp.Workbench, user_id: str) -> dict[str, str]:
    identity = workbench.entrance.accounts.sign_in(user_id, PASSWORD)
    return {"Authorization": f"Bearer {workbench.entrance.bearer.issue(identity).token}"}


def problem(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["type"].removeprefix("urn:gndp:problem:")


# ------------------------------------------------------------------------------------------------- rates


@pytest.mark.usefixtures("people")
def test_each_user_has_a_rate_of_their_own(serve: Serve, workbench: gndp.Workbench) -> None:
    client = serve(True, rate_limit="3/hour")
    ann, bob = bearer(workbench, "ann"), bearer(workbench, "bob")
    left = []
    for _ in range(3):
        reply = client.get("/api/processes", headers=ann)
        assert reply.status_code == 200
        assert reply.headers["RateLimit-Policy"] == '"default";q=3;w=3600'
        left.append(reply.headers["RateLimit"])
    assert left == [f'"default";r={n};t={3600 if n else left[-1].rpartition("=")[2]}' for n in (2, 1, 0)]
    before = digest_of(workbench.database_url)
    refused = client.post("/api/processes", json=START, headers=ann)
    assert problem(refused) == (429, "rate-limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    assert refused.headers["RateLimit"].startswith('"default";r=0;t=')
    assert client.get("/api/auth/me", headers=ann).status_code == 429
    assert client.get("/api/processes", headers=bob).status_code == 200
    assert digest_of(workbench.database_url) == before


@pytest.mark.usefixtures("people")
def test_whoever_forges_credentials_uses_up_the_share_of_their_address(
    serve: Serve, workbench: gndp.Workbench
) -> None:
    client = serve(True, rate_limit="4/hour")
    for forged in ({}, {"Authorization": "Bearer x"}, {"Cookie": "gndp_session=x"}):
        assert client.get("/api/processes", headers=forged).status_code == 401
    assert client.get("/api/openapi.json", headers={"Authorization": "Bearer x"}).status_code == 200
    for forged in ({}, {"Authorization": "Bearer y"}, {"Cookie": "gndp_session=y"}):
        assert problem(client.get("/api/processes", headers=forged)) == (429, "rate-limited")
    assert client.get("/api/openapi.json").status_code == 429
    assert client.get("/api/processes", headers=bearer(workbench, "ann")).status_code == 200
    elsewhere = {"X-Forwarded-For": "192.0.2.1"}  # as a proxy on this machine says it
    assert client.get("/api/processes", headers=elsewhere).status_code == 401


@pytest.mark.usefixtures("people")
def test_passwords_and_links_have_a_smaller_rate(serve: Serve) -> None:
    client = serve(True, sign_in_rate_limit="3/hour")
    wrong = {"user_id": "ann", "password": "wrong wrong wrong"}
    for path, body in (("sign-in", wrong), ("token", wrong), ("link", {"token": "x", "password": PASSWORD})):
        reply = client.post(f"/api/auth/{path}", json=body)
        assert reply.status_code == 401
        assert reply.headers["RateLimit-Policy"] == '"passwords";q=3;w=3600'
    right = {"user_id": "ann", "password": PASSWORD}
    for path, body in (("sign-in", right), ("token", right), ("password", {})):
        assert problem(client.post(f"/api/auth/{path}", json=body)) == (429, "rate-limited")
    assert client.get("/api/processes").status_code == 401


def test_without_authentication_the_rate_is_an_addresss_and_generous(serve: Serve) -> None:
    reply = serve(rate_limit="6000/minute").get("/api/processes")
    assert reply.headers["RateLimit-Policy"] == '"default";q=600000;w=60'
    client = serve(rate_limit="1/day")
    replies = [client.get("/api/processes").status_code for _ in range(101)]
    assert replies == [200] * 100 + [429]


def test_rates_can_be_switched_off(serve: Serve) -> None:
    assert "RateLimit" not in serve(rate_limit="off").get("/api/processes").headers


# ------------------------------------------------------------------------------------------------- bodies


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_bodies_beyond_what_json_ought_to_be(serve: Serve, workbench: gndp.Workbench) -> None:
    client = serve()
    body = {**START, "initiated_by": "ann"}
    before = digest_of(workbench.database_url)

    def sent(content: str | bytes) -> httpx.Response:
        return client.post("/api/processes", content=content, headers={"Content-Type": "application/json"})

    def with_input(value: str) -> httpx.Response:
        return sent(json.dumps({**body, "input_data": "HERE"}).replace('"HERE"', f'{{"a": {value}}}'))

    deep = with_input(nested(63))
    assert problem(deep) == (422, "invalid")
    assert deep.json()["problems"][0]["place"].startswith("input_data.a[0][0]")
    for levels in (1_000, 100_000):
        assert with_input(nested(levels)).status_code in (400, 422)
    for many in ("[" + "0," * 10_000 + "0]", json.dumps({str(n): n for n in range(10_001)})):
        reply = with_input(many)
        assert problem(reply) == (422, "invalid")
        assert reply.json()["problems"][0]["place"] == "input_data.a"
    long_name = "x" * 400_000
    crowd = with_input(f'{{"{long_name}": [{"[[]]," * 9_999}{nested(70)}]}}')
    assert crowd.status_code == 422 and len(crowd.text) < 1_000
    for number in ("NaN", "Infinity", "-Infinity"):
        assert problem(with_input(number)) == (400, "malformed")
    assert problem(sent(json.dumps(body).encode("utf-16"))) == (400, "malformed")
    for value in ('"\\ud800"', '"\\u0000"', "1e999", "1" * 400, '{"\\ud800": 1}', '{"\\u0000": 1}'):
        assert problem(with_input(value)) == (422, "invalid"), value
    assert with_input("1" * 5_000).status_code in (400, 422)
    for broken in ("{", "nonsense", '{"a": NaN', b"\xff\xfe", "[" * 70, "," * 20_000):
        assert problem(sent(broken)) == (400, "malformed"), broken
    assert digest_of(workbench.database_url) == before


def test_bodies_as_deep_and_long_as_they_may_be(serve: Serve) -> None:
    client = serve()
    given = {"NaN": "Infinity", "list": list(range(10_000)), "text": "[" * 500 + "," * 20_000}
    reply = client.post("/api/processes", json={**START, "initiated_by": "ann", "input_data": given})
    assert reply.status_code == 200, reply.text
    assert reply.json()["input_data"] == given


def test_a_body_that_trickles_in_is_cut(serve: Serve, workbench: gndp.Workbench) -> None:
    client = serve(body_timeout_seconds=0.3)
    before = digest_of(workbench.database_url)
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=30) as slow:
        head = f"Host: {client.base_url.netloc.decode()}\r\nContent-Type: application/json\r\n"
        slow.sendall(f"POST /api/processes HTTP/1.1\r\n{head}Content-Length: 100\r\n\r\n{{".encode())
        said = b""
        while part := slow.recv(65_536):  # until the server closes the connection
            said += part
    assert said.startswith(b"HTTP/1.1 408 ") and b"urn:gndp:problem:too-slow" in said
    assert digest_of(workbench.database_url) == before


# ------------------------------------------------------------------------------------------------- timeouts


def test_a_statement_that_takes_too_long_is_a_503(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    workbench = new_workbench(database_url=database_url, statement_timeout=0.3)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER linger BEFORE INSERT ON process_instances"
            " FOR EACH ROW WHEN (NEW.process_name = 'slow') EXECUTE FUNCTION linger()"
        )
    with served(workbench) as address, calling(address) as client:
        before = digest_of(database_url)
        body = {**START, "initiated_by": "ann"}
        reply = client.post("/api/processes", json={**body, "process_name": "slow"}, timeout=30)
        assert problem(reply) == (503, "timeout")
        assert reply.headers["Retry-After"]
        assert digest_of(database_url) == before
        assert client.post("/api/processes", json=body).status_code == 200


# ------------------------------------------------------------------------------------------------- headers

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.usefixtures("people")
def test_every_reply_has_security_headers(
    serve: Serve, workbench: gndp.Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = serve(True, sign_in_rate_limit="1/hour")
    ann = bearer(workbench, "ann")
    monkeypatch.setattr(type(workbench.processes), "summary", lambda _: 1 // 0)
    asked = {
        "/": ({}, 303),
        "/sign-in": ({}, 200),
        "/healthz": ({}, 200),
        "/static/js/bokeh.min.js": ({}, 200),
        "/api/processes": (ann, 200),
        "/api/tasks": ({}, 401),
        "/api/nothing": (ann, 404),
        "/api/processes?limit=0": (ann, 422),
        "/api/teams": ({"Origin": "https://elsewhere.example"}, 403),
        "/api/processes/stats/summary": ({**ann, "Connection": "close"}, 500),
    }
    for path, (headers, status) in asked.items():
        reply = client.get(path, headers=headers)
        assert reply.status_code == status, (path, reply.status_code)
        for name, value in ALWAYS.items():
            assert reply.headers.get_list(name) == [value], (path, name)
        policies = reply.headers.get_list("Content-Security-Policy")
        assert len(policies) == 1 and "frame-ancestors 'none'" in policies[0], path
        if not path.startswith("/api/"):
            assert "camera=()" in reply.headers["Permissions-Policy"], path
            assert reply.headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert "Strict-Transport-Security" not in reply.headers, path
        if path.startswith("/api/") and status != 500:
            assert reply.headers["Cache-Control"] == "no-store", path
    refused = [client.post("/api/auth/token", json={}) for _ in range(2)][1]
    assert refused.status_code == 429 and refused.headers["X-Content-Type-Options"] == "nosniff"
    over_tls = client.get("/api/processes", headers={**ann, "X-Forwarded-Proto": "https"})
    assert over_tls.headers["Strict-Transport-Security"].startswith("max-age=")


def test_without_authentication_nothing_is_private(serve: Serve) -> None:
    assert "Cache-Control" not in serve().get("/api/processes").headers


# ------------------------------------------------------------------------------------------------- CORS

FRIEND = "https://reports.example.com"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


def test_no_other_site_may_call_by_default(serve: Serve) -> None:
    client = serve()
    for method, headers in (("GET", {}), ("OPTIONS", PREFLIGHT)):
        reply = client.request(method, "/api/processes", headers={"Origin": FRIEND, **headers})
        assert reply.status_code == 403
        assert not any(name.startswith("access-control") for name in reply.headers)


@pytest.mark.usefixtures("people")
def test_listed_sites_may_call_the_api_with_tokens_only(serve: Serve, workbench: gndp.Workbench) -> None:
    client = serve(True, cors_origins=f"{FRIEND}, http://localhost:3000", sign_in_rate_limit="off")
    friend = {"Origin": FRIEND, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    preflight = client.options("/api/processes", headers={**friend, **PREFLIGHT})
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    ann = bearer(workbench, "ann")
    for reply, status in (
        (client.get("/api/processes", headers={**friend, **ann}), 200),
        (client.post("/api/processes", json=START, headers={**friend, **ann}), 200),
        (client.get("/api/processes", headers=friend), 401),
    ):
        assert reply.status_code == status
        assert reply.headers["Access-Control-Allow-Origin"] == FRIEND
        assert "Origin" in reply.headers["Vary"]
        assert "ETag" in reply.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in reply.headers
    said = client.post("/api/auth/sign-in", json={"user_id": "ann", "password": PASSWORD}).json()
    before = digest_of(workbench.database_url)
    with_cookie = {**friend, "X-CSRF-Token": said["csrf_token"]}
    assert client.post("/api/processes", json=START, headers=with_cookie).status_code == 401
    for path in ("/", "/sign-in", "/healthz", "/ws"):
        assert client.get(path, headers=friend).status_code == 403, path
    for origin in (
        "https://reports.example.com.evil.example",
        "https://reports.example.com:8443",
        "http://reports.example.com",
        "https://REPORTS.example.com",
        "null",
        "*",
    ):
        reply = client.get("/api/processes", headers={**ann, "Origin": origin})
        assert reply.status_code == 403, origin
        assert "Access-Control-Allow-Origin" not in reply.headers
    assert digest_of(workbench.database_url) == before


def test_a_listed_site_must_still_call_us_by_our_own_name(serve: Serve) -> None:
    client = serve(cors_origins=FRIEND)
    assert client.get("/api/processes", headers={"Origin": FRIEND}).status_code == 200
    rebound = {"Origin": FRIEND, "Host": "evil.example"}
    assert client.get("/api/processes", headers=rebound).status_code == 403
