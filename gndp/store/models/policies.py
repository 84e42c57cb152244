"""SLA policies, and what clocks run by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from gndp.store.models.columns import PgSnapshot


class SlaPolicies(SQLModel, table=True):
    """Published versions of SLA policies; only ``retired_at`` ever changes."""

    __tablename__ = "sla_policies"
    __table_args__ = (
        PrimaryKeyConstraint("name", "version", name="sla_policies_pkey"),
        CheckConstraint("version >= 1", name="sla_policies_version_check"),
    )

    name: str = Field(sa_column=Column(Text(), nullable=False))
    version: int = Field(sa_column=Column(Integer(), nullable=False))
    document: dict[str, Any] = Field(sa_column=Column(JSON(), nullable=False))
    fingerprint: str = Field(sa_column=Column(Text(), nullable=False))
    published_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    published_by: str = Field(sa_column=Column(Text(), nullable=False))
    retired_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


class SlaTerms(SQLModel, table=True):
    """What clocks run by: a policy with its calendar; rows never change."""

    __tablename__ = "sla_terms"
    __table_args__ = (PrimaryKeyConstraint("fingerprint", name="sla_terms_pkey"),)

    fingerprint: str = Field(sa_column=Column(Text(), nullable=False))
    document: dict[str, Any] = Field(sa_column=Column(JSONB(), nullable=False))


class SlaRevision(SQLModel, table=True):
    """One row: a number that moves with every change of policies and calendars."""

    __tablename__ = "sla_revision"
    __table_args__ = (
        PrimaryKeyConstraint("only_row", name="sla_revision_pkey"),
        CheckConstraint("only_row", name="sla_revision_only_row_check"),
    )

    only_row: bool = Field(sa_column=Column(Boolean(), server_default=text("true"), nullable=False))
    revision: int = Field(sa_column=Column(BigInteger(), server_default=text("1"), nullable=False))


class SlaSweeps(SQLModel, table=True):
    """One row: the last finished sweep has told everything up to an instant, of all that it could see."""

    __tablename__ = "sla_sweeps"
    __table_args__ = (
        PrimaryKeyConstraint("only_row", name="sla_sweeps_pkey"),
        CheckConstraint("only_row", name="sla_sweeps_only_row_check"),
    )

    only_row: bool = Field(sa_column=Column(Boolean(), server_default=text("true"), nullable=False))
    swept_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    snapshot: str | None = Field(sa_column=Column(PgSnapshot(), nullable=True))
