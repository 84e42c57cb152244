"""What may be done to several rows of a list at once, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from ..components.html import STYLESHEET, in_line, render
from ..stores.bulk import PRIORITIES, Bulk, Outcome

if TYPE_CHECKING:
    from ..desk import Desk

_NOTHING = "choose …"


class BulkBar:
    """A bar below which a list's chosen rows are worked on; hidden while none is chosen.

    ``people`` gives whom a task may go to, ``done`` is called after commands were given.
    """

    def __init__(
        self, desk: Desk, bulk: Bulk, people: Callable[[], list[str]], done: Callable[[], None]
    ) -> None:
        self._desk = desk
        self._people = people
        self._done = done
        self.bulk = bulk
        self.count = pmui.Typography("", variant="body2", margin=(18, 10))
        self.verb = pmui.Select(label="With the chosen", options=[_NOTHING], value=_NOTHING, width=170)
        self.person = pmui.AutocompleteInput(
            label="To",
            options=[],
            min_characters=0,
            case_sensitive=False,
            search_strategy="includes",
            visible=False,
            width=180,
        )
        self.priority = pmui.Select(
            label="Priority", options=PRIORITIES, value="medium", visible=False, width=130
        )
        self.reason = pmui.TextInput(label="Reason", visible=False, width=260, max_length=500)
        self.apply = pmui.Button(label="Apply", disabled=True, margin=(12, 10))
        self.outcomes = pn.pane.HTML("", stylesheets=[STYLESHEET], visible=False, sizing_mode="stretch_width")
        self.verb.param.watch(lambda _: self._ask(), "value")
        self.apply.on_click(lambda _: self._apply())
        self._bar = pn.Column(
            in_line(self.count, self.verb, self.person, self.priority, self.reason, self.apply),
            visible=False,
            margin=(5, 10),
            styles={"border": "1px solid rgba(128,128,128,.35)", "border-radius": "10px"},
            sizing_mode="stretch_width",
        )
        self.panel = pn.Column(self._bar, self.outcomes, sizing_mode="stretch_width")

    def show(self) -> None:
        """Offer what may be done to what is chosen now; what was chosen to be done stays, if it may."""
        count = len(self.bulk.chosen)
        labels = [verb.label for verb in self.bulk.offered]
        options = [_NOTHING, *labels]
        if options != self.verb.options:
            kept = self.verb.value if self.verb.value in options else _NOTHING
            self.verb.param.update(options=options, value=kept)
        said = (
            f"{count} chosen" if labels or not count else f"{count} chosen: nothing that may be done to all"
        )
        if said != self.count.object:
            self.count.object = said
        if self._bar.visible != (count > 0):
            self._bar.visible = count > 0
        if count and self.outcomes.visible:
            self.outcomes.visible = False

    def _ask(self) -> None:
        """Show what has to be given with the chosen command."""
        verb = self._chosen_verb
        needs = verb.needs if verb else ""
        if "person" in needs:
            self.person.options = self._people()
        self.person.visible = "person" in needs
        self.priority.visible = needs == "priority"
        self.reason.visible = "reason" in needs
        self.apply.disabled = verb is None

    @property
    def _chosen_verb(self) -> Any:
        return next((verb for verb in self.bulk.verbs if verb.label == self.verb.value), None)

    def _apply(self) -> None:
        verb = self._chosen_verb
        if verb is None:
            return
        given, lacking = self._given(verb.needs)
        if lacking:
            self._desk.say(f"Say {' and '.join(lacking)} first.", "warning")
            return
        user = "reassigned_by" if verb.name == "reassign" else "user_id"
        if verb.name == "reassign":
            given["new_assignee"] = given.pop("assigned_to")
        outcomes = self._desk.do(lambda _: self.bulk.apply(verb, {**given, user: self._desk.user_id})) or []
        self._tell(verb.label, outcomes)
        self.reason.value = ""
        self.verb.value = _NOTHING
        self._done()

    def _given(self, needs: str) -> tuple[dict[str, Any], list[str]]:
        """The arguments that the command needs, and the names of those that nobody has given."""
        asked = {
            "person": ("assigned_to", self.person.value),
            "reason": ("reason", self.reason.value_input.strip()),
            "priority": ("priority", self.priority.value),
        }
        wanted = {name: asked[name] for name in asked if name in needs}
        lacking = [f"the {name}" for name, (_, value) in wanted.items() if not value]
        return dict(wanted.values()), lacking

    def _tell(self, label: str, outcomes: list[Outcome]) -> None:
        refused = sum(outcome.problem is not None for outcome in outcomes)
        done = len(outcomes) - refused
        said = f"{label}: {done} done" + (f", {refused} refused." if refused else ".")
        self._desk.say(said, "warning" if refused else "success")
        self.outcomes.param.update(object=render("outcomes", outcomes=outcomes), visible=bool(refused))
