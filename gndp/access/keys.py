"""What servers sign with: derived from the key that they are given, or from one that the database keeps.

The database's key is the one secret that is kept as it is, since signing needs it; whoever can read it can
also read everything else. A server that is given GNDP_SECRET_KEY never makes or reads it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from gndp.core.errors import Invalid, Problem
from gndp.store.queries import Row, statement
from gndp.store.session import Transaction

LEAST_SECRET_KEY = 32
"""Characters that a given key must have."""

_NAME = "servers"


class SigningKeys:
    """One key for each purpose, the same on every server of a database.

    ``secret_key`` is what the servers were given (Invalid when it is too short), None for the database's own,
    which is made when it is first asked for.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Transaction]],
        read: Callable[..., list[list[Row]]],
        now: Callable[[], datetime],
        secret_key: str | None = None,
    ) -> None:
        if secret_key is not None and len(secret_key) < LEAST_SECRET_KEY:
            raise Invalid(Problem("secret_key", f"needs at least {LEAST_SECRET_KEY} characters"))
        self._transaction = transaction
        self._read = read
        self._now = now
        self._root = None if secret_key is None else secret_key.encode()

    def key(self, purpose: str) -> bytes:
        """The key of a purpose, such as ``bearer``: 64 hexadecimal digits, of which 256 bits are random."""
        if self._root is None:
            self._root = self._kept()
        # One that was just made is not kept here: the unit of work that it is part of may yet be undone.
        root = self._root or self._made()
        return hmac.digest(root, f"gndp {purpose}".encode(), "sha256").hex().encode()

    def _kept(self) -> bytes | None:
        (rows,) = self._read(statement("signing_keys", "get", name=_NAME))
        return rows[0][0] if rows else None

    def _made(self) -> bytes:
        add = statement("signing_keys", "add", name=_NAME, secret=secrets.token_bytes(32), now=self._now())
        with self._transaction() as transaction:
            _, rows = transaction.run(add, statement("signing_keys", "get", name=_NAME))
        secret: bytes = rows[0][0]
        return secret
