"""Accounts on a real database: passwords, one-time links, lock-outs, and what is told of them to whom."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher

import gndp
from gndp.access.accounts import Accounts
from gndp.access.identity import ALL_SCOPES, Identity, Proof
from gndp.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from gndp.core.states import LinkPurpose
from tests.database.access_scene import CHEAP, NOON, OTHER, PASSWORD, Server, at_once, unauthenticated
from tests.scene import BAD_SHORT_TEXTS


@pytest.fixture
def server(new_workbench: Callable[..., gndp.Workbench], database_url: str) -> Server:
    """A server at noon with a few people; Ann has an account with a password."""
    server = Server(new_workbench(database_url=database_url))
    server.workbench.directory.add_team("loans")
    server.workbench.directory.add_person("ann", "Ann Ek", team="loans", role="lead")
    server.workbench.directory.add_person("bob")
    server.workbench.directory.add_person("gone", active=False)
    server.workbench.directory.add_person("robot", role="service")
    server.accounts.create("ann", PASSWORD)
    return server


@pytest.fixture
def other_server(new_workbench: Callable[..., gndp.Workbench], server: Server) -> Server:
    """Another server of the same database."""
    return Server(new_workbench(database_url=server.workbench.database_url))


# Signing in -------------------------------------------------------------------------------------------


def test_the_right_password_says_who_it_is(server: Server) -> None:
    expected = Identity("ann", "Ann Ek", "lead", "loans", 1, Proof.PASSWORD)
    assert server.accounts.sign_in("ann", PASSWORD) == expected
    assert expected.scopes == ALL_SCOPES == {"read", "write", "admin"}


def test_role_and_team_are_those_of_now(server: Server) -> None:
    server.workbench.directory.update_person("ann", role="admin", team=None)
    assert server.accounts.sign_in("ann", PASSWORD)[:4] == ("ann", "Ann Ek", "admin", None)


def test_whoever_cannot_sign_in_hears_the_same(server: Server) -> None:
    server.accounts.create("bob")
    cases: list[tuple[Any, Any]] = [
        ("ann", OTHER),
        ("ann", PASSWORD.upper()),
        ("ann", PASSWORD + " "),
        ("Ann", PASSWORD),
        ("bob", PASSWORD),
        ("bob", ""),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("robot", PASSWORD),
        *[(user_id, PASSWORD) for user_id in BAD_SHORT_TEXTS],
    ]
    for user_id, password in cases:
        unauthenticated(server.accounts.sign_in, user_id, password)


@pytest.mark.parametrize("password", [None, "", 7, b"bytes", "nul \0", "half \ud800", "x" * 100_000, ["a"]])
def test_what_is_no_password_counts_as_a_wrong_one(server: Server, password: Any) -> None:
    unauthenticated(server.accounts.sign_in, "ann", password)
    assert server.accounts.get("ann").failed_attempts == 1


def test_somebody_who_left_cannot_sign_in_until_they_are_back(server: Server) -> None:
    server.workbench.directory.update_person("ann", active=False)
    unauthenticated(server.accounts.sign_in, "ann", PASSWORD)
    assert server.accounts.get("ann").failed_attempts == 0
    server.workbench.directory.update_person("ann", active=True)
    assert server.accounts.sign_in("ann", PASSWORD).user_id == "ann"


def test_a_person_who_becomes_a_program_has_no_password_any_more(server: Server) -> None:
    server.workbench.directory.update_person("ann", role="service")
    unauthenticated(server.accounts.sign_in, "ann", PASSWORD)


def test_an_unknown_person_costs_a_hash_as_well(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    hasher = server.accounts._passwords._hasher
    original = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, hash, text: verified.append(hash) or original(self, hash, text)
    )
    server.accounts.create("bob")
    for user_id in ("ann", "bob", "nobody", "gone"):
        unauthenticated(server.accounts.sign_in, user_id, OTHER)
    assert len(verified) == 4
    assert not any(map(hasher.check_needs_rehash, verified))
    assert len({*verified}) == 2


def test_a_password_is_hashed_anew_when_the_parameters_have_changed(server: Server) -> None:
    before = server.one("SELECT password_hash FROM accounts")
    assert before.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert server.accounts.sign_in("ann", PASSWORD)
    assert server.one("SELECT password_hash FROM accounts") == before
    transitions = server.workbench._transitions
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    accounts = Accounts(transitions.transaction, transitions.read, transitions.now, hasher=stronger)
    unauthenticated(accounts.sign_in, "ann", OTHER)
    assert server.one("SELECT password_hash FROM accounts") == before
    assert accounts.sign_in("ann", PASSWORD).password_generation == 1
    assert server.one("SELECT password_hash FROM accounts").startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert accounts.sign_in("ann", PASSWORD) == server.accounts.sign_in("ann", PASSWORD)


def test_without_parameters_argon2_cffis_own_are_taken(server: Server) -> None:
    transitions = server.workbench._transitions
    accounts = Accounts(transitions.transaction, transitions.read, transitions.now)
    accounts.create("bob", PASSWORD)
    hash = server.one("SELECT password_hash FROM accounts WHERE user_id = 'bob'")
    assert not PasswordHasher().check_needs_rehash(hash)
    assert CHEAP.check_needs_rehash(hash)


# Lock-outs --------------------------------------------------------------------------------------------


def test_five_wrong_passwords_lock_the_account_for_everybody(server: Server, other_server: Server) -> None:
    for failures in range(1, 6):
        unauthenticated(server.accounts.sign_in, "ann", OTHER)
        assert server.accounts.get("ann").failed_attempts == failures
    assert server.accounts.get("ann").locked_until == NOON + timedelta(minutes=15)
    for either in (server, other_server):
        unauthenticated(either.accounts.sign_in, "ann", PASSWORD)
    assert server.accounts.get("ann").failed_attempts == 5


def test_a_lock_ends_by_itself_and_the_next_is_longer(server: Server) -> None:
    for minutes in (15, 30, 60):
        for _ in range(5):
            unauthenticated(server.accounts.sign_in, "ann", OTHER)
        assert server.accounts.get("ann").locked_until == server.now + timedelta(minutes=minutes)
        server.wait(minutes=minutes, seconds=-1)
        unauthenticated(server.accounts.sign_in, "ann", PASSWORD)
        server.wait(seconds=1)
    assert server.accounts.sign_in("ann", PASSWORD).user_id == "ann"
    account = server.accounts.get("ann")
    assert (account.failed_attempts, account.locked_until) == (0, None)


def test_the_right_password_sets_the_count_back(server: Server) -> None:
    for _ in range(3):
        for _ in range(4):
            unauthenticated(server.accounts.sign_in, "ann", OTHER)
        assert server.accounts.sign_in("ann", PASSWORD).user_id == "ann"
    assert server.accounts.get("ann").locked_until is None


def test_twenty_wrong_passwords_at_once_are_five_and_a_lock(server: Server, other_server: Server) -> None:
    servers = (server, other_server)
    answers = at_once(20, lambda n: servers[n % 2].accounts.sign_in("ann", f"{OTHER} {n}"))
    assert [type(answer) for answer in answers] == [Unauthenticated] * 20
    account = server.accounts.get("ann")
    assert (account.failed_attempts, account.locked_until) == (5, NOON + timedelta(minutes=15))
    unauthenticated(server.accounts.sign_in, "ann", PASSWORD)


def test_the_right_password_among_guesses_that_come_at_once_is_refused_after_the_fifth(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong_are_counted = threading.Event()
    judge = Accounts._judge

    def late(self: Accounts, user_id: str, proved_hash: str | None) -> Identity | None:
        if proved_hash is not None:  # it was looked up and found right before any wrong one was counted
            wrong_are_counted.wait(30)
        return judge(self, user_id, proved_hash)

    monkeypatch.setattr(Accounts, "_judge", late)

    def guess(n: int) -> Identity:
        if n == 0:
            return server.accounts.sign_in("ann", PASSWORD)
        for _ in range(5):
            unauthenticated(server.accounts.sign_in, "ann", OTHER)
        wrong_are_counted.set()
        raise Unauthenticated

    assert [type(answer) for answer in at_once(2, guess)] == [Unauthenticated] * 2
    assert server.accounts.get("ann").locked_until == NOON + timedelta(minutes=15)


def test_an_account_without_a_password_is_locked_as_any_other(server: Server) -> None:
    server.accounts.create("bob")
    for _ in range(7):
        unauthenticated(server.accounts.sign_in, "bob", PASSWORD)
    assert server.accounts.get("bob").failed_attempts == 5


# Accounts and links -----------------------------------------------------------------------------------


def test_an_account_tells_no_secret(server: Server) -> None:
    server.accounts.create("bob")
    ann, bob = server.accounts.list()
    assert ann == server.accounts.get("ann") == ("ann", True, NOON, 0, None, NOON)
    assert bob == ("bob", False, None, 0, None, NOON)


def test_who_cannot_have_an_account(server: Server) -> None:
    for call in (server.accounts.create, server.accounts.issue_link):
        with pytest.raises(NotFound):
            call("nobody")
        with pytest.raises(Conflict, match="not active"):
            call("gone")
        with pytest.raises(Invalid, match="API tokens"):
            call("robot")
        for user_id in BAD_SHORT_TEXTS:
            with pytest.raises(Invalid):
                call(user_id)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="already"):
        server.accounts.create("ann")
    with pytest.raises(Invalid):
        server.accounts.create("bob", "too short")
    with pytest.raises(NotFound):
        server.accounts.get("bob")


@pytest.mark.parametrize(
    "valid_for", [timedelta(0), timedelta(days=-1), timedelta(days=7, seconds=1), None, 3600, "a day"]
)
def test_a_link_is_good_for_a_week_at_most(server: Server, valid_for: Any) -> None:
    with pytest.raises(Invalid):
        server.accounts.issue_link("ann", valid_for=valid_for)


def test_a_link_of_somebody_unknown_is_refused(server: Server) -> None:
    with pytest.raises(Conflict):
        server.accounts.issue_link("bob", created_by="nobody")
    with pytest.raises(NotFound):
        server.accounts.get("bob")


def test_a_link_sets_the_first_password_once(server: Server) -> None:
    link = server.accounts.issue_link("bob", created_by="ann")
    assert link[1:] == ("bob", LinkPurpose.INVITATION, NOON + timedelta(hours=24))
    unauthenticated(server.accounts.sign_in, "bob", OTHER)
    assert server.accounts.set_password(link.token, OTHER).password_generation == 1
    assert server.accounts.sign_in("bob", OTHER).user_id == "bob"
    unauthenticated(server.accounts.set_password, link.token, PASSWORD)
    assert server.accounts.sign_in("bob", OTHER).user_id == "bob"


def test_a_reset_ends_all_that_the_old_password_opened(server: Server) -> None:
    identity = server.accounts.sign_in("ann", PASSWORD)
    session, bearer = server.sessions.open(identity), server.bearer.issue(identity)
    link = server.accounts.issue_link("ann")
    assert link.purpose == LinkPurpose.RESET
    assert server.sessions.find(session.secret).identity.user_id == "ann"
    assert server.bearer.verify(bearer.token).user_id == "ann"
    assert server.accounts.sign_in("ann", PASSWORD) == identity
    fresh = server.accounts.set_password(link.token, OTHER)
    assert fresh == identity._replace(password_generation=2)
    unauthenticated(server.sessions.find, session.secret)
    unauthenticated(server.sessions.rotate, session.secret)
    unauthenticated(server.bearer.verify, bearer.token)
    unauthenticated(server.accounts.sign_in, "ann", PASSWORD)
    unauthenticated(server.sessions.open, identity)
    assert server.rows("browser_sessions") == []
    assert server.sessions.find(server.sessions.open(fresh).secret).identity.password_generation == 2
    assert server.bearer.verify(server.bearer.issue(fresh).token).proof == Proof.BEARER


def test_a_reset_unlocks(server: Server) -> None:
    for _ in range(5):
        unauthenticated(server.accounts.sign_in, "ann", OTHER)
    server.accounts.set_password(server.accounts.issue_link("ann").token, OTHER)
    assert server.accounts.sign_in("ann", OTHER).user_id == "ann"


def test_only_the_newest_link_is_good(server: Server) -> None:
    first, second = server.accounts.issue_link("ann"), server.accounts.issue_link("ann")
    bobs = server.accounts.issue_link("bob")
    unauthenticated(server.accounts.set_password, first.token, OTHER)
    server.accounts.set_password(second.token, OTHER)
    assert server.accounts.set_password(bobs.token, OTHER).user_id == "bob"


def test_a_link_is_good_until_just_before_its_end(server: Server) -> None:
    link = server.accounts.issue_link("ann", valid_for=timedelta(hours=1))
    late = server.accounts.issue_link("bob", valid_for=timedelta(hours=1))
    server.wait(hours=1, microseconds=-1)
    assert server.accounts.set_password(link.token, OTHER).user_id == "ann"
    server.wait(microseconds=1)
    unauthenticated(server.accounts.set_password, late.token, OTHER)


def test_a_link_of_somebody_who_left_is_good_for_nothing(server: Server) -> None:
    link = server.accounts.issue_link("ann")
    server.workbench.directory.update_person("ann", active=False)
    unauthenticated(server.accounts.set_password, link.token, OTHER)


@pytest.mark.parametrize("token", ["", "x" * 43, "x" * 42, None, 7, b"x" * 43, "a\0" * 21, "é" * 43])
def test_a_forged_link_is_refused(server: Server, token: Any) -> None:
    server.accounts.issue_link("ann")
    unauthenticated(server.accounts.set_password, token, OTHER)


def test_a_link_is_still_good_after_a_password_that_was_not(server: Server) -> None:
    link = server.accounts.issue_link("ann")
    for bad in ("short", "aaaaaaaaaaaaaaaaaa", 7, None):
        with pytest.raises(Invalid):
            server.accounts.set_password(link.token, bad)  # type: ignore[arg-type]
    assert server.accounts.set_password(link.token, OTHER).user_id == "ann"


def test_of_many_who_use_a_link_at_once_one_wins(server: Server, other_server: Server) -> None:
    servers = (server, other_server)
    for round in range(5):
        token = server.accounts.issue_link("ann").token
        passwords = [f"password {n} of round {round}" for n in range(6)]
        answers = at_once(6, lambda n: servers[n % 2].accounts.set_password(token, passwords[n]))  # noqa: B023
        (winner,) = [n for n, answer in enumerate(answers) if isinstance(answer, Identity)]
        assert sum(isinstance(answer, Unauthenticated) for answer in answers) == 5
        assert server.accounts.sign_in("ann", passwords[winner]).password_generation == round + 2
        unauthenticated(server.accounts.sign_in, "ann", passwords[(winner + 1) % 6])


def test_links_are_issued_and_used_at_once_without_waiting_for_each_other(server: Server) -> None:
    def use(n: int) -> None:
        for _ in range(5):
            link = server.accounts.issue_link("ann")
            try:
                server.accounts.set_password(link.token, f"password number {n} of many")
            except Unauthenticated:
                continue

    assert at_once(6, use) == [None] * 6


# Changing a password ----------------------------------------------------------------------------------


def test_a_password_is_changed_by_whoever_knows_it(server: Server) -> None:
    identity = server.accounts.sign_in("ann", PASSWORD)
    session, bearer = server.sessions.open(identity), server.bearer.issue(identity)
    link = server.accounts.issue_link("ann")
    server.wait(hours=1)
    fresh = server.accounts.change_password("ann", PASSWORD, OTHER)
    assert fresh.password_generation == 2
    assert server.accounts.get("ann").password_changed_at == server.now
    unauthenticated(server.sessions.find, session.secret)
    unauthenticated(server.bearer.verify, bearer.token)
    unauthenticated(server.accounts.set_password, link.token, OTHER)
    unauthenticated(server.accounts.sign_in, "ann", PASSWORD)
    assert server.accounts.sign_in("ann", OTHER) == fresh


def test_guessing_the_password_while_changing_it_counts_too(server: Server) -> None:
    for _ in range(5):
        unauthenticated(server.accounts.change_password, "ann", "not this one", OTHER)
    unauthenticated(server.accounts.change_password, "ann", PASSWORD, OTHER)
    assert server.accounts.get("ann").failed_attempts == 5


def test_a_new_password_that_is_not_good_costs_no_attempt(server: Server) -> None:
    with pytest.raises(Invalid) as error:
        server.accounts.change_password("ann", "not this one", "short")
    assert error.value.problems[0].place == "new"
    assert server.accounts.get("ann").failed_attempts == 0


def test_of_two_who_change_a_password_at_once_one_wins(server: Server) -> None:
    passwords = [f"another password {n}" for n in range(4)]
    answers = at_once(4, lambda n: server.accounts.change_password("ann", PASSWORD, passwords[n]))
    (winner,) = [n for n, answer in enumerate(answers) if isinstance(answer, Identity)]
    assert server.accounts.sign_in("ann", passwords[winner]).password_generation == 2


def test_signing_out_everywhere_keeps_the_password(server: Server) -> None:
    identity = server.accounts.sign_in("ann", PASSWORD)
    session, bearer = server.sessions.open(identity), server.bearer.issue(identity)
    server.accounts.sign_out_everywhere("ann")
    unauthenticated(server.sessions.find, session.secret)
    unauthenticated(server.bearer.verify, bearer.token)
    assert server.accounts.sign_in("ann", PASSWORD).password_generation == 2
    with pytest.raises(NotFound):
        server.accounts.sign_out_everywhere("bob")


def test_a_bearer_token_ends_when_its_person_leaves(server: Server) -> None:
    bearer = server.bearer.issue(server.accounts.sign_in("ann", PASSWORD))
    server.workbench.directory.update_person("ann", role="viewer")
    assert server.bearer.verify(bearer.token).role == "viewer"
    server.workbench.directory.update_person("ann", active=False)
    unauthenticated(server.bearer.verify, bearer.token)


# What is not an account --------------------------------------------------------------------------------


def test_the_database_refuses_what_no_account_may_be(server: Server) -> None:
    zero = "'\\x00'::bytea"
    for query in (
        "INSERT INTO accounts (user_id, created_at) VALUES ('nobody', now())",
        "UPDATE accounts SET password_hash = NULL",
        "UPDATE accounts SET failed_attempts = -1",
        "INSERT INTO one_time_links VALUES"
        f" ({zero}, 'ann', 'reset', now(), NULL, now() + interval '1 day', NULL)",
        "INSERT INTO one_time_links VALUES"
        " (sha256('a'), 'ann', 'fun', now(), NULL, now() + interval '1 day', NULL)",
        f"INSERT INTO browser_sessions VALUES ({zero}, 'ann', 1, now(), now(), now(), NULL)",
        f"INSERT INTO signing_keys VALUES ('short', {zero}, now())",
    ):
        with psycopg.connect(server.workbench.database_url) as connection, pytest.raises(psycopg.Error):
            connection.execute(query.encode())


def test_an_instant_without_a_time_zone_is_no_clock(server: Server) -> None:
    server.now = datetime(2026, 3, 2)
    with pytest.raises(Invalid):
        server.accounts.sign_in("ann", PASSWORD)
