"""Versions: who changes something says which state of it they have seen."""

from __future__ import annotations

from gndp.core.errors import Conflict


def refuse_stale(version: int, expected: int | None, status: str | None = None) -> None:
    """Raise Conflict (stale) unless what is to be changed has the version that the caller expects.

    With ``expected`` None any will do. ``status`` is where it stands, for the refusal to tell.
    """
    if expected is not None and version != expected:
        message = f"expected version {expected}, but it is {version}"
        raise Conflict(message, status=status, version=version, stale=True)
