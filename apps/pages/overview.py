"""The overview: the figures of the last 30 days, what is old or late, and what changed lately."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from ..components.bars import Bars
from ..components.chart import DayChart, Series
from ..components.html import STYLESHEET, duration, heading, in_line, render
from ..components.notice import Notice
from ..components.table import Column, Table, instant
from ..stores.overview import Overview
from . import in_turn

if TYPE_CHECKING:
    from gndp.core.records import Event, Process, RecentEvent

    from ..desk import Desk

_PROCESS_COLUMNS = (
    Column("name", "Process", "link"),
    Column("status", "Status", "badge"),
    Column("sla_status", "SLA", "dot"),
)
_EVENT_COLUMNS = (
    Column("what", "What happened", "link"),
    Column("who", "By"),
    Column("severity", "Severity", "dot"),
    Column("at", "When", "instant"),
)
_OPEN = "pending,running,suspended"


class OverviewView:
    """The overview of one person."""

    def __init__(self, desk: Desk) -> None:
        self.store = Overview(lambda: desk.workbench)
        self._navigation = desk.navigation
        self.figures = pn.pane.HTML("", stylesheets=[STYLESHEET], sizing_mode="stretch_width", loading=True)
        self.problem = Notice("", severity="error", visible=False)
        self.retry = pmui.Button(label="Try again", visible=False, on_click=lambda _: self.refresh())
        self.statuses = Bars("All processes by status", min_width=320)
        self.throughput = DayChart("Throughput", min_width=320)
        self.sla = DayChart("SLA", min_width=320)
        self.oldest = _short_list("Oldest open", Column("created", "Created", "instant"), self._processes)
        self.due_first = _short_list("Due first", Column("due", "Due", "instant"), self._processes_due)
        self.recent = Table(_EVENT_COLUMNS, self._events, label="Recent changes", empty="Nothing changed.")
        self.panel = pn.Column(
            heading("Overview"),
            self.problem,
            self.retry,
            heading("The last 30 days", 2),
            self.figures,
            _side_by_side(self.throughput, self.sla),
            heading("Now", 2),
            self.statuses,
            _side_by_side(
                _titled("Oldest open", self.oldest, "created_at"),
                _titled("Due first", self.due_first, "due_date"),
            ),
            heading("The last hour", 2),
            self.recent,
            sizing_mode="stretch_width",
        )
        self._follow_zone()

    @in_turn
    def refresh(self) -> None:
        """Read everything anew."""
        store = self.store
        store.refresh(self._navigation.zone)
        self.problem.param.update(
            object=f"The figures cannot be read now: {store.problem}", visible=store.problem is not None
        )
        self.retry.visible = store.problem is not None
        self.figures.loading = False
        if store.summary is not None:
            self.figures.object = render("figures", figures=_figures(store))
        if store.trend:
            self._show_trend()
        statuses = [_bar(*counted) for counted in store.statuses]
        if statuses != self.statuses.rows:
            self.statuses.rows = statuses
        for table, found, sort in (
            (self.oldest, store.oldest, "created_at"),
            (self.due_first, store.due_first, "due_date"),
        ):
            _show(table, [_process_row(process) for process in found], store.open_total, _cell(sort))
        _show(self.recent, [_event_row(recent) for recent in store.recent], len(store.recent), _RECENT_CELL)

    def concerns(self, event: Event) -> bool:
        """Every event may change a figure."""
        return True

    def _show_trend(self) -> None:
        days = [figures.day.isoformat() for figures in self.store.trend]
        _, started, completed, met, breached = zip(*self.store.trend, strict=True)
        self.throughput.show(
            days, Series("started", "running", started), Series("completed", "completed", completed)
        )
        self.sla.show(days, Series("met", "met", met), Series("breached", "breached", breached))

    def _follow_zone(self) -> None:
        """The browser says its zone when the page is shown there already; a view that was left is let go."""
        here = weakref.ref(self)

        def refresh(_: Any) -> None:
            if (view := here()) is not None:
                view.refresh()

        self._navigation.param.watch(refresh, "zone")

    def _processes(self) -> Iterable[Sequence[Any]]:
        return _rows_of(process._asdict() for process in self.store.oldest)

    def _processes_due(self) -> Iterable[Sequence[Any]]:
        return _rows_of(process._asdict() for process in self.store.due_first)

    def _events(self) -> Iterable[Sequence[Any]]:
        return _rows_of(
            {**recent.event._asdict(), "process_name": recent.process_name, "task_name": recent.task_name}
            for recent in self.store.recent
        )


_RECENT_CELL = (
    "from datetime import UTC, datetime, timedelta\n\nimport gndp\nimport pandas as pd\n\n"
    "wb = gndp.connect()\n"
    "recent = wb.processes.recent_events(datetime.now(UTC) - timedelta(hours=1), limit=500)\n"
    "pd.DataFrame({**one.event._asdict(), 'process_name': one.process_name} for one in recent)"
)


def _cell(sort: str) -> str:
    """The open processes in an order, as a cell of a notebook."""
    return (
        "import gndp\nimport pandas as pd\n\nwb = gndp.connect()\n"
        f"page = wb.processes.list(status={_OPEN.split(',')!r}, sort={sort!r}, limit=100)\n"
        "pd.DataFrame(process._asdict() for process in page.processes)"
    )


def _short_list(label: str, instant_column: Column, exported: Any) -> Table:
    return Table((*_PROCESS_COLUMNS, instant_column), exported, label=label, empty="None.", min_width=320)


def _titled(title: str, table: Table, sort: str) -> Any:
    link = render("link", href=f"/processes?status={_OPEN}&sort={sort}", text="Show all")
    return pn.Column(
        heading(title, 3),
        table,
        pn.pane.HTML(link, stylesheets=[STYLESHEET]),
        sizing_mode="stretch_width",
        min_width=320,
    )


def _side_by_side(*parts: Any) -> Any:
    for part in parts:
        part.styles = {"flex": "1 1 420px"}
    return in_line(*parts)


def _show(table: Table, rows: list[dict[str, Any]], total: int, notebook_cell: str) -> None:
    changes: dict[str, Any] = {"is_loading": False, "total": total, "notebook_cell": notebook_cell}
    if rows != table.rows:
        changes["rows"] = rows
    table.param.update(changes)


def _process_row(process: Process) -> dict[str, Any]:
    return {
        "id": str(process.id),
        "name": {
            "text": process.process_name,
            "href": f"/process?id={process.id}",
            "note": process.process_type,
        },
        "status": process.status,
        "sla_status": process.sla_status,
        "created": instant(process.created_at),
        "due": instant(process.due_date),
    }


def _event_row(recent: RecentEvent) -> dict[str, Any]:
    event = recent.event
    task = f"&task={event.task_id}" if event.task_id else ""
    return {
        "id": str(event.id),
        "what": {
            "text": event.message,
            "href": f"/process?id={event.process_instance_id}{task}",
            "note": recent.process_name,
        },
        "who": event.user_id or ("by itself" if event.automated else None),
        "severity": event.severity,
        "at": instant(event.timestamp),
    }


def _bar(status: str, count: int, is_estimate: bool) -> dict[str, Any]:
    text = f"about {count:,}" if is_estimate else f"{count:,}"
    return {"state": status, "count": count, "text": text, "href": f"/processes?status={status}"}


def _rows_of(dicts: Iterable[dict[str, Any]]) -> list[list[Any]]:
    every = list(dicts)
    return [list(every[0]), *(list(row.values()) for row in every)] if every else []


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
