"""Working the clocks of an item out anew, from its history."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gndp.core.changes import Changes
from gndp.core.clocks import history_of
from gndp.core.policies import Item
from gndp.core.recomputation import recompute
from gndp.core.records import Process, SlaClock, Task
from gndp.engine.transition import Work, clock_of
from gndp.engine.writes import with_ids
from gndp.store.queries import Row, Statement, statement

_TASK_WIDTH = len(Task._fields)


def recompute_item(work: Work, process_id: UUID, task_id: UUID | None, reason: str) -> list[SlaClock]:
    """Recompute the clocks of a process or (with ``task_id``) of one of its tasks, and write the outcome."""
    process_rows, clock_rows, event_rows, task_rows = work.load(
        statement("processes", "lock", process_id=process_id),
        statement("sla", "of_process", process_id=process_id)
        if task_id is None
        else statement("sla", "of_task", task_id=task_id),
        statement("sla", "history", process_id=process_id),
        statement("tasks", "get", task_id=task_id),
    )
    process = work.locked_process(process_rows, process_id)
    task = Task._make(task_rows[0]) if task_rows else None
    work.permit(process, task)
    clocks = [
        named.clock for named in work.take_clocks(clock_rows, process) if named.clock.task_id == task_id
    ]
    changes = Changes.begin(process, work.command, event_rows[-1][2])
    known = {clock.terms: terms for clock in clocks if (terms := work.terms(clock)) is not None}
    chosen = work.choose_terms(_item(process, task))
    removed = recompute(changes, task, clocks, known, chosen, history_of(event_rows, task_id), reason)
    changes.started_clocks = with_ids(changes.started_clocks)
    answered = [*changes.changed_clocks, *changes.started_clocks]
    extra: list[Statement] = [statement("sla", "remove", ids=removed)] if removed else []
    gone = {clock.id for clock in answered} | set(removed)
    kept = [clock for clock in clocks if clock.id not in gone]
    answer = sorted([*kept, *answered], key=lambda clock: clock.due_at)
    if changes.events:
        _look_at_others(work, changes, task_id, clock_rows)
    return work.finish(answer, changes, extra=extra)


def _look_at_others(work: Work, changes: Changes, task_id: UUID | None, clock_rows: Sequence[Row]) -> None:
    """The process's own clocks tell what has come for them, as with every command on one of its tasks."""
    others = [row for row in clock_rows if row[1] is not None and clock_of(row).task_id != task_id]
    if others:
        work.take_clocks(others, changes.process)
        ledger = work.ledger(changes)
        ledger.look()
        work.close(ledger)


def _item(process: Process, task: Task | None) -> Item:
    return Item(
        "process" if task is None else "task",
        process.process_definition_id,
        None if task is None else task.task_definition_id,
        process.process_type,
        (task or process).priority,
        (task or process).sla_target_mins,
    )
