"""A served house for the tests of rights: somebody of every role, all of one team, and fresh work for them.

Time stands still in it, so whatever is written is a request's doing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import psycopg
from argon2 import PasswordHasher
from psycopg import sql

import gndp
from gndp.access.passwords import Passwords
from gndp.core.records import Process, Task
from tests.journeys.serving import calling, served

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = (NOON + timedelta(days=30)).isoformat()
PASSWORD = "correct horse battery staple"
SECRET = "the Winterbottom matter"
"""Stands in the name of every process and task, and so in nothing that refuses to show them."""

ROLES = {
    "viewer": "viewer",
    "worker": "worker",
    "lead": "lead",
    "manager": "manager",
    "admin": "admin",
    "service": "service",
    "reading": "manager",
    "writing": "admin",
}
"""The role of whoever calls in each column: ``reading`` and ``writing`` come with an API token of that scope,
a service with one of all scopes, the others with a bearer token."""

TEAMS = {"own": "south", "foreign": "south", "shared": None}
"""The team of an object by whose it is, where it is not north: one's own work is one's own in any team."""

_SCOPES = {"reading": "read", "writing": "write", "service": "admin"}
_SERIAL = itertools.count(1)


class Caller(NamedTuple):
    """Somebody who calls, and what they prove it with; nobody in particular has no headers."""

    user_id: str
    headers: dict[str, str]


class House:
    """The workbench, a client of its server, and a caller for each column.

    The team north has a colleague of theirs (cora) and another one (ned), the team south a stranger (sam);
    olga, of no team, starts what none of them has.
    """

    def __init__(self, workbench: gndp.Workbench, client: httpx.Client) -> None:
        self.workbench = workbench
        self.client = client
        self.database_url = workbench.database_url
        self._connection = psycopg.connect(self.database_url, autocommit=True)
        self._everything = self._written_query()
        for team in ("north", "south"):
            workbench.directory.add_team(team)
        for name, team in (("cora", "north"), ("ned", "north"), ("sam", "south"), ("olga", None)):
            workbench.directory.add_person(name, team=team)
        workbench.entrance.accounts.create("cora", PASSWORD)
        self.callers = {column: self.new_caller(column) for column in ROLES}
        self.callers["anonymous"] = Caller("nobody", {})

    def close(self) -> None:
        self._connection.close()

    def new_caller(self, column: str, team: str | None = "north") -> Caller:
        """Somebody with the rights of a column."""
        user_id = f"{column}-{next(_SERIAL)}"
        self.workbench.directory.add_person(user_id, team=team, role=ROLES[column])
        entrance = self.workbench.entrance
        if ROLES[column] != "service":
            entrance.accounts.create(user_id, PASSWORD)
        if column in _SCOPES:
            until = NOON + timedelta(days=1)
            token = entrance.tokens.create(user_id, "matrix", [_SCOPES[column]], until).token
        else:
            token = entrance.bearer.issue(entrance.accounts.sign_in(user_id, PASSWORD)).token
        headers = {"Authorization": f"Bearer {token}"}
        # The first use of an API token is written down; later ones within the minute are not.
        assert self.client.get("/api/auth/me", headers=headers).json()["user_id"] == user_id
        return Caller(user_id, headers)

    def new_name(self, what: str) -> str:
        return f"{what}-{next(_SERIAL)}"

    def written(self) -> list[Any]:
        """How many rows each table has, and the transaction that wrote one last: the same as long as nothing
        is added, changed or removed. Rows that are only locked count for nothing."""
        return self._connection.execute(self._everything).fetchall()

    def process(self, caller: Caller, whose: str, state: str = "running", **options: Any) -> Process:
        """A process in a state: the caller's ``own`` (though of another team), of their ``team`` (in which
        one may be ``named``), of no team (``shared``), or ``foreign``."""
        given: dict[str, Any] = {
            "process_definition_id": "loose",
            "process_name": SECRET,
            "process_type": "custom",
            "initiated_by": caller.user_id if whose == "own" else "olga",
            "assigned_team": TEAMS.get(whose, "north"),
            **options,
        }
        processes = self.workbench.processes
        process = processes.start(**given)
        match state:
            case "suspended":
                return processes.suspend(process.id, user_id="olga", reason="lunch")
            case "failed":
                return processes.fail(process.id, user_id="olga", error_message="no")
            case _:
                return process

    def task(self, caller: Caller, whose: str, state: str = "assigned", **options: Any) -> Task:
        """A task in a state: one that the caller has (``own``, though of another team), that a colleague has
        (``team``, ``named``), that nobody of the team has yet (``queue``), of no team (``shared``), or
        ``foreign``. Its process has the ``options``."""
        team = TEAMS.get(whose, "north")
        process = self.process(caller, "foreign", assigned_team=team, **options)
        holder = {"own": caller.user_id, "foreign": "sam"}.get(whose, "cora")
        tasks = self.workbench.tasks
        task = tasks.create(
            process_instance_id=process.id,
            task_definition_id="step",
            task_name=SECRET,
            task_type="manual",
            user_id="olga",
            assigned_to=None if state == "queued" or whose == "queue" else holder,
            assigned_team=team,
        )
        if state in ("working", "waiting", "failed"):
            task = tasks.start(task.id, user_id=holder)
        match state:
            case "waiting":
                return tasks.wait(task.id, user_id=holder, reason="the post")
            case "failed":
                return tasks.fail(task.id, user_id=holder, error_message="no", final=True)
            case _:
                return task

    def _written_query(self) -> sql.Composed:
        tables = self._connection.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1"
        ).fetchall()
        counts = [
            sql.SQL("SELECT {}, count(*), max(xmin::text::bigint) FROM {}").format(name, sql.Identifier(name))
            for (name,) in tables
        ]
        return sql.SQL(" UNION ALL ").join(counts)


@contextmanager
def house_on(database_url: str) -> Iterator[House]:
    """A house on a database, served with authentication on."""
    workbench = gndp.connect(database_url, clock=lambda: NOON)
    # Hashes that are made quickly; how good they are is tested elsewhere.
    workbench.entrance.accounts._passwords = Passwords(
        PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    with (
        workbench,
        served(
            workbench, needs_authentication=True, only="api", rate_limit="off", sign_in_rate_limit="off"
        ) as url,
        calling(url) as client,
    ):
        house = House(workbench, client)
        yield house
        house.close()
