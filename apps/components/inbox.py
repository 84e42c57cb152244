"""Lists of tasks to choose from, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS


class TaskList(JSComponent):
    """Groups of tasks, one of which is chosen.

    Each group is a dict with ``title``, ``empty`` (what is said when it has none) and ``tasks``: dicts with
    ``id``, ``name``, ``note``, ``due`` (ISO 8601), ``priority``, ``state`` (a status) and ``said`` (it in
    words). ``keys`` goes from a key to what it does with the chosen task; ``pressed`` is called with the key
    and the task's id.
    """

    groups = param.List([])
    chosen = param.String("")
    keys = param.Dict({})

    _esm = Path(__file__).with_name("inbox.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("inbox.css").read_text(encoding="utf-8"),
    ]

    def __init__(self, keys: Mapping[str, str], pressed: Callable[[str, str], None], **given: Any) -> None:
        super().__init__(keys=dict(keys), margin=(5, 10), **given)
        self._pressed = pressed

    def _handle_msg(self, message: Any) -> None:
        if isinstance(message, dict) and message.get("key") in self.keys:
            self._pressed(message["key"], str(message.get("task", "")))
