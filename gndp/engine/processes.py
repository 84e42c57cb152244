"""Process commands and reads: ``wb.processes``."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from uuid_utils.compat import uuid7

from gndp.access.policy import Reach, reaches_process
from gndp.core import arguments, processes, tasks
from gndp.core.changes import Changes
from gndp.core.errors import Conflict, Invalid, NotFound, Problem
from gndp.core.flow import OpenStep
from gndp.core.processes import AffectedTask, ProcessState
from gndp.core.records import Event, Process, Task
from gndp.core.states import ProcessStatus
from gndp.core.timeline import Stretch, Turn, timeline
from gndp.core.values import parse_id
from gndp.core.versions import refuse_stale
from gndp.engine.calls import command_call
from gndp.engine.definitions import Definitions, tasks_of
from gndp.engine.figures import ProcessFigures
from gndp.engine.lists import ProcessLists
from gndp.engine.routing import route, route_ready
from gndp.engine.task_state import affected_task
from gndp.engine.transition import EVERYTHING, Call, Transitions, Work
from gndp.store.queries import statement

_PROCESS: TypeAdapter[Process] = TypeAdapter(Process)
_EVENT: TypeAdapter[Event | None] = TypeAdapter(Event | None)
_TASK_WIDTH = len(Task._fields)


class Processes(ProcessLists, ProcessFigures):
    """Start, move and read processes.

    Every command takes ``expected_version`` (compared under the row's lock; a mismatch is a Conflict with
    ``stale`` set), ``idempotency_key`` (the first answer again for 24 hours) and ``correlation_id`` (kept on
    its events). Raises NotFound, Conflict or Invalid; a refused command has changed nothing.
    """

    def __init__(self, transitions: Transitions, definitions: Definitions) -> None:
        super().__init__(transitions)
        self._definitions = definitions

    def start(
        self,
        *,
        process_definition_id: str,
        process_name: str,
        process_type: str,
        initiated_by: str | None = None,
        input_data: dict[str, Any] | None = None,
        assigned_to: str | None = None,
        assigned_team: str | None = None,
        priority: str | None = None,
        sla_target_mins: int | None = None,
        business_context: dict[str, Any] | None = None,
        variables: dict[str, Any] | None = None,
        id: UUID | str | None = None,
        parent_process_id: UUID | str | None = None,
        due_date: datetime | None = None,
        estimated_duration_mins: int | None = None,
        tags: Sequence[str] | None = None,
        auto_complete: bool = True,
        hold: bool = False,
        automated: bool = False,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
    ) -> Process:
        """Start a process; it runs at once, or is held (pending) with ``hold=True``.

        When ``process_definition_id`` names a published template, its newest version's tasks are created in
        the same transaction, and its priority, SLA and estimate apply where none is given. The default
        priority is medium. Raises NotFound for an unknown parent, Conflict for a finished one or an id
        that is taken.
        """
        given: dict[str, Any] = {
            "process_definition_id": arguments.name(process_definition_id, "process_definition_id"),
            "process_name": arguments.name(process_name, "process_name"),
            "process_type": arguments.name(process_type, "process_type"),
            "initiated_by": self._transitions.actor(initiated_by, "initiated_by"),
            "input_data": arguments.json_object(input_data, "input_data"),
            "assigned_to": arguments.optional_name(assigned_to, "assigned_to"),
            "assigned_team": arguments.optional_name(assigned_team, "assigned_team"),
            "priority": None if priority is None else arguments.priority(priority),
            "sla_target_mins": arguments.sla_target(sla_target_mins),
            "business_context": arguments.json_object(business_context, "business_context"),
            "variables": arguments.json_object(variables, "variables"),
            "parent_process_id": None
            if parent_process_id is None
            else parse_id(parent_process_id, "parent_process_id"),
            "due_date": arguments.optional_instant(due_date, "due_date"),
            "estimated_duration_mins": arguments.minutes(estimated_duration_mins, "estimated_duration_mins"),
            "tags": arguments.names(tags, "tags"),
            "auto_complete": arguments.flag(auto_complete, "auto_complete"),
        }
        held = arguments.flag(hold, "hold")
        chosen_id = None if id is None else parse_id(id, "id")
        call = Call(
            "processes.start",
            given["initiated_by"],
            {**given, "id": chosen_id, "hold": held},
            arguments.optional_key(idempotency_key, "idempotency_key"),
            arguments.optional_name(correlation_id, "correlation_id"),
            arguments.flag(automated, "automated"),
        )

        def decide(work: Work) -> Process:
            process_id = chosen_id or uuid7()
            self._lock_parent(work, given["parent_process_id"])
            taken, latest, clock_rows = work.load(
                statement("processes", "exists", process_id=process_id),
                statement("definitions", "latest_version", definition_id=process_definition_id),
                statement("sla", "of_process", process_id=process_id),
            )
            transaction_time, is_taken = taken[0]
            if is_taken:
                raise Conflict(f"a process {process_id} exists already")
            version = latest[0][0]
            process = _new_process(process_id, given, version, held, work.command.now, transaction_time)
            work.permit(process)
            work.take_clocks(clock_rows, process)
            return self._insert(work, process, version, priority is None)

        return self._transitions.execute(call, decide, _PROCESS)

    def update_status(
        self,
        id: UUID | str,
        *,
        new_status: str,
        user_id: str | None = None,
        error_message: str | None = None,
        output_data: dict[str, Any] | None = None,
        reason: str | None = None,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
    ) -> Process:
        """The command that leads to ``new_status``: running starts, resumes or retries, by state; completed,
        failed, suspended and cancelled are the commands of that name; anything else is a Conflict."""
        try:
            status = ProcessStatus(new_status)
        except ValueError:
            raise Invalid(Problem("new_status", f"must be one of {', '.join(ProcessStatus)}")) from None
        common: dict[str, Any] = {
            "user_id": "system" if user_id is None and self._transitions.rights is None else user_id,
            "expected_version": expected_version,
            "idempotency_key": idempotency_key,
            "correlation_id": correlation_id,
            "called_as": "processes.update_status",
        }
        match status:
            case ProcessStatus.RUNNING:
                return self._run(id, **common)
            case ProcessStatus.SUSPENDED:
                return self.suspend(id, reason=_given(reason), **common)
            case ProcessStatus.COMPLETED:
                return self.complete(id, output_data=output_data, **common)
            case ProcessStatus.FAILED:
                return self.fail(id, error_message=_given(error_message), **common)
            case ProcessStatus.CANCELLED:
                return self.cancel(id, reason=_given(reason, error_message), **common)
            case _:
                self._transitions.actor(common["user_id"])
                process = self.get(id)
                raise processes.conflict(process, f"no command makes a process {status}")

    def suspend(self, id: UUID | str, *, user_id: str | None = None, reason: str, **common: Any) -> Process:
        """Pause a running process: nothing in it accepts work until it is resumed."""
        why = arguments.text(reason, "reason")
        return self._move(
            "suspend", id, user_id, {"reason": why}, common, lambda s, w: processes.suspend(s, w.command, why)
        )

    def resume(self, id: UUID | str, *, user_id: str | None = None, **common: Any) -> Process:
        """Go on with a suspended process."""
        return self._move("resume", id, user_id, {}, common, lambda s, w: processes.resume(s, w.command))

    def complete(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        output_data: dict[str, Any] | None = None,
        **common: Any,
    ) -> Process:
        """Complete a running process by hand; a Conflict while tasks are open."""
        output = arguments.optional_object(output_data, "output_data")
        return self._move(
            "complete",
            id,
            user_id,
            {"output_data": output},
            common,
            lambda s, w: processes.complete(s, w.command, output),
        )

    def fail(
        self, id: UUID | str, *, user_id: str | None = None, error_message: str, **common: Any
    ) -> Process:
        """Give a running process up."""
        message = arguments.text(error_message, "error_message")
        return self._move(
            "fail",
            id,
            user_id,
            {"error_message": message},
            common,
            lambda s, w: processes.fail(s, w.command, message),
        )

    def retry(self, id: UUID | str, *, user_id: str | None = None, **common: Any) -> Process:
        """Run a failed process again, with all its failed tasks."""
        return self._move("retry", id, user_id, {}, common, _retry)

    def update(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        priority: str | None = None,
        due_date: datetime | None = None,
        tags: Sequence[str] | None = None,
        variables: dict[str, Any] | None = None,
        **common: Any,
    ) -> Process:
        """Change what is given of priority, due date, tags and variables."""
        columns = {
            "priority": None if priority is None else arguments.priority(priority),
            "due_date": arguments.optional_instant(due_date, "due_date"),
            "tags": None if tags is None else arguments.names(tags, "tags"),
            "variables": arguments.optional_object(variables, "variables"),
        }
        changed = {name: value for name, value in columns.items() if value is not None}
        return self._move(
            "update", id, user_id, changed, common, lambda s, w: processes.update(s, w.command, changed)
        )

    def comment(self, id: UUID | str, *, user_id: str | None = None, text: str, **common: Any) -> Process:
        """Say something about a process; it is kept as an event."""
        said = arguments.text(text, "text")
        return self._move(
            "comment", id, user_id, {"text": said}, common, lambda s, w: processes.comment(s, w.command, said)
        )

    def cancel(self, id: UUID | str, *, user_id: str | None = None, reason: str, **common: Any) -> Process:
        """Call a process off, with its open tasks and its children, theirs, and so on."""
        why = arguments.text(reason, "reason")
        process_id = parse_id(id, "id")
        call, expected_version = command_call(
            self._transitions, "processes.cancel", user_id, {"id": process_id, "reason": why}, common
        )

        def decide(work: Work) -> Process:
            state = self._permitted(work, process_id, expected_version)
            processes.refuse_unless_allowed(state.process, "cancel")
            all_changes = [work.settle(changes) for changes in self._cancel_tree(work, state, why)]
            answer = work.process_answer(all_changes[0])
            return work.finish(answer, *all_changes)

        return self._transitions.execute(call, decide, _PROCESS)

    def get(self, id: UUID | str) -> Process:
        """One process; NotFound when there is none."""
        process_id = parse_id(id, "id")
        (rows,) = self._transitions.read(statement("processes", "get", process_id=process_id))
        if not rows:
            raise NotFound("process", process_id)
        process = Process._make(rows[0])
        self._require_sight(process)
        return process

    def children(self, id: UUID | str) -> builtins.list[Process]:
        """The children of a process, oldest first."""
        wanted = {
            "process_id": self.get(id).id,
            **EVERYTHING,
            **self._transitions.sight("processes.see"),
        }
        (rows,) = self._transitions.read(statement("processes", "children", **wanted))
        return [Process._make(row) for row in rows]

    def events(self, id: UUID | str, *, limit: int = 100) -> builtins.list[Event]:
        """The events of a process, newest first; ``limit`` is 1–500."""
        process = self.get(id)
        limit = arguments.whole_number(limit, "limit", least=1, most=500)
        (rows,) = self._transitions.read(
            statement("events", "of_process", process_id=process.id, limit=limit)
        )
        return [Event._make(row) for row in rows]

    def timeline(self, id: UUID | str) -> builtins.list[Stretch]:
        """Where a process and each of its tasks stood, from when until when; the earliest stretch first."""
        process = self.get(id)
        (rows,) = self._transitions.read(statement("events", "turns", process_id=process.id))
        return timeline(map(Turn._make, rows))

    def _require_sight(self, process: Process) -> None:
        """Raise Forbidden unless the process may be seen: also by those who have a task in it, or whose team
        has."""
        rights = self._transitions.rights
        if rights is None:
            return
        over = rights.reach("processes.see")
        if reaches_process(rights.principal, over, process):
            return
        if over == Reach.TEAM:
            principal = rights.principal
            involved = statement(
                "processes",
                "involves",
                process_id=process.id,
                user_id=principal.user_id,
                team=principal.team,
            )
            ((row,),) = self._transitions.read(involved)
            if row[0]:
                return
        raise rights.refusal("processes.see")

    def _run(self, id: UUID | str, *, user_id: str | None = None, **common: Any) -> Process:
        def decide(state: ProcessState, work: Work) -> Changes:
            match state.process.status:
                case ProcessStatus.PENDING:
                    return self._start_held(state, work)
                case ProcessStatus.SUSPENDED:
                    return processes.resume(state, work.command)
                case _:
                    return _retry(state, work)

        return self._move("run", id, user_id, {}, common, decide)

    def _start_held(self, state: ProcessState, work: Work) -> Changes:
        changes = processes.start_held(state, work.command)
        (rows,) = work.load(statement("routing", "waiting_in_process", process_id=state.process.id))
        route(work, self._definitions, [(changes, Task._make(row)) for row in rows])
        return changes

    def _move(
        self,
        verb: str,
        id: UUID | str,
        user_id: str | None,
        given: dict[str, Any],
        common: dict[str, Any],
        decide_changes: Callable[[ProcessState, Work], Changes],
    ) -> Process:
        process_id = parse_id(id, "id")
        call, expected_version = command_call(
            self._transitions, f"processes.{verb}", user_id, {"id": process_id, **given}, common
        )

        def decide(work: Work) -> Process:
            state = self._permitted(work, process_id, expected_version)
            changes = work.settle(decide_changes(state, work))
            return work.finish(work.process_answer(changes), changes)

        return self._transitions.execute(call, decide, _PROCESS)

    def _permitted(self, work: Work, process_id: UUID, expected_version: int | None) -> ProcessState:
        """The state of a process, once it is sure that the command may be given: a version that does not fit
        would tell of the one that it has."""
        state = self._load(work, process_id)
        work.permit(state.process)
        refuse_stale(state.process.version, expected_version, state.process.status)
        return state

    def _load(self, work: Work, process_id: UUID) -> ProcessState:
        rows, last, clock_rows = work.load(
            statement("processes", "lock", process_id=process_id),
            statement("processes", "last_event_at", process_id=process_id),
            statement("sla", "open_of_process", process_id=process_id),
        )
        process = work.locked_process(rows, process_id)
        work.take_clocks(clock_rows, process)
        return ProcessState(process, last[0][0] if last else None)

    def _lock_parent(self, work: Work, parent_id: UUID | None) -> None:
        if parent_id is not None:
            (rows,) = work.load(statement("processes", "lock", process_id=parent_id))
            parent = work.locked_process(rows, parent_id)
            self._transitions.require("processes.extend", parent)
            processes.refuse_child(parent)

    def _insert(self, work: Work, process: Process, version: int | None, inherits_priority: bool) -> Process:
        if version is None:
            changes = work.settle(processes.start(process, work.command))
            return work.finish(changes.process_after(), changes, inserted=process)
        template = self._definitions.template(work, process.process_definition_id, version)
        target = process.sla_target_mins or template.sla_minutes
        process = process._replace(
            priority=(template.priority or process.priority) if inherits_priority else process.priority,
            sla_target_mins=target,
            estimated_duration_mins=process.estimated_duration_mins or template.estimated_minutes,
        )
        changes = processes.start(process, work.command)
        tasks.add_tasks(changes, None, tasks_of(template, process))
        route_ready(work, self._definitions, changes)
        work.settle(changes)
        return work.finish(changes.process_after(), changes, inserted=process)

    def _cancel_tree(self, work: Work, state: ProcessState, reason: str) -> builtins.list[Changes]:
        """Decide about a process and its descendants, locking ancestors before descendants."""
        all_changes: builtins.list[Changes] = []
        level = [state]
        while level:
            children: builtins.list[ProcessState] = []
            for parent in level:
                open_rows, child_rows = work.load(
                    statement("tasks", "open_with_assignments", process_id=parent.process.id),
                    statement("processes", "child_ids", process_id=parent.process.id),
                )
                if processes.may_cancel(parent.process):
                    affected = [affected_task(row) for row in open_rows]
                    all_changes.append(processes.cancel(parent, work.command, reason, affected))
                    children += [self._load(work, row[0]) for row in child_rows]
            level = children
        return all_changes


def _retry(state: ProcessState, work: Work) -> Changes:
    processes.refuse_unless_allowed(state.process, "retry")
    failed, first = work.load(
        statement("tasks", "failed", process_id=state.process.id),
        statement("processes", "first_open_step", process_id=state.process.id),
    )
    return processes.retry(
        state,
        work.command,
        [AffectedTask(Task._make(row), None) for row in failed],
        OpenStep._make(first[0]) if first else None,
    )


def _new_process(
    process_id: UUID,
    given: dict[str, Any],
    version: int | None,
    held: bool,
    now: datetime,
    transaction_time: datetime,
) -> Process:
    return Process(
        **{**given, "priority": given["priority"] or "medium"},
        id=process_id,
        definition_version=version,
        status=ProcessStatus.PENDING if held else ProcessStatus.RUNNING,
        current_phase=None,
        current_step=0,
        total_steps=0,
        failed_steps=0,
        progress_percentage=0.0,
        output_data={},
        created_at=now,
        started_at=None if held else now,
        completed_at=None,
        actual_duration_mins=None,
        sla_status="on_track",
        sla_breach_time=None,
        error_message=None,
        retry_count=0,
        max_retries=3,
        updated_at=transaction_time,
        version=1,
    )


def _given(*reasons: str | None) -> str:
    return next((reason for reason in reasons if reason is not None), "no reason given")
