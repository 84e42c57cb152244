"""What the engine needs from a directory, whichever it is."""

from __future__ import annotations

from typing import Protocol

from gndp.core.people import Person, Team


class Directory(Protocol):
    """People and teams, to be read; where they are kept and changed is the directory's own business.

    Answers are as of the moment of asking. Raises DatabaseUnavailable when the directory cannot be asked.
    """

    def people(self, team: str | None = None) -> list[Person]:
        """Everybody, or everybody in a team, active or not, by id; NotFound when there is no such team."""
        ...

    def person(self, user_id: str) -> Person:
        """One person; NotFound when there is none."""
        ...

    def teams(self) -> list[Team]:
        """Every team, by name."""
        ...

    def team(self, name: str) -> Team:
        """One team; NotFound when there is none."""
        ...
