"""What requests and replies look like, for validation and for the OpenAPI description.

Replies are described from the records that the workbench answers with, so that they cannot differ; fields
have their meanings from ``meanings``.
"""

from __future__ import annotations

from typing import Any, get_type_hints
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from gndp.api.meanings import FIELDS
from gndp.core import records
from gndp.core.states import AssignmentMethod, Priority, ProcessStatus


def described(kind: type[Any], name: str, only: frozenset[str] | None = None, **more: Any) -> type[BaseModel]:
    """A model of a record (a NamedTuple) with the meanings of its fields; ``only`` some, and ``more``."""
    fields: dict[str, Any] = {
        field: (annotation, Field(description=FIELDS[field]))
        for field, annotation in get_type_hints(kind).items()
        if only is None or field in only
    }
    for field, annotation in more.items():
        fields[field] = (annotation, Field(description=FIELDS[field]))
    return create_model(name, __doc__=(kind.__doc__ or "").split("\n\n")[0], **fields)


LISTED_PROCESS_FIELDS = (
    "id",
    "process_definition_id",
    "process_name",
    "process_type",
    "status",
    "progress_percentage",
    "initiated_by",
    "assigned_to",
    "priority",
    "sla_status",
    "created_at",
    "started_at",
    "completed_at",
    "due_date",
    "assigned_team",
    "current_phase",
    "sla_breach_time",
    "tags",
    "version",
)
"""What a list says of a process: what the contract names, and what a table of processes shows beside it."""

Process = described(records.Process, "Process")
Task = described(records.Task, "Task")
Event = described(records.Event, "Event")
Summary = described(records.Summary, "Summary")
ListedProcess = described(records.Process, "ListedProcess", frozenset(LISTED_PROCESS_FIELDS))
ListedTask = described(records.Task, "ListedTask", process_name=str)
MyTask = described(records.Task, "MyTask", ready=bool, process_name=str, process_type=str)
UserWorkload = described(records.Workload, "UserWorkload")
AssignedWork = described(records.AssignedWork, "AssignedWork")
ProcessPage = described(records.ProcessPage, "ProcessPage", processes=list[ListedProcess])  # type: ignore[valid-type]
TaskPage = described(records.TaskPage, "TaskPage", tasks=list[ListedTask])  # type: ignore[valid-type]
AssignmentStats = described(
    records.AssignmentStats,
    "AssignmentStats",
    user_workloads=list[AssignedWork],  # type: ignore[valid-type]
)
WorkloadStats = create_model(
    "WorkloadStats",
    __doc__="What everybody has now, most loaded first.",
    user_workloads=(list[UserWorkload], Field(description=FIELDS["user_workloads"])),  # type: ignore[valid-type]
)


class Body(BaseModel):
    """What a request may say; an unknown field is refused, for it is a misspelt one."""

    model_config = ConfigDict(extra="forbid")


def _given(default: Any = ..., *, name: str, **more: Any) -> Any:
    return Field(default, description=FIELDS[name], **more)


JsonObject = dict[str, Any]


class StartProcess(Body):
    """A process to be started."""

    process_definition_id: str = _given(name="process_definition_id", examples=["purchase-loan"])
    process_name: str = _given(name="process_name", examples=["Loan file 4711"])
    process_type: str = _given(name="process_type", examples=["journey"])
    initiated_by: str | None = _given(None, name="initiated_by", examples=["ann"])
    input_data: JsonObject | None = _given(None, name="input_data")
    assigned_to: str | None = _given(None, name="assigned_to")
    assigned_team: str | None = _given(None, name="assigned_team")
    priority: Priority | None = _given(None, name="priority")
    sla_target_mins: int | None = _given(None, name="sla_target_mins")
    business_context: JsonObject | None = _given(None, name="business_context")
    variables: JsonObject | None = _given(None, name="variables")
    id: UUID | None = _given(None, name="id")
    parent_process_id: UUID | None = _given(None, name="parent_process_id")
    due_date: AwareDatetime | None = _given(None, name="due_date")
    estimated_duration_mins: int | None = _given(None, name="estimated_duration_mins")
    tags: list[str] | None = _given(None, name="tags")
    auto_complete: bool = _given(True, name="auto_complete")
    hold: bool = _given(False, name="hold")


