"""The audit: the check of what always holds, anchors of the log, and the events of one process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import panel as pn
import panel_material_ui as pmui

from gndp.core.errors import GndpError
from gndp.core.states import AuditFault

from ...components.download import Download, File
from ...components.facts import Facts
from ...components.html import heading
from ...components.notice import Notice
from ...components.rows import Rows
from ...components.table import Column, instant
from ...stores.audit import AuditStore, Progress
from ...stores.notebooks import notebook_cell
from .frame import AdminView, row

if TYPE_CHECKING:
    from gndp.core.records import Event
    from gndp.engine.audit import AuditReport
    from gndp.engine.checker import CheckReport

    from ...desk import Desk

Answer = TypeVar("Answer")

_INVARIANTS = (
    Column("state", "Is", "badge", "state"),
    Column("meaning", "What holds", sort="meaning"),
    Column("offenders", "Rows that break it", "number", "offenders"),
)
_FOUND = (
    Column("what", "What is wrong", sort="what"),
    Column("id", "Of", sort="id"),
    Column("detail", "How"),
)
_EVENTS = (
    Column("seq", "No.", "number", "seq"),
    Column("timestamp", "When", "instant", "timestamp"),
    Column("event_type", "Event", sort="event_type"),
    Column("message", "Said"),
    Column("user", "By", sort="user"),
    Column("change", "From, to"),
)


class AuditView(AdminView):
    """Checking, anchoring and reading the log."""

    def __init__(self, desk: Desk) -> None:
        query = desk.query
        store = AuditStore(lambda: desk.workbench, query.get("process", ""), query.get("words", ""))
        self.check = CheckPart(desk, store)
        self.anchors = AnchorPart(desk, store)
        self.process = pmui.TextInput(label="Id of the process", value=store.process_id, width=340)
        self.words = pmui.TextInput(
            label="Words", value=store.words, placeholder="of what is searched", width=240
        )
        self.process.param.watch(self._search, "value")
        self.words.param.watch(self._search, "value")
        self.events = Rows(_EVENTS, label="Events", sort="-seq", empty="Say whose events you want to read.")
        parts = [
            self.check.panel,
            self.anchors.panel,
            heading("Events of a process", 2),
            row(self.process, self.words),
            self.events,
        ]
        super().__init__(desk, store, "Audit", parts)

    def show(self) -> None:
        """Show the events of the process that are searched for."""
        if self.store.process_id:
            self.events.empty = "No event has all these words."
            of = f"wb.processes.events({self.store.process_id!r}, limit=500)"
            self.events.notebook_cell = notebook_cell(of)
        self.events.show(map(_event_row, self.store.found))

    def concerns(self, event: Event) -> bool:
        """An event of the process that is shown is one more of them."""
        return str(event.process_instance_id) == self.store.process_id

    def _search(self, _: Any) -> None:
        self.store.process_id, self.store.words = self.process.value.strip(), self.words.value.strip()
        self.desk.say_in_address(process=self.store.process_id, words=self.store.words)
        self.refresh()


class Work:
    """A bar that shows how far something has come, and tells when it was refused."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.bar = pmui.LinearProgress(value=0, visible=False, sizing_mode="stretch_width")
        self.is_busy = False

    def do(self, work: Callable[[Progress], Answer]) -> Answer | None:
        """Do it once at a time; None when it was refused, or goes on already."""
        if self.is_busy:
            return None
        self.is_busy = True
        self.bar.param.update(value=0, visible=True)
        try:
            return work(self._tell)
        except GndpError as refused:
            self._desk.say(str(refused), "error")
            return None
        finally:
            self.is_busy = self.bar.visible = False

    def _tell(self, done: int, total: int) -> None:
        percent = 100 * done // max(1, total)
        if percent != self.bar.value:
            self.bar.value = percent


def apart(work: Callable[[], None]) -> None:
    """Do something that takes long, so that the page answers meanwhile."""
    Thread(target=work, name="audit", daemon=True).start()


