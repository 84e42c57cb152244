"""What a person has to do, what waits in their team's queue, and what may be done with one task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from gndp.core.errors import Forbidden, GndpError, NotFound
from gndp.core.states import TASK_TRANSITIONS, ProcessStatus, TaskStatus, TaskSubstatus, sources
from gndp.core.templates import parse_template

from ..forms import Form

if TYPE_CHECKING:
    from gndp.core.people import Person
    from gndp.core.records import Event, ListedTask, MyTask, Process, Task
    from gndp.workbench import Workbench

COMMANDS = ("claim", "start", "complete", "wait", "resume", "fail", "release", "reassign")
"""What a person does with a task here, in the order in which it is offered."""

_BRINGS_WORK = frozenset(
    {
        *("task.created", "task.ready", "task.assigned", "task.reassigned", "task.queued", "task.released"),
        *("task.retried", "process.started", "process.resumed", "process.retried"),
    }
)

_OWN = frozenset({"complete", "wait", "resume", "fail"})
"""What only the one who has the task does."""


class Opened(NamedTuple):
    """A task that was opened. ``form`` is None where its step asks for nothing; ``commands`` are those that
    the person may give now."""

    task: Task
    process: Process
    form: Form | None
    commands: tuple[str, ...]


@dataclass
class Inbox:
    """The work of one person, for one browser session.

    ``problem`` says in words why the last refresh failed; what was read before then stays. Refreshes take
    turns, since callbacks run in several threads.
    """

    workbench: Callable[[], Workbench]
    user_id: str | None = None
    chosen: UUID | None = None
    person: Person | None = None
    mine: list[MyTask] = field(default_factory=list)
    queue: list[ListedTask] = field(default_factory=list)
    opened: Opened | None = None
    problem: str | None = None
    _forms: dict[tuple[str, int | None, str], Form | None] = field(default_factory=dict, repr=False)
    _turn: RLock = field(default_factory=RLock, repr=False)

    def refresh(self) -> None:
        """Read the lists and the chosen task anew; with none chosen, the first is."""
        with self._turn:
            try:
                self._read()
                self.problem = None
            except GndpError as error:
                self.problem = str(error)

    @property
    def listed(self) -> list[UUID]:
        """The ids of all tasks in both lists, in order."""
        return [one.task.id for one in (*self.mine, *self.queue)]

    def concerns(self, event: Event) -> bool:
        """Whether an event may bring work, or is of a process whose task is listed or opened."""
        opened = self.opened
        return (
            event.event_type in _BRINGS_WORK
            or (opened is not None and event.process_instance_id == opened.process.id)
            or any(event.process_instance_id == one.process_instance_id for one in (*self.mine, *self.queue))
        )

    def move_on(self) -> None:
        """Choose the task behind the chosen one, or the one before it: the chosen one is done with."""
        ids = self.listed
        if self.chosen in ids:
            place = ids.index(self.chosen)
            others = [*ids[place + 1 :], *reversed(ids[:place])]
            self.chosen = others[0] if others else None

    def colleagues(self) -> list[Person]:
        """Everybody who is active, those of the person's team first; raises GndpError."""
        people = self.workbench().directory.people(active=True)
        team = self.person.team if self.person else None
        return sorted(people, key=lambda person: (team is None or person.team != team, person.name))

    def _read(self) -> None:
        workbench = self.workbench()
        if self.user_id is None:
            self.person, self.mine, self.queue, self.opened = None, [], [], None
            return
        try:
            self.person = workbench.directory.person(self.user_id)
        except NotFound:  # commands may be given by whoever is not in the directory
            self.person = None
        team = self.person.team if self.person else None
        self.mine = workbench.tasks.mine(self.user_id)
        self.queue = workbench.tasks.queue(team) if team is not None else []
        if self.chosen is None:
            self.chosen = next(iter(self.listed), None)
        self.opened = None if self.chosen is None else self._open(workbench, self.chosen)

    def _open(self, workbench: Workbench, task_id: UUID) -> Opened | None:
        try:
            task = workbench.tasks.get(task_id)
            process = workbench.processes.get(task.process_instance_id)
        except (NotFound, Forbidden):
            return None
        allowed = commands(task, process, self.user_id)
        permitted = [one for one in allowed if workbench.may(_right(one, task), process, task)]
        return Opened(task, process, self._form(workbench, task, process), tuple(permitted))

    def _form(self, workbench: Workbench, task: Task, process: Process) -> Form | None:
        version = process.definition_version
        key = (process.process_definition_id, version, task.task_definition_id)
        if key not in self._forms:
            self._forms[key] = None if version is None else _form_of_step(workbench, *key)
        return self._forms[key]


