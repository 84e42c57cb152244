"""Connections, pipelines and transactions.

A ``Database`` owns a pool of autocommit connections. A ``Transaction`` runs prepared, named queries on one
of them in pipelines: all statements of a step travel together and cost one round trip (``Pipeline``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from gndp.core.errors import Conflict, DatabaseUnavailable, GndpError
from gndp.store.pipeline import NOTIFY, Pipeline, configure, one_line
from gndp.store.queries import Query, Row, Statement

_BEGIN = Query(b"begin", b"BEGIN", ())
_COMMIT = Query(b"commit", b"COMMIT", ())

# A prepared statement keeps its plan: one made while a table was new and empty would read it from end to
# end for as long as the connection lives. Everything here is found by index, so whole-table reads are dear;
# looking rows up is not, for they lie in memory or on a disk without a head to move.
_OPTIONS = "-c jit=off -c lock_timeout=30s -c enable_seqscan=off -c random_page_cost=1.1"

# A server that vanished without a word (power, network) is noticed within a minute, not after hours.
_KEEPALIVES = {
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}

_CONNECTION: dict[str, Any] = {"autocommit": True, "options": _OPTIONS, **_KEEPALIVES}

_is_unhurried: ContextVar[bool] = ContextVar("is_unhurried", default=False)


class PoolFigures(NamedTuple):
    """How a pool is doing: its connections, how many of them nobody has, how many threads wait for one; and
    since it was opened, how many asked for one, and how many of them got none."""

    size: int
    available: int
    waiting: int
    requests: int
    failed: int


@contextmanager
def unhurried() -> Iterator[None]:
    """Let statements of this block (and thread) take as long as they do: for maintenance and audits."""
    token = _is_unhurried.set(True)
    try:
        yield
    finally:
        _is_unhurried.reset(token)


class Database:
    """A pool of connections to one database; thread-safe.

    ``conninfo`` is a libpq URI or keyword string. Open it after a fork, never before.
    Raises DatabaseUnavailable when no connection can be had.

    A statement that takes longer than ``statement_timeout`` seconds, if there is such an end, is stopped and
    raises StatementTimeout.

    A connection that breaks fails the command that holds it. The next command looks after the others
    first: it calls ``revive``, which brings back a server that died (if it is ours to start) or raises
    GndpError, and replaces the idle connections that broke with it.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        min_size: int = 2,
        max_size: int = 20,
        timeout: float = 30.0,
        statement_timeout: float | None = None,
        revive: Callable[[], None] = lambda: None,
    ) -> None:
        self.conninfo = conninfo
        self._timeout = timeout
        self._is_hurried = statement_timeout is not None
        self._revive = revive
        self._recovery = threading.Lock()
        self._in_doubt = False
        self._pool = _WarmPool(
            conninfo,
            kwargs={**_CONNECTION, "options": _options(statement_timeout)},
            min_size=min_size,
            max_size=max_size,
            timeout=timeout,
            configure=configure,
            open=False,
        )
        self._pipelines: WeakKeyDictionary[psycopg.Connection[Any], Pipeline] = WeakKeyDictionary()

    def open(self) -> None:
        """Connect once, so that a wrong address is told now and not at the first command."""
        try:
            psycopg.connect(self.conninfo, connect_timeout=10).close()
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(f"cannot reach the database: {one_line(error)}") from error
        self._pool.open()

    def close(self) -> None:
        """Close every connection; commands in other threads are given a moment to end."""
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """An ordinary psycopg connection in autocommit mode, for long reads and administration."""
        connection = self._taken()
        lifts_timeout = self._is_hurried and _is_unhurried.get()
        try:
            if lifts_timeout:
                connection.execute("SET statement_timeout = 0")
            yield connection
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(one_line(error)) from error
        finally:
            if lifts_timeout:
                _restore_timeout(connection)
            if connection.closed:
                self._in_doubt = True
            self._pool.putconn(connection)

    def read(self, *statements: Statement) -> list[list[Row]]:
        """Run reads in one round trip; each sees what was committed when it runs."""
        with self.connection() as connection:
            return self._pipeline(connection).run(statements)

    @contextmanager
    def transaction(self, opening: Statement | None = None) -> Iterator[Transaction]:
        """A transaction: committed when the block ends, rolled back when it raises.

        ``opening`` is run first in it and may refuse it; it travels with the first pipeline.
        """
        with self.connection() as connection:
            transaction = Transaction(self._pipeline(connection), opening)
            try:
                yield transaction
                transaction.commit()
            except BaseException:
                transaction.roll_back()
                raise

    def notify(self) -> None:
        """Wake whoever listens on this database."""
        self.read(Statement(NOTIFY, ()))

    def connect(self, application_name: str) -> psycopg.Connection[Any]:
        """A connection beside the pool's, for the caller to close; DatabaseUnavailable when there is none.

        ``application_name`` is what the server's own lists of connections call it.
        """
        named = {**_CONNECTION, "application_name": application_name}
        try:
            connection = psycopg.connect(self.conninfo, connect_timeout=10, **named)
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(f"cannot reach the database: {one_line(error)}") from error
        configure(connection)
        return connection

    def interrupt(self) -> None:
        """Have the database break off whatever it is doing for this process; its transactions are undone."""
        for connection in list(self._pipelines):
            with suppress(psycopg.Error):  # it has ended meanwhile, and with it what it did
                connection.cancel_safe(timeout=1)

    def pool_figures(self) -> PoolFigures:
        """How the pool is doing."""
        stats = self._pool.get_stats()
        return PoolFigures(
            size=stats.get("pool_size", 0),
            available=stats.get("pool_available", 0),
            waiting=stats.get("requests_waiting", 0),
            requests=stats.get("requests_num", 0),
            failed=stats.get("requests_errors", 0),
        )

    def beside(self) -> Database:
        """Another ``Database`` on the same database, not open yet: one connection, for what must never wait
        until the others' commands give one back."""
        return Database(self.conninfo, min_size=1, max_size=1, timeout=5.0, revive=self._revive)

    def _taken(self) -> psycopg.Connection[Any]:
        if self._in_doubt:
            self._recover()
        try:
            return self._pool.getconn()
        except PoolClosed as error:
            raise DatabaseUnavailable("this workbench is closed") from error
        except PoolTimeout as error:
            self._in_doubt = True
            raise DatabaseUnavailable("no database connection became free in time") from error

    def _recover(self) -> None:
        if not self._recovery.acquire(timeout=self._timeout):
            raise DatabaseUnavailable("the database is still being brought back")
        try:
            if self._in_doubt:
                self._revive()
                self._in_doubt = False
                self._pool.check()
        except GndpError as error:
            raise DatabaseUnavailable(one_line(error)) from error
        finally:
            self._recovery.release()

    def _pipeline(self, connection: psycopg.Connection[Any]) -> Pipeline:
        pipeline = self._pipelines.get(connection)
        if pipeline is None:
            pipeline = self._pipelines[connection] = Pipeline(connection)
        return pipeline


