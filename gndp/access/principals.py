"""Whom the workbench acts for."""

from __future__ import annotations

from typing import NamedTuple

from gndp.core.people import Person
from gndp.core.states import Role


class Principal(NamedTuple):
    """A person or a program whose identity is proven, with what decides about their rights.

    ``team`` is the team that they belong to, None for none. ``reads_only`` takes everything but reading away,
    whatever the role: a token that was made for reading.
    """

    user_id: str
    role: Role
    team: str | None = None
    reads_only: bool = False

    @classmethod
    def of(cls, person: Person, reads_only: bool = False) -> Principal:
        """A person of the directory."""
        return cls(person.user_id, Role(person.role), person.team, reads_only)
