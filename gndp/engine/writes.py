"""What was decided, as the statements that write it: rows, each guarded by the state that the decision was
made on, and the events.

An update names only the columns that change, so there is one prepared statement for each set of columns that
commands change together: a few dozen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from gndp.core.changes import Changes
from gndp.core.records import Process, SlaClock
from gndp.store.queries import Query, Statement, composed, statement

_JSON_COLUMNS = frozenset({"output_data", "form_data", "variables"})
_AS_DECIDED_ON = "version = :version"
_STILL_ACTIVE = "status = 'active'"


def writes_of(all_changes: Sequence[Changes], inserted: Process | None) -> list[Statement]:
    """The statements that write what was decided, in an order in which every row finds those it refers to.

    ``inserted`` is the process that does not exist yet, if one of them is about such a one.
    """
    statements: list[Statement] = []
    events: list[dict[str, Any]] = []
    for changes in all_changes:
        statements += _row_writes(changes, changes.process is inserted)
        statements += _clock_writes(changes)
        events += _event_rows(changes)
    if events:
        statements.append(statement("events", "insert", rows=json_text(events)))
    return statements


def with_ids(clocks: Collection[SlaClock]) -> list[SlaClock]:
    """New clocks with ids."""
    return [clock if clock.id.int else clock._replace(id=uuid7()) for clock in clocks]


def json_text(value: object) -> str:
    """A value as JSON, for a parameter of a statement."""
    return orjson.dumps(value).decode()


def _row_writes(changes: Changes, is_new: bool) -> Iterator[Statement]:
    process = changes.process
    if is_new:
        yield statement("processes", "insert", rows=json_text([changes.process_after()._asdict()]))
    if changes.created_tasks:
        rows = json_text([task._asdict() for task in changes.created_tasks])
        yield statement("tasks", "insert", rows=rows)
    for task_id, added in changes.added_blocking.items():
        yield statement("tasks", "add_blocking", id=task_id, task_ids=added)
    for task, columns in changes.task_columns.values():
        yield _update("tasks", columns, _AS_DECIDED_ON, id=task.id, version=task.version)
    for freed, columns in changes.freed:
        yield _update("tasks", columns, _AS_DECIDED_ON, id=freed.id, version=freed.version)
    for assignment_id, columns in changes.closed:
        yield _update("task_assignments", columns, _STILL_ACTIVE, id=assignment_id)
    for opened in changes.opened:
        yield statement(
            "assignments",
            "open",
            id=uuid7(),
            assigned_by=changes.command.actor,
            assigned_at=changes.at,
            **opened._asdict(),
        )
    if changes.process_columns and not is_new:
        columns = changes.process_columns
        yield _update("process_instances", columns, _AS_DECIDED_ON, id=process.id, version=process.version)


def _clock_writes(changes: Changes) -> Iterator[Statement]:
    if changes.started_clocks:
        rows = [clock._asdict() for clock in with_ids(changes.started_clocks)]
        yield statement("sla", "start", rows=json_text(rows))
    if changes.changed_clocks:
        rows = [clock._asdict() for clock in changes.changed_clocks]
        yield statement("sla", "change", rows=json_text(rows))
    if changes.item_slas:
        rows = [item._asdict() for item in changes.item_slas]
        yield statement("tasks", "show_sla", rows=json_text(rows))


def _update(table: str, columns: Mapping[str, Any], guard: str, **named: UUID | int) -> Statement:
    values = [json_text(value) if name in _JSON_COLUMNS else value for name, value in columns.items()]
    return Statement(_update_query(table, tuple(columns), guard), (*values, *named.values()))


@cache
def _update_query(table: str, columns: tuple[str, ...], guard: str) -> Query:
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    return composed(
        f"WITH moved AS (UPDATE {table} SET {changes} WHERE id = :id AND {guard} RETURNING 1) "
        "SELECT require_rows(count(*), 1) FROM moved"
    )


def _event_rows(changes: Changes) -> list[dict[str, Any]]:
    command = changes.command
    return [
        {
            **event._asdict(),
            "id": uuid7(),
            "process_instance_id": changes.process.id,
            "user_id": command.actor,
            "automated": command.automated,
            "timestamp": changes.at,
            "correlation_id": command.correlation_id,
            "causation_id": command.causation_id,
        }
        for event in changes.events
    ]
