"""First answers of commands that carried an idempotency key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Index,
    PrimaryKeyConstraint,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


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
