"""The queues of the teams: tasks that nobody could take when they became ready are given out later.

They go out in transactions of their own, after the one that freed somebody. The queue is gone through first,
without a lock, so only tasks that somebody can take cost a lock, wherever they stand in it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import InstanceOf, TypeAdapter

from gndp.core.changes import Changes
from gndp.core.errors import Conflict, DatabaseUnavailable, GndpError, Refusal
from gndp.core.people import new_team
from gndp.core.queues import Aftermath, QueuePlan
from gndp.core.records import SlaClock, Task
from gndp.core.routing import Wanted
from gndp.engine.definitions import Definitions
from gndp.engine.roster import read_roster
from gndp.engine.routing import route
from gndp.engine.transition import Call, Transitions, Work
from gndp.store.queries import Row, statement

_GIVEN_AT_ONCE = 25
"""How many tasks of a queue one command gives out; the job gives the others."""

_NAMED = 20
"""How many reasons, and how many failures, a report names."""

_BATCH = 100
"""How many tasks a transaction gives out."""

_FIRST_PAGE = 100
_PAGE = 1_000
_TASK_WIDTH = len(Task._fields)
_PROCESS_OF_TASK = Task._fields.index("process_instance_id")
_PROCESS_OF_CLOCK = 1 + SlaClock._fields.index("process_instance_id")
_NOBODY: frozenset[str] = frozenset()
_HEAD = (-5, datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
_STAYED_LOCKED = "55P03"
_REASONS: TypeAdapter[dict[UUID, str | None]] = TypeAdapter(dict[UUID, str | None])
_PLAN: TypeAdapter[QueuePlan] = TypeAdapter(InstanceOf[QueuePlan])
_log = logging.getLogger(__name__)


class _Queued(NamedTuple):
    """A task that waits in a queue, with what says who must not have it; the last two are its place."""

    task_id: UUID
    task_name: str
    method: str
    required_skills: dict[str, int]
    priority: str
    estimated_minutes: int | None
    step: str
    process_id: UUID
    definition_id: str
    definition_version: int | None
    urgency: int
    ready_at: datetime


class GivenOut(NamedTuple):
    """What became of a team's queue: which tasks somebody has now, how many were left for which reason, and
    which could not be looked at, with the error."""

    tasks: list[UUID]
    left: Counter[str]
    failed: dict[UUID, str]

    @property
    def reasons(self) -> dict[str, int]:
        """Why tasks were left, the most frequent reasons first."""
        named = dict(self.left.most_common(_NAMED))
        others = self.left.total() - sum(named.values())
        return {**named, "other reasons": others} if others else named


class Waiting:
    """Gives out the tasks that wait in the teams' queues."""

    def __init__(self, transitions: Transitions, definitions: Definitions) -> None:
        self._transitions = transitions
        self._definitions = definitions
        self._call = Call("tasks.route", "system", {}, automated=True)

    def give_out_all(self, should_stop: Callable[[], bool]) -> dict[str, Any]:
        """Give out what waits in every team's queue, and say of what came into a queue unsaid that it needs
        somebody; the answer is what a job reports."""
        (rows,) = self._transitions.read(statement("routing", "waiting_teams"))
        given: dict[str, int] = {}
        left: dict[str, dict[str, int]] = {}
        failed: dict[UUID, str] = {}
        for (team,) in rows:
            if should_stop():
                break
            outcome = self.give_out(team, should_stop)
            given[team] = len(outcome.tasks)
            left[team] = outcome.reasons
            failed |= outcome.failed
        failed |= self._tell_untold(should_stop)
        named = {str(task_id): why for task_id, why in list(failed.items())[:_NAMED]}
        return {"given": given, "left": left, "failures": len(failed), "failed": named}

    def give_out(
        self, team: str, should_stop: Callable[[], bool] = lambda: False, most: int | None = None
    ) -> GivenOut:
        """Give the waiting tasks of a team to whoever is free: the most urgent first, of those the oldest.

        With ``most`` it gives no more than those, and stops when nobody of the team is free any more. Without
        it goes through the whole queue, and so can say why the rest is left.
        """
        plan = self._transitions.execute(self._call, partial(self._plan, team, most), _PLAN)
        outcome = GivenOut([], Counter(plan.left), dict(plan.failed))
        for batch in _batches(plan.given[:most]):
            if should_stop() or not self._give_out_batch(batch, outcome):
                break
        return outcome

    def use_freed_capacity(self, aftermath: Aftermath) -> None:
        """After a commit: give out what waits for whoever is free by it, and say what needs somebody."""
        given: set[UUID] = set()
        teams = {*aftermath.teams, *aftermath.tasks.values(), *self._queues_of(aftermath.people)}
        for team in sorted(teams):
            given.update(self.give_out(team, most=_GIVEN_AT_ONCE).tasks)
        for batch in _batches([task_id for task_id in aftermath.tasks if task_id not in given]):
            self._give_out(batch)

    def _queues_of(self, people: Collection[str]) -> list[str]:
        if not people:
            return []
        (rows,) = self._transitions.read(
            statement(
                "routing",
                "queues_of_people",
                people=orjson.dumps(sorted(people)).decode(),
                now=self._transitions.now(),
            )
        )
        return [team for (team,) in rows]

    def _tell_untold(self, should_stop: Callable[[], bool]) -> dict[UUID, str]:
        outcome = GivenOut([], Counter(), {})
        (rows,) = self._transitions.read(statement("routing", "untold"))
        for batch in _batches([task_id for (task_id,) in rows]):
            if should_stop():
                break
            self._give_out_batch(batch, outcome)
        return outcome.failed

    def _give_out_batch(self, task_ids: Sequence[UUID], outcome: GivenOut) -> bool:
        """Note what became of some tasks; where all together fail, each is tried alone.

        False when the team stayed locked: then others of it would wait in vain, too.
        """
        try:
            reasons = self._give_out(task_ids)
        except DatabaseUnavailable:
            raise
        except GndpError as error:
            stayed_locked = isinstance(error, Conflict) and error.details.get("sqlstate") == _STAYED_LOCKED
            if len(task_ids) > 1 and not stayed_locked:
                for task_id in task_ids:
                    self._give_out_batch([task_id], outcome)
                return True
            outcome.failed.update(dict.fromkeys(task_ids, str(error)))
            return not stayed_locked
        outcome.tasks.extend(task_id for task_id in task_ids if reasons[task_id] is None)
        outcome.left.update(reason for reason in reasons.values() if reason is not None)
        return True

    def _plan(self, name: str, most: int | None, work: Work) -> QueuePlan:
        roster, _ = read_roster(work, [name])
        team = roster.teams.get(name, new_team(name, {}, work.command.now))
        plan = QueuePlan(team, roster.candidates(team), work.command.now)

        def is_enough() -> bool:
            return most is not None and (not plan.is_anybody_free or len(plan.given) >= most)

        place, most_rows = _HEAD, _FIRST_PAGE
        while not is_enough():
            page = self._page(work, name, *place, most_rows)
            for wanted in self._wanted(work, name, page, plan):
                if is_enough():
                    break
                plan.consider(wanted)
            if len(page) < most_rows:
                break
            most_rows = _PAGE
            place = (page[-1].urgency, page[-1].ready_at, page[-1].task_id)
        return work.finish(plan)

    def _page(
        self, work: Work, team: str, urgency: int, ready_at: datetime, task_id: UUID, most: int
    ) -> list[_Queued]:
        place = {"after_urgency": urgency, "after_ready": ready_at, "after_id": task_id}
        (rows,) = work.load(statement("routing", "queue", team=team, most=most, **place))
        return [_Queued._make(row) for row in rows]

    def _wanted(self, work: Work, team: str, page: Sequence[_Queued], plan: QueuePlan) -> list[Wanted]:
        apart = self._steps_apart(work, page, plan)
        keeping = [queued for queued in page if apart.get(queued.task_id)]
        done_rows, gave_back_rows = work.load(
            statement(
                "routing",
                "performers_of_steps",
                process_ids=list({queued.process_id for queued in keeping}),
                steps=sorted(_NOBODY.union(*apart.values())),
            ),
            statement("routing", "gave_back", task_ids=[queued.task_id for queued in page]),
        )
        done = _grouped(((process_id, step), person) for process_id, step, person in done_rows)
        gave_back = _grouped(gave_back_rows)
        return [
            Wanted(
                queued.task_id,
                queued.task_name,
                queued.method,
                team,
                queued.required_skills,
                queued.priority,
                queued.estimated_minutes,
                _NOBODY.union(*(done.get((queued.process_id, step), ()) for step in apart[queued.task_id])),
                gave_back.get(queued.task_id, frozenset()),
            )
            for queued in page
            if queued.task_id in apart
        ]

    def _steps_apart(
        self, work: Work, page: Sequence[_Queued], plan: QueuePlan
    ) -> dict[UUID, frozenset[str]]:
        """The steps that each task must be kept apart from, but of those whose definition cannot be read."""
        apart: dict[UUID, frozenset[str]] = {}
        for queued in page:
            try:
                apart[queued.task_id] = self._definitions.steps_apart(
                    work, queued.definition_id, queued.definition_version, queued.step
                )
            except Refusal as error:
                plan.failed[queued.task_id] = str(error)
        return apart

    def _give_out(self, task_ids: Sequence[UUID]) -> dict[UUID, str | None]:
        """Give some tasks to whoever can have them: for each why nobody can, None when somebody has it."""
        return self._transitions.execute(self._call, partial(self._decide, task_ids), _REASONS)

    def _decide(self, task_ids: Sequence[UUID], work: Work) -> dict[UUID, str | None]:
        _, process_rows, task_rows, clock_rows = work.load(
            statement("routing", "hurry"),
            statement("routing", "lock_processes", task_ids=task_ids),
            statement("routing", "waiting", task_ids=task_ids),
            statement("routing", "clocks", task_ids=task_ids),
        )
        begun = _begin(work, process_rows, task_rows, clock_rows)
        waiting = {row[0]: Task._make(row[:_TASK_WIDTH]) for row in task_rows}
        listed = [waiting[task_id] for task_id in task_ids if task_id in waiting]
        ready = [
            (begun[task.process_instance_id], task) for task in listed if task.process_instance_id in begun
        ]
        choices = route(work, self._definitions, ready, told={row[0] for row in task_rows if row[-1]})
        reasons: dict[UUID, str | None] = dict.fromkeys(task_ids, "it does not wait any more")
        reasons |= dict.fromkeys(waiting, "another command holds its process")
        for (_, task), choice in zip(ready, choices, strict=True):
            reasons[task.id] = None if choice.person else choice.reason
        return work.finish(reasons, *[work.settle(changes) for changes in begun.values() if changes.events])


def _begin(
    work: Work, process_rows: Sequence[Row], task_rows: Sequence[Row], clock_rows: Sequence[Row]
) -> dict[UUID, Changes]:
    """The changes of the processes that could be locked, by id."""
    last_event_at = {row[_PROCESS_OF_TASK]: row[_TASK_WIDTH] for row in task_rows}
    no_clock = (*clock_rows[0][:1], None)
    begun: dict[UUID, Changes] = {}
    for row in process_rows:
        process = work.locked_process([row], row[1])
        clocks = [clock for clock in clock_rows if clock[_PROCESS_OF_CLOCK] == process.id]
        work.take_clocks(clocks or [no_clock], process)
        if process.id in last_event_at:
            begun[process.id] = Changes.begin(process, work.command, last_event_at[process.id])
    return begun


def _batches(task_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(task_ids), _BATCH):
        yield task_ids[start : start + _BATCH]


def _grouped(pairs: Iterable[tuple[Any, str]]) -> dict[Any, set[str]]:
    found: dict[Any, set[str]] = {}
    for key, person in pairs:
        found.setdefault(key, set()).add(person)
    return found
