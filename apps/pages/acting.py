"""In whose name commands are given, where nobody has to sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from ..stores.inbox import called

if TYPE_CHECKING:
    from ..desk import Desk

_NOBODY = "nobody yet"


class ActingAs:
    """The choice of a person; nothing where everybody signs in. It stands in the address as ``as``."""

    def __init__(self, desk: Desk, changed: Callable[[], None]) -> None:
        self._desk = desk
        self._changed = changed
        self.is_offered = desk.workbench.acting_user is None
        if self.is_offered:
            desk.acting_as = desk.query.get("as") or desk.acting_as
        self.choice = pmui.Select(
            label="Work as", options={_NOBODY: ""}, value="", searchable=True, width=340
        )
        self.choice.param.watch(self._choose, "value")
        self.panel = pn.Row(self.choice, visible=self.is_offered, sizing_mode="stretch_width")

    def refresh(self) -> None:
        """Read who there is; raises GndpError."""
        if not self.is_offered:
            return
        people = self._desk.workbench.directory.people(active=True)
        options = {_NOBODY: "", **{called(person): person.user_id for person in people}}
        who = self._desk.acting_as or ""
        if who not in options.values():
            options[who] = who
        if (options, who) != (self.choice.options, self.choice.value):
            self.choice.param.update(options=options, value=who)

    def _choose(self, event: Any) -> None:
        chosen = event.new or None
        if chosen != self._desk.acting_as:
            self._desk.acting_as = chosen
            self._changed()
