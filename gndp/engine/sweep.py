"""The SLA sweep: tells what time alone has brought, and escalates.

Warnings, breaches and escalations come when nobody gives a command. The sweep finds the clocks for which
something has come by now, a hundred at a time, and settles each batch in a transaction of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from pydantic import TypeAdapter

from gndp.core import sla
from gndp.core.changes import Changes
from gndp.core.clocks import NamedClock, timer_of
from gndp.core.errors import NotFound
from gndp.core.escalation import EscalatedItem, Recipient, due_levels, escalate
from gndp.core.policies import EscalationLevel, Terms
from gndp.core.records import Process, SlaClock, Task
from gndp.core.states import SlaStatus
from gndp.directory.contract import Directory
from gndp.engine.processes import affected_task
from gndp.engine.transition import Call, Transitions, Work, clock_of
from gndp.store.session import Row, statement

_START = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
_Cursor = tuple[datetime, UUID]


class SweepReport(NamedTuple):
    """What one sweep did: how many clocks it looked at, and how many times it told what.

    ``skipped`` counts the processes that a command held at that moment; ``unusable`` says why some policies
    or clocks could not be told, one line each.
    """

    clocks: int
    at_risk: int
    breached: int
    escalated: int
    skipped: int
    unusable: list[str]


class _Batch(NamedTuple):
    """One transaction's part of a sweep; ``cursor`` is where the next one begins, None at the end."""

    cursor: _Cursor | None
    report: SweepReport


class _Pending(NamedTuple):
    """A clock whose escalations have come."""

    changes: Changes
    clock: SlaClock
    terms: Terms
    levels: list[tuple[int, EscalationLevel]]


_NOTHING = SweepReport(0, 0, 0, 0, 0, [])
_BATCH: TypeAdapter[_Batch] = TypeAdapter(_Batch)
_NONE: TypeAdapter[None] = TypeAdapter(None)


def sweep(transitions: Transitions, directory: Directory) -> SweepReport:
    """Tell everything that has come by the workbench's clock.

    What a command holds at this moment is left to the next sweep (``skipped``).
    """
    ((snapshot,),) = transitions.read(statement("sla", "snapshot"))
    began = transitions.now()
    call = Call("sla.sweep", "system", {}, automated=True)
    report = _NOTHING
    cursor: _Cursor | None = _START
    while cursor is not None:
        batch = transitions.execute(call, partial(_settle_batch, directory=directory, after=cursor), _BATCH)
        report = _sum(report, batch.report)
        cursor = batch.cursor
    if report.skipped:
        return report
    swept = statement("sla", "swept", now=began, snapshot=snapshot[0])
    transitions.execute(call, lambda work: work.finish(None, extra=[swept]), _NONE)
    return report


def _settle_batch(work: Work, directory: Directory, after: _Cursor) -> _Batch:
    (due,) = work.load(statement("sla", "due", now=work.command.now, after_at=after[0], after_id=after[1]))
    if not due:
        return _Batch(None, _NOTHING)
    process_ids = list({row[2] for row in due})
    process_rows, last_events, clock_rows = work.load(
        statement("sla", "lock_processes", process_ids=process_ids),
        statement("sla", "last_events", process_ids=process_ids),
        statement("sla", "of_items", clock_ids=[row[1] for row in due]),
    )
    of_process: dict[UUID, dict[UUID, Row]] = {}
    for row in clock_rows:
        clock = clock_of(row)
        of_process.setdefault(clock.process_instance_id, {})[clock.id] = row
    all_changes: list[Changes] = []
    pending: list[_Pending] = []
    last_event_at: dict[UUID, datetime] = dict(last_events)
    for process_row in process_rows:
        process = work.locked_process([process_row], process_row[1])
        clocks = work.take_clocks(list(of_process[process.id].values()), process)
        changes = work.settle(Changes.begin(process, work.command, last_event_at[process.id]))
        pending += _pending(work, changes, clocks)
        all_changes.append(changes)
    if pending:
        _escalate(work, directory, pending)
        for changes in {id(item.changes): item.changes for item in pending}.values():
            work.settle(changes)
    report = _report(work, due, all_changes, clock_rows)
    return work.finish(_Batch((due[-1][0], due[-1][1]), report), *all_changes)


def _pending(work: Work, changes: Changes, clocks: Sequence[NamedClock]) -> Iterator[_Pending]:
    changed = {clock.id: clock for clock in changes.changed_clocks}
    for named in clocks:
        clock = changed.get(named.clock.id, named.clock)
        terms = work.terms(clock)
        levels = [] if terms is None else due_levels(clock, terms, changes)
        if terms is not None and levels:
            yield _Pending(changes, clock, terms, levels)


def _escalate(work: Work, directory: Directory, pending: Sequence[_Pending]) -> None:
    task_ids = [item.clock.task_id for item in pending if item.clock.task_id is not None]
    (rows,) = work.load(statement("sla", "escalated_tasks", task_ids=task_ids)) if task_ids else ([],)
    tasks = {row[0]: affected_task(row) for row in rows}
    for changes, clock, terms, levels in pending:
        affected = tasks[clock.task_id] if clock.task_id is not None else None
        item = EscalatedItem(affected.task, affected.assignment) if affected else EscalatedItem(None, None)
        for number, level in levels:
            recipient = _recipient(directory, level, changes.process, item.task)
            clock = escalate(changes, clock, number, level, item, recipient)
        is_breached = clock.status == SlaStatus.BREACHED
        clock = clock._replace(
            next_at=sla.next_instant(
                timer_of(clock), terms, is_breached, clock.warnings_told, clock.escalations_told
            )
        )
        others = [other for other in changes.changed_clocks if other.id != clock.id]
        changes.changed_clocks = [*others, clock]


def _recipient(
    directory: Directory, level: EscalationLevel, process: Process, task: Task | None
) -> Recipient:
    if level.to == "person":
        return Recipient(level.person)
    assignee = (task.assigned_to if task else None) or process.assigned_to
    if level.to == "assignee":
        return Recipient(assignee, "nobody has it")
    team_name = (task.assigned_team if task else None) or process.assigned_team
    try:
        if team_name is None and assignee is not None:
            team_name = directory.person(assignee).team
        if team_name is None:
            return Recipient(None, "it has no team")
        team = directory.team(team_name)
    except NotFound as error:
        return Recipient(None, str(error))
    if level.to == "manager":
        return Recipient(team.manager, f"the team {team_name} has no manager")
    return Recipient(team.lead, f"the team {team_name} has no lead")


def _report(
    work: Work, due: Sequence[Row], all_changes: Sequence[Changes], clock_rows: Sequence[Row]
) -> SweepReport:
    told = Counter(event.event_type for changes in all_changes for event in changes.events)
    unusable = {f"policy {name}: {why}" for name, why in work.unusable_policies().items()}
    unusable |= {
        f"clock {clock.id}: the calendar of its terms cannot be used"
        for clock in map(clock_of, clock_rows)
        if work.terms(clock) is None
    }
    return SweepReport(
        clocks=len(due),
        at_risk=told["sla.at_risk"],
        breached=told["sla.breached"],
        escalated=told["escalation.triggered"],
        skipped=len({row[2] for row in due}) - len(all_changes),
        unusable=sorted(unusable),
    )


def _sum(one: SweepReport, other: SweepReport) -> SweepReport:
    return SweepReport(
        one.clocks + other.clocks,
        one.at_risk + other.at_risk,
        one.breached + other.breached,
        one.escalated + other.escalated,
        one.skipped + other.skipped,
        sorted({*one.unusable, *other.unusable}),
    )
