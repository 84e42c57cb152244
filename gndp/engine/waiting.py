"""The queues of the teams: tasks that nobody could take when they became ready are given out later.

Each goes out in a transaction of its own, after the one that freed somebody.
"""

from __future__ import annotations

import logging
from functools import partial
from uuid import UUID

from pydantic import TypeAdapter

from gndp.core.changes import Changes
from gndp.core.errors import GndpError
from gndp.core.records import Task
from gndp.core.states import AssignmentMethod, ProcessStatus, TaskStatus
from gndp.engine.definitions import Definitions
from gndp.engine.routing import route
from gndp.engine.tasks import load_state
from gndp.engine.transition import Call, Transitions, Work
from gndp.store.session import statement

_TRIED_AT_ONCE = 10
"""How far into a queue one command looks for a task that those whom it freed can take."""

_GIVEN: TypeAdapter[bool | None] = TypeAdapter(bool | None)
_log = logging.getLogger(__name__)


class Waiting:
    """Gives out the tasks that wait in the teams' queues."""

    def __init__(self, transitions: Transitions, definitions: Definitions) -> None:
        self._transitions = transitions
        self._definitions = definitions

    def give_out(self, team: str, most: int = 1_000) -> int:
        """Give the waiting tasks of a team to whoever is free: the most urgent first, of those the oldest.

        Looks at ``most`` tasks, and stops when nobody of the team is free. The answer is how many were given.
        """
        (rows,) = self._transitions.read(statement("routing", "waiting", team=team, most=most))
        given = 0
        for (task_id,) in rows:
            outcome = self._give_out_one(task_id)
            if outcome is None:
                break
            given += outcome
        return given

    def give_out_all(self) -> dict[str, int]:
        """Give out what waits in every team's queue; the answer is how many were given, by team."""
        (rows,) = self._transitions.read(statement("routing", "waiting_teams"))
        return {team: self.give_out(team) for (team,) in rows}

    def use_freed_capacity(self, teams: set[str]) -> None:
        """After a command that freed somebody; what fails here is left to the job that gives out all."""
        for team in sorted(teams):
            try:
                self.give_out(team, _TRIED_AT_ONCE)
            except GndpError:
                _log.warning("the queue of %s is left to the next round", team, exc_info=True)

    def _give_out_one(self, task_id: UUID) -> bool | None:
        """Whether the task was given to somebody; None when nobody of its team is free at all."""
        call = Call("tasks.route", "system", {}, automated=True)
        return self._transitions.execute(call, partial(self._decide, task_id), _GIVEN)

    def _decide(self, task_id: UUID, work: Work) -> bool | None:
        state = load_state(work, task_id)
        if state.process.status != ProcessStatus.RUNNING or not _is_waiting(state.task):
            return work.finish(False)
        changes = Changes.begin(state.process, work.command, state.last_event_at)
        choices = route(work, changes, self._definitions, [state.task], is_waiting=True)
        if not choices or choices[0].person is None:
            return work.finish(None if choices and not choices[0].is_anybody_free else False)
        return work.finish(True, work.settle(changes))


def _is_waiting(task: Task) -> bool:
    return (
        task.status == TaskStatus.PENDING
        and task.ready_at is not None
        and task.assignment_method != AssignmentMethod.MANUAL
    )
