"""A word to the person. pmui.Alert would take it for Markdown and HTML, and it may hold what others wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS


class Notice(JSComponent):
    """A text in a coloured frame, said to screen readers when it appears."""

    object = param.String("")
    severity = param.Selector(default="info", objects=["error", "warning", "info", "success"])
    closeable = param.Boolean(False)

    _esm = Path(__file__).with_name("notice.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("notice.css").read_text(encoding="utf-8"),
    ]

    def __init__(self, text: str = "", **given: Any) -> None:
        super().__init__(object=text, sizing_mode="stretch_width", margin=(5, 10), **given)

    def _handle_msg(self, message: Any) -> None:
        if message == "close":
            self.visible = False
