"""Durable subscriptions: where each stands in the event log, and what it could not handle yet."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import Field, SQLModel

from gndp.core.states import DeliveryStatus
from gndp.store.models.columns import PgSnapshot, one_of

_NOW = text("clock_timestamp()")
_ZERO = text("0")


class EventLog(SQLModel, table=True):
    """One row: the cluster whose transaction ids positions in the log are told by."""

    __tablename__ = "event_log"
    __table_args__ = (
        PrimaryKeyConstraint("only_row", name="event_log_pkey"),
        CheckConstraint("only_row", name="event_log_only_row_check"),
    )

    only_row: bool = Field(sa_column=Column(Boolean(), server_default=text("true"), nullable=False))
    system_identifier: int = Field(sa_column=Column(BigInteger(), nullable=False))


class EventSubscriptions(SQLModel, table=True):
    """Who reads the event log, and how far each has come."""

    __tablename__ = "event_subscriptions"
    __table_args__ = (
        PrimaryKeyConstraint("name", name="event_subscriptions_pkey"),
        CheckConstraint("passed >= 0", name="event_subscriptions_passed_check"),
    )

    name: str = Field(sa_column=Column(Text(), nullable=False))
    pattern: str = Field(sa_column=Column(Text(), nullable=False))
    starts_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    started_from: str = Field(sa_column=Column(PgSnapshot(), nullable=False))
    read_from: str = Field(sa_column=Column(PgSnapshot(), nullable=False))
    read_to: str = Field(sa_column=Column(PgSnapshot(), nullable=False))
    last_seq: int = Field(sa_column=Column(BigInteger(), server_default=_ZERO, nullable=False))
    passed: int = Field(sa_column=Column(BigInteger(), server_default=_ZERO, nullable=False))
    passed_seqs: Decimal = Field(sa_column=Column(Numeric(), server_default=_ZERO, nullable=False))
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=_NOW, nullable=False)
    )
    moved_at: datetime = Field(sa_column=Column(DateTime(timezone=True), server_default=_NOW, nullable=False))


class EventDeliveries(SQLModel, table=True):
    """Events that a subscription has passed without their being handled."""

    __tablename__ = "event_deliveries"
    __table_args__ = (
        PrimaryKeyConstraint("subscription", "seq", name="event_deliveries_pkey"),
        ForeignKeyConstraint(
            ["subscription"],
            ["event_subscriptions.name"],
            ondelete="CASCADE",
            name="event_deliveries_subscription_fkey",
        ),
        ForeignKeyConstraint(
            ["process_instance_id"],
            ["process_instances.id"],
            name="event_deliveries_process_fkey",
        ),
        one_of("event_deliveries_status_check", "status", DeliveryStatus),
        CheckConstraint("attempts >= 0", name="event_deliveries_attempts_check"),
        Index("event_deliveries_process_idx", "process_instance_id", "subscription", "seq"),
        Index(
            "event_deliveries_due_idx",
            "subscription",
            "due_at",
            postgresql_where=text("status = 'retrying'"),
        ),
    )

    subscription: str = Field(sa_column=Column(Text(), nullable=False))
    seq: int = Field(sa_column=Column(BigInteger(), nullable=False))
    process_instance_id: UUID = Field(sa_column=Column(PG_UUID(as_uuid=True), nullable=False))
    status: str = Field(sa_column=Column(Text(), nullable=False))
    attempts: int = Field(sa_column=Column(Integer(), server_default=_ZERO, nullable=False))
    due_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    error: str | None = Field(sa_column=Column(Text(), nullable=True))
    parked_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=_NOW, nullable=False)
    )
