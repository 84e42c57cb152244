"""The one policy table: for every command and read, how far each role reaches. What is not in it, nobody may.

Pure. ``docs/reference/rights.md`` is drawn from it.
"""

from __future__ import annotations

from typing import NamedTuple

from gndp.access.principals import Principal
from gndp.core.people import Person
from gndp.core.records import Process, Task
from gndp.core.states import Meaning, Role, TokenScope


class Reach(Meaning):
    """Over which processes and tasks a right reaches."""

    NONE = "none", "not at all"
    OWN = "own", "a task that the person has; a process that the person started or has"
    TEAM = "team", "their own, those of their team, and those of no team"
    ALL = "all", "every one"


class Permission(NamedTuple):
    """How far each role reaches with one command or read; ``meaning`` says what it is, ``scope`` what a token
    must be good for."""

    meaning: str
    viewer: Reach
    worker: Reach
    lead: Reach
    manager: Reach
    admin: Reach
    service: Reach
    scope: TokenScope = TokenScope.WRITE


_NONE, _OWN, _TEAM, _ALL = Reach.NONE, Reach.OWN, Reach.TEAM, Reach.ALL


_Reaches = tuple[Reach, Reach, Reach, Reach, Reach, Reach]


def _read(meaning: str, *reaches: *_Reaches) -> Permission:
    return Permission(meaning, *reaches)._replace(scope=TokenScope.READ)


def _administer(meaning: str, *reaches: *_Reaches) -> Permission:
    return Permission(meaning, *reaches)._replace(scope=TokenScope.ADMIN)


#                            viewer worker  lead  manager admin service
_SEES_WORK = (_TEAM, _TEAM, _TEAM, _ALL, _ALL, _ALL)
_SEES_ALL = (_ALL, _ALL, _ALL, _ALL, _ALL, _ALL)
_OWNER_OR_LEAD = (_NONE, _OWN, _TEAM, _ALL, _ALL, _ALL)
_DOES_IT = (_NONE, _OWN, _OWN, _ALL, _ALL, _ALL)
_LEAD = (_NONE, _NONE, _TEAM, _ALL, _ALL, _ALL)
_WHOEVER_WORKS = (_NONE, _TEAM, _TEAM, _ALL, _ALL, _ALL)
_MANAGER = (_NONE, _NONE, _NONE, _ALL, _ALL, _NONE)
_ADMIN = (_NONE, _NONE, _NONE, _NONE, _ALL, _NONE)
_OPERATOR = (_NONE, _NONE, _NONE, _ALL, _ALL, _ALL)

