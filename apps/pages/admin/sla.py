"""SLA policies: as a list, and each with its versions, its document and a preview."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from gndp.core.errors import GndpError, Invalid, Problem

from ...components.documents import drawn
from ...components.facts import Facts
from ...components.html import duration, heading
from ...components.notice import Notice
from ...components.rows import Rows
from ...components.table import Column, instant
from ...stores.documents import as_text, differences
from ...stores.notebooks import notebook_cell
from ...stores.policies import NEW_POLICY, OnePolicy, Policies, told
from .frame import AdminView, Form, FormDialog, address, document, editor, instant_of, row

if TYPE_CHECKING:
    from gndp.core.records import PublishedPolicy
    from gndp.workbench import Workbench

    from ...desk import Desk
    from .. import View

_COLUMNS = (
    Column("name", "Policy", "link", "name"),
    Column("item", "Of", sort="item"),
    Column("target", "Target"),
    Column("calendar", "Calendar", sort="calendar"),
    Column("version", "Version", "number", "version"),
    Column("state", "Is", "badge", "state"),
    Column("published_at", "Published", "instant", "published_at"),
)
_VERSIONS = (
    Column("name", "Version", "link"),
    Column("published_by", "Published by"),
    Column("published_at", "Published", "instant"),
    Column("retired_at", "Retired", "instant"),
)
_BACK = (address("sla"), "‹ SLA policies")


def sla_view(desk: Desk) -> View:
    """All policies, the one that the address names, or a new one."""
    if "policy" in desk.query:
        return PolicyView(desk, desk.query["policy"])
    return NewPolicyView(desk) if "new" in desk.query else PoliciesView(desk)


class PoliciesView(AdminView):
    """The policies as a list."""

    def __init__(self, desk: Desk) -> None:
        self.table = Rows(
            _COLUMNS,
            label="SLA policies",
            sort="name",
            empty="No policy yet.",
            notebook_cell=notebook_cell("wb.sla.policies()"),
        )
        self.add = pmui.Button(label="New policy", on_click=lambda _: desk.go(address("sla", new="1")))
        super().__init__(desk, Policies(lambda: desk.workbench), "SLA policies", [row(self.add), self.table])

    def show(self) -> None:
        """Show the newest version of every policy."""
        self.table.show(map(_row, self.store.policies))


class PolicyView(AdminView):
    """One policy, at the version that the address asks for, or the newest."""

    def __init__(self, desk: Desk, name: str) -> None:
        asked = desk.query.get("version", "")
        self.asked = int(asked) if asked.isdecimal() else None
        self.facts = Facts(sizing_mode="stretch_width", margin=(0, 10))
        self.versions = Rows(
            _VERSIONS, label="Versions", notebook_cell=notebook_cell(f"wb.sla.versions({name!r})")
        )
        self.difference = document("")
        self.is_different_title = heading("What this version changed", 2)
        self.content = pn.Column(sizing_mode="stretch_width", margin=0)
        self.edit: PolicyEditor | None = None
        self.retire = pmui.Button(label="Retire …", variant="outlined", visible=False)
        self.retire.on_click(lambda _: self.dialog.open())
        question = (
            "It starts no more clocks; those that run go on. Publishing it anew puts it in force again."
        )
        form = Form(desk, [Notice(question, severity="warning")], "Retire", self._retire, self._retired)
        self.dialog = FormDialog(f"Retire {name}", form)
        parts = [
            self.facts,
            row(self.retire),
            self.content,
            heading("Versions", 2),
            self.versions,
            self.is_different_title,
            self.difference,
            self.dialog.dialog,
        ]
        store = OnePolicy(lambda: desk.workbench, name)
        super().__init__(desk, store, f"Policy {name}", parts, _BACK)

    def show(self) -> None:
        """Show the policy; what is typed into its editor stays."""
        if not self.store.versions:
            return
        newest, shown = self.store.versions[0], self.store.version(self.asked)
        self.facts.show(_facts(shown, newest))
        self.retire.visible = newest.retired_at is None and self.desk.workbench.may("sla.retire")
        self.versions.show(_version_row(version) for version in self.store.versions)
        before = next((found for found in self.store.versions if found.version == shown.version - 1), None)
        self.is_different_title.visible = self.difference.visible = before is not None
        if before is not None:
            self.difference.object = drawn("difference", lines=differences(before.document, shown.document))
        if self.edit is None:
            self.edit = PolicyEditor(self.desk, as_text(shown.document), newest.version, self._published)
            self.content[:] = [self.edit.panel]

    def _published(self, policy: PublishedPolicy) -> None:
        self.desk.say(f"{policy.name} is in force as version {policy.version}, for clocks that start now.")
        self.desk.go(address("sla", policy=policy.name))

    def _retire(self, wb: Workbench) -> PublishedPolicy:
        newest = self.store.versions[0]
        return wb.sla.retire(newest.name, user_id=self.desk.user_id, expected_version=newest.version)

    def _retired(self, policy: PublishedPolicy) -> None:
        self.dialog.close()
        self.desk.say(f"{policy.name} starts no more clocks.")
        self.refresh()


class NewPolicyView(AdminView):
    """A policy that is not there yet."""

    def __init__(self, desk: Desk) -> None:
        self.edit = PolicyEditor(desk, NEW_POLICY, 0, self._published)
        super().__init__(desk, Policies(lambda: desk.workbench), "New SLA policy", [self.edit.panel], _BACK)

    def show(self) -> None:
        """Nothing that was read is shown: whether the name is taken is decided when it is published."""

    def _published(self, policy: PublishedPolicy) -> None:
        self.desk.say(f"{policy.name} is in force.")
        self.desk.go(address("sla", policy=policy.name))


class PolicyEditor:
    """The document of a policy: tried out for an instant, and published."""

    def __init__(self, desk: Desk, text: str, expected_version: int, done: Any) -> None:
        self._desk = desk
        self.text = editor("Document, YAML or JSON", text)
        self.opened_at = pmui.DatetimePicker(label="Opened at (now if empty)", value=None, width=260)
        self.preview = Facts(sizing_mode="stretch_width", margin=(0, 10))
        self.problems = document("")
        self.try_out = pmui.Button(
            label="Show when it is due", variant="outlined", on_click=lambda _: self.preview_it()
        )

        def publish(wb: Workbench) -> PublishedPolicy:
            return wb.sla.publish(self.text.value, user_id=desk.user_id, expected_version=expected_version)

        self.form = Form(desk, [self.text], "Publish", publish, done)
        self.panel = pn.Column(
            heading("Document", 2),
            self.form.panel if desk.workbench.may("sla.publish") else self.text,
            heading("Preview", 2),
            row(self.opened_at, self.try_out),
            self.problems,
            self.preview,
            sizing_mode="stretch_width",
            margin=0,
        )

    def preview_it(self) -> None:
        """Show when a clock by the document would be due, warn and escalate."""
        opened_at = instant_of(self._desk, self.opened_at.value) or datetime.now(UTC)
        problems: list[Problem] = []
        happens: list[tuple[str, datetime]] = []
        try:
            happens = told(self._desk.workbench.sla.preview(self.text.value, opened_at))
        except Invalid as refused:
            problems = list(refused.problems)
        except GndpError as refused:
            problems = [Problem("", str(refused))]
        self.problems.object = drawn("problems", problems=problems, title="This cannot be tried out:")
        self.preview.show(happens)


def _facts(shown: PublishedPolicy, newest: PublishedPolicy) -> list[tuple[str, Any]]:
    document = shown.document
    state = "in force" if newest.retired_at is None else "retired"
    return [
        ("Version", f"{shown.version} of {newest.version}"),
        ("Is", state if shown == newest else "an older version"),
        *([("Retired", newest.retired_at)] if newest.retired_at else []),
        ("About", document.get("description")),
        ("Target", duration(document["target_minutes"])),
        ("Calendar", document.get("calendar") or "every minute counts"),
        ("Published", shown.published_at),
        ("Published by", shown.published_by),
    ]


def _row(policy: PublishedPolicy) -> dict[str, Any]:
    document = policy.document
    return {
        "id": policy.name,
        "name": {
            "text": policy.name,
            "href": address("sla", policy=policy.name),
            "note": document.get("description", ""),
        },
        "item": f"{document.get('item', 'process')}, {document.get('objective', 'resolution')}",
        "target": duration(document["target_minutes"]),
        "calendar": document.get("calendar"),
        "version": policy.version,
        "state": "in_force" if policy.retired_at is None else "retired",
        "published_at": instant(policy.published_at),
    }


def _version_row(policy: PublishedPolicy) -> dict[str, Any]:
    return {
        "id": str(policy.version),
        "name": {
            "text": f"Version {policy.version}",
            "href": address("sla", policy=policy.name, version=str(policy.version)),
        },
        "published_by": policy.published_by,
        "published_at": instant(policy.published_at),
        "retired_at": instant(policy.retired_at),
    }
