"""One process with all that its page shows, and the task that is chosen on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from threading import RLock
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gndp.core.errors import Forbidden, GndpError, NotFound
from gndp.core.templates import Template, parse_template

from .actions import Action, process_actions, task_actions, with_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gndp.core.clocks import ClockReading
    from gndp.core.explanations import AssignmentExplanation
    from gndp.core.records import Event, Process, Task
    from gndp.core.timeline import Stretch
    from gndp.workbench import Workbench

MOST_TASKS = 500
"""How many tasks of a process are shown, in their order."""

MOST_EVENTS = 200
"""How many events are shown, the newest."""

MOST_PEOPLE = 500


@dataclass
class ProcessStore:
    """A process, for one browser session. ``id`` and ``task_id`` are those that the address asks for.

    ``problem`` says in words why the last refresh failed; what was read before then stays, unless there is no
    such process or the person may not see it. Callbacks run in several threads: refreshes take turns.
    """

    workbench: Callable[[], Workbench]
    id: str
    task_id: str | None = None
    process: Process | None = None
    parent: Process | None = None
    children: list[Process] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    total_tasks: int = 0
    clocks: list[ClockReading] = field(default_factory=list)
    task_clocks: list[ClockReading] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    template: Template | None = None
    explanation: AssignmentExplanation | None = None
    problem: str | None = None
    _people: list[str] | None = None
    _turn: RLock = field(default_factory=RLock, repr=False)

    def refresh(self) -> None:
        """Read everything anew."""
        with self._turn:
            try:
                self._read(self.workbench())
                self.problem = None
            except (Forbidden, NotFound) as error:
                self.process, self.problem = None, str(error)
            except GndpError as error:
                self.problem = str(error)

    def choose(self, task_id: str | None) -> None:
        """Another task is looked at; ``refresh`` reads what is shown of it."""
        if task_id != self.task_id:
            self.task_id, self.explanation, self.task_clocks = task_id, None, []

    def explain(self) -> None:
        """Read how the chosen task came to its person; raises GndpError."""
        if self.task is not None:
            self.explanation = self.workbench().tasks.explain_assignment(self.task.id)

    @property
    def task(self) -> Task | None:
        """The task that is chosen, if it is one of this process."""
        return next((task for task in self.tasks if str(task.id) == self.task_id), None)

    def process_actions(self) -> list[Action]:
        """What the person can do to the process now."""
        return process_actions(self.process, self.workbench().may) if self.process else []

    def task_actions(self, user_id: str | None) -> list[Action]:
        """What ``user_id`` can do to the chosen task now."""
        if self.process is None or self.task is None:
            return []
        offered = task_actions(self.task, self.process, self.workbench().may, user_id)
        if any(field.kind == "person" for action in offered for field in action.fields):
            offered = with_fields(offered, "person", options=tuple(self._named()))
        form = self._form()
        return with_fields(offered, "json", **_asked(form)) if form else offered

    def concerns(self, event: Event) -> bool:
        """Whether an event is one of the process, its parent or its children."""
        shown = [self.parent, *self.children]
        return str(event.process_instance_id) in {self.id, *(str(other.id) for other in shown if other)}

    def _read(self, workbench: Workbench) -> None:
        processes = workbench.processes
        process = processes.get(self.id)
        self.tasks = list(islice(self._every_task(workbench, process.id), MOST_TASKS))
        if self.task_id is not None and self.task is None:
            self._add_chosen(workbench, process)
        self.clocks = workbench.sla.clocks(process_id=process.id)
        self.task_clocks = workbench.sla.clocks(task_id=self.task.id) if self.task else []
        self.stretches = processes.timeline(process.id)
        self.events = processes.events(process.id, limit=MOST_EVENTS)
        self.children = processes.children(process.id)
        self.parent = _seen(workbench, process.parent_process_id)
        self.template = self._template(workbench, process)
        self.process = process

    def _every_task(self, workbench: Workbench, process_id: UUID) -> Iterator[Task]:
        cursor = None
        while True:
            page = workbench.tasks.list(process_id=process_id, limit=100, cursor=cursor)
            self.total_tasks = page.total
            yield from (listed.task for listed in page.tasks)
            cursor = page.next_cursor
            if cursor is None:
                return

    def _add_chosen(self, workbench: Workbench, process: Process) -> None:
        """The task that the address asks for may lie behind those that are shown."""
        try:
            task = workbench.tasks.get(self.task_id or "")
        except GndpError:
            return
        if task.process_instance_id == process.id:
            self.tasks.append(task)

    def _template(self, workbench: Workbench, process: Process) -> Template | None:
        """Its template; a published version never changes."""
        name, version = process.process_definition_id, process.definition_version
        if version is None or self.template is not None:
            return self.template
        return parse_template(workbench.definitions.get(name, version).document)

    def _form(self) -> Mapping[str, Any] | None:
        """What the step of the chosen task asks for."""
        steps = self.template.steps if self.template else ()
        name = self.task.task_definition_id if self.task else None
        return next((step.form for step in steps if step.id == name), None)

    def _named(self) -> Sequence[str]:
        """Who can be given a task, those of its team first."""
        if self._people is None:
            people = self.workbench().directory.people(active=True)
            team = self.task.assigned_team if self.task else None
            people.sort(key=lambda person: (person.team != team, person.user_id))
            self._people = [person.user_id for person in people[:MOST_PEOPLE]]
        return self._people


def _asked(form: Mapping[str, Any]) -> dict[str, Any]:
    """The field for the output of a step that has a form: what the form asks for, to be filled in."""
    wanted = {name: asked.get("default") for name, asked in form.get("properties", {}).items()}
    return {"value": json.dumps(wanted, indent=2), "help": "What the form of the step asks for."}


def _seen(workbench: Workbench, process_id: UUID | None) -> Process | None:
    """A process, unless there is none or the person may not see it."""
    if process_id is None:
        return None
    try:
        return workbench.processes.get(process_id)
    except (Forbidden, NotFound):
        return None
