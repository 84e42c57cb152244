"""What the tests of accounts, sessions and tokens share: a server whose clock is moved, and cheap hashes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from psycopg import sql

import gndp
from gndp.access.accounts import Accounts
from gndp.access.bearer import BearerTokens
from gndp.access.keys import SigningKeys
from gndp.access.sessions import Sessions
from gndp.access.tokens import ApiTokens
from gndp.core.errors import Unauthenticated

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
OTHER = "staple of the correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Server:
    """One server of the database: all that proves who somebody is, on its own connections and clock."""

    def __init__(self, workbench: gndp.Workbench, secret_key: str | None = None) -> None:
        self.now = NOON
        self.workbench = workbench
        workbench.clock = lambda: self.now
        transitions = workbench._transitions
        given: Any = (transitions.transaction, transitions.read, transitions.now)
        self.accounts = Accounts(*given, hasher=CHEAP)
        self.sessions = Sessions(*given)
        self.tokens = ApiTokens(*given)
        self.keys = SigningKeys(*given, secret_key=secret_key)
        self.bearer = BearerTokens(lambda: self.keys.key("bearer"), self.accounts.current, transitions.now)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def rows(self, table: str) -> list[str]:
        """Every row of a table as PostgreSQL writes it."""
        query = sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(table))
        with psycopg.connect(self.workbench.database_url) as connection:
            return [row[0] for row in connection.execute(query)]

    def one(self, query: str) -> Any:
        with psycopg.connect(self.workbench.database_url) as connection:
            row = connection.execute(query.encode()).fetchone()
            assert row is not None
            return row[0]

    def everything(self) -> str:
        """Every row of every table."""
        with psycopg.connect(self.workbench.database_url) as connection:
            tables = connection.execute(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            ).fetchall()
        return "\n".join(row for (table,) in tables for row in self.rows(table))


def unauthenticated(call: Callable[..., Any], *arguments: Any) -> None:
    """The call is refused as every other one is that proves nothing."""
    with pytest.raises(Unauthenticated) as error:
        call(*arguments)
    assert (type(error.value), str(error.value)) == (Unauthenticated, str(Unauthenticated()))
    assert vars(error.value) == {}


def at_once(number: int, call: Callable[[int], Any]) -> list[Any]:
    """The call's answers, or what it raised, from threads that begin together."""
    barrier = Barrier(number)

    def run(index: int) -> Any:
        barrier.wait()
        try:
            return call(index)
        except Exception as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))
