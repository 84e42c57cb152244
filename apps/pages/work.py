"""My work: what a person has to do, what they may claim, and the one task that is in hand."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any
from uuid import UUID

import panel as pn
import panel_material_ui as pmui

from gndp.core.errors import GndpError, Invalid
from gndp.core.values import parse_id

from ..components.facts import Fact, Facts, known
from ..components.form import FormInput
from ..components.html import heading
from ..components.inbox import TaskList
from ..components.notice import Notice
from ..components.table import instant
from ..forms import Form, title_of
from ..stores.inbox import Inbox, Opened, give, question
from .absence import AbsenceView
from .acting import ActingAs

if TYPE_CHECKING:
    from gndp.core.records import Event, ListedTask, MyTask, Task

    from ..desk import Desk

_LABELS = {
    "claim": "Claim",
    "start": "Start",
    "wait": "Wait …",
    "resume": "Go on",
    "fail": "Report a failure …",
    "release": "Give back",
    "reassign": "Give to somebody else …",
}
_DONE = {
    "claim": "Claimed: it is yours now.",
    "start": "Started.",
    "complete": "Completed.",
    "wait": "It waits.",
    "resume": "It goes on.",
    "fail": "The failure is noted.",
    "release": "Given back.",
    "reassign": "Given to somebody else.",
}
_KEYS = {
    "Enter": "work on it",
    "c": "claim",
    "s": "start",
    "w": "wait",
    "g": "go on",
    "r": "give back",
    "a": "give to somebody else",
}
_BY_KEY = {"c": "claim", "s": "start", "w": "wait", "g": "resume", "r": "release", "a": "reassign"}
_LEAVES = frozenset({"complete", "release", "reassign"})
"""What takes a task off the person's list."""


