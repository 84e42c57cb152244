"""How a whole is made up, as bars that are links."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS


class Bars(JSComponent):
    """Horizontal bars, each a link: ``rows`` are dicts with ``state``, ``count``, ``text`` (the count as it
    is shown) and ``href``. The largest count has the whole width."""

    label = param.String("")
    rows = param.List([])

    _esm = Path(__file__).with_name("bars.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("bars.css").read_text(encoding="utf-8"),
    ]

    def __init__(self, label: str, **given: Any) -> None:
        super().__init__(label=label, sizing_mode="stretch_width", margin=(5, 10), **given)
