"""Event logs driven through the engine's own commands, with the log's own times.

A case becomes a process and each of its activity instances a task, in one transaction a case: whatever
interrupts a replay leaves whole cases only. Ids are derived from the log's fingerprint, the case and the
row, so replaying a log again, after an interruption, or twice at once, loads every case exactly once.

Where a column has the priority, a case begins with that of its first event, and a later event that says
another one changes it. Clocks keep the policy that they started with: what was promised when the case was
opened.

What a log does not say is marked, so that an export does not say it either: a task whose start it does not
know is created, started and completed at its completion and tagged ``start-unobserved``; one whose resource
it does not know is done by ``unknown`` and tagged ``resource-unobserved``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from gndp.core import arguments
from gndp.core.errors import Conflict, Invalid, NotFound, Refusal
from gndp.core.states import Priority
from gndp.core.values import shown, validate_texts
from gndp.formats import (
    EXTENSIONS,
    ActivityInstance,
    BadRow,
    Case,
    Columns,
    Log,
    PriorityReader,
    read_log,
)
from gndp.workbench import Workbench, connect

REPLAYED = "replay"
"""The tag of every process that came from a log."""

START_UNOBSERVED = "start-unobserved"
"""The tag of a task of which the log knows the completion only."""

RESOURCE_UNOBSERVED = "resource-unobserved"
"""The tag of a task of which the log does not know who did it."""

UNKNOWN_PERSON = "unknown"
"""Who did what nobody is named for."""

_ACTOR = "replay"
_NAMESPACE = UUID("6a1c7b53-0f0e-4f5b-9d0a-3c1be2a3d7f4")
_ATTEMPTS = 3
_LONGEST = timedelta(minutes=2**31 - 1)
"""What the minutes of a duration can hold: 4,083 years."""


@dataclass(frozen=True)
class ReplayReport:
    """What a replay did.

    - ``definition_id`` and ``tag``: what the log's processes can be found and exported by.
    - ``cases``, ``tasks``: loaded now; ``skipped``: cases that were there already.
    - ``problems``: what could not be loaded, with its place; the rest is.
    - ``priorities``: which priority each value of the priority column was read as.
    - ``other_events``: readable events that are no activity instances, by lifecycle.
    - ``columns``, ``guessed``, ``assumed_time_zone``, ``assumed_date_order``, ``notes``: how the file was
      read, as ``formats.Log`` has them.
    - ``seconds``: reading included.
    """

    fingerprint: str
    definition_id: str
    tag: str
    cases: int
    skipped: int
    tasks: int
    problems: list[BadRow]
    priorities: dict[str, str]
    other_events: dict[str, int]
    columns: Columns
    guessed: tuple[str, ...]
    assumed_time_zone: str | None
    assumed_date_order: str | None
    notes: list[str]
    seconds: float


def replay(
    workbench: Workbench,
    path: str | Path,
    *,
    columns: Columns | None = None,
    time_zone: str | None = None,
    day_first: bool | None = None,
    definition_id: str | None = None,
    process_type: str = "custom",
    priority: str | None = None,
    priority_map: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ReplayReport:
    """Load an event log (see ``formats.read_log`` for the files and the options of reading them).

    The resource is the person; attributes of a case go into its ``business_context``, those of an event into
    its task's ``input_data``; ``variables`` keep the whole case id and the log's fingerprint. The processes
    are of ``definition_id``, the file's name by default. ``progress(done, total)`` is called after each case.

    ``priority`` names the column of the priority, ``priority_map`` says which of critical, high, medium and
    low its values are where they do not say so themselves. Where an event has no value, or one that nobody
    knows, the case keeps the priority that it had: medium at first.

    The commands run on connections of their own, with the log's clock: the workbench's clock, and whoever
    uses it meanwhile, are left alone. What the log holds and the engine refuses becomes a problem of the
    report. Raises Invalid for a file that cannot be read at all, and when ``definition_id`` names a published
    template, whose tasks would be created beside the log's; DatabaseUnavailable when the connection breaks.
    """
    begun = monotonic()
    path = Path(path)
    definition = arguments.name(
        _stem(path) if definition_id is None else definition_id, "process_definition_id"
    )
    process_type = arguments.name(process_type, "process_type")
    _refuse_template(workbench, definition)
    log = read_log(path, columns=columns, time_zone=time_zone, day_first=day_first)
    priorities = _priorities(log, priority, priority_map)
    problems = list(log.problems)
    cases = skipped = tasks = 0
    clock = _Clock(workbench.clock)
    with connect(workbench.database_url, clock=clock) as own:
        player = _Player(own, clock, log.fingerprint, definition, process_type)
        for done, case in enumerate(log.cases, start=1):
            plan = _plan(case, log, priorities, problems)
            try:
                if plan is not None and player.play(plan):
                    cases += 1
                    tasks += plan.task_count
                elif plan is not None:
                    skipped += 1
            except Refusal as refusal:
                problems.append(BadRow(_place(case), str(refusal)))
            if progress is not None:
                progress(done, len(log.cases))
    return ReplayReport(
        fingerprint=log.fingerprint,
        definition_id=definition,
        tag=_tag(log.fingerprint),
        cases=cases,
        skipped=skipped,
        tasks=tasks,
        problems=problems + (priorities.problems if priorities else []),
        priorities=dict(priorities.read_as) if priorities else {},
        other_events=dict(log.other_events),
        columns=log.columns,
        guessed=log.guessed,
        assumed_time_zone=log.assumed_time_zone,
        assumed_date_order=log.assumed_date_order,
        notes=log.notes + (priorities.notes if priorities else []),
        seconds=monotonic() - begun,
    )


class _Clock:
    """A workbench's clock that stands where the log is, and between cases is that of everybody else."""

    def __init__(self, otherwise: Callable[[], datetime]) -> None:
        self.at: datetime | None = None
        self._otherwise = otherwise

    def __call__(self) -> datetime:
        return self._otherwise() if self.at is None else self.at


