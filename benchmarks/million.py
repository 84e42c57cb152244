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
_TEAMS = [f"team{i}" for i in range(8)]
_DEFINITIONS = ("purchase_loan", "customer_onboarding", "document_approval", "insurance_claim")
_NAMES = (
    *("Check the application", "Ask for missing papers", "Rate the customer", "Value the property"),
    *("Draw up the offer", "Review the offer", "Approve the offer", "Sign the contract"),
    *("Pay out", "File the papers"),
)
_CUSTOMERS = (
    "Meyer",
    "Öztürk",
    "Jansen",
    "Rossi",
    "Dubois",
    "Novák",
    "Kowalski",
    "Lindqvist",
    "O'Brien",
    "Silva",
)
_WORDS = [f"{a}{b}" for a in ("call", "letter", "proof", "income", "bank", "rate") for b in range(400)]
_FILL_SEARCH = """
INSERT INTO task_search
SELECT id, created_at, task_definition_id, tags, words_of_task(task_name, task_definition_id, tags, notes)
FROM tasks;
INSERT INTO process_search
SELECT id, created_at, tags, words_of_process(process_name, process_definition_id, tags, business_context)
FROM process_instances"""


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
        # Its triggers are off for the same reason.
        connection.execute(_FILL_SEARCH)
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
        "assigned_team, created_at, started_at, due_date, total_steps, priority, sla_status, tags, "
        "business_context"
    )
    live = len(processes) // 20
    with connection.cursor().copy(f"COPY process_instances ({columns}) FROM STDIN") as copy:
        for number, (id, at) in enumerate(processes):
            is_live = number >= len(processes) - live
            person = chance.choices(_PEOPLE, _WEIGHTS)[0]
            row = (
                *(id, chance.choice(_DEFINITIONS), f"{chance.choice(_CUSTOMERS)}, case {number}"),
                *(chance.choice(("journey", "phase", "custom")), "running" if is_live else "completed"),
                *(
                    "ann",
                    person,
                    chance.choice(_TEAMS),
                    at,
                    at,
                    at + timedelta(days=chance.randrange(60)),
                    10,
                ),
                *(chance.choice(("low", "medium", "high", "critical")), _sla_status(is_live, chance)),
                *(_tags(number, len(processes), chance), f'{{"business_key": "ORDER-{number:07}"}}'),
            )
            copy.write_row(row)


def _sla_status(is_live: bool, chance: random.Random) -> str:
    if is_live:
        return chance.choices(("on_track", "at_risk", "breached"), (90, 6, 4))[0]
    return "breached" if chance.random() < 0.08 else "met"


def _tags(number: int, total: int, chance: random.Random) -> list[str]:
    """A common tag, a rare one, and one that all of the oldest tenth have and nothing else."""
    common = ["branch"] if chance.random() < 0.3 else []
    rare = ["complaint"] if chance.random() < 0.001 else []
    return [*common, *rare, *(["migrated"] if number < total // 10 else [])]


def _task_rows(
    processes: list[tuple[UUID, datetime]], total: int, first: int, chance: random.Random
) -> Iterator[tuple[object, ...]]:
    """Rows with the columns of ``_TASK_COLUMNS``."""
    for number, (process, at) in enumerate(processes, first):
        live = number >= total - total // 20
        for position, name in enumerate(_NAMES):
            status = chance.choice(("assigned", "in_progress", "pending")) if live else "completed"
            person = None if status == "pending" else chance.choices(_PEOPLE, _WEIGHTS)[0]
            created = at + timedelta(seconds=position)
            due = created + timedelta(days=chance.randrange(30)) if chance.random() < 0.7 else None
            priority = chance.choices(("low", "medium", "high", "critical"), (20, 70, 9, 1))[0]
            notes = " ".join(chance.choices(_WORDS, k=8)) if chance.random() < 0.1 else None
            yield (
                *(uuid7(), process, f"s{position}", name, "manual", status, position, person),
                *(chance.choice(_TEAMS), created, created, due, priority, _sla_status(live, chance)),
                *(_tags(number, total, chance), notes),
            )


_TASK_COLUMNS = (
    "id, process_instance_id, task_definition_id, task_name, task_type, status, position, assigned_to, "
    "assigned_team, ready_at, created_at, due_date, priority, sla_status, tags, notes"
)


def _copy_tasks(connection: psycopg.Connection[tuple[object, ...]], rows: list[tuple[object, ...]]) -> None:
    with connection.cursor().copy(f"COPY tasks ({_TASK_COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _copy_events(connection: psycopg.Connection[tuple[object, ...]], rows: list[tuple[object, ...]]) -> None:
    columns = (
        "id, process_instance_id, task_id, event_type, event_category, user_id, message, timestamp, hash"
    )
    with connection.cursor().copy(f"COPY process_events ({columns}) FROM STDIN") as copy:
        for id, process, _, name, _, _, _, person, _, created, *_ in rows:
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
