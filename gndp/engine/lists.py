"""Lists of processes and of tasks: filters, search, sort and pages, checked and read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gndp.core import arguments, listing
from gndp.core.listing import Listing
from gndp.core.records import ListedTask, Process, ProcessPage, Task, TaskPage
from gndp.core.states import TaskSubstatus
from gndp.core.values import parse_id
from gndp.engine.transition import Transitions
from gndp.store import lists

_TASK_WIDTH = len(Task._fields)


class ProcessLists:
    """The lists of ``wb.processes``."""

    def __init__(self, transitions: Transitions) -> None:
        self._transitions = transitions

    def list(
        self,
        *,
        status: str | Sequence[str] | None = None,
        assigned_to: str | None = None,
        process_type: str | None = None,
        priority: str | Sequence[str] | None = None,
        sla_status: str | Sequence[str] | None = None,
        assigned_team: str | None = None,
        process_definition_id: str | None = None,
        tags: Sequence[str] | None = None,
        due_after: datetime | None = None,
        due_before: datetime | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        business_key: str | None = None,
        parent_process_id: UUID | str | None = None,
        search: str | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> ProcessPage:
        """A page of processes, newest first unless ``sort`` says otherwise.

        ``status``, ``priority`` and ``sla_status`` are one value or several, any of which fits; ``tags`` must
        all be there. ``due_after`` and ``created_after`` are the first instants that fit, ``due_before`` and
        ``created_before`` the first that do not any more; what has no due date fits no range of it.
        ``business_key`` is the exact text of ``business_context["business_key"]``.

        ``search``: each of its words begins a word of the name, the definition's id, a tag or the business
        key, whatever the case. Words are what stands between spaces, punctuation and symbols; a search with
        none finds nothing. It has up to 500 characters and 10 words.

        ``sort`` is created_at, due_date (none last), priority (low first), name or status (in the order of a
        life); with ``-`` in front it is turned round. Equal ones go by their instant of creation where they
        are likely (priority, status), and by id.

        ``limit`` is 1–100, ``offset`` up to 10,000; the page's ``next_cursor``, given as ``cursor`` with the
        same filters and sort, goes on without bound: what keeps its place in the order comes once, whatever
        else comes and goes. ``total`` is exact up to 10,000, beyond that it may be an estimate; behind a
        cursor it is what it was for the first page.
        """
        filters = {
            "status": listing.statuses(listing.PROCESSES, status),
            "assigned_to": arguments.optional_name(assigned_to, "assigned_to"),
            "process_type": arguments.optional_name(process_type, "process_type"),
            "business_key": arguments.optional_name(business_key, "business_key"),
            "parent_process_id": _id(parent_process_id, "parent_process_id"),
            **self._transitions.sight("processes.see"),
            **_shared_filters(
                priority=priority,
                sla_status=sla_status,
                assigned_team=assigned_team,
                process_definition_id=process_definition_id,
                tags=tags,
                due_after=due_after,
                due_before=due_before,
                created_after=created_after,
                created_before=created_before,
                search=search,
            ),
        }
        asked = listing.listing(
            listing.PROCESSES,
            filters,
            sort=sort,
            default="-created_at",
            limit=limit,
            offset=offset,
            cursor=cursor,
        )
        page = lists.page(self._transitions.read, asked)
        listed = [Process._make(row) for row in page.rows]
        return ProcessPage(
            listed, page.total, limit, offset, page.is_estimate, _next_cursor(asked, page, listed)
        )


class TaskLists:
    """The lists of ``wb.tasks``."""

    def __init__(self, transitions: Transitions) -> None:
        self._transitions = transitions

    def list(
        self,
        *,
        process_id: UUID | str | None = None,
        status: str | Sequence[str] | None = None,
        substatus: str | Sequence[str] | None = None,
        assigned_to: str | None = None,
        priority: str | Sequence[str] | None = None,
        sla_status: str | Sequence[str] | None = None,
        assigned_team: str | None = None,
        process_definition_id: str | None = None,
        task_definition_id: str | None = None,
        tags: Sequence[str] | None = None,
        due_after: datetime | None = None,
        due_before: datetime | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        search: str | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> TaskPage:
        """A page of tasks: those of one process in their order, else newest first, unless ``sort`` says
        otherwise.

        Filters, ``sort``, ``cursor``, ``limit``, ``offset`` and ``total`` are those of ``wb.processes.list``;
        ``substatus`` is blocked, ready or waiting, or several. ``sort="position"`` is the order within a
        process. ``process_definition_id`` is that of the task's process. ``search`` looks at the words of the
        name, the definition's id, the tags and the notes.
        """
        filters = {
            "process_instance_id": _id(process_id, "process_id"),
            "status": listing.statuses(listing.TASKS, status),
            "substatus": listing.members(TaskSubstatus, substatus, "substatus"),
            "assigned_to": arguments.optional_name(assigned_to, "assigned_to"),
            "task_definition_id": arguments.optional_name(task_definition_id, "task_definition_id"),
            **self._transitions.sight("tasks.see"),
            **_shared_filters(
                priority=priority,
                sla_status=sla_status,
                assigned_team=assigned_team,
                process_definition_id=process_definition_id,
                tags=tags,
                due_after=due_after,
                due_before=due_before,
                created_after=created_after,
                created_before=created_before,
                search=search,
            ),
        }
        asked = listing.listing(
            listing.TASKS,
            filters,
            sort=sort,
            default="-created_at" if process_id is None else "position",
            limit=limit,
            offset=offset,
            cursor=cursor,
        )
        page = lists.page(self._transitions.read, asked)
        listed = [ListedTask(Task._make(row[:_TASK_WIDTH]), row[_TASK_WIDTH]) for row in page.rows]
        return TaskPage(
            listed, page.total, limit, offset, page.is_estimate, _next_cursor(asked, page, listed)
        )


def _shared_filters(**given: Any) -> dict[str, Any]:
    """The filters that processes and tasks have in common, checked."""
    checks: dict[str, Callable[[Any, str], Any]] = {
        "assigned_team": arguments.optional_name,
        "process_definition_id": arguments.optional_name,
        "due_after": arguments.optional_instant,
        "due_before": arguments.optional_instant,
        "created_after": arguments.optional_instant,
        "created_before": arguments.optional_instant,
    }
    return {
        "priority": listing.priorities(given["priority"]),
        "sla_status": listing.sla_statuses(given["sla_status"]),
        "tags": listing.tags(given["tags"]),
        "search": listing.search(given["search"]),
        **{name: check(given[name], name) for name, check in checks.items()},
    }


def _id(value: UUID | str | None, place: str) -> UUID | None:
    return None if value is None else parse_id(value, place)


def _next_cursor(asked: Listing, page: lists.Page, listed: Sequence[Any]) -> str | None:
    return asked.position(listed[-1], page.total, page.is_estimate) if page.has_more else None
