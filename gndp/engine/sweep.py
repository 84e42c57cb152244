"""The SLA sweep: tells what time alone has brought, and escalates.

Warnings, breaches and escalations come when nobody gives a command. The sweep finds the clocks for which
something has come by now, a hundred at a time, and settles each batch in a transaction of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from pydantic import TypeAdapter

from gndp.core.changes import Changes
from gndp.core.clocks import Ledger
from gndp.directory.contract import Directory
from gndp.engine.definitions import Definitions
from gndp.engine.escalation import WhoIsWho, escalate_due, who_is_who
from gndp.engine.transition import Call, Transitions, Work, clock_of
from gndp.store.queries import Row, statement


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


class _DueClock(NamedTuple):
    """A clock for which something has come, in the order of the sweep."""

    next_at: datetime
    id: UUID
    process_id: UUID
    may_escalate: bool


_START = _DueClock(datetime(1, 1, 1, tzinfo=UTC), UUID(int=0), UUID(int=0), False)
_NOTHING = SweepReport(0, 0, 0, 0, 0, [])
_REPORT: TypeAdapter[SweepReport] = TypeAdapter(SweepReport)
_NONE: TypeAdapter[None] = TypeAdapter(None)


def sweep(
    transitions: Transitions,
    definitions: Definitions,
    directory: Directory,
    should_stop: Callable[[], bool],
) -> SweepReport:
    """Tell everything that has come by the workbench's clock.

    What a command holds at this moment is left to the next sweep (``skipped``), and so is what comes after
    the batch behind which ``should_stop`` says to end. The directory is asked once, when something may have
    to be escalated.
    """
    ((snapshot,),) = transitions.read(statement("sla", "snapshot"))
    began = transitions.now()
    call = Call("sla.sweep", "system", {}, automated=True)
    report = _NOTHING
    who: WhoIsWho | None = None
    after = _START
    while due := _due(transitions, began, after):
        if should_stop():
            return report
        # Before the transaction, which must not wait for another connection while it holds locks.
        if who is None and any(clock.may_escalate for clock in due):
            who = who_is_who(directory)
        settle = partial(_settle_batch, definitions=definitions, who=who, due=due)
        report = _sum(report, transitions.execute(call, settle, _REPORT))
        after = due[-1]
    if report.skipped:
        return report
    swept = statement("sla", "swept", now=began, snapshot=snapshot[0])
    transitions.execute(call, lambda work: work.finish(None, extra=[swept]), _NONE)
    return report


def _due(transitions: Transitions, now: datetime, after: _DueClock) -> list[_DueClock]:
    wanted = statement("sla", "due", now=now, after_at=after.next_at, after_id=after.id)
    (rows,) = transitions.read(wanted)
    return [_DueClock._make(row) for row in rows]


def _settle_batch(
    work: Work, definitions: Definitions, who: WhoIsWho | None, due: Sequence[_DueClock]
) -> SweepReport:
    process_ids = list({clock.process_id for clock in due})
    process_rows, last_events, clock_rows = work.load(
        statement("sla", "lock_processes", process_ids=process_ids),
        statement("sla", "last_events", process_ids=process_ids),
        statement("sla", "of_items", clock_ids=[clock.id for clock in due]),
    )
    of_process: dict[UUID, list[Row]] = {}
    for row in clock_rows:
        of_process.setdefault(clock_of(row).process_instance_id, []).append(row)
    last_event_at: dict[UUID, datetime] = dict(last_events)
    ledgers: list[Ledger] = []
    for process_row in process_rows:
        process = work.locked_process([process_row], process_row[1])
        # None are left when a recomputation was faster.
        if process.id in of_process:
            work.take_clocks(of_process[process.id], process)
            ledgers.append(work.ledger(Changes.begin(process, work.command, last_event_at[process.id])))
    for ledger in ledgers:
        ledger.look()
    if who is not None:
        escalate_due(work, definitions, who, ledgers)
    for ledger in ledgers:
        ledger.look()
        work.close(ledger)
    skipped = len(process_ids) - len(process_rows)
    return work.finish(_report(work, len(due), skipped, ledgers), *(ledger.changes for ledger in ledgers))


def _report(work: Work, clocks: int, skipped: int, ledgers: Sequence[Ledger]) -> SweepReport:
    told = Counter(event.event_type for ledger in ledgers for event in ledger.changes.events)
    unusable = [f"policy {name}: {why}" for name, why in work.unusable_policies().items()] if ledgers else []
    unusable += [f"clock {id}: {why}" for ledger in ledgers for id, why in ledger.unusable.items()]
    return SweepReport(
        clocks=clocks,
        at_risk=told["sla.at_risk"],
        breached=told["sla.breached"],
        escalated=told["escalation.triggered"],
        skipped=skipped,
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
