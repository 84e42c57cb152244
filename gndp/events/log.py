"""Reading the event log window by window (``gndp.core.positions`` says why windows are what they are)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gndp.core.errors import Conflict
from gndp.core.positions import Position, Snapshot
from gndp.core.records import Event
from gndp.store.queries import Row, Statement, statement

Read = Callable[..., list[list[Row]]]
"""Runs statements in one round trip and gives each one's rows."""


FIRST_SNAPSHOT = "1:1:"
"""The snapshot that shows nothing: whoever has read up to it has read nothing yet."""


class Selection(NamedTuple):
    """Which events a reader wants: those of a pattern, from a business instant on, of one process."""

    pattern: str = "*"
    starts_at: datetime | None = None
    process_id: UUID | None = None

    def statement(self, name: str, **values: object) -> Statement:
        """A query of the log for these events."""
        return statement(
            "event_log",
            name,
            types=self.pattern.replace("_", r"\_").replace("*", "%"),
            starts_at=self.starts_at,
            process_id=self.process_id,
            **values,
        )


class LoggedEvent(NamedTuple):
    """An event with the transaction that wrote it."""

    xid: int
    event: Event


class Batch(NamedTuple):
    """Events of one window in their order, and the positions around them.

    ``start`` is the position before them. ``is_end`` says that the window has no more.
    """

    start: Position
    events: list[LoggedEvent]
    is_end: bool

    def behind(self, count: int) -> Position:
        """The position behind the first ``count`` of the events."""
        if count == len(self.events) and self.is_end:
            snapshot = self.start.read_to
            return self.start._replace(read_from=snapshot, read_to=snapshot, last_seq=0)
        return self.start._replace(last_seq=self.events[count - 1].event.seq) if count else self.start

    @property
    def end(self) -> Position:
        """The position behind all of them."""
        return self.behind(len(self.events))


def next_batch(read: Read, position: Position, selection: Selection, most: int) -> Batch:
    """The next events behind a position, at most so many; none when there is nothing new."""
    if position.is_in_window:
        batch = _rest_of_window(read, position, selection, most)
        if batch.events:
            return batch
        position = batch.end
    return _new_window(read, position, selection, most)


def _new_window(read: Read, position: Position, selection: Selection, most: int) -> Batch:
    (rows,) = read(selection.statement("window", read_from=position.read_from, most=most))
    snapshot, first_seq = rows[0][:2]
    found = [logged(row[2:]) for row in rows if row[2] is not None]
    start = position._replace(read_to=snapshot, last_seq=(first_seq or 1) - 1)
    return Batch(start, found, len(found) < most)


def _rest_of_window(read: Read, position: Position, selection: Selection, most: int) -> Batch:
    (rows,) = read(
        selection.statement(
            "rest_of_window",
            read_from=position.read_from,
            read_to=position.read_to,
            last_seq=position.last_seq,
            most=most,
        )
    )
    return Batch(position, [logged(row) for row in rows], len(rows) < most)


def logged(row: Row) -> LoggedEvent:
    """An event from a row that begins with its transaction."""
    return LoggedEvent(row[0], Event._make(row[1:]))


def current_position(read: Read) -> Position:
    """The position behind everything that is committed now; Conflict when the log is of another cluster."""
    ((row,), (now,)) = read(statement("event_log", "is_of_this_cluster"), statement("event_log", "now"))
    refuse_other_cluster(row[0])
    return Position(now[1], now[0], now[0], 0)


def refuse_other_cluster(is_of_this_cluster: bool) -> None:
    """Raise Conflict when the log was written in another cluster than the database is in."""
    if not is_of_this_cluster:
        raise Conflict(
            "the database was restored from another cluster: positions in its event log mean nothing "
            "here until `gndp events rebase` has told them anew"
        )


def refuse_position(position: Position, now: Position) -> None:
    """Raise Conflict for a position that cannot be one in this log as it is ``now``."""
    if position.cluster != now.cluster:
        raise Conflict("the position is one in the log of another server")
    if Snapshot.parse(position.read_to).end > Snapshot.parse(now.read_to).end:
        raise Conflict("the position lies beyond the end of the log: the database is older than it")
