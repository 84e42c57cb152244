"""What the chain of events costs: its events written, and the five-task case, with the chain and without it.

Run it with ``make bench``, or ``python -m benchmarks.chain [--seconds 3] [--rounds 9]``. Two databases of one
server differ by the chain alone. Rounds alternate between them, so that a noisy machine touches both; the
figures are medians, and the ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import orjson
import psycopg
from psycopg.conninfo import make_conninfo
from uuid_utils.compat import uuid7

import gndp
from benchmarks.five_tasks import TEMPLATE, measure
from benchmarks.server import temporary_server
from gndp.store.session import Database, Statement, statement

_WRITES = 400
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


def microseconds(url: str, count: int) -> float:
    """How long a write of so many events takes, without its commit."""
    with gndp.connect(url) as workbench:
        process = workbench.processes.start(
            process_definition_id="loan", process_name="A", process_type="custom", initiated_by="ann"
        )
    writes = [insert(process.id, count) for _ in range(_WRITES)]
    opened = Database(url, min_size=1, max_size=1)
    opened.open()
    with opened.transaction() as transaction:
        transaction.run(insert(process.id, count))
        began = time.perf_counter()
        for write in writes:
            transaction.run(write)
        taken = time.perf_counter() - began
        transaction.roll_back()
    opened.close()
    return taken / _WRITES * 1e6


def compare(what: str, rounds: int, with_chain: Callable[[], float], without: Callable[[], float]) -> None:
    """Measure both in turn and print the medians, and the ratio with the chain to without."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            pairs.append((with_chain(), without()))
        else:
            pairs.append((without(), with_chain())[::-1])
    ratios = sorted(chained / plain for chained, plain in pairs)
    chained, plain = (statistics.median(values) for values in zip(*pairs, strict=True))
    print(
        f"{what}: {chained:,.1f} with the chain, {plain:,.1f} without; median ratio "
        f"{statistics.median(ratios):.1%} ({ratios[0]:.0%} to {ratios[-1]:.0%})",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with temporary_server() as server:
        chained, plain = database(server, "chained", "SELECT"), database(server, "plain", _WITHOUT)
        for count in (1, 3, 100):
            compare(
                f"µs to write {count} events",
                options.rounds,
                lambda count=count: microseconds(chained, count),
                lambda count=count: microseconds(plain, count),
            )
        compare(
            "five-task cases a second, one client",
            options.rounds,
            lambda: measure(chained, "ours", 1, options.seconds),
            lambda: measure(plain, "ours", 1, options.seconds),
        )


if __name__ == "__main__":
    main()
