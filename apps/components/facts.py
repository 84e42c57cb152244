"""What is known of something: names and values, with instants in the viewer's zone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS


class Fact(NamedTuple):
    """A name and a value. ``kind`` is text, badge (a status), dot (a level), instant (ISO 8601) or link
    ({text, href})."""

    name: str
    value: Any
    kind: str = "text"


class Facts(JSComponent):
    """Facts side by side, under a title if there is one."""

    title = param.String("")
    facts = param.List([])

    _esm = Path(__file__).with_name("facts.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("facts.css").read_text(encoding="utf-8"),
    ]

    def __init__(self, **given: Any) -> None:
        super().__init__(sizing_mode="stretch_width", margin=(5, 10), **given)

    def show(self, title: str, facts: Iterable[Fact]) -> None:
        """Show these facts, those without a value left out."""
        listed = [fact._asdict() for fact in facts if fact.value not in (None, "", [], {})]
        if (title, listed) != (self.title, self.facts):
            self.param.update(title=title, facts=listed)
