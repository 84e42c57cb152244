"""GNDP: an operations workbench — a workflow engine for work that people do, on PostgreSQL.

::

    import gndp

    with gndp.connect() as wb:
        process = wb.processes.start(
            process_definition_id="loan", process_name="Loan 1", process_type="journey", initiated_by="ann"
        )
"""

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
    Refusal,
    StatementTimeout,
    Unauthenticated,
)
from gndp.core.events import Payload
from gndp.core.templates import Phase, Step, Template
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
    "Refusal",
    "StatementTimeout",
    "Step",
    "Template",
    "Unauthenticated",
    "Workbench",
    "connect",
]
