"""Publishing process definitions, and reading published ones."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from pydantic import TypeAdapter
from uuid_utils.compat import uuid7

from gndp.core import arguments
from gndp.core.errors import Invalid, NotFound
from gndp.core.forms import FormValidator
from gndp.core.records import Definition, Process, Task
from gndp.core.states import TaskStatus
from gndp.core.templates import Step, Template, fingerprint, parse_template, template_document
from gndp.core.values import require_aware
from gndp.core.versions import refuse_stale
from gndp.engine.calls import command_call
from gndp.engine.transition import Transitions, Work
from gndp.store.queries import statement

_DEFINITION: TypeAdapter[Definition] = TypeAdapter(Definition)


class Definitions:
    """``wb.definitions``: templates, each published as numbered, immutable versions."""

    def __init__(self, transitions: Transitions) -> None:
        self._transitions = transitions

    def publish(
        self,
        document: str | bytes | Mapping[str, Any] | Template,
        *,
        user_id: str | None = None,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Definition:
        """Publish a definition as its next version; the newest one again when nothing changed.

        ``document`` is YAML or JSON text, a mapping, or a ``Template``. Raises Invalid with every problem
        of a bad document, Conflict when somebody publishes the same definition at the same moment, or when
        its newest version is not ``expected_version`` (0: there is none yet).
        """
        template = parse_template(document)
        mark = fingerprint(template)
        call, expected_version = command_call(
            self._transitions,
            "definitions.publish",
            user_id,
            {"document": mark},
            {"expected_version": expected_version, "idempotency_key": idempotency_key},
        )

        def decide(work: Work) -> Definition:
            work.permit()
            (rows,) = work.load(statement("definitions", "latest", definition_id=template.id))
            latest = Definition._make(rows[0]) if rows else None
            refuse_stale(latest.version if latest else 0, expected_version)
            if latest is not None and latest.fingerprint == mark:
                return work.finish(latest)
            definition = Definition(
                id=template.id,
                version=latest.version + 1 if latest else 1,
                name=template.name,
                document=template_document(template),
                fingerprint=mark,
                published_at=require_aware(work.command.now, "clock"),
                published_by=work.command.actor or "",
            )
            values = {**definition._asdict(), "document": orjson.dumps(definition.document).decode()}
            return work.finish(definition, extra=[statement("definitions", "publish", **values)])

        return self._transitions.execute(call, decide, _DEFINITION)

    def get(self, definition_id: str, version: int | None = None) -> Definition:
        """A published version, by default the newest; NotFound when there is none."""
        self._transitions.require("definitions.see")
        definition_id = arguments.name(definition_id, "definition_id")
        if version is None:
            wanted = statement("definitions", "latest", definition_id=definition_id)
        else:
            number = arguments.whole_number(version, "version", least=1)
            wanted = statement("definitions", "get", definition_id=definition_id, version=number)
        (rows,) = self._transitions.read(wanted)
        if not rows:
            raise NotFound("definition", definition_id)
        return Definition._make(rows[0])

    def versions(self, definition_id: str) -> builtins.list[Definition]:
        """Every published version, the newest first; NotFound when there is none."""
        self._transitions.require("definitions.see")
        definition_id = arguments.name(definition_id, "definition_id")
        (rows,) = self._transitions.read(statement("definitions", "versions", definition_id=definition_id))
        if not rows:
            raise NotFound("definition", definition_id)
        return [Definition._make(row) for row in rows]

    def list(self) -> builtins.list[Definition]:
        """The newest version of every definition, by id."""
        self._transitions.require("definitions.see")
        (rows,) = self._transitions.read(statement("definitions", "list"))
        return [Definition._make(row) for row in rows]

    def template(self, work: Work, definition_id: str, version: int) -> Template:
        """A published version as typed objects; kept, for versions never change."""
        key = ("template", definition_id, version)
        template: Template | None = work.kept.get(key)
        if template is None:
            (rows,) = work.load(statement("definitions", "get", definition_id=definition_id, version=version))
            work.kept[key] = template = parse_template(Definition._make(rows[0]).document)
        return template

    def check_form(
        self, work: Work, process: Process, task: Task, output_data: dict[str, Any] | None
    ) -> bool:
        """Check a task's output against its step's form; True when there is one, Invalid when it fails."""
        if process.definition_version is None:
            return False
        key = ("form", process.process_definition_id, process.definition_version, task.task_definition_id)
        if key not in work.kept:
            step = self._step(work, process, task)
            work.kept[key] = FormValidator(step.form) if step is not None and step.form else None
        form: FormValidator | None = work.kept[key]
        if form is None:
            return False
        problems = form.problems(output_data or {})
        if problems:
            raise Invalid(*problems)
        return True

    def steps_apart(
        self, work: Work, definition_id: str, version: int | None, step_id: str
    ) -> frozenset[str]:
        """The steps of a process that must be done by somebody other than this step's person; none in a
        process without a template (``version`` None)."""
        if version is None:
            return frozenset()
        return self.template(work, definition_id, version).people_apart(step_id)

    def kept_apart(self, work: Work, process: Process, task: Task) -> frozenset[str]:
        """Who did steps of the process that must be done by somebody other than this task's person."""
        steps = self.steps_apart(
            work, process.process_definition_id, process.definition_version, task.task_definition_id
        )
        if not steps:
            return frozenset()
        (rows,) = work.load(
            statement("routing", "performers_of_steps", process_ids=[process.id], steps=sorted(steps))
        )
        return frozenset(person for _, _, person in rows)

    def _step(self, work: Work, process: Process, task: Task) -> Step | None:
        template = self.template(work, process.process_definition_id, process.definition_version or 0)
        return next((step for step in template.steps if step.id == task.task_definition_id), None)


