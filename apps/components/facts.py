"""What is known of one thing, as names with their values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS

_FOLDER = Path(__file__).parent


class Facts(JSComponent):
    """Names and their values, each a dict with ``name``, ``value`` and ``kind``: text, badge, code or
    instant (ISO 8601, shown in the viewer's zone)."""

    items = param.List([])

    _esm = _FOLDER / "facts.js"
    _stylesheets: ClassVar[list[str]] = [SHARED_CSS, (_FOLDER / "facts.css").read_text(encoding="utf-8")]

    def show(self, facts: Iterable[tuple[str, Any] | tuple[str, Any, str]]) -> None:
        """Show pairs of a name and a text or instant; a third part says of which other kind the value is."""
        items = [_item(*fact) for fact in facts]
        if items != self.items:
            self.items = items


def _item(name: str, value: Any, kind: str = "text") -> dict[str, Any]:
    if isinstance(value, datetime):
        return {"name": name, "value": value.isoformat(), "kind": "instant"}
    return {"name": name, "value": "—" if value in (None, "") else str(value), "kind": kind}
