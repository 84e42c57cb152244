"""Processes and tasks as lists: filtered, searched, sorted; what is chosen stands in the address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import panel as pn
import panel_material_ui as pmui

from gndp.core.states import Priority, ProcessStatus, SlaStatus, TaskStatus, TaskSubstatus

from ..components.html import heading, in_line
from ..components.notice import Notice
from ..components.search_input import SearchInput
from ..components.table import Column, Table, instant
from ..components.views import Views
from ..stores.bulk import PROCESS_VERBS, TASK_VERBS, Bulk, Verb
from ..stores.lists import NEWEST_FIRST, PAGE_SIZE, ListStore
from . import in_turn
from .bulk import BulkBar

if TYPE_CHECKING:
    from gndp.core.records import Event, ListedTask, Process

    from ..desk import Desk

_ANY = "any"
_OPEN_PROCESSES = "status=pending,running,suspended"
_OPEN_TASKS = "status=pending,assigned,in_progress"

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
    """A list with its filters, its views to choose from, and what may be done to several of its rows."""

    def __init__(
        self,
        desk: Desk,
        noun: str,
        columns: Sequence[Column],
        choices: dict[str, tuple[str, Iterable[str]]],
        views: Sequence[tuple[str, str]],
        verbs: Sequence[Verb],
    ) -> None:
        query = desk.query
        self._desk = desk
        statuses = [str(status) for status in (ProcessStatus if noun == "processes" else TaskStatus)]
        self.status = pmui.MultiChoice(
            label="Status",
            options=statuses,
            value=[status for status in query.get("status", "").split(",") if status in statuses],
            width=260,
        )
        self.choices = {
            name: _choice(label, options, query.get(name)) for name, (label, options) in choices.items()
        }
        self.team = _choice("Team", [team] if (team := query.get("assigned_team")) else [], team)
        self.search = SearchInput(
            label="Search",
            value=query.get("search", ""),
            placeholder="words of the name …",
            width=200,
            margin=(5, 10),
        )
        self.assigned_to = SearchInput(
            label="Assigned to",
            value=query.get("assigned_to", ""),
            placeholder="user id",
            width=140,
            margin=(5, 10),
        )
        self.store = ListStore(
            lambda: desk.workbench,
            noun,
            self._filters(),
            query.get("sort", NEWEST_FIRST),
            int(page) if (page := query.get("page", "0")).isdecimal() else 0,
        )
        title = noun.capitalize()
        self.table = Table(
            columns,
            self._exported,
            label=title,
            sort=self.store.sort,
            page=self.store.page,
            page_size=PAGE_SIZE,
            selectable=True,
            empty="Nothing that fits these filters.",
        )
        self.views = Views(
            place=f"/{noun}",
            ready=list(views),
            here=desk.navigation.url,
            sizing_mode="stretch_width",
            margin=(0, 10),
        )
        self.bulk = BulkBar(
            desk, Bulk(lambda: desk.workbench, noun, verbs), lambda: self.store.people, self._after_bulk
        )
        self.problem = Notice("", severity="error", visible=False)
        self.retry = pmui.Button(label="Try again", visible=False, on_click=lambda _: self.refresh())
        self._watch()
        filters = (self.search, self.status, *self.choices.values(), self.team, self.assigned_to)
        self.panel = pn.Column(
            heading(title),
            self.views,
            in_line(*filters),
            self.problem,
            self.retry,
            self.bulk.panel,
            self.table,
            sizing_mode="stretch_width",
        )

    @in_turn
    def refresh(self) -> None:
        """Read the page anew."""
        store = self.store
        store.refresh()
        self.problem.param.update(
            object=f"The list cannot be read now: {store.problem}", visible=store.problem is not None
        )
        self.retry.visible = store.problem is not None
        teams = [_ANY, *store.teams]
        if self.team.value in teams and teams != self.team.options:
            self.team.options = teams
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
        self._choose()

    def concerns(self, event: Event) -> bool:
        """Every event may change a list."""
        return True

    def _watch(self) -> None:
        for widget in (self.search, self.status, *self.choices.values(), self.team, self.assigned_to):
            widget.param.watch(lambda _: self._filter(), "value")
        self.table.param.watch(self._turn, ["sort", "page"])
        self.table.param.watch(lambda _: self._choose(), "selected")

    def _row(self, listed: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _filters(self) -> dict[str, Any]:
        chosen = {
            "search": self.search.value.strip(),
            "status": self.status.value,
            **{name: choice.value for name, choice in self.choices.items()},
            "assigned_team": self.team.value,
            "assigned_to": self.assigned_to.value.strip(),
        }
        return {name: None if value == _ANY else value for name, value in chosen.items()}

    def _filter(self) -> None:
        filters = self._filters()
        if filters != self.store.filters:
            self.store.filters = filters
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
        self._desk.say_in_address(**self.store.said)
        self.views.here = self._desk.navigation.said
        self.refresh()

    def _choose(self) -> None:
        self.bulk.bulk.choose(self.table.selected, self.store.rows)
        self.bulk.show()

    def _after_bulk(self) -> None:
        self.table.selected = []
        self.refresh()

    def _exported(self) -> Iterable[Sequence[Any]]:
        every = [listed._asdict() for listed in self.store.every()]
        return [list(every[0]), *(list(row.values()) for row in every)] if every else []


class ProcessesView(ListView):
    """The list of processes."""

    def __init__(self, desk: Desk) -> None:
        views = [
            ("All", "/processes"),
            ("Open", f"/processes?{_OPEN_PROCESSES}"),
            ("Late", f"/processes?{_OPEN_PROCESSES}&sla_status=breached&sort=due_date"),
            ("At risk", f"/processes?{_OPEN_PROCESSES}&sla_status=at_risk&sort=due_date"),
            ("Waiting", "/processes?status=suspended"),
            ("Failed", "/processes?status=failed"),
        ]
        if desk.user_id:
            views.append(("Mine", f"/processes?{_OPEN_PROCESSES}&assigned_to={quote(desk.user_id)}"))
        choices = {"sla_status": ("SLA", SlaStatus), "priority": ("Priority", Priority)}
        super().__init__(desk, "processes", _PROCESS_COLUMNS, choices, views, PROCESS_VERBS)

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
        views = [
            ("All", "/tasks"),
            ("Open", f"/tasks?{_OPEN_TASKS}"),
            ("Late", f"/tasks?{_OPEN_TASKS}&sla_status=breached&sort=due_date"),
            ("Unassigned", "/tasks?status=pending&substatus=ready&sort=-priority"),
            ("Waiting", "/tasks?status=in_progress&substatus=waiting"),
        ]
        if desk.user_id:
            mine = f"status=assigned,in_progress&assigned_to={quote(desk.user_id)}"
            views.append(("Mine", f"/tasks?{mine}&sort=due_date"))
        choices = {
            "substatus": ("Stage", TaskSubstatus),
            "sla_status": ("SLA", SlaStatus),
            "priority": ("Priority", Priority),
        }
        super().__init__(desk, "tasks", _TASK_COLUMNS, choices, views, TASK_VERBS)

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
        width=125,
    )
