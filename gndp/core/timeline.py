"""The timeline of a process: where it and each of its tasks stood, and how long, out of its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gndp.core.states import FINAL_PROCESS_STATUSES, FINAL_TASK_STATUSES, TaskStatus

_TAKEN_AWAY = frozenset({"task.released", "task.queued", "task.retried"})


class Turn(NamedTuple):
    """An event of a process as far as its timeline goes by it; ``name`` is that of the task or process."""

    task_id: UUID | None
    name: str
    event_type: str
    new_status: str | None
    user_id: str | None
    at: datetime
    details: Mapping[str, Any]


class Stretch(NamedTuple):
    """A stretch of time in which a task (``task_id`` None: the process) stood at one place with one person.

    ``status`` is the item's status; of a pending task it is blocked or ready, of one in progress that waits
    for something waiting. ``begun_by`` is whose command began it. ``ends_at`` is None while it lasts; the
    last stretch of an item that has ended is an instant.
    """

    task_id: UUID | None
    name: str
    status: str
    assigned_to: str | None
    begun_by: str | None
    begins_at: datetime
    ends_at: datetime | None


class _Standing(NamedTuple):
    """Where an item stands."""

    status: str
    assigned_to: str | None = None
    is_ready: bool = False
    is_waiting: bool = False

    @property
    def shown(self) -> str:
        if self.status == TaskStatus.PENDING:
            return "ready" if self.is_ready else "blocked"
        return "waiting" if self.is_waiting else self.status


def timeline(turns: Iterable[Turn]) -> list[Stretch]:
    """The stretches of a process and its tasks, by their begin, from its events in their order.

    Those of one item follow each other without a gap.
    """
    standings: dict[UUID | None, _Standing] = {}
    open_at: dict[UUID | None, int] = {}
    stretches: list[Stretch] = []
    for turn in turns:
        before = standings.get(turn.task_id)
        after = _after(before, turn)
        if after is None:
            continue
        standings[turn.task_id] = after
        shown = after.shown if turn.task_id is not None else after.status
        if turn.task_id in open_at:
            last = stretches[open_at[turn.task_id]]
            if (last.status, last.assigned_to) == (shown, after.assigned_to):
                continue
            stretches[open_at[turn.task_id]] = last._replace(ends_at=turn.at)
        final = FINAL_PROCESS_STATUSES if turn.task_id is None else FINAL_TASK_STATUSES
        open_at[turn.task_id] = len(stretches)
        stretches.append(
            Stretch(
                turn.task_id,
                turn.name,
                shown,
                after.assigned_to,
                turn.user_id,
                turn.at,
                turn.at if shown in final else None,
            )
        )
    return sorted(stretches, key=lambda stretch: stretch.begins_at)


def _after(before: _Standing | None, turn: Turn) -> _Standing | None:
    """Where an item stands after an event; None before anything is known of it."""
    if before is None:
        if turn.new_status is None:
            return None
        before = _Standing(turn.new_status)
    elif turn.new_status is not None:
        before = before._replace(status=turn.new_status, is_waiting=False)
    match turn.event_type:
        case "task.created":
            return before._replace(is_ready=bool(turn.details.get("ready")))
        case "task.ready":
            return before._replace(is_ready=True)
        case "task.waiting":
            return before._replace(is_waiting=True)
        case "task.resumed":
            return before._replace(is_waiting=False)
        case "task.assigned":
            return before._replace(assigned_to=turn.details.get("assigned_to"))
        case "task.reassigned":
            return before._replace(assigned_to=turn.details.get("to"))
        case event_type if event_type in _TAKEN_AWAY:
            return before._replace(assigned_to=None)
    return before
