"""Creating tasks: one or many in one call, with dependencies among themselves and on earlier ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from gndp.core import arguments, tasks
from gndp.core.changes import Changes
from gndp.core.errors import Conflict, Invalid, Problem
from gndp.core.flow import OpenStep, cycle_members, invert
from gndp.core.people import skills
from gndp.core.records import Process, Task
from gndp.core.states import DONE_TASK_STATUSES, TaskStatus
from gndp.core.values import parse_id
from gndp.engine.definitions import Definitions, new_task
from gndp.engine.routing import route_ready
from gndp.engine.transition import Work
from gndp.store.queries import Row, Statement, statement


class Specification(NamedTuple):
    """A task as a caller wants it, checked in itself; ``place`` says which of the call's it is."""

    place: str
    id: UUID | None
    process_instance_id: UUID
    task_definition_id: str
    task_name: str
    task_type: str
    assigned_to: str | None
    assigned_team: str | None
    assignment_method: str
    depends_on: list[UUID]
    phase: str | None
    priority: str | None
    sla_target_mins: int | None
    due_date: datetime | None
    estimated_duration_mins: int | None
    input_data: dict[str, Any]
    max_retries: int
    tags: list[str]
    notes: str | None
    required_skills: dict[str, int]


def specify(given: Mapping[str, Any], place: str) -> Specification:
    """Check the arguments of one task; Invalid names the argument, its place within the call before it."""
    if not isinstance(given, Mapping):
        raise Invalid(Problem(place.rstrip("."), "must be an object"))
    unknown = given.keys() - set(Specification._fields[1:])
    if unknown:
        raise Invalid(*(Problem(f"{place}{name}", "is unknown") for name in sorted(map(str, unknown))))
    id = given.get("id")
    return Specification(
        place=place,
        id=None if id is None else parse_id(id, f"{place}id"),
        process_instance_id=parse_id(given.get("process_instance_id", ""), f"{place}process_instance_id"),
        task_definition_id=arguments.name(given.get("task_definition_id"), f"{place}task_definition_id"),
        task_name=arguments.name(given.get("task_name"), f"{place}task_name"),
        task_type=arguments.name(given.get("task_type"), f"{place}task_type"),
        assigned_to=arguments.optional_name(given.get("assigned_to"), f"{place}assigned_to"),
        assigned_team=arguments.optional_name(given.get("assigned_team"), f"{place}assigned_team"),
        assignment_method=arguments.assignment_method(
            given.get("assignment_method", "manual"), f"{place}assignment_method"
        ),
        depends_on=_dependencies(given.get("depends_on"), f"{place}depends_on"),
        phase=arguments.optional_name(given.get("phase"), f"{place}phase"),
        priority=_optional_priority(given.get("priority"), f"{place}priority"),
        sla_target_mins=arguments.sla_target(given.get("sla_target_mins"), f"{place}sla_target_mins"),
        due_date=arguments.optional_instant(given.get("due_date"), f"{place}due_date"),
        estimated_duration_mins=arguments.minutes(
            given.get("estimated_duration_mins"), f"{place}estimated_duration_mins"
        ),
        input_data=arguments.json_object(given.get("input_data"), f"{place}input_data"),
        max_retries=arguments.whole_number(given.get("max_retries", 3), f"{place}max_retries", least=0),
        tags=arguments.names(given.get("tags"), f"{place}tags"),
        notes=arguments.optional_text(given.get("notes"), f"{place}notes"),
        required_skills=skills(given.get("required_skills"), f"{place}required_skills"),
    )


class _Loaded(NamedTuple):
    """A locked process, and what adding tasks to it needs to know."""

    process: Process
    last_event_at: datetime | None
    first_open: OpenStep | None
    first_position: int
    known: Mapping[UUID, tuple[UUID, str]]


def create(work: Work, definitions: Definitions, specifications: Sequence[Specification]) -> list[Task]:
    """Create the tasks; the answer is in the order given.

    All processes are locked, in the order of their ids, before the first team is locked for routing.
    """
    identified = [s if s.id is not None else s._replace(id=uuid7()) for s in specifications]
    _refuse_repeated_ids(identified)
    by_process: dict[UUID, list[Specification]] = {}
    for specification in identified:
        by_process.setdefault(specification.process_instance_id, []).append(specification)
    all_changes = [
        _decide(work, loaded, by_process[loaded.process.id], identified) for loaded in _load(work, by_process)
    ]
    route_ready(work, definitions, *all_changes)
    created = {task.id: task for changes in all_changes for task in work.created_answer(work.settle(changes))}
    return work.finish([created[_id(s)] for s in identified], *all_changes)


def _load(work: Work, by_process: Mapping[UUID, Sequence[Specification]]) -> list[_Loaded]:
    reads = {process_id: _reads(process_id, by_process[process_id]) for process_id in sorted(by_process)}
    answers = iter(work.load(*chain.from_iterable(reads.values())))
    return [_loaded(work, process_id, *islice(answers, len(its))) for process_id, its in reads.items()]


