"""Process definitions with their versions, and how their steps follow each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .reading import Store

if TYPE_CHECKING:
    from gndp.core.records import Definition
    from gndp.core.templates import Template

NEW_TEMPLATE = """id: small_request
name: Small request
process_type: custom
steps:
  - id: check
    name: Check the request
  - id: decide
    name: Decide
    depends_on: [check]
"""
"""What a new definition may look like."""


class Node(NamedTuple):
    """A step in a drawing: in which layer, from the left, and in which row of it."""

    id: str
    name: str
    note: str
    layer: int
    row: int


@dataclass
class Templates(Store):
    """The newest version of every definition."""

    definitions: list[Definition] = field(default_factory=list)

    def read(self) -> None:
        """Read the definitions anew."""
        self.definitions = self.workbench().definitions.list()


@dataclass
class OneTemplate(Store):
    """One definition with its versions, the newest first."""

    id: str
    versions: list[Definition] = field(default_factory=list)

    def read(self) -> None:
        """Read the versions anew."""
        self.versions = self.workbench().definitions.versions(self.id)

    def version(self, number: int | None) -> Definition:
        """A version by its number, or the newest if there is none such."""
        return next((found for found in self.versions if found.version == number), self.versions[0])


def layers(template: Template) -> list[Node]:
    """The steps, each in the layer behind the last of those that it waits for, near their rows."""
    layer: dict[str, int] = {}
    waiting = list(template.steps)
    while waiting:
        ready = [step for step in waiting if all(other in layer for other in step.depends_on)]
        for step in ready:
            layer[step.id] = 1 + max((layer[other] for other in step.depends_on), default=-1)
        waiting = [step for step in waiting if step.id not in layer]
    rows: dict[str, int] = {}
    for number in range(1 + max(layer.values(), default=-1)):
        steps = [step for step in template.steps if layer[step.id] == number]
        steps.sort(
            key=lambda step: sum(rows[other] for other in step.depends_on) / max(1, len(step.depends_on))
        )
        rows.update((step.id, row) for row, step in enumerate(steps))
    return [
        Node(step.id, step.name, step.team or template.phase_of(step.id) or "", layer[step.id], rows[step.id])
        for step in template.steps
    ]
