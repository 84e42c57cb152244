"""One's own out-of-office time: shown, set and ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from gndp.core.errors import GndpError

from ..components.facts import Fact, Facts
from ..components.form import FormInput
from ..components.table import instant
from ..forms import Form
from ..stores.absence import absence_form, is_planned, set_absence

if TYPE_CHECKING:
    from gndp.core.people import Person

    from ..desk import Desk


class AbsenceView:
    """A person's absence. ``changed`` is called when they have changed it."""

    def __init__(self, desk: Desk, changed: Callable[[], None]) -> None:
        self._desk = desk
        self._changed = changed
        self.person: Person | None = None
        self.facts = Facts(visible=False)
        self.plan = pmui.Button(
            label="Out of office …", variant="text", size="small", visible=False, on_click=self._open
        )
        self.end = pmui.Button(
            label="I am back",
            variant="outlined",
            size="small",
            visible=False,
            on_click=lambda _: self._set(None),
        )
        self.form = FormInput(self._set, cancelled=self.close, visible=False)
        self.panel = pn.Column(
            self.facts, pn.Row(self.plan, self.end), self.form, sizing_mode="stretch_width"
        )

    def show(self, person: Person | None) -> None:
        """Show the absence of a person, and what may be done about it; nothing of nobody."""
        self.person = person
        is_away = person is not None and is_planned(person, self._desk.workbench.clock())
        may = person is not None and self._desk.workbench.may("directory.be_away", person=person)
        if person is not None and is_away:
            absence = [
                Fact("Away from", instant(person.out_of_office_from), "instant"),
                Fact("Back on", instant(person.out_of_office_until), "instant"),
                Fact("Stands in", person.substitute or "nobody"),
            ]
            self.facts.show(absence, "Out of office")
        for shown, is_shown in ((self.facts, is_away), (self.end, is_away and may), (self.plan, may)):
            if shown.visible != is_shown:
                shown.visible = is_shown

    def close(self) -> None:
        """Put the form away."""
        self.form.visible = False

    def _open(self, _: Any) -> None:
        if self.person is None:
            return
        try:
            people = self._desk.workbench.directory.people(active=True)
        except GndpError as error:
            self._desk.say(str(error), "error")
            return
        form = Form(absence_form(self.person, people))
        self.form.visible = True
        self.form.show(form, "Out of office", "Set out of office", cancel="Cancel", is_focused=True)

    def _set(self, data: dict[str, Any] | None) -> None:
        person = self.person
        if person is None:
            return
        done = "You are back." if data is None else "Your out-of-office time is set."
        if self._desk.do(lambda workbench: set_absence(workbench, person, data), done) is not None:
            self.close()
        self._changed()
