"""One process with 10,000 tasks: creating them in one call, and completing one of them.

Run it with ``make bench``, or ``python -m benchmarks.many_tasks``. Completing is compared with the same in a
process with 10 tasks; the two alternate, so that a noisy machine touches both.
"""

from __future__ import annotations

import statistics
import time
from uuid import UUID

from uuid_utils.compat import uuid7

import gndp
from benchmarks.server import temporary_workbench

_SHAPES = ("independent", "chain", "join")


def _specifications(shape: str, process_id: UUID, count: int) -> list[dict[str, object]]:
    ids = [uuid7() for _ in range(count)]

    def depends_on(index: int) -> list[UUID]:
        if shape == "chain":
            return ids[index - 1 : index] if index else []
        return ids[:-1] if shape == "join" and index == count - 1 else []

    return [
        {
            "id": id,
            "process_instance_id": process_id,
            "task_definition_id": f"s{index}",
            "task_name": f"Step {index}",
            "task_type": "manual",
            "depends_on": depends_on(index),
        }
        for index, id in enumerate(ids)
    ]


def _create(workbench: gndp.Workbench, shape: str, count: int) -> tuple[list[UUID], float]:
    process = workbench.processes.start(
        process_definition_id=shape, process_name=shape, process_type="custom", initiated_by="ann"
    )
    specifications = _specifications(shape, process.id, count)
    began = time.perf_counter()
    tasks = workbench.tasks.create_many(specifications)
    return [task.id for task in tasks], time.perf_counter() - began


def _complete_seconds(workbench: gndp.Workbench, task: UUID) -> float:
    workbench.tasks.start(task, user_id="bob")
    began = time.perf_counter()
    workbench.tasks.complete(task, user_id="bob")
    return time.perf_counter() - began


def main() -> None:
    with temporary_workbench() as workbench:
        for shape in _SHAPES:
            large, seconds = _create(workbench, shape, 10_000)
            print(f"{shape}: 10,000 tasks created in {seconds:.2f} s", flush=True)
            ours, small = [], []
            for round_ in range(40):
                few, _ = _create(workbench, shape, 10)
                for index in range(5):
                    small.append(_complete_seconds(workbench, few[index]))
                    ours.append(_complete_seconds(workbench, large[round_ * 5 + index]))
            ratio = statistics.median(ours) / statistics.median(small)
            print(
                f"{shape}: completing one of 10,000 takes {statistics.median(ours) * 1e3:.2f} ms, of 10 "
                f"{statistics.median(small) * 1e3:.2f} ms (medians of {len(ours)}), ratio {ratio:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
