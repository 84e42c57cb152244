"""The demo's people: teams with leads and skills, who is away when, and when each has time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from gndp.core.calendars import Calendar
from gndp.core.templates import Step
from gndp.workbench import Workbench

OFFICE_NAME = "office"
OFFICE = Calendar(
    time_zone="Europe/Amsterdam", hours={day: [("09:00", "17:00")] for day in range(5)}, country="NL"
)
"""When the lender's people work."""

WORKING_DAY = 480
"""The minutes of a day in the office."""

SERVICES = ("service.bureau", "service.core", "service.mail")
"""The programs that do the automated steps."""

_MINUTES_A_DAY = 420
FIRST_NAMES = (
    "Ada", "Ben", "Chloe", "David", "Elif", "Farid", "Grace", "Henk", "Ines", "Jonas", "Kofi", "Lena",
    "Marta", "Nils", "Olga", "Pablo", "Quinn", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wim", "Yara",
)  # fmt: skip
LAST_NAMES = (
    "Adler", "Bakker", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Haas", "Ivanov", "Jansen", "Keller",
    "Lopez", "Meyer", "Novak", "Okafor", "Peters", "Rossi", "Schmidt", "Tanaka", "Visser", "Weber", "Young",
)  # fmt: skip


class _TeamPlan(NamedTuple):
    """A team: how many people, how many tasks each may have, and the levels of its skills, given in turn."""

    size: int
    capacity: int
    skills: Mapping[str, tuple[int, ...]] = {}
    load_measure: str = "tasks"


_TEAMS = {
    "appraisal": _TeamPlan(6, 2, {"property_valuation": (3, 4, 3, 5)}, "estimated_minutes"),
    "closing": _TeamPlan(7, 4, load_measure="estimated_minutes"),
    "compliance": _TeamPlan(6, 4, {"kyc": (3, 2, 4, 3)}, "priority"),
    "intake": _TeamPlan(6, 4),
    "legal": _TeamPlan(4, 2, {"contract_law": (3, 4)}),
    "relationship_management": _TeamPlan(4, 3),
    "reviewers": _TeamPlan(4, 3),
    "underwriting": _TeamPlan(7, 4, {"income_analysis": (2, 3, 2), "underwriting": (4, 3, 5, 3, 4)}),
}
_SERVICE_TEAM = "integrations"


class Absence(NamedTuple):
    """Somebody is away for some time."""

    person: str
    begins: datetime
    ends: datetime
    substitute: str


class Staff:
    """Who works where, who is away when, and how many minutes each has booked a day."""

    def __init__(self, chance: random.Random, begin: datetime, end: datetime) -> None:
        names = [(first, last) for first in FIRST_NAMES for last in LAST_NAMES]
        chance.shuffle(names)
        self._names = {f"{first}.{last}".lower(): f"{first} {last}" for first, last in names}
        ids = iter(self._names)
        self.teams = {team: [next(ids) for _ in range(plan.size)] for team, plan in _TEAMS.items()}
        self.manager = next(ids)
        self.absences = sorted(self._absences(chance, begin, end), key=lambda absence: absence.begins)
        self._booked: Counter[tuple[str, date]] = Counter()

    def hire(self, workbench: Workbench) -> None:
        """Put everybody into the directory, each team with its lead, who comes first in it."""
        directory = workbench.directory
        workbench.calendars.save(OFFICE_NAME, OFFICE)
        directory.add_person(self.manager, self._names[self.manager], role="manager")
        directory.add_team(_SERVICE_TEAM)
        for service in SERVICES:
            directory.add_person(service, team=_SERVICE_TEAM, role="service")
        for team, plan in _TEAMS.items():
            directory.add_team(
                team, calendar=OFFICE_NAME, manager=self.manager, load_measure=plan.load_measure
            )
            for number, person in enumerate(self.teams[team]):
                directory.add_person(
                    person,
                    self._names[person],
                    team=team,
                    role="lead" if number == 0 else "worker",
                    email=f"{person}@example.com",
                    skills=self.skills(person),
                    capacity=plan.capacity,
                )
            directory.update_team(team, lead=self.lead(team))

    def lead(self, team: str) -> str:
        """Who leads a team."""
        return self.teams[team][0]

    def skills(self, person: str) -> dict[str, int]:
        """What somebody can do: the levels of a skill go round the team."""
        team = next(team for team, people in self.teams.items() if person in people)
        number = self.teams[team].index(person)
        return {skill: levels[number % len(levels)] for skill, levels in _TEAMS[team].skills.items()}

    def able(self, step: Step, kept_apart: Collection[str], at: datetime) -> list[str]:
        """Who of its team could do a step, whoever has least to do that day first."""
        people = [
            person
            for person in self.teams[step.team or ""]
            if person not in kept_apart
            and self.absence(person, at) is None
            and all(self.skills(person)[skill] >= level for skill, level in step.required_skills.items())
        ]
        return sorted(people, key=lambda person: self._booked[person, at.date()])

    def absence(self, person: str, at: datetime) -> Absence | None:
        """The absence of somebody who is away at an instant."""
        for absence in self.absences:
            if absence.person == person and absence.begins <= at < absence.ends:
                return absence
        return None

    def book(self, person: str, at: datetime, minutes: float) -> datetime:
        """The first instant from ``at`` on a day when somebody has time left; books the minutes there."""
        at = OFFICE.next_opening(at)
        while self._booked[person, at.date()] >= _MINUTES_A_DAY:
            at = OFFICE.next_opening(at.replace(hour=20))
        self._booked[person, at.date()] += round(minutes)
        return at

    def _absences(self, chance: random.Random, begin: datetime, end: datetime) -> Iterator[Absence]:
        """One or two holidays a team; in every other team somebody is away at the end."""
        for number, people in enumerate(self.teams.values()):
            away, other, substitute = chance.sample(people[1:], 3)
            begins = begin + (end - begin) * chance.uniform(0.05, 0.7)
            yield Absence(away, begins, begins + timedelta(days=chance.randint(3, 14)), substitute)
            if number % 2 == 0:
                begins = end - timedelta(days=chance.uniform(1, 4))
                yield Absence(other, begins, end + timedelta(days=chance.randint(2, 9)), substitute)
