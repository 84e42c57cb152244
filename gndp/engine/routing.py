"""Routing within a command: tasks that become ready by it, and want somebody, are given to somebody in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gndp.core import routing
from gndp.core.changes import Changes, OpenedAssignment
from gndp.core.events import AssignmentNeeded, TaskAssigned
from gndp.core.people import Team
from gndp.core.queues import freed_people, given_up, taken_on
from gndp.core.records import Dependant, Task
from gndp.core.routing import Choice, Wanted
from gndp.core.states import AssignmentMethod, ProcessStatus, TaskStatus
from gndp.engine.definitions import Definitions
from gndp.engine.roster import lock_roster
from gndp.engine.transition import Work
from gndp.store.queries import statement

_Ready = tuple[Changes, Task | Dependant]
_NOBODY: frozenset[str] = frozenset()


def route_ready(work: Work, definitions: Definitions, *all_changes: Changes) -> None:
    """Give the tasks that these changes make ready, and whose method is not manual, to somebody.

    Nothing in a process that is not running accepts work, so there nothing is given to anybody. All processes
    are locked before this locks the first team, so a command that changes several routes them together.
    """
    route(work, definitions, [ready for changes in all_changes for ready in _made_ready(changes)])


def route(
    work: Work,
    definitions: Definitions,
    tasks: Iterable[_Ready],
    *,
    told: Collection[UUID] = (),
    afresh: bool = False,
) -> list[Choice]:
    """Choose somebody for each of some ready tasks, and write it into the changes beside it.

    Tasks that are manual, or of no team, are left alone. Where nobody can be chosen the task waits in its
    team's queue, and assignment.needed says why, unless that was ``told`` of it. ``afresh`` forgets who gave
    the tasks back.
    """
    listed = [
        (changes, task)
        for changes, task in tasks
        if task.assignment_method != AssignmentMethod.MANUAL and task.assigned_team
    ]
    if not listed:
        return []
    router = _Router(work, definitions, listed, afresh)
    choices = [router.route(changes, task, told) for changes, task in listed]
    router.roster.remember(work)
    return choices


def _made_ready(changes: Changes) -> Iterator[_Ready]:
    if changes.process_after().status != ProcessStatus.RUNNING:
        return
    for dependant, columns in changes.freed:
        if columns["open_dependencies"] == 0 and dependant.status == TaskStatus.PENDING:
            yield changes, dependant
    for task in changes.created_tasks:
        if task.ready_at and task.status == TaskStatus.PENDING:
            yield changes, task


class _Router:
    """The candidates of one command's ready tasks, and what it has given them so far."""

    def __init__(self, work: Work, definitions: Definitions, tasks: Sequence[_Ready], afresh: bool) -> None:
        self._work = work
        self._now = work.command.now
        self._apart = {
            task.id: definitions.steps_apart(
                work,
                changes.process.process_definition_id,
                changes.process.definition_version,
                task.task_definition_id,
            )
            for changes, task in tasks
        }
        process_ids = list({changes.process.id for changes, _ in tasks})
        self.roster, (worked, apart, gave_back) = lock_roster(
            work,
            {task.assigned_team or "" for _, task in tasks},
            more=(
                statement("routing", "performers", process_ids=process_ids),
                statement(
                    "routing",
                    "performers_of_steps",
                    process_ids=process_ids,
                    steps=sorted(_NOBODY.union(*self._apart.values())),
                ),
                statement("routing", "gave_back", task_ids=[] if afresh else [task.id for _, task in tasks]),
            ),
            about_to_run={
                changes.process.id for changes, _ in tasks if changes.process.status != ProcessStatus.RUNNING
            },
        )
        self._last_worked: dict[UUID, dict[str, datetime]] = {}
        for process_id, person, at in worked:
            self._last_worked.setdefault(process_id, {})[person] = at
        self._performers: dict[tuple[UUID, str], set[str]] = {}
        for process_id, step, person in apart:
            self._performers.setdefault((process_id, step), set()).add(person)
        self._gave_back: dict[UUID, set[str]] = {}
        for task_id, person in gave_back:
            self._gave_back.setdefault(task_id, set()).add(person)
        every_changes = {changes.process.id: changes for changes, _ in tasks}.values()
        self._freed = _NOBODY.union(*map(freed_people, every_changes))
        for changes in every_changes:
            self._note_what_changes(changes)
        self._rows = {one.id: columns for changes in every_changes for one, columns in changes.freed}
        self._created = {
            task.id: index for changes in every_changes for index, task in enumerate(changes.created_tasks)
        }

    def route(self, changes: Changes, task: Task | Dependant, told: Collection[UUID]) -> Choice:
        """Choose somebody for one task, and write it into the changes."""
        wanted = self._wanted(changes, task)
        team = self.roster.teams.get(wanted.team)
        if team is None:
            choice = Choice(None, (), f"there is no team {wanted.team} in the directory")
        else:
            choice = self._choose(changes, wanted, team)
        if choice.person is not None and team is not None:
            self._assign(changes, task, wanted, choice, choice.person)
            self._count(changes, wanted, team, choice.person)
            step = (changes.process.id, task.task_definition_id)
            self._performers.setdefault(step, set()).add(choice.person)
        elif team is not None and self._frees_one_of(team):
            # Somebody is free as soon as this is committed: who sees to the queue then says what is needed.
            self._work.aftermath.tasks[task.id] = team.name
        elif task.id not in told:
            _need(changes, wanted, choice)
        return choice

    def _note_what_changes(self, changes: Changes) -> None:
        """What was read is from before this command: whose work it ends worked last, and has less to do; who
        was named for what it makes ready has more."""
        for person, taken in taken_on(changes):
            self.roster.give(person, routing.wanted(taken))
        for person, task in given_up(changes):
            self.roster.relieve(person, task)
            if task.claimed_by is not None and changes.task_after(task).completed_at is not None:
                self._last_worked.setdefault(changes.process.id, {})[task.claimed_by] = changes.at

    def _choose(self, changes: Changes, wanted: Wanted, team: Team) -> Choice:
        candidates = self.roster.candidates(team)
        if wanted.method == AssignmentMethod.LAST_PERFORMER:
            last_worked = self._last_worked.get(changes.process.id, {})
            for candidate in candidates:
                candidate.last_worked_at = last_worked.get(candidate.person.user_id)
        return routing.choose(wanted, candidates, team.round_robin_position, self._now)

    def _wanted(self, changes: Changes, task: Task | Dependant) -> Wanted:
        steps = ((changes.process.id, step) for step in self._apart[task.id])
        kept_apart = _NOBODY.union(*(self._performers.get(step, ()) for step in steps))
        return routing.wanted(task, kept_apart, self._gave_back.get(task.id, frozenset()))

    def _count(self, changes: Changes, wanted: Wanted, team: Team, person: str) -> None:
        """Note what was given, before the next task is routed."""
        self.roster.give(person, wanted)
        if wanted.method == AssignmentMethod.ROUND_ROBIN:
            self.roster.turn(team, person)
        self.roster.tell_imbalance(self.roster.teams[team.name], changes)

    def _frees_one_of(self, team: Team) -> bool:
        return any(candidate.person.user_id in self._freed for candidate in self.roster.candidates(team))

    def _assign(
        self, changes: Changes, task: Task | Dependant, wanted: Wanted, choice: Choice, person: str
    ) -> None:
        columns: dict[str, Any] = {"status": TaskStatus.ASSIGNED, "assigned_to": person}
        if isinstance(task, Dependant):
            self._rows[task.id].update(columns)
        elif task.id in self._created:
            changes.created_tasks[self._created[task.id]] = task._replace(**columns)
        else:
            changes.change_task(task, **columns)
        changes.opened.append(OpenedAssignment(task.id, person, wanted.method, choice.reason))
        changes.event(
            TaskAssigned(person, wanted.method, wanted.team, choice.document),
            f"{task.task_name} assigned to {person}: {choice.reason}",
            task_id=task.id,
            old=TaskStatus.PENDING,
            new=TaskStatus.ASSIGNED,
        )


def _need(changes: Changes, wanted: Wanted, choice: Choice) -> None:
    changes.event(
        AssignmentNeeded(wanted.method, wanted.team, choice.document),
        f"{wanted.task_name} waits in the queue of {wanted.team}: {choice.reason}",
        task_id=wanted.task_id,
    )
