"""Who gets a task: pure strategies over the candidates of a team and what they have to do.

Every choice says whom it considered, with a score (the lowest wins), and why the rest were left out. Only
ready and in-progress work counts as load; nobody is given more than their capacity. Sources: the contract's
assignment methods; for the last performer, the pattern "Retain Familiar" of Russell, van der Aalst, ter
Hofstede and Edmond, "Workflow Resource Patterns" (CAiSE 2005).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gndp.core.people import Person
from gndp.core.records import Dependant, Task
from gndp.core.states import AssignmentMethod, LoadMeasure, Priority, Role

UNESTIMATED_MINUTES = 60
"""What a task without an estimate counts, where load is measured in estimated minutes."""

LISTED = 10
"""How many of the best, and how many of those who were left out, an event names; the rest it counts."""

_DOES_NO_TASKS = {
    Role.VIEWER: "is a viewer, who does no tasks",
    Role.SERVICE: "is a service account, which takes tasks itself",
}


class Wanted(NamedTuple):
    """A ready task that wants a person; ``method`` is not manual."""

    task_id: UUID
    task_name: str
    method: str
    team: str
    required_skills: Mapping[str, int]
    priority: str
    estimated_minutes: int | None
    kept_apart: Collection[str] = frozenset()
    gave_back: Collection[str] = frozenset()


def wanted(
    task: Task | Dependant, kept_apart: Collection[str] = (), gave_back: Collection[str] = ()
) -> Wanted:
    """What a task asks of its person."""
    return Wanted(
        task.id,
        task.task_name,
        task.assignment_method,
        task.assigned_team or "",
        task.required_skills,
        task.priority,
        task.estimated_duration_mins,
        kept_apart,
        gave_back,
    )


class Workload(NamedTuple):
    """What somebody has: how many ready or in-progress tasks, and how much that is in the team's measure."""

    tasks: int
    load: float


@dataclass(slots=True)
class Candidate:
    """Somebody of the team, or who stands in for one of it, with what they have to do.

    ``last_worked_at`` is when they last had a task of the process that is routed, if they ever had.
    """

    person: Person
    tasks: int = 0
    load: float = 0.0
    stands_in_for: str | None = None
    last_worked_at: datetime | None = None


class Considered(NamedTuple):
    """One candidate in a choice: a score and how it came about, or why they were left out."""

    user_id: str
    score: float | None
    reason: str


class Choice(NamedTuple):
    """Who was chosen, None when nobody could be, and everybody who was considered, the best first."""

    person: str | None
    considered: tuple[Considered, ...]
    reason: str

    @property
    def document(self) -> dict[str, Any]:
        """The choice as JSON values, as events keep it: of a large team only the first (`LISTED`)."""
        able = [considered for considered in self.considered if considered.score is not None]
        listed = [*able[:LISTED], *self.considered[len(able) :][:LISTED]]
        return {
            "chosen": self.person,
            "reason": self.reason,
            "considered": [considered._asdict() for considered in listed],
            "unlisted": len(self.considered) - len(listed),
        }


def weight(measure: str, priority: str, estimated_minutes: int | None) -> float:
    """How much one task counts in a team's measure of load."""
    match measure:
        case LoadMeasure.PRIORITY:
            return float(Priority(priority).rank)
        case LoadMeasure.ESTIMATED_MINUTES:
            return float(UNESTIMATED_MINUTES if estimated_minutes is None else estimated_minutes)
        case _:
            return 1.0


def stand_in(person: Person, known: Mapping[str, Person], at: datetime) -> Person | None:
    """Who does somebody's work at an instant: the person, or whoever stands in while the person is away.

    Whoever stands in may be away too: then their own substitute stands in, and so on. None when nobody does.
    """
    seen = {person.user_id}
    standing: Person | None = person
    while standing is not None and standing.is_out_of_office(at) and standing.substitute not in seen:
        standing = known.get(standing.substitute or "")
        if standing is not None:
            seen.add(standing.user_id)
    return standing


def candidates_of(
    team: str, people: Sequence[Person], workloads: Mapping[str, Workload], at: datetime
) -> list[Candidate]:
    """The team's people, and those who stand in for its people who are away, by id."""
    known = {person.user_id: person for person in people}
    members = [person for person in people if person.team == team]
    found = {person.user_id: _candidate(person, workloads) for person in members}
    for person in members:
        standing = stand_in(person, known, at)
        if standing is not None and standing.user_id not in found:
            found[standing.user_id] = _candidate(standing, workloads)
            found[standing.user_id].stands_in_for = person.user_id
    return [found[user_id] for user_id in sorted(found)]


def choose(wanted: Wanted, candidates: Sequence[Candidate], position: str | None, at: datetime) -> Choice:
    """Choose somebody for a task by its method.

    ``position`` is the person whom the team's rotation gave a task last. Round robin takes the next by id;
    load balanced the least load for their capacity; skill based whoever's skills exceed the required ones
    least, then the least loaded; last performer whoever had a task of this process last, else the least
    loaded.
    """
    left_out = {c.person.user_id: reason for c in candidates if (reason := why_not(c, wanted, at))}
    able = [c for c in candidates if c.person.user_id not in left_out]
    unit_capacity = _unit_capacity(candidates)
    scored = sorted(_scored(wanted, able, position, unit_capacity), key=lambda one: (one.score, one.user_id))
    considered = (*scored, *(Considered(user_id, None, reason) for user_id, reason in left_out.items()))
    if scored:
        return Choice(scored[0].user_id, considered, scored[0].reason)
    return Choice(None, considered, _why_nobody(wanted, candidates, left_out))


