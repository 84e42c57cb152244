"""What a command's events do to the SLA clocks, and what the clocks then say: pure decisions.

A ``Ledger`` is opened when a command was decided. It lets the clocks hear the command's events, starts those
that begin with one of them, tells what time has brought meanwhile (a breach that no sweep had seen yet), and
shows the outcome in the item's own columns.

Source: the semantics page, "SLA" and "Events": cause before consequence, so a verdict follows the task.ready
events of what the completed task freed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from gndp.core import sla
from gndp.core.changes import Changes, ItemSla, NewEvent
from gndp.core.errors import Invalid
from gndp.core.events import Payload, SlaAtRisk, SlaBreached, SlaMet
from gndp.core.policies import Item, Policy, Terms, choose_policies, fingerprint
from gndp.core.records import Dependant, SlaClock, Task
from gndp.core.sla import Ended, Moment, Pause, Reading, Timer
from gndp.core.states import SlaStatus

_NO_ID = UUID(int=0)


class NamedClock(NamedTuple):
    """A clock, with the name of the process or task that it measures."""

    clock: SlaClock
    item_name: str


class ClockReading(NamedTuple):
    """One clock of an item at an instant: its row as it is now, the item's name, and the reading then."""

    clock: SlaClock
    item_name: str
    reading: Reading


class Book:
    """The policies in force, each with its calendar: the terms of the clocks that start.

    ``unusable`` says which policies start no clock, and why. ``revision`` is the database's, as of which this
    was read.
    """

    def __init__(self, revision: int, in_force: Iterable[Terms], unusable: Mapping[str, str]) -> None:
        self.revision = revision
        self.unusable = unusable
        self._in_force = {terms.policy.name: terms for terms in in_force}
        self._policies = {name: terms.policy for name, terms in self._in_force.items()}
        self._starters = {
            (policy.item, condition.event) for policy in self._policies.values() for condition in policy.start
        }
        self._marked: dict[str, tuple[str, Terms]] = {}

    def may_start(self, kind: Literal["process", "task"], event_type: str) -> bool:
        """Whether some policy's clock starts with such an event."""
        return (kind, event_type) in self._starters

    def choose(self, item: Item) -> list[tuple[str, Terms]]:
        """The terms of the clocks that an item has, each with its fingerprint."""
        return [self._terms_of(policy) for policy in choose_policies(self._policies, item)]

    def _terms_of(self, policy: Policy) -> tuple[str, Terms]:
        key = f"{policy.item} {policy.target_minutes} {policy.name}"
        if key not in self._marked:
            terms = self._in_force.get(policy.name) or Terms(policy, None)
            self._marked[key] = (fingerprint(terms.document), terms)
        return self._marked[key]


def timer_of(clock: SlaClock) -> Timer:
    """A clock's row as the timer that it keeps."""
    return Timer(
        started_at=clock.start_time,
        original_due_at=clock.original_due_at,
        due_at=clock.due_at,
        elapsed=timedelta(microseconds=clock.elapsed_microseconds),
        running_since=clock.running_since,
        paused_at=clock.paused_at,
        pauses=tuple(
            Pause(kind or "", None if task is None else UUID(task)) for kind, task in clock.paused_by
        ),
        ended_at=clock.end_time,
        ended=None if clock.ended is None else Ended(clock.ended),
    )


def with_timer(clock: SlaClock, timer: Timer) -> SlaClock:
    """A clock's row after its timer has moved."""
    return clock._replace(
        end_time=timer.ended_at,
        due_at=timer.due_at,
        elapsed_microseconds=timer.elapsed // timedelta(microseconds=1),
        running_since=timer.running_since,
        paused_at=timer.paused_at,
        paused_by=[
            [pause.event_type, None if pause.task_id is None else str(pause.task_id)]
            for pause in timer.pauses
        ],
        ended=None if timer.ended is None else str(timer.ended),
    )


