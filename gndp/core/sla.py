"""The first form of the SLA clock: plain minutes, no calendar, no pauses.

Source: the semantics page, "SLA". Due is start plus target; completion or skip decides: at or before due
met, after it breached. Calendars, pauses and warning levels build on these functions.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from gndp.core.states import SlaStatus


def due_instant(start: datetime, target_minutes: int | None) -> datetime | None:
    """The instant at which a target that starts at ``start`` is due; None without a target."""
    return None if target_minutes is None else start + timedelta(minutes=target_minutes)


def verdict(target_minutes: int | None, due: datetime | None, ended_at: datetime) -> SlaStatus | None:
    """Met or breached for an item that ended at ``ended_at``; None when no clock ran."""
    if target_minutes is None or due is None:
        return None
    return SlaStatus.MET if ended_at <= due else SlaStatus.BREACHED


def whole_minutes(start: datetime | None, end: datetime) -> int | None:
    """Minutes from ``start`` to ``end``, rounded half up; None without a start."""
    return None if start is None else int((end - start).total_seconds() / 60 + 0.5)