class _WarmPool(ConnectionPool[psycopg.Connection[Any]]):
    """Gives out the connection that came back last, whose server process is still in the processor's caches:
    in turn, as the pool does by itself, a single client took 6 % longer (``benchmarks.five_tasks``)."""

    def _get_ready_connection(self, timeout: float | None) -> psycopg.Connection[Any] | None:
        with suppress(AttributeError):  # only the order is lost, should the pool's inside change
            self._pool.rotate(1)
        return super()._get_ready_connection(timeout)


class Transaction:
    """One transaction. BEGIN, and ``opening`` if there is one, travel with its first pipeline and COMMIT may
    travel with its last."""

    def __init__(self, pipeline: Pipeline, opening: Statement | None = None) -> None:
        self._pipeline = pipeline
        self._opening = (Statement(_BEGIN, ()),) if opening is None else (Statement(_BEGIN, ()), opening)
        self._begun = False
        self._ended = False
        self._undone = False
        self._lost: Conflict | None = None
        self._has_events = False

    def announce(self) -> None:
        """Tell those who listen, once this is committed, that there are events to read."""
        self._has_events = True

    def run(self, *statements: Statement, commit: bool = False) -> list[list[Row]]:
        """Run statements in one round trip and return each one's rows.

        Raises Conflict when a guard or constraint refused one (the transaction is then lost as a whole),
        DatabaseUnavailable when the connection broke.
        """
        if self._ended:
            raise Conflict("this unit of work has ended; a failed one must be begun anew")
        before = () if self._begun else self._opening
        after = self._closing if commit else ()
        self._begun = True
        try:
            answers = self._pipeline.run((*before, *statements, *after))
        except BaseException as error:
            self._lost = error if isinstance(error, Conflict) else None
            self.roll_back()
            raise
        self._ended = commit
        return answers[len(before) : len(before) + len(statements)]

    @property
    def _closing(self) -> tuple[Statement, ...]:
        commit = Statement(_COMMIT, ())
        return (commit, Statement(NOTIFY, ())) if self._has_events else (commit,)

    def commit(self) -> None:
        """Commit, unless it was committed with the last pipeline or nothing was begun.

        Raises Conflict when a failure, which the caller did not pass on, has undone everything: with the
        details of the lost race that did, for they say whether all of it may be tried again.
        """
        if self._undone:
            raise _undone_by(self._lost)
        if self._begun and not self._ended:
            self.run(commit=True)

    def roll_back(self) -> None:
        """Undo everything; a broken connection has undone it already."""
        if self._begun and not self._ended:
            self._ended = self._undone = True
            self._pipeline.abandon()


def _undone_by(lost: Conflict | None) -> Conflict:
    message = "this unit of work was undone when one of its commands failed"
    return Conflict(message) if lost is None else Conflict(f"{message}: {lost}", details=lost.details)


def _options(statement_timeout: float | None) -> str:
    """Whoever waits for a lock hears that it is locked, which says more, before the statement is stopped."""
    if statement_timeout is None:
        return _OPTIONS
    end = max(10, int(statement_timeout * 1000))
    return f"{_OPTIONS} -c statement_timeout={end} -c lock_timeout={min(30_000, end * 9 // 10)}"


def _restore_timeout(connection: psycopg.Connection[Any]) -> None:
    try:
        connection.execute("RESET statement_timeout")
    except psycopg.Error:
        connection.close()  # the pool makes another, which has it
