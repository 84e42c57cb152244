"""Positions in the event log: reading by snapshots, against a model of transactions that come and go."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gndp.core.errors import Invalid
from gndp.core.positions import Position, Snapshot
from gndp.events.rebase import with_transaction

PROCESSES = 3
CLIENTS = 4


class Written(NamedTuple):
    seq: int
    xid: int
    process: int


class Log:
    """A database: a transaction gets its number with its first write and locks a process until it commits."""

    def __init__(self) -> None:
        self.next_xid = 100
        self.open: dict[int, int] = {}
        self.locks: dict[int, int] = {}
        self.written: list[Written] = []

    def write(self, client: int, process: int) -> None:
        """Write an event, unless the process is another's."""
        if self.locks.get(process, client) != client:
            return
        if client not in self.open:
            self.open[client] = self.next_xid
            self.next_xid += 1
        self.locks[process] = client
        self.written.append(Written(len(self.written) + 1, self.open[client], process))

    def commit(self, client: int) -> None:
        self.open.pop(client, None)
        self.locks = {process: owner for process, owner in self.locks.items() if owner != client}

    def snapshot(self) -> str:
        """What is committed now, as PostgreSQL tells it."""
        running = sorted(self.open.values())
        return f"{min(running, default=self.next_xid)}:{self.next_xid}:{','.join(map(str, running))}"

    def window(self, read_from: str, read_to: str) -> list[Written]:
        before, now = Snapshot.parse(read_from), Snapshot.parse(read_to)
        return [event for event in self.written if now.shows(event.xid) and not before.shows(event.xid)]


def by_process(events: list[Written]) -> dict[int, list[int]]:
    return {process: [e.seq for e in events if e.process == process] for process in range(PROCESSES)}


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, CLIENTS - 1), st.integers(0, PROCESSES - 1)),
        st.tuples(st.just("commit"), st.integers(0, CLIENTS - 1), st.just(0)),
        st.tuples(st.just("read"), st.just(0), st.just(0)),
    ),
    max_size=80,
)


@given(ACTS)
def test_windows_give_every_committed_event_once_and_keep_the_order_of_each_process(
    acts: list[tuple[str, int, int]],
) -> None:
    log, read, position = Log(), [], "1:1:"
    for act, client, process in [
        *acts,
        *(("commit", client, 0) for client in range(CLIENTS)),
        ("read", 0, 0),
    ]:
        match act:
            case "write":
                log.write(client, process)
            case "commit":
                log.commit(client)
            case "read":
                now = log.snapshot()
                read += log.window(position, now)
                position = now
    assert by_process(read) == by_process(log.written)


def test_windows_below_the_oldest_open_transaction_break_the_order_of_a_process() -> None:
    """Why positions are snapshots: the smallest history in which a window by number alone fails."""
    log = Log()
    log.write(0, 0)  # an early number
    log.write(1, 1)  # stays open
    log.write(2, 2)
    log.commit(2)
    log.write(0, 2)  # the early number writes behind the later one
    log.commit(0)
    below = min(log.open.values())
    assert [event.seq for event in log.written if event.xid < below and event.process == 2] == [4]
    assert [event.seq for event in log.window("1:1:", log.snapshot()) if event.process == 2] == [3, 4]


SNAPSHOTS = st.builds(
    lambda end, running: f"{min(running, default=end)}:{end}:{','.join(map(str, sorted(running)))}",
    st.integers(60, 100),
    st.sets(st.integers(1, 59), max_size=5),
)


@given(SNAPSHOTS, SNAPSHOTS, st.integers(0, 10**18))
def test_a_token_says_the_position(read_from: str, read_to: str, last_seq: int) -> None:
    read_from, read_to = sorted((read_from, read_to), key=lambda text: Snapshot.parse(text).end)
    position = Position("-7312345678901234567", read_from, read_to, last_seq)
    assert Position.parse(position.token) == position
    assert not any(character.isspace() for character in position.token)


@given(SNAPSHOTS, SNAPSHOTS, st.integers(1, 9), st.integers(1, 120), st.integers(1, 9))
def test_what_is_past_is_what_windows_have_given(
    read_from: str, read_to: str, last_seq: int, xid: int, seq: int
) -> None:
    before, now = Snapshot.parse(read_from), Snapshot.parse(read_to)
    past = Position("1", read_from, read_to, last_seq).past.has(xid, seq)
    assert past == (before.shows(xid) or (now.shows(xid) and seq <= last_seq))


@given(SNAPSHOTS, st.integers(1, 130))
def test_a_snapshot_with_a_transaction_more_shows_that_one_and_what_it_showed(text: str, xid: int) -> None:
    before, after = Snapshot.parse(text), Snapshot.parse(with_transaction(text, xid))
    assert after.shows(xid)
    assert all(after.shows(other) == before.shows(other) for other in range(1, 140) if other != xid)


@pytest.mark.parametrize(
    "text", ["", "1", "1:2", "2:1:", "a:b:", "1:2:x", "1:2:1,", "1:2:\n", "1" * 30 + ":2:"]
)
def test_what_is_no_snapshot_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Snapshot.parse(text)
