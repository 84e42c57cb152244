"""Forged callers over HTTP and WebSocket, with authentication on: all are refused, and change nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
import pytest
import websockets
from argon2 import PasswordHasher
from serving import calling, served

import gndp
from gndp.access.passwords import Passwords
from gndp.access.sessions import IDLE, LIFETIME, REPLACED_FOR, OpenedSession
from tests.bad_tokens import BAD_TOKENS, GOOD, KEY, NOON
from tests.scene import digest_of

PASSWORD = "correct horse battery staple"
START = {"process_definition_id": "x", "process_name": "X", "process_type": "custom"}
NOWHERE = "01a210a9-0000-7000-8000-000000000000"
OPEN = {f"/api/auth/{name}" for name in ("sign-in", "token", "link")}


class House(NamedTuple):
    """A served workbench at noon where Ann (a manager, with her third password) and Bob work."""

    workbench: gndp.Workbench
    address: str
    client: httpx.Client

    def session(self, user_id: str = "ann") -> OpenedSession:
        entrance = self.workbench.entrance
        return entrance.sessions.open(entrance.accounts.sign_in(user_id, PASSWORD))

    def wait(self, time: timedelta) -> None:
        now = self.workbench.clock()
        self.workbench.clock = lambda: now + time

    def start(self, **headers: str) -> int:
        """The status of an attempt to start a process."""
        return self.client.post("/api/processes", json=START, headers=headers).status_code

    def by_cookie(self, secret: str, csrf_token: str | None, **headers: str) -> int:
        if csrf_token is not None:
            headers["X-CSRF-Token"] = csrf_token
        return self.start(Cookie=f"gndp_session={secret}", **headers)

    def socket_status(self, page_token: str, **headers: str) -> int:
        """The status of a real handshake with the workbench's WebSocket; 101 when it opens."""

        async def shake() -> int:
            url = self.address.replace("http", "ws") + "/ws"
            offered: Any = ["bokeh", page_token]
            try:
                async with websockets.connect(url, subprotocols=offered, additional_headers=headers):
                    return 101
            except websockets.InvalidStatus as refused:
                return refused.response.status_code

        return asyncio.run(shake())


@pytest.fixture
def house(workbench: gndp.Workbench) -> Iterator[House]:
    workbench.clock = lambda: NOON
    entrance = workbench.entrance
    entrance.accounts._passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    entrance.bearer._signing_key = lambda: KEY
    for name in ("ann", "bob"):
        workbench.directory.add_person(name, role="manager")
        entrance.accounts.create(name, PASSWORD)
    for old, new in ((PASSWORD, "another long password"), ("another long password", PASSWORD)):
        entrance.accounts.change_password("ann", old, new)
    with (
        served(workbench, needs_authentication=True, sign_in_rate_limit="off") as address,
        calling(address) as client,
    ):
        yield House(workbench, address, client)


def as_header(token: object) -> bytes | None:
    """A token as a header can carry it; None when HTTP itself cannot."""
    if not isinstance(token, str) or "\n" in token or token != token.strip():
        return None
    try:
        return b"Bearer " + token.encode() if token else b"Bearer"
    except UnicodeEncodeError:
        return None


def test_every_kind_of_bad_token_is_refused(house: House) -> None:
    assert house.start(Authorization=f"Bearer {GOOD}") == 200, "what the bad ones are made from is good"
    before = digest_of(house.workbench.database_url)
    sent = {kind: header for kind, token in BAD_TOKENS.items() if (header := as_header(token))}
    assert len(sent) > 80
    let_in = {}
    for kind, header in sent.items():
        headers: Any = [(b"Authorization", header)]
        replies = [
            house.client.post("/api/processes", json=START, headers=headers),
            house.client.get("/api/processes", headers=headers),
        ]
        if any(reply.status_code != 401 for reply in replies):
            let_in[kind] = [reply.status_code for reply in replies]
        assert {reply.json()["type"] for reply in replies} == {"urn:gndp:problem:unauthenticated"}, kind
    assert let_in == {}
    assert digest_of(house.workbench.database_url) == before


def test_a_good_token_in_another_place_or_scheme_is_none(house: House) -> None:
    before = digest_of(house.workbench.database_url)
    for value in (
        GOOD,
        f"Token {GOOD}",
        f"Basic {GOOD}",
        f"Bearer {GOOD} {GOOD}",
        f"Bearer, {GOOD}",
        "Bearer",
    ):
        assert house.start(Authorization=value) == 401, value
    assert house.by_cookie(GOOD, "x") == 401
    assert house.client.post(f"/api/processes?access_token={GOOD}", json=START).status_code == 401
    assert digest_of(house.workbench.database_url) == before


def test_a_bad_token_is_not_made_good_by_a_session(house: House) -> None:
    opened = house.session()
    before = digest_of(house.workbench.database_url)
    assert house.by_cookie(opened.secret, opened.csrf_token, Authorization="Bearer x") == 401
    assert digest_of(house.workbench.database_url) == before