class Ledger:
    """The clocks of one process while a command is settled: they ``hear``, ``look``, at last ``show``.

    ``clocks`` are those of the process and of the tasks that the command touches, ended ones too; ``terms``
    are theirs, by fingerprint. A clock that cannot be worked out is left as it is, and ``unusable`` says why;
    one that cannot be from its beginning does not start. ``started`` are the terms of the clocks that did.
    """

    def __init__(
        self,
        changes: Changes,
        clocks: Sequence[NamedClock],
        terms: Mapping[str, Terms],
        book: Book,
    ) -> None:
        self.changes = changes
        self.started: dict[str, Terms] = {}
        self.unusable: dict[UUID, str] = {}
        self._heard = 0
        self._book = book
        self._terms = dict(terms)
        self._names: dict[UUID | None, str] = {}
        # By item and objective; the process itself is the item None, a task its id.
        self._before: dict[UUID | None, dict[str, SlaClock]] = {}
        for clock, name in clocks:
            self._before.setdefault(clock.task_id, {})[clock.objective] = clock
            self._names[clock.task_id] = name
        self._now = {item: dict(clocks) for item, clocks in self._before.items()}
        self._created = {task.id: index for index, task in enumerate(changes.created_tasks)}
        self._freed = {dependant.id: (dependant, columns) for dependant, columns in changes.freed}

    def hear(self) -> None:
        """Let the clocks hear the events decided since they last did; verdicts follow their causes."""
        events = self.changes.events
        new = events[self._heard :]
        del events[self._heard :]
        held: list[NewEvent] = []
        for event in new:
            if event.event_type != "task.ready":
                events += held
                held = []
            events.append(event)
            held += self._verdicts(event)
        events += held
        self._heard = len(events)

    def look(self) -> None:
        """Tell what time has brought: warning levels and breaches that nobody has told yet."""
        for item, clocks in self._now.items():
            before = self._before.get(item, {})
            for clock in list(clocks.values()):
                is_due = clock.next_at is not None and clock.next_at <= self.changes.at
                if clock.end_time is None and (is_due or clock is not before.get(clock.objective)):
                    self.changes.events += self._unless_unusable(self._tell, clock)
        self._heard = len(self.changes.events)

    def still_due(self) -> list[tuple[SlaClock, Terms]]:
        """The clocks for which more has come than a look tells, each with its terms."""
        return [
            (clock, self._terms[clock.terms])
            for clocks in self._now.values()
            for clock in clocks.values()
            if clock.next_at is not None
            and clock.next_at <= self.changes.at
            and clock.id not in self.unusable
        ]

    def clock(self, clock: SlaClock) -> SlaClock:
        """A clock as it stands by now."""
        return self._now[clock.task_id][clock.objective]

    def keep(self, clock: SlaClock) -> None:
        """Note how a clock stands from now on."""
        self._now.setdefault(clock.task_id, {})[clock.objective] = clock

    def show(self) -> None:
        """Put what has moved into the changes: the clocks themselves, and the columns of their items."""
        for item, clocks in self._now.items():
            before = self._before.get(item, {})
            changed = [clock for clock in clocks.values() if clock != before.get(clock.objective)]
            for clock in changed:
                is_new = clock.objective not in before
                (self.changes.started_clocks if is_new else self.changes.changed_clocks).append(clock)
            shown, shown_before = shown_clock(clocks.values()), shown_clock(before.values())
            if changed and shown is not None:
                self._show_item(item, shown, shown_before.due_at if shown_before else None)

    def _verdicts(self, event: NewEvent) -> list[NewEvent]:
        """The verdicts that an event brings, once the clocks have heard it."""
        told: list[NewEvent] = []
        for moment in moments_of(event.event_type, event.task_id, self.changes.at, event.details):
            listening = list(self._now) if moment.task_id is None else [moment.task_id, None]
            for item in listening:
                for clock in list(self._now.get(item, {}).values()):
                    if clock.end_time is None:
                        told += self._unless_unusable(self._advance, clock, moment)
            self._start("process", None, moment)
            if moment.task_id is not None:
                self._start("task", moment.task_id, moment)
        return told

    def _unless_unusable(
        self, act: Callable[..., list[NewEvent]], clock: SlaClock, *more: Moment
    ) -> list[NewEvent]:
        terms = self._terms.get(clock.terms)
        if terms is None:
            self.unusable[clock.id] = "what it runs by cannot be used any more"
            return []
        try:
            return act(clock, terms, *more)
        except Invalid as error:
            if clock.objective in self._before.get(clock.task_id, {}):
                self.unusable[clock.id] = str(error)
            else:
                del self._now[clock.task_id][clock.objective]
            return []

    def _advance(self, clock: SlaClock, terms: Terms, moment: Moment) -> list[NewEvent]:
        before = timer_of(clock)
        timer = sla.advance(before, terms, moment)
        if timer == before:
            return []
        clock = with_timer(clock, timer)
        if timer.ended is not None:
            return self._end(clock, timer, terms)
        self.keep(clock)
        return []

    def _end(self, clock: SlaClock, timer: Timer, terms: Terms) -> list[NewEvent]:
        reading = sla.read(timer, terms, self.changes.at)
        was_breached = clock.status == SlaStatus.BREACHED
        clock = clock._replace(
            next_at=None, at_risk_at=None, actual_duration_mins=sla.rounded_minutes(reading.elapsed)
        )
        if was_breached or reading.status == SlaStatus.BREACHED:
            over = sla.rounded_minutes(max(timedelta(), -reading.remaining))
            clock = clock._replace(breach_amount_mins=over)
        clock = _with_status(clock, reading, terms)
        self.keep(clock)
        return [] if was_breached or reading.status is None else [self._event(clock, _verdict(clock))]

    def _tell(self, clock: SlaClock, terms: Terms) -> list[NewEvent]:
        timer = timer_of(clock)
        reading = sla.read(timer, terms, self.changes.at)
        after = _with_status(clock, reading, terms)
        told: list[NewEvent] = []
        if clock.status == SlaStatus.BREACHED:
            pass
        elif after.status == SlaStatus.BREACHED:
            told.append(self._event(after, _verdict(after)))
        else:
            levels = range(clock.warnings_told + 1, after.warnings_told + 1)
            told += [self._event(after, _warning(after, level)) for level in levels]
        is_breached = after.status == SlaStatus.BREACHED
        next_at = sla.next_instant(timer, terms, is_breached, after.warnings_told, after.escalations_told)
        self.keep(after._replace(next_at=next_at, at_risk_at=sla.at_risk_at(timer, terms)))
        return told

    def _start(self, kind: Literal["process", "task"], task_id: UUID | None, moment: Moment) -> None:
        item = self._item(kind, task_id, moment)
        if item is None:
            return
        for mark, terms in self._book.choose(item):
            if terms.policy.objective in self._now.get(task_id, {}) or not sla.starts(terms, moment):
                continue
            with suppress(Invalid):
                timer = sla.start(terms, moment.at)
                self._terms[mark] = self.started[mark] = terms
                self.keep(new_clock(self.changes.process.id, task_id, mark, terms, timer))

    def _item(self, kind: Literal["process", "task"], task_id: UUID | None, moment: Moment) -> Item | None:
        """The item whose clocks may start now; None when none may."""
        starts_plain = moment.event_type == ("process.started" if kind == "process" else "task.ready")
        if not starts_plain and not self._book.may_start(kind, moment.event_type):
            return None
        process = self.changes.process_after()
        if task_id is None:
            step, priority, target = None, process.priority, process.sla_target_mins
        else:
            task = self._task(task_id)
            if task is None:
                return None
            step, priority, target = task.task_definition_id, task.priority, task.sla_target_mins
        return Item(kind, process.process_definition_id, step, process.process_type, priority, target)

    def _task(self, task_id: UUID) -> Task | Dependant | None:
        if task_id in self.changes.task_columns:
            return self.changes.task_after(self.changes.task_columns[task_id][0])
        if task_id in self._created:
            return self.changes.created_tasks[self._created[task_id]]
        return self._freed[task_id][0] if task_id in self._freed else None

    def _name(self, task_id: UUID | None) -> str:
        if task_id is None:
            return self.changes.process.process_name
        task = self._task(task_id)
        return self._names[task_id] if task is None else task.task_name

    def _event(self, clock: SlaClock, payload: Payload) -> NewEvent:
        words = payload.event_type.removeprefix("sla.").replace("_", " ")
        return NewEvent(
            event_type=payload.event_type,
            task_id=clock.task_id,
            event_category=payload.category,
            severity=payload.severity,
            message=f"{self._name(clock.task_id)}: SLA {words}",
            details=self.changes.dated(payload.details),
            old_status=None,
            new_status=None,
            new_data=None,
        )

    def _show_item(self, task_id: UUID | None, shown: SlaClock, previous_due: datetime | None) -> None:
        columns: dict[str, Any] = {
            "sla_status": shown.status,
            "sla_breach_time": shown.due_at if shown.status == SlaStatus.BREACHED else None,
        }
        changes = self.changes
        if task_id is None:
            process = changes.process_after()
            columns["due_date"] = _followed(process.due_date, previous_due, shown.due_at)
            columns = {name: value for name, value in columns.items() if getattr(process, name) != value}
            if columns:
                changes.change_process(**columns)
        elif task_id in changes.task_columns:
            task = changes.task_after(changes.task_columns[task_id][0])
            columns["due_date"] = _followed(task.due_date, previous_due, shown.due_at)
            changes.change_task(task, **columns)
        elif task_id in self._created:
            index = self._created[task_id]
            task = changes.created_tasks[index]
            columns["due_date"] = task.due_date or shown.due_at
            changes.created_tasks[index] = task._replace(**columns)
        elif task_id in self._freed:
            dependant, freed = self._freed[task_id]
            freed |= {**columns, "due_date": _followed(dependant.due_date, previous_due, shown.due_at)}
        else:
            breach_time = columns["sla_breach_time"]
            changes.item_slas.append(ItemSla(task_id, shown.status, breach_time, shown.due_at, previous_due))


