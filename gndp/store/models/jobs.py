"""Scheduled jobs: who may run them, and what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import Field, SQLModel

from gndp.core.states import JobRunStatus
from gndp.store.models.columns import one_of


class JobLease(SQLModel, table=True):
    """Who may run jobs, until when, and in which epoch."""

    __tablename__ = "job_lease"
    __table_args__ = (PrimaryKeyConstraint("name", name="job_lease_pkey"),)

    name: str = Field(sa_column=Column(Text(), nullable=False))
    holder: str | None = Field(sa_column=Column(Text(), nullable=True))
    epoch: int = Field(sa_column=Column(BigInteger(), server_default=text("0"), nullable=False))
    expires_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )


class JobRuns(SQLModel, table=True):
    """What jobs did: one row per attempt at a slot."""

    __tablename__ = "job_runs"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="job_runs_pkey"),
        ForeignKeyConstraint(["lease"], ["job_lease.name"], name="job_runs_lease_fkey"),
        one_of("job_runs_status_check", "status", JobRunStatus),
        CheckConstraint("attempt >= 1", name="job_runs_attempt_check"),
        Index("job_runs_attempt_key", "job", "slot", "attempt", unique=True),
        Index(
            "job_runs_slot_key",
            "job",
            "slot",
            unique=True,
            postgresql_where=text("status IN ('running', 'succeeded')"),
        ),
        Index("job_runs_running_key", "job", unique=True, postgresql_where=text("status = 'running'")),
        Index("job_runs_started_idx", "started_at"),
    )

    id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    job: str = Field(sa_column=Column(Text(), nullable=False))
    slot: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    attempt: int = Field(sa_column=Column(Integer(), nullable=False))
    lease: str = Field(sa_column=Column(Text(), nullable=False))
    epoch: int = Field(sa_column=Column(BigInteger(), nullable=False))
    holder: str = Field(sa_column=Column(Text(), nullable=False))
    status: str = Field(sa_column=Column(Text(), nullable=False))
    started_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    duration_ms: int | None = Field(sa_column=Column(BigInteger(), nullable=True))
    details: dict[str, Any] = Field(sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False))
    error: str | None = Field(sa_column=Column(Text(), nullable=True))
