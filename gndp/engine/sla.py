"""SLA policies and clocks: ``wb.sla``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from gndp.core import arguments, sla
from gndp.core.clocks import ClockReading, history_of, since_start, timer_of
from gndp.core.errors import Invalid, NotFound, Problem
from gndp.core.policies import Policy, fingerprint, parse_policy, policy_document, terms_from, terms_of
from gndp.core.records import PublishedPolicy, SlaClock
from gndp.core.sla import Moment, Preview, Reading
from gndp.core.values import parse_id, require_aware
from gndp.core.versions import refuse_stale
from gndp.directory.contract import Directory
from gndp.engine import sweep
from gndp.engine.calls import command_call
from gndp.engine.definitions import Definitions
from gndp.engine.processes import Processes
from gndp.engine.recomputation import recompute_item
from gndp.engine.sweep import SweepReport
from gndp.engine.tasks import Tasks
from gndp.engine.transition import Transitions, Work
from gndp.store.queries import Row, statement

_POLICY: TypeAdapter[PublishedPolicy] = TypeAdapter(PublishedPolicy)
_CLOCKS: TypeAdapter[list[SlaClock]] = TypeAdapter(list[SlaClock])
_CLOCK_WIDTH = len(SlaClock._fields)


class Sla:
    """Publish policies, read clocks, recompute them, sweep.

    A policy applies to items whose clock starts after it was published; ``recompute`` brings it to an item
    that runs already.
    """

    def __init__(self, transitions: Transitions, definitions: Definitions, directory: Directory) -> None:
        self._transitions = transitions
        self._definitions = definitions
        self._directory = directory

    def publish(
        self,
        document: str | bytes | Mapping[str, Any] | Policy,
        *,
        user_id: str | None = None,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> PublishedPolicy:
        """Publish a policy as its next version; the newest one again when nothing changed.

        ``document`` is YAML or JSON text, a mapping, or a ``Policy``. Raises Invalid with every problem, also
        for a calendar that is not there, cannot be used or has too little working time for the target;
        Conflict when somebody publishes the same policy at the same moment, or when its newest version is not
        ``expected_version`` (0: there is none yet).
        """
        policy = parse_policy(document)
        call, expected = command_call(
            self._transitions,
            "sla.publish",
            user_id,
            {"document": fingerprint(policy_document(policy))},
            {"expected_version": expected_version, "idempotency_key": idempotency_key},
        )
        return self._transitions.execute(call, lambda work: _publish(work, policy, expected), _POLICY)

    def retire(
        self,
        name: str,
        *,
        user_id: str | None = None,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> PublishedPolicy:
        """A policy starts no more clocks; those that run go on. NotFound when there is none of this name."""
        wanted = arguments.name(name, "name")
        call, expected = command_call(
            self._transitions,
            "sla.retire",
            user_id,
            {"name": wanted},
            {"expected_version": expected_version, "idempotency_key": idempotency_key},
        )

        def decide(work: Work) -> PublishedPolicy:
            work.permit()
            newest = _newest(work.load(statement("sla", "policy", name=wanted))[0], wanted)
            refuse_stale(newest.version, expected)
            at = newest.retired_at or work.command.now
            retire = statement("sla", "retire_policy", name=wanted, now=at)
            return work.finish(newest._replace(retired_at=at), extra=[retire])

        return self._transitions.execute(call, decide, _POLICY)

    def policy(self, name: str) -> PublishedPolicy:
        """The newest version of a policy; NotFound when there is none."""
        self._transitions.require("sla.see")
        wanted = arguments.name(name, "name")
        (rows,) = self._transitions.read(statement("sla", "policy", name=wanted))
        return _newest(rows, wanted)

    def versions(self, name: str) -> list[PublishedPolicy]:
        """Every version of a policy, the newest first; NotFound when there is none."""
        self._transitions.require("sla.see")
        wanted = arguments.name(name, "name")
        (rows,) = self._transitions.read(statement("sla", "policy_versions", name=wanted))
        if not rows:
            raise NotFound("policy", wanted)
        return [PublishedPolicy._make(row) for row in rows]

    def policies(self) -> list[PublishedPolicy]:
        """The newest version of every policy, by name, retired ones too."""
        self._transitions.require("sla.see")
        (rows,) = self._transitions.read(statement("sla", "newest_policies"))
        return [PublishedPolicy._make(row) for row in rows]

    def preview(self, document: str | bytes | Mapping[str, Any] | Policy, opened_at: datetime) -> Preview:
        """When a clock of this policy that started at ``opened_at`` would be due, warn and escalate, if
        nothing paused or ended it.

        The calendar is the one that has the name now; nothing is written. ``document`` and what is raised are
        as in ``publish``.
        """
        self._transitions.require("sla.see")
        policy = parse_policy(document)
        start = require_aware(opened_at, "opened_at")
        (rows,) = self._transitions.read(statement("sla", "calendars"))
        terms = terms_of(policy, dict(rows))
        sla.refuse_unreachable(terms, start)
        return sla.preview(terms, start)

    def clocks(
        self,
        *,
        process_id: UUID | str | None = None,
        task_id: UUID | str | None = None,
        as_of: datetime | None = None,
    ) -> list[ClockReading]:
        """The clocks of a process or of a task, due soonest first, as they stood at ``as_of`` (now).

        A past moment is read from the item's history. Clocks that had not started by then are left out, and
        those that cannot be worked out any more, which the sweep reports.
        """
        process, task = self._item(process_id, task_id)
        self._require_sight(process, task)
        instant = self._transitions.now() if as_of is None else require_aware(as_of, "as_of")
        clock_rows, event_rows = self._transitions.read(
            statement("sla", "clocks", process_id=process, task_id=task),
            statement("sla", "history", process_id=process),
        )
        history = history_of(event_rows, task)
        if as_of is None and history:
            instant = max(instant, history[-1].at)
        readings = []
        for row in clock_rows:
            clock = SlaClock._make(row[:_CLOCK_WIDTH])
            reading = _reading(clock, row[-1], history, instant)
            if reading is not None:
                readings.append(ClockReading(clock, row[_CLOCK_WIDTH], reading))
        return readings

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
        that it has now.

        This alone can undo a breach. What was and what is go into the event sla.recomputed. The answer is
        the item's clocks as they are then.
        """
        process, task = self._item(process_id, task_id)
        why = arguments.text(reason, "reason")
        given = {"process_id": process, "task_id": task, "reason": why}
        common = {"idempotency_key": idempotency_key, "correlation_id": correlation_id}
        call, _ = command_call(self._transitions, "sla.recompute", user_id, given, common)
        return self._transitions.execute(call, lambda work: recompute_item(work, process, task, why), _CLOCKS)

    def sweep(self, should_stop: Callable[[], bool] = lambda: False) -> SweepReport:
        """Tell everything that has come by now: warnings, breaches, escalations. A job does so by itself.

        ``should_stop`` is asked before each hundred clocks; once it says so, the rest is left to the next
        sweep.
        """
        self._transitions.require("jobs.run")
        return sweep.sweep(self._transitions, self._definitions, self._directory, should_stop)

    def next_due(self) -> datetime | None:
        """The next instant at which a sweep has something to tell, if no command comes; None when never.

        While something has come that no sweep has told, because a command held it, the newest such instant.
        """
        ((row,),) = self._transitions.read(statement("sla", "next_due", now=self._transitions.now()))
        return row[0]  # type: ignore[no-any-return]

    def _require_sight(self, process_id: UUID, task_id: UUID | None) -> None:
        if self._transitions.rights is None:
            return
        if task_id is None:
            Processes(self._transitions, self._definitions).get(process_id)
        else:
            Tasks(self._transitions, self._definitions).get(task_id)

    def _item(self, process_id: UUID | str | None, task_id: UUID | str | None) -> tuple[UUID, UUID | None]:
        if (process_id is None) == (task_id is None):
            raise Invalid(Problem("process_id", "say process_id or task_id, one of them"))
        if process_id is not None:
            process = parse_id(process_id, "process_id")
            (rows,) = self._transitions.read(statement("processes", "exists", process_id=process))
            if not rows[0][1]:
                raise NotFound("process", process)
            return process, None
        task = parse_id(task_id or "", "task_id")
        (rows,) = self._transitions.read(statement("tasks", "get", task_id=task))
        if not rows:
            raise NotFound("task", task)
        return rows[0][1], task


