"""Who somebody is: accounts, one-time links, browser sessions, API tokens, the signing key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from gndp.core.states import LinkPurpose, TokenScope
from gndp.store.models.columns import one_of

_SCOPES = ", ".join(f"'{scope}'" for scope in TokenScope)


class Accounts(SQLModel, table=True):
    """People who can sign in, or will when they have set a password."""

    __tablename__ = "accounts"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", name="accounts_pkey"),
        ForeignKeyConstraint(["user_id"], ["people.user_id"], name="accounts_person_fkey"),
        CheckConstraint(
            "(password_hash IS NULL) = (password_changed_at IS NULL)", name="accounts_password_check"
        ),
        CheckConstraint("failed_attempts >= 0", name="accounts_failed_attempts_check"),
    )

    user_id: str = Field(sa_column=Column(Text(), nullable=False))
    password_hash: str | None = Field(sa_column=Column(Text(), nullable=True))
    password_changed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    password_generation: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    failed_attempts: int = Field(sa_column=Column(Integer(), server_default=text("0"), nullable=False))
    locked_until: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=text("now()"), nullable=False)
    )
    version: int = Field(sa_column=Column(Integer(), server_default=text("1"), nullable=False))


class OneTimeLinks(SQLModel, table=True):
    """Links with which somebody sets a password, once."""

    __tablename__ = "one_time_links"
    __table_args__ = (
        PrimaryKeyConstraint("token_hash", name="one_time_links_pkey"),
        ForeignKeyConstraint(["user_id"], ["accounts.user_id"], name="one_time_links_account_fkey"),
        ForeignKeyConstraint(["created_by"], ["people.user_id"], name="one_time_links_created_by_fkey"),
        one_of("one_time_links_purpose_check", "purpose", LinkPurpose),
        CheckConstraint("octet_length(token_hash) = 32", name="one_time_links_token_check"),
        Index("one_time_links_account_idx", "user_id"),
    )

    token_hash: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    user_id: str = Field(sa_column=Column(Text(), nullable=False))
    purpose: str = Field(sa_column=Column(Text(), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    created_by: str | None = Field(sa_column=Column(Text(), nullable=True))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    used_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


class BrowserSessions(SQLModel, table=True):
    """Signed-in browsers."""

    __tablename__ = "browser_sessions"
    __table_args__ = (
        PrimaryKeyConstraint("secret_hash", name="browser_sessions_pkey"),
        ForeignKeyConstraint(["user_id"], ["accounts.user_id"], name="browser_sessions_account_fkey"),
        CheckConstraint("octet_length(secret_hash) = 32", name="browser_sessions_secret_check"),
        Index("browser_sessions_account_idx", "user_id"),
    )

    secret_hash: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    user_id: str = Field(sa_column=Column(Text(), nullable=False))
    password_generation: int = Field(sa_column=Column(Integer(), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    last_seen_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    replaced_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


class ApiTokens(SQLModel, table=True):
    """What programs come with in a person's name, or in their own."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="api_tokens_pkey"),
        ForeignKeyConstraint(["user_id"], ["people.user_id"], name="api_tokens_person_fkey"),
        ForeignKeyConstraint(["created_by"], ["people.user_id"], name="api_tokens_created_by_fkey"),
        CheckConstraint(
            f"cardinality(scopes) > 0 AND scopes <@ ARRAY[{_SCOPES}]", name="api_tokens_scopes_check"
        ),
        CheckConstraint("expires_at > created_at", name="api_tokens_expiry_check"),
        CheckConstraint("octet_length(secret_hash) = 32", name="api_tokens_secret_check"),
        Index("api_tokens_person_idx", "user_id"),
    )

    id: str = Field(sa_column=Column(Text(), nullable=False))
    user_id: str = Field(sa_column=Column(Text(), nullable=False))
    name: str = Field(sa_column=Column(Text(), nullable=False))
    secret_hash: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text()), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    created_by: str | None = Field(sa_column=Column(Text(), nullable=True))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    last_used_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    revoked_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


class SigningKeys(SQLModel, table=True):
    """What the servers of a database sign with where they are given no key."""

    __tablename__ = "signing_keys"
    __table_args__ = (
        PrimaryKeyConstraint("name", name="signing_keys_pkey"),
        CheckConstraint("octet_length(secret) >= 32", name="signing_keys_secret_check"),
    )

    name: str = Field(sa_column=Column(Text(), nullable=False))
    secret: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
