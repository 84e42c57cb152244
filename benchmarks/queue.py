"""The queue of a team: 5,000 tasks that wait, 200 people, and what commands and the job take beside them.

Run it with ``python -m benchmarks.queue [--tasks 5000] [--people 200] [--hopeless 1001]``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import psycopg

import gndp
from benchmarks.server import temporary_workbench


def main() -> None:
    """Fill a queue, and print how long its commands and its job take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=5_000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--hopeless", type=int, default=1_001)
    wanted = parser.parse_args()
    with temporary_workbench() as workbench:
        directory = workbench.directory
        directory.add_team("ops")
        for number in range(wanted.people):
            directory.add_person(f"p{number:04}", team="ops", capacity=1)
        process = _process(workbench)
        _fill(workbench, process, wanted.people)
        print("a team without a queue:")
        _figures(workbench, process)
        _fill(workbench, process, wanted.hopeless, required_skills={"magic": 5}, priority="critical")
        _fill(workbench, process, wanted.tasks)
        print(f"{wanted.hopeless:,} that nobody can do in front of {wanted.tasks:,}:")
        _figures(workbench, process)
        _say("the job, with everybody busy", [_seconds(lambda: workbench.jobs.run("assignment"))])
        # Not by the directory's own commands, for they give out what waits themselves.
        with psycopg.connect(workbench.database_url) as direct:
            direct.execute("UPDATE people SET capacity = %s", [1 + wanted.tasks // wanted.people])
        run = workbench.jobs.run("assignment")
        print(f"  the job gave {run.details['given']['ops']:,} in {(run.duration_ms or 0) / 1000:.1f} s")
        print(f"  and left {run.details['left']['ops']}")


def _figures(workbench: gndp.Workbench, process: Any) -> None:
    created = [_seconds(lambda: _fill(workbench, process, 1)) for _ in range(20)]
    _say("create a task that waits", created)
    held = workbench.tasks.list(process_id=process.id, status="assigned", limit=20).tasks
    completed = []
    for task in held:
        workbench.tasks.start(task.id, user_id=task.assigned_to)
        completed.append(
            _seconds(lambda task=task: workbench.tasks.complete(task.id, user_id=task.assigned_to))
        )
    _say("complete one, and give the next", completed)


def _process(workbench: gndp.Workbench) -> Any:
    return workbench.processes.start(
        process_definition_id="loose", process_name="Case", process_type="custom", initiated_by="ann"
    )


def _fill(workbench: gndp.Workbench, process: Any, count: int, **more: Any) -> None:
    given = {
        "process_instance_id": process.id,
        "task_definition_id": "step",
        "task_name": "Step",
        "task_type": "manual",
        "assigned_team": "ops",
        "assignment_method": "load_balanced",
        **more,
    }
    workbench.tasks.create_many([given] * count)


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _say(what: str, seconds: list[float]) -> None:
    print(f"  {what}: {statistics.median(seconds) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