class CheckPart:
    """The check of what always holds, on demand."""

    def __init__(self, desk: Desk, store: AuditStore) -> None:
        self._store = store
        self.work = Work(desk)
        self.start = pmui.Button(label="Check now", on_click=lambda _: apart(self.check))
        self.verdict = Notice("", visible=False)
        self.facts = Facts(sizing_mode="stretch_width", margin=(0, 10))
        self.violations = Rows(
            _FOUND, label="Violations", visible=False, notebook_cell=notebook_cell("wb.check().violations")
        )
        self.invariants = Rows(
            _INVARIANTS,
            label="What always holds",
            sort="-offenders",
            visible=False,
            notebook_cell=notebook_cell("wb.check().invariants"),
        )
        self.panel = pn.Column(
            heading("Check the database", 2),
            pmui.Typography(
                "Verifies over the whole database what must hold at any moment. It changes nothing."
            ),
            row(self.start),
            self.work.bar,
            self.verdict,
            self.facts,
            self.violations,
            self.invariants,
            sizing_mode="stretch_width",
            margin=0,
        )

    def check(self) -> None:
        """Check now."""
        self.start.loading = True
        try:
            report = self.work.do(self._store.check)
        finally:
            self.start.loading = False
        if report is not None:
            self._show(report)

    def _show(self, report: CheckReport) -> None:
        text = "Everything holds." if report.ok else f"{len(report.broken)} of what must hold does not."
        self.verdict.param.update(object=text, severity="success" if report.ok else "error", visible=True)
        counts = [
            (table.replace("_", " ").capitalize(), f"{count:,}") for table, count in report.rows.items()
        ]
        self.facts.show([("As of", report.as_of), *counts])
        self.invariants.show(
            {
                "id": invariant.name,
                "state": "broken" if invariant.offenders else "holds",
                "meaning": invariant.meaning,
                "offenders": invariant.offenders,
            }
            for invariant in report.invariants
        )
        self.violations.show(
            {"id": violation.id, "what": violation.invariant, "detail": violation.detail}
            for violation in report.violations
        )
        self.violations.visible = not report.ok
        self.invariants.visible = True


class AnchorPart:
    """Anchors of the log: one to take away, and one to hold the log against."""

    def __init__(self, desk: Desk, store: AuditStore) -> None:
        self._desk = desk
        self._store = store
        self.work = Work(desk)
        self.download = Download(self._anchor, label="Download an anchor", margin=(0, 10))
        self.file = pmui.FileInput(label="Anchor file", width=180)
        self.start = pmui.Button(label="Verify against it", on_click=lambda _: apart(self.verify))
        self.verdict = Notice("", visible=False)
        self.facts = Facts(sizing_mode="stretch_width", margin=(0, 10))
        self.findings = Rows(_FOUND, label="Findings", visible=False)
        about = (
            "An anchor says where the history of every process ended. Keep it where nobody who can write to "
            "the database can write; held against it later, the log shows whether anything was rewritten."
        )
        self.panel = pn.Column(
            heading("Anchors", 2),
            pmui.Typography(about),
            row(self.download, self.file, self.start),
            self.work.bar,
            self.verdict,
            self.facts,
            self.findings,
            sizing_mode="stretch_width",
            margin=0,
        )

    def verify(self) -> None:
        """Hold the log against the file that was chosen."""
        content = self.file.value
        if not content:
            self._desk.say("Choose the anchor that the log is to be held against.", "info")
            return
        self.start.loading = True
        try:
            report = self.work.do(lambda progress: self._store.verify(content, progress))
        finally:
            self.start.loading = False
        if report is not None:
            self._show(report)

    def _anchor(self) -> File | None:
        content = self.work.do(self._store.anchor)
        if content is None:
            return None
        return File(f"gndp-anchor-{self._desk.workbench.clock():%Y-%m-%d-%H%M%S}.jsonl.gz", content)

    def _show(self, report: AuditReport) -> None:
        wrong = sum(report.faults.values())
        text = "The log is what was anchored." if report.ok else f"{wrong:,} things are wrong."
        self.verdict.param.update(object=text, severity="success" if report.ok else "error", visible=True)
        anchor = report.anchor
        self.facts.show(
            [
                ("Read", report.place.as_of),
                ("In the log", f"{report.processes:,} processes with {report.events:,} events"),
                ("Anchored", anchor and anchor.place.as_of),
                ("Covers", anchor and f"{anchor.processes:,} processes with {anchor.events:,} events"),
                ("Deleted by retention since", f"{report.deleted:,}"),
                ("Of this database", "yes" if report.same_database else "no: of one that this is a copy of"),
                ("Root", anchor and anchor.root),
            ]
        )
        self.findings.show(
            {
                "id": str(finding.process_id or "—"),
                "what": finding.fault.meaning,
                # Its detail names the file, which is one of the server's.
                "detail": None if finding.fault == AuditFault.ANCHOR_ALTERED else finding.detail,
            }
            for finding in report.findings
        )
        self.findings.visible = not report.ok


def _event_row(event: Event) -> dict[str, Any]:
    change = (event.old_status, event.new_status)
    return {
        "id": str(event.seq),
        "seq": event.seq,
        "timestamp": instant(event.timestamp),
        "event_type": event.event_type,
        "message": event.message,
        "user": event.user_name or event.user_id,
        "change": " → ".join(filter(None, change)) or None,
    }
