"""Tasks: ``wb.tasks``, as ``gndp.engine.tasks`` has it."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Unpack
from uuid import UUID

from gndp.client.bulk import BulkResults, Chosen, bulk
from gndp.client.encoding import given, segment
from gndp.client.noun import Common, Creating, Noun, parted, refuse_unknown
from gndp.client.processes import PageOptions
from gndp.client.replies import record, records
from gndp.core.explanations import AssignmentExplanation
from gndp.core.records import (
    AssignedWork,
    AssignmentStats,
    ListedTask,
    MyTask,
    Task,
    TaskPage,
    Workload,
)
from gndp.core.routing import Considered
from gndp.core.values import parse_id


class TaskFilters(PageOptions, total=False):
    """What a list of tasks may be asked for."""

    process_id: UUID | str | None
    status: str | Sequence[str] | None
    substatus: str | Sequence[str] | None
    task_definition_id: str | None


class CreateOptions(Creating, total=False):
    """What may be said of a new task."""

    id: UUID | str | None
    assigned_to: str | None
    assigned_team: str | None
    assignment_method: str | None
    depends_on: Sequence[UUID | str] | None
    phase: str | None
    priority: str | None
    sla_target_mins: int | None
    due_date: datetime | None
    estimated_duration_mins: int | None
    input_data: dict[str, Any] | None
    max_retries: int | None
    tags: Sequence[str] | None
    notes: str | None
    required_skills: Mapping[str, int] | None


class Tasks(Noun):
    """Create, move and read tasks.

    Every command takes ``expected_version`` (a mismatch is a Conflict with ``stale`` set),
    ``idempotency_key`` (the first answer again for 24 hours) and ``correlation_id`` (kept on its events).
    Raises NotFound, Conflict or Invalid; a refused command has changed nothing.
    """

    def create(
        self,
        *,
        process_instance_id: UUID | str,
        task_definition_id: str,
        task_name: str,
        task_type: str,
        user_id: str | None = None,
        **optional: Unpack[CreateOptions],
    ) -> Task:
        """Add a task to a pending or running process."""
        body, options = parted(optional, CreateOptions)
        body |= given(
            process_instance_id=process_instance_id,
            task_definition_id=task_definition_id,
            task_name=task_name,
            task_type=task_type,
            user_id=user_id,
        )
        return record(Task, self._transport.command("POST", "/tasks", body, options=options))

    def create_many(
        self,
        specifications: Sequence[Mapping[str, Any]],
        *,
        user_id: str | None = None,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
    ) -> builtins.list[Task]:
        """Add up to 1,000 tasks in one transaction, each as for ``create``; ``depends_on`` may name ids that
        are made in the same call. The answer is in the order given."""
        options = {"idempotency_key": idempotency_key, "correlation_id": correlation_id}
        body = given(specifications=specifications, user_id=user_id)
        return records(Task, self._transport.command("POST", "/bulk/new-tasks", body, options=options))

    def assign(
        self,
        id: UUID | str,
        *,
        assigned_to: str | None = None,
        assignment_method: str = "manual",
        team: str | None = None,
        user_id: str | None = None,
        **common: Unpack[Common],
    ) -> Task:
        """Give a pending or assigned task to a person, or put it into a team's queue."""
        body = given(assigned_to=assigned_to, assignment_method=assignment_method, team=team, user_id=user_id)
        return self._do("assign", id, body, common)

    def claim(self, id: UUID | str, *, user_id: str | None = None, **common: Unpack[Common]) -> Task:
        """Take a ready task that nobody has."""
        return self._do("claim", id, given(user_id=user_id), common)

    def release(self, id: UUID | str, *, user_id: str | None = None, **common: Unpack[Common]) -> Task:
        """Give a task back, so that anybody may take it."""
        return self._do("release", id, given(user_id=user_id), common)

    def start(self, id: UUID | str, *, user_id: str | None = None, **common: Unpack[Common]) -> Task:
        """Begin to work on one's task; a ready one that nobody has is claimed first."""
        return self._do("start", id, given(user_id=user_id), common)

    def complete(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        output_data: dict[str, Any] | None = None,
        **common: Unpack[Common],
    ) -> Task:
        """Finish one's task; ``output_data`` must fit the step's form, if it has one."""
        return self._do("complete", id, given(user_id=user_id, output_data=output_data), common)

    def fail(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        error_message: str,
        final: bool = False,
        **common: Unpack[Common],
    ) -> Task:
        """Say that the work failed: it is tried again while retries are left; ``final=True`` fails at
        once."""
        body = given(user_id=user_id, error_message=error_message, final=final)
        return self._do("fail", id, body, common)

    def skip(
        self, id: UUID | str, *, user_id: str | None = None, reason: str, **common: Unpack[Common]
    ) -> Task:
        """Leave a pending, assigned or failed task out; it counts as done."""
        return self._do("skip", id, given(user_id=user_id, reason=reason), common)

    def cancel(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        reason: str,
        cascade: bool = False,
        **common: Unpack[Common],
    ) -> Task:
        """Call an open task off; with ``cascade=True`` also the open tasks that depend on it."""
        return self._do("cancel", id, given(user_id=user_id, reason=reason, cascade=cascade), common)

    def retry(self, id: UUID | str, *, user_id: str | None = None, **common: Unpack[Common]) -> Task:
        """Do a failed task again; its failed process runs again."""
        return self._do("retry", id, given(user_id=user_id), common)

    def reassign(
        self,
        id: UUID | str,
        *,
        new_assignee: str,
        reassigned_by: str | None = None,
        reason: str,
        **common: Unpack[Common],
    ) -> Task:
        """Give a task that somebody has to somebody else; the history keeps the reason."""
        body = given(new_assignee=new_assignee, reassigned_by=reassigned_by, reason=reason)
        return self._do("reassign", id, body, common)

    def wait(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        reason: str,
        until: datetime | None = None,
        **common: Unpack[Common],
    ) -> Task:
        """Say that one's work stands still until something outside happens, and until when, if known."""
        return self._do("wait", id, given(user_id=user_id, reason=reason, until=until), common)

    def resume(self, id: UUID | str, *, user_id: str | None = None, **common: Unpack[Common]) -> Task:
        """The waiting is over."""
        return self._do("resume", id, given(user_id=user_id), common)

    def update(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        priority: str | None = None,
        due_date: datetime | None = None,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
        **common: Unpack[Common],
    ) -> Task:
        """Change what is given of priority, due date, tags and notes of an open task."""
        body = given(user_id=user_id, priority=priority, due_date=due_date, tags=tags, notes=notes)
        return record(Task, self._transport.command("PATCH", _path(id), body, options=common))

    def comment(
        self, id: UUID | str, *, user_id: str | None = None, text: str, **common: Unpack[Common]
    ) -> Task:
        """Say something about an open task; it is kept as an event."""
        return self._do("comment", id, given(user_id=user_id, text=text), common)

    def bulk(
        self,
        verb: str,
        items: Iterable[Chosen],
        *,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        **arguments: Any,
    ) -> BulkResults[Task]:
        """Do a verb with its ``arguments`` to each of up to 500 tasks, each in a transaction of its own: one
        that is refused stops none of the others.

        ``items`` are ids, or pairs of an id and the version that it must still have.
        """
        options = {"idempotency_key": idempotency_key, "correlation_id": correlation_id}
        return bulk(self._transport, "tasks", Task, verb, items, arguments, options)

    def get(self, id: UUID | str) -> Task:
        """One task; NotFound when there is none."""
        return record(Task, self._transport.get(_path(id)))

    def list(self, **filters: Unpack[TaskFilters]) -> TaskPage:
        """A page of tasks: those of one process in their order, else newest first, unless ``sort`` says
        otherwise. Filters, search, sort and cursor are those of the workbench."""
        refuse_unknown(filters, TaskFilters)
        page = self._transport.get("/tasks", filters)
        return record(TaskPage, {**page, "tasks": records(ListedTask, page["tasks"])})

    def mine(self, user_id: str, *, limit: int = 1_000) -> builtins.list[MyTask]:
        """What a person has in running processes: due soonest first, then the most urgent; ``limit`` is
        1–1,000."""
        path = f"/tasks/my-tasks/{segment(user_id, 'user_id')}"
        return records(MyTask, self._transport.get(path, {"limit": limit}))

    def workload(self) -> builtins.list[Workload]:
        """What everybody has now, most loaded first."""
        return records(Workload, self._transport.get("/tasks/stats/workload")["user_workloads"])

    def assignment_stats(self, team: str | None = None) -> AssignmentStats:
        """Assignments of the last 7 days, of all or of one team's tasks."""
        stats = self._transport.get("/tasks/stats/assignment", {"team": team})
        people = records(AssignedWork, stats["user_workloads"])
        return record(AssignmentStats, {**stats, "user_workloads": people})

    def explain_assignment(self, id: UUID | str) -> AssignmentExplanation:
        """How a task came to its person, or why nobody has it: who was considered, the best first, with their
        scores (the lowest wins), and why the rest were left out."""
        explained = self._transport.get(f"{_path(id)}/assignment")
        considered = records(Considered, explained["considered"])
        return record(AssignmentExplanation, {**explained, "considered": considered})

    def _do(self, verb: str, id: UUID | str, body: Mapping[str, Any], common: Mapping[str, Any]) -> Task:
        path = f"{_path(id)}/{verb}"
        return record(Task, self._transport.command("POST", path, body, options=common))


def _path(id: UUID | str) -> str:
    return f"/tasks/{parse_id(id, 'id')}"
