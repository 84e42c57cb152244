"""Who has how much to do, by person and by team, and what giving a task to somebody else would change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gndp.core.errors import GndpError
from gndp.core.states import Role

if TYPE_CHECKING:
    from gndp.core.people import Person
    from gndp.core.records import MyTask, Reassignment, Workload
    from gndp.workbench import Workbench

BUSY_FROM = 0.8
"""The part of the capacity from which on somebody is busy; beyond all of it, overloaded."""

_DOES_NO_TASKS = (Role.VIEWER, Role.SERVICE)


class Load(NamedTuple):
    """How many tasks somebody has of how many; ``capacity`` None has no limit."""

    active: int
    capacity: int | None

    @property
    def percent(self) -> float:
        """The part of the capacity in percent; without a limit there is none of it used."""
        if self.capacity is None:
            return 0.0
        return 100 * self.active / self.capacity if self.capacity else 100.0 * bool(self.active)

    @property
    def level(self) -> str:
        """available, busy or overloaded."""
        if self.percent > 100:
            return "overloaded"
        return "busy" if self.percent >= 100 * BUSY_FROM else "available"

    @property
    def text(self) -> str:
        """In words: ``4 of 5, busy``."""
        if self.capacity is None:
            return f"{self.active}, no limit"
        return f"{self.active} of {self.capacity}, {self.level}"

    @property
    def bar(self) -> dict[str, Any]:
        """As the cell of a table that shows progress."""
        return {"percent": self.percent, "text": self.text, "level": self.level}


class PersonLoad(NamedTuple):
    """What one person has; ``is_away`` while out of office."""

    user_id: str
    name: str
    team: str | None
    is_away: bool
    active: int
    in_progress: int
    at_risk: int
    breached: int
    load: Load


class TeamLoad(NamedTuple):
    """What the people of a team have together; ``team`` None for those in none."""

    team: str | None
    people: int
    active: int
    in_progress: int
    at_risk: int
    breached: int
    load: Load


SORTS: dict[str, Callable[[PersonLoad], tuple[float | str, ...]]] = {
    "load": lambda one: (one.load.percent, one.active),
    "name": lambda one: (one.name.lower(),),
    "team": lambda one: (one.team or "",),
    "active": lambda one: (one.active,),
    "in_progress": lambda one: (one.in_progress,),
    "at_risk": lambda one: (one.at_risk,),
    "breached": lambda one: (one.breached,),
}
"""What the people may be sorted by."""


@dataclass
class WorkloadStore:
    """The work of everybody, for one browser session.

    ``team`` narrows the people, ``sort`` is one of ``SORTS`` with ``-`` from the largest. ``problem`` says in
    words why the last refresh failed; what the one before had read then stays.
    """

    workbench: Callable[[], Workbench]
    team: str | None = None
    sort: str = "-load"
    everybody: list[PersonLoad] = field(default_factory=list)
    problem: str | None = None

    def refresh(self) -> None:
        """Read everything anew."""
        try:
            workbench = self.workbench()
            found = {workload.assigned_to: workload for workload in workbench.tasks.workload()}
            people = {person.user_id: person for person in workbench.directory.people()}
            now = workbench.clock()
            listed = [
                person
                for person in people.values()
                if person.user_id in found or (person.active and person.role not in _DOES_NO_TASKS)
            ]
            self.everybody = [
                _load(person.user_id, person, person.is_out_of_office(now), found.get(person.user_id))
                for person in listed
            ]
            self.everybody += [_load(id, None, False, found[id]) for id in found if id not in people]
            self.problem = None
        except GndpError as error:
            self.problem = str(error)

    @property
    def people(self) -> list[PersonLoad]:
        """The people of the chosen team, or all of them, sorted."""
        shown = [one for one in self.everybody if self.team is None or one.team == self.team]
        by = SORTS.get(self.sort.removeprefix("-"), SORTS["load"])
        by_id = sorted(shown, key=lambda one: one.user_id)
        return sorted(by_id, key=by, reverse=self.sort.startswith("-"))

    @property
    def teams(self) -> list[TeamLoad]:
        """The totals of every team, by name; those in none last."""
        names = sorted({one.team for one in self.everybody}, key=lambda team: (team is None, team or ""))
        return [_total(name, [one for one in self.everybody if one.team == name]) for name in names]

    def tasks_of(self, user_id: str) -> list[MyTask]:
        """What somebody has that the person in front of the page may see; raises GndpError."""
        return self.workbench().tasks.mine(user_id, limit=200)

    def preview(self, task: MyTask, new_assignee: str) -> Reassignment:
        """What giving the task to somebody else would change; raises GndpError."""
        return self.workbench().tasks.preview_reassignment(task.task.id, new_assignee=new_assignee)

    def may_reassign(self, task: MyTask) -> bool:
        """Whether the person in front of the page may give the task to somebody else."""
        workbench = self.workbench()
        if workbench.may("tasks.reassign"):
            return True
        try:
            process = workbench.processes.get(task.task.process_instance_id)
        except GndpError:
            return False
        return workbench.may("tasks.reassign", process, task.task)


def _load(user_id: str, person: Person | None, is_away: bool, workload: Workload | None) -> PersonLoad:
    counts = (0, 0, 0, 0) if workload is None else workload[1:]
    return PersonLoad(
        user_id,
        person.name if person else user_id,
        person.team if person else None,
        is_away,
        *counts,
        Load(counts[0], person.capacity if person else None),
    )


def _total(team: str | None, people: Sequence[PersonLoad]) -> TeamLoad:
    active = sum(one.active for one in people)
    return TeamLoad(
        team,
        len(people),
        active,
        sum(one.in_progress for one in people),
        sum(one.at_risk for one in people),
        sum(one.breached for one in people),
        Load(active, _capacity(one.load for one in people)),
    )


def _capacity(loads: Iterable[Load]) -> int | None:
    """What people can take together; None if one of them has no limit."""
    capacities = [load.capacity for load in loads]
    return None if None in capacities else sum(capacity or 0 for capacity in capacities)
