"""The tables as SQLModel classes: what the migrations must arrive at.

The engine's hot path does not use them (it runs named SQL); lists are composed from their columns, and a
test migrates an empty database and finds no difference from them. Validation happens at the engine's edge,
for table classes skip it; the CHECK constraints hold in the database whoever writes.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field, SQLModel

from gndp.core.states import (
    AssignmentMethod,
    AssignmentStatus,
    Priority,
    ProcessStatus,
    RuleAction,
    RuleScope,
    RuleType,
    Severity,
    SlaMetricType,
    SlaStatus,
    TaskStatus,
    TaskSubstatus,
)


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in DDL."""
        return "xid8"


def _one_of(name: str, column: str, members: type[StrEnum]) -> CheckConstraint:
    values = ", ".join(f"'{member}'" for member in members)
    return CheckConstraint(f"{column} IN ({values})", name=name)


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
    document: dict[str, Any] = Field(sa_column=Column(JSONB(), nullable=False))
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
        _one_of("process_instances_status_check", "status", ProcessStatus),
        _one_of("process_instances_sla_status_check", "sla_status", SlaStatus),
        _one_of("process_instances_priority_check", "priority", Priority),
        CheckConstraint("progress_percentage BETWEEN 0 AND 100", name="process_instances_progress_check"),
        CheckConstraint(
            "current_step >= 0 AND failed_steps >= 0 AND current_step + failed_steps <= total_steps",
            name="process_instances_steps_check",
        ),
        CheckConstraint("sla_target_mins > 0", name="process_instances_sla_target_check"),
        CheckConstraint("retry_count >= 0 AND max_retries >= 0", name="process_instances_retries_check"),
        Index("process_instances_created_idx", desc("created_at"), desc("id")),
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
            "due_date",
            postgresql_where=text(
                "sla_status = 'breached' AND status IN ('pending', 'running', 'suspended')"
            ),
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


class Tasks(SQLModel, table=True):
    """Tasks of processes."""

    __tablename__ = "tasks"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="tasks_pkey"),
        ForeignKeyConstraint(["process_instance_id"], ["process_instances.id"], name="tasks_process_fkey"),
        _one_of("tasks_status_check", "status", TaskStatus),
        _one_of("tasks_substatus_check", "substatus", TaskSubstatus),
        _one_of("tasks_sla_status_check", "sla_status", SlaStatus),
        _one_of("tasks_priority_check", "priority", Priority),
        _one_of("tasks_assignment_method_check", "assignment_method", AssignmentMethod),
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
            "due_date",
            postgresql_where=text(
                "sla_status = 'breached' AND status IN ('pending', 'assigned', 'in_progress')"
            ),
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


class ProcessEvents(SQLModel, table=True):
    """The audit log: append-only, ordered by ``seq``, stamped with the writing transaction."""

    __tablename__ = "process_events"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="process_events_pkey"),
        ForeignKeyConstraint(
            ["process_instance_id"], ["process_instances.id"], name="process_events_process_fkey"
        ),
        ForeignKeyConstraint(["task_id"], ["tasks.id"], name="process_events_task_fkey"),
        _one_of("process_events_severity_check", "severity", Severity),
        Index("process_events_process_idx", "process_instance_id", "seq"),
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


class SlaMetrics(SQLModel, table=True):
    """How items stood against their targets."""

    __tablename__ = "sla_metrics"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="sla_metrics_pkey"),
        ForeignKeyConstraint(
            ["process_instance_id"], ["process_instances.id"], name="sla_metrics_process_fkey"
        ),
        ForeignKeyConstraint(["task_id"], ["tasks.id"], name="sla_metrics_task_fkey"),
        _one_of("sla_metrics_metric_type_check", "metric_type", SlaMetricType),
        _one_of("sla_metrics_status_check", "status", SlaStatus),
        CheckConstraint("target_duration_mins > 0", name="sla_metrics_target_check"),
        Index("sla_metrics_process_idx", "process_instance_id"),
        Index("sla_metrics_task_idx", "task_id", postgresql_where=text("task_id IS NOT NULL")),
    )

    id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    process_instance_id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    task_id: UUID | None = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=True))
    metric_type: str = Field(sa_column=Column(Text(), nullable=False))
    target_duration_mins: int = Field(sa_column=Column(Integer(), nullable=False))
    warning_threshold_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    actual_duration_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    start_time: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    end_time: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    status: str = Field(sa_column=Column(Text(), server_default=text("'on_track'"), nullable=False))
    breach_amount_mins: int | None = Field(sa_column=Column(Integer(), nullable=True))
    business_impact: str | None = Field(sa_column=Column(Text(), nullable=True))
    escalation_required: bool = Field(
        sa_column=Column(Boolean(), server_default=text("false"), nullable=False)
    )
    escalated_to: str | None = Field(sa_column=Column(Text(), nullable=True))
    escalated_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )
    version: int = Field(sa_column=Column(Integer(), server_default=text("1"), nullable=False))


