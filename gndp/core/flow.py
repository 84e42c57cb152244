"""What becomes ready, and how far a process is.

Source: the semantics page, "Ready is the pivot" and "Processes". Conditions, loops and subprocesses of
templates have their place here: they decide, like dependencies, which tasks open next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gndp.core.records import Dependant, Process
from gndp.core.states import OPEN_TASK_STATUSES, TaskSubstatus


class OpenStep(NamedTuple):
    """The earliest open step of a process, as far as current_phase needs it."""

    position: int
    phase: str | None


def earliest(*steps: OpenStep | None) -> OpenStep | None:
    """The one with the lowest position, or None when there is none."""
    return min((step for step in steps if step is not None), key=lambda step: step.position, default=None)


def steps_after(
    process: Process, *, done: int = 0, failed: int = 0, cancelled: int = 0, created: int = 0
) -> dict[str, Any]:
    """The columns that say how far a process is, after so many of its tasks were done, failed, … more.

    Progress is 100 × done ÷ (tasks − cancelled), 0 without tasks, two decimals.
    """
    current = process.current_step + done
    total = process.total_steps + created - cancelled
    return {
        "current_step": current,
        "total_steps": total,
        "failed_steps": process.failed_steps + failed,
        "progress_percentage": progress(current, total),
    }


def progress(done: int, total: int) -> float:
    """Percent done, rounded half up to two decimals (as ``round(numeric, 2)`` does in PostgreSQL)."""
    return (20_000 * done + total) // (2 * total) / 100 if total else 0.0


def freed(dependant: Dependant, at: datetime) -> dict[str, Any]:
    """The columns of a dependant that change when one of its dependencies is done at ``at``."""
    remaining = dependant.open_dependencies - 1
    if remaining > 0:
        return {"open_dependencies": remaining}
    changes: dict[str, Any] = {"open_dependencies": 0, "ready_at": at}
    if dependant.status in OPEN_TASK_STATUSES:
        changes["substatus"] = TaskSubstatus.READY
    return changes


def invert(depends_on: Mapping[UUID, Iterable[UUID]]) -> dict[UUID, list[UUID]]:
    """For each task that others depend on, those others: ``blocking`` is the inverse of ``depends_on``."""
    blocking: dict[UUID, list[UUID]] = {}
    for task, dependencies in depends_on.items():
        for dependency in dependencies:
            blocking.setdefault(dependency, []).append(task)
    return blocking


def cycle_members(depends_on: Mapping[UUID, Sequence[UUID]]) -> set[UUID]:
    """The tasks that lie on a cycle or behind one (empty when there is none).

    Kahn, "Topological sorting of large networks", CACM 5(11), 1962: linear in tasks and dependencies.
    """
    waiting = Counter({task: sum(d in depends_on for d in ds) for task, ds in depends_on.items()})
    blocking = invert(depends_on)
    free = [task for task in depends_on if waiting[task] == 0]
    remaining = set(depends_on)
    while free:
        task = free.pop()
        remaining.discard(task)
        for dependant in blocking.get(task, ()):
            waiting[dependant] -= 1
            if waiting[dependant] == 0:
                free.append(dependant)
    return remaining
