"""Browser sessions: a secret in a cookie stands for whoever signed in, until they are idle, late, or out.

A request finds its session in one round trip. Rows are found by the hash of the secret, which tells nobody
who reads the table how to be let in.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple

from gndp.access.identity import Identity, Proof
from gndp.access.secrets import digest, is_secret, new_secret
from gndp.core import arguments
from gndp.core.errors import Forbidden, Unauthenticated
from gndp.store.queries import Row, statement
from gndp.store.session import Transaction

IDLE = timedelta(hours=8)
"""How long a session stays good without being used."""

LIFETIME = timedelta(days=7)
"""How long a session stays good at most, however it is used and replaced; then a password is asked for."""

REPLACED_FOR = timedelta(seconds=30)
"""How long a session that was replaced stays good, for requests that were under way."""

NOTED_EVERY = timedelta(minutes=1)
"""How much later a session must be used again for that to be written down."""


class OpenedSession(NamedTuple):
    """A session that was opened: ``secret`` is for the cookie, ``csrf_token`` for the pages; told only here.

    ``expires_at`` is the end that no use puts off.
    """

    secret: str
    csrf_token: str
    expires_at: datetime
    identity: Identity


class FoundSession(NamedTuple):
    """A session that is good: whose it is, and until when at most."""

    identity: Identity
    expires_at: datetime


class Sessions:
    """Open, find, replace and close browser sessions.

    ``transaction`` gives the transaction to work in, ``read`` runs statements in one round trip, ``now`` is
    the clock, in aware UTC.
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

    def open(self, identity: Identity, replacing: str | None = None) -> OpenedSession:
        """A session for somebody who has just proved a password.

        ``replacing`` is what the browser's cookie held before, if anything: it is replaced, or closed when it
        was somebody else's. Raises Unauthenticated when the password has changed since, or the person is not
        active; Forbidden for an identity by anything but a password.
        """
        if identity.proof != Proof.PASSWORD:
            raise Forbidden("a session is opened with a password only")
        now = self._now()
        expires_at = now + LIFETIME
        with self._transaction() as transaction:
            if is_secret(replacing):
                old = {"secret_hash": digest(str(replacing)), "user_id": identity.user_id}
                transaction.run(
                    statement("sessions", "replace_own", now=now, **old),
                    statement("sessions", "close_foreign", **old),
                )
            return self._add(transaction, identity, now, expires_at)

    def find(self, secret: str) -> FoundSession:
        """Whose session it is; Unauthenticated when it is wrong, closed, expired, idle for 8 hours, replaced
        more than 30 seconds ago, from an earlier password, or of somebody who is not active."""
        if not is_secret(secret):
            raise Unauthenticated
        now = self._now()
        # It also writes, once a minute, and may do so among reads: the row is this session's own.
        (rows,) = self._read(
            statement(
                "sessions",
                "find",
                secret_hash=digest(secret),
                now=now,
                noted_since=now - NOTED_EVERY,
                **_since(now),
            )
        )
        if not rows:
            raise Unauthenticated
        expires_at, *person = rows[0]
        return FoundSession(Identity.of(person, Proof.SESSION), expires_at)

    def rotate(self, secret: str) -> OpenedSession:
        """Another secret for the same session, with the same end: whenever somebody's rights have changed.

        Raises Unauthenticated as ``find``, and for a session that was replaced already.
        """
        if not is_secret(secret):
            raise Unauthenticated
        now = self._now()
        with self._transaction() as transaction:
            (rows,) = transaction.run(
                statement(
                    "sessions",
                    "replace",
                    secret_hash=digest(secret),
                    now=now,
                    idle_since=now - IDLE,
                )
            )
            if not rows:
                raise Unauthenticated
            expires_at, *person = rows[0]
            return self._add(transaction, Identity.of(person, Proof.SESSION), now, expires_at)

    def close(self, secret: str) -> None:
        """End a session; one that there is not is closed already."""
        if is_secret(secret):
            with self._transaction() as transaction:
                transaction.run(statement("sessions", "close", secret_hash=digest(secret)))

    def close_all(self, user_id: str) -> None:
        """End every session of a person."""
        user_id = arguments.name(user_id, "user_id")
        with self._transaction() as transaction:
            transaction.run(statement("sessions", "close_all", user_id=user_id))

    @staticmethod
    def csrf_token(secret: str) -> str:
        """What a page of a session sends with everything that changes something; a foreign page cannot know
        it."""
        return hmac.digest(secret.encode(), b"gndp csrf", "sha256").hex()

    @classmethod
    def is_csrf_token(cls, secret: str, presented: str | None) -> bool:
        """Whether a page sent the token of its own session."""
        if not is_secret(secret) or not isinstance(presented, str) or not presented.isascii():
            return False
        return hmac.compare_digest(cls.csrf_token(secret), presented)

    def _add(
        self, transaction: Transaction, identity: Identity, now: datetime, expires_at: datetime
    ) -> OpenedSession:
        secret = new_secret()
        _, rows = transaction.run(
            statement("sessions", "delete_dead", user_id=identity.user_id, now=now, **_since(now)),
            statement(
                "sessions",
                "open",
                secret_hash=digest(secret),
                user_id=identity.user_id,
                password_generation=identity.password_generation,
                now=now,
                expires_at=expires_at,
            ),
        )
        if not rows:
            raise Unauthenticated
        return OpenedSession(
            secret, self.csrf_token(secret), expires_at, identity._replace(proof=Proof.SESSION)
        )


def _since(now: datetime) -> dict[str, datetime]:
    """Since when a session must have been used, and since when it may have been replaced."""
    return {"idle_since": now - IDLE, "replaced_since": now - REPLACED_FOR}
