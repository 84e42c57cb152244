"""People and teams: their rows as callers see them, and the rules about them.

What may stand in a column is said once, in `PERSON_CHECKS` and `TEAM_CHECKS`; the command that adds, the one
that updates and the import of a file all go by these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypedDict

from gndp.core import arguments
from gndp.core.errors import Invalid, Problem
from gndp.core.states import LoadMeasure, Role
from gndp.core.values import at, shown

LEVELS = range(1, 6)
"""The levels of a skill, from 1 (beginner) to 5 (expert)."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Person(NamedTuple):
    """One person, or a program's account: a row of ``people``.

    ``skills`` goes from name to level 1–5. ``capacity`` is how many tasks the person may have at a time, None
    for no limit. From ``out_of_office_from`` until just before ``out_of_office_until`` the person is away and
    ``substitute`` stands in. ``calendar`` None means the team's.
    """

    user_id: str
    name: str
    email: str | None
    team: str | None
    role: str
    skills: dict[str, int]
    capacity: int | None
    calendar: str | None
    out_of_office_from: datetime | None
    out_of_office_until: datetime | None
    substitute: str | None
    active: bool
    created_at: datetime
    updated_at: datetime
    version: int

    def is_out_of_office(self, at: datetime) -> bool:
        """Whether the person is away at an instant."""
        if self.out_of_office_from is None or self.out_of_office_until is None:
            return False
        return self.out_of_office_from <= at < self.out_of_office_until


class Team(NamedTuple):
    """One team: a row of ``teams``.

    ``load_measure`` is what its work is shared out by; by it nobody should have more than ``imbalance_limit``
    more than another (None: not watched). ``imbalance_told`` says that somebody has, and that it was told.
    ``round_robin_position`` is the person whose turn it was last.
    """

    name: str
    calendar: str | None
    lead: str | None
    manager: str | None
    load_measure: str
    imbalance_limit: int | None
    round_robin_position: str | None
    created_at: datetime
    updated_at: datetime
    version: int
    imbalance_told: bool


class PersonChanges(TypedDict, total=False):
    """What may be changed of a person; what is not given stays as it is."""

    name: str
    email: str | None
    team: str | None
    role: str
    skills: Mapping[str, int] | None
    capacity: int | None
    calendar: str | None
    active: bool


class TeamChanges(TypedDict, total=False):
    """What may be changed of a team; what is not given stays as it is."""

    calendar: str | None
    lead: str | None
    manager: str | None
    load_measure: str
    imbalance_limit: int | None


def skills(value: Any, place: str) -> dict[str, int]:
    """Skills from a mapping of names to levels; None counts as none."""
    given = arguments.json_object(value, place)
    return {
        arguments.name(skill, place): arguments.whole_number(
            level, at(place, skill), least=LEVELS[0], most=LEVELS[-1]
        )
        for skill, level in given.items()
    }


def skills_from_text(text: str, place: str) -> dict[str, int]:
    """Skills as a cell of a table spells them: ``underwriting:3, kyc:2`` (a semicolon separates, too)."""
    found: dict[str, int] = {}
    for part in filter(str.strip, re.split("[,;]", text)):
        skill, _, level = (word.strip() for word in part.rpartition(":"))
        if not skill or level not in map(str, LEVELS):
            raise Invalid(Problem(place, f"{shown(part.strip())} is no skill with its level 1–5, like kyc:2"))
        if skill in found:
            raise Invalid(Problem(place, f"{shown(skill)} is given twice"))
        found[skill] = int(level)
    return skills(found, place)


def _email(value: Any, place: str) -> str | None:
    address = arguments.optional_name(value, place)
    if address is not None and not _EMAIL.fullmatch(address):
        raise Invalid(Problem(place, "is not an email address"))
    return address


def _capacity(value: Any, place: str) -> int | None:
    if value is not None and type(value) is int and value == 0:
        raise Invalid(Problem(place, "must be at least 1; somebody who takes no work has active=False"))
    return None if value is None else arguments.whole_number(value, place, least=1)


def _optional_count(value: Any, place: str) -> int | None:
    return None if value is None else arguments.whole_number(value, place, least=1)


Check = Callable[[Any, str], Any]
"""Returns an argument as it is stored, or raises Invalid naming its place."""

PERSON_CHECKS: dict[str, Check] = {
    "name": arguments.name,
    "email": _email,
    "team": arguments.optional_name,
    "role": partial(arguments.member, Role),
    "skills": skills,
    "capacity": _capacity,
    "calendar": arguments.optional_name,
    "active": arguments.flag,
}
"""The check of every column of a person that may be given."""

TEAM_CHECKS: dict[str, Check] = {
    "calendar": arguments.optional_name,
    "lead": arguments.optional_name,
    "manager": arguments.optional_name,
    "load_measure": partial(arguments.member, LoadMeasure),
    "imbalance_limit": _optional_count,
}
"""The check of every column of a team that may be given."""


def checked(checks: Mapping[str, Check], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given columns as they are stored; Invalid names the first that is wrong.

    Raises TypeError for a name that there is no check for, as any function does for an unknown keyword.
    """
    unknown = given.keys() - checks.keys()
    if unknown:
        raise TypeError(f"unexpected keyword argument '{min(unknown)}'")
    return {name: checks[name](value, name) for name, value in given.items()}


_BLANK_PERSON: dict[str, Any] = {
    "email": None,
    "team": None,
    "role": Role.WORKER.value,
    "skills": {},
    "capacity": None,
    "calendar": None,
    "out_of_office_from": None,
    "out_of_office_until": None,
    "substitute": None,
    "active": True,
    "version": 1,
}
_BLANK_TEAM: dict[str, Any] = {
    "calendar": None,
    "lead": None,
    "manager": None,
    "load_measure": LoadMeasure.TASKS.value,
    "imbalance_limit": None,
    "round_robin_position": None,
    "version": 1,
    "imbalance_told": False,
}


def new_person(user_id: str, columns: Mapping[str, Any], now: datetime) -> Person:
    """A person who is added: what is not given is what a new person begins with."""
    begun = {"name": user_id, "created_at": now, "updated_at": now}
    return Person(**{**_BLANK_PERSON, **begun, **columns}, user_id=user_id)


def new_team(name: str, columns: Mapping[str, Any], now: datetime) -> Team:
    """A team that is added: what is not given is what a new team begins with."""
    return Team(**{**_BLANK_TEAM, **columns}, name=name, created_at=now, updated_at=now)


def circle_of_substitutes(person: Person, absent: Iterable[Person]) -> list[str]:
    """Who would stand in for whom, from the person back to the person; empty when it is no circle.

    It is one only when all of them are away at the same time: two people may stand in for each other in
    turn. ``absent`` are the others with a substitute.
    """
    others = {other.user_id: other for other in absent if other.user_id != person.user_id}
    circle = [person.user_id]
    starts: list[datetime] = []
    ends: list[datetime] = []
    current: Person | None = person
    while current and current.substitute and current.out_of_office_from and current.out_of_office_until:
        starts.append(current.out_of_office_from)
        ends.append(current.out_of_office_until)
        if max(starts) >= min(ends):
            return []
        circle.append(current.substitute)
        if current.substitute == person.user_id:
            return circle
        current = others.pop(current.substitute, None)
    return []
