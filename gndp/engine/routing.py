"""Routing within a command: tasks that become ready by it, and want somebody, are given to somebody in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gndp.core import routing
from gndp.core.changes import Changes, OpenedAssignment
from gndp.core.events import AssignmentNeeded, TaskAssigned, WorkloadImbalance
from gndp.core.people import Person, Team
from gndp.core.records import Dependant, Task
from gndp.core.routing import Candidate, Choice, Wanted, Workload
from gndp.core.states import AssignmentMethod, LoadMeasure, ProcessStatus, TaskStatus
from gndp.engine.definitions import Definitions
from gndp.engine.transition import Work
from gndp.store.session import Row, statement

_MEASURES = {LoadMeasure.TASKS: 1, LoadMeasure.PRIORITY: 2, LoadMeasure.ESTIMATED_MINUTES: 3}


def route_ready(work: Work, changes: Changes, definitions: Definitions) -> Changes:
    """Give the tasks that these changes make ready, and whose method is not manual, to somebody.

    Nothing in a process that is not running accepts work, so there nothing is given to anybody.
    """
    if changes.process_after().status != ProcessStatus.RUNNING:
        return changes
    ready: list[Task | Dependant] = [
        dependant
        for dependant, columns in changes.freed
        if columns["open_dependencies"] == 0 and dependant.status == TaskStatus.PENDING
    ]
    ready += [task for task in changes.created_tasks if task.ready_at and task.status == TaskStatus.PENDING]
    route(work, changes, definitions, ready)
    return changes


def route(
    work: Work,
    changes: Changes,
    definitions: Definitions,
    tasks: Iterable[Task | Dependant],
    is_waiting: bool = False,
) -> list[Choice]:
    """Choose somebody for each of some ready tasks of a process, and write it into the changes.

    Tasks that are manual, or of no team, are left alone. Where nobody can be chosen the task waits in its
    team's queue, and assignment.needed says why, unless it ``is_waiting`` there already.
    """
    listed = [
        task for task in tasks if task.assignment_method != AssignmentMethod.MANUAL and task.assigned_team
    ]
    if not listed:
        return []
    router = _Router(work, changes, definitions, listed)
    choices = [router.route(task, is_waiting) for task in listed]
    for team, person in router.turns.items():
        work.also(statement("routing", "turn", team=team, person=person))
    return choices


class _Router:
    """The candidates of one command's ready tasks, and what it has given them so far."""

    def __init__(
        self, work: Work, changes: Changes, definitions: Definitions, tasks: Sequence[Task | Dependant]
    ) -> None:
        self.turns: dict[str, str] = {}
        self._changes = changes
        self._now = work.command.now
        process = changes.process
        self._apart = {
            task.task_definition_id: definitions.steps_apart(work, process, task.task_definition_id)
            for task in tasks
        }
        names = sorted({task.assigned_team or "" for task in tasks})
        team_rows, people_rows, workload_rows, performer_rows, apart_rows, gave_back_rows = work.load(
            statement("routing", "lock_teams", teams=names, now=self._now),
            statement("routing", "people", teams=names, now=self._now),
            statement(
                "routing",
                "workloads",
                teams=names,
                now=self._now,
                unestimated=routing.UNESTIMATED_MINUTES,
            ),
            statement("routing", "performers", process_id=process.id),
            statement(
                "routing",
                "performers_of_steps",
                process_id=process.id,
                steps=sorted(frozenset[str]().union(*self._apart.values())),
            ),
            statement("routing", "gave_back", process_id=process.id, task_ids=[task.id for task in tasks]),
        )
        self._teams = {team.name: team for team in map(Team._make, team_rows)}
        self._candidates = {
            name: self._load_candidates(team, people_rows, workload_rows, dict(performer_rows))
            for name, team in self._teams.items()
        }
        self._performers: dict[str, set[str]] = {}
        for step, person in apart_rows:
            self._performers.setdefault(step, set()).add(person)
        self._gave_back: dict[UUID, set[str]] = {}
        for task_id, person in gave_back_rows:
            self._gave_back.setdefault(task_id, set()).add(person)
        self._created = {task.id: index for index, task in enumerate(changes.created_tasks)}
        self._freed = {dependant.id: columns for dependant, columns in changes.freed}

    def route(self, task: Task | Dependant, is_waiting: bool) -> Choice:
        """Choose somebody for one task, and write it into the changes."""
        wanted = self._wanted(task)
        team = self._teams.get(wanted.team)
        if team is None:
            choice = Choice(None, (), f"there is no team {wanted.team} in the directory")
        else:
            position = self.turns.get(team.name, team.round_robin_position)
            choice = routing.choose(wanted, self._candidates[team.name], position, self._now)
        if choice.person is None:
            if not is_waiting:
                self._need(wanted, choice)
        elif team is not None:
            self._assign(task, wanted, choice, choice.person)
            self._count(team, wanted, choice.person)
            self._performers.setdefault(task.task_definition_id, set()).add(choice.person)
        return choice

    def _load_candidates(
        self,
        team: Team,
        people_rows: Sequence[Row],
        workload_rows: Sequence[Row],
        last_worked: dict[str, datetime],
    ) -> list[Candidate]:
        column = _MEASURES[LoadMeasure(team.load_measure)]
        workloads = {row[0]: Workload(row[1], float(row[column])) for row in workload_rows}
        people = [Person._make(row) for row in people_rows]
        candidates = routing.candidates_of(team.name, people, workloads, self._now)
        for candidate in candidates:
            candidate.last_worked_at = last_worked.get(candidate.person.user_id)
        return candidates

    def _wanted(self, task: Task | Dependant) -> Wanted:
        apart = self._apart[task.task_definition_id]
        return Wanted(
            task.id,
            task.task_name,
            task.assignment_method,
            task.assigned_team or "",
            task.required_skills,
            task.priority,
            task.estimated_duration_mins,
            frozenset[str]().union(*(self._performers.get(step, ()) for step in apart)),
            self._gave_back.get(task.id, frozenset()),
        )

    def _count(self, team: Team, wanted: Wanted, person: str) -> None:
        """Note what was given, before the next task is routed; tell when the team has become uneven."""
        candidates = self._candidates[team.name]
        before = routing.spread(candidates, self._now)
        by = routing.weight(team.load_measure, wanted.priority, wanted.estimated_minutes)
        routing.give(candidates, person, by)
        after = routing.spread(candidates, self._now)
        if wanted.method == AssignmentMethod.ROUND_ROBIN:
            self.turns[team.name] = person
        if team.imbalance_limit is not None and before <= team.imbalance_limit < after:
            self._changes.event(
                WorkloadImbalance(
                    team=team.name,
                    measure=team.load_measure,
                    spread=after,
                    limit=team.imbalance_limit,
                    loads={candidate.person.user_id: candidate.load for candidate in candidates},
                ),
                f"the work of {team.name} is uneven: {after:g} between the most and the least loaded",
            )

    def _assign(self, task: Task | Dependant, wanted: Wanted, choice: Choice, person: str) -> None:
        columns: dict[str, Any] = {"status": TaskStatus.ASSIGNED, "assigned_to": person}
        changes = self._changes
        if isinstance(task, Dependant):
            self._freed[task.id].update(columns)
        elif task.id in self._created:
            index = self._created[task.id]
            changes.created_tasks[index] = changes.created_tasks[index]._replace(**columns)
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

    def _need(self, wanted: Wanted, choice: Choice) -> None:
        self._changes.event(
            AssignmentNeeded(wanted.method, wanted.team, choice.document),
            f"{wanted.task_name} waits in the queue of {wanted.team}: {choice.reason}",
            task_id=wanted.task_id,
        )
