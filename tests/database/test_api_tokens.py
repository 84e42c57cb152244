"""Personal API tokens on a real database: made, used, listed, revoked; and everything that is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

import gndp
from gndp.access.identity import Identity, Proof
from gndp.access.tokens import LONGEST
from gndp.core.accounts import NewToken
from gndp.core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.database.access_scene import NOON, OTHER, PASSWORD, Server, at_once, unauthenticated
from tests.scene import BAD_INSTANTS, BAD_SHORT_TEXTS

MONTH = NOON + timedelta(days=30)


@pytest.fixture
def server(new_workbench: Callable[..., gndp.Workbench]) -> Server:
    """A server at noon with Ann, Bob, somebody who left and a program."""
    server = Server(new_workbench())
    server.workbench.directory.add_team("loans")
    server.workbench.directory.add_person("ann", "Ann Ek", team="loans", role="lead")
    server.workbench.directory.add_person("bob")
    server.workbench.directory.add_person("gone", active=False)
    server.workbench.directory.add_person("robot", role="service")
    return server


def made(server: Server, user_id: str = "ann", scopes: Any = ("write",), **options: Any) -> NewToken:
    return server.tokens.create(user_id, "export", scopes, options.pop("expires_at", MONTH), **options)


def test_a_token_says_whose_it_is_and_what_it_is_good_for(server: Server) -> None:
    new = made(server, created_by="bob")
    expected = Identity("ann", "Ann Ek", "lead", "loans", None, Proof.API_TOKEN, frozenset({"read", "write"}))
    assert server.tokens.verify(new.token) == expected
    assert new.record[1:] == ("ann", "export", ["read", "write"], NOON, "bob", MONTH, None, None)
    assert new.token.startswith(f"{new.record.prefix}_") and len(new.token) == 86


def test_a_program_needs_no_account_for_a_token(server: Server) -> None:
    new = made(server, "robot", ["read"])
    identity = server.tokens.verify(new.token)
    assert (identity.user_id, identity.role, identity.scopes) == ("robot", "service", {"read"})
    assert server.accounts.list() == []


def test_a_token_opens_nothing_that_lasts_longer(server: Server) -> None:
    identity = server.tokens.verify(made(server, scopes=["admin"]).token)
    assert identity.scopes == {"read", "write", "admin"}
    with pytest.raises(Forbidden):
        server.bearer.issue(identity)
    with pytest.raises(Forbidden):
        server.sessions.open(identity)


def test_what_is_no_token_is_refused(server: Server) -> None:
    token = made(server).token
    _, id, secret = token.split("_")
    other = made(server).token.split("_")
    forms: list[Any] = [
        *("", "gndp", "gndp__", f"gndp_{id}", f"gndp_{id}_", f"gndp__{secret}", f"{id}_{secret}", secret),
        *(
            f"{token} ",
            f" {token}",
            f"{token}\n",
            f"{token}0",
            token[:-1],
            token.upper(),
            f"ghp_{id}_{secret}",
        ),
        *(f"gndp_{id}_{other[2]}", f"gndp_{other[1]}_{secret}", f"gndp_{'0' * 16}_{secret}"),
        *(f"gndp_{id}_{'0' * 64}", f"gndp_{id}_{secret[:-1]}{(int(secret[-1], 16) + 1) % 16:x}"),
        *(
            f"gndp_{id}_{secret.replace(secret[0], '١')}",
            f"gndp_{id}_\0{secret[1:]}",
            f"gndp_{id}_\ud800{secret[1:]}",
        ),
        *(f"gndp_' OR '1_{secret}", "gndp_" * 10_000, None, 7, token.encode(), [token]),
    ]
    for form in forms:
        unauthenticated(server.tokens.verify, form)
    assert server.tokens.verify(token).user_id == "ann"


def test_what_the_table_holds_does_not_let_anybody_in(server: Server) -> None:
    new = made(server)
    hash = server.one("SELECT encode(secret_hash, 'hex') FROM api_tokens")
    unauthenticated(server.tokens.verify, f"gndp_{new.record.id}_{hash}")


def test_a_token_is_good_until_just_before_its_end(server: Server) -> None:
    token = made(server).token
    server.now = MONTH - timedelta(microseconds=1)
    assert server.tokens.verify(token).user_id == "ann"
    server.now = MONTH
    unauthenticated(server.tokens.verify, token)


def test_a_token_ends_when_it_is_revoked(server: Server) -> None:
    first, second = made(server), made(server)
    server.wait(hours=1)
    revoked = server.tokens.revoke(first.record.id)
    assert revoked == first.record._replace(revoked_at=server.now)
    server.wait(hours=1)
    assert server.tokens.revoke(first.record.id, "ann") == revoked
    unauthenticated(server.tokens.verify, first.token)
    assert server.tokens.verify(second.token).user_id == "ann"
    assert server.tokens.revoke_all("ann") == 1
    assert server.tokens.revoke_all("ann") == 0
    unauthenticated(server.tokens.verify, second.token)


def test_a_token_of_somebody_else_is_not_found(server: Server) -> None:
    new = made(server)
    for id, user_id in ((new.record.id, "bob"), ("0" * 16, None), ("0" * 16, "ann")):
        with pytest.raises(NotFound):
            server.tokens.revoke(id, user_id)
    for bad in ("", "x", new.token, new.record.prefix, None, 7, "0" * 15 + "\0"):
        with pytest.raises(Invalid):
            server.tokens.revoke(bad)  # type: ignore[arg-type]
    assert server.tokens.verify(new.token).user_id == "ann"


def test_a_token_of_somebody_who_left_is_refused_until_they_are_back(server: Server) -> None:
    token = made(server).token
    server.workbench.directory.update_person("ann", active=False)
    unauthenticated(server.tokens.verify, token)
    server.workbench.directory.update_person("ann", active=True, role="viewer")
    assert server.tokens.verify(token).role == "viewer"


def test_a_token_outlives_a_change_of_password(server: Server) -> None:
    server.accounts.create("ann", PASSWORD)
    token = made(server).token
    server.accounts.change_password("ann", PASSWORD, OTHER)
    assert server.tokens.verify(token).user_id == "ann"


def test_a_list_tells_all_but_the_secret(server: Server) -> None:
    first = made(server)
    server.wait(hours=1)
    second = made(server, scopes=["read"])
    made(server, "bob")
    server.tokens.revoke(first.record.id)
    listed = server.tokens.list("ann")
    assert listed == [second.record, first.record._replace(revoked_at=server.now)]
    assert first.token.split("_")[2] not in repr(listed)
    assert server.tokens.list("nobody") == []


def test_use_is_written_down_once_a_minute(server: Server) -> None:
    new = made(server)
    seen = []
    for seconds in (0, 30, 30, 1, 59, 1, 1):
        server.wait(seconds=seconds)
        server.tokens.verify(new.token)
        seen.append((server.tokens.list("ann")[0].last_used_at or NOON) - NOON)
    assert [round(since.total_seconds()) for since in seen] == [0, 0, 0, 61, 61, 61, 122]


def test_a_wrong_secret_is_no_use(server: Server) -> None:
    new = made(server)
    unauthenticated(server.tokens.verify, new.token[:-4] + "0000")
    assert server.tokens.list("ann")[0].last_used_at is None


def test_many_requests_with_a_token_at_once_are_let_in(server: Server) -> None:
    token = made(server).token
    assert at_once(16, lambda _: server.tokens.verify(token).user_id) == ["ann"] * 16


@pytest.mark.parametrize(
    "scopes", [[], (), "read", None, 7, ["all"], ["read", "all"], [None], [["read"]], {"": 1}]
)
def test_scopes_that_there_are_not_are_refused(server: Server, scopes: Any) -> None:
    with pytest.raises(Invalid, match="scopes"):
        made(server, scopes=scopes)
    assert server.rows("api_tokens") == []


@pytest.mark.parametrize(
    "expires_at", [NOON, NOON - LONGEST, NOON + LONGEST + timedelta(seconds=1), None, *BAD_INSTANTS]
)
def test_a_token_ends_within_a_year(server: Server, expires_at: Any) -> None:
    with pytest.raises(Invalid, match="expires_at"):
        made(server, expires_at=expires_at)


def test_a_token_may_last_a_year(server: Server) -> None:
    assert made(server, expires_at=NOON + LONGEST).record.expires_at == NOON + LONGEST


def test_who_cannot_have_a_token(server: Server) -> None:
    with pytest.raises(NotFound):
        made(server, "nobody")
    with pytest.raises(Conflict, match="not active"):
        made(server, "gone")
    with pytest.raises(Conflict):
        made(server, created_by="nobody")
    for text in BAD_SHORT_TEXTS:
        for call in (
            lambda text=text: made(server, text),
            lambda text=text: server.tokens.create("ann", text, ["read"], MONTH),
            lambda text=text: made(server, created_by=text),
            lambda text=text: server.tokens.list(text),
        ):
            with pytest.raises(Invalid):
                call()
    assert server.rows("api_tokens") == []


def test_the_database_refuses_what_no_token_may_be(server: Server) -> None:
    values = "'t', 'ann', 'x', sha256('x'), {}, now(), NULL, now() + interval '{}', NULL, NULL"
    for scopes, lasts in (("'{}'", "1 day"), ("'{all}'", "1 day"), ("'{read}'", "0")):
        query = f"INSERT INTO api_tokens VALUES ({values.format(scopes, lasts)})"
        refused = pytest.raises(psycopg.errors.CheckViolation)
        with psycopg.connect(server.workbench.database_url) as connection, refused:
            connection.execute(query.encode())


def test_instants_are_utc(server: Server) -> None:
    record = made(server, expires_at=datetime.fromisoformat("2026-03-12T12:00:00+05:00")).record
    assert record.expires_at.isoformat() == "2026-03-12T07:00:00+00:00"
