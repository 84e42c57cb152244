"""``gndp check``: what always holds, asserted on any database at any moment.

Each file of ``sql/queries/check`` is one invariant: its first line says what holds, its query selects the
rows (``id``, ``detail``) for which it does not. What may follow what comes from the transition tables as the
parameters ``%(process_from)s``, ``%(process_to)s``, ``%(task_from)s`` and ``%(task_to)s``. SQL can walk a
graph only path by path, so a file of ``sql/queries/check/graphs`` selects graphs that might have a cycle
(``graph``, ``id``, ``after``: the ids that come before it), and cycles are looked for here. What the SLA
clocks should say is worked out by the rules themselves (``clock_check``).

Source of the invariants: the house plan ("What always holds") and the semantics page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from gndp.core.flow import cycle_members
from gndp.core.states import PROCESS_TRANSITIONS, TASK_TRANSITIONS, Transition
from gndp.engine import clock_check
from gndp.engine.clock_check import wrong_clocks
from gndp.store.resources import sql_path, sql_text

LISTED = 100
"""How many offending rows of one invariant are listed; all of them are counted."""

CHECKED_TABLES = ("process_instances", "tasks", "process_events", "task_assignments", "sla_metrics")
"""The tables that the invariants are about."""

_Cursor = psycopg.Cursor[tuple[Any, ...]]

_OFFENDERS = sql.SQL(
    "SELECT offender.id::text, offender.detail, count(*) OVER ()"
    " FROM (\n{}\n) AS offender ORDER BY 1, 2 LIMIT {}"
)
_CHECKS = sql_path() / "queries" / "check"
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


def check(
    connection: psycopg.Connection[Any], progress: Callable[[int, int], None] | None = None
) -> CheckReport:
    """Assert every invariant on the database of ``connection``, in one consistent read; writes nothing.
    ``progress(done, total)`` is called after each.

    The connection must not be in a transaction: the read is one of its own (REPEATABLE READ, READ ONLY).
    Raises ValueError when it is, and psycopg.Error when the database cannot be read.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("check needs a connection that is not in a transaction")
    with consistent_read(connection) as cursor:
        as_of = cursor.execute("SELECT statement_timestamp()").fetchall()[0][0].astimezone(UTC)
        rows = {table: _count(cursor, table) for table in CHECKED_TABLES}
        checks = [partial(_check_rows, cursor, path) for path in _files(_CHECKS)]
        checks += [partial(_check_graphs, connection, path) for path in _files(_CHECKS / "graphs")]
        checks.append(partial(_check_clocks, connection))
        results = []
        for done, one in enumerate(checks, start=1):
            results.append(one())
            if progress is not None:
                progress(done, len(checks))
    results.sort(key=itemgetter(0))
    return CheckReport(
        as_of=as_of,
        rows=rows,
        invariants=tuple(invariant for invariant, _ in results),
        violations=tuple(violation for _, violations in results for violation in violations),
    )


@contextmanager
def consistent_read(connection: psycopg.Connection[Any]) -> Iterator[_Cursor]:
    """A transaction that reads the whole database as it was at one moment, and writes nothing."""
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # PostgreSQL's default of 4 MB makes it sort and hash the events on disk.
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SET LOCAL enable_seqscan = on")
        yield cursor


_Result = tuple[Invariant, list[Violation]]


def _files(folder: Path) -> list[Path]:
    # Not glob, which finds nothing in a folder that is missing: a check of nothing would be clean.
    return [path for path in folder.iterdir() if path.suffix == ".sql"]


def _count(cursor: _Cursor, table: str) -> int:
    count: int = cursor.execute(_ROWS.format(sql.Identifier(table))).fetchall()[0][0]
    return count


def _check_rows(cursor: _Cursor, path: Path) -> _Result:
    text = sql_text(f"queries/check/{path.name}")
    found = cursor.execute(_OFFENDERS.format(sql.SQL(text), LISTED), _PARAMETERS, prepare=False).fetchall()
    violations = [Violation(path.stem, id, detail) for id, detail, _ in found]
    return Invariant(path.stem, _meaning(text), found[0][2] if found else 0), violations


def _check_graphs(connection: psycopg.Connection[Any], path: Path) -> _Result:
    text = sql_text(f"queries/check/graphs/{path.name}")
    offenders = _on_cycles(connection, text)
    detail = "lies on a cycle, or behind one"
    violations = [Violation(path.stem, id, detail) for id in islice(offenders, LISTED)]
    unlisted = sum(1 for _ in offenders)
    return Invariant(path.stem, _meaning(text), len(violations) + unlisted), violations


def _check_clocks(connection: psycopg.Connection[Any]) -> _Result:
    offenders = wrong_clocks(connection)
    violations = [Violation(clock_check.NAME, id, detail) for id, detail in islice(offenders, LISTED)]
    unlisted = sum(1 for _ in offenders)
    return Invariant(clock_check.NAME, clock_check.MEANING, len(violations) + unlisted), violations


def _on_cycles(connection: psycopg.Connection[Any], text: str) -> Iterator[str]:
    """The ids that lie on a cycle or behind one, read graph by graph."""
    with connection.cursor(name="graphs", row_factory=tuple_row) as cursor:
        cursor.itersize = 10_000
        cursor.execute(sql.SQL(text))
        for _, rows in groupby(cursor, key=itemgetter(0)):
            yield from sorted(str(id) for id in cycle_members({id: after for _, id, after in rows}))


def _meaning(text: str) -> str:
    return text.partition("\n")[0].removeprefix("--").strip()


def _pairs(item: str, transitions: tuple[Transition, ...]) -> dict[str, list[str | None]]:
    return {
        f"{item}_from": [None if t.from_ is None else str(t.from_) for t in transitions],
        f"{item}_to": [str(t.to) for t in transitions],
    }


_PARAMETERS = {**_pairs("process", PROCESS_TRANSITIONS), **_pairs("task", TASK_TRANSITIONS)}
