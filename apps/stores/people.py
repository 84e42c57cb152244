"""The people and teams, and one of them with everything that is kept about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gndp.core.errors import NotFound

from .reading import Store

if TYPE_CHECKING:
    from datetime import datetime

    from gndp.core.accounts import Account, ApiToken
    from gndp.core.people import Person, Team
    from gndp.workbench import Workbench


@dataclass
class People(Store):
    """Everybody, and every team; ``search`` leaves those people out in whose id, name or team it is not."""

    people: list[Person] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    calendars: list[str] = field(default_factory=list)
    search: str = ""
    now: datetime | None = None

    def read(self) -> None:
        """Read people, teams, and which calendars they may have."""
        workbench = self.workbench()
        self.now = workbench.clock()
        self.people = workbench.directory.people()
        self.teams = workbench.directory.teams()
        self.calendars = workbench.calendars.list()

    @property
    def found(self) -> list[Person]:
        """The people who are searched for."""
        wanted = self.search.casefold()
        return [
            person
            for person in self.people
            if any(wanted in (text or "").casefold() for text in (person.user_id, person.name, person.team))
        ]

    def members(self, team: str) -> int:
        """How many active people a team has."""
        return sum(person.team == team and person.active for person in self.people)


@dataclass
class OnePerson(People):
    """One person, with their account and API tokens for those who may see these."""

    user_id: str = ""
    person: Person | None = None
    account: Account | None = None
    tokens: list[ApiToken] = field(default_factory=list)

    def read(self) -> None:
        """Read the person anew, and what they may be given."""
        workbench = self.workbench()
        self.person = workbench.directory.person(self.user_id)
        if workbench.may("accounts.see"):
            self.account = _account(workbench, self.user_id)
            self.tokens = workbench.entrance.tokens.list(self.user_id)
        super().read()


@dataclass
class OneTeam(People):
    """One team."""

    name: str = ""
    team: Team | None = None

    def read(self) -> None:
        """Read the team anew, and who may lead it."""
        self.team = self.workbench().directory.team(self.name)
        super().read()


def _account(workbench: Workbench, user_id: str) -> Account | None:
    try:
        return workbench.entrance.accounts.get(user_id)
    except NotFound:
        return None
