"""What every store of the administration does: read anew, and say in words why that failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gndp.core.errors import GndpError

if TYPE_CHECKING:
    from gndp.workbench import Workbench


@dataclass
class Store:
    """What one page shows, for one browser session.

    ``problem`` says in words why the last refresh failed; what was read before then stays.
    """

    workbench: Callable[[], Workbench]
    problem: str | None = field(default=None, init=False)

    def refresh(self) -> None:
        """Read anew what is shown."""
        try:
            self.read()
            self.problem = None
        except GndpError as error:
            self.problem = str(error)

    def read(self) -> None:
        """Read anew what is shown; raises GndpError."""
        raise NotImplementedError