class TaskAssignments(SQLModel, table=True):
    """Who had which task, and how it ended."""

    __tablename__ = "task_assignments"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="task_assignments_pkey"),
        ForeignKeyConstraint(["task_id"], ["tasks.id"], name="task_assignments_task_fkey"),
        _one_of("task_assignments_method_check", "assignment_method", AssignmentMethod),
        _one_of("task_assignments_status_check", "status", AssignmentStatus),
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


class WorkflowRules(SQLModel, table=True):
    """Rules that route, assign and escalate; what reads them comes later."""

    __tablename__ = "workflow_rules"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="workflow_rules_pkey"),
        UniqueConstraint("rule_name", name="workflow_rules_rule_name_key"),
        _one_of("workflow_rules_rule_type_check", "rule_type", RuleType),
        _one_of("workflow_rules_applies_to_check", "applies_to", RuleScope),
        _one_of("workflow_rules_action_type_check", "action_type", RuleAction),
    )

    id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    rule_name: str = Field(sa_column=Column(Text(), nullable=False))
    rule_type: str = Field(sa_column=Column(Text(), nullable=False))
    applies_to: str = Field(sa_column=Column(Text(), server_default=text("'all'"), nullable=False))
    process_type: str | None = Field(sa_column=Column(Text(), nullable=True))
    process_definition_id: str | None = Field(sa_column=Column(Text(), nullable=True))
    condition_expression: dict[str, Any] = Field(sa_column=Column(JSONB(), nullable=False))
    action_type: str = Field(sa_column=Column(Text(), nullable=False))
    action_config: dict[str, Any] = Field(
        sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False)
    )
    enabled: bool = Field(sa_column=Column(Boolean(), server_default=text("true"), nullable=False))
    priority: int = Field(sa_column=Column(Integer(), server_default=text("100"), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    created_by: str = Field(sa_column=Column(Text(), nullable=False))
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )
    updated_by: str | None = Field(sa_column=Column(Text(), nullable=True))
    description: str | None = Field(sa_column=Column(Text(), nullable=True))
    tags: list[str] = Field(sa_column=Column(ARRAY(Text()), server_default=text("'{}'"), nullable=False))
    version: int = Field(sa_column=Column(Integer(), server_default=text("1"), nullable=False))


class PerformanceMetrics(SQLModel, table=True):
    """Figures by hour or day and dimension."""

    __tablename__ = "performance_metrics"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="performance_metrics_pkey"),
        UniqueConstraint(
            "metric_date",
            "metric_hour",
            "process_type",
            "process_definition_id",
            "user_id",
            "team",
            name="performance_metrics_dimensions_key",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("metric_hour BETWEEN 0 AND 23", name="performance_metrics_hour_check"),
        CheckConstraint("sla_compliance_rate BETWEEN 0 AND 100", name="performance_metrics_compliance_check"),
        CheckConstraint("error_rate BETWEEN 0 AND 100", name="performance_metrics_error_rate_check"),
    )

    id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    metric_date: date = Field(sa_column=Column(Date(), nullable=False))
    metric_hour: int | None = Field(sa_column=Column(Integer(), nullable=True))
    process_type: str | None = Field(sa_column=Column(Text(), nullable=True))
    process_definition_id: str | None = Field(sa_column=Column(Text(), nullable=True))
    user_id: str | None = Field(sa_column=Column(Text(), nullable=True))
    team: str | None = Field(sa_column=Column(Text(), nullable=True))
    processes_started: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    processes_completed: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    processes_failed: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    tasks_completed: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    tasks_failed: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    avg_process_duration_mins: float | None = Field(sa_column=Column(Double(), nullable=True))
    avg_task_duration_mins: float | None = Field(sa_column=Column(Double(), nullable=True))
    sla_breaches: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    sla_compliance_rate: Decimal | None = Field(sa_column=Column(Numeric(5, 2), nullable=True))
    error_rate: Decimal | None = Field(sa_column=Column(Numeric(5, 2), nullable=True))
    rework_count: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )
    version: int = Field(sa_column=Column(Integer(), server_default=text("1"), nullable=False))


class IdempotencyKeys(SQLModel, table=True):
    """First answers of commands that carried an idempotency key."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "command", "key", name="idempotency_keys_pkey"),
        Index("idempotency_keys_expiry_idx", "expires_at"),
    )

    user_id: str = Field(sa_column=Column(Text(), nullable=False))
    command: str = Field(sa_column=Column(Text(), nullable=False))
    key: str = Field(sa_column=Column(Text(), nullable=False))
    arguments: str = Field(sa_column=Column(Text(), nullable=False))
    answer: dict[str, Any] = Field(sa_column=Column(JSONB(), nullable=False))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
