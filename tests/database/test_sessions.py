"""Browser sessions on a real database: found, idle, late, replaced, forged, and bound to one password."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

import gndp
from gndp.access.identity import Identity, Proof
from gndp.access.secrets import new_secret
from gndp.access.sessions import OpenedSession
from gndp.core.errors import Forbidden, Unauthenticated
from tests.database.access_scene import NOON, OTHER, PASSWORD, Server, at_once, unauthenticated


@pytest.fixture
def server(new_workbench: Callable[..., gndp.Workbench]) -> Server:
    """A server at noon; Ann and Bob have passwords."""
    server = Server(new_workbench())
    for user_id in ("ann", "bob"):
        server.workbench.directory.add_person(user_id)
        server.accounts.create(user_id, PASSWORD)
    return server


def opened(server: Server, user_id: str = "ann", replacing: str | None = None) -> OpenedSession:
    return server.sessions.open(server.accounts.sign_in(user_id, PASSWORD), replacing)


def last_seen(server: Server) -> Any:
    return server.one("SELECT last_seen_at FROM browser_sessions")


def test_a_session_stands_for_whoever_signed_in(server: Server) -> None:
    session = opened(server)
    found = server.sessions.find(session.secret)
    assert found.identity == Identity("ann", "ann", "worker", None, 1, Proof.SESSION) == session.identity
    assert found.expires_at == session.expires_at == NOON + timedelta(days=7)
    assert server.sessions.find(opened(server, "bob").secret).identity.user_id == "bob"


def test_a_session_is_opened_with_a_password_only(server: Server) -> None:
    identity = server.accounts.sign_in("ann", PASSWORD)
    for proof in (Proof.SESSION, Proof.BEARER, Proof.API_TOKEN):
        with pytest.raises(Forbidden):
            server.sessions.open(identity._replace(proof=proof))
    for forged in (identity._replace(user_id="nobody"), identity._replace(password_generation=2)):
        unauthenticated(server.sessions.open, forged)
    assert server.rows("browser_sessions") == []


@pytest.mark.parametrize(
    "secret", ["", "x", "a" * 43, "a" * 44, None, 7, b"a" * 43, "é" * 43, "a" * 42 + "\n", "\0" * 43, "'--"]
)
def test_a_forged_session_is_refused(server: Server, secret: Any) -> None:
    opened(server)
    unauthenticated(server.sessions.find, secret)
    unauthenticated(server.sessions.rotate, secret)
    server.sessions.close(secret)
    assert len(server.rows("browser_sessions")) == 1


def test_what_the_table_holds_does_not_let_anybody_in(server: Server) -> None:
    opened(server)
    hash = server.one("SELECT encode(secret_hash, 'hex') FROM browser_sessions")
    for form in (hash, hash[:43], f"\\x{hash}"):
        unauthenticated(server.sessions.find, form)


def test_a_session_that_is_used_stays_good_for_seven_days(server: Server) -> None:
    session = opened(server)
    while server.now < NOON + timedelta(days=7) - timedelta(hours=7):
        server.wait(hours=7)
        assert server.sessions.find(session.secret).expires_at == session.expires_at
    server.now = session.expires_at - timedelta(microseconds=1)
    assert server.sessions.find(session.secret).identity.user_id == "ann"
    server.now = session.expires_at
    unauthenticated(server.sessions.find, session.secret)
    unauthenticated(server.sessions.rotate, session.secret)


def test_a_session_that_is_not_used_ends_after_eight_hours(server: Server) -> None:
    session = opened(server)
    server.wait(hours=8, microseconds=-1)
    assert server.sessions.find(session.secret).identity.user_id == "ann"
    server.wait(hours=8)
    unauthenticated(server.sessions.find, session.secret)
    unauthenticated(server.sessions.rotate, session.secret)


def test_use_is_written_down_once_a_minute(server: Server) -> None:
    session = opened(server)
    written = [server.one("SELECT xmin::text FROM browser_sessions")]
    for seconds in (0, 30, 30, 1, 59, 1, 1):
        server.wait(seconds=seconds)
        server.sessions.find(session.secret)
        written.append(server.one("SELECT xmin::text FROM browser_sessions"))
    assert [before != after for before, after in pairwise(written)] == [
        *(False, False, False, True, False, False, True)
    ]
    assert last_seen(server) == server.now


def test_a_session_is_found_in_one_round_trip(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    session = opened(server)
    trips: list[Any] = []
    read = server.workbench._database.read
    monkeypatch.setattr(server.workbench._database, "read", lambda *a: trips.append(a) or read(*a))
    monkeypatch.setattr(server.workbench._database, "transaction", None)
    for _ in range(3):
        server.wait(minutes=2)
        server.sessions.find(session.secret)
    assert [len(statements) for statements in trips] == [1, 1, 1]
    assert last_seen(server) == server.now


def test_many_requests_of_a_session_at_once_are_let_in(server: Server) -> None:
    session = opened(server)
    server.wait(minutes=2)
    answers = at_once(16, lambda _: server.sessions.find(session.secret).identity.user_id)
    assert answers == ["ann"] * 16


def test_a_replaced_session_is_good_for_thirty_seconds_more(server: Server) -> None:
    old = opened(server)
    server.wait(hours=1)
    new = server.sessions.rotate(old.secret)
    assert new.secret != old.secret and new.csrf_token != old.csrf_token
    assert new.expires_at == old.expires_at
    assert new.identity == old.identity
    server.wait(seconds=30, microseconds=-1)
    assert server.sessions.find(old.secret).identity.user_id == "ann"
    assert server.sessions.find(new.secret).expires_at == old.expires_at
    server.wait(microseconds=1)
    unauthenticated(server.sessions.find, old.secret)
    assert server.sessions.find(new.secret).identity.user_id == "ann"


def test_a_session_is_replaced_once(server: Server) -> None:
    session = opened(server)
    answers = at_once(6, lambda _: server.sessions.rotate(session.secret))
    assert sum(isinstance(answer, OpenedSession) for answer in answers) == 1
    assert sum(isinstance(answer, Unauthenticated) for answer in answers) == 5
    unauthenticated(server.sessions.rotate, session.secret)


def test_replacing_does_not_put_off_the_end(server: Server) -> None:
    session = opened(server)
    for _ in range(27):
        server.wait(hours=6)
        session = server.sessions.rotate(session.secret)
    assert session.expires_at == NOON + timedelta(days=7)
    server.wait(hours=6)
    unauthenticated(server.sessions.find, session.secret)


def test_rights_that_changed_are_those_of_the_replaced_session_too(server: Server) -> None:
    session = opened(server)
    server.workbench.directory.update_person("ann", role="manager")
    assert server.sessions.find(session.secret).identity.role == "manager"
    assert server.sessions.rotate(session.secret).identity.role == "manager"
    assert server.sessions.find(session.secret).identity.role == "manager"


def test_signing_in_again_replaces_the_session_of_the_browser(server: Server) -> None:
    first = opened(server)
    second = opened(server, replacing=first.secret)
    assert server.sessions.find(first.secret).identity.user_id == "ann"
    server.wait(seconds=31)
    unauthenticated(server.sessions.find, first.secret)
    assert server.sessions.find(second.secret).identity.user_id == "ann"


def test_signing_in_as_somebody_else_ends_the_session_of_the_browser(server: Server) -> None:
    first = opened(server)
    second = opened(server, "bob", replacing=first.secret)
    unauthenticated(server.sessions.find, first.secret)
    assert server.sessions.find(second.secret).identity.user_id == "bob"


@pytest.mark.parametrize("replacing", ["", "x", "a" * 43, 7, "\0" * 43])
def test_a_cookie_that_stands_for_nothing_hinders_nobody(server: Server, replacing: Any) -> None:
    session = opened(server, replacing=replacing)
    assert session.secret != replacing
    assert server.sessions.find(session.secret).identity.user_id == "ann"


def test_a_session_ends_when_it_is_closed(server: Server) -> None:
    first, second, bobs = opened(server), opened(server), opened(server, "bob")
    server.sessions.close(first.secret)
    server.sessions.close(first.secret)
    unauthenticated(server.sessions.find, first.secret)
    assert server.sessions.find(second.secret).identity.user_id == "ann"
    server.sessions.close_all("ann")
    unauthenticated(server.sessions.find, second.secret)
    assert server.sessions.find(bobs.secret).identity.user_id == "bob"


def test_signing_out_ends_the_session_that_was_replaced_as_well(server: Server) -> None:
    old, elsewhere = opened(server), opened(server)
    new = server.sessions.rotate(old.secret)
    server.sessions.close(new.secret)
    unauthenticated(server.sessions.find, new.secret)
    unauthenticated(server.sessions.find, old.secret)
    assert server.sessions.find(elsewhere.secret).identity.user_id == "ann"


def test_a_session_of_somebody_who_left_is_refused(server: Server) -> None:
    session = opened(server)
    server.workbench.directory.update_person("ann", active=False)
    unauthenticated(server.sessions.find, session.secret)
    unauthenticated(server.sessions.rotate, session.secret)


def test_a_session_cannot_outlive_a_change_of_password_by_being_replaced_meanwhile(server: Server) -> None:
    for round in range(5):
        password, new = (PASSWORD, OTHER) if round % 2 == 0 else (OTHER, PASSWORD)
        session = server.sessions.open(server.accounts.sign_in("ann", password))

        def act(n: int, secret: str = session.secret, old: str = password, new: str = new) -> Any:
            if n == 0:
                return server.accounts.change_password("ann", old, new)
            return server.sessions.rotate(secret)

        changed, rotated = at_once(2, act)
        assert isinstance(changed, Identity)
        if isinstance(rotated, OpenedSession):
            unauthenticated(server.sessions.find, rotated.secret)
        else:
            assert isinstance(rotated, Unauthenticated)


def test_sessions_that_are_over_make_room_when_the_person_signs_in(server: Server) -> None:
    for _ in range(3):
        opened(server)
    opened(server, "bob")
    server.wait(hours=8)
    opened(server)
    assert len(server.rows("browser_sessions")) == 2


def test_a_page_knows_its_sessions_csrf_token_and_no_other(server: Server) -> None:
    session, other = opened(server), opened(server)
    sessions = server.sessions
    assert session.csrf_token == sessions.csrf_token(session.secret)
    assert sessions.is_csrf_token(session.secret, session.csrf_token)
    assert session.secret not in session.csrf_token
    wrong: list[Any] = [
        *(other.csrf_token, session.csrf_token[:-1], session.csrf_token.upper(), session.secret),
        *("", None, 7, "é", session.csrf_token.encode()),
    ]
    for presented in wrong:
        assert not sessions.is_csrf_token(session.secret, presented)
    assert not sessions.is_csrf_token(sessions.rotate(session.secret).secret, session.csrf_token)
    assert not sessions.is_csrf_token("", sessions.csrf_token(""))


def test_secrets_are_not_guessed() -> None:
    made = {new_secret() for _ in range(1_000)}
    assert len(made) == 1_000
    assert {len(secret) for secret in made} == {43}
