"""Working the clocks of an item out anew, from its history: a pure decision.

It alone can undo a breach, and it is audited: sla.recomputed says what was and what is. Levels that have
passed by then count as told, so that nothing of the past fires late, and an escalation that fired once does
not fire again; a breach that comes out of it is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from gndp.core import sla
from gndp.core.changes import Changes
from gndp.core.clocks import new_clock, shown_clock, timer_of, with_timer
from gndp.core.events import ClockFigures, SlaBreached, SlaRecomputed
from gndp.core.policies import Terms
from gndp.core.records import SlaClock, Task
from gndp.core.sla import Moment, Timer
from gndp.core.states import SlaStatus


def recompute(
    changes: Changes,
    task: Task | None,
    clocks: Sequence[SlaClock],
    known: Mapping[str, Terms],
    chosen: Sequence[tuple[str, Terms]],
    history: Sequence[Moment],
    reason: str,
) -> list[UUID]:
    """Give an item (a task, or without one the process) the clocks that it would have had all along under the
    terms ``chosen`` for it now.

    ``clocks`` are those that it has, ``known`` their terms by fingerprint. A clock whose policy is not for
    the item any more is cancelled; the answer is the ids of those that would not have started, which are to
    be removed.
    """
    before = {clock.objective: clock for clock in clocks}
    after: dict[str, SlaClock] = {}
    for mark, terms in chosen:
        timer = sla.fold(terms, history)
        if timer is not None:
            existing = before.get(terms.policy.objective)
            after[terms.policy.objective] = _recomputed(changes, task, existing, mark, terms, timer)
    wanted = {terms.policy.objective for _, terms in chosen}
    for objective, clock in before.items():
        if objective not in wanted:
            after[objective] = _called_off(clock, known.get(clock.terms), changes)
    if after == before:
        return []
    _write(changes, task, before, after, reason)
    return [clock.id for objective, clock in before.items() if objective not in after]


def _recomputed(
    changes: Changes, task: Task | None, existing: SlaClock | None, mark: str, terms: Terms, timer: Timer
) -> SlaClock:
    reading = sla.read(timer, terms, changes.at)
    clock = new_clock(changes.process.id, None if task is None else task.id, mark, terms, timer)
    if existing is not None:
        clock = clock._replace(
            **{name: getattr(existing, name) for name in _KEPT},
        )
    is_breached = sla.is_breached(timer, timer.ended_at or changes.at)
    status = reading.status or (SlaStatus.BREACHED if is_breached else SlaStatus.ON_TRACK)
    has_ended = timer.ended_at is not None
    escalations = max(reading.escalations, existing.escalations_told if existing else 0)
    return clock._replace(
        status=str(status),
        actual_duration_mins=sla.rounded_minutes(reading.elapsed) if has_ended else None,
        breach_amount_mins=sla.rounded_minutes(max(timedelta(), -reading.remaining))
        if has_ended and is_breached
        else None,
        business_impact=terms.policy.business_impact if is_breached else None,
        escalation_required=is_breached and bool(terms.policy.escalations),
        warnings_told=reading.warnings,
        escalations_told=escalations,
        next_at=sla.next_instant(timer, terms, is_breached, reading.warnings, escalations),
        at_risk_at=sla.at_risk_at(timer, terms),
    )


_KEPT = ("id", "created_at", "updated_at", "version", "escalated_to", "escalated_at")


def _called_off(clock: SlaClock, terms: Terms | None, changes: Changes) -> SlaClock:
    if clock.end_time is not None or terms is None:
        return clock
    cancelled = with_timer(clock, sla.cancel(timer_of(clock), terms, changes.at))
    return cancelled._replace(next_at=None, at_risk_at=None)


def _write(
    changes: Changes,
    task: Task | None,
    before: Mapping[str, SlaClock],
    after: Mapping[str, SlaClock],
    reason: str,
) -> None:
    name = changes.process.process_name if task is None else task.task_name
    task_id = None if task is None else task.id
    changes.event(
        SlaRecomputed(reason, _figures(before), _figures(after)),
        f"{name}: SLA recomputed: {reason}",
        task_id=task_id,
    )
    for objective, clock in after.items():
        existing = before.get(objective)
        if existing is None:
            changes.started_clocks.append(clock)
        elif clock != existing:
            changes.changed_clocks.append(clock)
        if clock.status == SlaStatus.BREACHED and (existing is None or existing.status != clock.status):
            changes.event(
                SlaBreached(due_date=clock.due_at, policy=clock.policy_name, objective=objective),
                f"{name}: SLA breached",
                task_id=task_id,
            )
    _show(changes, task, shown_clock(before.values()), shown_clock(after.values()))


def _figures(clocks: Mapping[str, SlaClock]) -> dict[str, ClockFigures]:
    return {
        objective: ClockFigures(
            policy=clock.policy_name,
            target_mins=clock.target_duration_mins,
            status=clock.status,
            due_date=clock.due_at,
        )
        for objective, clock in clocks.items()
    }


def _show(changes: Changes, task: Task | None, before: SlaClock | None, after: SlaClock | None) -> None:
    row = changes.process if task is None else task
    is_breached = after is not None and after.status == SlaStatus.BREACHED
    columns: dict[str, Any] = {
        "sla_status": SlaStatus.ON_TRACK if after is None else after.status,
        "sla_breach_time": after.due_at if after is not None and is_breached else None,
    }
    if row.due_date is None or (before is not None and row.due_date == before.due_at):
        columns["due_date"] = None if after is None else after.due_at
    if task is None:
        changes.change_process(**columns)
    else:
        changes.change_task(task, **columns)
