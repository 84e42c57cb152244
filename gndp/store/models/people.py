"""Who does the work: calendars, teams and people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
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
from sqlmodel import Field, SQLModel

from gndp.core.states import LoadMeasure, Role
from gndp.store.models.columns import one_of


class Calendars(SQLModel, table=True):
    """Working-time calendars, by name."""

    __tablename__ = "calendars"
    __table_args__ = (PrimaryKeyConstraint("name", name="calendars_pkey"),)

    name: str = Field(sa_column=Column(Text(), nullable=False))
    document: dict[str, Any] = Field(sa_column=Column(JSON(), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )
    version: int = Field(sa_column=Column(Integer(), server_default=text("1"), nullable=False))


class Teams(SQLModel, table=True):
    """Groups of people that work is routed to."""

    __tablename__ = "teams"
    __table_args__ = (
        PrimaryKeyConstraint("name", name="teams_pkey"),
        ForeignKeyConstraint(["calendar"], ["calendars.name"], name="teams_calendar_fkey"),
        # People are in teams, too: these two are added when both tables are there.
        ForeignKeyConstraint(["lead"], ["people.user_id"], name="teams_lead_fkey", use_alter=True),
        ForeignKeyConstraint(["manager"], ["people.user_id"], name="teams_manager_fkey", use_alter=True),
        one_of("teams_load_measure_check", "load_measure", LoadMeasure),
        CheckConstraint("imbalance_limit > 0", name="teams_imbalance_limit_check"),
    )

    name: str = Field(sa_column=Column(Text(), nullable=False))
    calendar: str | None = Field(sa_column=Column(Text(), nullable=True))
    lead: str | None = Field(sa_column=Column(Text(), nullable=True))
    manager: str | None = Field(sa_column=Column(Text(), nullable=True))
    load_measure: str = Field(sa_column=Column(Text(), server_default=text("'tasks'"), nullable=False))
    imbalance_limit: int | None = Field(sa_column=Column(Integer(), nullable=True))
    round_robin_position: str | None = Field(sa_column=Column(Text(), nullable=True))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )
    version: int = Field(sa_column=Column(Integer(), server_default=text("1"), nullable=False))
    imbalance_told: bool = Field(sa_column=Column(Boolean(), server_default=text("false"), nullable=False))


class People(SQLModel, table=True):
    """People and service accounts: where they belong, what they can do, when they are away."""

    __tablename__ = "people"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", name="people_pkey"),
        ForeignKeyConstraint(["team"], ["teams.name"], name="people_team_fkey"),
        ForeignKeyConstraint(["calendar"], ["calendars.name"], name="people_calendar_fkey"),
        ForeignKeyConstraint(["substitute"], ["people.user_id"], name="people_substitute_fkey"),
        one_of("people_role_check", "role", Role),
        CheckConstraint("capacity >= 1", name="people_capacity_check"),
        CheckConstraint(
            "(out_of_office_from IS NULL) = (out_of_office_until IS NULL)"
            " AND out_of_office_until > out_of_office_from",
            name="people_absence_check",
        ),
        CheckConstraint("substitute <> user_id", name="people_substitute_check"),
        Index("people_team_idx", "team"),
        Index("people_substitute_idx", "substitute", postgresql_where=text("substitute IS NOT NULL")),
    )

    user_id: str = Field(sa_column=Column(Text(), nullable=False))
    name: str = Field(sa_column=Column(Text(), nullable=False))
    email: str | None = Field(sa_column=Column(Text(), nullable=True))
    team: str | None = Field(sa_column=Column(Text(), nullable=True))
    role: str = Field(sa_column=Column(Text(), server_default=text("'worker'"), nullable=False))
    skills: dict[str, int] = Field(sa_column=Column(JSONB(), server_default=text("'{}'"), nullable=False))
    capacity: int | None = Field(sa_column=Column(Integer(), nullable=True))
    calendar: str | None = Field(sa_column=Column(Text(), nullable=True))
    out_of_office_from: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    out_of_office_until: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    substitute: str | None = Field(sa_column=Column(Text(), nullable=True))
    active: bool = Field(sa_column=Column(Boolean(), server_default=text("true"), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )
    version: int = Field(sa_column=Column(Integer(), server_default=text("1"), nullable=False))