def test_forged_altered_and_ended_sessions_are_refused(house: House) -> None:
    sessions = house.workbench.entrance.sessions
    accounts = house.workbench.entrance.accounts
    good, signed_out, replaced, ended, left = (house.session() for _ in range(5))
    other = house.session("bob")
    page = house.client.get("/", headers={"Cookie": f"gndp_session={good.secret}"})
    page_token = re.search(r'"token":"([^"]+)"', page.text)
    assert page_token is not None
    sessions.close(signed_out.secret)
    sessions.rotate(replaced.secret)
    house.wait(REPLACED_FOR + timedelta(seconds=1))
    assert house.by_cookie(good.secret, good.csrf_token) == 200
    assert house.by_cookie(other.secret, other.csrf_token) == 200
    first = "B" if good.secret[0] == "A" else "A"
    secrets = {
        "forged": "x" * 43,
        "empty": "",
        "altered": first + good.secret[1:],
        "cut": good.secret[:-1],
        "longer": f"{good.secret}A",
        "another case": good.secret.swapcase(),
        "signed out": signed_out.secret,
        "replaced": replaced.secret,
    }
    before = digest_of(house.workbench.database_url)
    for kind, secret in secrets.items():
        # Whoever made up a secret can work out its CSRF token, too.
        assert house.by_cookie(secret, sessions.csrf_token(secret)) == 401, kind
        cookie = {"Cookie": f"gndp_session={secret}"}
        assert house.client.get("/api/processes", headers=cookie).status_code == 401, kind
        assert house.client.get("/", headers=cookie).status_code == 303, kind
        assert house.socket_status(page_token[1], Origin=house.address, **cookie) == 403, kind
    assert digest_of(house.workbench.database_url) == before

    accounts.change_password("ann", PASSWORD, "yet another password")
    house.workbench.directory.update_person("bob", active=False)
    before = digest_of(house.workbench.database_url)
    for opened in (good, ended, left, other):
        assert house.by_cookie(opened.secret, opened.csrf_token) == 401
    assert digest_of(house.workbench.database_url) == before


@pytest.mark.parametrize("time", [IDLE, LIFETIME], ids=["idle", "expired"])
def test_a_session_that_was_left_alone_is_refused(house: House, time: timedelta) -> None:
    opened = house.session()
    assert house.by_cookie(opened.secret, opened.csrf_token) == 200
    house.wait(time + timedelta(minutes=2))
    before = digest_of(house.workbench.database_url)
    assert house.by_cookie(opened.secret, opened.csrf_token) == 401
    assert digest_of(house.workbench.database_url) == before


def test_a_session_changes_nothing_for_a_foreign_page(house: House) -> None:
    mine, other = house.session(), house.session("bob")
    own = {"Origin": house.address, "Sec-Fetch-Site": "same-origin"}
    assert house.by_cookie(mine.secret, mine.csrf_token, **own) == 200
    before = digest_of(house.workbench.database_url)
    for token in (None, "", other.csrf_token, "0" * 64, mine.csrf_token.upper(), mine.csrf_token[:-1]):
        assert house.by_cookie(mine.secret, token, **own) == 403, token
    for foreign in (
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": house.address.replace("http:", "https:") + ".elsewhere.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": house.address.replace("127.0.0.1", "localhost")},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": house.address, "Sec-Fetch-Site": "cross-site"},
    ):
        assert house.by_cookie(mine.secret, mine.csrf_token, **foreign) == 403, foreign
    assert digest_of(house.workbench.database_url) == before


def test_no_endpoint_is_changed_by_a_session_without_its_token(house: House) -> None:
    mine = house.session()
    paths = house.client.get("/api/openapi.json").json()["paths"]
    before = digest_of(house.workbench.database_url)
    asked = 0
    for path, verbs in paths.items():
        for verb in verbs.keys() - {"get"}:
            if path in OPEN:
                continue
            where = re.sub(r"\{[^}]*\}", NOWHERE, path)
            cookie = {"Cookie": f"gndp_session={mine.secret}"}
            reply = house.client.request(verb, where, headers=cookie, json={})
            assert reply.status_code == 403, (verb, path, reply.status_code)
            asked += 1
    assert asked > 40
    assert digest_of(house.workbench.database_url) == before


def test_the_websocket_wants_a_session_and_its_own_origin(house: House) -> None:
    mine, closed = house.session(), house.session()
    cookie = {"Cookie": f"gndp_session={mine.secret}"}
    page = house.client.get("/", headers=cookie)
    found = re.search(r'"token":"([^"]+)"', page.text)
    assert found is not None
    house.workbench.entrance.sessions.close(closed.secret)
    own = {"Origin": house.address}
    assert house.socket_status(found[1], **own, **cookie) == 101
    before = digest_of(house.workbench.database_url)
    assert house.socket_status(found[1], **own) == 403
    assert house.socket_status(found[1], **own, Cookie=f"gndp_session={closed.secret}") == 403
    assert house.socket_status(found[1], **own, Authorization=f"Bearer {GOOD}") == 403
    for origin in ("https://elsewhere.example", "null", "http://127.0.0.1:1"):
        assert house.socket_status(found[1], Origin=origin, **cookie) == 403, origin
    assert house.socket_status(found[1], **own, **cookie, **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert digest_of(house.workbench.database_url) == before
