"""Commands as buttons; what a command asks for is entered in a dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS

if TYPE_CHECKING:
    from ..stores.actions import Action


class Commands(JSComponent):
    """The buttons of what can be done to one item.

    ``given`` is called with an action's name, what was entered, and the version of the item that the person
    saw; its answer is why it was refused, '' when it was done. A refusal is shown in the dialog, which stays
    open with what was entered; a dialog that is open stays as it is whatever changes meanwhile.
    """

    label = param.String("Commands")
    about = param.String("", doc="What the item is called.")
    actions = param.List([])
    version = param.Integer(0)
    answer = param.Dict({})

    _esm = Path(__file__).with_name("commands.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("commands.css").read_text(encoding="utf-8"),
    ]

    def __init__(self, given: Callable[[str, Mapping[str, Any], int], str], **options: Any) -> None:
        super().__init__(sizing_mode="stretch_width", margin=(5, 10, 12, 10), **options)
        self._given = given

    def offer(self, actions: Sequence[Action], about: str, version: int) -> None:
        """Show these actions; what has not changed stays as it is on the page."""
        offered = [asdict(action) for action in actions]
        shown = {"actions": offered, "about": about, "version": version}
        self.param.update({name: value for name, value in shown.items() if getattr(self, name) != value})

    def _handle_msg(self, message: Any) -> None:
        problem = self._given(message["action"], message["values"], message["version"])
        self.answer = {"number": message["number"], "problem": problem}
