"""Reading the event log by windows: nothing that commits late is lost, and each process keeps its order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

import gndp
from gndp.core.positions import Position, Snapshot
from gndp.events.log import Batch, Selection, current_position, next_batch

EVERYTHING = Selection()


def start(wb: gndp.Workbench, name: str = "talk") -> UUID:
    return wb.processes.start(
        process_definition_id="talk", process_name=name, process_type="custom", initiated_by="ann"
    ).id


def say(wb: gndp.Workbench, process_id: UUID, text: str) -> None:
    wb.processes.comment(process_id, user_id="ann", text=text)


class OpenUnit:
    """A unit of work in a thread of its own, which does one thing after the other when it is told to."""

    def __init__(self, wb: gndp.Workbench) -> None:
        self._wb = wb
        self._orders: list[Callable[[], None] | None] = []
        self._told = threading.Semaphore(0)
        self._done = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def do(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        self._told.release()
        assert self._done.acquire(timeout=10)

    def commit(self) -> None:
        self._orders.append(None)
        self._told.release()
        self._thread.join(10)

    def _work(self) -> None:
        with self._wb.transaction():
            while True:
                self._told.acquire()
                order = self._orders.pop(0)
                if order is None:
                    return
                order()
                self._done.release()


@contextmanager
def open_unit(wb: gndp.Workbench) -> Iterator[OpenUnit]:
    unit = OpenUnit(wb)
    try:
        yield unit
    finally:
        unit.commit()


class Follower:
    """Reads on from now, and remembers what was said."""

    def __init__(self, wb: gndp.Workbench, selection: Selection = EVERYTHING, most: int = 100) -> None:
        self._read = wb._transitions.database.read
        self._selection = selection
        self._most = most
        self.position = current_position(self._read)
        self.said: list[str] = []

    def read(self) -> list[str]:
        """What was said since the last read."""
        said: list[str] = []
        while (batch := self._next()).events:
            said += [logged.event.details.get("text", logged.event.event_type) for logged in batch.events]
        self.said += said
        return said

    def _next(self) -> Batch:
        batch = next_batch(self._read, self.position, self._selection, self._most)
        self.position = batch.end
        return batch


def test_what_commits_late_is_read_though_later_events_were(workbench: gndp.Workbench) -> None:
    first, second = start(workbench), start(workbench)
    follower = Follower(workbench)
    with open_unit(workbench) as late:
        late.do(lambda: say(workbench, first, "early, committed late"))
        say(workbench, second, "late, committed early")
        assert follower.read() == ["late, committed early"]
    assert follower.read() == ["early, committed late"]
    assert follower.read() == []


def test_an_early_transaction_that_writes_late_keeps_the_order_of_a_process(
    workbench: gndp.Workbench,
) -> None:
    """A reader of all transactions below the oldest open one would see the second event first (a model of
    it does, in tests/pure/test_positions.py)."""
    own, shared, other = (start(workbench) for _ in range(3))
    follower = Follower(workbench)
    with open_unit(workbench) as open_one:
        with open_unit(workbench) as early:
            early.do(lambda: say(workbench, own, "own"))
            open_one.do(lambda: say(workbench, other, "other"))
            say(workbench, shared, "one")
            early.do(lambda: say(workbench, shared, "two"))
        assert follower.read() == ["own", "one", "two"]
    assert follower.read() == ["other"]


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_a_window_is_read_in_pages_of_any_size(workbench: gndp.Workbench, most: int) -> None:
    process = start(workbench)
    follower = Follower(workbench, most=most)
    texts = [str(n) for n in range(7)]
    for text in texts:
        say(workbench, process, text)
    assert follower.read() == texts
    say(workbench, process, "more")
    assert follower.read() == ["more"]


def test_a_position_in_the_middle_of_a_window_goes_on_in_that_window(workbench: gndp.Workbench) -> None:
    process, other = start(workbench), start(workbench)
    read = workbench._transitions.database.read
    position = current_position(read)
    with open_unit(workbench) as late:
        late.do(lambda: say(workbench, other, "late"))
        for n in range(4):
            say(workbench, process, str(n))
        batch = next_batch(read, position, Selection(), 100)
        middle = Position.parse(batch.behind(2).token)
    rest = next_batch(read, middle, Selection(), 100)
    assert [e.event.details["text"] for e in rest.events] == ["2", "3"]
    after = next_batch(read, rest.end, Selection(), 100)
    assert [e.event.details["text"] for e in after.events] == ["late"]


def test_a_selection_leaves_out_what_it_is_not_for(workbench: gndp.Workbench) -> None:
    process, other = start(workbench), start(workbench)
    of_type = Follower(workbench, Selection("process.commented"))
    of_prefix = Follower(workbench, Selection("task.*"))
    of_process = Follower(workbench, Selection(process_id=process))
    say(workbench, process, "mine")
    say(workbench, other, "theirs")
    workbench.processes.suspend(process, user_id="ann", reason="lunch")
    assert of_type.read() == ["mine", "theirs"]
    assert of_prefix.read() == []
    assert of_process.read() == ["mine", "process.suspended"]


def test_an_underscore_in_a_pattern_means_itself(workbench: gndp.Workbench) -> None:
    exact = Follower(workbench, Selection("process.comm_nted"))
    say(workbench, start(workbench), "no")
    assert exact.read() == []


@pytest.mark.parametrize("snapshot", ["1:1:", "700:700:", "700:710:703,705", "3:900:3,4,5,899"])
def test_snapshots_show_what_postgresql_says_they_show(database_url: str, snapshot: str) -> None:
    with psycopg.connect(database_url) as connection:
        for xid in (1, 3, 4, 6, 699, 700, 702, 703, 704, 705, 709, 710, 899, 900, 10**12):
            (shown,) = connection.execute(
                "SELECT pg_visible_in_snapshot(%s::text::xid8, %s::pg_snapshot)", (str(xid), snapshot)
            ).fetchone()
            assert Snapshot.parse(snapshot).shows(xid) == shown
