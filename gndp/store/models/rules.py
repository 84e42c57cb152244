"""Rules that route, assign and escalate."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    DateTime,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import Field, SQLModel

from gndp.core.states import (
    RuleAction,
    RuleScope,
    RuleType,
)
from gndp.store.models.columns import one_of


class WorkflowRules(SQLModel, table=True):
    """Rules that route, assign and escalate; what reads them comes later."""

    __tablename__ = "workflow_rules"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="workflow_rules_pkey"),
        UniqueConstraint("rule_name", name="workflow_rules_rule_name_key"),
        one_of("workflow_rules_rule_type_check", "rule_type", RuleType),
        one_of("workflow_rules_applies_to_check", "applies_to", RuleScope),
        one_of("workflow_rules_action_type_check", "action_type", RuleAction),
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
