"""``gndp check``: what always holds, asserted on any database at any moment.

Each file of ``sql/queries/check`` is one invariant: its first line says what holds, its query selects the
rows (``id``, ``detail``) for which it does not. What follows which comes from the transition tables as the
parameters ``%(process_from)s``, ``%(process_to)s``, ``%(task_from)s`` and ``%(task_to)s``. Cycles of
dependencies are looked for here, since SQL can only walk them path by path.

Source of the invariants: the house plan ("What always holds") and the semantics page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from gndp.core.flow import cycle_members
from gndp.core.states import PROCESS_TRANSITIONS, TASK_TRANSITIONS, Transition
from gndp.store.resources import sql_path, sql_text

LISTED = 100
"""How many offending rows of one invariant are listed; all of them are counted."""

CHECKED_TABLES = ("process_instances", "tasks", "process_events", "task_assignments")
"""The tables that the invariants are about."""

_Cursor = psycopg.Cursor[tuple[Any, ...]]

_OFFENDERS = sql.SQL(
    "SELECT offender.id::text, offender.detail, count(*) OVER ()"
    " FROM (\n{}\n) AS offender ORDER BY 1, 2 LIMIT {}"
)
_ROWS = sql.SQL("SELECT count(*) FROM {}")


class Violation(NamedTuple):
    """One row that breaks an invariant: the invariant's name, the row's id, and what is wrong with it."""

    invariant: str
    id: str
    detail: str


class Invariant(NamedTuple):
    """One invariant that was checked: its name, what should hold, and how many rows break it."""

    name: str
    meaning: str
    offenders: int


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    ``as_of`` is the instant of the read by the database's clock (aware UTC), ``rows`` the number of rows
    per table, ``invariants`` all that were checked, by name, ``violations`` the offending rows, at most
    ``LISTED`` of each invariant.
    """

    as_of: datetime
    rows: dict[str, int]
    invariants: tuple[Invariant, ...]
    violations: tuple[Violation, ...]

    @property
    def ok(self) -> bool:
        """Whether every invariant holds."""
        return not self.broken

    @property
    def broken(self) -> tuple[Invariant, ...]:
        """The invariants that do not hold."""
        return tuple(invariant for invariant in self.invariants if invariant.offenders)

    @property
    def truncated(self) -> dict[str, int]:
        """The invariants whose offending rows are not all listed, with how many there are."""
        return {i.name: i.offenders for i in self.invariants if i.offenders > LISTED}


def check(connection: psycopg.Connection[Any]) -> CheckReport:
    """Assert every invariant on the database of ``connection``, in one consistent read; writes nothing.

    The connection must not be in a transaction: the read is one of its own (REPEATABLE READ, READ ONLY).
    Raises ValueError when it is, and psycopg.Error when the database cannot be read.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("check needs a connection that is not in a transaction")
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        as_of = cursor.execute("SELECT statement_timestamp()").fetchall()[0][0].astimezone(UTC)
        rows = {table: _count(cursor, table) for table in CHECKED_TABLES}
        results = [_check_file(cursor, name) for name in _files()]
        results.append(_check_cycles(connection))
    results.sort(key=itemgetter(0))
    return CheckReport(
        as_of=as_of,
        rows=rows,
        invariants=tuple(invariant for invariant, _ in results),
        violations=tuple(violation for _, violations in results for violation in violations),
    )


_Result = tuple[Invariant, list[Violation]]


def _files() -> list[str]:
    return [path.stem for path in (sql_path() / "queries" / "check").glob("*.sql")]


def _count(cursor: _Cursor, table: str) -> int:
    count: int = cursor.execute(_ROWS.format(sql.Identifier(table))).fetchall()[0][0]
    return count


def _check_file(cursor: _Cursor, name: str) -> _Result:
    text = sql_text(f"queries/check/{name}.sql")
    found = cursor.execute(_OFFENDERS.format(sql.SQL(text), LISTED), _PARAMETERS, prepare=False).fetchall()
    meaning = text.partition("\n")[0].removeprefix("--").strip()
    violations = [Violation(name, id, detail) for id, detail, _ in found]
    return Invariant(name, meaning, found[0][2] if found else 0), violations


def _pairs(item: str, transitions: tuple[Transition, ...]) -> dict[str, list[str | None]]:
    return {
        f"{item}_from": [None if t.from_ is None else str(t.from_) for t in transitions],
        f"{item}_to": [str(t.to) for t in transitions],
    }


_PARAMETERS = {**_pairs("process", PROCESS_TRANSITIONS), **_pairs("task", TASK_TRANSITIONS)}


def _check_cycles(connection: psycopg.Connection[Any]) -> _Result:
    name = "task_cycle"
    offenders = _tasks_on_cycles(connection)
    violations = [
        Violation(name, id, "lies on a cycle of dependencies, or waits for one")
        for id in islice(offenders, LISTED)
    ]
    more = sum(1 for _ in offenders)
    return Invariant(name, "No task waits for a cycle of dependencies.", len(violations) + more), violations


def _tasks_on_cycles(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """The tasks on a cycle of dependencies or behind one, read process by process."""
    with connection.cursor(name="dependency_graphs", row_factory=tuple_row) as cursor:
        cursor.itersize = 10_000
        cursor.execute(sql.SQL(sql_text("queries/check/support/dependency_graphs.sql")))
        for _, tasks in groupby(cursor, key=itemgetter(0)):
            yield from sorted(
                str(id) for id in cycle_members({id: depends_on for _, id, depends_on in tasks})
            )