POLICY: dict[str, Permission] = {
    "processes.see": _read("read a process, its events, its parts and its clocks", *_SEES_WORK),
    "processes.start": Permission("start a process", _NONE, _ALL, _ALL, _ALL, _ALL, _ALL),
    "processes.extend": Permission("start a process as a part of another one", *_OWNER_OR_LEAD),
    "processes.run": Permission("start one that is held, resume or retry it by status", *_OWNER_OR_LEAD),
    "processes.suspend": Permission("pause a process", *_OWNER_OR_LEAD),
    "processes.resume": Permission("go on with a paused process", *_OWNER_OR_LEAD),
    "processes.complete": Permission("complete a process by hand", *_OWNER_OR_LEAD),
    "processes.fail": Permission("give a process up", *_OWNER_OR_LEAD),
    "processes.retry": Permission("run a failed process again", *_OWNER_OR_LEAD),
    "processes.cancel": Permission("call a process off", *_OWNER_OR_LEAD),
    "processes.update": Permission("change priority, due date, tags, variables", *_OWNER_OR_LEAD),
    "processes.comment": Permission("say something about a process", *_WHOEVER_WORKS),
    "tasks.see": _read("read a task and its clocks", *_SEES_WORK),
    "tasks.create": Permission("add a task to a process", *_OWNER_OR_LEAD),
    "tasks.create_many": Permission("add tasks to processes", *_OWNER_OR_LEAD),
    "tasks.assign": Permission("give a task to somebody", *_LEAD),
    "tasks.claim": Permission("take a task that nobody has", *_WHOEVER_WORKS),
    "tasks.release": Permission("give a task back", *_OWNER_OR_LEAD),
    "tasks.start": Permission("begin to work on a task", *_DOES_IT),
    "tasks.complete": Permission("complete a task", *_DOES_IT),
    "tasks.fail": Permission("report that a task failed", *_DOES_IT),
    "tasks.wait": Permission("let a task wait", *_DOES_IT),
    "tasks.resume": Permission("go on with a task that waited", *_DOES_IT),
    "tasks.skip": Permission("leave a task out", *_LEAD),
    "tasks.cancel": Permission("call a task off", *_LEAD),
    "tasks.retry": Permission("have a failed task done again", *_LEAD),
    "tasks.reassign": Permission("give a task to somebody else", *_OWNER_OR_LEAD),
    "tasks.update": Permission("change priority, due date, tags, notes", *_OWNER_OR_LEAD),
    "tasks.comment": Permission("say something about a task", *_WHOEVER_WORKS),
    "figures.see": _read("read figures: summary, workload, assignment statistics", *_SEES_ALL),
    "definitions.see": _read("read process definitions", *_SEES_ALL),
    "definitions.publish": _administer("publish a process definition", *_MANAGER),
    "sla.see": _read("read SLA policies, and try one out", *_SEES_ALL),
    "sla.publish": _administer("publish an SLA policy", *_MANAGER),
    "sla.retire": _administer("take an SLA policy out of force", *_MANAGER),
    "sla.recompute": Permission("work an item's clocks out anew", *_LEAD),
    "calendars.see": _read("read calendars", *_SEES_ALL),
    "calendars.save": _administer("save a calendar", *_MANAGER),
    "directory.see": _read("read people and teams", *_SEES_ALL),
    "directory.change": _administer("add and change people and teams", *_ADMIN),
    "directory.be_away": _administer("set an out-of-office time, one's own as own", *_OWNER_OR_LEAD),
    "accounts.see": _administer("read who has an account and which API tokens", *_ADMIN),
    "accounts.change": _administer(
        "make one-time links for others and API tokens for programs, end sessions", *_ADMIN
    ),
    "events.see": _read("read the log of all events, live or from a position", *_OPERATOR),
    "events.publish": Permission("publish a message in this process", *_OPERATOR),
    "subscriptions.see": _read("read durable subscriptions and dead letters", *_OPERATOR),
    "subscriptions.change": _administer("replay, discard and remove", *_ADMIN),
    "jobs.see": _read("read the scheduled jobs and their runs", *_OPERATOR),
    "jobs.run": _administer("run a scheduled job now", *_ADMIN),
    "metrics.see": _read("read the servers' metrics", *_OPERATOR),
    "audit.see": _read("check the database, and verify it against an anchor", *_MANAGER),
    "workbench.set_up": _administer("set the clock, and read the database's address", *_ADMIN),
    "others.act_for": Permission("name somebody else as the one who does it", *_OPERATOR),
}
"""What each command and read asks for, by its name. A name that is missing is allowed to nobody."""

_SCOPES = list(TokenScope)


def reach(principal: Principal, action: str) -> Reach:
    """How far somebody reaches with a command or read."""
    permission = POLICY.get(action)
    if permission is None or _SCOPES.index(permission.scope) > _SCOPES.index(principal.scope):
        return Reach.NONE
    found: Reach = getattr(permission, Role(principal.role).value)
    return found


def reaches_process(principal: Principal, over: Reach, process: Process) -> bool:
    """Whether a reach extends to a process."""
    if over == Reach.ALL:
        return True
    if over == Reach.NONE:
        return False
    if principal.user_id in (process.initiated_by, process.assigned_to):
        return True
    return over == Reach.TEAM and _is_of_team(principal, process.assigned_team)


def reaches_task(principal: Principal, over: Reach, task: Task, process: Process) -> bool:
    """Whether a reach extends to a task of a process; a task of no team belongs to its process's."""
    if over == Reach.ALL:
        return True
    if over == Reach.NONE:
        return False
    if principal.user_id == task.assigned_to:
        return True
    if over == Reach.OWN:
        return False
    is_of_own_process = principal.user_id in (process.initiated_by, process.assigned_to)
    return is_of_own_process or _is_of_team(principal, task.assigned_team or process.assigned_team)


def reaches_person(principal: Principal, over: Reach, person: Person) -> bool:
    """Whether a reach extends to a person: oneself, or those of one's team."""
    if over == Reach.ALL:
        return True
    if over == Reach.NONE:
        return False
    if principal.user_id == person.user_id:
        return True
    return over == Reach.TEAM and person.team == principal.team is not None


def _is_of_team(principal: Principal, team: str | None) -> bool:
    return team is None or team == principal.team
