"""People and teams: ``wb.directory``, as ``gndp.directory.table_directory`` has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Unpack

from gndp.client.encoding import given, segment
from gndp.client.noun import Noun, refuse_unknown
from gndp.client.replies import record, records
from gndp.core.errors import Invalid, Problem
from gndp.core.people import Person, PersonChanges, Team, TeamChanges


class Directory(Noun):
    """Who there is, in which team, able to do what, and away when.

    What adds somebody is done once; a change with ``expected_version`` is not sent again when the connection
    broke, for it would be refused the second time.
    """

    def teams(self) -> list[Team]:
        """Every team, by name."""
        return records(Team, self._transport.get("/teams"))

    def team(self, name: str) -> Team:
        """One team; NotFound when there is none."""
        return record(Team, self._transport.get(_team(name)))

    def people(self, team: str | None = None, active: bool | None = None) -> list[Person]:
        """Everybody, by id: in a team, or active, or not active, where that is given."""
        return records(Person, self._transport.get("/people", {"team": team, "active": active}))

    def person(self, user_id: str) -> Person:
        """One person; NotFound when there is none."""
        return record(Person, self._transport.get(_person(user_id)))

    def add_team(
        self,
        name: str,
        calendar: str | None = None,
        lead: str | None = None,
        manager: str | None = None,
        load_measure: str = "tasks",
        imbalance_limit: int | None = None,
    ) -> Team:
        """Add a team; its lead and manager are people who are there already."""
        body = given(
            name=name,
            calendar=calendar,
            lead=lead,
            manager=manager,
            load_measure=load_measure,
            imbalance_limit=imbalance_limit,
        )
        return record(Team, self._transport.command("POST", "/teams", body))

    def update_team(
        self, name: str, *, expected_version: int | None = None, **changes: Unpack[TeamChanges]
    ) -> Team:
        """Change what is given of a team's calendar, lead, manager, load_measure and imbalance_limit; None
        takes away calendar, lead, manager or limit."""
        refuse_unknown(changes, TeamChanges)
        changed = self._transport.change(
            "PATCH",
            _team(name),
            changes,
            is_repeatable=expected_version is None,
            expected_version=expected_version,
        )
        return record(Team, changed)

    def add_person(
        self,
        user_id: str,
        name: str | None = None,
        team: str | None = None,
        skills: Mapping[str, int] | None = None,
        capacity: int | None = None,
        role: str = "worker",
        email: str | None = None,
        calendar: str | None = None,
        active: bool = True,
    ) -> Person:
        """Add a person, whose name is the id when none is given, or a program's account."""
        body = given(
            user_id=user_id,
            name=name,
            team=team,
            skills=skills,
            capacity=capacity,
            role=role,
            email=email,
            calendar=calendar,
            active=active,
        )
        return record(Person, self._transport.command("POST", "/people", body))

    def update_person(
        self, user_id: str, *, expected_version: int | None = None, **changes: Unpack[PersonChanges]
    ) -> Person:
        """Change what is given of name, email, team, role, skills, capacity, calendar and active; None takes
        away an email, team, capacity or calendar."""
        refuse_unknown(changes, PersonChanges)
        changed = self._transport.change(
            "PATCH",
            _person(user_id),
            changes,
            is_repeatable=expected_version is None,
            expected_version=expected_version,
        )
        return record(Person, changed)

    def set_out_of_office(
        self,
        user_id: str,
        until: datetime | None,
        substitute: str | None = None,
        from_: datetime | None = None,
        *,
        expected_version: int | None = None,
    ) -> Person:
        """Say that a person is away from an instant (by default now) until another; None ends an absence."""
        body = given(until=until, substitute=substitute, from_=from_)
        if until is None and body:
            raise Invalid(*(Problem(name, "needs until") for name in body))
        changed = self._transport.change(
            "DELETE" if until is None else "PUT",
            f"{_person(user_id)}/out-of-office",
            body or None,
            is_repeatable=expected_version is None,
            expected_version=expected_version,
        )
        return record(Person, changed)


def _team(name: str) -> str:
    return f"/teams/{segment(name, 'name')}"


def _person(user_id: str) -> str:
    return f"/people/{segment(user_id, 'user_id')}"