def tasks_of(template: Template, process: Process) -> list[Task]:
    """The tasks that a new process gets from its template, with their dependencies (instants come later)."""
    ids = {step.id: uuid7() for step in template.steps}
    blocking: dict[UUID, list[UUID]] = {id: [] for id in ids.values()}
    for step in template.steps:
        for dependency in step.depends_on:
            blocking[ids[dependency]].append(ids[step.id])
    return [
        new_task(
            id=ids[step.id],
            process_instance_id=process.id,
            task_definition_id=step.id,
            task_name=step.name,
            task_type=step.type,
            phase=template.phase_of(step.id),
            position=position,
            assigned_team=step.team,
            assignment_method=step.assignment_method,
            required_skills=dict(step.required_skills),
            depends_on=[ids[dependency] for dependency in step.depends_on],
            blocking=blocking[ids[step.id]],
            open_dependencies=len(step.depends_on),
            estimated_duration_mins=step.estimated_minutes,
            sla_target_mins=step.sla_minutes,
            max_retries=step.max_retries,
            priority=step.priority or process.priority,
            created_at=process.created_at,
            updated_at=process.created_at,
        )
        for position, step in enumerate(template.steps)
    ]


_BLANK_TASK: dict[str, Any] = {
    "status": TaskStatus.PENDING,
    "substatus": None,
    "phase": None,
    "assigned_to": None,
    "assigned_team": None,
    "assignment_method": "manual",
    "claimed_by": None,
    "claimed_at": None,
    "ready_at": None,
    "input_data": {},
    "output_data": {},
    "form_data": {},
    "started_at": None,
    "completed_at": None,
    "due_date": None,
    "estimated_duration_mins": None,
    "actual_duration_mins": None,
    "sla_target_mins": None,
    "sla_status": "on_track",
    "sla_breach_time": None,
    "retry_count": 0,
    "max_retries": 3,
    "error_message": None,
    "tags": [],
    "notes": None,
    "wait_until": None,
    "required_skills": {},
    "version": 1,
}


def new_task(**columns: Any) -> Task:
    """A task row that has only these columns filled; the others are what a new task begins with."""
    return Task(**{**_BLANK_TASK, **columns})
