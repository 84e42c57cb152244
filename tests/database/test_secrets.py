"""What is secret: the key that servers sign with, and that nothing handed out is kept as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

import gndp
from gndp.access.keys import SigningKeys
from gndp.core.errors import Conflict, Invalid
from tests.database.access_scene import NOON, OTHER, PASSWORD, Server, at_once, unauthenticated


@pytest.fixture
def server(new_workbench: Callable[..., gndp.Workbench]) -> Server:
    """A server at noon; Ann has a password, Bob has no account."""
    server = Server(new_workbench())
    for user_id in ("ann", "bob"):
        server.workbench.directory.add_person(user_id)
    server.accounts.create("ann", PASSWORD)
    return server


@pytest.fixture
def other_server(new_workbench: Callable[..., gndp.Workbench], server: Server) -> Server:
    """Another server of the same database."""
    return Server(new_workbench(database_url=server.workbench.database_url))


def test_servers_share_the_key_that_the_database_keeps(server: Server, other_server: Server) -> None:
    servers = (server, other_server)
    keys = at_once(8, lambda n: servers[n % 2].keys.key("bearer"))
    assert len({*keys}) == 1 and len(keys[0]) == 64
    assert server.keys.key("bearer") == keys[0] != server.keys.key("pages")
    assert len(server.rows("signing_keys")) == 1
    token = server.bearer.issue(server.accounts.sign_in("ann", PASSWORD)).token
    assert other_server.bearer.verify(token).user_id == "ann"


def test_a_key_that_is_given_is_taken_and_none_is_made(
    new_workbench: Callable[..., gndp.Workbench], server: Server
) -> None:
    url = server.workbench.database_url
    given, same, another = (
        Server(new_workbench(database_url=url), secret_key=letter * 32) for letter in "aab"
    )
    token = given.bearer.issue(given.accounts.sign_in("ann", PASSWORD)).token
    assert same.bearer.verify(token).user_id == "ann"
    unauthenticated(another.bearer.verify, token)
    assert server.rows("signing_keys") == []
    unauthenticated(server.bearer.verify, token)


def test_a_key_that_is_too_short_is_refused(server: Server) -> None:
    transitions = server.workbench._transitions
    with pytest.raises(Invalid, match="secret_key: needs at least 32 characters"):
        SigningKeys(transitions.transaction, transitions.read, transitions.now, "changeme")


def test_a_key_of_a_unit_that_was_undone_is_not_kept(server: Server) -> None:
    undone: list[bytes] = []
    with pytest.raises(Conflict), server.workbench.transaction():
        undone.append(server.keys.key("bearer"))
        raise Conflict("no")
    assert server.keys.key("bearer") != undone[0]
    assert server.keys.key("bearer") == server.keys.key("bearer")


def test_no_secret_is_kept_as_it_was_handed_out(server: Server) -> None:
    identity = server.accounts.sign_in("ann", PASSWORD)
    session = server.sessions.open(identity)
    rotated = server.sessions.rotate(session.secret)
    made = server.tokens.create("ann", "export", ["read"], NOON + timedelta(days=30))
    bearer = server.bearer.issue(identity)
    link = server.accounts.issue_link("bob")
    unauthenticated(server.accounts.sign_in, "ann", OTHER)
    _, id, secret = made.token.split("_")
    secrets = {
        *(PASSWORD, OTHER, session.secret, session.csrf_token, rotated.secret, rotated.csrf_token),
        *(secret, bearer.token, bearer.token.split(".")[2], link.token),
    }
    kept = server.everything()
    assert id in kept
    for text in secrets:
        for form in (text, text.encode().hex(), text.encode().hex().upper()):
            assert form not in kept
    with psycopg.connect(server.workbench.database_url) as connection:
        hashes = connection.execute("SELECT password_hash FROM accounts WHERE password_hash IS NOT NULL")
        assert all(hash.startswith("$argon2id$") for (hash,) in hashes)
