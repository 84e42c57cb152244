"""Retention: finished processes leave after a while, each with its whole family or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gndp.engine.transition import Transitions
from gndp.jobs.job import Job, JobContext
from gndp.store.queries import statement

BATCH = 100
"""How many processes a transaction deletes; a larger family still leaves in one."""

_FIRST = datetime(1, 1, 1, tzinfo=UTC), UUID(int=0)
_STEPS = (
    "lock",
    "forget_passed",
    "keep_heads",
    "delete_deliveries",
    "delete_events",
    "delete_assignments",
    "delete_sla_metrics",
    "delete_tasks",
    "delete_processes",
)


def retention(transitions: Transitions, days: int) -> Job:
    """The job that deletes finished processes ``days`` after they ended, by the workbench's clock.

    A process goes together with its descendants, and only when all of them have ended that long ago and every
    durable subscription has been given their events.
    """

    def run(context: JobContext) -> dict[str, Any]:
        before = transitions.now() - timedelta(days=days)
        deleted = 0
        for roots in _batches(transitions, before):
            (family,) = transitions.read(statement("retention", "family", roots=roots))
            ids = [id for (id,) in family]
            context.write(*(statement("retention", step, ids=ids) for step in _STEPS))
            deleted += len(ids)
            if context.should_stop():
                break
        return {"deleted": deleted}

    return Job(
        name="retention",
        interval=timedelta(days=1),
        run=run,
        meaning=f"deletes processes with all that belongs to them {days} days after they ended",
    )


def _batches(transitions: Transitions, before: datetime) -> Iterator[list[UUID]]:
    """The roots of the families to delete, by batches."""
    roots: list[UUID] = []
    batch_size = 0
    for root, size in _families(transitions, before):
        if roots and batch_size + size > BATCH:
            yield roots
            roots, batch_size = [], 0
        roots.append(root)
        batch_size += size
    if roots:
        yield roots


def _families(transitions: Transitions, before: datetime) -> Iterator[tuple[UUID, int]]:
    """The root of each family that is over, oldest first, and how many it is."""
    instant, id = _FIRST
    while True:
        place = {"after_instant": instant, "after_id": id}
        (rows,) = transitions.read(statement("retention", "roots", before=before, most=BATCH, **place))
        yield from ((root, size) for root, _, size, is_over in rows if is_over)
        if len(rows) < BATCH:
            return
        id, instant = rows[-1][:2]
