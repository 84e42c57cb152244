"""A process: where it stands, which way it went, what happened to it, and what can be done now."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from gndp.core.errors import GndpError

from ..components.facts import Facts
from ..components.flow import Flow
from ..components.gantt import Gantt
from ..components.html import heading
from ..components.notice import Notice
from ..components.slices import Slices, changed, show_text
from ..components.table import Column, instant
from ..components.tree import STYLESHEET, tree
from ..stores.gantt import rows as gantt_rows
from ..stores.graph import Graph, graph
from ..stores.process import MOST_EVENTS, ProcessStore
from .actions import ActionsView
from .process_facts import event_row, part_row, process_facts, task_facts

if TYPE_CHECKING:
    from gndp.core.records import Event, Process, Task

    from ..desk import Desk

MOST_NODES = 150
"""How many steps a graph has, at most: more could not be read."""

_TASK_COLUMNS = (
    Column("name", "Task", "link"),
    Column("phase", "Phase"),
    Column("status", "Status", "badge"),
    Column("sla_status", "SLA", "dot"),
    Column("priority", "Priority", "dot"),
    Column("assigned_to", "Assigned to"),
    Column("due", "Due", "instant"),
    Column("started", "Started", "instant"),
    Column("completed", "Ended", "instant"),
)
_EVENT_COLUMNS = (
    Column("at", "When", "instant"),
    Column("severity", "Severity", "dot"),
    Column("type", "Event"),
    Column("message", "What happened"),
    Column("user", "By"),
)
_PART_COLUMNS = (
    Column("name", "Process", "link"),
    Column("relation", "Relation"),
    Column("status", "Status", "badge"),
    Column("progress", "Progress", "progress"),
    Column("sla_status", "SLA", "dot"),
    Column("assigned_to", "Assigned to"),
    Column("created", "Created", "instant"),
)
_CONSIDERED_COLUMNS = (
    Column("person", "Considered"),
    Column("score", "Score"),
    Column("reason", "Why"),
)
_CONTEXT = (
    ("business_context", "Business context"),
    ("input_data", "Input"),
    ("variables", "Variables"),
    ("output_data", "Output"),
)


class ProcessView:
    """A process as one person sees it, and the task that the address asks for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turn = RLock()
        query = desk.query
        self.store = ProcessStore(lambda: desk.workbench, query.get("id", ""), query.get("task"))
        self.title = heading("A process")
        self.problem = Notice("", severity="error", visible=False)
        self.retry = pmui.Button(label="Try again", visible=False, on_click=lambda _: self.refresh())
        self.facts = Facts(label="The process")
        self.actions = ActionsView(desk, self.refresh, "What can be done to the process")
        self.task = _TaskPart(desk, self)
        self.flow = Flow(0, 0)
        self._shape: list[Any] = []
        self.graph = pn.Column(pmui.Typography("No task yet."), sizing_mode="stretch_width")
        self.gantt = Gantt(label="Timeline of the process and its tasks")
        self.tasks = Slices(_TASK_COLUMNS, "Tasks of the process", "No task yet.")
        self.cut = pmui.Typography("", visible=False)
        self.events = Slices(_EVENT_COLUMNS, "Events of the process", "No event.")
        self.parts = Slices(_PART_COLUMNS, "Parent and children", "It is part of no other, and has no part.")
        self.context = {
            name: pn.pane.HTML("", stylesheets=[STYLESHEET], sizing_mode="stretch_width")
            for name, _ in _CONTEXT
        }
        self.body = pn.Column(
            self.facts,
            self.actions.panel,
            self.task.panel,
            heading("Steps", 2),
            self.graph,
            heading("Timeline", 2),
            self.gantt,
            heading("Details", 2),
            self._tabs(),
            visible=False,
            sizing_mode="stretch_width",
        )
        self.loading = pmui.Typography("Loading …")
        self.panel = pn.Column(
            self.title, self.problem, self.retry, self.loading, self.body, sizing_mode="stretch_width"
        )

    def refresh(self) -> None:
        """Read the process anew."""
        with self._turn:
            store = self.store
            store.refresh()
            self.problem.param.update(
                object=f"The process cannot be shown now: {store.problem}", visible=store.problem is not None
            )
            self.retry.visible = store.problem is not None
            self.loading.visible = False
            self.body.visible = store.process is not None
            if store.process is not None:
                self._show(store.process)

    def concerns(self, event: Event) -> bool:
        """Events of the process, of its parent and of its children."""
        return self.store.concerns(event)

    def follow(self) -> bool:
        """Show the task that the address asks for now; False when it asks for another process."""
        query = self._desk.query
        if query.get("id") != self.store.id:
            return False
        self.store.choose(query.get("task"))
        self.refresh()
        return True

    def _show(self, process: Process) -> None:
        store = self.store
        show_text(self.title, heading(process.process_name).object)
        self.facts.show(process_facts(process, store.parent, store.clocks))
        self.actions.show(process, process.process_name, store.process_actions())
        self.task.show()
        self._show_graph(graph(store.template, store.tasks))
        rows = self._gantt_rows()
        self.gantt.param.update({"chosen": store.task_id or "", **changed(self.gantt, rows=rows)})
        self.cut.visible = len(store.tasks) < store.total_tasks
        show_text(self.cut, f"{len(store.tasks)} of the {store.total_tasks:,} tasks are shown.")
        self.tasks.show(
            [self._task_row(task) for task in store.tasks], self._cell("tasks.list(process_id={})")
        )
        self.events.show(
            [event_row(event) for event in store.events],
            self._cell(f"processes.events({{}}, limit={MOST_EVENTS})"),
        )
        related = [("child", child) for child in store.children]
        if store.parent is not None:
            related.insert(0, ("parent", store.parent))
        self.parts.show([part_row(*part) for part in related], self._cell("processes.children({})"))
        for name, pane in self.context.items():
            show_text(pane, tree(getattr(process, name)))

    def _show_graph(self, found: Graph) -> None:
        """Show the graph; one of another shape is drawn anew, so that all of it is in view."""
        shape = [(node.id, node.layer, node.row) for node in found.nodes]
        is_other, self._shape = shape != self._shape, shape
        if len(shape) > MOST_NODES:
            if is_other:
                self.graph[:] = [pmui.Typography(f"{len(shape)} steps are too many for a graph.")]
            return
        if is_other:
            layers = max((node.layer + 1 for node in found.nodes), default=0)
            lines = max((2 * node.row + 1 for node in found.nodes), default=0)
            self.flow = Flow(layers, lines)
        self.flow.show([node._asdict() for node in found.nodes], found.edges)
        if is_other:
            # Not before it has its nodes: it is their place that the view is fitted to.
            self.graph[:] = [self.flow.panel]

    def _gantt_rows(self) -> list[dict[str, Any]]:
        """The process and the tasks that are shown."""
        shown = {None, *(task.id for task in self.store.tasks)}
        return [self._gantt_row(row) for row in gantt_rows(self.store.stretches) if row.task_id in shown]

    def _gantt_row(self, row: Any) -> dict[str, Any]:
        return {
            "id": str(row.task_id or "process"),
            "name": row.name,
            "href": "" if row.task_id is None else self._href(row.task_id),
            "bars": [
                {
                    "kind": bar.kind,
                    "status": bar.status,
                    "who": bar.assigned_to,
                    "begins": bar.begins_at.isoformat(),
                    "ends": instant(bar.ends_at),
                }
                for bar in row.bars
            ],
        }

    def _task_row(self, task: Task) -> dict[str, Any]:
        return {
            "id": str(task.id),
            "label": task.task_name,
            "name": {"text": task.task_name, "href": self._href(task.id), "note": task.task_type},
            "phase": task.phase,
            "status": task.status,
            "sla_status": task.sla_status,
            "priority": task.priority,
            "assigned_to": task.assigned_to or (f"team {task.assigned_team}" if task.assigned_team else None),
            "due": instant(task.due_date),
            "started": instant(task.started_at),
            "completed": instant(task.completed_at),
        }

    def _href(self, task_id: Any) -> str:
        return f"/process?id={self.store.id}&task={task_id}"

    def _cell(self, read: str) -> str:
        return f"import gndp\n\nwb = gndp.connect()\nwb.{read.format(repr(self.store.id))}\n"

    def _tabs(self) -> pmui.Tabs:
        context = pn.Column(sizing_mode="stretch_width")
        for name, title in _CONTEXT:
            context.extend([heading(title, 3), self.context[name]])
        return pmui.Tabs(
            ("Tasks", pn.Column(self.cut, self.tasks.table, sizing_mode="stretch_width")),
            ("Events", self.events.table),
            ("Context", context),
            ("Parent and children", self.parts.table),
            sx={"& .MuiTab-root": {"textTransform": "none"}},
            sizing_mode="stretch_width",
        )


