"""What somebody can do now to a process or a task: offered where both the state and the rights allow it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gndp.core.errors import Invalid, Problem
from gndp.core.processes import is_open
from gndp.core.states import (
    FINAL_PROCESS_STATUSES,
    PROCESS_TRANSITIONS,
    TASK_TRANSITIONS,
    AssignmentMethod,
    Priority,
    ProcessStatus,
    TaskStatus,
    TaskSubstatus,
    sources,
)

if TYPE_CHECKING:
    from gndp.core.records import Process, Task
    from gndp.workbench import Workbench

May = Callable[[str, "Process", "Task | None"], bool]
"""``Workbench.may``."""


@dataclass(frozen=True)
class Field:
    """Something that a command asks for.

    ``kind`` is text (several lines), line, person, choice, instant, tags, flag or json; ``options`` are a
    choice's values, ``value`` is what stands in it at first.
    """

    name: str
    label: str
    kind: str = "text"
    is_required: bool = True
    options: tuple[str, ...] = ()
    value: Any = None
    help: str = ""


@dataclass(frozen=True)
class Action:
    """A command that can be given: ``name`` as in the policy table, ``done`` what is said afterwards.

    One that is ``grave`` is asked about, even if it needs no field. One that ``keeps_version`` is refused
    when the item has changed since the person saw it.
    """

    name: str
    label: str
    done: str
    fields: tuple[Field, ...] = ()
    is_grave: bool = False
    keeps_version: bool = True


_REASON = Field("reason", "Reason")
_ERROR = Field("error_message", "What went wrong")
_COMMENT = Field("text", "Comment")
_OUTPUT = Field("output_data", "Output, as JSON", "json", False)
_PERSON = Field("new_assignee", "To whom", "person")
_ASSIGN = (
    Field("assigned_to", "To whom", "person", False, help="Or name a team, which shares the work out."),
    Field("team", "Team", "line", False),
    Field("assignment_method", "Way of the team", "choice", False, tuple(AssignmentMethod), "manual"),
)

_PROCESS_ACTIONS = (
    Action("processes.run", "Start", "Started."),
    Action("processes.suspend", "Suspend", "Suspended.", (_REASON,)),
    Action("processes.resume", "Resume", "Resumed."),
    Action("processes.retry", "Retry", "Running again."),
    Action("processes.complete", "Complete", "Completed.", (_OUTPUT,)),
    Action("processes.update", "Change", "Changed."),
    Action("processes.comment", "Comment", "Said.", (_COMMENT,), keeps_version=False),
    Action("processes.fail", "Fail", "Given up.", (_ERROR,), is_grave=True),
    Action("processes.cancel", "Cancel", "Called off.", (_REASON,), is_grave=True),
)
_TASK_ACTIONS = (
    Action("tasks.claim", "Claim", "Claimed."),
    Action("tasks.start", "Start", "Started."),
    Action("tasks.complete", "Complete", "Completed.", (_OUTPUT,)),
    Action(
        "tasks.wait", "Wait", "Waiting.", (_REASON, Field("until", "Until when, if known", "instant", False))
    ),
    Action("tasks.resume", "Resume", "Going on."),
    Action("tasks.assign", "Assign", "Assigned.", _ASSIGN),
    Action("tasks.reassign", "Reassign", "Reassigned.", (_PERSON, _REASON)),
    Action("tasks.release", "Release", "Released."),
    Action("tasks.retry", "Retry", "To be done again."),
    Action("tasks.update", "Change", "Changed."),
    Action("tasks.comment", "Comment", "Said.", (_COMMENT,), keeps_version=False),
    Action(
        "tasks.fail",
        "Fail",
        "Failed.",
        (_ERROR, Field("final", "For good, whatever retries are left", "flag", False)),
        is_grave=True,
    ),
    Action("tasks.skip", "Skip", "Skipped.", (_REASON,), is_grave=True),
    Action(
        "tasks.cancel",
        "Cancel",
        "Called off.",
        (_REASON, Field("cascade", "Also the open tasks that wait for it", "flag", False)),
        is_grave=True,
    ),
)
_BY_NAME = {action.name: action for action in (*_PROCESS_ACTIONS, *_TASK_ACTIONS)}
_BY_ITS_ASSIGNEE = {"complete", "wait"}
_AFTER_FAILURE = {"retry", "skip"}


def process_actions(process: Process, may: May) -> list[Action]:
    """What can be done to a process now by whoever ``may``."""
    return [
        _filled(action, process)
        for action in _PROCESS_ACTIONS
        if _process_allows(action.name.partition(".")[2], process) and may(action.name, process, None)
    ]


def task_actions(task: Task, process: Process, may: May, user_id: str | None) -> list[Action]:
    """What ``user_id``, who gives the commands, can do to a task of a process now if they ``may``."""
    return [
        _filled(action, task)
        for action in _TASK_ACTIONS
        if _task_allows(action.name.partition(".")[2], task, process, user_id)
        and may(_asked_for(action.name, task), process, task)
    ]


def give(
    action: str,
    item: Process | Task,
    values: Mapping[str, Any],
    *,
    user_id: str | None,
    expected_version: int | None = None,
) -> Callable[[Workbench], Any]:
    """The command of an action, with what was entered into its fields; Invalid says what cannot be read.

    What was left as it is, or empty, is not given.
    """
    if action not in _BY_NAME:
        raise Invalid(Problem("action", f"there is no {action}"))
    offered = _filled(_BY_NAME[action], item)
    given = {
        field.name: value
        for field in offered.fields
        if (value := _read(field, values.get(field.name))) is not None
    }
    if offered.name.endswith(".update"):
        given = {name: value for name, value in given.items() if value != getattr(item, name)}
    if offered.keeps_version and expected_version is not None:
        given["expected_version"] = expected_version
    noun, _, verb = offered.name.partition(".")
    if verb == "run":
        verb, given["new_status"] = "update_status", ProcessStatus.RUNNING
    given["reassigned_by" if verb == "reassign" else "user_id"] = user_id
    return lambda workbench: getattr(getattr(workbench, noun), verb)(item.id, **given)


def done(action: str) -> str:
    """What is said when an action was done."""
    return _BY_NAME[action].done


def _process_allows(verb: str, process: Process) -> bool:
    match verb:
        case "run":
            return process.status == ProcessStatus.PENDING
        case "update":
            return process.status not in FINAL_PROCESS_STATUSES
        case "comment":
            return True
        case "complete" if process.open_steps:
            return False
    return process.status in sources(PROCESS_TRANSITIONS, verb)


def _task_allows(verb: str, task: Task, process: Process, user_id: str | None) -> bool:
    if not _accepts_work(verb, task, process):
        return False
    if verb in ("update", "comment"):
        return is_open(task)
    if task.status not in sources(TASK_TRANSITIONS, verb):
        return False
    is_waiting = task.substatus == TaskSubstatus.WAITING
    match verb:
        case "claim":
            return not task.open_dependencies
        case "start":
            return not task.open_dependencies and task.assigned_to in (None, user_id)
        case "resume":
            return is_waiting
        case "wait" if is_waiting:
            return False
        case "assign":
            # Whoever has it already is reassigned, which keeps the reason.
            return task.status == TaskStatus.PENDING
    return verb not in _BY_ITS_ASSIGNEE or task.assigned_to == user_id


def _accepts_work(verb: str, task: Task, process: Process) -> bool:
    """Whether the process does: it runs, or failed with this very task."""
    if verb in _AFTER_FAILURE and task.status == TaskStatus.FAILED:
        return process.status == ProcessStatus.FAILED
    return process.status == ProcessStatus.RUNNING


def _asked_for(action: str, task: Task) -> str:
    """To start a task that nobody has is to claim it first."""
    return "tasks.claim" if action == "tasks.start" and task.assigned_to is None else action


def _filled(action: Action, item: Process | Task) -> Action:
    return replace(action, fields=tuple(_changeable(item))) if action.name.endswith(".update") else action


def _changeable(item: Process | Task) -> Iterator[Field]:
    yield Field("priority", "Priority", "choice", False, tuple(Priority), item.priority)
    yield Field(
        "due_date",
        "Due",
        "instant",
        False,
        value=None if item.due_date is None else item.due_date.isoformat(),
    )
    yield Field("tags", "Tags", "tags", False, value=", ".join(item.tags), help="Separated by commas.")


def _read(field: Field, value: Any) -> Any:
    """What was entered, as the command takes it; None for nothing."""
    if value is None or value is False or (isinstance(value, str) and not value.strip()):
        return [] if field.kind == "tags" and value is not None else None
    match field.kind:
        case "instant":
            return _instant(field, value)
        case "json":
            return _json(field, value)
        case "tags":
            return [tag for part in str(value).split(",") if (tag := part.strip())]
        case "flag":
            return value is True
    return str(value).strip()


def _instant(field: Field, value: Any) -> datetime:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise Invalid(Problem(field.name, "is no instant")) from None


def _json(field: Field, value: Any) -> Any:
    try:
        return json.loads(str(value))
    except ValueError as error:
        raise Invalid(Problem(field.name, f"is no JSON: {error}")) from None


def with_fields(actions: Sequence[Action], kind: str, **changes: Any) -> list[Action]:
    """The actions, with these changes to their fields of a kind."""
    return [
        replace(
            action,
            fields=tuple(
                replace(field, **changes) if field.kind == kind else field for field in action.fields
            ),
        )
        for action in actions
    ]