def commands(task: Task, process: Process, user_id: str | None) -> list[str]:
    """The commands that a task's state allows a person, who may not have the right to all of them."""
    if process.status != ProcessStatus.RUNNING:
        return []
    found = [one for one in COMMANDS if task.status in sources(TASK_TRANSITIONS, one)]
    is_waiting = task.substatus == TaskSubstatus.WAITING
    has_it = task.assigned_to == user_id
    refused = {"wait"} if is_waiting else {"resume"}
    if task.open_dependencies:
        refused |= {"claim", "start"}
    if not has_it:
        refused |= _OWN
        if task.status != TaskStatus.PENDING:
            refused.add("start")
    return [one for one in found if one not in refused]


def give(
    workbench: Workbench, command: str, task: Task, user_id: str | None, data: dict[str, Any] | None = None
) -> Task:
    """Give a command about a task as it was seen; ``data`` is what it asks for. Raises GndpError."""
    said = data or {}
    seen: dict[str, Any] = {"user_id": user_id, "expected_version": task.version}
    tasks = workbench.tasks
    match command:
        case "complete":
            return tasks.complete(task.id, output_data=data, **seen)
        case "wait":
            until = datetime.fromisoformat(said["until"]) if "until" in said else None
            return tasks.wait(task.id, reason=said["reason"], until=until, **seen)
        case "fail":
            final = bool(said.get("final"))
            return tasks.fail(task.id, error_message=said["reason"], final=final, **seen)
        case "reassign":
            seen["reassigned_by"] = seen.pop("user_id")
            return tasks.reassign(task.id, new_assignee=said["person"], reason=said["reason"], **seen)
    given: Task = getattr(tasks, command)(task.id, **seen)
    return given


def question(command: str, task: Task, colleagues: Sequence[Person]) -> dict[str, Any] | None:
    """What a command asks for, as a JSON Schema; None when it asks for nothing."""
    reason = {"type": "string", "title": "Reason", "minLength": 1, "maxLength": 2000}
    match command:
        case "wait":
            until = {"type": "string", "format": "date-time", "title": "Until, if you know it"}
            help = "What it waits for: the customer, a supplier, a decision …"
            fields: dict[str, Any] = {"reason": {**reason, "description": help}, "until": until}
            return _object(fields, "reason")
        case "fail":
            left = max(0, task.max_retries - task.retry_count)
            final = {
                "type": "boolean",
                "title": "Give it up for good",
                "default": left == 0,
                "description": f"That fails the whole process. Otherwise it is tried again: {left} left.",
            }
            what = {**reason, "title": "What went wrong"}
            return _object({"reason": what, "final": final}, "reason", "final")
        case "reassign":
            others = [person for person in colleagues if person.user_id != task.assigned_to]
            return _object({"person": choice_of(others, "To"), "reason": reason}, "person", "reason")
    return None


def choice_of(people: Sequence[Person], title: str) -> dict[str, Any]:
    """The choice of one of some people, as a JSON Schema."""
    if not people:
        return {"type": "string", "title": title, "description": "The id of the person."}
    options = [{"const": person.user_id, "title": called(person)} for person in people]
    return {"title": title, "oneOf": options}


def called(person: Person) -> str:
    """A person by name, with what tells them from others of that name."""
    beside = ", ".join(filter(None, (person.user_id if person.user_id != person.name else None, person.team)))
    return f"{person.name} ({beside})" if beside else person.name


def _object(fields: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(required)}


def _right(command: str, task: Task) -> str:
    """The right that a command asks for: to start a task that nobody has is to claim it first."""
    return "tasks.claim" if command == "start" and task.assigned_to is None else f"tasks.{command}"


def _form_of_step(workbench: Workbench, definition_id: str, version: int | None, step_id: str) -> Form | None:
    template = parse_template(workbench.definitions.get(definition_id, version).document)
    step = next((step for step in template.steps if step.id == step_id), None)
    return Form(step.form) if step is not None and step.form else None
