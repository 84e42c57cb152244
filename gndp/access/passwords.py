"""Hashing of passwords: argon2id, with no difference between a wrong password and an unknown person."""

from __future__ import annotations

import secrets
from functools import cached_property
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE = 4
"""How many hashes are made at once: each takes 64 MiB, and a web server has forty threads and more."""


class Passwords:
    """Hash and verify passwords; thread-safe. ``hasher`` has the parameters, argon2-cffi's own if None."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = BoundedSemaphore(_AT_ONCE)

    def hash(self, password: str) -> str:
        """The hash of a password, with its salt and parameters."""
        with self._room:
            return self._hasher.hash(password)

    def verify(self, hash: str | None, password: str | None) -> bool:
        """Whether a hash is that of a password; it takes as long where one of them is not there."""
        stand_in = self._stand_in
        with self._room:
            try:
                self._hasher.verify(hash or stand_in, password or "")
            except (VerificationError, InvalidHashError):
                return False
        return hash is not None and password is not None

    def is_outdated(self, hash: str) -> bool:
        """Whether a hash was made with other parameters than new ones are."""
        return self._hasher.check_needs_rehash(hash)

    @cached_property
    def _stand_in(self) -> str:
        return self.hash(secrets.token_urlsafe())