def _publish(work: Work, policy: Policy, expected_version: int | None) -> PublishedPolicy:
    work.permit()
    rows, calendar_rows = work.load(
        statement("sla", "policy", name=policy.name), statement("sla", "calendars")
    )
    sla.refuse_unreachable(terms_of(policy, dict(calendar_rows)), work.command.now)
    newest = PublishedPolicy._make(rows[0]) if rows else None
    refuse_stale(newest.version if newest else 0, expected_version)
    document = policy_document(policy)
    mark = fingerprint(document)
    if newest is not None and newest.fingerprint == mark and newest.retired_at is None:
        return work.finish(newest)
    published = PublishedPolicy(
        name=policy.name,
        version=newest.version + 1 if newest else 1,
        document=document,
        fingerprint=mark,
        published_at=work.command.now,
        published_by=work.command.actor or "",
        retired_at=None,
    )
    values = {**published._asdict(), "document": orjson.dumps(document).decode()}
    del values["retired_at"]
    return work.finish(published, extra=[statement("sla", "publish_policy", **values)])


def _reading(
    clock: SlaClock, terms_document: Mapping[str, Any], history: Sequence[Moment], at: datetime
) -> Reading | None:
    """Where a clock stood; None when it had not started, or what it runs by cannot be used any more."""
    try:
        terms = terms_from(terms_document)
        if clock.end_time is not None and clock.end_time <= at:
            # A recomputation may have called it off, which nothing in its history does.
            return sla.read(timer_of(clock), terms, at)
        return sla.clock(terms, since_start(clock, history), at)
    except Invalid:
        return None


def _newest(rows: Sequence[Row], name: str) -> PublishedPolicy:
    if not rows:
        raise NotFound("policy", name)
    return PublishedPolicy._make(rows[0])