class UpdateStatus(Body):
    """The status that a process is to have."""

    new_status: ProcessStatus = _given(name="new_status")
    user_id: str | None = _given(None, name="user_id")
    error_message: str | None = _given(None, name="error_message")
    output_data: JsonObject | None = _given(None, name="output_data")
    reason: str | None = _given(None, name="reason")


class UpdateProcess(Body):
    """What is to be changed of a process."""

    user_id: str | None = _given(None, name="user_id")
    priority: Priority | None = _given(None, name="priority")
    due_date: AwareDatetime | None = _given(None, name="due_date")
    tags: list[str] | None = _given(None, name="tags")
    variables: JsonObject | None = _given(None, name="variables")


class ByPerson(Body):
    """Who does it."""

    user_id: str | None = _given(None, name="user_id", examples=["bob"])


class WithReason(ByPerson):
    """Who does it, and why."""

    reason: str = _given(name="reason", examples=["the customer has withdrawn"])


class WithOutput(ByPerson):
    """Who has done it, and what came out."""

    output_data: JsonObject | None = _given(None, name="output_data")


class WithError(ByPerson):
    """Who gives up, and what went wrong."""

    error_message: str = _given(name="error_message", examples=["the bank is closed"])


class FailTask(WithError):
    """How a task has failed."""

    final: bool = _given(False, name="final")


class CancelTask(WithReason):
    """Why a task is called off."""

    cascade: bool = _given(False, name="cascade")


class Comment(ByPerson):
    """Something to be said about it."""

    text: str = _given(name="text", examples=["the papers have come"])


class CreateTask(Body):
    """A task to be added to a process."""

    process_instance_id: UUID = _given(name="process_instance_id")
    task_definition_id: str = _given(name="task_definition_id", examples=["check-papers"])
    task_name: str = _given(name="task_name", examples=["Check the papers"])
    task_type: str = _given(name="task_type", examples=["manual"])
    user_id: str | None = _given(None, name="user_id")
    assigned_to: str | None = _given(None, name="assigned_to")
    assigned_team: str | None = _given(None, name="assigned_team")
    assignment_method: AssignmentMethod | None = _given(None, name="assignment_method")
    depends_on: list[UUID] | None = _given(None, name="depends_on")
    priority: Priority | None = _given(None, name="priority")
    sla_target_mins: int | None = _given(None, name="sla_target_mins")
    input_data: JsonObject | None = _given(None, name="input_data")
    id: UUID | None = _given(None, name="id")
    phase: str | None = _given(None, name="phase")
    due_date: AwareDatetime | None = _given(None, name="due_date")
    estimated_duration_mins: int | None = _given(None, name="estimated_duration_mins")
    max_retries: int | None = _given(None, name="max_retries")
    tags: list[str] | None = _given(None, name="tags")
    notes: str | None = _given(None, name="notes")
    required_skills: dict[str, int] | None = _given(None, name="required_skills")


class AssignTask(ByPerson):
    """Who is to have a task, or which team's queue."""

    assigned_to: str | None = _given(None, name="assigned_to", examples=["bob"])
    assignment_method: AssignmentMethod = _given(AssignmentMethod.MANUAL, name="assignment_method")
    team: str | None = _given(None, name="team")


class ReassignTask(Body):
    """Who is to have a task from now on, and why."""

    new_assignee: str = _given(name="new_assignee", examples=["eve"])
    reassigned_by: str | None = _given(None, name="reassigned_by", examples=["ann"])
    reason: str = _given(name="reason", examples=["bob is on leave"])


class WaitForSomething(WithReason):
    """What a task waits for, and until when."""

    until: AwareDatetime | None = _given(None, name="until")


class UpdateTask(ByPerson):
    """What is to be changed of a task."""

    priority: Priority | None = _given(None, name="priority")
    due_date: AwareDatetime | None = _given(None, name="due_date")
    tags: list[str] | None = _given(None, name="tags")
    notes: str | None = _given(None, name="notes")
