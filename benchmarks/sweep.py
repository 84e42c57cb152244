"""The SLA sweep over 100,000 open items of which 1,000 change, beside bare writes of the same rows.

Run it with ``make bench``, or ``python -m benchmarks.sweep [--items 100000] [--changing 1000]``. The floor is
one statement that marks the same number of clocks and processes breached and inserts their events, without
deciding anything.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta

import psycopg

import gndp
from benchmarks.server import temporary_server
from gndp.store.migrate import migrate

_NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

_PROCESSES = """
INSERT INTO process_instances (id, process_definition_id, process_name, process_type, status, initiated_by,
    created_at, started_at, sla_target_mins, due_date)
SELECT gen_random_uuid(), 'load', 'Case ' || n, 'custom', 'running', 'ann', %(start)s, %(start)s, 60,
    %(start)s + interval '60 minutes' + n * interval '1 second'
FROM generate_series(1, %(items)s) n"""

_CLOCKS = """
INSERT INTO sla_metrics (id, process_instance_id, metric_type, target_duration_mins, start_time,
    created_at, policy_name, objective, terms, due_at, original_due_at, running_since, warnings_told, status,
    next_at)
SELECT gen_random_uuid(), p.id, 'process', 60, p.due_date - interval '60 minutes', %(start)s,
    'sla_target_mins', 'sla_target_mins', (SELECT fingerprint FROM sla_terms), p.due_date, p.due_date,
    p.due_date - interval '60 minutes', 1, 'at_risk', p.due_date + interval '1 microsecond'
FROM process_instances p WHERE p.process_definition_id = 'load'"""

_EVENTS = """
INSERT INTO process_events (id, process_instance_id, event_type, event_category, message, timestamp)
SELECT gen_random_uuid(), id, 'process.started', 'lifecycle', '', %(start)s
FROM process_instances WHERE process_definition_id = 'load'"""

_BARE = """
WITH due AS (SELECT id, process_instance_id FROM sla_metrics WHERE next_at <= %(now)s),
clocks AS (
    UPDATE sla_metrics c SET status = 'breached', next_at = NULL FROM due WHERE c.id = due.id
    RETURNING c.process_instance_id, c.due_at),
items AS (
    UPDATE process_instances p SET sla_status = 'breached', sla_breach_time = clocks.due_at
    FROM clocks WHERE p.id = clocks.process_instance_id
    RETURNING p.id)
INSERT INTO process_events (id, process_instance_id, event_type, event_category, message, timestamp)
SELECT gen_random_uuid(), id, 'sla.breached', 'sla', '', %(now)s FROM items"""


def load(url: str, items: int) -> None:
    """Open processes whose clocks are due one second after the other."""
    with psycopg.connect(url, autocommit=True) as connection:
        values = {"start": _NOW - timedelta(minutes=60), "items": items}
        for text in (_PROCESSES, _CLOCKS, _EVENTS):
            connection.execute(text, values)
        connection.execute("VACUUM ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--changing", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    now = _NOW
    with temporary_server() as url:
        migrate(url)
        with gndp.connect(url, clock=lambda: now) as workbench:
            workbench.processes.start(
                process_definition_id="first",
                process_name="its terms",
                process_type="custom",
                initiated_by="ann",
                sla_target_mins=60,
            )
            load(url, options.items)
            with psycopg.connect(url, autocommit=True) as connection:
                for number in range(options.rounds):
                    now += timedelta(seconds=options.changing)
                    began = time.perf_counter()
                    connection.execute(_BARE, {"now": now})
                    bare = time.perf_counter() - began
                    now += timedelta(seconds=options.changing)
                    began = time.perf_counter()
                    report = workbench.sla.sweep()
                    ours = time.perf_counter() - began
                    print(
                        f"round {number + 1}: {report.breached} of {options.items:,} open items breached in "
                        f"{ours:.2f} s (bare {bare:.2f} s; ratio {ours / bare:.1f})",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
