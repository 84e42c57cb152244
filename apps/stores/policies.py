"""SLA policies with their versions, and when a clock of one would be due."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from .reading import Store

if TYPE_CHECKING:
    from datetime import datetime

    from gndp.core.policies import EscalationLevel
    from gndp.core.records import PublishedPolicy
    from gndp.core.sla import Preview

NEW_POLICY = """name: answer
item: task            # or process
objective: response   # those of another objective run side by side
target_minutes: 60
# calendar: office    # without one, every minute counts
# applies_to:
#   priorities: [high, critical]
"""
"""What a new policy may look like."""


@dataclass
class Policies(Store):
    """The newest version of every policy."""

    policies: list[PublishedPolicy] = field(default_factory=list)

    def read(self) -> None:
        """Read the policies anew."""
        self.policies = self.workbench().sla.policies()


@dataclass
class OnePolicy(Store):
    """One policy: its versions, the newest first, and a preview of the one that is asked for."""

    name: str
    versions: list[PublishedPolicy] = field(default_factory=list)

    def read(self) -> None:
        """Read the versions anew."""
        self.versions = self.workbench().sla.versions(self.name)

    def version(self, number: int | None) -> PublishedPolicy:
        """A version by its number, or the newest if there is none such."""
        return next((found for found in self.versions if found.version == number), self.versions[0])


def told(preview: Preview) -> list[tuple[str, datetime]]:
    """What would happen, and when, in the order of time."""
    policy = preview.terms.policy
    warnings = zip(policy.warning_minutes, preview.warnings, strict=True)
    escalations = zip(policy.escalation_levels, preview.escalations, strict=True)
    happens = [
        ("Opened", preview.opened_at),
        *((f"At risk, {minutes:g} min before due", at) for minutes, at in warnings),
        ("Due", preview.due_at),
        *((f"{_said(level)}, {_to(level)}", at) for level, at in escalations),
    ]
    return sorted(happens, key=itemgetter(1))


def _said(level: EscalationLevel) -> str:
    return {"notify": "Notify", "raise_priority": "Raise the priority", "reassign": "Reassign"}[level.action]


def _to(level: EscalationLevel) -> str:
    return level.person or level.to.replace("_", " ")
