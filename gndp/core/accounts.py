"""Accounts, one-time links and API tokens as callers see them: immutable read models without secrets, but for
what is told once."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from gndp.core.states import LinkPurpose


class Account(NamedTuple):
    """What may be told of an account. ``failed_attempts`` are the wrong passwords since the last right
    one."""

    user_id: str
    has_password: bool
    password_changed_at: datetime | None
    failed_attempts: int
    locked_until: datetime | None
    created_at: datetime


class OneTimeLink(NamedTuple):
    """What somebody sets a password with, once, until ``expires_at``. ``token`` is told here and never
    again."""

    token: str
    user_id: str
    purpose: LinkPurpose
    expires_at: datetime


class ApiToken(NamedTuple):
    """What may be told of a token. ``scopes`` include those that others bring along."""

    id: str
    user_id: str
    name: str
    scopes: list[str]
    created_at: datetime
    created_by: str | None
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def prefix(self) -> str:
        """How the token begins, to know it again by."""
        return f"gndp_{self.id}"


class NewToken(NamedTuple):
    """A token that was made; ``token`` is told here and never again."""

    token: str
    record: ApiToken
