"""The fields of people and teams, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import panel_material_ui as pmui

from gndp.core.people import skills_from_text
from gndp.core.states import LoadMeasure, Role

from .frame import choice, chosen, number, row

if TYPE_CHECKING:
    from gndp.core.people import Person, Team

    from ...stores.people import People

_WIDTH = 250


class PersonFields:
    """What may be said of a person; what is not said is theirs as it is."""

    def __init__(self, store: People, person: Person | None = None) -> None:
        self.name = _text("Name", person and person.name)
        self.email = _text("Email", person and person.email)
        self.team = choice("Team", [team.name for team in store.teams], person and person.team, width=_WIDTH)
        self.role = pmui.Select(
            label="Role",
            options={f"{role}: {role.meaning}": role.value for role in Role},
            value=person.role if person else Role.WORKER.value,
            width=2 * _WIDTH + 20,
        )
        skills = person.skills if person else {}
        self.skills = _text("Skills", ", ".join(f"{skill}:{level}" for skill, level in skills.items()), 2)
        self.skills.helper_text = "with levels from 1 (beginner) to 5 (expert), as kyc:2, underwriting:4"
        self.capacity = _text("Capacity", None if person is None else person.capacity)
        self.capacity.helper_text = "tasks at a time; empty for no limit"
        self.calendar = choice("Calendar", store.calendars, person and person.calendar, width=_WIDTH)
        self.active = pmui.Switch(label="Active", value=person.active if person else True)
        self.all = [
            row(self.name, self.email),
            self.role,
            row(self.team, self.calendar),
            self.skills,
            row(self.capacity, self.active),
        ]

    def said(self) -> dict[str, Any]:
        """The columns as commands take them; raises Invalid for skills that cannot be read."""
        return {
            "name": chosen(self.name) or "",
            "email": chosen(self.email),
            "team": chosen(self.team),
            "role": self.role.value,
            "skills": skills_from_text(self.skills.value, "skills"),
            "capacity": number(self.capacity),
            "calendar": chosen(self.calendar),
            "active": self.active.value,
        }


class TeamFields:
    """What may be said of a team."""

    def __init__(self, store: People, team: Team | None = None) -> None:
        people = [person.user_id for person in store.people if person.active]
        self.calendar = choice("Calendar", store.calendars, team and team.calendar, width=_WIDTH)
        self.lead = choice("Lead", people, team and team.lead, width=_WIDTH)
        self.manager = choice("Manager", people, team and team.manager, width=_WIDTH)
        self.load_measure = pmui.Select(
            label="Work is shared out by",
            options={measure.meaning: measure.value for measure in LoadMeasure},
            value=team.load_measure if team else LoadMeasure.TASKS.value,
            width=2 * _WIDTH + 20,
        )
        self.imbalance_limit = _text("Imbalance limit", None if team is None else team.imbalance_limit)
        self.imbalance_limit.helper_text = "how much more one may have than another; empty: not watched"
        self.all = [
            row(self.lead, self.manager),
            row(self.calendar, self.imbalance_limit),
            self.load_measure,
        ]

    def said(self) -> dict[str, Any]:
        """The columns as commands take them."""
        return {
            "calendar": chosen(self.calendar),
            "lead": chosen(self.lead),
            "manager": chosen(self.manager),
            "load_measure": self.load_measure.value,
            "imbalance_limit": number(self.imbalance_limit),
        }


def changed(said: Mapping[str, Any], seen: Person | Team) -> dict[str, Any]:
    """What is said otherwise than it was seen."""
    return {name: value for name, value in said.items() if value != getattr(seen, name)}


def identifier(label: str) -> Any:
    """The field for an id or a name that is given once."""
    return _text(label, None)


def _text(label: str, value: object, columns: int = 1) -> Any:
    width = _WIDTH if columns == 1 else 2 * _WIDTH + 20
    return pmui.TextInput(label=label, value="" if value is None else str(value), width=width)
