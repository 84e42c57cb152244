"""Whether the work of the teams is even: looked at when no routed choice tells it.

What people take, are given by hand or complete makes a team uneven, too; a job finds it within a minute, so
that those commands pay nothing for it.
"""

from __future__ import annotations

from functools import partial

from pydantic import TypeAdapter

from gndp.core.changes import Changes
from gndp.core.errors import NotFound
from gndp.engine.roster import Roster, lock_roster, read_roster
from gndp.engine.task_state import load_state
from gndp.engine.transition import Call, Transitions, Work
from gndp.store.queries import statement

_IS_TOLD: TypeAdapter[bool] = TypeAdapter(bool)


def tell_imbalances(transitions: Transitions) -> list[str]:
    """Tell which teams have become uneven, and note which are even again; the answer names the former.

    The event stands in the log of the process whose task the most loaded person was given last.
    """
    (rows,) = transitions.read(statement("routing", "watched_teams"))
    call = Call("teams.balance", "system", {}, automated=True)
    return [name for (name,) in rows if transitions.execute(call, partial(_look_at, name), _IS_TOLD)]


def _look_at(name: str, work: Work) -> bool:
    roster, _ = read_roster(work, [name])
    if not roster.has_turned(roster.teams[name]):
        return work.finish(False)
    try:
        changes = _changes_of_busiest(work, roster, name)
    except NotFound:
        return work.finish(False)
    locked, _ = lock_roster(work, [name])
    is_told = locked.tell_imbalance(locked.teams[name], changes)
    locked.remember(work)
    return work.finish(is_told, *[work.settle(changes)] if changes and is_told else [])


def _changes_of_busiest(work: Work, roster: Roster, name: str) -> Changes | None:
    """The changes of the process that the most loaded person was given a task of last; NotFound while another
    command holds it."""
    candidates = roster.candidates(roster.teams[name])
    busiest = max(candidates, key=lambda candidate: candidate.load, default=None)
    if busiest is None:
        return None
    (rows,) = work.load(statement("routing", "newest_task", person=busiest.person.user_id))
    if not rows:
        return None
    state = load_state(work, rows[0][0], lock="lock_of_task_unless_held")
    return Changes.begin(state.process, work.command, state.last_event_at)
