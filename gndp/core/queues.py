"""The queues of the teams: whom their tasks could go to, and what a command leaves to be done about them.

Pure: a plan writes nothing. Each task that it finds somebody for is given out in a transaction of its own,
which looks again. Source: the semantics page ("capacity freed by a command").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gndp.core import routing
from gndp.core.changes import Changes
from gndp.core.people import Team
from gndp.core.records import Dependant, Task
from gndp.core.routing import Candidate, Wanted
from gndp.core.states import AssignmentMethod, ProcessStatus, TaskStatus

_HELD = frozenset({TaskStatus.ASSIGNED, TaskStatus.IN_PROGRESS})
_Needs = tuple[frozenset[tuple[str, int]], frozenset[str], frozenset[str]]


@dataclass(slots=True)
class Aftermath:
    """What is to be done about the queues once a command is committed.

    ``teams`` may have somebody free, and something waits in their queues; ``people`` may be free; ``tasks``
    came into the queue of the team beside them, and nobody was found for them yet.
    """

    teams: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    tasks: dict[UUID, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.teams or self.people or self.tasks)

    def add(self, other: Aftermath) -> None:
        """Take over what another command of the same transaction leaves to be done."""
        self.teams |= other.teams
        self.people |= other.people
        self.tasks |= other.tasks


class QueuePlan:
    """Goes through a team's queue in its order, and notes for which tasks there is somebody.

    ``given`` are those tasks; ``left`` counts the others by the reason. ``failed`` are those of which it
    cannot be known who may have them, with the error.
    """

    def __init__(self, team: Team, candidates: Sequence[Candidate], at: datetime) -> None:
        self.given: list[UUID] = []
        self.left: Counter[str] = Counter()
        self.failed: dict[UUID, str] = {}
        self._team = team
        self._candidates = candidates
        self._free = [candidate for candidate in candidates if routing.is_free(candidate, at)]
        self._position = team.round_robin_position
        self._at = at
        self._hopeless: dict[_Needs, str] = {}

    @property
    def is_anybody_free(self) -> bool:
        """Whether somebody of the team could take one more task."""
        return bool(self._free)

    def consider(self, wanted: Wanted) -> None:
        """The next task of the queue."""
        needs = _needs(wanted)
        # Who is free gets fewer: what nobody could take, nobody can take later.
        if needs in self._hopeless:
            self.left[self._hopeless[needs]] += 1
            return
        person = routing.choose(wanted, self._free, self._position, self._at).person
        if person is None:
            self._hopeless[needs] = routing.choose(wanted, self._candidates, None, self._at).reason
            self.left[self._hopeless[needs]] += 1
        else:
            self.given.append(wanted.task_id)
            self._give(wanted, person)

    def _give(self, wanted: Wanted, person: str) -> None:
        by = routing.weight(self._team.load_measure, wanted.priority, wanted.estimated_minutes)
        routing.give(self._free, person, by)
        self._free = [
            candidate
            for candidate in self._free
            if candidate.person.user_id != person or routing.is_free(candidate, self._at)
        ]
        if wanted.method == AssignmentMethod.ROUND_ROBIN:
            self._position = person


def _needs(wanted: Wanted) -> _Needs:
    return (
        frozenset(wanted.required_skills.items()),
        frozenset(wanted.kept_apart),
        frozenset(wanted.gave_back),
    )


def freed_people(changes: Changes) -> set[str]:
    """Who has less to do once these changes are written."""
    return {person for person, _ in given_up(changes)}


def given_up(changes: Changes) -> Iterator[tuple[str, Task]]:
    """The tasks, as they were, that their people do not have any more once these changes are written."""
    for task, columns in changes.task_columns.values():
        if (
            task.assigned_to is not None
            and task.status in _HELD
            and task.ready_at is not None
            and (
                columns.get("status", task.status) not in _HELD
                or columns.get("assigned_to", task.assigned_to) != task.assigned_to
            )
        ):
            yield task.assigned_to, task


def taken_on(changes: Changes) -> Iterator[tuple[str, Task | Dependant]]:
    """The tasks of a named person that begin to count as that person's work by these changes."""
    for dependant, columns in changes.freed:
        if columns["open_dependencies"] == 0 and dependant.assigned_to and dependant.status in _HELD:
            yield dependant.assigned_to, dependant
    for task in changes.created_tasks:
        if task.ready_at is not None and task.assigned_to and task.status in _HELD:
            yield task.assigned_to, task


def returned_tasks(changes: Changes) -> Iterator[tuple[UUID, str]]:
    """The tasks that come back into a team's queue by these changes, each with the team."""
    for task, columns in changes.task_columns.values():
        if (
            columns.get("status") == TaskStatus.PENDING
            and task.ready_at is not None
            and task.assigned_team is not None
            and task.assignment_method != AssignmentMethod.MANUAL
        ):
            yield task.id, task.assigned_team


def starts_or_stops(changes: Changes) -> bool:
    """Whether all the open tasks of the process begin, or cease, to count as somebody's work."""
    if "status" not in changes.process_columns:
        return False
    before, after = changes.process.status, changes.process_after()
    was_running, is_running = before == ProcessStatus.RUNNING, after.status == ProcessStatus.RUNNING
    return was_running != is_running and after.open_steps > 0
