"""Lists at 1,000,000 tasks and 5,000,000 events, loaded with COPY: p99 of each read with one client.

Run it with ``make bench``, or ``python -m benchmarks.million [--tasks 1000000] [--calls 300]``. Statuses,
people and ages are skewed as in an operation that has run for years: most work is done, one person has
far more than the others. Beside each read of ours stands the same SELECT through bare psycopg, as its floor.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from rich.progress import track
from uuid_utils.compat import uuid7

import gndp
from benchmarks.server import temporary_server
from gndp.store.migrate import migrate

_TASKS_EACH = 10
_START = datetime(2024, 1, 1, tzinfo=UTC)
_PEOPLE = [f"person{i:03}" for i in range(500)]
_WEIGHTS = [60.0] + [1000 / (500 + i) for i in range(499)]
_STEPS = ("task.created", "task.assigned", "task.started", "task.completed", "task.commented")


def load(url: str, tasks: int) -> UUID:
    """Fill the tables by COPY; the answer is the id of a process in the middle."""
    chance = random.Random(7)
    processes = [(uuid7(), _START + timedelta(minutes=10 * i)) for i in range(tasks // _TASKS_EACH)]
    middle = processes[len(processes) // 2][0]
    with psycopg.connect(url) as connection:
        # Linking five million events takes minutes, and no read that is measured here looks at a hash.
        connection.execute("SET session_replication_role = replica")
        _copy_processes(connection, processes, chance)
        for block in track(range(0, len(processes), 1000), description="loading tasks and events"):
            rows = list(_task_rows(processes[block : block + 1000], len(processes), block, chance))
            _copy_tasks(connection, rows)
            _copy_events(connection, rows)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
    return middle


def _copy_processes(
    connection: psycopg.Connection[tuple[object, ...]],
    processes: list[tuple[UUID, datetime]],
    chance: random.Random,
) -> None:
    columns = (
        "id, process_definition_id, process_name, process_type, status, initiated_by, assigned_to, "
        "created_at, started_at, total_steps, priority"
    )
    live = len(processes) // 20
    with connection.cursor().copy(f"COPY process_instances ({columns}) FROM STDIN") as copy:
        for number, (id, at) in enumerate(processes):
            status = "running" if number >= len(processes) - live else "completed"
            person = chance.choices(_PEOPLE, _WEIGHTS)[0]
            kind = chance.choice(("journey", "phase", "custom"))
            priority = chance.choice(("low", "medium", "high", "critical"))
            copy.write_row((id, "load", f"Case {number}", kind, status, "ann", person, at, at, 10, priority))


def _task_rows(
    processes: list[tuple[UUID, datetime]], total: int, first: int, chance: random.Random
) -> Iterator[tuple[object, ...]]:
    for number, (process, at) in enumerate(processes, first):
        live = number >= total - total // 20
        for position in range(_TASKS_EACH):
            status = chance.choice(("assigned", "in_progress", "pending")) if live else "completed"
            person = None if status == "pending" else chance.choices(_PEOPLE, _WEIGHTS)[0]
            created = at + timedelta(seconds=position)
            due = created + timedelta(days=chance.randrange(30)) if chance.random() < 0.7 else None
            yield uuid7(), process, f"s{position}", f"Step {position}", status, position, person, created, due


def _copy_tasks(connection: psycopg.Connection[tuple[object, ...]], rows: list[tuple[object, ...]]) -> None:
    columns = (
        "id, process_instance_id, task_definition_id, task_name, task_type, status, position, assigned_to, "
        "ready_at, created_at, due_date"
    )
    with connection.cursor().copy(f"COPY tasks ({columns}) FROM STDIN") as copy:
        for id, process, step, name, status, position, person, created, due in rows:
            copy.write_row(
                (id, process, step, name, "manual", status, position, person, created, created, due)
            )


def _copy_events(connection: psycopg.Connection[tuple[object, ...]], rows: list[tuple[object, ...]]) -> None:
    columns = (
        "id, process_instance_id, task_id, event_type, event_category, user_id, message, timestamp, hash"
    )
    with connection.cursor().copy(f"COPY process_events ({columns}) FROM STDIN") as copy:
        for id, process, _, name, _, _, person, created, _ in rows:
            for kind in _STEPS:
                copy.write_row(
                    (uuid7(), process, id, kind, "lifecycle", person, f"{name} {kind}", created, bytes(32))
                )


def reads(workbench: gndp.Workbench, process: UUID) -> dict[str, tuple[Callable[[], object], str]]:
    """Each read of ours with the bare SELECT of the same rows."""
    tasks, processes, busiest = workbench.tasks, workbench.processes, _PEOPLE[0]
    page = "SELECT * FROM {} WHERE {} ORDER BY created_at DESC, id DESC LIMIT 50 OFFSET {}"
    answers: dict[str, tuple[Callable[[], object], str]] = {}
    for offset in (0, 10_000):
        at = f"offset {offset:,}"
        answers[f"tasks, commonest status, {at}"] = (
            lambda offset=offset: tasks.list(status="completed", offset=offset),
            page.format("tasks", "status = 'completed'", offset),
        )
        answers[f"tasks, busiest person, {at}"] = (
            lambda offset=offset: tasks.list(assigned_to=busiest, offset=offset),
            page.format("tasks", f"assigned_to = '{busiest}'", offset),
        )
        answers[f"processes, commonest status, {at}"] = (
            lambda offset=offset: processes.list(status="completed", offset=offset),
            page.format("process_instances", "status = 'completed'", offset),
        )
        answers[f"processes, busiest person, {at}"] = (
            lambda offset=offset: processes.list(assigned_to=busiest, offset=offset),
            page.format("process_instances", f"assigned_to = '{busiest}'", offset),
        )
    answers["tasks, busiest person and rare status"] = (
        lambda: tasks.list(assigned_to=busiest, status="assigned"),
        page.format("tasks", f"assigned_to = '{busiest}' AND status = 'assigned'", 0),
    )
    answers["my-tasks of the busiest person"] = (
        lambda: tasks.mine(busiest),
        f"SELECT * FROM v_my_tasks WHERE assigned_to = '{busiest}' "
        "ORDER BY due_date NULLS LAST, priority_rank(priority) DESC, created_at, id LIMIT 1000",
    )
    answers["events of one process"] = (
        lambda: processes.events(process),
        f"SELECT * FROM process_events WHERE process_instance_id = '{process}' ORDER BY seq DESC LIMIT 100",
    )
    return answers


def percentiles(read: Callable[[], object], calls: int) -> tuple[float, float]:
    """Median and p99 in milliseconds."""
    taken = []
    for _ in range(calls):
        began = time.perf_counter()
        read()
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken), sorted(taken)[int(len(taken) * 0.99)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=300)
    options = parser.parse_args()
    with temporary_server() as url:
        migrate(url)
        process = load(url, options.tasks)
        with gndp.connect(url) as workbench, psycopg.connect(url, autocommit=True) as connection:
            gc.freeze()  # as the server does
            for name, (read, select) in reads(workbench, process).items():
                bare = percentiles(lambda select=select: connection.execute(select).fetchall(), options.calls)
                ours = percentiles(read, options.calls)
                print(
                    f"{name}: median {ours[0]:.1f} ms, p99 {ours[1]:.1f} ms "
                    f"(bare {bare[0]:.1f} and {bare[1]:.1f}; ratio of medians {ours[0] / bare[0]:.1f})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
