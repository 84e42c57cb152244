"""Figures by day as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS, colour


class Series(NamedTuple):
    """One of the things that a chart counts: its name, the state whose colour it has, a number for each
    day."""

    name: str
    state: str
    values: tuple[int, ...]


class DayChart(JSComponent):
    """Columns by day, as SVG: each day's figures show on hover and by the arrow keys, and all of them as a
    table."""

    label = param.String("")
    figures = param.Dict({}, doc="The days (ISO 8601), and the name, colour and values of each series.")

    _esm = Path(__file__).with_name("chart.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("chart.css").read_text(encoding="utf-8"),
    ]

    def __init__(self, label: str, **given: Any) -> None:
        super().__init__(label=label, sizing_mode="stretch_width", margin=(5, 10), **given)

    def show(self, days: Sequence[str], *series: Series) -> None:
        """Show other figures; nothing is drawn anew when they are the same."""
        drawn = [
            {"name": one.name, "colour": colour(one.state), "values": list(one.values)} for one in series
        ]
        figures = {"days": list(days), "series": drawn}
        if figures != self.figures:
            self.figures = figures
