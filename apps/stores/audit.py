"""The audit: what always holds, anchors of the log, and the events of one process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .reading import Store

if TYPE_CHECKING:
    from gndp.core.records import Event
    from gndp.engine.audit import AuditReport
    from gndp.engine.checker import CheckReport

Progress = Callable[[int, int], None]

MOST_EVENTS = 500
"""How many events of a process are read, the newest of them."""


@dataclass
class AuditStore(Store):
    """The events of the process that is asked for, filtered by words; checks are made when asked for."""

    process_id: str = ""
    words: str = ""
    events: list[Event] = field(default_factory=list)

    def read(self) -> None:
        """Read the newest events of the process anew."""
        self.events = (
            self.workbench().processes.events(self.process_id, limit=MOST_EVENTS) if self.process_id else []
        )

    @property
    def found(self) -> list[Event]:
        """The events in which every word is."""
        words = self.words.casefold().split()
        return [event for event in self.events if all(word in _text(event) for word in words)]

    def check(self, progress: Progress) -> CheckReport:
        """Verify what always holds; raises GndpError."""
        return self.workbench().check(progress=progress)

    def anchor(self, progress: Progress) -> bytes:
        """An anchor of the log as a compressed file; raises GndpError."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "anchor.gz"
            self.workbench().audit.anchor(path, progress=progress)
            return path.read_bytes()

    def verify(self, content: bytes, progress: Progress) -> AuditReport:
        """Hold the log against an anchor; raises GndpError."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "anchor"
            path.write_bytes(content)
            return self.workbench().audit.verify(path, progress=progress)


def _text(event: Event) -> str:
    parts = (event.event_type, event.message, event.user_id, event.user_name, event.task_id, event.details)
    return " ".join(map(str, filter(None, parts))).casefold()
