"""The rules about what proves who somebody is: which passwords are good, and when guessing is stopped.

A password needs length, not special characters: NIST SP 800-63B-4 asks for 15 characters where nothing else
is asked for, wants every character admitted, and forbids other rules of composition. What is refused besides
is what guessing begins with: the user's id, one piece over and over, rows of the keyboard or the alphabet.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from gndp.core.errors import Invalid, Problem
from gndp.core.states import TokenScope
from gndp.core.values import validate_texts

LEAST_PASSWORD = 15
"""Characters that a password must have."""

MOST_PASSWORD = 256
"""Characters that a password may have; all of them count."""

FAILURES_UNTIL_LOCKED = 5
"""How many wrong passwords in a row lock an account, and how many more lock it again."""

FIRST_LOCK = timedelta(minutes=15)
"""How long the first lock holds; each further one holds twice as long."""

LONGEST_LOCK = timedelta(hours=24)
"""How long a lock holds at most."""

_LEAST_DIFFERENT = 5
_ROWS = ("0123456789" * 30, "abcdefghijklmnopqrstuvwxyz" * 12, "qwertyuiopasdfghjklzxcvbnm" * 12)


class Standing(NamedTuple):
    """How an account stands with guessing: wrong passwords since the last right one, and a lock if any."""

    failed_attempts: int
    locked_until: datetime | None

    def is_locked(self, now: datetime) -> bool:
        """Whether no password is good at an instant, not even the right one."""
        return self.locked_until is not None and now < self.locked_until


def after_failure(standing: Standing, now: datetime) -> Standing:
    """How an account stands after one more wrong password.

    While it is locked nothing is counted, or whoever guesses could keep the lock up without an end.
    """
    if standing.is_locked(now):
        return standing
    failures = standing.failed_attempts + 1
    if failures % FAILURES_UNTIL_LOCKED:
        return Standing(failures, None)
    doublings = min(failures // FAILURES_UNTIL_LOCKED - 1, 10)
    return Standing(failures, now + min(FIRST_LOCK * 2**doublings, LONGEST_LOCK))


def new_password(value: Any, place: str, *, user_id: str) -> str:
    """A password that somebody chose, as it is hashed; Invalid says what is wrong with it, never quoting
    it."""
    if not isinstance(value, str):
        raise Invalid(Problem(place, f"must be a text, not {type(value).__name__}"))
    if problems := validate_texts(value, place):
        raise Invalid(*problems)
    password = presented_password(value)
    if password is None or len(password) > MOST_PASSWORD:
        raise Invalid(Problem(place, f"is longer than {MOST_PASSWORD} characters"))
    if len(password) < LEAST_PASSWORD:
        raise Invalid(Problem(place, f"needs at least {LEAST_PASSWORD} characters"))
    if _is_guessed_first(password.casefold(), user_id.casefold()):
        raise Invalid(
            Problem(place, "is too easy to guess: it repeats itself, follows a row, or is the user's id")
        )
    return password


def presented_password(value: Any) -> str | None:
    """A password that somebody types, as it is hashed; None for what can be nobody's.

    Keyboards compose the same character in different ways, so it is brought to one form (NFC, as RFC 8265
    says).
    """
    if not isinstance(value, str) or len(value) > 4 * MOST_PASSWORD or validate_texts(value, ""):
        return None
    return unicodedata.normalize("NFC", value)


def whole_scopes(scopes: set[str]) -> list[str]:
    """Scopes with those that they bring along, in order: whoever may write may read, an admin may both."""
    order = [str(scope) for scope in TokenScope]
    highest = max((order.index(scope) for scope in scopes), default=-1)
    return order[: highest + 1]


def _is_guessed_first(password: str, user_id: str) -> bool:
    length = len(password)
    repeats = any(password[period:] == password[:-period] for period in range(1, length // 2 + 1))
    follows = any(password in row or password in row[::-1] for row in _ROWS)
    return repeats or follows or password == user_id or len(set(password)) < _LEAST_DIFFERENT
