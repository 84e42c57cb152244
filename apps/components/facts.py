"""What there is to say about one item: facts with names, in a grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS


class Fact(NamedTuple):
    """A fact: its name, how it is shown, and what it is.

    ``kind`` is text, link ({text, href}), badge (a status), dot (a level), progress ({percent, text}),
    instant (ISO 8601) or clock ({status, text, due, note}).
    """

    name: str
    kind: str
    value: Any


class Facts(JSComponent):
    """The facts of one item; times are in the viewer's zone and go on by themselves."""

    facts = param.List([])
    label = param.String("")

    _esm = Path(__file__).with_name("facts.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("facts.css").read_text(encoding="utf-8"),
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(sizing_mode="stretch_width", margin=(5, 10, 12, 10), **options)

    def show(self, facts: Sequence[Fact]) -> None:
        """Show these facts."""
        shown = [fact._asdict() for fact in facts]
        if shown != self.facts:
            self.facts = shown
