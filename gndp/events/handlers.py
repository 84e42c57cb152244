"""Handlers that ship: the log line of every event, the word about a breach, and counts of what is completed.

Each is an object to subscribe: ``wb.events.subscribe("sla.breached", SlaBreaches())``.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import datetime
from typing import NamedTuple

from gndp.core.errors import NotFound
from gndp.core.records import Event
from gndp.engine.processes import Processes
from gndp.engine.tasks import Tasks
from gndp.events.bus import Heard

_LEVELS = {
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


class EventLogger:
    """Writes a line into the logger ``gndp.event`` for every event and message that it is given, at the level
    of the event's severity."""

    def __init__(self) -> None:
        self._log = logging.getLogger("gndp.event")

    def __call__(self, heard: Heard) -> None:
        """Write the line of one event."""
        if isinstance(heard, Event):
            level = _LEVELS.get(heard.severity, logging.INFO)
            line = "%s seq=%d process=%s task=%s user=%s: %s"
            values = (heard.seq, heard.process_instance_id, heard.task_id, heard.user_id, heard.message)
            self._log.log(level, line, heard.event_type, *values)
        else:
            self._log.info("%s source=%s: %s", heard.event_type, heard.source, dict(heard.data))


class Breach(NamedTuple):
    """An item that is late: what it is, who has it, when it was due and when that was told (aware UTC)."""

    item: str
    assigned_to: str | None
    due_date: datetime | None
    told_at: datetime


class SlaBreaches:
    """Warns, in the logger ``gndp.sla``, of every breach that it is given, with who has the item; ``newest``
    are the last 100."""

    def __init__(self, processes: Processes, tasks: Tasks) -> None:
        self.newest: list[Breach] = []
        self._processes = processes
        self._tasks = tasks
        self._log = logging.getLogger("gndp.sla")

    def __call__(self, event: Event) -> None:
        """Warn of one breach."""
        if event.event_type != "sla.breached":
            return
        due = event.details.get("due_date")
        breach = Breach(
            event.message, self._assignee(event), due and datetime.fromisoformat(due), event.timestamp
        )
        self.newest = [*self.newest[-99:], breach]
        self._log.warning(
            "%s (process %s, with %s, due %s)",
            breach.item,
            event.process_instance_id,
            breach.assigned_to,
            due,
        )

    def _assignee(self, event: Event) -> str | None:
        try:
            if event.task_id is not None:
                return self._tasks.get(event.task_id).assigned_to
            return self._processes.get(event.process_instance_id).assigned_to
        except NotFound:
            return None  # retention was quicker


class Completions:
    """Counts the processes that are completed, failed and cancelled; for metrics.

    ``counts`` maps (event type, process type) to how many; ``minutes`` the process type to the whole minutes
    that its completed processes took.
    """

    def __init__(self, processes: Processes) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.minutes: Counter[str] = Counter()
        self._processes = processes
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Count one process's end; other events count nothing."""
        if event.event_type not in ("process.completed", "process.failed", "process.cancelled"):
            return
        process = self._processes.get(event.process_instance_id)
        with self._lock:
            self.counts[event.event_type, process.process_type] += 1
            if event.event_type == "process.completed":
                self.minutes[process.process_type] += process.actual_duration_mins or 0
