"""People and teams: who there is, and adding some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from ...components.html import heading
from ...components.rows import Rows
from ...components.table import Column, instant
from ...stores.notebooks import notebook_cell
from ...stores.people import OneTeam, People
from .fields import PersonFields, TeamFields, changed, identifier
from .frame import AdminView, Form, FormDialog, address, row
from .person import PersonView

if TYPE_CHECKING:
    from gndp.core.people import Person, Team
    from gndp.workbench import Workbench

    from ...desk import Desk
    from .. import View

_PEOPLE = (
    Column("name", "Person", "link", "name"),
    Column("team", "Team", sort="team"),
    Column("role", "Role", sort="role"),
    Column("skills", "Skills"),
    Column("capacity", "Capacity", "number", "capacity"),
    Column("is_here", "Is", "badge", "is_here"),
    Column("until", "Away until", "instant", "until"),
)
_TEAMS = (
    Column("name", "Team", "link", "name"),
    Column("members", "People", "number", "members"),
    Column("lead", "Lead", sort="lead"),
    Column("manager", "Manager", sort="manager"),
    Column("calendar", "Calendar", sort="calendar"),
)


def people_view(desk: Desk) -> View:
    """Everybody, or the person or the team that the address names."""
    query = desk.query
    if "person" in query:
        return PersonView(desk, query["person"])
    return TeamView(desk, query["team"]) if "team" in query else PeopleView(desk)


class PeopleView(AdminView):
    """The people and teams as lists."""

    def __init__(self, desk: Desk) -> None:
        store = People(lambda: desk.workbench, search=desk.query.get("search", ""))
        self.may_change = desk.workbench.may("directory.change")
        self.search = pmui.TextInput(
            label="Search", placeholder="id, name or team …", value=store.search, width=230
        )
        self.search.param.watch(self._search, "value")
        self.people = Rows(
            _PEOPLE,
            label="People",
            sort="name",
            empty="Nobody is found.",
            notebook_cell=notebook_cell("wb.directory.people()"),
        )
        self.teams = Rows(
            _TEAMS,
            label="Teams",
            sort="name",
            empty="No team yet.",
            notebook_cell=notebook_cell("wb.directory.teams()"),
        )
        self.dialogs = pn.Column(margin=0)
        self.add_person = pmui.Button(
            label="Add a person", on_click=lambda _: self._open_person(), disabled=True
        )
        self.add_team = pmui.Button(label="Add a team", on_click=lambda _: self._open_team(), disabled=True)
        offered = [self.add_person, self.add_team] if self.may_change else []
        parts = [row(self.search, *offered), self.people, heading("Teams", 2), self.teams, self.dialogs]
        super().__init__(desk, store, "People and teams", parts)

    def show(self) -> None:
        """Show who is found, and all teams."""
        self.people.show(map(self._person_row, self.store.found))
        self.add_person.disabled = self.add_team.disabled = self.store.now is None
        self.teams.show(map(self._team_row, self.store.teams))

    def _search(self, _: Any) -> None:
        self.store.search = self.search.value.strip()
        self.desk.say_in_address(search=self.store.search)
        self.show()

    def _person_row(self, person: Person) -> dict[str, Any]:
        is_away = person.is_out_of_office(self.store.now)
        return {
            "id": person.user_id,
            "name": {
                "text": person.name,
                "href": address("people", person=person.user_id),
                "note": person.user_id,
            },
            "team": person.team,
            "role": person.role,
            "skills": ", ".join(f"{skill} {level}" for skill, level in person.skills.items()) or None,
            "capacity": person.capacity,
            "is_here": "left" if not person.active else "away" if is_away else "available",
            "until": instant(person.out_of_office_until) if is_away else None,
        }

    def _team_row(self, team: Team) -> dict[str, Any]:
        return {
            "id": team.name,
            "name": {"text": team.name, "href": address("people", team=team.name)},
            "members": self.store.members(team.name),
            "lead": team.lead,
            "manager": team.manager,
            "calendar": team.calendar,
        }

    def _open_person(self) -> None:
        user_id, fields = identifier("Id"), PersonFields(self.store)
        user_id.helper_text = "what they sign in with; it stays"

        def add(wb: Workbench) -> Person:
            said = fields.said()
            return wb.directory.add_person(user_id.value.strip(), **{**said, "name": said["name"] or None})

        def added(person: Person) -> None:
            self._added(f"{person.name} is added.")

        self._open("Add a person", Form(self.desk, [user_id, *fields.all], "Add", add, added))

    def _open_team(self) -> None:
        name, fields = identifier("Name"), TeamFields(self.store)

        def add(wb: Workbench) -> Team:
            return wb.directory.add_team(name.value.strip(), **fields.said())

        def added(team: Team) -> None:
            self._added(f"The team {team.name} is added.")

        self._open("Add a team", Form(self.desk, [name, *fields.all], "Add", add, added))

    def _open(self, title: str, form: Form) -> None:
        self.dialog = FormDialog(title, form)
        self.dialog.open()
        self.dialogs[:] = [self.dialog.dialog]

    def _added(self, said: str) -> None:
        self.dialog.close()
        self.desk.say(said)
        self.refresh()


class TeamView(AdminView):
    """One team."""

    def __init__(self, desk: Desk, name: str) -> None:
        store = OneTeam(lambda: desk.workbench, name=name)
        self.form: Form | None = None
        self.content = pn.Column(sizing_mode="stretch_width", margin=0)
        self.people = Rows(
            _PEOPLE[:1] + _PEOPLE[2:5],
            label="Members",
            sort="name",
            empty="Nobody yet.",
            notebook_cell=notebook_cell(f"wb.directory.people({name!r})"),
        )
        parts = [self.content, heading("Members", 2), self.people]
        super().__init__(desk, store, f"Team {name}", parts, (address("people"), "‹ People and teams"))

    def show(self) -> None:
        """Show the team; what is typed into its form stays."""
        if self.store.team is None:
            return
        members = (person for person in self.store.people if person.team == self.store.name)
        self.people.show(
            {
                "id": person.user_id,
                "name": {
                    "text": person.name,
                    "href": address("people", person=person.user_id),
                    "note": person.user_id,
                },
                "role": person.role,
                "skills": ", ".join(f"{skill} {level}" for skill, level in person.skills.items()) or None,
                "capacity": person.capacity,
            }
            for person in members
        )
        if self.form is None and self.desk.workbench.may("directory.change"):
            self._build(self.store.team)

    def _build(self, seen: Team) -> None:
        fields = TeamFields(self.store, seen)

        def change(wb: Workbench) -> Team:
            changes = changed(fields.said(), seen)
            return wb.directory.update_team(seen.name, expected_version=seen.version, **changes)

        def done(team: Team) -> None:
            self.desk.say(f"The team {team.name} is saved.")
            self._build(team)

        anew = pmui.Button(label="Read anew", variant="text", on_click=lambda _: self._read_anew())
        self.fields = fields
        self.form = Form(self.desk, fields.all, "Save", change, done, [anew])
        self.content[:] = [self.form.panel]

    def _read_anew(self) -> None:
        self.form = None
        self.refresh()
