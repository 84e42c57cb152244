"""The timeline of a process as bars: queued, working and paused told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from gndp.core.states import ProcessStatus

if TYPE_CHECKING:
    from gndp.core.timeline import Stretch

KINDS = {
    "pending": "blocked",
    "blocked": "blocked",
    "ready": "queued",
    "assigned": "queued",
    "in_progress": "working",
    "running": "working",
    "waiting": "paused",
    "suspended": "paused",
}
"""What the stretches of an item mean for its work; any other status is an end, of its own name."""

_WORK = ("queued", "working")


class Bar(NamedTuple):
    """A stretch of a row; ``ends_at`` is None while it lasts."""

    kind: str
    status: str
    assigned_to: str | None
    begins_at: datetime
    ends_at: datetime | None


class Row(NamedTuple):
    """What a process (``task_id`` None) or a task went through, in order."""

    task_id: UUID | None
    name: str
    bars: list[Bar]


def rows(stretches: Sequence[Stretch]) -> list[Row]:
    """A row for the process and each of its tasks. While the process is suspended its tasks are paused."""
    pauses = [s for s in stretches if s.task_id is None and s.status == ProcessStatus.SUSPENDED]
    found: dict[UUID | None, Row] = {}
    for stretch in stretches:
        row = found.setdefault(stretch.task_id, Row(stretch.task_id, stretch.name, []))
        row.bars.extend(_bars(stretch, pauses if stretch.task_id is not None else []))
    return list(found.values())


def _bars(stretch: Stretch, pauses: Sequence[Stretch]) -> Iterator[Bar]:
    kind = KINDS.get(stretch.status, stretch.status)
    at, end = stretch.begins_at, stretch.ends_at
    if kind in _WORK:
        for pause in pauses:
            begins, ends = max(at, pause.begins_at), _earliest(end, pause.ends_at)
            if ends is not None and ends <= begins:
                continue
            if at < begins:
                yield Bar(kind, stretch.status, stretch.assigned_to, at, begins)
            yield Bar("paused", "suspended", stretch.assigned_to, begins, ends)
            if ends is None:
                return
            at = ends
        if at == end and at != stretch.begins_at:
            return
    yield Bar(kind, stretch.status, stretch.assigned_to, at, end)


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)
