"""SLA policies and clocks: ``wb.sla``, as ``gndp.engine.sla`` has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from gndp.client.encoding import given, segment
from gndp.client.noun import Noun
from gndp.client.replies import record, records
from gndp.core.clocks import ClockReading
from gndp.core.documents import read_document
from gndp.core.errors import Invalid, Problem
from gndp.core.policies import Policy, policy_document, terms_from
from gndp.core.records import PublishedPolicy, SlaClock
from gndp.core.sla import Preview, Reading
from gndp.core.values import parse_id


class Sla(Noun):
    """Publish policies, read clocks, recompute them."""

    def publish(
        self,
        document: str | bytes | Mapping[str, Any] | Policy,
        *,
        user_id: str | None = None,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> PublishedPolicy:
        """Publish a policy as its next version; the newest one again when nothing changed.

        ``document`` is YAML or JSON text, a mapping, or a ``Policy``. Raises Invalid with every problem,
        Conflict when its newest version is not ``expected_version`` (0: there is none yet).
        """
        options = {"expected_version": expected_version, "idempotency_key": idempotency_key}
        published = self._transport.command(
            "POST", "/sla/policies", _plain(document), query={"user_id": user_id}, options=options
        )
        return record(PublishedPolicy, published)

    def retire(
        self,
        name: str,
        *,
        user_id: str | None = None,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> PublishedPolicy:
        """A policy starts no more clocks; those that run go on. NotFound when there is none of this name."""
        options = {"expected_version": expected_version, "idempotency_key": idempotency_key}
        path = f"/sla/policies/{segment(name, 'name')}/retire"
        retired = self._transport.command("POST", path, query={"user_id": user_id}, options=options)
        return record(PublishedPolicy, retired)

    def policy(self, name: str) -> PublishedPolicy:
        """The newest version of a policy; NotFound when there is none."""
        return record(PublishedPolicy, self._transport.get(f"/sla/policies/{segment(name, 'name')}"))

    def policies(self) -> list[PublishedPolicy]:
        """The newest version of every policy, by name, retired ones too."""
        return records(PublishedPolicy, self._transport.get("/sla/policies"))

    def preview(self, document: str | bytes | Mapping[str, Any] | Policy, opened_at: datetime) -> Preview:
        """When a clock of this policy that started at ``opened_at`` would be due, warn and escalate, if
        nothing paused or ended it. Nothing is written."""
        body = {"policy": _plain(document), "opened_at": opened_at}
        preview = self._transport.change("POST", "/sla/preview", body, is_repeatable=True)
        return Preview(terms_from(preview["terms"]), *record(_Instants, preview))

    def clocks(
        self,
        *,
        process_id: UUID | str | None = None,
        task_id: UUID | str | None = None,
        as_of: datetime | None = None,
    ) -> list[ClockReading]:
        """The clocks of a process or of a task, due soonest first, as they stood at ``as_of`` (now)."""
        answer = self._transport.get(f"{_item(process_id, task_id)}/clocks", {"as_of": as_of})
        return [_reading(clock) for clock in answer["clocks"]]

    def recompute(
        self,
        *,
        process_id: UUID | str | None = None,
        task_id: UUID | str | None = None,
        reason: str,
        user_id: str | None = None,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
    ) -> list[SlaClock]:
        """Work an item's clocks out anew, from its whole history, under the policies, calendars and priority
        that it has now. The answer is the item's clocks as they are then."""
        options = {"idempotency_key": idempotency_key, "correlation_id": correlation_id}
        body = given(reason=reason, user_id=user_id)
        path = f"{_item(process_id, task_id)}/recompute"
        return records(SlaClock, self._transport.command("POST", path, body, options=options))


class _Instants(NamedTuple):
    """A preview without what it runs by."""

    opened_at: datetime
    due_at: datetime
    warnings: list[datetime]
    escalations: list[datetime]


def _plain(document: Any) -> Any:
    if isinstance(document, str | bytes):
        return read_document(document)
    return policy_document(document) if isinstance(document, Policy) else document


def _item(process_id: UUID | str | None, task_id: UUID | str | None) -> str:
    if process_id is not None and task_id is None:
        return f"/processes/{parse_id(process_id, 'process_id')}"
    if task_id is not None and process_id is None:
        return f"/tasks/{parse_id(task_id, 'task_id')}"
    raise Invalid(Problem("process_id", "say process_id or task_id, one of them"))


def _reading(clock: Mapping[str, Any]) -> ClockReading:
    durations = {name: timedelta(minutes=clock[f"{name}_mins"]) for name in ("elapsed", "remaining")}
    reading = record(Reading, {**clock, **durations})
    return ClockReading(record(SlaClock, clock["clock"]), clock["item_name"], reading)