def give(candidates: Sequence[Candidate], user_id: str, by: float) -> None:
    """Note that somebody has been given a task, before the next one is routed."""
    for candidate in candidates:
        if candidate.person.user_id == user_id:
            candidate.tasks += 1
            candidate.load += by


def relieve(candidates: Sequence[Candidate], user_id: str, by: float) -> None:
    """Note that somebody will have less to do once a command is written.

    It makes no room yet: that goes to the most urgent task of the queue, when the command is committed.
    """
    for candidate in candidates:
        if candidate.person.user_id == user_id:
            candidate.load -= by


def spread(candidates: Sequence[Candidate], at: datetime) -> float:
    """How much more the most loaded of those at work has than the least loaded, in the team's measure."""
    loads = [c.load for c in candidates if _why_absent(c.person, at) is None]
    return max(loads) - min(loads) if loads else 0.0


def is_free(candidate: Candidate, at: datetime) -> bool:
    """Whether somebody could take any task at all."""
    return _why_not_free(candidate, at) is None


def why_not(candidate: Candidate, wanted: Wanted, at: datetime) -> str | None:
    """Why somebody cannot be given a task; None when nothing stands against it."""
    unfree = _why_not_free(candidate, at)
    if unfree is not None:
        return unfree
    person = candidate.person
    if person.user_id in wanted.kept_apart:
        return "did a step that this one must be kept apart from"
    if person.user_id in wanted.gave_back:
        return "gave it back"
    lacking = [
        f"{skill} {level} (has {person.skills.get(skill, 0)})"
        for skill, level in sorted(wanted.required_skills.items())
        if person.skills.get(skill, 0) < level
    ]
    return f"lacks {', '.join(lacking)}" if lacking else None


def _candidate(person: Person, workloads: Mapping[str, Workload]) -> Candidate:
    workload = workloads.get(person.user_id, Workload(0, 0.0))
    return Candidate(person, workload.tasks, workload.load)


def _why_absent(person: Person, at: datetime) -> str | None:
    if not person.active:
        return "is not active"
    if person.role in _DOES_NO_TASKS:
        return _DOES_NO_TASKS[Role(person.role)]
    if person.is_out_of_office(at):
        return f"is out of office until {person.out_of_office_until:%Y-%m-%d %H:%M} UTC"
    return None


def _why_not_free(candidate: Candidate, at: datetime) -> str | None:
    absent = _why_absent(candidate.person, at)
    if absent is not None:
        return absent
    capacity = candidate.person.capacity
    if capacity is not None and candidate.tasks >= capacity:
        return f"has {candidate.tasks} of at most {capacity} tasks"
    return None


def _unit_capacity(candidates: Sequence[Candidate]) -> int:
    """What the load of somebody without a limit is divided by: the largest capacity of the others."""
    return max((c.person.capacity for c in candidates if c.person.capacity is not None), default=1)


def _scored(
    wanted: Wanted, able: Sequence[Candidate], position: str | None, unit_capacity: int
) -> Iterator[Considered]:
    if wanted.method == AssignmentMethod.ROUND_ROBIN:
        yield from _in_turn(able, position)
        return
    familiar = _familiarity(able)
    for candidate in able:
        relative = candidate.load / (candidate.person.capacity or unit_capacity)
        said = f"load {candidate.load:g}, {relative:.2f} for their capacity" + _standing_in(candidate)
        user_id = candidate.person.user_id
        if wanted.method == AssignmentMethod.SKILL_BASED:
            surplus = sum(
                candidate.person.skills[skill] - level for skill, level in wanted.required_skills.items()
            )
            # A load of any size counts less than one level of a skill.
            yield Considered(
                user_id, surplus + relative / (1 + relative), f"skills exceed by {surplus}, {said}"
            )
        elif wanted.method == AssignmentMethod.LAST_PERFORMER and familiar:
            rank = familiar.get(user_id, len(familiar))
            had = "had a task of this process last" if rank == 0 else said
            yield Considered(user_id, rank + relative / (1 + relative), had)
        else:
            yield Considered(user_id, relative, said)


def _familiarity(able: Sequence[Candidate]) -> dict[str, int]:
    """Those who have worked on the process, each with a rank: 0 for whoever did last."""
    worked = [(c.last_worked_at, c.person.user_id) for c in able if c.last_worked_at is not None]
    latest_first = sorted(worked, key=lambda one: one[0], reverse=True)
    return {user_id: rank for rank, (_, user_id) in enumerate(latest_first)}


def _in_turn(able: Sequence[Candidate], position: str | None) -> Iterator[Considered]:
    """The next by id after the position comes first; then around."""
    in_turn = sorted(
        able, key=lambda c: (position is not None and c.person.user_id <= position, c.person.user_id)
    )
    for turn, candidate in enumerate(in_turn, 1):
        said = "is next in turn" if turn == 1 else f"is number {turn} in turn"
        yield Considered(candidate.person.user_id, float(turn), said + _standing_in(candidate))


def _standing_in(candidate: Candidate) -> str:
    return f", stands in for {candidate.stands_in_for}" if candidate.stands_in_for else ""


def _why_nobody(wanted: Wanted, candidates: Sequence[Candidate], left_out: Mapping[str, str]) -> str:
    if not candidates:
        return f"there is nobody in the team {wanted.team}"
    unknown = [
        f"{skill} {level}"
        for skill, level in sorted(wanted.required_skills.items())
        if all(c.person.skills.get(skill, 0) < level for c in candidates)
    ]
    if unknown:
        return f"nobody in the team {wanted.team} has {', '.join(unknown)}"
    return f"nobody of {len(left_out)} in the team {wanted.team} can take it now"
