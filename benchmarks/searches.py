"""Searched, filtered and sorted lists at 1,000,000 tasks: median and p99 of each with four clients at once.

Run it with ``make bench``, or ``python -m benchmarks.searches [--tasks 1000000] [--calls 100]``. The last
ones are those whose filter and sort work against each other: what fits lies where the order ends.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import gndp
from benchmarks.million import load
from benchmarks.server import temporary_server
from gndp.store.migrate import migrate

_OPEN = ["pending", "assigned", "in_progress"]
_START = datetime(2024, 1, 1, tzinfo=UTC)

_TASKS: dict[str, dict[str, Any]] = {
    "all, newest first": {},
    "all, due soonest first": {"sort": "due_date"},
    "all, most urgent first": {"sort": "-priority"},
    "all, by name": {"sort": "name"},
    "all, by status": {"sort": "status"},
    "all, by name, offset 10,000": {"sort": "name", "offset": 10_000},
    "open, oldest first": {"status": _OPEN, "sort": "created_at"},
    "open, due soonest first": {"status": _OPEN, "sort": "due_date"},
    "open, busiest person, most urgent first": {
        "status": _OPEN,
        "assigned_to": "person000",
        "sort": "-priority",
    },
    "open, one team, due soonest first": {"status": _OPEN, "assigned_team": "team3", "sort": "due_date"},
    "busiest person, due soonest first": {"assigned_to": "person000", "sort": "due_date"},
    "critical, due soonest first": {"priority": "critical", "sort": "due_date"},
    "at risk or breached, by name": {"sla_status": ["at_risk", "breached"], "sort": "name"},
    "one step, most urgent first": {"task_definition_id": "s3", "sort": "-priority"},
    "one step, open, due soonest first": {"task_definition_id": "s3", "status": _OPEN, "sort": "due_date"},
    "common tag, due soonest first": {"tags": ["branch"], "sort": "due_date"},
    "rare tag, due soonest first": {"tags": ["complaint"], "sort": "due_date"},
    "search: four of five": {"search": "the"},
    "search: three of ten, due soonest first": {"search": "offer", "sort": "due_date"},
    "search: two words": {"search": "review off"},
    "search: one of 250, most urgent first": {"search": "call12", "sort": "-priority"},
    "search: nothing": {"search": "zzzz"},
    "search: three of ten, open": {"search": "offer", "status": _OPEN},
    "search: ten letters": {"search": "a b c d e f g h i j"},
    "against: a tag of the oldest tenth, newest first": {"tags": ["migrated"]},
    "against: a word of the oldest tenth, due latest first": {"search": "migrated", "sort": "-due_date"},
    "against: 200 days in the middle, due soonest first": {
        "created_after": _START + timedelta(days=100),
        "created_before": _START + timedelta(days=300),
        "sort": "due_date",
    },
}
_PROCESSES: dict[str, dict[str, Any]] = {
    "by name": {"sort": "name"},
    "running, due soonest first": {"status": "running", "sort": "due_date"},
    "business key": {"business_key": "ORDER-0004711"},
    "search: a name and a number": {"search": "meyer 47"},
    "search: all of them": {"search": "order", "sort": "-priority"},
    "rare tag": {"tags": ["complaint"]},
}


def _client(url: str, calls: int, start: Any, answers: Any) -> None:
    with gndp.connect(url) as workbench:
        gc.freeze()  # as the server does
        for noun, asked in _lists():
            read = workbench.tasks.list if noun == "tasks" else workbench.processes.list
            for _ in range(3):
                read(**asked)
            start.wait()
            answers.put([_pages(read, asked) for _ in range(calls)])


def _pages(read: Any, asked: dict[str, Any]) -> list[float]:
    """Milliseconds of a first page, and of the page behind it if there is one."""
    taken = []
    began = time.perf_counter()
    page = read(**asked)
    taken.append((time.perf_counter() - began) * 1e3)
    if page.next_cursor and "offset" not in asked:
        began = time.perf_counter()
        read(**asked, cursor=page.next_cursor)
        taken.append((time.perf_counter() - began) * 1e3)
    return taken


def _lists() -> list[tuple[str, dict[str, Any]]]:
    return [("tasks", asked) for asked in _TASKS.values()] + [
        ("processes", asked) for asked in _PROCESSES.values()
    ]


def measure(url: str, clients: int, calls: int) -> None:
    """Print the figures of each list, read by so many client processes at once."""
    start = multiprocessing.Barrier(clients)
    answers: multiprocessing.Queue[list[list[float]]] = multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=_client, args=(url, calls, start, answers)) for _ in range(clients)
    ]
    for worker in workers:
        worker.start()
    names = [f"tasks, {name}" for name in _TASKS] + [f"processes, {name}" for name in _PROCESSES]
    for name in names:
        taken = [pair for _ in workers for pair in answers.get()]
        first = _figures([pair[0] for pair in taken])
        behind = [pair[1] for pair in taken if len(pair) > 1]
        print(f"{name}: {first}" + (f"; behind a cursor {_figures(behind)}" if behind else ""), flush=True)
    for worker in workers:
        worker.join()


def _figures(taken: list[float]) -> str:
    return f"median {statistics.median(taken):.1f} ms, p99 {sorted(taken)[int(len(taken) * 0.99)]:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    with temporary_server() as url:
        migrate(url)
        load(url, options.tasks)
        measure(url, options.clients, options.calls)


if __name__ == "__main__":
    main()
