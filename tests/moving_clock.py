"""A workbench's clock that a test moves, and a process to try it on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import gndp

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Clock:
    """Stands at nine until it is moved."""

    def __init__(self) -> None:
        self.now = NINE

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


def started(wb: gndp.Workbench, **more: Any) -> gndp.core.records.Process:
    return wb.processes.start(
        **{
            "process_definition_id": "loose",
            "process_name": "Case",
            "process_type": "custom",
            "initiated_by": "eve",
            **more,
        }
    )
