"""What requests and replies look like, for validation and for the OpenAPI description.

Replies are described from the records that the workbench answers with, so that they cannot differ; fields
have their meanings from ``meanings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model

from gndp.api.meanings import EXAMPLES, FIELDS
from gndp.api.types import Count, Flag, Instant, Minutes, Name, Skills, SlaMinutes, Text
from gndp.core import explanations, records, routing
from gndp.core.states import AssignmentMethod, Priority, ProcessStatus
from gndp.core.timeline import Stretch as Stretch_


def described(
    kind: type[Any],
    name: str,
    only: frozenset[str] | None = None,
    meanings: Mapping[str, str] = {},
    **more: Any,
) -> type[BaseModel]:
    """A model of a record (a NamedTuple) with the meanings of its fields; ``only`` some, and ``more``.

    ``meanings`` has those that differ from what the field means elsewhere.
    """
    hints = {field: hint for field, hint in get_type_hints(kind).items() if only is None or field in only}
    known = {**FIELDS, **meanings}
    fields: dict[str, Any] = {
        field: (annotation, Field(description=known[field]))
        for field, annotation in {**hints, **more}.items()
    }
    return create_model(name, __doc__=(kind.__doc__ or "").split("\n\n")[0], **fields)


Process = described(records.Process, "Process")
Task = described(records.Task, "Task")
Event = described(records.Event, "Event")
Considered = described(
    routing.Considered,
    "Considered",
    meanings={"user_id": "the person", "reason": "how the score came about, or why they were left out"},
)
AssignmentExplanation = described(
    explanations.AssignmentExplanation,
    "AssignmentExplanation",
    meanings={
        "at": "since when it is so",
        "team": "the team that was looked through; null for none",
        "task_id": "the task",
    },
    considered=list[Considered],  # type: ignore[valid-type]
)
Stretch = described(
    Stretch_,
    "Stretch",
    meanings={
        "name": "the name of the task or process",
        "status": "its status; of a pending task blocked or ready, of one that waits for something waiting",
        "ends_at": "when it ended; null while it lasts; the end of an item is an instant",
    },
)
Timeline = create_model(
    "Timeline",
    __doc__="Where a process and each of its tasks stood, from when until when.",
    stretches=(list[Stretch], Field(description=FIELDS["stretches"])),  # type: ignore[valid-type]
)
Summary = described(records.Summary, "Summary")
ListedProcess = described(records.ListedProcess, "ListedProcess")
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


def given(default: Any = ..., *, name: str, **more: Any) -> Any:
    """A field of a body, with the meaning and the example of its name; one without a ``default`` must be
    there."""
    if name in EXAMPLES:
        more.setdefault("examples", [EXAMPLES[name]])
    return Field(default, description=FIELDS[name], **more)


JsonObject = dict[str, Any]


class StartProcess(Body):
    """A process to be started."""

    process_definition_id: Name = given(name="process_definition_id", examples=["purchase-loan"])
    process_name: Name = given(name="process_name", examples=["Loan file 4711"])
    process_type: Name = given(name="process_type", examples=["journey"])
    initiated_by: Name | None = given(None, name="initiated_by", examples=["ann"])
    input_data: JsonObject | None = given(None, name="input_data")
    assigned_to: Name | None = given(None, name="assigned_to")
    assigned_team: Name | None = given(None, name="assigned_team")
    priority: Priority | None = given(None, name="priority")
    sla_target_mins: SlaMinutes | None = given(None, name="sla_target_mins")
    business_context: JsonObject | None = given(None, name="business_context")
    variables: JsonObject | None = given(None, name="variables")
    id: UUID | None = given(None, name="id")
    parent_process_id: UUID | None = given(None, name="parent_process_id")
    due_date: Instant | None = given(None, name="due_date")
    estimated_duration_mins: Minutes | None = given(None, name="estimated_duration_mins")
    tags: list[Name] | None = given(None, name="tags")
    auto_complete: Flag = given(True, name="auto_complete")
    hold: Flag = given(False, name="hold")


class UpdateStatus(Body):
    """The status that a process is to have."""

    new_status: ProcessStatus = given(name="new_status")
    user_id: Name | None = given(None, name="user_id")
    error_message: Text | None = given(None, name="error_message")
    output_data: JsonObject | None = given(None, name="output_data")
    reason: Text | None = given(None, name="reason", examples=["the customer is abroad"])


class UpdateProcess(Body):
    """What is to be changed of a process."""

    user_id: Name | None = given(None, name="user_id")
    priority: Priority | None = given(None, name="priority")
    due_date: Instant | None = given(None, name="due_date")
    tags: list[Name] | None = given(None, name="tags")
    variables: JsonObject | None = given(None, name="variables")


class ByPerson(Body):
    """Who does it."""

    user_id: Name | None = given(None, name="user_id", examples=["bob"])


class WithReason(ByPerson):
    """Who does it, and why."""

    reason: Text = given(name="reason", examples=["the customer has withdrawn"])


class WithOutput(ByPerson):
    """Who has done it, and what came out."""

    output_data: JsonObject | None = given(None, name="output_data")


class WithError(ByPerson):
    """Who gives up, and what went wrong."""

    error_message: Text = given(name="error_message", examples=["the bank is closed"])


class FailTask(WithError):
    """How a task has failed."""

    final: Flag = given(False, name="final")


class CancelTask(WithReason):
    """Why a task is called off."""

    cascade: Flag = given(False, name="cascade")


class Comment(ByPerson):
    """Something to be said about it."""

    text: Text = given(name="text", examples=["the papers have come"])


class NewTask(Body):
    """One of the tasks to be added."""

    process_instance_id: UUID = given(name="process_instance_id")
    task_definition_id: Name = given(name="task_definition_id", examples=["check-papers"])
    task_name: Name = given(name="task_name", examples=["Check the papers"])
    task_type: Name = given(name="task_type", examples=["manual"])
    assigned_to: Name | None = given(None, name="assigned_to")
    assigned_team: Name | None = given(None, name="assigned_team")
    assignment_method: AssignmentMethod = given(None, name="assignment_method")
    depends_on: list[UUID] | None = given(None, name="depends_on")
    priority: Priority | None = given(None, name="priority")
    sla_target_mins: SlaMinutes | None = given(None, name="sla_target_mins")
    input_data: JsonObject | None = given(None, name="input_data")
    id: UUID | None = given(None, name="id")
    phase: Name | None = given(None, name="phase")
    due_date: Instant | None = given(None, name="due_date")
    estimated_duration_mins: Minutes | None = given(None, name="estimated_duration_mins")
    max_retries: Count = given(None, name="max_retries")
    tags: list[Name] | None = given(None, name="tags")
    notes: Text | None = given(None, name="notes")
    required_skills: Skills | None = given(None, name="required_skills")


class CreateTask(NewTask):
    """A task to be added to a process."""

    user_id: Name | None = given(None, name="user_id")


class CreateTasks(ByPerson):
    """Tasks to be added, all of them or none; they may depend on each other by the ids that they bring."""

    specifications: list[NewTask] = Field(max_length=1000, description="the tasks, in order")


class AssignTask(ByPerson):
    """Who is to have a task, or which team's queue."""

    assigned_to: Name | None = given(None, name="assigned_to", examples=["bob"])
    assignment_method: AssignmentMethod = given(AssignmentMethod.MANUAL, name="assignment_method")
    team: Name | None = given(None, name="team")


class ReassignTask(Body):
    """Who is to have a task from now on, and why."""

    new_assignee: Name = given(name="new_assignee", examples=["eve"])
    reassigned_by: Name | None = given(None, name="reassigned_by", examples=["ann"])
    reason: Text = given(name="reason", examples=["bob is on leave"])


class WaitForSomething(WithReason):
    """What a task waits for, and until when."""

    until: Instant | None = given(None, name="until")


class UpdateTask(ByPerson):
    """What is to be changed of a task."""

    priority: Priority | None = given(None, name="priority")
    due_date: Instant | None = given(None, name="due_date")
    tags: list[Name] | None = given(None, name="tags")
    notes: Text | None = given(None, name="notes")
