"""The pages of people and teams, without a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import gndp
from apps.desk import Desk
from apps.pages.admin import ADMIN_PLACES
from apps.pages.admin.frame import Refused
from apps.pages.admin.people import PeopleView, TeamView, people_view
from apps.pages.admin.person import PersonView
from gndp.access.principals import Principal
from gndp.core.errors import Unauthenticated
from gndp.core.states import Role

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def house(workbench: gndp.Workbench) -> gndp.Workbench:
    workbench.directory.add_team("north")
    workbench.directory.add_person("ann", "Ann Ames", team="north", skills={"kyc": 2}, capacity=5)
    workbench.directory.add_person("max", "Max", role="manager")
    workbench.directory.add_person("root", "Root", role="admin")
    workbench.directory.add_person("robot", HOSTILE, role="service")
    return workbench


def desk_of(house: gndp.Workbench, role: Role, url: str = "/admin/people") -> Desk:
    bound = house.acting_as(Principal({"admin": "root", "manager": "max"}.get(role, "ann"), role, "north"))
    return Desk(lambda: bound, url=url)


def admin(house: gndp.Workbench, url: str = "/admin/people") -> Desk:
    return desk_of(house, Role.ADMIN, url)


def names(view: PeopleView) -> list[str]:
    return [row["name"]["text"] for row in view.people.rows]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.WORKER, Role.LEAD])
def test_whoever_answers_for_nothing_sees_no_page(house: gndp.Workbench, role: Role) -> None:
    desk = desk_of(house, role)
    for place in ADMIN_PLACES:
        assert isinstance(place.build(desk), Refused), place.path
        assert not desk.workbench.may(place.action)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMIN])
def test_bosses_see_every_page_without_a_problem(house: gndp.Workbench, role: Role) -> None:
    for place in ADMIN_PLACES:
        view = place.build(desk_of(house, role, place.path))
        view.refresh()
        assert not isinstance(view, Refused)
        assert not view.problem.visible, view.problem.object


def test_the_list_says_who_is_there(house: gndp.Workbench) -> None:
    away = datetime.now(UTC) + timedelta(days=3)
    house.directory.set_out_of_office("ann", away)
    view = people_view(admin(house))
    assert isinstance(view, PeopleView)
    view.refresh()
    assert names(view) == [HOSTILE, "Ann Ames", "Max", "Root"]
    ann = view.people.rows[1]
    assert (ann["skills"], ann["capacity"], ann["is_here"]) == ("kyc 2", 5, "away")
    assert ann["until"] == away.isoformat()
    assert [row["members"] for row in view.teams.rows] == [1]


def test_a_search_leaves_the_others_out(house: gndp.Workbench) -> None:
    view = PeopleView(admin(house))
    view.refresh()
    view.search.value = "AMES"
    assert names(view) == ["Ann Ames"]
    assert view.desk.navigation.said == "/admin/people?search=AMES"


def test_the_list_is_sorted_and_exported_as_it_is_shown(house: gndp.Workbench) -> None:
    view = PeopleView(admin(house))
    view.refresh()
    view.people.sort = "-name"
    assert names(view) == ["Root", "Max", "Ann Ames", HOSTILE]
    view.people._handle_msg("csv")
    exported = list(view.people._exported())
    assert exported[0][0] == "Person"
    assert [row[0] for row in exported[1:]] == names(view)


def test_an_admin_adds_a_person(house: gndp.Workbench) -> None:
    view = PeopleView(admin(house))
    view.refresh()
    view.add_person.clicks += 1
    form = view.dialog.form
    user_id = form.fields[0]
    assert view.dialog.dialog.open
    user_id.value = "bob"
    form.submit()
    assert house.directory.person("bob").name == "bob"
    assert not view.dialog.dialog.open
    assert "bob" in names(view)


def test_what_is_refused_is_told_with_its_place_and_the_dialog_stays(house: gndp.Workbench) -> None:
    view = PeopleView(admin(house))
    view.refresh()
    view.add_team.clicks += 1
    form = view.dialog.form
    form.fields[0].value = "north"
    form.submit()
    assert "there is a team north already" in form.refusal.object
    assert view.dialog.dialog.open
    form.fields[0].value = ""
    form.submit()
    assert "<code>name</code>" in form.refusal.object


def test_a_manager_is_offered_no_change_of_people(house: gndp.Workbench) -> None:
    desk = desk_of(house, Role.MANAGER)
    view = PeopleView(desk)
    shown = view.panel.select(lambda part: part in (view.add_person, view.add_team))
    assert shown == []
    person = PersonView(desk, "ann")
    person.refresh()
    assert person.details is None
    assert person.access is None
    assert len(person.absence.panel) == 2


def test_a_person_is_changed_from_what_was_seen(house: gndp.Workbench) -> None:
    view = PersonView(admin(house), "ann")
    view.refresh()
    view.fields.skills.value = "kyc:3, underwriting:1"
    view.fields.capacity.value = ""
    view.details.submit()
    ann = house.directory.person("ann")
    assert (ann.skills, ann.capacity) == ({"kyc": 3, "underwriting": 1}, None)


def test_a_change_on_top_of_somebody_elses_is_refused(house: gndp.Workbench) -> None:
    view = PersonView(admin(house), "ann")
    view.refresh()
    house.directory.update_person("ann", name="Ann Bell")
    view.refresh()
    view.fields.email.value = "ann@example.org"
    view.details.submit()
    assert view.details.refusal.object != ""
    assert house.directory.person("ann").email is None
    view.read_anew()
    assert view.fields.name.value == "Ann Bell"


def test_a_refresh_leaves_what_is_typed(house: gndp.Workbench) -> None:
    view = PersonView(admin(house), "ann")
    view.refresh()
    typed, panel = view.fields.name, view.details.panel
    typed.value = "Ann A"
    house.directory.update_person("ann", capacity=9)
    view.refresh()
    assert view.fields.name is typed
    assert view.details.panel is panel
    assert typed.value == "Ann A"


@pytest.mark.parametrize(
    ("text", "problem"), [("kyc", "skills"), ("kyc:9", "skills"), ("kyc:1,kyc:2", "twice")]
)
def test_skills_that_cannot_be_read_are_refused(house: gndp.Workbench, text: str, problem: str) -> None:
    view = PersonView(admin(house), "ann")
    view.refresh()
    view.fields.skills.value = text
    view.details.submit()
    assert problem in view.details.refusal.object


def test_an_absence_is_set_on_the_clock_of_the_viewer(house: gndp.Workbench) -> None:
    desk = desk_of(house, Role.MANAGER)
    desk.navigation.zone = "Asia/Tokyo"
    view = PersonView(desk, "ann")
    view.refresh()
    view.absence.end.value = datetime(2199, 1, 2, 9)
    view.absence.substitute.value = "max"
    view.absence.form.submit()
    ann = house.directory.person("ann")
    assert (ann.out_of_office_until, ann.substitute) == (datetime(2199, 1, 2, tzinfo=UTC), "max")
    assert view.absence.back.visible
    view.absence.back.clicks += 1
    assert house.directory.person("ann").out_of_office_until is None
    assert not view.absence.back.visible


def test_an_absence_without_an_end_is_refused(house: gndp.Workbench) -> None:
    view = PersonView(admin(house), "ann")
    view.refresh()
    view.absence.form.submit()
    assert "until when" in view.absence.form.refusal.object


def test_a_one_time_link_is_shown_and_works_once(house: gndp.Workbench) -> None:
    view = PersonView(admin(house), "ann")
    view.refresh()
    view.access.link.clicks += 1
    path, _, token = view.access.secret.text.partition("=")
    assert path == "/sign-in#link"
    house.entrance.accounts.set_password(token, "correct horse battery staple")
    with pytest.raises(Unauthenticated):
        house.entrance.accounts.set_password(token, "correct horse battery staple")
    view.refresh()
    assert {"name": "Password", "value": "set", "kind": "text"} in view.access.facts.facts
    again = PersonView(admin(house), "ann")
    again.refresh()
    assert again.access.secret.text == ""


def test_a_program_gets_a_token_that_is_revoked(house: gndp.Workbench) -> None:
    view = PersonView(admin(house), "robot")
    view.refresh()
    assert not view.access.account.visible
    view.access.name.value = "nightly"
    view.access.form.submit()
    token = view.access.secret.text
    assert house.entrance.tokens.verify(token).user_id == "robot"
    (row,) = view.access.tokens.rows
    assert row["state"] == "available"
    view.access.tokens.selected = [row["id"]]
    view.access.revoke.clicks += 1
    with pytest.raises(Unauthenticated):
        house.entrance.tokens.verify(token)
    assert view.access.tokens.rows[0]["state"] == "revoked"


def test_people_get_no_token_from_others(house: gndp.Workbench) -> None:
    view = PersonView(admin(house), "ann")
    view.refresh()
    assert not view.access.form.panel.visible


def test_somebody_who_is_not_there_is_said(house: gndp.Workbench) -> None:
    view = PersonView(admin(house), "nobody")
    view.refresh()
    assert "no person nobody" in view.problem.object
    assert view.retry.visible


def test_a_team_is_changed(house: gndp.Workbench) -> None:
    view = people_view(admin(house, "/admin/people?team=north"))
    assert isinstance(view, TeamView)
    view.refresh()
    assert [row["name"]["text"] for row in view.people.rows] == ["Ann Ames"]
    view.fields.lead.value = "ann"
    view.fields.imbalance_limit.value = "many"
    view.form.submit()
    assert "imbalance_limit" in view.form.refusal.object
    view.fields.imbalance_limit.value = "3"
    view.form.submit()
    north = house.directory.team("north")
    assert (north.lead, north.imbalance_limit) == ("ann", 3)
