"""The administration: people, calendars, policies, templates, jobs, events, audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import Place, View
from .audit import AuditView
from .calendars import calendars_view
from .events import EventsView
from .frame import Refused
from .jobs import JobsView
from .people import people_view
from .sla import sla_view
from .templates import templates_view

if TYPE_CHECKING:
    from ...desk import Desk


def _place(path: str, label: str, action: str, build: Callable[[Desk], View]) -> Place:
    """A page for those who may do something; whoever else opens its address is told so."""

    def built(desk: Desk) -> View:
        may = desk.workbench.may(action)
        return build(desk) if may else Refused(label, "managers and administrators")

    return Place(f"/admin/{path}", label, "Admin", action, built)


ADMIN_PLACES = (
    _place("people", "People", "directory.be_away", people_view),
    _place("calendars", "Calendars", "calendars.save", calendars_view),
    _place("sla", "SLA policies", "sla.publish", sla_view),
    _place("templates", "Templates", "definitions.publish", templates_view),
    _place("jobs", "Jobs", "jobs.see", JobsView),
    _place("events", "Events", "subscriptions.see", EventsView),
    _place("audit", "Audit", "audit.see", AuditView),
)
"""The pages of the administration."""
