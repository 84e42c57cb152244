"""The audit: whether the log is what was written, whoever could write to the database behind our back.

Events form a chain per process (``sql/queries/check/event_link.sql``). Whoever rewrites the database can link
it anew, or cut its end off; an anchor, kept elsewhere, says where every chain had come to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import psycopg
from psycopg import RawCursor, RawServerCursor

from gndp.core.states import AuditFault
from gndp.engine.checker import LISTED, consistent_read
from gndp.formats.anchors import Anchor, Head, Place, read_anchor, read_heads, write_anchor
from gndp.store.queries import statement
from gndp.store.resources import sql_text
from gndp.store.session import Database, unhurried

Progress = Callable[[int, int], None]

_BATCH = 10_000
"""How many processes travel at a time."""


class Finding(NamedTuple):
    """Something that an audit found wrong; ``process_id`` is None when it is the anchor itself."""

    fault: AuditFault
    process_id: UUID | None
    detail: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What holding the log against an anchor gave.

    - ``place``: when and where the log was read.
    - ``anchor``: what the anchor says of itself; None when it was altered, and nothing was compared with it.
    - ``processes``, ``events``: in the log.
    - ``deleted``: anchored processes that retention has deleted since.
    - ``faults``: how many of each fault there are.
    - ``findings``: what is wrong, at most ``LISTED`` of each fault.
    """

    place: Place
    anchor: Anchor | None
    processes: int
    events: int
    deleted: int
    faults: dict[AuditFault, int]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the chains hold and the log has everything that was anchored."""
        return not self.faults

    @property
    def same_database(self) -> bool:
        """Whether the anchor was read from this database, and not from one that this was restored from."""
        return self.anchor is None or self.anchor.place[1:] == self.place[1:]


class Audit:
    """Anchors of the log, and whether it still agrees with them. What is not committed is not seen."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def anchor(self, path: str | Path, *, progress: Progress | None = None) -> Anchor:
        """Write to a file where the chain of every process ends, in one consistent read.

        The file takes the place of an older one in one step; it is compressed where its name ends in ``.gz``.
        ``progress(done, total)`` is called as it goes. Raises Invalid when the file cannot be written.
        """
        with self._reading() as connection:
            place = _place(connection)
            processes, _ = _rows(connection, "size")[0]
            heads = _watched(_heads(connection), processes, progress)
            return write_anchor(Path(path), place, heads)

    def verify(self, path: str | Path, *, progress: Progress | None = None) -> AuditReport:
        """Verify the chains, and that the log has everything that was anchored in a file.

        Raises Invalid when the file cannot be read.
        """
        anchor = read_anchor(Path(path))
        found = _Found()
        with self._reading() as connection:
            place = _place(connection)
            processes, events = _rows(connection, "size")[0]
            for process_id, detail in _broken_chains(connection):
                found.add(AuditFault.CHAIN_BROKEN, process_id, detail)
            if anchor is None:
                found.add(AuditFault.ANCHOR_ALTERED, None, f"{path} is no anchor, or not what was written")
            else:
                heads = _watched(read_heads(Path(path), anchor), anchor.processes, progress)
                _compare(connection, heads, found)
        return AuditReport(
            place, anchor, processes, events, found.deleted, dict(found.faults), tuple(found.findings)
        )

    @contextmanager
    def _reading(self) -> Iterator[psycopg.Connection[Any]]:
        with unhurried(), self._database.connection() as connection, consistent_read(connection):
            yield connection


@dataclass
class _Found:
    deleted: int = 0
    faults: Counter[AuditFault] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, fault: AuditFault, process_id: UUID | None, detail: str) -> None:
        self.faults[fault] += 1
        if self.faults[fault] <= LISTED:
            self.findings.append(Finding(fault, process_id, detail))


def _place(connection: psycopg.Connection[Any]) -> Place:
    as_of: datetime
    as_of, cluster, database = _rows(connection, "place")[0]
    return Place(as_of.astimezone(UTC), cluster, database)


def _heads(connection: psycopg.Connection[Any]) -> Iterator[Head]:
    with RawServerCursor(connection, "heads") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(statement("audit", "heads").query.text)
        yield from map(Head._make, cursor)


def _broken_chains(connection: psycopg.Connection[Any]) -> Iterator[tuple[UUID, str]]:
    with RawServerCursor(connection, "chains") as cursor:
        cursor.execute(sql_text("queries/check/event_link.sql").encode())
        for _, process_id, detail in cursor:
            yield process_id, detail


def _compare(connection: psycopg.Connection[Any], heads: Iterator[Head], found: _Found) -> None:
    while batch := [head._asdict() for head in islice(heads, _BATCH)]:
        for process_id, seq, events, *there, is_deleted in _rows(
            connection, "missing", heads=orjson.dumps(batch).decode()
        ):
            if is_deleted:
                found.deleted += 1
            else:
                found.add(*_lost(process_id, seq, events, *there))


def _lost(
    process_id: UUID, seq: int, events: int, last_seq: int | None, events_there: int
) -> tuple[AuditFault, UUID, str]:
    anchored = f"anchored were {events} up to seq {seq}"
    if last_seq is None:
        return (
            AuditFault.PROCESS_GONE,
            process_id,
            f"it has no events, and retention did not delete it; {anchored}",
        )
    there = f"it has {events_there} events up to seq {last_seq}; {anchored}"
    fault = AuditFault.TAIL_CUT if last_seq < seq else AuditFault.HISTORY_REWRITTEN
    return fault, process_id, there


def _watched(heads: Iterable[Head], total: int, progress: Progress | None) -> Iterator[Head]:
    for done, head in enumerate(heads, 1):
        yield head
        if progress is not None:
            progress(done, total)


def _rows(connection: psycopg.Connection[Any], name: str, **values: Any) -> list[tuple[Any, ...]]:
    wanted = statement("audit", name, **values)
    with RawCursor(connection) as cursor:
        return cursor.execute(wanted.query.text, wanted.values, binary=True).fetchall()
