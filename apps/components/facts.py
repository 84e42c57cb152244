"""What there is to say about one item: facts with names, in a grid."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS


class Fact(NamedTuple):
    """A fact: its name, what it is, and how that is shown.

    ``kind`` is text, code (as it stands, in lines), link ({text, href}), badge (a status), dot (a level),
    progress ({percent, text}), instant (ISO 8601) or clock ({status, text, due, note}). A datetime is an
    instant, nothing a dash.
    """

    name: str
    value: Any
    kind: str = "text"

    @property
    def shown(self) -> dict[str, Any]:
        """The fact as the browser gets it."""
        if isinstance(self.value, datetime):
            return {"name": self.name, "value": self.value.isoformat(), "kind": "instant"}
        if self.kind == "text":
            said = "—" if self.value in (None, "") else str(self.value)
            return {"name": self.name, "value": said, "kind": "text"}
        return self._asdict()


class Facts(JSComponent):
    """The facts of one item, under a title if there is one; times are in the viewer's zone and go on by
    themselves."""

    facts = param.List([])
    title = param.String("")
    label = param.String("")

    _esm = Path(__file__).with_name("facts.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("facts.css").read_text(encoding="utf-8"),
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"sizing_mode": "stretch_width", "margin": (5, 10, 12, 10), **options})

    def show(self, facts: Iterable[Fact | tuple[Any, ...]], title: str = "") -> None:
        """Show these facts."""
        shown = [Fact(*fact).shown for fact in facts]
        if (title, shown) != (self.title, self.facts):
            self.param.update(title=title, facts=shown)


def known(facts: Iterable[Fact]) -> list[Fact]:
    """The facts that say something."""
    return [fact for fact in facts if fact.value not in (None, "", [], {})]