class _TaskPart:
    """The task that is chosen: what there is to say about it, and what can be done to it."""

    def __init__(self, desk: Desk, page: ProcessView) -> None:
        self._desk = desk
        self._page = page
        self.title = heading("", 2)
        self.facts = Facts(label="The task")
        self.actions = ActionsView(desk, page.refresh, "What can be done to the task")
        self.explain = pmui.Button(
            label="Explain assignment", variant="text", size="small", on_click=lambda _: self._explain()
        )
        self.explained = Notice("", severity="info", visible=False)
        self.considered = Slices(_CONSIDERED_COLUMNS, "Who was considered", "Nobody was considered.")
        self.candidates = pn.Column(self.considered.table, visible=False, sizing_mode="stretch_width")
        self.panel = pn.Column(
            self.title,
            self.facts,
            self.actions.panel,
            self.explain,
            self.explained,
            self.candidates,
            visible=False,
            sizing_mode="stretch_width",
            styles={"border-left": "4px solid #1565c0", "padding": "0 0 8px 16px", "margin": "12px 0"},
        )

    def show(self) -> None:
        """Show the task that is chosen, if one is."""
        store = self._page.store
        task = store.task
        self.panel.visible = task is not None
        if task is None:
            return
        show_text(self.title, heading(f"Task: {task.task_name}", 2).object)
        self.facts.show(task_facts(task, store.task_clocks))
        self.actions.show(task, task.task_name, store.task_actions(self._desk.user_id))
        self._show_explanation()

    def _explain(self) -> None:
        try:
            self._page.store.explain()
        except GndpError as refusal:
            self._desk.say(str(refusal), "info")
        self._show_explanation()

    def _show_explanation(self) -> None:
        found = self._page.store.explanation
        self.explained.visible = found is not None
        self.candidates.visible = found is not None and bool(found.considered)
        if found is None:
            return
        who = f"to {found.assigned_to}" if found.assigned_to else "to nobody"
        more = f" {found.unlisted} more were considered." if found.unlisted else ""
        show_text(
            self.explained,
            f"Given {who} ({found.assignment_method.replace('_', ' ')}): {found.reason}.{more}",
        )
        self.considered.show(
            [
                {
                    "id": str(number),
                    "person": considered.user_id,
                    "score": None if considered.score is None else f"{considered.score:.2f}",
                    "reason": considered.reason,
                }
                for number, considered in enumerate(found.considered)
            ],
            f"import gndp\n\nwb = gndp.connect()\nwb.tasks.explain_assignment({str(found.task_id)!r})\n",
        )
