"""Processes, what they are made from, and what happened in them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Text,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import Field, SQLModel

from gndp.core.states import (
    Priority,
    ProcessStatus,
    Severity,
    SlaStatus,
)
from gndp.store.models.columns import SHORT_LIST, Xid8, one_of


class ProcessDefinitions(SQLModel, table=True):
    """Published versions of process definitions; rows never change."""

    __tablename__ = "process_definitions"
    __table_args__ = (
        PrimaryKeyConstraint("id", "version", name="process_definitions_pkey"),
        CheckConstraint("version >= 1", name="process_definitions_version_check"),
    )

    id: str = Field(sa_column=Column(Text(), nullable=False))
    version: int = Field(sa_column=Column(Integer(), nullable=False))
    name: str = Field(sa_column=Column(Text(), nullable=False))
    document: dict[str, Any] = Field(sa_column=Column(JSON(), nullable=False))
    fingerprint: str = Field(sa_column=Column(Text(), nullable=False))
    published_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    published_by: str = Field(sa_column=Column(Text(), nullable=False))


class ProcessInstances(SQLModel, table=True):
    """Processes: one row each, whatever their status."""

    __tablename__ = "process_instances"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="process_instances_pkey"),
        ForeignKeyConstraint(
            ["process_definition_id", "definition_version"],
            ["process_definitions.id", "process_definitions.version"],
            name="process_instances_definition_fkey",
        ),
        ForeignKeyConstraint(
            ["parent_process_id"], ["process_instances.id"], name="process_instances_parent_fkey"
        ),
        one_of("process_instances_status_check", "status", ProcessStatus),
        one_of("process_instances_sla_status_check", "sla_status", SlaStatus),
        one_of("process_instances_priority_check", "priority", Priority),
        CheckConstraint("progress_percentage BETWEEN 0 AND 100", name="process_instances_progress_check"),
        CheckConstraint(
            "current_step >= 0 AND failed_steps >= 0 AND current_step + failed_steps <= total_steps",
            name="process_instances_steps_check",
        ),
        CheckConstraint("sla_target_mins > 0", name="process_instances_sla_target_check"),
        CheckConstraint("retry_count >= 0 AND max_retries >= 0", name="process_instances_retries_check"),
        Index("process_instances_created_idx", desc("created_at"), desc("id")),
        Index("process_instances_started_idx", "started_at", postgresql_where=text("started_at IS NOT NULL")),
        Index(
            "process_instances_completed_idx",
            "completed_at",
            postgresql_include=["status", "sla_status"],
            postgresql_where=text("completed_at IS NOT NULL"),
        ),
        Index(
            "process_instances_breached_idx",
            "sla_breach_time",
            postgresql_where=text("sla_breach_time IS NOT NULL"),
        ),
        Index("process_instances_status_idx", "status", desc("created_at"), desc("id")),
        Index(
            "process_instances_assignee_idx",
            "assigned_to",
            desc("created_at"),
            desc("id"),
            postgresql_include=["status"],
            postgresql_where=text("assigned_to IS NOT NULL"),
        ),
        Index(
            "process_instances_type_idx",
            "process_type",
            desc("created_at"),
            desc("id"),
            postgresql_include=["status"],
        ),
        Index(
            "process_instances_parent_idx",
            "parent_process_id",
            postgresql_where=text("parent_process_id IS NOT NULL"),
        ),
        Index(
            "process_instances_sla_idx",
            "sla_breach_time",
            postgresql_where=text(
                "sla_status = 'breached' AND status IN ('pending', 'running', 'suspended')"
            ),
        ),
        Index("process_instances_due_idx", "status", text("coalesce(due_date, 'infinity')"), "id"),
        Index(
            "process_instances_priority_idx",
            "status",
            text("array_position(ARRAY['low', 'medium', 'high', 'critical'], priority)"),
            "created_at",
            "id",
        ),
        Index("process_instances_name_idx", "status", "process_name", "id"),
        Index(
            "process_instances_team_idx",
            "assigned_team",
            desc("created_at"),
            desc("id"),
            postgresql_include=["status"],
            postgresql_where=text("assigned_team IS NOT NULL"),
        ),
        Index("process_instances_definition_idx", "process_definition_id", desc("created_at"), desc("id")),
        Index(
            "process_instances_late_idx",
            "sla_status",
            desc("created_at"),
            desc("id"),
            postgresql_where=text("sla_status IN ('at_risk', 'breached')"),
        ),
        Index(
            "process_instances_business_key_idx",
            text("left(business_context ->> 'business_key', 501)"),
            postgresql_where=text("left(business_context ->> 'business_key', 501) IS NOT NULL"),
        ),
    )

    id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    process_definition_id: str = Field(sa_column=Column(Text(), nullable=False))
    definition_version: int | None = Field(sa_column=Column(Integer(), nullable=True))
    process_name: str = Field(sa_column=Column(Text(), nullable=False))
    process_type: str = Field(sa_column=Column(Text(), nullable=False))
    status: str = Field(sa_column=Column(Text(), nullable=False))
    current_phase: str | None = Field(sa_column=Column(Text(), nullable=True))
    current_step: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    total_steps: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    failed_steps: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    progress_percentage: Decimal = Field(
        sa_column=Column(Numeric(5, 2), server_default=text("0"), nullable=False)
    )
    initiated_by: str = Field(sa_column=Column(Text(), nullable=False))
    assigned_to: str | None = Field(sa_column=Column(Text(), nullable=True))
    assigned_team: str | None = Field(sa_column=Column(Text(), nullable=True))
    business_context: dict[str, Any] = Field(
        sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False)
    )
    input_data: dict[str, Any] = Field(sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False))
    output_data: dict[str, Any] = Field(
        sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False)
    )
    variables: dict[str, Any] = Field(sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    started_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    completed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    due_date: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    estimated_duration_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    actual_duration_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    sla_target_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    sla_status: str = Field(sa_column=Column(Text(), server_default=text("'on_track'"), nullable=False))
    sla_breach_time: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    priority: str = Field(sa_column=Column(Text(), server_default=text("'medium'"), nullable=False))
    tags: list[str] = Field(sa_column=Column(ARRAY(Text()), server_default=text("'{}'"), nullable=False))
    parent_process_id: UUID | None = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=True))
    auto_complete: bool = Field(sa_column=Column(Boolean(), server_default=text("true"), nullable=False))
    error_message: str | None = Field(sa_column=Column(Text(), nullable=True))
    retry_count: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    max_retries: int = Field(sa_column=Column(Integer(), server_default=text("3"), nullable=False))
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )
    version: int = Field(sa_column=Column(Integer(), server_default=text("1"), nullable=False))


class ProcessEvents(SQLModel, table=True):
    """The audit log: append-only, ordered by ``seq``, stamped with the writing transaction.

    The ``hash`` of an event seals it and those before it of its process.
    """

    __tablename__ = "process_events"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="process_events_pkey"),
        ForeignKeyConstraint(
            ["process_instance_id"], ["process_instances.id"], name="process_events_process_fkey"
        ),
        ForeignKeyConstraint(["task_id"], ["tasks.id"], name="process_events_task_fkey"),
        one_of("process_events_severity_check", "severity", Severity),
        Index("process_events_process_idx", "process_instance_id", "seq"),
        Index("process_events_task_idx", "task_id", postgresql_where=text("task_id IS NOT NULL")),
        Index("process_events_xid_idx", "xid", "seq"),
        Index("process_events_seq_idx", "seq"),
    )

    id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    seq: int = Field(sa_column=Column(BigInteger(), Identity(always=True), nullable=False))
    xid: int = Field(sa_column=Column(Xid8(), server_default=text("pg_current_xact_id()"), nullable=False))
    process_instance_id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    task_id: UUID | None = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=True))
    event_type: str = Field(sa_column=Column(Text(), nullable=False))
    event_category: str = Field(sa_column=Column(Text(), nullable=False))
    severity: str = Field(sa_column=Column(Text(), server_default=text("'info'"), nullable=False))
    user_id: str | None = Field(sa_column=Column(Text(), nullable=True))
    user_name: str | None = Field(sa_column=Column(Text(), nullable=True))
    automated: bool = Field(sa_column=Column(Boolean(), server_default=text("false"), nullable=False))
    message: str = Field(sa_column=Column(Text(), nullable=False))
    details: dict[str, Any] = Field(sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False))
    old_status: str | None = Field(sa_column=Column(Text(), nullable=True))
    new_status: str | None = Field(sa_column=Column(Text(), nullable=True))
    old_data: dict[str, Any] | None = Field(sa_column=Column(JSONB(), nullable=True))
    new_data: dict[str, Any] | None = Field(sa_column=Column(JSONB(), nullable=True))
    timestamp: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    correlation_id: str | None = Field(sa_column=Column(Text(), nullable=True))
    tags: list[str] = Field(sa_column=Column(ARRAY(Text()), server_default=text("'{}'"), nullable=False))
    causation_id: UUID | None = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=True))
    hash: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))


class DeletedProcesses(SQLModel, table=True):
    """What retention deleted, and where the chain of each process ended."""

    __tablename__ = "deleted_processes"
    __table_args__ = (PrimaryKeyConstraint("process_instance_id", "seq", name="deleted_processes_pkey"),)

    process_instance_id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    seq: int = Field(sa_column=Column(BigInteger(), nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    events: int = Field(sa_column=Column(BigInteger(), nullable=False))
    deleted_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )


class ProcessSearch(SQLModel, table=True):
    """What processes are searched by, kept by triggers: their tags, and the words of names, ids and tags."""

    __tablename__ = "process_search"
    __table_args__ = (
        PrimaryKeyConstraint("process_id", name="process_search_pkey"),
        Index("process_search_words_idx", "words", postgresql_using="gin", postgresql_with=SHORT_LIST),
        Index("process_search_tags_idx", "tags", postgresql_using="gin", postgresql_with=SHORT_LIST),
    )

    process_id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    tags: list[str] = Field(sa_column=Column(ARRAY(Text()), nullable=False))
    words: str = Field(sa_column=Column(TSVECTOR(), nullable=False))
