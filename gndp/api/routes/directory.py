"""``/api/people`` and ``/api/teams``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from gndp.api import schemas
from gndp.api.callers import Bench, ExpectedVersion
from gndp.api.descriptions import answers
from gndp.api.once import Repeatable
from gndp.api.replies import item_reply, json_reply, row, rows
from gndp.api.types import Email, Flag, Instant, Limit, Name, Skills
from gndp.core import people
from gndp.core.states import LoadMeasure, Role

router = APIRouter(tags=["directory"])

Person = schemas.described(
    people.Person, "Person", meanings={"user_id": "the person's id", "team": "their team; null for none"}
)
Team = schemas.described(people.Team, "Team")
_UserId = Annotated[Name, Path(description="the id of the person")]
_TeamName = Annotated[Name, Path(description="the name of the team")]


class ChangePerson(schemas.Body):
    """What is to be changed of a person; what is left out stays as it is."""

    name: Name = schemas.given(None, name="name")
    email: Email | None = schemas.given(None, name="email")
    team: Name | None = schemas.given(None, name="team")
    role: Role = schemas.given(None, name="role")
    skills: Skills | None = schemas.given(None, name="skills", examples=[{"kyc": 3}])
    capacity: Limit | None = schemas.given(None, name="capacity")
    calendar: Name | None = schemas.given(None, name="calendar")
    active: Flag = schemas.given(None, name="active")


class AddPerson(ChangePerson):
    """A person to be added, or a program's account."""

    user_id: Name = schemas.given(name="user_id", examples=["eve"])


class ChangeTeam(schemas.Body):
    """What is to be changed of a team; what is left out stays as it is."""

    calendar: Name | None = schemas.given(None, name="calendar")
    lead: Name | None = schemas.given(None, name="lead")
    manager: Name | None = schemas.given(None, name="manager")
    load_measure: LoadMeasure = schemas.given(None, name="load_measure")
    imbalance_limit: Limit | None = schemas.given(None, name="imbalance_limit")


class AddTeam(ChangeTeam):
    """A team to be added."""

    name: Name = schemas.given(name="name", examples=["intake"])


class Absence(schemas.Body):
    """From when until when somebody is away, and who stands in."""

    until: Instant = schemas.given(name="until")
    from_: Instant | None = schemas.given(None, name="from_")
    substitute: Name | None = schemas.given(None, name="substitute")


@router.get("/people", responses=answers(list[Person], 404, 422))  # type: ignore[valid-type]
def list_people(
    bench: Bench,
    team: Annotated[Name | None, Query(description="only people of this team")] = None,
    active: Annotated[bool | None, Query(description="only those who are active, or are not")] = None,
) -> Response:
    """Everybody, by id."""
    return json_reply(rows(bench.directory.people(team, active)))


@router.post("/people", responses=answers(Person, 409, 422))
def add_person(bench: Bench, once: Repeatable, body: AddPerson) -> Response:
    """Add a person, or a program's account."""
    given = body.model_dump(exclude_unset=True)
    return once(body, lambda: row(bench.directory.add_person(**given)))


@router.get("/people/{user_id}", responses=answers(Person, 304, 404, 422))
def get_person(request: Request, bench: Bench, user_id: _UserId) -> Response:
    """One person."""
    return item_reply(request, bench.directory.person(user_id))


@router.patch("/people/{user_id}", responses=answers(Person, 404, 409, 412, 422))
def update_person(
    request: Request, bench: Bench, expected: ExpectedVersion, user_id: _UserId, body: ChangePerson
) -> Response:
    """Change a person. Who leaves gets `active` false."""
    changes = body.model_dump(exclude_unset=True)
    return item_reply(request, bench.directory.update_person(user_id, expected_version=expected, **changes))


@router.put("/people/{user_id}/out-of-office", responses=answers(Person, 404, 412, 422))
def set_out_of_office(
    request: Request, bench: Bench, expected: ExpectedVersion, user_id: _UserId, body: Absence
) -> Response:
    """Say that somebody is away, and who stands in."""
    return item_reply(
        request,
        bench.directory.set_out_of_office(user_id, **body.model_dump(), expected_version=expected),
    )


@router.delete("/people/{user_id}/out-of-office", responses=answers(Person, 404, 412, 422))
def end_out_of_office(
    request: Request, bench: Bench, expected: ExpectedVersion, user_id: _UserId
) -> Response:
    """Say that somebody is back."""
    return item_reply(request, bench.directory.set_out_of_office(user_id, None, expected_version=expected))


@router.get("/teams", responses=answers(list[Team]))  # type: ignore[valid-type]
def list_teams(bench: Bench) -> Response:
    """Every team, by name."""
    return json_reply(rows(bench.directory.teams()))


@router.post("/teams", responses=answers(Team, 409, 422))
def add_team(bench: Bench, once: Repeatable, body: AddTeam) -> Response:
    """Add a team."""
    given = body.model_dump(exclude_unset=True)
    return once(body, lambda: row(bench.directory.add_team(**given)))


@router.get("/teams/{name}", responses=answers(Team, 304, 404, 422))
def get_team(request: Request, bench: Bench, name: _TeamName) -> Response:
    """One team."""
    return item_reply(request, bench.directory.team(name))


@router.patch("/teams/{name}", responses=answers(Team, 404, 412, 422))
def update_team(
    request: Request, bench: Bench, expected: ExpectedVersion, name: _TeamName, body: ChangeTeam
) -> Response:
    """Change a team."""
    changes = body.model_dump(exclude_unset=True)
    return item_reply(request, bench.directory.update_team(name, expected_version=expected, **changes))
