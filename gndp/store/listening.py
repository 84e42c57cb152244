"""One connection that hears when events are committed, and reads them."""

from __future__ import annotations

import psycopg

from gndp.core.errors import DatabaseUnavailable
from gndp.store.pipeline import CHANNEL
from gndp.store.queries import Query, Row, Statement
from gndp.store.session import Database


class ListeningConnection:
    """A connection of its own, in autocommit mode, which LISTENs; for one thread.

    Raises DatabaseUnavailable when it cannot be had, and from every method once it has broken.
    """

    def __init__(self, database: Database) -> None:
        self._connection = database.connect("gndp listener")
        self._reader = psycopg.RawCursor(self._connection, row_factory=psycopg.rows.tuple_row)
        self._run(Query(b"listen", f"LISTEN {CHANNEL}".encode(), ()))

    def wait(self, seconds: float) -> bool:
        """Whether something was committed meanwhile; waits that long at most, and no longer than until
        then."""
        try:
            return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(str(error)) from error

    def read(self, *statements: Statement) -> list[list[Row]]:
        """Run reads, each seeing what was committed when it runs."""
        return [self._run(query, values) for query, values in statements]

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()

    def _run(self, query: Query, values: tuple[object, ...] = ()) -> list[Row]:
        try:
            cursor = self._reader.execute(query.text, values, binary=True)
            return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(str(error)) from error
