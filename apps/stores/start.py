"""Starting a process from a template: what there is to choose from, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gndp.core.errors import GndpError
from gndp.core.states import Priority
from gndp.core.templates import Template, parse_template

if TYPE_CHECKING:
    from gndp.core.records import Definition, Process
    from gndp.workbench import Workbench


@dataclass
class Templates:
    """The newest version of every template, for one browser session; ``problem`` as in other stores."""

    workbench: Callable[[], Workbench]
    definitions: list[Definition] = field(default_factory=list)
    problem: str | None = None

    def refresh(self) -> None:
        """Read the templates anew."""
        try:
            self.definitions = self.workbench().definitions.list()
            self.problem = None
        except GndpError as error:
            self.problem = str(error)

    def get(self, id: str) -> tuple[Definition, Template] | None:
        """A template with its version; None when there is none of this id."""
        found = next((definition for definition in self.definitions if definition.id == id), None)
        return None if found is None else (found, parse_template(found.document))

    def form(self) -> dict[str, Any]:
        """What there is to say about a new process, as a JSON Schema."""
        options = [
            {"const": definition.id, "title": f"{definition.name}, version {definition.version}"}
            for definition in self.definitions
        ]
        name = {"type": "string", "title": "Name", "minLength": 1, "maxLength": 500}
        own = "The template's own, if you choose none."
        due = {"type": "string", "format": "date-time", "title": "Due"}
        return {
            "type": "object",
            "required": ["template", "name"],
            "properties": {
                "template": {"title": "Template", "oneOf": options},
                "name": {**name, "description": "What tells it from others: the customer, the case …"},
                "priority": {"title": "Priority", "enum": list(map(str, Priority)), "description": own},
                "due_date": due,
                "input_data": {
                    "type": "object",
                    "title": "What is known already (JSON)",
                    "description": 'Shown to everybody who works on it, such as {"customer": "Ann Bee"}.',
                },
            },
        }


def start(workbench: Workbench, template: Template, data: dict[str, Any], user_id: str | None) -> Process:
    """Start a process with what was filled in. Raises GndpError."""
    due = data.get("due_date")
    return workbench.processes.start(
        process_definition_id=template.id,
        process_name=data["name"],
        process_type=template.process_type,
        initiated_by=user_id,
        priority=data.get("priority"),
        due_date=None if due is None else datetime.fromisoformat(due),
        input_data=data.get("input_data"),
    )
