"""Who could take the tasks of some teams, and what they have: loaded once for all that is routed together.

Routing reads the directory's tables itself, not through the directory's contract: whom it chooses among is
locked and read in one round trip with what they have to do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gndp.core import routing
from gndp.core.changes import Changes
from gndp.core.events import WorkloadImbalance
from gndp.core.people import Person, Team
from gndp.core.records import Task
from gndp.core.routing import Candidate, Wanted, Workload
from gndp.core.states import LoadMeasure
from gndp.engine.transition import Work
from gndp.store.queries import Row, Statement, statement

_MEASURES = {LoadMeasure.TASKS: 1, LoadMeasure.PRIORITY: 2, LoadMeasure.ESTIMATED_MINUTES: 3}


class Roster:
    """Teams, their people, whoever stands in for those who are away, and what all of them have to do.

    What is given to somebody counts from then on.
    """

    def __init__(
        self, at: datetime, teams: Sequence[Row], people: Sequence[Row], workloads: Sequence[Row]
    ) -> None:
        self.teams = {team.name: team for team in map(Team._make, teams)}
        self.people = {person.user_id: person for person in map(Person._make, people)}
        self._at = at
        self._workloads = workloads
        self._candidates: dict[str, list[Candidate]] = {}
        self._changed: set[str] = set()

    def candidates(self, team: Team) -> list[Candidate]:
        """Whom the tasks of a team can go to, by id."""
        if team.name not in self._candidates:
            column = _MEASURES[LoadMeasure(team.load_measure)]
            workloads = {row[0]: Workload(row[1], float(row[column])) for row in self._workloads}
            people = list(self.people.values())
            self._candidates[team.name] = routing.candidates_of(team.name, people, workloads, self._at)
        return self._candidates[team.name]

    def stand_in(self, person: Person) -> Candidate | None:
        """Who does the work of somebody who is away; None when nobody does."""
        standing = routing.stand_in(person, self.people, self._at)
        if standing is None:
            return None
        tasks = {row[0]: row[1] for row in self._workloads}.get(standing.user_id, 0)
        return Candidate(standing, tasks, float(tasks))

    def give(self, person: str, wanted: Wanted) -> None:
        """Note that somebody has been given a task, in every team that the person is a candidate of."""
        for team in self.teams.values():
            by = routing.weight(team.load_measure, wanted.priority, wanted.estimated_minutes)
            routing.give(self.candidates(team), person, by)

    def relieve(self, person: str, task: Task) -> None:
        """Note that somebody will have one task less, in every team that the person is a candidate of."""
        for team in self.teams.values():
            by = routing.weight(team.load_measure, task.priority, task.estimated_duration_mins)
            routing.relieve(self.candidates(team), person, by)

    def turn(self, team: Team, person: str) -> None:
        """The rotation of a team has come to a person."""
        self._change(team, round_robin_position=person)

    def has_turned(self, team: Team) -> bool:
        """Whether the work of a team has become uneven, or even, and that was not noted yet."""
        return team.imbalance_limit is not None and self._is_uneven(team) != team.imbalance_told

    def tell_imbalance(self, team: Team, changes: Changes | None) -> bool:
        """Say that the work of a team has become uneven: once, until it has been even again.

        Without changes to say it in it is left unsaid. The answer is whether it was said.
        """
        is_uneven = self._is_uneven(team)
        if not self.has_turned(team) or (is_uneven and changes is None):
            return False
        self._change(team, imbalance_told=is_uneven)
        if is_uneven and changes is not None:
            candidates = self.candidates(team)
            spread = routing.spread(candidates, self._at)
            changes.event(
                WorkloadImbalance(
                    team=team.name,
                    measure=team.load_measure,
                    spread=spread,
                    limit=team.imbalance_limit or 0,
                    loads={candidate.person.user_id: candidate.load for candidate in candidates},
                ),
                f"the work of {team.name} is uneven: {spread:g} between the most and the least loaded",
            )
        return is_uneven

    def _is_uneven(self, team: Team) -> bool:
        limit = team.imbalance_limit
        return limit is not None and routing.spread(self.candidates(team), self._at) > limit

    def remember(self, work: Work) -> None:
        """Keep with the command what has changed of the teams."""
        for name in sorted(self._changed):
            work.also(statement("routing", "remember", **self.teams[name]._asdict()))

    def _change(self, team: Team, **columns: Any) -> None:
        self.teams[team.name] = self.teams[team.name]._replace(**columns)
        self._changed.add(team.name)


def read_roster(
    work: Work, teams: Collection[str], more: Sequence[Statement] = ()
) -> tuple[Roster, list[list[Row]]]:
    """The roster of some teams as it is now, unlocked, and the rows of ``more`` statements."""
    names = sorted(teams)
    found, people, workloads, *rows = work.load(
        statement("directory", "teams_by_name", names=names), *_reads(work, names, []), *more
    )
    return Roster(work.command.now, found, people, workloads), rows


def lock_roster(
    work: Work,
    teams: Collection[str],
    people: Collection[str] = (),
    more: Sequence[Statement] = (),
    about_to_run: Collection[UUID] = (),
) -> tuple[Roster, list[list[Row]]]:
    """The roster of some teams, and of some people besides, which nobody else gives anything to until this is
    committed; and the rows of ``more`` statements. The work of processes that are ``about_to_run`` counts.

    Each person is held by the team, or by the person's own row where there is none. Somebody may have gone
    away while the locks were waited for, and another now stand in: then those are locked, too.
    """
    now = work.command.now
    besides = sorted(people)
    locked = set(teams)
    while True:
        reach = {"teams": sorted(locked), "people": besides, "now": now}
        team_rows, held_rows, people_rows, workloads, *rows = work.load(
            statement("routing", "lock_teams", **reach),
            statement("routing", "lock_people", **reach),
            *_reads(work, sorted(teams), besides, about_to_run),
            *more,
        )
        found = {row[0] for row in team_rows}
        within_reach = [Person._make(row) for row in people_rows]
        missing = {person.team for person in within_reach if person.team is not None} - found
        held = {row[0] for row in held_rows}
        if not missing and all(person.team or person.user_id in held for person in within_reach):
            return Roster(now, team_rows, people_rows, workloads), rows
        locked |= missing


def _reads(
    work: Work, teams: Sequence[str], people: Sequence[str], about_to_run: Collection[UUID] = ()
) -> list[Statement]:
    reach = {"teams": teams, "people": people, "now": work.command.now}
    counted = {"unestimated": routing.UNESTIMATED_MINUTES, "about_to_run": list(about_to_run)}
    return [
        statement("routing", "people", **reach),
        statement("routing", "workloads", **counted, **reach),
    ]
