"""Event logs written from what the workbench holds: a case a process, an activity instance a completed task.

Everything comes from processes, tasks and events, so it works for any process, and a replayed log comes out
as it went in: cases, activities, order, times and resources.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection, RawCursor, RawServerCursor

from gndp.core import arguments
from gndp.core.errors import Invalid
from gndp.formats import ActivityInstance, Case, write_log
from gndp.store.queries import statement
from gndp.store.session import Database
from gndp.workbench import Workbench

_BATCH = 5_000
"""About how many tasks are in memory at a time; one process is never split."""


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    - ``cases``, ``activities``: in the file.
    - ``left_out``: processes in which no task is completed yet.
    - ``renamed``: cases that carry their process's id, because an earlier process has their case id.
    - ``seconds``: how long it took.
    """

    cases: int
    activities: int
    left_out: int
    renamed: int
    seconds: float


class _Chosen(NamedTuple):
    """A process to export; ``is_taken`` when an earlier one has its case id."""

    id: UUID
    case_id: str
    is_taken: bool
    task_count: int


@dataclass
class _Tally:
    cases: int = 0
    left_out: int = 0
    renamed: int = 0


def export(
    workbench: Workbench, path: str | Path, *, definition_id: str | None = None, tag: str | None = None
) -> ExportReport:
    """Write processes as an event log, by the file's extension (see ``formats.write_log``).

    ``definition_id`` and ``tag`` select among the processes; a replayed log is found by those of its
    ReplayReport. Completed tasks become activity instances, with the first start, the completion and the
    assignee; ``business_context`` becomes the attributes of the case, ``input_data`` those of the event. The
    case id of a process that was not replayed is its id. All is read in one consistent snapshot, a few
    processes at a time. Raises Invalid when there is nothing to export or the file cannot be written.
    """
    begun = monotonic()
    selection = {
        "definition_id": arguments.optional_name(definition_id, "definition_id"),
        "tag": arguments.optional_name(tag, "tag"),
    }
    tally = _Tally()
    with _snapshot(workbench.database_url) as connection:
        activities = write_log(path, _cases(connection, selection, tally))
    return ExportReport(tally.cases, activities, tally.left_out, tally.renamed, monotonic() - begun)


@contextmanager
def _snapshot(database_url: str) -> Iterator[Connection[Any]]:
    """A connection of its own, whose reads all see the same moment."""
    database = Database(database_url, min_size=1, max_size=1)
    database.open()
    try:
        with database.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield connection
    finally:
        database.close()


def _cases(connection: Connection[Any], selection: dict[str, str | None], tally: _Tally) -> Iterator[Case]:
    row = 0
    for batch in _batches(connection, selection):
        ids = [process.id for process in batch]
        contexts = dict(_rows(connection, "contexts", process_ids=ids))
        activities: dict[UUID, list[ActivityInstance]] = defaultdict(list)
        for process_id, activity, completed_at, started_at, resource, data in _rows(
            connection, "activities", process_ids=ids
        ):
            activities[process_id].append(
                ActivityInstance(row, activity, completed_at, started_at, resource, data)
            )
            row += 1
        for process in batch:
            if process.id not in activities:
                tally.left_out += 1
                continue
            tally.cases += 1
            tally.renamed += process.is_taken
            case_id = str(process.id) if process.is_taken else process.case_id
            yield Case(case_id, contexts[process.id], activities[process.id])
    if not tally.cases:
        named = [f"{name} {value}" for name, value in selection.items() if value is not None]
        raise Invalid(
            f"nothing to export: no process{' of ' + ' and '.join(named) if named else ''} "
            "has a completed task"
        )


def _batches(connection: Connection[Any], selection: dict[str, str | None]) -> Iterator[list[_Chosen]]:
    chosen = statement("export", "processes", **selection)
    batch: list[_Chosen] = []
    size = 0
    with RawServerCursor(connection, "export") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(chosen.query.text, chosen.values)
        for values in cursor:
            process = _Chosen._make(values)
            batch.append(process)
            size += process.task_count + 1
            if size >= _BATCH:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _rows(connection: Connection[Any], name: str, **values: Any) -> list[tuple[Any, ...]]:
    wanted = statement("export", name, **values)
    with RawCursor(connection) as cursor:
        return cursor.execute(wanted.query.text, wanted.values, binary=True).fetchall()
