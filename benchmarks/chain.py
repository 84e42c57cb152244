"""What the chain of events costs: writing events, and the five-task case, with the chain and without it.

Run it with ``make bench``, or ``python -m benchmarks.chain [--cases 400] [--writes 2000]``. Two databases of
one server differ by the chain alone. One client goes from one to the other with every write and every case,
so that a noisy machine touches both alike; the figures are medians. Writes are measured in processor time of
the server's process, as Linux tells it, for on a busy machine the wall's clock shows whose turn it was; cases
by the wall's clock.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import orjson
import psycopg
from psycopg.conninfo import make_conninfo
from uuid_utils.compat import uuid7

import gndp
from benchmarks.five_tasks import TEMPLATE, engine_case
from benchmarks.server import temporary_server
from gndp.store.queries import Statement, statement
from gndp.store.session import Database

_Clock = Callable[[], float]

_WITHOUT = """
DROP TRIGGER process_events_link ON process_events;
ALTER TABLE process_events ALTER COLUMN hash DROP NOT NULL"""


def database(server: str, name: str, change: str) -> str:
    """The URL of a new database of the server, changed in some way."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    url = make_conninfo(server, dbname=name)
    with gndp.connect(url) as workbench:
        workbench.definitions.publish(TEMPLATE, user_id="ann")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(change.encode())
    return url


def insert(process_id: UUID, count: int) -> Statement:
    """The engine's own statement for so many events."""
    event = {
        "process_instance_id": process_id,
        "event_type": "task.completed",
        "event_category": "lifecycle",
        "severity": "info",
        "user_id": "bob",
        "automated": False,
        "message": "Step 1 completed by bob",
        "details": {"output_data": {"done": True}},
        "old_status": "in_progress",
        "new_status": "completed",
        "timestamp": datetime.now(UTC),
    }
    rows = orjson.dumps([{**event, "id": uuid7()} for _ in range(count)]).decode()
    return statement("events", "insert", rows=rows)


class Side(NamedTuple):
    """What is done on one of the two databases, and the clock that it is measured by, in seconds."""

    work: Callable[[], object]
    clock: _Clock

    def milliseconds(self) -> float:
        """How long the work takes."""
        began = self.clock()
        self.work()
        return (self.clock() - began) * 1e3


def compare(what: str, times: int, with_chain: Side, without: Side) -> None:
    """Do both in turn, each first as often as the other, and print the medians."""
    for side in (with_chain, without) * 10:
        side.work()
    chained: list[float] = []
    plain: list[float] = []
    for number in range(times):
        turns = [(with_chain, chained), (without, plain)]
        for side, taken in turns if number % 2 else turns[::-1]:
            taken.append(side.milliseconds())
    medians = statistics.median(chained), statistics.median(plain)
    print(
        f"{what}: {medians[0]:.2f} ms with the chain, {medians[1]:.2f} ms without; "
        f"{medians[0] - medians[1]:+.2f} ms, {medians[0] / medians[1] - 1:+.1%}",
        flush=True,
    )


def writer(stack: ExitStack, url: str, count: int) -> Side:
    """Writes so many events at a time to one process, in a transaction that stays open."""
    with gndp.connect(url) as workbench:
        process = workbench.processes.start(
            process_definition_id="loan", process_name="A", process_type="custom", initiated_by="ann"
        )
    opened = Database(url, min_size=1, max_size=1)
    opened.open()
    stack.callback(opened.close)
    with opened.connection() as connection:
        spent = Path(f"/proc/{connection.info.backend_pid}/schedstat")
    transaction = stack.enter_context(opened.transaction())
    return Side(
        lambda: transaction.run(insert(process.id, count)), lambda: int(spent.read_text().split()[0]) / 1e9
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--writes", type=int, default=2000)
    options = parser.parse_args()
    with temporary_server() as server:
        urls = database(server, "chained", "SELECT"), database(server, "plain", _WITHOUT)
        for count in (1, 3, 100):
            with ExitStack() as stack:
                writers = [writer(stack, url, count) for url in urls]
                compare(f"{count} events written", options.writes // count, *writers)
        with ExitStack() as stack:
            workbenches = [stack.enter_context(gndp.connect(url)) for url in urls]
            cases = [Side(partial(engine_case, wb), time.perf_counter) for wb in workbenches]
            compare("the five-task case, 16 commits", options.cases, *cases)


if __name__ == "__main__":
    main()
