"""A connection's pipelines: all statements of a step travel together and cost one round trip.

It speaks libpq's pipeline mode directly (``psycopg.pq``), because the client's own work is a large part of
what a command costs (docs/decisions.md).
"""

from __future__ import annotations

import select
import struct
from collections.abc import Sequence
from typing import Any

import orjson
import psycopg
from psycopg import abc, pq
from psycopg.adapt import Loader, PyFormat, Transformer
from psycopg.types.json import set_json_loads
from psycopg.types.numeric import NumericBinaryLoader

from gndp.core.errors import Conflict, DatabaseUnavailable, StatementTimeout
from gndp.store.queries import Query, Row, Statement

_ROLLBACK = Query(b"rollback", b"ROLLBACK", ())

CHANNEL = "gndp_events"
"""What is notified when events were committed. Only that: listeners read the log."""

# Behind COMMIT, in a transaction of its own: NOTIFY takes a lock that all of the cluster share until its
# transaction is over, and so would make the commits of all clients wait for the disk one after the other.
NOTIFY = Query(b"notify", f"NOTIFY {CHANNEL}".encode(), ())

_GUARD_FAILED = "GN001"
_LOST_RACES = {
    _GUARD_FAILED: "the row was changed meanwhile",
    "23503": "a row that this refers to is not there, or something still refers to it",
    "23505": "a row with this id exists already",
    "40001": "another transaction changed the same rows; try again",
    "40P01": "two transactions waited for each other; try again",
    "55P03": "the row stayed locked by another transaction; try again",
}

_CANCELLED = "57014"

# The binary form of a numeric: how many groups of four digits follow, the power of 10,000 of the first, the
# sign (0 is plus), how many decimals to show.
_NUMERIC_HEAD = struct.Struct("!HhHH")


class Pipeline:
    """A connection in pipeline mode with its prepared statements."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._prepared: set[bytes] = set()
        self._loaders: dict[bytes, abc.Transformer] = {}
        self._transformer = Transformer(connection)
        self._poll = select.poll()
        self._poll.register(connection.pgconn.socket, select.POLLIN)

    def run(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run statements in one round trip and return each one's rows.

        Raises Conflict for a guard or constraint that refused one, StatementTimeout, and DatabaseUnavailable
        when the connection broke.
        """
        pgconn = self._pgconn
        try:
            pgconn.nonblocking = 1
            pgconn.enter_pipeline_mode()
            answers, failed = self._exchange(statements)
            pgconn.exit_pipeline_mode()
            pgconn.nonblocking = 0
        except psycopg.OperationalError as error:
            self._connection.close()
            raise DatabaseUnavailable(f"the database connection broke: {one_line(error)}") from error
        except BaseException:
            self._connection.close()
            raise
        if failed is not None:
            raise _translated(failed)
        return answers

    def abandon(self) -> None:
        """Roll back the open transaction; a broken connection has done so already."""
        if not self._connection.closed:
            self.run((Statement(_ROLLBACK, ()),))

    def _exchange(self, statements: Sequence[Statement]) -> tuple[list[list[Row]], psycopg.Error | None]:
        pgconn = self._pgconn
        preparing: list[bytes | None] = []
        for (name, text, _), values in statements:
            new = bool(name) and name not in self._prepared and name not in preparing
            preparing.append(name if new else None)
            if new:
                pgconn.send_prepare(name, text)
            parameters = self._transformer.dump_sequence(values, [PyFormat.TEXT] * len(values))
            if name:
                pgconn.send_query_prepared(name, parameters, result_format=pq.Format.BINARY)
            else:
                pgconn.send_query_params(text, parameters, result_format=pq.Format.BINARY)
        pgconn.pipeline_sync()
        self._flush()
        answers: list[list[Row]] = []
        failed: psycopg.Error | None = None
        for prepared, (sent, _) in zip(preparing, statements, strict=True):
            if prepared is not None:
                result = self._result()
                failed = failed or _failure(result)
                if result.status == pq.ExecStatus.COMMAND_OK:
                    self._prepared.add(prepared)
            result = self._result()
            status = result.status
            if status == pq.ExecStatus.TUPLES_OK:
                answers.append(self._rows(sent.name, result))
            elif status == pq.ExecStatus.COMMAND_OK:
                answers.append([])
            elif sent is not NOTIFY:  # what it follows is committed, and listeners also look by themselves
                failed = failed or _failure(result)
        self._next_result()
        return answers, failed

    def _rows(self, name: bytes, result: pq.abc.PGresult) -> list[Row]:
        if not result.ntuples:
            return []
        # The types of a prepared statement's columns never change, so its loaders are looked up once.
        loader = self._loaders.get(name)
        if loader is None:
            loader = Transformer(self._connection)
            if name:
                self._loaders[name] = loader
            loader.set_pgresult(result)
        else:
            loader.set_pgresult(result, set_loaders=False)
        return loader.load_rows(0, result.ntuples, tuple)

    def _result(self) -> pq.abc.PGresult:
        result = self._next_result()
        if result is None:
            raise psycopg.OperationalError("the server closed the connection in the middle of an answer")
        self._pgconn.get_result()  # None: the end of this statement's results; there is nothing to wait for
        return result

    def _next_result(self) -> pq.abc.PGresult | None:
        # libpq's own wait would hold the interpreter's lock: another thread of this process could never
        # release the row that this one waits for.
        pgconn = self._pgconn
        while pgconn.is_busy():
            self._poll.poll()
            pgconn.consume_input()
        return pgconn.get_result()

    def _flush(self) -> None:
        pgconn = self._pgconn
        while pgconn.flush():
            poll = select.poll()
            poll.register(pgconn.socket, select.POLLIN | select.POLLOUT)
            if any(ready & select.POLLIN for _, ready in poll.poll()):
                pgconn.consume_input()


