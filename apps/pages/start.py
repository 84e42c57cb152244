"""Start a process: choose its template, name it, and go on to its page."""

from __future__ import annotations

import json
from threading import RLock
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from gndp.core.errors import GndpError

from ..components.facts import Fact, Facts, known
from ..components.form import FormInput
from ..components.html import duration, heading
from ..components.notice import Notice
from ..components.table import instant
from ..forms import Form
from ..stores.start import Templates, start
from .acting import ActingAs

if TYPE_CHECKING:
    from gndp.core.records import Definition, Event
    from gndp.core.templates import Template

    from ..desk import Desk


class StartView:
    """The form of a new process, with what there is to know of its template."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turn = RLock()
        self._offered: list[tuple[str, int]] | None = None
        self._described: str | None = None
        self.store = Templates(lambda: desk.workbench)
        self.acting = ActingAs(desk, lambda: None)
        self.problem = Notice("", severity="error", visible=False)
        self.retry = pmui.Button(label="Try again", visible=False, on_click=lambda _: self.refresh())
        self.notice = Notice("", severity="info", visible=False)
        self.form = FormInput(self._start, self._describe, visible=False)
        self.facts = Facts()
        self.panel = pn.Column(
            heading("Start a process"),
            self.acting.panel,
            self.problem,
            self.retry,
            self.notice,
            pn.Row(
                pn.Column(self.form, styles={"flex": "2 1 420px"}, sizing_mode="stretch_width"),
                pn.Column(self.facts, styles={"flex": "1 1 280px"}, sizing_mode="stretch_width"),
                styles={"flex-wrap": "wrap", "gap": "8px 28px"},
                sizing_mode="stretch_width",
            ),
            sizing_mode="stretch_width",
        )

    def refresh(self) -> None:
        """Read the templates anew; what is being filled in stays, unless there are others now."""
        with self._turn:
            store = self.store
            store.refresh()
            try:
                self.acting.refresh()
            except GndpError as error:
                store.problem = str(error)
            problem = f"The templates cannot be read now: {store.problem}" if store.problem else ""
            self.problem.param.update(object=problem, visible=bool(problem))
            self.retry.visible = store.problem is not None
            if store.problem is None:
                self._show()

    def concerns(self, event: Event) -> bool:
        """Templates are published without an event of a process."""
        return False

    def _show(self) -> None:
        offered = [(definition.id, definition.version) for definition in self.store.definitions]
        may = self._desk.workbench.may("processes.start")
        notice = "" if offered else "There is no template yet: somebody has to publish one."
        notice = notice if may else "You may look at processes, not start them."
        self.notice.param.update(object=notice, visible=bool(notice))
        if offered != self._offered and offered and may:
            draft = self.form.draft or None
            form = Form(self.store.form())
            if draft is None:
                chosen = self._desk.query.get("template")
                draft = {**form.root.start, "template": json.dumps(chosen) if chosen else ""}
            self.form.show(form, "A new process", "Start", draft=draft)
            self._offered = offered
            self._described = None
            self._describe()
        if self.form.visible != bool(offered and may):
            self.form.visible = bool(offered and may)

    def _describe(self, _: Any = None) -> None:
        text = self.form.draft.get("template", "") if isinstance(self.form.draft, dict) else ""
        if text == self._described:
            return
        self._described = text
        chosen = (id for id, _ in self._offered or () if json.dumps(id) == text)
        found = self.store.get(next(chosen, ""))
        if found is None:
            self.facts.show(())
            return
        definition, template = found
        self._desk.say_in_address(
            **{"as": self._desk.acting_as if self.acting.is_offered else None}, template=template.id
        )
        self.facts.show(known(_facts(definition, template)), template.name)

    def _start(self, data: dict[str, Any]) -> None:
        found = self.store.get(data["template"])
        if found is None:
            return
        user_id, template = self._desk.user_id, found[1]
        process = self._desk.do(
            lambda workbench: start(workbench, template, data, user_id), f"{data['name']} is started."
        )
        if process is not None:
            self._desk.go(f"/process?id={process.id}")


def _facts(definition: Definition, template: Template) -> list[Fact]:
    steps = [f"{phase.name}: {len(phase.steps)}" for phase in template.phases if phase.name]
    usual = template.estimated_minutes
    return [
        Fact("What it is for", template.description),
        Fact("Steps", f"{len(template.steps)}" + (f" ({', '.join(steps)})" if steps else "")),
        Fact("Target", duration(template.sla_minutes) if template.sla_minutes else None),
        Fact("Usually takes", duration(usual) if usual else None),
        Fact("Priority", template.priority, "dot"),
        Fact("Version", str(definition.version)),
        Fact("Published", instant(definition.published_at), "instant"),
        Fact("By", definition.published_by),
    ]
