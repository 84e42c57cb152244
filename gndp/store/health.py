"""How the database does and what it holds now, for probes and metrics: ``wb.health``.

It is asked over a connection beside the commands', so that it answers while they have all of theirs.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import NamedTuple

import psycopg

from gndp.core.errors import DatabaseMismatch
from gndp.store.migrate import newest_revision
from gndp.store.queries import Row, Statement, statement
from gndp.store.session import Database, PoolFigures


class DatabaseState(NamedTuple):
    """What a database says of itself: the revision of its tables and the one that this version wants, and
    whether somebody holds the jobs' lease, or ever has."""

    revision: str
    wanted_revision: str
    lease_is_held: bool
    lease_was_held: bool


class Figure(NamedTuple):
    """One number of what is open: ``figure`` is tasks, task_sla, processes, process_sla, queue or
    job_success, and ``label`` the status, the team (empty for none) or the job."""

    figure: str
    label: str
    value: float


class Health:
    """Asks a database how it does. ``lease`` is the one of the scheduled ``jobs``."""

    def __init__(self, database: Database, lease: str, jobs: Collection[str]) -> None:
        self._commands = database
        self._lease = lease
        self._jobs = list(jobs)
        self._beside: Database | None = None
        self._lock = threading.Lock()

    def state(self) -> DatabaseState:
        """What the database says of itself. Raises DatabaseUnavailable, and DatabaseMismatch when it has not
        the tables to say it from."""
        rows = self._read(statement("health", "state", lease=self._lease))
        if not rows:
            raise DatabaseMismatch("the database does not say which tables it has")
        revision, epoch, is_held = rows[0]
        return DatabaseState(revision, newest_revision(), is_held, epoch is not None)

    def figures(self) -> list[Figure]:
        """What is open now, and when each job last succeeded. Raises as ``state``."""
        return [Figure._make(row) for row in self._read(statement("health", "figures", jobs=self._jobs))]

    def pool(self) -> PoolFigures:
        """How the connections of this process's commands are doing."""
        return self._commands.pool_figures()

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            if self._beside is not None:
                self._beside.close()

    def _read(self, asked: Statement) -> list[Row]:
        try:
            (rows,) = self._opened().read(asked)
        except psycopg.Error as error:
            raise DatabaseMismatch("the database has not the tables of this version") from error
        return rows

    def _opened(self) -> Database:
        with self._lock:
            if self._beside is None:
                beside = self._commands.beside()
                beside.open()
                self._beside = beside
            return self._beside
