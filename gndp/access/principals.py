"""Whom the workbench acts for."""

from __future__ import annotations

from typing import NamedTuple

from gndp.core.people import Person
from gndp.core.states import Role, TokenScope


class Principal(NamedTuple):
    """A person or a program whose identity is proven, with what decides about their rights.

    ``team`` is the team that they belong to, None for none. ``scope`` is the widest of the token that they
    came with, ADMIN without one: what is beyond it they may not, whatever the role.
    """

    user_id: str
    role: Role
    team: str | None = None
    scope: TokenScope = TokenScope.ADMIN

    @classmethod
    def of(cls, person: Person, scope: TokenScope = TokenScope.ADMIN) -> Principal:
        """A person of the directory."""
        return cls(person.user_id, Role(person.role), person.team, scope)
