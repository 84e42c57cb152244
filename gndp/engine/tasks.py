"""Task commands and reads: ``wb.tasks``."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from gndp.core import arguments, endings, tasks
from gndp.core.changes import Changes
from gndp.core.errors import Invalid, NotFound, Problem
from gndp.core.explanations import AssignmentExplanation, explanation
from gndp.core.flow import OpenStep
from gndp.core.processes import AffectedTask
from gndp.core.records import (
    AssignedWork,
    AssignmentStats,
    ListedTask,
    MyTask,
    Process,
    Reassignment,
    Task,
    Workload,
)
from gndp.core.states import AssignmentMethod
from gndp.core.tasks import TaskState
from gndp.core.values import parse_id
from gndp.core.versions import refuse_stale
from gndp.engine import creation
from gndp.engine.calls import command_call
from gndp.engine.definitions import Definitions
from gndp.engine.lists import TaskLists
from gndp.engine.reassignment import preview
from gndp.engine.routing import route, route_ready
from gndp.engine.task_state import affected_task, load_state
from gndp.engine.transition import EVERYTHING, Transitions, Work
from gndp.store.queries import statement

_TASK: TypeAdapter[Task] = TypeAdapter(Task)
_TASKS: TypeAdapter[list[Task]] = TypeAdapter(list[Task])
_TASK_WIDTH = len(Task._fields)
_LONGEST_LIST = 1_000
_HEARD_BY_ALL = frozenset({"process.failed", "process.retried"})


class Tasks(TaskLists):
    """Create, move and read tasks.

    Every command takes ``expected_version`` (compared under the row's lock; a mismatch is a Conflict with
    ``stale`` set), ``idempotency_key`` (the first answer again for 24 hours) and ``correlation_id`` (kept on
    its events). Raises NotFound, Conflict or Invalid; a refused command has changed nothing.
    """

    def __init__(self, transitions: Transitions, definitions: Definitions) -> None:
        super().__init__(transitions)
        self._definitions = definitions

    def create(
        self,
        *,
        process_instance_id: UUID | str,
        task_definition_id: str,
        task_name: str,
        task_type: str,
        user_id: str | None = None,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        **optional: Any,
    ) -> Task:
        """Add a task to a pending or running process.

        Optional are id, assigned_to, assigned_team, assignment_method, depends_on (ids of tasks of the same
        process), phase, priority (the process's by default), sla_target_mins, due_date,
        estimated_duration_mins, input_data, max_retries, tags, notes and required_skills. Raises Invalid for
        a dependency that is unknown, in another process, or the task itself; Conflict for one that was
        cancelled.
        """
        specification = {
            "process_instance_id": process_instance_id,
            "task_definition_id": task_definition_id,
            "task_name": task_name,
            "task_type": task_type,
            **optional,
        }
        return self._create(
            "tasks.create", [specification], user_id, idempotency_key, correlation_id, places=("",)
        )[0]

    def create_many(
        self,
        specifications: Sequence[Mapping[str, Any]],
        *,
        user_id: str | None = None,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
    ) -> builtins.list[Task]:
        """Add many tasks in one transaction, each as for ``create``; ``depends_on`` may name ids that are
        made in the same call. A cycle is Invalid. The answer is in the order given."""
        if not isinstance(specifications, Sequence):
            raise Invalid(Problem("specifications", "must be a list of objects"))
        places = tuple(f"[{index}]." for index in range(len(specifications)))
        return self._create(
            "tasks.create_many", specifications, user_id, idempotency_key, correlation_id, places
        )

    def assign(
        self,
        id: UUID | str,
        *,
        assigned_to: str | None = None,
        assignment_method: str = "manual",
        team: str | None = None,
        user_id: str | None = None,
        **common: Any,
    ) -> Task:
        """Give a pending or assigned task to a person; a blocked one may be assigned ahead.

        With a team and nobody named, the task goes into the team's queue: by the manual method somebody
        claims it there, by another one somebody is chosen as soon as it is ready (assignment.needed when
        nobody can be).
        """
        person = arguments.optional_name(assigned_to, "assigned_to")
        method = arguments.assignment_method(assignment_method)
        queue = arguments.optional_name(team, "team")
        if person is None and queue is None:
            raise Invalid(Problem("assigned_to", "say who, or which team"))
        if person is not None and method != AssignmentMethod.MANUAL:
            raise Invalid(
                Problem("assignment_method", f"{method} chooses the person itself: name a team only")
            )
        given = {"assigned_to": person, "assignment_method": method, "team": queue}

        def decide(state: TaskState, work: Work) -> Changes:
            if person is not None:
                return tasks.assign(self._apart(state, work), work.command, person, method, queue)
            changes = tasks.queue(state, work.command, method, queue or "")
            if state.task.ready_at is not None:
                task = changes.task_after(state.task)
                route(work, self._definitions, [(changes, task)], afresh=True)
            return changes

        return self._move("assign", id, user_id, given, common, decide)

    def claim(self, id: UUID | str, *, user_id: str | None = None, **common: Any) -> Task:
        """Take a ready task that nobody has."""
        return self._move(
            "claim", id, user_id, {}, common, lambda s, w: tasks.claim(self._apart(s, w), w.command)
        )

    def release(self, id: UUID | str, *, user_id: str | None = None, **common: Any) -> Task:
        """Give a task back, so that anybody may take it."""
        return self._move("release", id, user_id, {}, common, lambda s, w: tasks.release(s, w.command))

    def start(self, id: UUID | str, *, user_id: str | None = None, **common: Any) -> Task:
        """Begin to work on one's task; a ready one that nobody has is claimed first."""
        return self._move(
            "start", id, user_id, {}, common, lambda s, w: tasks.start(self._apart(s, w), w.command)
        )

    def complete(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        output_data: dict[str, Any] | None = None,
        **common: Any,
    ) -> Task:
        """Finish one's task. ``output_data`` must fit the step's form, if it has one (Invalid lists every
        problem). Frees the tasks that waited for it and completes the process with its last open task."""
        output = arguments.optional_object(output_data, "output_data")

        def decide(state: TaskState, work: Work) -> Changes:
            tasks.begin(state, "complete", work.command)
            is_form = self._definitions.check_form(work, state.process, state.task, output)
            return endings.complete(state, work.command, output, is_form)

        return self._move(
            "complete", id, user_id, {"output_data": output}, common, decide, with_dependants=True
        )

    def fail(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        error_message: str,
        final: bool = False,
        **common: Any,
    ) -> Task:
        """Say that the work failed: it is tried again while retries are left, else it fails the process;
        ``final=True`` fails at once."""
        message = arguments.text(error_message, "error_message")
        at_once = arguments.flag(final, "final")
        return self._move(
            "fail",
            id,
            user_id,
            {"error_message": message, "final": at_once},
            common,
            lambda s, w: endings.fail(s, w.command, message, at_once),
        )

    def skip(self, id: UUID | str, *, user_id: str | None = None, reason: str, **common: Any) -> Task:
        """Leave a pending, assigned or failed task out; it counts as done."""
        why = arguments.text(reason, "reason")
        return self._move(
            "skip",
            id,
            user_id,
            {"reason": why},
            common,
            lambda s, w: endings.skip(s, w.command, why),
            with_dependants=True,
        )

    def cancel(
        self, id: UUID | str, *, user_id: str | None = None, reason: str, cascade: bool = False, **common: Any
    ) -> Task:
        """Call an open task off. Refused while open tasks depend on it, unless ``cascade=True`` calls those
        off too."""
        why = arguments.text(reason, "reason")
        with_behind = arguments.flag(cascade, "cascade")
        return self._move(
            "cancel",
            id,
            user_id,
            {"reason": why, "cascade": with_behind},
            common,
            lambda s, w: _cancel(s, w, why, with_behind),
        )

    def retry(self, id: UUID | str, *, user_id: str | None = None, **common: Any) -> Task:
        """Do a failed task again; its failed process runs again."""
        return self._move("retry", id, user_id, {}, common, lambda s, w: endings.retry(s, w.command))

    def reassign(
        self,
        id: UUID | str,
        *,
        new_assignee: str,
        reassigned_by: str | None = None,
        reason: str,
        **common: Any,
    ) -> Task:
        """Give a task that somebody has to somebody else; the history keeps the reason."""
        person = arguments.name(new_assignee, "new_assignee")
        giver = self._transitions.actor(reassigned_by, "reassigned_by")
        why = arguments.text(reason, "reason")
        return self._move(
            "reassign",
            id,
            giver,
            {"new_assignee": person, "reason": why},
            common,
            lambda s, w: tasks.reassign(self._apart(s, w), w.command, person, why),
        )

    def wait(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        reason: str,
        until: datetime | None = None,
        **common: Any,
    ) -> Task:
        """Say that one's work stands still until something outside happens, and until when, if known."""
        why = arguments.text(reason, "reason")
        when = arguments.optional_instant(until, "until")
        return self._move(
            "wait",
            id,
            user_id,
            {"reason": why, "until": when},
            common,
            lambda s, w: tasks.wait(s, w.command, why, when),
        )

    def resume(self, id: UUID | str, *, user_id: str | None = None, **common: Any) -> Task:
        """The waiting is over."""
        return self._move("resume", id, user_id, {}, common, lambda s, w: tasks.resume(s, w.command))

    def update(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        priority: str | None = None,
        due_date: datetime | None = None,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
        **common: Any,
    ) -> Task:
        """Change what is given of priority, due date, tags and notes of an open task."""
        columns = {
            "priority": None if priority is None else arguments.priority(priority),
            "due_date": arguments.optional_instant(due_date, "due_date"),
            "tags": None if tags is None else arguments.names(tags, "tags"),
            "notes": arguments.optional_text(notes, "notes"),
        }
        changed = {name: value for name, value in columns.items() if value is not None}
        return self._move(
            "update", id, user_id, changed, common, lambda s, w: tasks.update(s, w.command, changed)
        )

    def comment(self, id: UUID | str, *, user_id: str | None = None, text: str, **common: Any) -> Task:
        """Say something about an open task; it is kept as an event."""
        said = arguments.text(text, "text")
        return self._move(
            "comment", id, user_id, {"text": said}, common, lambda s, w: tasks.comment(s, w.command, said)
        )

    def get(self, id: UUID | str) -> Task:
        """One task; NotFound when there is none."""
        task_id = parse_id(id, "id")
        wanted = [statement("tasks", "get", task_id=task_id)]
        if self._transitions.rights is not None:
            wanted.append(statement("processes", "of_task", task_id=task_id))
        rows, *process_rows = self._transitions.read(*wanted)
        if not rows:
            raise NotFound("task", task_id)
        task = Task._make(rows[0])
        for (process_row,) in process_rows:
            self._transitions.require("tasks.see", Process._make(process_row), task)
        return task

    def mine(self, user_id: str, *, limit: int = _LONGEST_LIST) -> builtins.list[MyTask]:
        """What a person has in running processes: due soonest first, no due date last, then the most
        urgent; what is assigned and still blocked has ``ready`` False. ``limit`` is 1–1,000."""
        wanted = {
            "user_id": arguments.name(user_id, "user_id"),
            "limit": arguments.whole_number(limit, "limit", least=1, most=_LONGEST_LIST),
            **EVERYTHING,
            **self._transitions.sight("tasks.see"),
        }
        (rows,) = self._transitions.read(statement("tasks", "mine", **wanted))
        return [MyTask(Task._make(row[:_TASK_WIDTH]), *row[_TASK_WIDTH:]) for row in rows]

    def queue(self, team: str, *, limit: int = 100) -> builtins.list[ListedTask]:
        """What waits in a team's queue, ready to be claimed, in running processes: due soonest first, no due
        date last, then the most urgent. ``limit`` is 1–1,000."""
        wanted = {
            "team": arguments.name(team, "team"),
            "limit": arguments.whole_number(limit, "limit", least=1, most=_LONGEST_LIST),
            **EVERYTHING,
            **self._transitions.sight("tasks.see"),
        }
        (rows,) = self._transitions.read(statement("tasks", "queue", **wanted))
        return [ListedTask(Task._make(row[:_TASK_WIDTH]), row[_TASK_WIDTH]) for row in rows]

    def workload(self) -> builtins.list[Workload]:
        """What everybody has now, most loaded first."""
        self._transitions.require("figures.see")
        (rows,) = self._transitions.read(statement("tasks", "workload", now=self._transitions.now()))
        return [Workload._make(row) for row in rows]

    def assignment_stats(self, team: str | None = None) -> AssignmentStats:
        """Assignments of the last 7 days, of all or of one team's tasks."""
        self._transitions.require("figures.see")
        now = self._transitions.now()
        period = {"since": now - timedelta(days=7), "team": arguments.optional_name(team, "team")}
        methods, active = self._transitions.read(
            statement("assignments", "methods", **period),
            statement("assignments", "active_work", now=now, **period),
        )
        total = sum(row[1] for row in methods)
        reassigned = sum(row[2] for row in methods)
        return AssignmentStats(
            {row[0]: row[1] for row in methods},
            [AssignedWork._make(row) for row in active],
            round(100 * reassigned / total, 2) if total else 0.0,
            reassigned,
        )

    def explain_assignment(self, id: UUID | str) -> AssignmentExplanation:
        """How a task came to its person, or why nobody has it: who was considered, the best first, with their
        scores (the lowest wins), and why the rest were left out.

        A task that somebody was named for by hand has nobody considered. NotFound when there is no such
        task, Conflict when nobody has been looked for yet.
        """
        task = self.get(id)
        (rows,) = self._transitions.read(statement("routing", "explanation", task_id=task.id))
        if not rows:
            raise tasks.conflict(task, "nobody has been looked for yet")
        return explanation(task, *rows[0])

    def preview_reassignment(self, id: UUID | str, *, new_assignee: str) -> Reassignment:
        """What it would come to if a task were given to somebody else: what both would have then, and what
        stands against it. Nothing is written. NotFound when there is no such task."""
        person = arguments.name(new_assignee, "new_assignee")
        self._transitions.require("figures.see")
        return preview(self._transitions, self.get(id), person)

    def _create(
        self,
        name: str,
        specifications: Sequence[Mapping[str, Any]],
        user_id: str | None,
        idempotency_key: str | None,
        correlation_id: str | None,
        places: Sequence[str],
    ) -> builtins.list[Task]:
        given = [
            creation.specify(specification, place)
            for specification, place in zip(specifications, places, strict=True)
        ]
        common = {"idempotency_key": idempotency_key, "correlation_id": correlation_id}
        call, _ = command_call(
            self._transitions, name, user_id, {"tasks": [s._asdict() for s in given]}, common
        )
        return self._transitions.execute(
            call, lambda work: creation.create(work, self._definitions, given), _TASKS
        )

    def _move(
        self,
        verb: str,
        id: UUID | str,
        user_id: str | None,
        given: dict[str, Any],
        common: dict[str, Any],
        decide_changes: Callable[[TaskState, Work], Changes],
        with_dependants: bool = False,
    ) -> Task:
        task_id = parse_id(id, "id")
        call, expected_version = command_call(
            self._transitions, f"tasks.{verb}", user_id, {"id": task_id, **given}, common
        )

        def decide(work: Work) -> Task:
            state = load_state(work, task_id, with_dependants)
            # Before the version, which is told when it does not fit.
            work.permit(state.process, state.task, _action(verb, state.task))
            refuse_stale(state.task.version, expected_version, state.task.status)
            changes = decide_changes(state, work)
            route_ready(work, self._definitions, changes)
            _take_clocks_of_others(work, state, changes)
            work.settle(changes)
            return work.finish(work.task_answer(changes, state.task), changes)

        return self._transitions.execute(call, decide, _TASK)

    def _apart(self, state: TaskState, work: Work) -> TaskState:
        kept_apart = self._definitions.kept_apart(work, state.process, state.task)
        return state._replace(kept_apart=kept_apart) if kept_apart else state


def _action(verb: str, task: Task) -> str:
    """What a command asks for: to start a task that nobody has is to claim it first."""
    return "tasks.claim" if verb == "start" and task.assigned_to is None else f"tasks.{verb}"


def _take_clocks_of_others(work: Work, state: TaskState, changes: Changes) -> None:
    """Where what was decided is not about this task alone, the other tasks' clocks hear it too."""
    is_heard_by_all = any(event.event_type in _HEARD_BY_ALL for event in changes.events)
    if is_heard_by_all or len(changes.task_columns) > 1:
        ids = [state.task.id, *(dependant.id for dependant in state.dependants)]
        wanted = statement("sla", "of_tasks_and_open", process_id=state.process.id, task_ids=ids)
        work.take_clocks(work.load(wanted)[0], state.process)


def _cancel(state: TaskState, work: Work, reason: str, cascade: bool) -> Changes:
    tasks.begin(state, "cancel", work.command)
    (rows,) = work.load(statement("tasks", "open_with_assignments", process_id=state.process.id))
    open_tasks = {row[0]: affected_task(row) for row in rows}
    behind = _open_behind(state.task, open_tasks)
    if not cascade:
        endings.refuse_open_dependants(state, len(behind))
    gone = {state.task.id, *(item.task.id for item in behind)}
    remaining = [item.task for id, item in open_tasks.items() if id not in gone]
    first = OpenStep(remaining[0].position, remaining[0].phase) if remaining else None
    return endings.cancel(state, work.command, reason, behind, first)


def _open_behind(task: Task, open_tasks: Mapping[UUID, AffectedTask]) -> list[AffectedTask]:
    """The open tasks that wait for a task, directly or not, in the order of their positions."""
    found: dict[UUID, AffectedTask] = {}
    waiting = [task]
    while waiting:
        for id in waiting.pop().blocking:
            if id in open_tasks and id not in found:
                found[id] = open_tasks[id]
                waiting.append(open_tasks[id].task)
    return sorted(found.values(), key=lambda item: item.task.position)
