"""Giving a task to somebody else, and what that would change before it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from gndp.core.errors import GndpError

from ..components.html import STYLESHEET, in_line, render
from ..components.table import Column, Table
from ..stores.workload import Load, WorkloadStore

if TYPE_CHECKING:
    from gndp.core.records import LoadChange, MyTask, Reassignment

    from ..desk import Desk

_COLUMNS = (
    Column("name", "Person"),
    Column("before", "Now", "progress"),
    Column("after", "Then", "progress"),
)


class ReassignmentForm:
    """Chooses whose task goes to whom, shows what both would have then, and does it.

    ``done`` is called after a task was given. What somebody is choosing or typing is never taken away by a
    refresh, only what the choice would come to is worked out anew.
    """

    def __init__(self, desk: Desk, store: WorkloadStore, done: Callable[[], None]) -> None:
        self._desk = desk
        self._store = store
        self._done = done
        self._tasks: dict[str, MyTask] = {}
        self.preview: Reassignment | None = None
        self.giver = pmui.AutocompleteInput(
            label="From",
            options=[],
            min_characters=0,
            case_sensitive=False,
            search_strategy="includes",
            width=270,
        )
        self.task = pmui.Select(label="Task", options=[], disabled=True, width=380)
        self.taker = pmui.AutocompleteInput(
            label="To",
            options=[],
            min_characters=0,
            case_sensitive=False,
            search_strategy="includes",
            width=270,
        )
        self.table = Table(_COLUMNS, self._exported, label="What it would change", visible=False)
        self.verdict = pn.pane.HTML("", stylesheets=[STYLESHEET], sizing_mode="stretch_width")
        self.reason = pmui.TextInput(label="Reason", visible=False, width=380, max_length=500)
        self.give = pmui.Button(label="Reassign", visible=False, margin=(12, 10))
        self.giver.param.watch(lambda _: self._choose_giver(), "value")
        self.task.param.watch(lambda _: self._look(), "value")
        self.taker.param.watch(lambda _: self._look(), "value")
        self.give.on_click(lambda _: self._give())
        self.panel = pn.Column(
            in_line(self.giver, self.task, self.taker),
            self.verdict,
            self.table,
            in_line(self.reason, self.give),
            sizing_mode="stretch_width",
        )

    def refresh(self) -> None:
        """Offer the people that there are now, and work out anew what the choice would come to."""
        people = self._store.everybody
        _offer(self.giver, {_label(one.user_id, one.name): one.user_id for one in people if one.active})
        _offer(self.taker, {_label(one.user_id, one.name): one.user_id for one in people})
        if self.preview is not None:
            self._look()

    def _choose_giver(self) -> None:
        user_id = self.giver.value
        try:
            found = self._store.tasks_of(user_id) if user_id else []
        except GndpError as refusal:
            self._desk.say(str(refusal), "error")
            return
        self._tasks = {str(mine.task.id): mine for mine in found}
        options = {f"{mine.task.task_name} · {mine.process_name}": id for id, mine in self._tasks.items()}
        if len(options) < len(self._tasks):  # several are called the same
            options = {
                f"{mine.task.task_name} · {mine.process_name} · {id[-6:]}": id
                for id, mine in self._tasks.items()
            }
        first = next(iter(options.values()), None)
        self.task.param.update(options=options, value=first, disabled=not options)
        self._look()

    def _look(self) -> None:
        """Show what the choice would come to."""
        mine = self._tasks.get(self.task.value or "")
        if mine is None or not self.taker.value:
            self._show(None, "", False)
            return
        try:
            found = self._store.preview(mine, self.taker.value)
        except GndpError as refusal:
            self._show(None, str(refusal), False)
            return
        if found.refusal:
            self._show(found, f"It cannot be done: {found.refusal}.", False)
        elif not self._store.may_reassign(mine):
            self._show(found, "You may look, and not give this task to somebody else.", False)
        elif found.objection:
            self._show(found, f"Routing would not choose {found.taker.user_id}, who {found.objection}.", True)
        else:
            self._show(found, f"{found.taker.user_id} can take it.", True)

    def _show(self, found: Reassignment | None, verdict: str, may: bool) -> None:
        self.preview = found
        html = render("verdict", text=verdict) if verdict else ""
        if html != self.verdict.object:
            self.verdict.object = html
        cell = _cell(found) if found else ""
        if cell != self.table.notebook_cell:
            self.table.notebook_cell = cell
        rows = [_change_row(change) for change in (found.giver, found.taker)] if found else []
        if rows != self.table.rows:
            self.table.param.update(rows=rows, total=len(rows), is_loading=False)
        for part, is_visible in ((self.table, bool(rows)), (self.reason, may), (self.give, may)):
            if part.visible != is_visible:
                part.visible = is_visible

    def _give(self) -> None:
        found, reason = self.preview, self.reason.value_input.strip()
        if found is None:
            return
        if not reason:
            self._desk.say("Say the reason first.", "warning")
            return
        given = self._desk.do(
            lambda wb: wb.tasks.reassign(
                found.task_id,
                new_assignee=found.taker.user_id,
                reassigned_by=self._desk.user_id,
                reason=reason,
                expected_version=found.version,
            ),
            f"The task is {found.taker.user_id}'s now.",
        )
        if given is not None:
            self.reason.value = ""
            self._choose_giver()
        self._done()

    def _exported(self) -> list[list[Any]]:
        found = self.preview
        if found is None:
            return []
        return [list(found.giver._fields), list(found.giver), list(found.taker)]


def _offer(widget: Any, options: dict[str, str]) -> None:
    """Other options, unless what is chosen would be lost with them."""
    if options != widget.options and (not widget.value or widget.value in options.values()):
        widget.options = options


def _cell(found: Reassignment) -> str:
    """The preview as a cell of a notebook."""
    return (
        "import gndp\n\nwb = gndp.connect()\n"
        f"wb.tasks.preview_reassignment({str(found.task_id)!r}, new_assignee={found.taker.user_id!r})"
    )


def _label(user_id: str, name: str) -> str:
    return name if name == user_id else f"{name} ({user_id})"


def _change_row(change: LoadChange) -> dict[str, Any]:
    return {
        "id": change.user_id,
        "name": change.user_id,
        "before": Load(change.before, change.capacity).bar,
        "after": Load(change.after, change.capacity).bar,
    }