def moments_of(
    event_type: str, task_id: UUID | None, at: datetime, details: Mapping[str, Any]
) -> Iterator[Moment]:
    """An event as the clocks hear it: a task that is created ready is ready at once."""
    yield Moment(event_type, task_id, at, details.get("reason"))
    if event_type == "task.created" and details.get("ready"):
        yield Moment("task.ready", task_id, at)


def since_start(clock: SlaClock, history: Iterable[Moment]) -> Iterator[Moment]:
    """The part of an item's history that a clock has heard.

    An event that starts it may have come before, when its policy was not there yet, or not for the item.
    """
    return (moment for moment in history if moment.at >= clock.start_time)


def history_of(events: Iterable[tuple[Any, ...]], task_id: UUID | None) -> list[Moment]:
    """The history of an item from its process's events (type, task, instant, details): for a task its own and
    the process's."""
    return [
        moment
        for event_type, event_task, at, details in events
        for moment in moments_of(event_type, event_task, at, details)
        if task_id is None or moment.task_id in (None, task_id)
    ]


def new_clock(process_id: UUID, task_id: UUID | None, mark: str, terms: Terms, timer: Timer) -> SlaClock:
    """The row of a clock that starts; ``mark`` is the fingerprint of its terms. It gets its id when it is
    written."""
    policy = terms.policy
    warnings = policy.warning_minutes
    clock = SlaClock(
        id=_NO_ID,
        process_instance_id=process_id,
        task_id=task_id,
        metric_type=policy.item,
        target_duration_mins=policy.target_minutes,
        warning_threshold_mins=round(warnings[0]) if warnings else None,
        actual_duration_mins=None,
        start_time=timer.started_at,
        end_time=None,
        status=SlaStatus.ON_TRACK,
        breach_amount_mins=None,
        business_impact=None,
        escalation_required=False,
        escalated_to=None,
        escalated_at=None,
        created_at=timer.started_at,
        updated_at=timer.started_at,
        version=1,
        policy_name=policy.name,
        objective=policy.objective,
        terms=mark,
        due_at=timer.due_at,
        original_due_at=timer.original_due_at,
        elapsed_microseconds=0,
        running_since=None,
        paused_at=None,
        paused_by=[],
        ended=None,
        warnings_told=0,
        escalations_told=0,
        next_at=None,
        at_risk_at=None,
    )
    return with_timer(clock, timer)


