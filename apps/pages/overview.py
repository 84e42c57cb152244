"""The overview: the figures of the last 30 days, and what there is to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from ..components.html import STYLESHEET, duration, heading, render
from ..stores.overview import Overview

if TYPE_CHECKING:
    from gndp.core.records import Event

    from ..desk import Desk


class OverviewView:
    """The overview of one person."""

    def __init__(self, desk: Desk) -> None:
        self.store = Overview(lambda: desk.workbench)
        self.figures = pn.pane.HTML("", stylesheets=[STYLESHEET], sizing_mode="stretch_width", loading=True)
        self.problem = pmui.Alert("", severity="error", visible=False)
        self.retry = pmui.Button(label="Try again", visible=False, on_click=lambda _: self.refresh())
        self.panel = pn.Column(
            heading("Overview"),
            self.problem,
            self.retry,
            heading("The last 30 days", 2),
            self.figures,
            sizing_mode="stretch_width",
        )

    def refresh(self) -> None:
        """Read the figures anew."""
        store = self.store
        store.refresh()
        self.problem.param.update(
            object=f"The figures cannot be read now: {store.problem}", visible=store.problem is not None
        )
        self.retry.visible = store.problem is not None
        self.figures.loading = False
        if store.summary is not None:
            self.figures.object = render("figures", figures=_figures(store))

    def concerns(self, event: Event) -> bool:
        """Every event may change a figure."""
        return True


def _figures(store: Overview) -> list[dict[str, str]]:
    summary = store.summary
    assert summary is not None
    rate = store.completion_rate
    return [
        {
            "name": "Processes",
            "value": f"{summary.total_processes:,}",
            "note": f"{summary.running} running, {summary.suspended} suspended, {summary.failed} failed",
        },
        {
            "name": "Completion rate",
            "value": "—" if rate is None else f"{rate:.0f} %",
            "note": f"{summary.completed:,} completed",
        },
        {
            "name": "Average duration",
            "value": duration(summary.avg_duration_mins),
            "note": "of completed processes",
        },
        {
            "name": "SLA breaches",
            "value": f"{summary.sla_breached:,}",
            "note": "breached, or open and past due",
        },
    ]
