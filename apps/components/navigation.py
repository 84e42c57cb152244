"""The pages as links, and the browser's address bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent


class Navigation(JSComponent):
    """Shows the pages and says which one is asked for.

    ``url`` is the path and query of the page that is shown: set by a click, by the browser's back and
    forward, or from here, which adds a step to the browser's history. ``said`` is what a page says of itself
    meanwhile
    (its filters), which adds none. ``zone`` is the viewer's time zone.
    """

    url = param.String("/")
    said = param.String("")
    groups = param.List([], doc="Titles ('' for none) with their (path, label) pairs.")
    paths = param.List([], doc="Every path that is a page.")
    zone = param.String("UTC")
    left_for = param.String("", doc="Set to leave the pages for another address.")

    _esm = Path(__file__).with_name("navigation.js")
    _stylesheets: ClassVar[list[str]] = [
        Path(__file__).with_name("navigation.css").read_text(encoding="utf-8")
    ]

    def _handle_msg(self, message: Any) -> None:
        if message == "again":
            self.param.trigger("url")
