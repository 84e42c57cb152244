"""One person: what is kept about them, their absence, their account and their API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from gndp.core.errors import Invalid, Problem
from gndp.core.states import Role, TokenScope

from ...components.facts import Facts
from ...components.html import heading
from ...components.rows import Rows
from ...components.secret import Secret
from ...components.table import Column, instant
from ...stores.people import OnePerson
from .fields import PersonFields, changed
from .frame import AdminView, Form, address, choice, chosen, instant_of, number, row

if TYPE_CHECKING:
    from gndp.core.accounts import ApiToken, NewToken
    from gndp.core.people import Person
    from gndp.workbench import Workbench

    from ...desk import Desk

_TOKENS = (
    Column("name", "Token", "text", "name"),
    Column("begins", "Begins"),
    Column("scopes", "Good for"),
    Column("state", "Is", "badge", "state"),
    Column("expires_at", "Good until", "instant", "expires_at"),
    Column("last_used_at", "Last used", "instant", "last_used_at"),
)


class PersonView(AdminView):
    """One person."""

    def __init__(self, desk: Desk, user_id: str) -> None:
        store = OnePerson(lambda: desk.workbench, user_id=user_id)
        self.facts = Facts(sizing_mode="stretch_width", margin=(0, 10))
        self.details: Form | None = None
        self.content = pn.Column(sizing_mode="stretch_width", margin=0)
        self.absence = AbsencePart(desk, self)
        parts = [self.facts, self.content, self.absence.panel]
        self.access = AccessPart(desk, self) if desk.workbench.may("accounts.see") else None
        if self.access:
            parts.append(self.access.panel)
        super().__init__(desk, store, f"Person {user_id}", parts, (address("people"), "‹ People and teams"))

    def show(self) -> None:
        """Show the person; what is typed into the forms stays."""
        person = self.store.person
        if person is None:
            return
        self.facts.show(_facts(person, is_to_be_away(self.store)))
        if self.details is None and self.desk.workbench.may("directory.change"):
            self._build(person)
        self.absence.show(self.store)
        if self.access:
            self.access.show(self.store)

    def _build(self, seen: Person) -> None:
        fields = PersonFields(self.store, seen)

        def change(wb: Workbench) -> Person:
            changes = changed(fields.said(), seen)
            return wb.directory.update_person(seen.user_id, expected_version=seen.version, **changes)

        def done(person: Person) -> None:
            self.desk.say(f"{person.name} is saved.")
            self.read_anew()

        anew = pmui.Button(label="Read anew", variant="text", on_click=lambda _: self.read_anew())
        self.fields = fields
        self.details = Form(self.desk, fields.all, "Save", change, done, [anew])
        self.content[:] = [heading("Details", 2), self.details.panel]

    def read_anew(self) -> None:
        """Read the person, and make the form say the same."""
        self.details = None
        self.refresh()


class AbsencePart:
    """When the person is out of office, and who stands in."""

    def __init__(self, desk: Desk, view: PersonView) -> None:
        self._desk, self._view = desk, view
        self.begin = pmui.DatetimePicker(label="From (now if empty)", value=None, width=250)
        self.end = pmui.DatetimePicker(label="Until", value=None, width=250)
        self.substitute: Any = None
        self.panel = pn.Column(sizing_mode="stretch_width", margin=0)
        self.back = pmui.Button(label="End the absence", variant="outlined", on_click=lambda _: self._end())

    def show(self, store: OnePerson) -> None:
        """Show the form once it is known who may stand in."""
        if store.person is None or not self._desk.workbench.may("directory.be_away"):
            return
        self.back.visible = is_to_be_away(store)
        if self.substitute is not None:
            return
        others = [other.user_id for other in store.people if other.active and other != store.person]
        self.substitute = choice("Substitute", others, store.person.substitute, width=250)
        fields = [row(self.begin, self.end, self.substitute)]
        self.form = Form(self._desk, fields, "Set the absence", self._set, self._done, [self.back])
        self.panel[:] = [heading("Out of office", 2), self.form.panel]

    def _set(self, wb: Workbench) -> Person:
        person = self._view.store.person
        begin, end = instant_of(self._desk, self.begin.value), instant_of(self._desk, self.end.value)
        if end is None:
            raise Invalid(Problem("until", "say until when"))
        return wb.directory.set_out_of_office(
            person.user_id, end, chosen(self.substitute), begin, expected_version=person.version
        )

    def _done(self, person: Person) -> None:
        self._desk.say(f"The absence of {person.name} is set.")
        self._view.read_anew()

    def _end(self) -> None:
        person = self._view.store.person
        self._desk.do(
            lambda wb: wb.directory.set_out_of_office(person.user_id, None, expected_version=person.version),
            f"{person.name} is back.",
        )
        self._view.read_anew()


class AccessPart:
    """How the person, or the program, comes in: an account with a password, or API tokens."""

    def __init__(self, desk: Desk, view: PersonView) -> None:
        self._desk, self._view = desk, view
        self.facts = Facts(sizing_mode="stretch_width", margin=(0, 10))
        self.secret = Secret(sizing_mode="stretch_width", margin=(0, 10))
        self.link = pmui.Button(label="Make a one-time link", on_click=lambda _: self._make_link())
        self.everywhere = pmui.Button(
            label="Sign out everywhere", variant="outlined", on_click=lambda _: self._sign_out()
        )
        self.account = pn.Column(
            heading("Account", 2), self.facts, row(self.link, self.everywhere), visible=False, margin=0
        )
        self.tokens = Rows(_TOKENS, label="API tokens", selectable=True, empty="No token yet.")
        self.revoke = pmui.Button(
            label="Revoke what is selected", variant="outlined", on_click=lambda _: self._revoke()
        )
        self.name = pmui.TextInput(label="What the new token is for", width=250)
        self.scope = pmui.Select(
            label="Good for",
            options={f"{s}: {s.meaning}": s.value for s in TokenScope},
            value="write",
            width=380,
        )
        self.days = pmui.TextInput(label="Days", value="90", width=110)
        fields = [row(self.name, self.days), self.scope]
        self.form = Form(desk, fields, "Make a token", self._make_token, self._made)
        may_change = desk.workbench.may("accounts.change")
        self.form.panel.visible = self.revoke.visible = self.link.visible = False
        self._may_change = may_change
        self.programs = pn.Column(
            heading("API tokens", 2),
            self.tokens,
            self.revoke,
            self.form.panel,
            visible=False,
            sizing_mode="stretch_width",
            margin=0,
        )
        self.panel = pn.Column(
            self.account, self.secret, self.programs, sizing_mode="stretch_width", margin=0
        )

    def show(self, store: OnePerson) -> None:
        """Show what the person comes in with."""
        person, account = store.person, store.account
        if person is None:
            return
        is_program = person.role == Role.SERVICE
        self.account.visible = not is_program
        self.facts.show(
            [
                ("Password", "set" if account and account.has_password else "not set yet"),
                ("Changed", account and account.password_changed_at),
                ("Wrong ones since", account.failed_attempts if account else 0),
                ("Locked until", account and account.locked_until),
            ]
        )
        self.link.visible = self._may_change and person.active
        self.everywhere.visible = self._may_change and account is not None
        self.tokens.show(_token_row(token, store) for token in store.tokens)
        self.revoke.visible = self._may_change and bool(store.tokens)
        self.form.panel.visible = self._may_change and is_program and person.active
        self.programs.visible = is_program or bool(store.tokens)

    def _make_link(self) -> None:
        user_id = self._view.store.user_id
        link = self._desk.do(
            lambda wb: wb.entrance.accounts.issue_link(user_id, created_by=self._desk.user_id)
        )
        if link is not None:
            label = f"A link for {user_id} to set a password; it is good for one day and for one use."
            self.secret.param.update(label=label, text=f"/sign-in#link={link.token}")
        self._view.refresh()

    def _sign_out(self) -> None:
        user_id = self._view.store.user_id
        self._desk.do(
            lambda wb: wb.entrance.accounts.sign_out_everywhere(user_id),
            f"{user_id} is signed out everywhere.",
        )

    def _make_token(self, wb: Workbench) -> NewToken:
        days = number(self.days)
        if not isinstance(days, int) or not 1 <= days <= 365:
            raise Invalid(Problem("days", "must be a whole number from 1 to 365"))
        return wb.entrance.tokens.create(
            self._view.store.user_id,
            self.name.value.strip(),
            [self.scope.value],
            wb.clock() + timedelta(days=days),
            created_by=self._desk.user_id,
            for_program=True,
        )

    def _made(self, made: NewToken) -> None:
        self.name.value = ""
        self.secret.param.update(label=f"The token {made.record.name}.", text=made.token)
        self._view.refresh()

    def _revoke(self) -> None:
        selected = list(self.tokens.selected)
        if not selected:
            self._desk.say("Select the tokens that are to be revoked.", "info")
            return
        user_id = self._view.store.user_id
        self._desk.do(
            lambda wb: [wb.entrance.tokens.revoke(id, user_id) for id in selected], "The tokens are revoked."
        )
        self.tokens.selected = []
        self._view.refresh()


def is_to_be_away(store: OnePerson) -> bool:
    """Whether the person is away, or will be."""
    until = store.person and store.person.out_of_office_until
    return until is not None and store.now is not None and until > store.now


def _facts(person: Person, is_away: bool) -> list[tuple[str, Any]]:
    away = [
        ("Away from", person.out_of_office_from),
        ("Away until", person.out_of_office_until),
        ("Substitute", person.substitute),
    ]
    return [
        ("Name", person.name),
        ("Role", person.role),
        ("Team", person.team),
        ("Active", "yes" if person.active else "no"),
        *(away if is_away else []),
        ("Changed", person.updated_at),
    ]


def _token_row(token: ApiToken, store: OnePerson) -> dict[str, Any]:
    is_over = store.now is not None and token.expires_at <= store.now
    return {
        "id": token.id,
        "label": token.name,
        "name": token.name,
        "begins": token.prefix,
        "scopes": ", ".join(token.scopes),
        "state": "revoked" if token.revoked_at else "expired" if is_over else "available",
        "expires_at": instant(token.expires_at),
        "last_used_at": instant(token.last_used_at),
    }
