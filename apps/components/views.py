"""Views of a list to choose from: those that are ready-made, and those that a person has kept."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS


class Views(JSComponent):
    """Links to views of a page. What a view shows stands in its address; the person's own views are kept in
    the browser, by ``place`` (the page's path).

    ``ready`` are (name, address) pairs, ``here`` is the address of what is shown.
    """

    place = param.String("")
    ready = param.List([])
    here = param.String("")

    _esm = Path(__file__).with_name("views.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("views.css").read_text(encoding="utf-8"),
    ]
