"""GNDP: an operations workbench — a workflow engine for work that people do, on PostgreSQL.

::

    import gndp

    with gndp.connect() as wb:
        process = wb.processes.start(
            process_definition_id="loan", process_name="Loan 1", process_type="journey", initiated_by="ann"
        )
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gndp.core.calendars import Calendar
from gndp.core.errors import (
    Conflict,
    DatabaseMismatch,
    DatabaseUnavailable,
    EmbeddedServerError,
    Forbidden,
    GndpError,
    Invalid,
    NotFound,
    Problem,
    RateLimited,
    Refusal,
    ServerFault,
    ServerUnavailable,
    StatementTimeout,
    Unauthenticated,
)
from gndp.core.events import Payload
from gndp.core.templates import Phase, Step, Template

if TYPE_CHECKING:
    from gndp.workbench import Workbench, connect

__all__ = [
    "Calendar",
    "Conflict",
    "DatabaseMismatch",
    "DatabaseUnavailable",
    "EmbeddedServerError",
    "Forbidden",
    "GndpError",
    "Invalid",
    "NotFound",
    "Payload",
    "Phase",
    "Problem",
    "RateLimited",
    "Refusal",
    "ServerFault",
    "ServerUnavailable",
    "StatementTimeout",
    "Step",
    "Template",
    "Unauthenticated",
    "Workbench",
    "connect",
]


def __getattr__(name: str) -> Any:
    # The engine is loaded when it is first asked for: programs with a client only never need it.
    if name in ("Workbench", "connect", "workbench"):
        workbench = import_module("gndp.workbench")
        return workbench if name == "workbench" else getattr(workbench, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
