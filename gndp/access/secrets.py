"""Secrets that the workbench itself makes: handed out once, kept only as a hash.

They have 256 random bits, so a plain SHA-256 is as hard to go back from as they are to guess; the slow hash
is for passwords, which people choose.
"""

from __future__ import annotations

import re
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def new_secret() -> str:
    """A new secret: 43 characters that need no quoting in a URL or cookie."""
    return token_urlsafe(32)


def is_secret(value: Any) -> bool:
    """Whether a value has the form of a secret; what has not need not be looked for."""
    return isinstance(value, str) and _SECRET.fullmatch(value) is not None


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return sha256(secret.encode()).digest()
