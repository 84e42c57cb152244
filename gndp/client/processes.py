"""Processes: ``wb.processes``, as ``gndp.engine.processes`` has it."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from gndp.client.bulk import BulkResults, Chosen, bulk
from gndp.client.encoding import given
from gndp.client.noun import Common, Creating, Noun, parted, refuse_unknown
from gndp.client.replies import record, records
from gndp.core.records import Event, ListedProcess, ListedProcessPage, Process, Summary
from gndp.core.timeline import Stretch
from gndp.core.values import parse_id


class PageOptions(TypedDict, total=False):
    """What every list may be asked for."""

    assigned_to: str | None
    priority: str | Sequence[str] | None
    sla_status: str | Sequence[str] | None
    assigned_team: str | None
    process_definition_id: str | None
    tags: Sequence[str] | None
    due_after: datetime | None
    due_before: datetime | None
    created_after: datetime | None
    created_before: datetime | None
    search: str | None
    sort: str | None
    cursor: str | None
    limit: int
    offset: int


class ProcessFilters(PageOptions, total=False):
    """What a list of processes may be asked for."""

    status: str | Sequence[str] | None
    process_type: str | None
    business_key: str | None
    parent_process_id: UUID | str | None


class StartOptions(Creating, total=False):
    """What may be said of a new process."""

    initiated_by: str | None
    input_data: dict[str, Any] | None
    assigned_to: str | None
    assigned_team: str | None
    priority: str | None
    sla_target_mins: int | None
    business_context: dict[str, Any] | None
    variables: dict[str, Any] | None
    id: UUID | str | None
    parent_process_id: UUID | str | None
    due_date: datetime | None
    estimated_duration_mins: int | None
    tags: Sequence[str] | None
    auto_complete: bool
    hold: bool


class Processes(Noun):
    """Start, move and read processes.

    Every command takes ``expected_version`` (a mismatch is a Conflict with ``stale`` set),
    ``idempotency_key`` (the first answer again for 24 hours) and ``correlation_id`` (kept on its events).
    Raises NotFound, Conflict or Invalid; a refused command has changed nothing.
    """

    def start(
        self,
        *,
        process_definition_id: str,
        process_name: str,
        process_type: str,
        **optional: Unpack[StartOptions],
    ) -> Process:
        """Start a process; it runs at once, or is held (pending) with ``hold=True``. A published definition
        makes its tasks."""
        body, options = parted(optional, StartOptions)
        body |= given(
            process_definition_id=process_definition_id, process_name=process_name, process_type=process_type
        )
        return record(Process, self._transport.command("POST", "/processes", body, options=options))

    def update_status(
        self,
        id: UUID | str,
        *,
        new_status: str,
        user_id: str | None = None,
        error_message: str | None = None,
        output_data: dict[str, Any] | None = None,
        reason: str | None = None,
        **common: Unpack[Common],
    ) -> Process:
        """The command that leads to ``new_status``."""
        body = given(
            new_status=new_status,
            user_id=user_id,
            error_message=error_message,
            output_data=output_data,
            reason=reason,
        )
        path = f"{_path(id)}/status"
        return record(Process, self._transport.command("PUT", path, body, options=common))

    def suspend(
        self, id: UUID | str, *, user_id: str | None = None, reason: str, **common: Unpack[Common]
    ) -> Process:
        """Pause a running process: nothing in it accepts work until it is resumed."""
        query = {"user_id": user_id, "reason": reason}
        path = f"{_path(id)}/suspend"
        return record(Process, self._transport.command("POST", path, query=query, options=common))

    def resume(self, id: UUID | str, *, user_id: str | None = None, **common: Unpack[Common]) -> Process:
        """Go on with a suspended process."""
        query = {"user_id": user_id}
        path = f"{_path(id)}/resume"
        return record(Process, self._transport.command("POST", path, query=query, options=common))

    def complete(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        output_data: dict[str, Any] | None = None,
        **common: Unpack[Common],
    ) -> Process:
        """Complete a running process by hand; a Conflict while tasks are open."""
        return self._do("complete", id, given(user_id=user_id, output_data=output_data), common)

    def fail(
        self, id: UUID | str, *, user_id: str | None = None, error_message: str, **common: Unpack[Common]
    ) -> Process:
        """Give a running process up."""
        return self._do("fail", id, given(user_id=user_id, error_message=error_message), common)

    def cancel(
        self, id: UUID | str, *, user_id: str | None = None, reason: str, **common: Unpack[Common]
    ) -> Process:
        """Call a process off, with its open tasks and its children, theirs, and so on."""
        return self._do("cancel", id, given(user_id=user_id, reason=reason), common)

    def retry(self, id: UUID | str, *, user_id: str | None = None, **common: Unpack[Common]) -> Process:
        """Run a failed process again, with all its failed tasks."""
        return self._do("retry", id, given(user_id=user_id), common)

    def update(
        self,
        id: UUID | str,
        *,
        user_id: str | None = None,
        priority: str | None = None,
        due_date: datetime | None = None,
        tags: Sequence[str] | None = None,
        variables: dict[str, Any] | None = None,
        **common: Unpack[Common],
    ) -> Process:
        """Change what is given of priority, due date, tags and variables."""
        body = given(user_id=user_id, priority=priority, due_date=due_date, tags=tags, variables=variables)
        return record(Process, self._transport.command("PATCH", _path(id), body, options=common))

    def comment(
        self, id: UUID | str, *, user_id: str | None = None, text: str, **common: Unpack[Common]
    ) -> Process:
        """Say something about a process; it is kept as an event."""
        return self._do("comment", id, given(user_id=user_id, text=text), common)

    def bulk(
        self,
        verb: str,
        items: Iterable[Chosen],
        *,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        **arguments: Any,
    ) -> BulkResults[Process]:
        """Do a verb with its ``arguments`` to each of up to 500 processes, each in a transaction of its own:
        one that is refused stops none of the others.

        ``items`` are ids, or pairs of an id and the version that it must still have.
        """
        options = {"idempotency_key": idempotency_key, "correlation_id": correlation_id}
        return bulk(self._transport, "processes", Process, verb, items, arguments, options)

    def get(self, id: UUID | str) -> Process:
        """One process; NotFound when there is none."""
        return record(Process, self._transport.get(_path(id)))

    def list(self, **filters: Unpack[ProcessFilters]) -> ListedProcessPage:
        """A page of processes, newest first unless ``sort`` says otherwise, with what the API lists of each:
        ``get`` has the rest. Filters, search, sort and cursor are those of the workbench."""
        refuse_unknown(filters, ProcessFilters)
        page = self._transport.get("/processes", filters)
        return record(ListedProcessPage, {**page, "processes": records(ListedProcess, page["processes"])})

    def children(self, id: UUID | str) -> builtins.list[Process]:
        """The children of a process, oldest first."""
        return records(Process, self._transport.get(f"{_path(id)}/children"))

    def events(self, id: UUID | str, *, limit: int = 100) -> builtins.list[Event]:
        """The events of a process, newest first; ``limit`` is 1–500."""
        return records(Event, self._transport.get(f"{_path(id)}/events", {"limit": limit}))

    def timeline(self, id: UUID | str) -> builtins.list[Stretch]:
        """Where a process and each of its tasks stood, from when until when; the earliest stretch first."""
        return records(Stretch, self._transport.get(f"{_path(id)}/timeline")["stretches"])

    def summary(self) -> Summary:
        """The figures of the processes created in the last 30 days."""
        return record(Summary, self._transport.get("/processes/stats/summary"))

    def _do(self, verb: str, id: UUID | str, body: Mapping[str, Any], common: Mapping[str, Any]) -> Process:
        path = f"{_path(id)}/{verb}"
        return record(Process, self._transport.command("POST", path, body, options=common))


def _path(id: UUID | str) -> str:
    return f"/processes/{parse_id(id, 'id')}"
