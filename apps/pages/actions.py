"""The commands of one process or task, wherever it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gndp.core.errors import Invalid

from ..components.commands import Commands
from ..stores.actions import Action, done, give

if TYPE_CHECKING:
    from gndp.core.records import Process, Task

    from ..desk import Desk


class ActionsView:
    """The buttons of one item, with the dialog that asks for what a command needs.

    ``changed`` is called after each command, also a refused one: the item may be another than was shown.
    """

    def __init__(self, desk: Desk, changed: Callable[[], None], label: str) -> None:
        self._desk = desk
        self._changed = changed
        self._item: Process | Task | None = None
        self.panel = Commands(self.give, label=label)

    def show(self, item: Process | Task, about: str, actions: Sequence[Action]) -> None:
        """Offer what can be done to an item that is called ``about``."""
        self._item = item
        self.panel.offer(actions, about, item.version)

    def give(self, action: str, values: Mapping[str, Any], version: int) -> str:
        """Give a command; the answer is why it was refused, '' when it was done."""
        item = self._item
        if item is None:
            return "Nothing is chosen."
        try:
            command = give(action, item, values, user_id=self._desk.user_id, expected_version=version)
        except Invalid as refusal:
            return str(refusal)
        answer = self._desk.do(command, done(action))
        self._changed()
        return "" if answer is not None else str(self._desk.message.object)
