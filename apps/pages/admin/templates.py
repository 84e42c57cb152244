"""Process definitions: as a list, and each with its versions, a drawing and its document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from gndp.core.errors import Invalid
from gndp.core.templates import parse_template

from ...components.documents import drawn
from ...components.facts import Facts
from ...components.html import duration, heading
from ...components.layers import Layers
from ...components.notice import Notice
from ...components.rows import Rows
from ...components.table import Column, instant
from ...stores.documents import as_text, differences
from ...stores.notebooks import notebook_cell
from ...stores.templates import NEW_TEMPLATE, OneTemplate, Templates, layers
from .frame import AdminView, Form, address, document, editor, row

if TYPE_CHECKING:
    from gndp.core.records import Definition
    from gndp.core.templates import Template
    from gndp.workbench import Workbench

    from ...desk import Desk
    from .. import View

_COLUMNS = (
    Column("name", "Template", "link", "name"),
    Column("process_type", "Type", sort="process_type"),
    Column("version", "Version", "number", "version"),
    Column("published_by", "Published by", sort="published_by"),
    Column("published_at", "Published", "instant", "published_at"),
)
_VERSIONS = (
    Column("name", "Version", "link"),
    Column("published_by", "Published by"),
    Column("published_at", "Published", "instant"),
)
_STEPS = (
    Column("name", "Step"),
    Column("phase", "Phase"),
    Column("type", "Type"),
    Column("team", "Team"),
    Column("after", "After"),
    Column("sla", "Target"),
)
_BACK = (address("templates"), "‹ Templates")


def templates_view(desk: Desk) -> View:
    """All definitions, the one that the address names, or a new one."""
    if "template" in desk.query:
        return TemplateView(desk, desk.query["template"])
    return NewTemplateView(desk) if "new" in desk.query else TemplatesView(desk)


class TemplatesView(AdminView):
    """The definitions as a list."""

    def __init__(self, desk: Desk) -> None:
        self.table = Rows(
            _COLUMNS,
            label="Templates",
            sort="name",
            empty="No template yet.",
            notebook_cell=notebook_cell("wb.definitions.list()"),
        )
        self.add = pmui.Button(
            label="New template", on_click=lambda _: desk.go(address("templates", new="1"))
        )
        super().__init__(desk, Templates(lambda: desk.workbench), "Templates", [row(self.add), self.table])

    def show(self) -> None:
        """Show the newest version of every definition."""
        self.table.show(map(_row, self.store.definitions))


class TemplateView(AdminView):
    """One definition, at the version that the address asks for, or the newest."""

    def __init__(self, desk: Desk, id: str) -> None:
        asked = desk.query.get("version", "")
        self.asked = int(asked) if asked.isdecimal() else None
        self.facts = Facts(sizing_mode="stretch_width", margin=(0, 10))
        self.graph = Layers(sizing_mode="stretch_width", margin=(0, 10))
        self.unusable = Notice("", severity="warning", visible=False)
        self.steps = Rows(_STEPS, label="Steps")
        self.versions = Rows(
            _VERSIONS, label="Versions", notebook_cell=notebook_cell(f"wb.definitions.versions({id!r})")
        )
        self.difference = document("")
        self.is_different_title = heading("What this version changed", 2)
        self.content = pn.Column(sizing_mode="stretch_width", margin=0)
        self.edit: Form | None = None
        parts = [
            self.facts,
            heading("Steps", 2),
            self.unusable,
            self.graph,
            self.steps,
            self.content,
            heading("Versions", 2),
            self.versions,
            self.is_different_title,
            self.difference,
        ]
        super().__init__(desk, OneTemplate(lambda: desk.workbench, id), f"Template {id}", parts, _BACK)

    def show(self) -> None:
        """Show the definition; what is typed into its editor stays."""
        if not self.store.versions:
            return
        newest, shown = self.store.versions[0], self.store.version(self.asked)
        self._draw(shown)
        self.facts.show(_facts(shown, newest))
        self.versions.show(map(_version_row, self.store.versions))
        before = next((found for found in self.store.versions if found.version == shown.version - 1), None)
        self.is_different_title.visible = self.difference.visible = before is not None
        if before is not None:
            self.difference.object = drawn("difference", lines=differences(before.document, shown.document))
        if self.edit is None:
            self.edit = _editor(self.desk, as_text(shown.document), newest.version, self._published)
            self.content[:] = [heading("Document", 2), self.edit.panel]

    def _draw(self, shown: Definition) -> None:
        try:
            template = parse_template(shown.document)
        except Invalid as refused:  # published by an earlier version of the workbench, under other rules
            self.unusable.param.update(object=f"It cannot be drawn any more: {refused}", visible=True)
            return
        nodes = [node._asdict() for node in layers(template)]
        if nodes != self.graph.nodes:
            edges = [[other, step.id] for step in template.steps for other in step.depends_on]
            self.graph.param.update(nodes=nodes, edges=edges, label=f"The steps of {template.name}")
        self.steps.show(_step_rows(template))

    def _published(self, definition: Definition) -> None:
        self.desk.say(f"{definition.name} is published as version {definition.version}.")
        self.desk.go(address("templates", template=definition.id))


class NewTemplateView(AdminView):
    """A definition that is not there yet."""

    def __init__(self, desk: Desk) -> None:
        self.edit = _editor(desk, NEW_TEMPLATE, 0, self._published)
        store = Templates(lambda: desk.workbench)
        super().__init__(desk, store, "New template", [self.edit.panel], _BACK)

    def show(self) -> None:
        """Nothing that was read is shown: whether the id is taken is decided when it is published."""

    def _published(self, definition: Definition) -> None:
        self.desk.say(f"{definition.name} is published.")
        self.desk.go(address("templates", template=definition.id))


def _editor(desk: Desk, text: str, expected_version: int, done: Any) -> Form:
    field = editor("Document, YAML or JSON", text, rows=14)

    def publish(wb: Workbench) -> Definition:
        return wb.definitions.publish(field.value, user_id=desk.user_id, expected_version=expected_version)

    label = "Publish as a new version" if expected_version else "Publish"
    return Form(desk, [field], label, publish, done)


def _facts(shown: Definition, newest: Definition) -> list[tuple[str, Any]]:
    document = shown.document
    return [
        ("Name", shown.name),
        ("Version", f"{shown.version} of {newest.version}"),
        ("About", document.get("description")),
        ("Type", document.get("process_type", "custom")),
        ("Target", duration(document.get("sla_minutes"))),
        ("Published", shown.published_at),
        ("Published by", shown.published_by),
    ]


def _row(definition: Definition) -> dict[str, Any]:
    return {
        "id": definition.id,
        "name": {
            "text": definition.name,
            "href": address("templates", template=definition.id),
            "note": definition.id,
        },
        "process_type": definition.document.get("process_type", "custom"),
        "version": definition.version,
        "published_by": definition.published_by,
        "published_at": instant(definition.published_at),
    }


def _version_row(definition: Definition) -> dict[str, Any]:
    number = str(definition.version)
    return {
        "id": number,
        "name": {
            "text": f"Version {number}",
            "href": address("templates", template=definition.id, version=number),
        },
        "published_by": definition.published_by,
        "published_at": instant(definition.published_at),
    }


def _step_rows(template: Template) -> list[dict[str, Any]]:
    return [
        {
            "id": step.id,
            "name": step.name,
            "phase": template.phase_of(step.id),
            "type": step.type,
            "team": step.team,
            "after": ", ".join(template.step(other).name for other in step.depends_on) or None,
            "sla": duration(step.sla_minutes),
        }
        for step in template.steps
    ]