class _Moment(NamedTuple):
    """A task begins, or ends, at an instant; the order of the fields is the order in which things happen.

    ``position`` is that of the completion within the case, so equal instants keep the file's order.
    """

    at: datetime
    position: int
    ends: bool
    task_id: UUID
    person: str
    new_task: dict[str, Any]


class _Plan(NamedTuple):
    """A case as the engine will see it: its process and what happens in it, in order of time."""

    process_id: UUID
    process_name: str
    case_id: str
    priority: str | None
    business_context: dict[str, Any]
    moments: list[_Moment]

    @property
    def task_count(self) -> int:
        """How many tasks it makes: each begins and ends."""
        return len(self.moments) // 2


class _Player:
    """Gives the commands of one log."""

    def __init__(
        self, workbench: Workbench, clock: _Clock, fingerprint: str, definition_id: str, process_type: str
    ) -> None:
        self._workbench = workbench
        self._clock = clock
        self._fingerprint = fingerprint
        self._definition_id = definition_id
        self._process_type = process_type

    def play(self, plan: _Plan) -> bool:
        """Load a case; False when it is there already, also when another replay was quicker."""
        attempt = 1
        while not self._is_there(plan.process_id):
            try:
                self._load(plan)
                return True
            except Conflict:
                if attempt == _ATTEMPTS:
                    raise
                attempt += 1
        return False

    def _is_there(self, process_id: UUID) -> bool:
        try:
            self._workbench.processes.get(process_id)
        except NotFound:
            return False
        return True

    def _load(self, plan: _Plan) -> None:
        processes, tasks, clock = self._workbench.processes, self._workbench.tasks, self._clock
        priority = plan.priority or Priority.MEDIUM
        with self._workbench.transaction():
            clock.at = plan.moments[0].at
            processes.start(
                id=plan.process_id,
                process_definition_id=self._definition_id,
                process_name=plan.process_name,
                process_type=self._process_type,
                initiated_by=_ACTOR,
                priority=priority,
                business_context=plan.business_context,
                variables={"case_id": plan.case_id, "log": self._fingerprint},
                tags=[REPLAYED, _tag(self._fingerprint)],
                auto_complete=False,
                automated=True,
            )
            for moment in plan.moments:
                clock.at = moment.at
                if not moment.ends:
                    tasks.create(user_id=_ACTOR, **moment.new_task)
                    tasks.start(moment.task_id, user_id=moment.person)
                    continue
                said = moment.new_task["priority"]
                if said not in (None, priority):
                    processes.update(plan.process_id, user_id=_ACTOR, priority=said)
                    priority = said
                tasks.complete(moment.task_id, user_id=moment.person)
            processes.complete(plan.process_id, user_id=_ACTOR)
            # Whom the case sets free gets a waiting task after the commit: by today's clock, not the log's.
            clock.at = None