class WorkView:
    """The work of one person. A form that is being filled in is touched by nothing but their own commands."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turn = RLock()
        self._drafts = desk.drafts
        self._filled: UUID | None = None
        self._asked: str | None = None
        self.store = Inbox(lambda: desk.workbench, chosen=_id(desk.query.get("task")))
        self.acting = ActingAs(desk, self._begin_anew)
        self.absence = AbsenceView(desk, self.refresh)
        self.problem = Notice("", severity="error", visible=False)
        self.retry = pmui.Button(label="Try again", visible=False, on_click=lambda _: self.refresh())
        self.list = TaskList(
            _KEYS, self._press, sizing_mode="stretch_width", styles={"flex": "1 1 360px", "min-width": "0"}
        )
        self.list.param.watch(lambda event: self.choose(event.new), "chosen")
        self.facts = Facts()
        self.notice = Notice("", severity="warning", visible=False)
        self.buttons = {name: self._button(name) for name in _LABELS}
        self.asking = FormInput(self._answer, cancelled=self._ask_nothing, visible=False)
        self.form_title = heading("Form", 3)
        self.form = FormInput(self._complete, self._keep, visible=False)
        self.panel = pn.Column(
            heading("My work"),
            self.acting.panel,
            self.absence.panel,
            self.problem,
            self.retry,
            pn.Row(
                self.list,
                pn.Column(
                    self.facts,
                    self.notice,
                    pn.Row(*self.buttons.values(), styles={"flex-wrap": "wrap"}),
                    self.asking,
                    self.form_title,
                    self.form,
                    styles={"flex": "2 1 420px", "min-width": "0"},
                    sizing_mode="stretch_width",
                ),
                styles={"flex-wrap": "wrap", "gap": "8px 28px"},
                sizing_mode="stretch_width",
            ),
            sizing_mode="stretch_width",
        )

    def refresh(self) -> None:
        """Read the lists and the task in hand anew."""
        with self._turn:
            store = self.store
            store.user_id = self._desk.user_id
            store.refresh()
            try:
                self.acting.refresh()
            except GndpError as error:
                store.problem = str(error)
            problem = f"Your work cannot be read now: {store.problem}" if store.problem else ""
            _change(self.problem, object=problem, visible=bool(problem))
            self.retry.visible = store.problem is not None
            self.absence.show(store.person)
            self._show()

    def concerns(self, event: Event) -> bool:
        """Whether an event may bring work, or is of a process whose task is shown here."""
        return self.store.concerns(event)

    def choose(self, task_id: str) -> None:
        """Take a task in hand."""
        with self._turn:
            chosen = _id(task_id)
            if chosen is not None and chosen != self.store.chosen:
                self.store.chosen = chosen
                self._ask_nothing()
                self.refresh()

    def command(self, name: str) -> None:
        """Give a command about the task in hand, or ask first for what it needs."""
        with self._turn:
            opened = self.store.opened
            if opened is None or name not in opened.commands:
                return
            try:
                asked = question(name, opened.task, self.store.colleagues() if name == "reassign" else ())
            except GndpError as error:
                self._desk.say(str(error), "error")
                return
            if asked is None:
                self._give(name, opened.task)
                return
            self._asked = name
            label = _LABELS[name].removesuffix(" …")
            self.asking.visible = True  # first, since what is hidden takes no focus
            self.asking.show(Form(asked), label, label, cancel="Cancel", is_focused=True)

    # What is shown -----------------------------------------------------------------------------------

    def _show(self) -> None:
        store, opened = self.store, self.store.opened
        team = store.person.team if store.person else None
        nobody = "Choose above as whom you work." if store.user_id is None else "Nothing to do."
        groups = [{"title": "Yours", "empty": nobody, "tasks": [_mine(one) for one in store.mine]}]
        if team is not None:
            waiting = [_listed(one) for one in store.queue]
            groups.append({"title": f"To claim in {team}", "empty": "Nothing waits.", "tasks": waiting})
        _change(self.list, groups=groups, chosen=str(store.chosen or ""))
        self._desk.say_in_address(
            **{"as": self._desk.acting_as if self.acting.is_offered else None}, task=store.chosen
        )
        self.facts.show(*(((), "") if opened is None else (known(_facts(opened)), opened.task.task_name)))
        notice = "" if opened is None else _notice(opened, store)
        _change(self.notice, object=notice, visible=bool(notice))
        commands = () if opened is None else opened.commands
        for name, button in self.buttons.items():
            _change(button, visible=name in commands)
        if self._asked not in commands:
            self._ask_nothing()
        self._show_form(opened)

    def _show_form(self, opened: Opened | None) -> None:
        """The form of a task that was started; it stays as it is while the task is in hand."""
        task_id = None if opened is None else opened.task.id
        if opened is not None and task_id is not None and "complete" in opened.commands:
            if self._filled != task_id:
                form = opened.form or Form(_NOTHING)
                self.form.show(form, opened.task.task_name, "Complete", draft=self._drafts.get(task_id))
                self._filled = task_id
        elif self._filled != task_id or task_id not in self._drafts:
            # What was typed stays, also when somebody else took the task meanwhile.
            self._filled = None
        _change(self.form, visible=self._filled is not None)
        _change(self.form_title, visible=self._filled is not None and bool(opened and opened.form))

    def _button(self, name: str) -> Any:
        is_first = name in ("claim", "start", "resume")
        return pmui.Button(
            label=_LABELS[name],
            variant="contained" if is_first else "outlined",
            size="small",
            visible=False,
            on_click=lambda _: self.command(name),
        )

    # What the person does ----------------------------------------------------------------------------

    def _press(self, key: str, task_id: str) -> None:
        self.choose(task_id)
        if key != "Enter":
            self.command(_BY_KEY[key])
            return
        opened = self.store.opened
        if opened is not None and "complete" not in opened.commands:
            self.command("start")
        if self.form.visible:
            self.form.focus()

    def _begin_anew(self) -> None:
        """Somebody else works here now."""
        with self._turn:
            self.store.chosen = None
            self._drafts.clear()
            self._filled = None
            self._ask_nothing()
            self.absence.close()
            self.refresh()

    def _keep(self, _: Any) -> None:
        if self._filled is not None:
            self._drafts[self._filled] = self.form.draft

    def _ask_nothing(self) -> None:
        self._asked = None
        _change(self.asking, visible=False)

    def _answer(self, data: dict[str, Any]) -> None:
        with self._turn:
            opened = self.store.opened
            if opened is not None and self._asked is not None:
                self._give(self._asked, opened.task, data)

    def _complete(self, data: dict[str, Any]) -> None:
        with self._turn:
            opened = self.store.opened
            if opened is not None:
                self._give("complete", opened.task, data if opened.form is not None else None)

    def _give(self, name: str, task: Task, data: dict[str, Any] | None = None) -> None:
        user_id = self._desk.user_id
        done = f"{_DONE[name]} ({task.task_name})"
        answer = self._desk.do(lambda workbench: give(workbench, name, task, user_id, data), done)
        if answer is not None:
            self._ask_nothing()
            if name in _LEAVES:
                self._drafts.pop(task.id, None)
                self._filled = None
                self.store.move_on()
        self.refresh()


_NOTHING = {"type": "object", "additionalProperties": False}
"""The form of a task whose step asks for nothing."""


def _mine(one: MyTask) -> dict[str, Any]:
    state, said = one.task.status, one.task.status.replace("_", " ")
    if one.task.substatus == "waiting":
        state, said = "waiting", "waiting"
    elif not one.ready:
        state, said = "pending", "blocked"
    return {**_item(one.task, one.process_name), "state": state, "said": said}


def _listed(one: ListedTask) -> dict[str, Any]:
    return {**_item(one.task, one.process_name), "state": "ready", "said": "to claim"}


def _item(task: Task, process_name: str) -> dict[str, Any]:
    return {
        "id": str(task.id),
        "name": task.task_name,
        "note": process_name,
        "due": instant(task.due_date),
        "priority": task.priority,
    }


def _facts(opened: Opened) -> list[Fact]:
    task, process = opened.task, opened.process
    whole = {"text": process.process_name, "href": f"/process?id={process.id}&task={task.id}"}
    return [
        Fact("Process", whole, "link"),
        Fact("Status", task.substatus if task.substatus == "waiting" else task.status, "badge"),
        Fact("Phase", task.phase),
        Fact("Due", instant(task.due_date), "instant"),
        Fact("SLA", task.sla_status, "dot"),
        Fact("Priority", task.priority, "dot"),
        Fact("Team", task.assigned_team),
        Fact("Waits until", instant(task.wait_until), "instant"),
        Fact("Failed before", task.error_message),
        Fact("Notes", task.notes),
        Fact("Tags", ", ".join(task.tags)),
        *(
            Fact(title_of(name), _said(value))
            for name, value in {**process.input_data, **task.input_data}.items()
        ),
    ]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    if isinstance(value, dict):
        return "\n".join(f"{title_of(name)}: {_said(inner)}" for name, inner in value.items())
    return "" if value is None else str(value)


def _notice(opened: Opened, store: Inbox) -> str:
    """Why nothing, or not everything, can be done with the task now."""
    task, process = opened.task, opened.process
    if process.status != "running":
        return f"Nothing can be done now: its process is {process.status}."
    if task.assigned_to == store.user_id or task.status == "pending":
        if task.open_dependencies:
            return f"It cannot be started yet: steps before it are still open ({task.open_dependencies})."
        if task.status in ("assigned", "in_progress", "pending"):
            return ""
    if task.status in ("assigned", "in_progress"):
        return f"{task.assigned_to} has it now."
    return f"It is {task.status} now."


def _change(shown: Any, **values: Any) -> None:
    """Set what is different: what is set anew is drawn anew in the browser."""
    changed = {name: value for name, value in values.items() if getattr(shown, name) != value}
    if changed:
        shown.param.update(**changed)


def _id(text: str | None) -> UUID | None:
    try:
        return parse_id(text or "", "task")
    except Invalid:
        return None
