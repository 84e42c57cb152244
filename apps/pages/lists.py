"""Processes and tasks as lists: filtered, searched, sorted; what is chosen stands in the address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from gndp.core.states import Priority, ProcessStatus, SlaStatus, TaskStatus

from ..components.html import heading
from ..components.table import Column, Table, instant
from ..stores.lists import PAGE_SIZE, ListStore

if TYPE_CHECKING:
    from gndp.core.records import Event, ListedTask, Process

    from ..desk import Desk

_ANY = "any"

_PROCESS_COLUMNS = (
    Column("name", "Process", "link", "name"),
    Column("status", "Status", "badge", "status"),
    Column("progress", "Progress", "progress"),
    Column("sla_status", "SLA", "dot"),
    Column("priority", "Priority", "dot", "priority"),
    Column("assigned_to", "Assigned to"),
    Column("due", "Due", "instant", "due_date"),
    Column("created", "Created", "instant", "created_at"),
)
_TASK_COLUMNS = (
    Column("name", "Task", "link", "name"),
    Column("process", "Process", "link"),
    Column("status", "Status", "badge", "status"),
    Column("sla_status", "SLA", "dot"),
    Column("priority", "Priority", "dot", "priority"),
    Column("assigned_to", "Assigned to"),
    Column("due", "Due", "instant", "due_date"),
    Column("created", "Created", "instant", "created_at"),
)


class ListView:
    """A list with its filters."""

    def __init__(
        self, desk: Desk, noun: str, title: str, columns: Sequence[Column], statuses: Iterable[str]
    ) -> None:
        query = desk.query
        self._desk = desk
        self.store = ListStore(
            lambda: desk.workbench,
            noun,
            {name: query.get(name) for name in ("search", "status", "sla_status", "priority", "assigned_to")},
            query.get("sort", "-created_at"),
            int(page) if (page := query.get("page", "0")).isdecimal() else 0,
        )
        self.table = Table(
            columns,
            self._exported,
            label=title,
            sort=self.store.sort,
            page=self.store.page,
            page_size=PAGE_SIZE,
            empty="Nothing that fits these filters.",
        )
        self.search = pmui.TextInput(
            label="Search", placeholder="words of the name …", value=query.get("search", ""), width=230
        )
        self.status = _choice("Status", statuses, query.get("status"))
        self.sla_status = _choice("SLA", SlaStatus, query.get("sla_status"))
        self.priority = _choice("Priority", Priority, query.get("priority"))
        self.assigned_to = pmui.TextInput(label="Assigned to", value=query.get("assigned_to", ""), width=170)
        self.problem = pmui.Alert("", severity="error", visible=False)
        self.retry = pmui.Button(label="Try again", visible=False, on_click=lambda _: self.refresh())
        filters = (self.search, self.status, self.sla_status, self.priority, self.assigned_to)
        for widget in filters:
            widget.param.watch(self._filter, "value")
        self.table.param.watch(self._turn, ["sort", "page"])
        self.panel = pn.Column(
            heading(title),
            pn.Row(*filters, styles={"flex-wrap": "wrap"}, sizing_mode="stretch_width"),
            self.problem,
            self.retry,
            self.table,
            sizing_mode="stretch_width",
        )

    def refresh(self) -> None:
        """Read the page anew."""
        store = self.store
        store.refresh()
        self.problem.param.update(
            object=f"The list cannot be read now: {store.problem}", visible=store.problem is not None
        )
        self.retry.visible = store.problem is not None
        found = store.found
        rows = [self._row(row) for row in store.rows]
        changes: dict[str, Any] = {
            "page": store.page,
            "total": found.total if found else 0,
            "total_is_estimate": bool(found and found.total_is_estimate),
            "has_more": store.page + 1 < store.pages,
            "notebook_cell": store.notebook_cell,
            "is_loading": False,
        }
        if rows != self.table.rows:
            changes["rows"] = rows
        self.table.param.update(changes)

    def concerns(self, event: Event) -> bool:
        """Every event may change a list."""
        return True

    def _row(self, listed: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _filter(self, _: Any) -> None:
        chosen = {
            "search": self.search.value.strip(),
            "status": self.status.value,
            "sla_status": self.sla_status.value,
            "priority": self.priority.value,
            "assigned_to": self.assigned_to.value.strip(),
        }
        self.store.filters = {name: None if value == _ANY else value for name, value in chosen.items()}
        self.store.page = 0
        self._show()

    def _turn(self, event: Any) -> None:
        if (self.table.sort, self.table.page) == (self.store.sort, self.store.page):
            return
        if self.table.sort != self.store.sort:
            self.store.sort, self.store.page = self.table.sort, 0
        else:
            self.store.page = self.table.page
        self._show()

    def _show(self) -> None:
        self._desk.say_in_address(**self.store.given, sort=self.store.sort, page=self.store.page)
        self.refresh()

    def _exported(self) -> Iterable[Sequence[Any]]:
        every = [listed._asdict() for listed in self.store.every()]
        return [list(every[0]), *(list(row.values()) for row in every)] if every else []


class ProcessesView(ListView):
    """The list of processes."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, "processes", "Processes", _PROCESS_COLUMNS, ProcessStatus)

    def _row(self, listed: Process) -> dict[str, Any]:
        return {
            "id": str(listed.id),
            "label": listed.process_name,
            "name": {
                "text": listed.process_name,
                "href": f"/process?id={listed.id}",
                "note": listed.process_type,
            },
            "status": listed.status,
            "progress": {
                "percent": listed.progress_percentage,
                "text": f"{listed.progress_percentage:.0f} %",
                "level": "running",
            },
            "sla_status": listed.sla_status,
            "priority": listed.priority,
            "assigned_to": listed.assigned_to,
            "due": instant(listed.due_date),
            "created": instant(listed.created_at),
        }


class TasksView(ListView):
    """The whole queue of tasks."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, "tasks", "Tasks", _TASK_COLUMNS, TaskStatus)

    def _row(self, listed: ListedTask) -> dict[str, Any]:
        task = listed.task
        return {
            "id": str(task.id),
            "label": task.task_name,
            "name": {
                "text": task.task_name,
                "href": f"/process?id={task.process_instance_id}&task={task.id}",
                "note": task.task_type,
            },
            "process": {"text": listed.process_name, "href": f"/process?id={task.process_instance_id}"},
            "status": task.status,
            "sla_status": task.sla_status,
            "priority": task.priority,
            "assigned_to": task.assigned_to or (f"team {task.assigned_team}" if task.assigned_team else None),
            "due": instant(task.due_date),
            "created": instant(task.created_at),
        }

    def _exported(self) -> Iterable[Sequence[Any]]:
        every = [{**row.task._asdict(), "process_name": row.process_name} for row in self.store.every()]
        return [list(every[0]), *(list(row.values()) for row in every)] if every else []


def _choice(label: str, options: Iterable[str], value: str | None) -> Any:
    names = [str(option) for option in options]
    return pmui.Select(
        label=label,
        options=[_ANY, *names],
        value=value if value in names else _ANY,
        width=150,
    )
