"""Positions in the event log: what a reader has read, told by the snapshots of its windows.

A window holds the events that one snapshot of the database shows and an earlier one does not, in the order of
``seq``. A snapshot shows a transaction when it was committed before; and since the events of a process are
written one transaction after the other, whichever snapshot shows one shows those before it. So windows lose
nothing that is committed late and keep the order of every process; a window by ``xid`` alone does not
(docs/decisions.md).
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from gndp.core.errors import Invalid, Problem

_CLUSTER = re.compile(r"-?\d{1,20}")
_SEQ = re.compile(r"\d{1,19}")
_LARGEST_SEQ = 2**63 - 1
_NO_POSITION = Problem("position", "is no position in an event log")
_SNAPSHOT = re.compile(r"(\d{1,20}):(\d{1,20}):((?:\d{1,20}(?:,\d{1,20})*)?)")


class Snapshot(NamedTuple):
    """What was committed at a moment, as PostgreSQL tells it: transactions from ``end`` on were not begun, or
    not over; of those before it, ``running`` were not over."""

    end: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Snapshot:
        """The snapshot that ``pg_snapshot`` prints as ``xmin:xmax:xip,…``; Invalid when it is none."""
        match = _SNAPSHOT.fullmatch(text)
        if match is None:
            raise Invalid(_NO_POSITION)
        oldest, end = int(match[1]), int(match[2])
        running = [int(xid) for xid in match[3].split(",") if xid]
        in_order = [oldest - 1, *running, end]
        if not (0 < oldest <= end and all(a < b for a, b in pairwise(in_order))):
            raise Invalid(_NO_POSITION)
        return cls(end, frozenset(running))

    def shows(self, xid: int) -> bool:
        """Whether a transaction was committed by then (as ``pg_visible_in_snapshot``)."""
        return xid < self.end and xid not in self.running


class Position(NamedTuple):
    """A place in the event log of a cluster: all that ``read_from`` shows has been read, and of what
    ``read_to`` shows beyond it everything up to ``last_seq``."""

    cluster: str
    read_from: str
    read_to: str
    last_seq: int

    @property
    def is_in_window(self) -> bool:
        """Whether there may be more to read of a window that was begun."""
        return self.read_from != self.read_to

    @property
    def token(self) -> str:
        """The position as a text without blanks, for whoever keeps it elsewhere."""
        return "/".join((self.cluster, self.read_from, self.read_to, str(self.last_seq)))

    @classmethod
    def parse(cls, token: str) -> Position:
        """The position that ``token`` wrote; Invalid when the text is none."""
        parts = token.split("/") if isinstance(token, str) and len(token) <= 100_000 else []
        if len(parts) != 4 or not _CLUSTER.fullmatch(parts[0]) or not _SEQ.fullmatch(parts[3]):
            raise Invalid(_NO_POSITION)
        cluster, read_from, read_to, last_seq = *parts[:3], int(parts[3])
        if Snapshot.parse(read_from).end > Snapshot.parse(read_to).end or last_seq > _LARGEST_SEQ:
            raise Invalid(_NO_POSITION)
        return cls(cluster, read_from, read_to, last_seq)

    @property
    def past(self) -> Past:
        """What lies before this position."""
        return Past(Snapshot.parse(self.read_from), Snapshot.parse(self.read_to), self.last_seq)


class Past(NamedTuple):
    """What lies before a position, for asking about many events."""

    read_from: Snapshot
    read_to: Snapshot
    last_seq: int

    def has(self, xid: int, seq: int) -> bool:
        """Whether an event lies before the position."""
        return self.read_from.shows(xid) or (seq <= self.last_seq and self.read_to.shows(xid))
