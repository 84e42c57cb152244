"""Personal API tokens, ``gndp_<id>_<secret>``: what programs come with in a person's name, or in their own.

The id finds the row and is shown in lists; of the secret only the hash is kept. What a token may do is its
scopes' and its person's rights together: the lesser of the two.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from gndp.access.identity import Identity, Proof
from gndp.access.secrets import digest
from gndp.core import arguments
from gndp.core.accounts import ApiToken, NewToken
from gndp.core.credentials import whole_scopes
from gndp.core.errors import Conflict, Invalid, NotFound, Problem, Unauthenticated
from gndp.core.states import Role, TokenScope
from gndp.core.values import require_aware
from gndp.store.queries import Row, statement
from gndp.store.session import Transaction

LONGEST = timedelta(days=365)
"""How long a token may be good."""

NOTED_EVERY = timedelta(minutes=1)
"""How much later a token must be used again for that to be written down."""

_FORM = re.compile(r"gndp_([0-9a-f]{16})_([0-9a-f]{64})", re.ASCII)
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_NOBODYS = bytes(32)


class ApiTokens:
    """Make, verify, list and revoke personal API tokens.

    ``transaction`` gives the transaction to work in, ``read`` runs reads in one round trip, ``now`` is the
    clock, in aware UTC.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Transaction]],
        read: Callable[..., list[list[Row]]],
        now: Callable[[], datetime],
    ) -> None:
        self._transaction = transaction
        self._read = read
        self._now = now

    def create(
        self,
        user_id: str,
        name: str,
        scopes: Iterable[str],
        expires_at: datetime,
        created_by: str | None = None,
        *,
        for_program: bool = False,
    ) -> NewToken:
        """A token for a person, or a program's account, until an instant within the next 365 days.

        ``scopes`` are of read, write and admin; each brings those before it along. ``name`` says what it is
        for. Raises NotFound when there is no such person, Conflict when they are not active, or are no
        program where it is ``for_program``, Invalid for anything else.
        """
        user_id, name = arguments.name(user_id, "user_id"), arguments.name(name, "name")
        created_by = arguments.optional_name(created_by, "created_by")
        now = self._now()
        id, secret = secrets.token_hex(8), secrets.token_hex(32)
        with self._transaction() as transaction:
            add = statement(
                "api_tokens",
                "add",
                id=id,
                user_id=user_id,
                name=name,
                secret_hash=digest(secret),
                scopes=_scopes(scopes),
                now=now,
                created_by=created_by,
                expires_at=_expiry(expires_at, now),
            )
            (people,) = transaction.run(statement("accounts", "person", user_id=user_id))
            if not people:
                raise NotFound("person", user_id)
            is_active, role = people[0]
            if not is_active:
                raise Conflict(f"{user_id} is not active")
            if for_program and role != Role.SERVICE:
                raise Conflict(f"{user_id} is no program's account: people make their own tokens")
            (rows,) = transaction.run(add)
        return NewToken(f"gndp_{id}_{secret}", ApiToken._make(rows[0]))

    def verify(self, token: str) -> Identity:
        """Whose token it is, and what it is good for.

        Raises Unauthenticated for one that is wrong, expired or revoked, or of somebody who is not active.
        """
        form = _FORM.fullmatch(token) if isinstance(token, str) else None
        if form is None:
            raise Unauthenticated
        id, secret = form.groups()
        now = self._now()
        (rows,) = self._read(statement("api_tokens", "find", id=id, now=now))
        kept, scopes, last_used_at, *person = rows[0] if rows else (_NOBODYS, [], None)
        if not hmac.compare_digest(kept, digest(secret)) or not rows:
            raise Unauthenticated
        if last_used_at is None or last_used_at < now - NOTED_EVERY:
            note = statement("api_tokens", "note_use", id=id, now=now, noted_since=now - NOTED_EVERY)
            with self._transaction() as transaction:
                transaction.run(note)
        return Identity.of(person, Proof.API_TOKEN, scopes)

    def list(self, user_id: str) -> list[ApiToken]:
        """Every token of a person, also those that are good for nothing any more; the newest first."""
        user_id = arguments.name(user_id, "user_id")
        (rows,) = self._read(statement("api_tokens", "of_person", user_id=user_id))
        return [ApiToken._make(row) for row in rows]

    def revoke(self, id: str, user_id: str | None = None) -> ApiToken:
        """Make a token good for nothing, now and for ever; revoking it again changes nothing.

        With ``user_id``, only a token of that person's. Raises NotFound when there is none.
        """
        user_id = arguments.optional_name(user_id, "user_id")
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise Invalid(Problem("id", "is not the id of a token: 16 hexadecimal digits"))
        with self._transaction() as transaction:
            (rows,) = transaction.run(
                statement("api_tokens", "revoke", id=id, user_id=user_id, now=self._now())
            )
            if not rows:
                raise NotFound("token", id)
        return ApiToken._make(rows[0])

    def revoke_all(self, user_id: str) -> int:
        """Make every token of a person good for nothing; how many there were that were not so already."""
        user_id = arguments.name(user_id, "user_id")
        with self._transaction() as transaction:
            (rows,) = transaction.run(statement("api_tokens", "revoke_all", user_id=user_id, now=self._now()))
        return len(rows)


def _scopes(value: Any) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise Invalid(Problem("scopes", "must be a list of read, write, admin"))
    scopes = {arguments.member(TokenScope, scope, "scopes") for scope in value}
    if not scopes:
        raise Invalid(Problem("scopes", "must name at least one of read, write, admin"))
    return whole_scopes(scopes)


def _expiry(value: Any, now: datetime) -> datetime:
    expires_at = require_aware(value, "expires_at")
    if not now < expires_at <= now + LONGEST:
        raise Invalid(Problem("expires_at", f"must be in the future, and within {LONGEST.days} days"))
    return expires_at
