"""Who was proved to be there, and by what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from gndp.core.errors import Forbidden
from gndp.core.states import TokenScope


class Proof(StrEnum):
    """What somebody proved with who they are."""

    PASSWORD = "password"
    SESSION = "session"
    BEARER = "bearer"
    API_TOKEN = "api_token"


ALL_SCOPES = frozenset(str(scope) for scope in TokenScope)
"""The scopes of whoever came by a password, now or a while ago: all that the person may do."""


class Identity(NamedTuple):
    """A person, or a program's account, that is active and has proved to be that.

    ``role`` and ``team`` are the directory's at this moment. ``scopes`` are those of the API token that it
    came by, or all. ``password_generation`` counts the account's passwords; None for an API token.
    """

    user_id: str
    name: str
    role: str
    team: str | None
    password_generation: int | None
    proof: Proof
    scopes: frozenset[str] = ALL_SCOPES

    def require_password_or_session(self) -> None:
        """Raise Forbidden for whoever came by a token: what lasts longer must not be had for it."""
        if self.proof not in (Proof.PASSWORD, Proof.SESSION):
            raise Forbidden("this asks for a session, not a token")

    def require_scope(self, scope: TokenScope) -> None:
        """Raise Forbidden for whoever came by a token that is not good for this."""
        if scope not in self.scopes:
            raise Forbidden(f"this asks for a token with the scope {scope}")

    @classmethod
    def of(cls, row: Sequence[Any], proof: Proof, scopes: Iterable[str] = ALL_SCOPES) -> Identity:
        """The identity of a row of user id, name, role, team and the password's generation."""
        user_id, name, role, team, generation = row
        return cls(user_id, name, role, team, generation, proof, frozenset(scopes))