def _reads(process_id: UUID, wanted: Sequence[Specification]) -> list[Statement]:
    named = sorted({id for s in wanted for id in s.depends_on} | {_id(s) for s in wanted})
    return [
        statement("processes", "lock", process_id=process_id),
        statement("processes", "last_event_at", process_id=process_id),
        statement("processes", "first_open_step", process_id=process_id),
        statement("processes", "last_position", process_id=process_id),
        statement("tasks", "dependencies", task_ids=named),
        statement("sla", "of_process", process_id=process_id),
    ]


def _loaded(
    work: Work,
    process_id: UUID,
    process_rows: Sequence[Row],
    last: Sequence[Row],
    first: Sequence[Row],
    last_position: Sequence[Row],
    known_rows: Sequence[Row],
    clock_rows: Sequence[Row],
) -> _Loaded:
    process = work.locked_process(process_rows, process_id)
    work.permit(process)
    work.take_clocks(clock_rows, process)
    return _Loaded(
        process,
        last[0][0] if last else None,
        OpenStep._make(first[0]) if first else None,
        last_position[0][0] + 1 if last_position else 0,
        {row[0]: (row[1], row[2]) for row in known_rows},
    )


def _decide(
    work: Work, loaded: _Loaded, wanted: Sequence[Specification], all_wanted: Sequence[Specification]
) -> Changes:
    _refuse_bad_dependencies(loaded.process, wanted, all_wanted, loaded.known)
    rows = _rows(loaded.process, wanted, loaded.known, loaded.first_position)
    changes = tasks.create(loaded.process, loaded.last_event_at, loaded.first_open, rows, work.command)
    new_ids = {task.id for task in rows}
    for dependency, dependants in invert({task.id: task.depends_on for task in rows}).items():
        if dependency not in new_ids:
            changes.added_blocking[dependency] = dependants
    return changes


def _refuse_repeated_ids(specifications: Sequence[Specification]) -> None:
    counts = Counter(_id(s) for s in specifications)
    repeated = [Problem(f"{s.place}id", "is given twice") for s in specifications if counts[_id(s)] > 1]
    if repeated:
        raise Invalid(*repeated)


def _refuse_bad_dependencies(
    process: Process,
    wanted: Sequence[Specification],
    all_wanted: Sequence[Specification],
    known: Mapping[UUID, tuple[UUID, str]],
) -> None:
    taken = [s for s in wanted if _id(s) in known]
    if taken:
        raise Conflict(f"a task {taken[0].id} exists already")
    new = {_id(s): s.process_instance_id for s in all_wanted}
    problems: list[Problem] = []
    for s in wanted:
        for index, dependency in enumerate(s.depends_on):
            place = f"{s.place}depends_on[{index}]"
            home = new.get(dependency) or known.get(dependency, (None,))[0]
            if dependency == s.id:
                problems.append(Problem(place, "is the task itself"))
            elif home is None:
                problems.append(Problem(place, f"no task {dependency}"))
            elif home != process.id:
                problems.append(Problem(place, f"task {dependency} belongs to another process"))
    cyclic = cycle_members({_id(s): s.depends_on for s in wanted}) if not problems else set()
    problems += [
        Problem(f"{s.place}depends_on", "is part of a cycle, or waits for one")
        for s in wanted
        if s.id in cyclic
    ]
    if problems:
        raise Invalid(*problems)
    cancelled = [
        id for s in wanted for id in s.depends_on if id in known and known[id][1] == TaskStatus.CANCELLED
    ]
    if cancelled:
        raise Conflict(
            f"task {cancelled[0]} was cancelled: nothing can wait for it", status=TaskStatus.CANCELLED
        )


def _rows(
    process: Process,
    wanted: Sequence[Specification],
    known: Mapping[UUID, tuple[UUID, str]],
    first_position: int,
) -> list[Task]:
    blocking = invert({_id(s): s.depends_on for s in wanted})
    done = {id for id, (_, status) in known.items() if status in DONE_TASK_STATUSES}
    rows = []
    for position, s in enumerate(wanted, first_position):
        columns = s._asdict()
        del columns["place"]
        columns["priority"] = s.priority or process.priority
        rows.append(
            new_task(
                **columns,
                position=position,
                blocking=blocking.get(_id(s), []),
                open_dependencies=sum(id not in done for id in s.depends_on),
                created_at=process.created_at,
                updated_at=process.updated_at,
            )
        )
    return rows


def _dependencies(value: Any, place: str) -> list[UUID]:
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Invalid(Problem(place, "must be a list of task ids"))
    return list(dict.fromkeys(parse_id(id, f"{place}[{index}]") for index, id in enumerate(value)))


def _optional_priority(value: Any, place: str) -> str | None:
    return None if value is None else arguments.priority(value, place)


def _id(specification: Specification) -> UUID:
    assert specification.id is not None
    return specification.id
