"""Tasks whose people will not do them now: they go to a substitute, or back to where others take them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from uuid import UUID

from pydantic import TypeAdapter

from gndp.core import tasks
from gndp.core.changes import Changes, Command
from gndp.core.errors import NotFound
from gndp.core.people import Person
from gndp.core.records import Task
from gndp.core.routing import Wanted, wanted, why_not
from gndp.core.states import ProcessStatus, TaskStatus
from gndp.core.tasks import TaskState
from gndp.engine.definitions import Definitions
from gndp.engine.roster import Roster, lock_roster
from gndp.engine.task_state import load_state
from gndp.engine.transition import Call, Transitions, Work
from gndp.store.queries import statement

_PAGE = 1_000
_OUTCOME: TypeAdapter[str] = TypeAdapter(str)

HANDED_OVER = "handed over"
RETURNED = "returned"


class Absences:
    """Finds the tasks of people who are away or not active, and sees to each in a transaction of its own."""

    def __init__(self, transitions: Transitions, definitions: Definitions) -> None:
        self._transitions = transitions
        self._definitions = definitions

    def left_behind(self) -> Iterator[UUID]:
        """The ready tasks of people who are away and have not begun them, and of people who are not active,
        by id."""
        after = UUID(int=0)
        while True:
            (rows,) = self._transitions.read(
                statement("routing", "left_behind", now=self._transitions.now(), after_id=after)
            )
            yield from (task_id for (task_id,) in rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def see_to(self, task_id: UUID) -> str:
        """Hand a task over to whoever stands in, if that person can take it; else return it to where anybody
        may take it, or routing finds somebody.

        The answer is `HANDED_OVER`, `RETURNED`, or why the task stays where it is.
        """
        call = Call("tasks.stand_in", "system", {}, automated=True)
        return self._transitions.execute(call, partial(self._decide, task_id), _OUTCOME)

    def _decide(self, task_id: UUID, work: Work) -> str:
        try:
            state = load_state(work, task_id, lock="lock_of_task_unless_held")
        except NotFound:
            return work.finish("another command holds its process")
        person = state.task.assigned_to
        if state.process.status != ProcessStatus.RUNNING or person is None:
            return work.finish("nobody has it any more")
        _, gave_back = work.load(
            statement("routing", "hurry"), statement("routing", "gave_back", task_ids=[task_id])
        )
        roster, _ = lock_roster(work, [], [person])
        absent = roster.people.get(person)
        reason = None if absent is None else _why_gone(absent, state.task, work.command.now)
        if absent is None or reason is None:
            return work.finish(f"{person} does it")
        kept_apart = self._definitions.kept_apart(work, state.process, state.task)
        task = wanted(state.task, kept_apart, {who for _, who in gave_back})
        outcome, changes = _seen_to(state, work.command, roster, absent, task, reason)
        return work.finish(outcome, *map(work.settle, changes))


def _why_gone(person: Person, task: Task, at: datetime) -> str | None:
    if not person.active:
        return f"{person.user_id} is not active"
    if person.is_out_of_office(at) and task.status == TaskStatus.ASSIGNED:
        return f"{person.user_id} is out of office"
    return None


def _seen_to(
    state: TaskState, command: Command, roster: Roster, absent: Person, task: Wanted, reason: str
) -> tuple[str, list[Changes]]:
    """What is to become of a task, and the changes that make it so."""
    if not absent.active:
        return RETURNED, [tasks.release(state, command, reason)]
    stands_in = roster.stand_in(absent)
    against = "nobody stands in" if stands_in is None else why_not(stands_in, task, command.now)
    if stands_in is not None and against is None:
        return HANDED_OVER, [tasks.reassign(state, command, stands_in.person.user_id, reason)]
    if state.task.assigned_team is None:
        return f"{reason}: {against}", []
    return RETURNED, [tasks.release(state, command, reason)]
