"""Tasks and who had them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import Field, SQLModel

from gndp.core.states import (
    AssignmentMethod,
    AssignmentStatus,
    Priority,
    SlaStatus,
    TaskStatus,
    TaskSubstatus,
)
from gndp.store.models.columns import SHORT_LIST, one_of


class Tasks(SQLModel, table=True):
    """Tasks of processes."""

    __tablename__ = "tasks"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="tasks_pkey"),
        ForeignKeyConstraint(["process_instance_id"], ["process_instances.id"], name="tasks_process_fkey"),
        one_of("tasks_status_check", "status", TaskStatus),
        one_of("tasks_substatus_check", "substatus", TaskSubstatus),
        one_of("tasks_sla_status_check", "sla_status", SlaStatus),
        one_of("tasks_priority_check", "priority", Priority),
        one_of("tasks_assignment_method_check", "assignment_method", AssignmentMethod),
        CheckConstraint("open_dependencies >= 0", name="tasks_open_dependencies_check"),
        CheckConstraint("sla_target_mins > 0", name="tasks_sla_target_check"),
        CheckConstraint("retry_count >= 0 AND max_retries >= 0", name="tasks_retries_check"),
        Index("tasks_created_idx", desc("created_at"), desc("id")),
        Index("tasks_status_idx", "status", desc("created_at"), desc("id")),
        Index(
            "tasks_assignee_idx",
            "assigned_to",
            desc("created_at"),
            desc("id"),
            postgresql_include=["status"],
            postgresql_where=text("assigned_to IS NOT NULL"),
        ),
        Index(
            "tasks_waiting_idx",
            "assigned_team",
            "ready_at",
            postgresql_where=text(
                "status = 'pending' AND ready_at IS NOT NULL AND assignment_method <> 'manual'"
            ),
        ),
        Index(
            "tasks_claimable_idx",
            "assigned_team",
            "due_date",
            postgresql_where=text("status = 'pending' AND ready_at IS NOT NULL"),
        ),
        Index("tasks_process_idx", "process_instance_id", "position", postgresql_include=["status"]),
        Index(
            "tasks_open_idx",
            "process_instance_id",
            "position",
            postgresql_include=["phase"],
            postgresql_where=text("status IN ('pending', 'assigned', 'in_progress')"),
        ),
        Index(
            "tasks_mine_idx",
            "assigned_to",
            "due_date",
            postgresql_where=text("status IN ('assigned', 'in_progress')"),
        ),
        Index(
            "tasks_sla_idx",
            "sla_breach_time",
            postgresql_where=text(
                "sla_status = 'breached' AND status IN ('pending', 'assigned', 'in_progress')"
            ),
        ),
        Index("tasks_due_idx", "status", text("coalesce(due_date, 'infinity')"), "id"),
        Index(
            "tasks_priority_idx",
            "status",
            text("array_position(ARRAY['low', 'medium', 'high', 'critical'], priority)"),
            "created_at",
            "id",
        ),
        Index("tasks_name_idx", "status", "task_name", "id"),
        Index(
            "tasks_team_idx",
            "assigned_team",
            desc("created_at"),
            desc("id"),
            postgresql_include=["status"],
            postgresql_where=text("assigned_team IS NOT NULL"),
        ),
        Index(
            "tasks_late_idx",
            "sla_status",
            desc("created_at"),
            desc("id"),
            postgresql_where=text("sla_status IN ('at_risk', 'breached')"),
        ),
    )

    id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    process_instance_id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    task_definition_id: str = Field(sa_column=Column(Text(), nullable=False))
    task_name: str = Field(sa_column=Column(Text(), nullable=False))
    task_type: str = Field(sa_column=Column(Text(), nullable=False))
    status: str = Field(sa_column=Column(Text(), nullable=False))
    substatus: str | None = Field(sa_column=Column(Text(), nullable=True))
    phase: str | None = Field(sa_column=Column(Text(), nullable=True))
    position: int = Field(sa_column=Column(Integer(), nullable=False))
    assigned_to: str | None = Field(sa_column=Column(Text(), nullable=True))
    assigned_team: str | None = Field(sa_column=Column(Text(), nullable=True))
    assignment_method: str = Field(sa_column=Column(Text(), server_default=text("'manual'"), nullable=False))
    claimed_by: str | None = Field(sa_column=Column(Text(), nullable=True))
    claimed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    depends_on: list[UUID] = Field(
        sa_column=Column(ARRAY(PG_UUID(as_uuid=True)), server_default=text("'{}'"), nullable=False)
    )
    blocking: list[UUID] = Field(
        sa_column=Column(ARRAY(PG_UUID(as_uuid=True)), server_default=text("'{}'"), nullable=False)
    )
    open_dependencies: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    ready_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    input_data: dict[str, Any] = Field(sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False))
    output_data: dict[str, Any] = Field(
        sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False)
    )
    form_data: dict[str, Any] = Field(sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    started_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    completed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    due_date: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    estimated_duration_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    actual_duration_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    sla_target_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    sla_status: str = Field(sa_column=Column(Text(), server_default=text("'on_track'"), nullable=False))
    sla_breach_time: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    retry_count: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    max_retries: int = Field(sa_column=Column(Integer(), server_default=text("3"), nullable=False))
    error_message: str | None = Field(sa_column=Column(Text(), nullable=True))
    priority: str = Field(sa_column=Column(Text(), server_default=text("'medium'"), nullable=False))
    tags: list[str] = Field(sa_column=Column(ARRAY(Text()), server_default=text("'{}'"), nullable=False))
    notes: str | None = Field(sa_column=Column(Text(), nullable=True))
    wait_until: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )
    version: int = Field(sa_column=Column(Integer(), server_default=text("1"), nullable=False))
    required_skills: dict[str, int] = Field(
        sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False)
    )


class TaskSearch(SQLModel, table=True):
    """What tasks are searched by, kept by triggers: definition, tags, words of names, ids, tags, notes."""

    __tablename__ = "task_search"
    __table_args__ = (
        PrimaryKeyConstraint("task_id", name="task_search_pkey"),
        Index("task_search_words_idx", "words", postgresql_using="gin", postgresql_with=SHORT_LIST),
        Index("task_search_tags_idx", "tags", postgresql_using="gin", postgresql_with=SHORT_LIST),
        Index("task_search_definition_idx", "task_definition_id", "task_id"),
    )

    task_id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    task_definition_id: str = Field(sa_column=Column(Text(), nullable=False))
    tags: list[str] = Field(sa_column=Column(ARRAY(Text()), nullable=False))
    words: str = Field(sa_column=Column(TSVECTOR(), nullable=False))


class TaskAssignments(SQLModel, table=True):
    """Who had which task, and how it ended."""

    __tablename__ = "task_assignments"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="task_assignments_pkey"),
        ForeignKeyConstraint(["task_id"], ["tasks.id"], name="task_assignments_task_fkey"),
        one_of("task_assignments_method_check", "assignment_method", AssignmentMethod),
        one_of("task_assignments_status_check", "status", AssignmentStatus),
        Index(
            "task_assignments_active_key", "task_id", unique=True, postgresql_where=text("status = 'active'")
        ),
        Index("task_assignments_task_idx", "task_id"),
        Index("task_assignments_assigned_at_idx", "assigned_at"),
    )

    id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    task_id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    assigned_to: str = Field(sa_column=Column(Text(), nullable=False))
    assigned_by: str | None = Field(sa_column=Column(Text(), nullable=True))
    assignment_method: str = Field(sa_column=Column(Text(), server_default=text("'manual'"), nullable=False))
    status: str = Field(sa_column=Column(Text(), server_default=text("'active'"), nullable=False))
    assigned_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    accepted_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    completed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    time_to_accept_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    time_to_complete_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    reason: str | None = Field(sa_column=Column(Text(), nullable=True))