def _refuse_template(workbench: Workbench, definition_id: str) -> None:
    try:
        workbench.definitions.get(definition_id)
    except NotFound:
        return
    raise Invalid(
        f"{definition_id} is a published template, whose tasks would be created beside the log's; "
        "give another definition_id"
    )


def _priorities(log: Log, column: str | None, meanings: Mapping[str, str] | None) -> PriorityReader | None:
    if column is not None:
        return PriorityReader(log, column, meanings)
    if meanings:
        raise Invalid("a priority map needs the column of the priority")
    return None


def _plan(case: Case, log: Log, priorities: PriorityReader | None, problems: list[BadRow]) -> _Plan | None:
    """The case as commands; None when it holds nothing to load. What cannot be loaded joins the problems."""
    process_id = uuid5(_NAMESPACE, f"{log.fingerprint}\x1f{case.case_id}")
    moments: list[_Moment] = []
    for position, instance in enumerate(case.activities):
        try:
            moments += _moments(process_id, position, case, instance, priorities, problems)
        except Invalid as refusal:
            problems.append(BadRow(_place(case, instance), str(refusal)))
    if not moments:
        problems.append(BadRow(_place(case), "has no activity instance to load"))
        return None
    priority = moments[0].new_task["priority"]
    # Not the whole tuple: its last fields have no order.
    moments.sort(key=attrgetter("at", "position", "ends"))
    if moments[-1].at - moments[0].at > _LONGEST:
        problems.append(BadRow(_place(case), "lasts more than 4,083 years"))
        return None
    return _Plan(
        process_id,
        _shortened(case.case_id),
        case.case_id,
        priority,
        _storable(case.attributes, _place(case), problems),
        moments,
    )


def _moments(
    process_id: UUID,
    position: int,
    case: Case,
    instance: ActivityInstance,
    priorities: PriorityReader | None,
    problems: list[BadRow],
) -> list[_Moment]:
    """Begin and end of a task; Invalid when the engine would refuse it."""
    task_id = uuid5(process_id, str(instance.row))
    activity = arguments.name(instance.activity, "activity")
    person = arguments.optional_name(instance.resource, "resource")
    place = _place(case, instance)
    new_task = {
        "id": task_id,
        "process_instance_id": process_id,
        "task_definition_id": activity,
        "task_name": activity,
        "task_type": "manual",
        "priority": priorities.read(case, instance, place) if priorities else None,
        "input_data": _storable(instance.attributes, place, problems),
        "tags": _unobserved(instance),
    }
    begin = instance.started_at or instance.completed_at
    common = (task_id, person or UNKNOWN_PERSON, new_task)
    return [
        _Moment(begin, position, False, *common),
        _Moment(instance.completed_at, position, True, *common),
    ]


def _unobserved(instance: ActivityInstance) -> list[str]:
    tags = []
    if instance.started_at is None:
        tags.append(START_UNOBSERVED)
    if instance.resource is None:
        tags.append(RESOURCE_UNOBSERVED)
    return tags


def _storable(attributes: dict[str, Any], place: str, problems: list[BadRow]) -> dict[str, Any]:
    """The attributes that the engine can store; each of the others is a problem, and only it is left out."""
    stored = {}
    for name, value in attributes.items():
        faults = validate_texts({name: value}, "")
        if faults:
            problems.append(BadRow(place, f"attribute left out: {'; '.join(map(str, faults))}"))
        else:
            stored[name] = value
    return stored


def _shortened(case_id: str) -> str:
    """The case id as a process's name, which has its limit; the whole id is in the variables."""
    return case_id if len(case_id) <= arguments.MAX_NAME else case_id[: arguments.MAX_NAME - 1] + "…"


def _place(case: Case, instance: ActivityInstance | None = None) -> str:
    """Where in the log: the case and, from 1 in file order, the event."""
    of_case = f"case {shown(case.case_id)}"
    return of_case if instance is None else f"event {instance.row + 1}, {of_case}"


def _tag(fingerprint: str) -> str:
    return f"log:{fingerprint[:16]}"


def _stem(path: Path) -> str:
    """The file's name without what says its format."""
    name = path.name
    for extension in sorted(EXTENSIONS, key=len, reverse=True):
        if name.lower().endswith(extension):
            return name[: -len(extension)] or name
    return name
