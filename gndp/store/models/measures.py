"""How items stood against their targets, and figures by hour or day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import Field, SQLModel

from gndp.core.states import (
    SlaMetricType,
    SlaStatus,
)
from gndp.store.models.columns import one_of


class SlaMetrics(SQLModel, table=True):
    """SLA clocks: how items stand against their targets."""

    __tablename__ = "sla_metrics"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="sla_metrics_pkey"),
        ForeignKeyConstraint(
            ["process_instance_id"], ["process_instances.id"], name="sla_metrics_process_fkey"
        ),
        ForeignKeyConstraint(["task_id"], ["tasks.id"], name="sla_metrics_task_fkey"),
        one_of("sla_metrics_metric_type_check", "metric_type", SlaMetricType),
        one_of("sla_metrics_status_check", "status", SlaStatus),
        CheckConstraint("target_duration_mins > 0", name="sla_metrics_target_check"),
        ForeignKeyConstraint(["terms"], ["sla_terms.fingerprint"], name="sla_metrics_terms_fkey"),
        UniqueConstraint(
            "process_instance_id",
            "task_id",
            "objective",
            name="sla_metrics_objective_key",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("ended IN ('stopped', 'cancelled')", name="sla_metrics_ended_check"),
        CheckConstraint(
            "(ended IS NULL) = (end_time IS NULL) "
            "AND (running_since IS NULL OR (end_time IS NULL AND paused_at IS NULL)) "
            "AND (running_since IS NOT NULL OR end_time IS NOT NULL OR paused_at IS NOT NULL)",
            name="sla_metrics_standing_check",
        ),
        CheckConstraint("warnings_told >= 0 AND escalations_told >= 0", name="sla_metrics_told_check"),
        Index("sla_metrics_next_idx", "next_at", "id", postgresql_where=text("next_at IS NOT NULL")),
        Index("sla_metrics_open_idx", "process_instance_id", postgresql_where=text("end_time IS NULL")),
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
    policy_name: str = Field(sa_column=Column(Text(), nullable=False))
    objective: str = Field(sa_column=Column(Text(), nullable=False))
    terms: str = Field(sa_column=Column(Text(), nullable=False))
    due_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    original_due_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    elapsed_microseconds: int = Field(
        sa_column=Column(BigInteger(), server_default=text("0"), nullable=False)
    )
    running_since: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    paused_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    paused_by: list[list[str | None]] = Field(
        sa_column=Column(JSONB(), server_default=text("'[]'"), nullable=False)
    )
    ended: str | None = Field(sa_column=Column(Text(), nullable=True))
    warnings_told: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    escalations_told: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    next_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    at_risk_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


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
