"""The figures of the overview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gndp.core.errors import GndpError

if TYPE_CHECKING:
    from gndp.core.records import Summary
    from gndp.workbench import Workbench


@dataclass
class Overview:
    """The figures of the overview, for one browser session.

    ``problem`` says in words why the last refresh failed; the figures of the one before then stay.
    """

    workbench: Callable[[], Workbench]
    summary: Summary | None = None
    problem: str | None = None

    def refresh(self) -> None:
        """Read the figures anew."""
        try:
            self.summary = self.workbench().processes.summary()
            self.problem = None
        except GndpError as error:
            self.problem = str(error)

    @property
    def completion_rate(self) -> float | None:
        """Percent of the last 30 days' processes that are completed; None while there is none."""
        if self.summary is None or not self.summary.total_processes:
            return None
        return 100 * self.summary.completed / self.summary.total_processes