def _verdict(clock: SlaClock) -> Payload:
    told = SlaMet if clock.status == SlaStatus.MET else SlaBreached
    return told(due_date=clock.due_at, policy=clock.policy_name, objective=clock.objective)


def _warning(clock: SlaClock, level: int) -> Payload:
    return SlaAtRisk(due_date=clock.due_at, policy=clock.policy_name, objective=clock.objective, level=level)


def _with_status(clock: SlaClock, reading: Reading, terms: Terms) -> SlaClock:
    """The clock with what the reading says; a breach that was told stays."""
    if clock.status == SlaStatus.BREACHED or reading.status is None:
        return clock
    clock = clock._replace(
        status=str(reading.status), warnings_told=max(clock.warnings_told, reading.warnings)
    )
    if reading.status == SlaStatus.BREACHED:
        policy = terms.policy
        clock = clock._replace(
            business_impact=policy.business_impact, escalation_required=bool(policy.escalations)
        )
    return clock


def shown_clock(clocks: Collection[SlaClock]) -> SlaClock | None:
    """The clock that an item's own columns show: the one due first of those that run, else of those that
    stand still, else of the last ended. Of two that are due together, the first by objective."""
    listed = [clock for clock in clocks if clock.end_time is None]
    if not listed:
        last = max((clock.end_time for clock in clocks if clock.end_time is not None), default=None)
        listed = [clock for clock in clocks if clock.end_time == last]
    return min(
        listed, key=lambda clock: (clock.running_since is None, clock.due_at, clock.objective), default=None
    )


def _followed(due_date: datetime | None, previous: datetime | None, due: datetime) -> datetime | None:
    """The item's due date: the clock's, unless somebody set another by hand."""
    return due if due_date is None or due_date == previous else due_date
