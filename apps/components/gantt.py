"""A timeline: rows of bars along time, in the viewer's zone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from .colours import COLOURS, SHARED_CSS


class Gantt(JSComponent):
    """Rows of bars, each a dict with ``id``, ``name``, ``href`` ('' for none) and ``bars``.

    A bar has ``kind`` (blocked, queued, working, paused or the name of an end), ``status``, ``who``,
    ``begins`` and ``ends`` (ISO 8601; None while it lasts, until now).
    """

    rows = param.List([])
    chosen = param.String("", doc="The id of the row that is looked at.")
    label = param.String("Timeline")

    _esm = Path(__file__).with_name("gantt.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("gantt.css").read_text(encoding="utf-8"),
        f".queued {{ background: {COLOURS['grey']}; }} .working {{ background: {COLOURS['blue']}; }}"
        f" .paused {{ background: {COLOURS['orange']}; }} .completed {{ background: {COLOURS['green']}; }}"
        f" .failed {{ background: {COLOURS['red']}; }}",
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(sizing_mode="stretch_width", margin=(5, 10), **options)