class _FloatLoader(NumericBinaryLoader):
    """The contract's percentages are numbers, not decimals."""

    def load(self, data: Any) -> Any:
        groups, weight, sign, _ = _NUMERIC_HEAD.unpack_from(data)
        if sign:
            return float(super().load(data))
        value = 0
        for place in range(_NUMERIC_HEAD.size, len(data), 2):
            value = value * 10_000 + data[place] * 256 + data[place + 1]
        exponent = weight + 1 - groups
        return float(value * 10_000**exponent) if exponent >= 0 else value / 10_000**-exponent


class _JsonbLoader(Loader):
    """The binary form of ``jsonb`` has a version number before the text."""

    format = pq.Format.BINARY

    def load(self, data: Any) -> Any:
        return orjson.loads(memoryview(data)[1:])


def configure(connection: psycopg.Connection[Any]) -> None:
    """Prepare a new connection: its loaders, and UTC."""
    connection.adapters.register_loader("numeric", _FloatLoader)
    connection.adapters.register_loader("jsonb", _JsonbLoader)
    set_json_loads(orjson.loads, connection)
    connection.execute("SET TIME ZONE 'UTC'")


def _failure(result: pq.abc.PGresult) -> psycopg.Error | None:
    if result.status == pq.ExecStatus.FATAL_ERROR:
        return psycopg.errors.error_from_result(result)
    return None


def _translated(error: psycopg.Error) -> Exception:
    """The error of our tree that a database error means; itself when it means none."""
    sqlstate = error.sqlstate or ""
    if sqlstate in _LOST_RACES:
        return Conflict(_LOST_RACES[sqlstate], details={"sqlstate": sqlstate})
    if sqlstate == _CANCELLED:
        return StatementTimeout(one_line(error))
    # libpq's own errors, such as a connection that broke, have no code.
    is_over = not sqlstate or error.diag.severity_nonlocalized in ("FATAL", "PANIC")
    if is_over or sqlstate.startswith(("08", "57P", "53")):
        return DatabaseUnavailable(one_line(error))
    if sqlstate == "0A000" and "cached plan" in str(error):
        return DatabaseUnavailable(
            "the database's tables were changed while this ran; it must be started anew"
        )
    return error


def one_line(error: Exception) -> str:
    """What an error says, in a line."""
    return " ".join(str(error).split())
