"""The overview: four numbers of the last 30 days and the process table, live from the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from ..components import STATUS_COLOURS, STYLESHEET, ago, duration, render
from ..stores import Overview

if TYPE_CHECKING:
    from gndp.workbench import Workbench

REFRESH_MILLISECONDS = 5_000
_ALL = "all"
_PLAIN = {"& .MuiToggleButton-root, & .MuiButton-root": {"textTransform": "none"}}


def overview(workbench: Workbench) -> Any:
    """The page for one browser session; it only builds, reading happens in callbacks."""
    store = Overview(workbench)
    figures = pn.pane.HTML("", stylesheets=[STYLESHEET], sizing_mode="stretch_width")
    table = pn.pane.HTML("", stylesheets=[STYLESHEET], sizing_mode="stretch_width", loading=True)
    status = pmui.RadioButtonGroup(
        options=[_ALL, *STATUS_COLOURS], value=_ALL, label="Status", size="small", sx=_PLAIN
    )
    pages = pmui.Pagination(count=1, value=0, size="small")
    said = pmui.Typography("", variant="body2", margin=(6, 10))
    problem = pmui.Alert("", severity="error", visible=False)
    retry = pmui.Button(label="Try again", size="small", visible=False, on_click=lambda _: store.refresh())

    def draw() -> None:
        problem.visible = retry.visible = store.problem is not None
        table.loading = False
        if store.problem is not None:
            problem.object = f"The figures cannot be read now: {store.problem}"
        if store.summary is None or store.processes is None or store.refreshed_at is None:
            return
        now = store.refreshed_at
        figures.object = render("figures", figures=_figures(store))
        table.object = render(
            "processes",
            rows=store.processes.processes,
            status=store.status,
            ago=lambda instant: ago(instant, now),
        )
        if pages.value >= store.pages:
            pages.value = store.page
        pages.count = store.pages
        about = "about " if store.processes.total_is_estimate else ""
        said.object = f"{about}{store.processes.total:,} processes · as of {now:%H:%M:%S} UTC"

    def choose_status(event: Any) -> None:
        store.status, store.page = (None if event.new == _ALL else event.new), 0
        pages.value = 0
        store.refresh()

    def turn_page(event: Any) -> None:
        if event.new != store.page:
            store.page = event.new
            store.refresh()

    store.listeners.append(draw)
    status.param.watch(choose_status, "value")
    pages.param.watch(turn_page, "value")
    pn.state.onload(store.refresh)
    pn.state.add_periodic_callback(store.refresh, REFRESH_MILLISECONDS)
    return pn.Column(
        problem,
        retry,
        pmui.Typography("The last 30 days", variant="subtitle1", margin=(0, 10, 4, 10)),
        figures,
        pn.Row(status, sizing_mode="stretch_width", margin=(20, 0, 4, 0), styles={"overflow-x": "auto"}),
        table,
        pn.Row(pages, said, sizing_mode="stretch_width"),
        sizing_mode="stretch_width",
        styles={
            "max-height": "none",
            "max-width": "1280px",
            "width": "calc(100% - 32px)",
            "margin": "16px auto",
        },
    )


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
