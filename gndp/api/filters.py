"""What lists may be asked for: filters, search, order and page, as query parameters."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gndp.api.meanings import FIELDS
from gndp.api.types import Instant, Name
from gndp.core import listing
from gndp.core.states import Priority, ProcessStatus, SlaStatus, TaskStatus, TaskSubstatus


def _by(name: str, meaning: str | None = None) -> Any:
    return Field(default=None, description=meaning or FIELDS[name])


def _sort(noun: listing.Noun) -> Any:
    names = list(noun.sorts)
    return Field(
        default=None,
        description=f"{', '.join(names[:-1])} or {names[-1]}; with - turned round",
        json_schema_extra={"pattern": f"^-?({'|'.join(names)})$"},
    )


class _Page(BaseModel):
    """What every list may be asked for; a parameter that is unknown is refused, for it is a misspelt one."""

    model_config = ConfigDict(extra="forbid")

    assigned_to: Name | None = _by("assigned_to")
    assigned_team: Name | None = _by("assigned_team")
    process_definition_id: Name | None = _by("process_definition_id")
    priority: list[Priority] | None = _by("priority", "one of these priorities (repeat the parameter)")
    sla_status: list[SlaStatus] | None = _by("sla_status", "one of these SLA statuses")
    tags: list[Name] | None = _by("tags", "all of these tags")
    due_after: Instant | None = _by("due_after", "due at this instant or later")
    due_before: Instant | None = _by("due_before", "due before this instant")
    created_after: Instant | None = _by("created_after", "created at this instant or later")
    created_before: Instant | None = _by("created_before", "created before this instant")
    search: Name | None = _by("search", "words that begin words of the name, the definition's id, the tags …")
    cursor: str | None = _by("cursor", "the next_cursor of the page before, with the same filters and sort")
    limit: int = Field(default=50, ge=1, le=100, description=FIELDS["limit"])
    offset: int = Field(default=0, ge=0, le=10_000, description=FIELDS["offset"])


class ProcessFilters(_Page):
    """Which processes, in which order, and which page of them."""

    status: list[ProcessStatus] | None = _by("status", "one of these statuses (repeat the parameter)")
    process_type: Name | None = _by("process_type")
    business_key: Name | None = _by("business_key", "exactly this `business_key` in the business context")
    parent_process_id: UUID | None = _by("parent_process_id")
    sort: str | None = _sort(listing.PROCESSES)


class TaskFilters(_Page):
    """Which tasks, in which order, and which page of them."""

    process_id: UUID | None = _by("process_instance_id")
    status: list[TaskStatus] | None = _by("status", "one of these statuses (repeat the parameter)")
    substatus: list[TaskSubstatus] | None = _by("substatus", "one of these substatuses")
    task_definition_id: Name | None = _by("task_definition_id")
    sort: str | None = _sort(listing.TASKS)
