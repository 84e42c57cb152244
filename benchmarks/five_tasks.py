"""The five-task case: 22 status changes in 16 durable commits, ours beside a bare psycopg loop.

Run it with ``make bench``, or ``python -m benchmarks.five_tasks [--seconds 5] [--rounds 5]``. Rounds
alternate between the two, so that a noisy machine touches both; the figure is the median of the
rounds' ratios.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time

import psycopg

import gndp
from benchmarks.bare import five_task_case as bare_case
from benchmarks.server import temporary_server

TEMPLATE = {
    "id": "five-tasks",
    "name": "Five tasks",
    "phases": [
        {
            "name": "All",
            "steps": [
                {"id": f"s{i}", "name": f"Step {i}", "depends_on": [f"s{i - 1}"] if i else []}
                for i in range(5)
            ],
        }
    ],
}


def engine_case(workbench: gndp.Workbench) -> None:
    """The case through the Python commands."""
    process = workbench.processes.start(
        process_definition_id="five-tasks",
        process_name="Five tasks",
        process_type="custom",
        initiated_by="ann",
    )
    steps = workbench.tasks.list(process_id=process.id).tasks
    for step in steps:
        workbench.tasks.assign(step.id, assigned_to="bob", user_id="ann")
        workbench.tasks.start(step.id, user_id="bob")
        workbench.tasks.complete(step.id, user_id="bob", output_data={"done": True})


def measure(url: str, kind: str, clients: int, seconds: float) -> float:
    """Cases per second of so many client processes together."""
    start = multiprocessing.Barrier(clients)
    answers: multiprocessing.Queue[float] = multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=_client, args=(url, kind, seconds, start, answers))
        for _ in range(clients)
    ]
    for worker in workers:
        worker.start()
    total = sum(answers.get() for _ in workers)
    for worker in workers:
        worker.join()
    return total


def _client(url: str, kind: str, seconds: float, start: object, answers: object) -> None:
    if kind == "bare":
        with psycopg.connect(url, autocommit=True) as connection:
            answers.put(_rate(lambda: bare_case(connection), seconds, start))
    else:
        with gndp.connect(url) as workbench:
            answers.put(_rate(lambda: engine_case(workbench), seconds, start))


def _rate(case: object, seconds: float, start: object) -> float:
    for _ in range(10):
        case()
    start.wait()
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        case()
        done += 1
    return done / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with temporary_server() as url:
        with gndp.connect(url) as workbench:
            workbench.definitions.publish(TEMPLATE, user_id="ann")
        for clients in (1, 8):
            ratios = []
            for _ in range(options.rounds):
                bare, ours = (measure(url, kind, clients, options.seconds) for kind in ("bare", "ours"))
                ratios.append(ours / bare)
                print(
                    f"{clients} clients: bare {bare:.1f}, ours {ours:.1f} cases/s, ratio {ours / bare:.0%}",
                    flush=True,
                )
            print(f"{clients} clients: median ratio {statistics.median(ratios):.0%}", flush=True)


if __name__ == "__main__":
    main()
