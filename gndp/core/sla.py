"""The SLA clock: one pure function from a policy, a calendar and a history to where an item stands.

``clock(terms, history, as_of)`` folds the history into a ``Timer`` (``advance``) and reads it (``read``). The
engine keeps the timer beside the item and advances it with each command; sweep, checker, API, dashboard and
notebooks call the same functions, so any past moment can be shown.

Source: the semantics page, "SLA". Elapsed time is working time of the calendar, plain time without one. Due
is the instant at which the target is used up; at or before due is met, after it breached.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from gndp.core.calendars import Calendar
from gndp.core.errors import Invalid, Problem
from gndp.core.policies import CALLED_OFF, DONE, PAUSE_ENDS, Condition, Policy, Terms
from gndp.core.states import SlaStatus

_INSTANT = timedelta(microseconds=1)
_ZERO = timedelta()


class Moment(NamedTuple):
    """One event of an item's history, as far as a clock listens to it."""

    event_type: str
    task_id: UUID | None
    at: datetime
    reason: str | None = None


class Pause(NamedTuple):
    """What keeps a clock still: the event that paused it, and whose event it was (None: the process's)."""

    event_type: str
    task_id: UUID | None


class Ended(StrEnum):
    """How a clock ended."""

    STOPPED = "stopped"
    CANCELLED = "cancelled"


class Timer(NamedTuple):
    """Where a clock stands after the events so far.

    ``elapsed`` is what it had counted when it last began to run or stopped; it runs on from
    ``running_since`` (None while it stands still). ``due_at`` is the due instant if it runs through; while it
    is paused, the one it had when it was paused.
    """

    started_at: datetime
    original_due_at: datetime
    due_at: datetime
    elapsed: timedelta = _ZERO
    running_since: datetime | None = None
    paused_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    ended_at: datetime | None = None
    ended: Ended | None = None


class Reading(NamedTuple):
    """A clock at an instant.

    ``status`` is None when it was cancelled, for then there is no verdict. ``elapsed`` and ``remaining``
    (negative when overdue) are time along the calendar. ``due_at`` is what it would be if a paused clock went
    on at this very instant. ``warnings`` and ``escalations`` count the levels that have been reached;
    ``next_at`` is the next instant at which, if nothing happens, one of these or the status changes.
    """

    status: SlaStatus | None
    elapsed: timedelta
    remaining: timedelta
    due_at: datetime
    is_paused: bool
    warnings: int
    escalations: int
    next_at: datetime | None


class Preview(NamedTuple):
    """What a clock that starts at ``opened_at`` comes to if nothing pauses or ends it.

    ``warnings`` and ``escalations`` are the instants of the policy's ``warning_minutes`` and
    ``escalation_levels``, in the same order.
    """

    terms: Terms
    opened_at: datetime
    due_at: datetime
    warnings: list[datetime]
    escalations: list[datetime]


def clock(terms: Terms, history: Iterable[Moment], as_of: datetime) -> Reading | None:
    """Where an item stands at ``as_of`` under these terms; None when its clock had not started by then.

    ``history`` is the item's events in their order: for a task those of the task and of its process, for a
    process all of its events. All instants are aware UTC.
    """
    timer = fold(terms, (moment for moment in history if moment.at <= as_of))
    return None if timer is None else read(timer, terms, as_of)


def fold(terms: Terms, history: Iterable[Moment]) -> Timer | None:
    """The timer after a whole history; None when nothing in it starts the clock."""
    timer: Timer | None = None
    for moment in history:
        if timer is not None:
            timer = advance(timer, terms, moment)
        elif starts(terms, moment):
            timer = start(terms, moment.at)
    return timer


def starts(terms: Terms, moment: Moment) -> bool:
    """Whether an event starts the clock."""
    return _any_holds(terms.policy.start, moment)


def start(terms: Terms, at: datetime) -> Timer:
    """A timer that starts to run at an instant."""
    due = add_time(terms.calendar, at, _target(terms))
    return Timer(started_at=at, original_due_at=due, due_at=due, running_since=at)


def refuse_unreachable(terms: Terms, at: datetime) -> None:
    """Raise Invalid when along its calendar a clock that starts at an instant would never be due, or never
    come to a warning or an escalation."""
    try:
        read(start(terms, at), terms, at)
    except Invalid as refusal:
        message = f"{terms.policy.name} cannot be reached along it: {refusal}"
        raise Invalid(Problem("calendar", message)) from None


def advance(timer: Timer, terms: Terms, moment: Moment) -> Timer:
    """The timer after one more event; an ended one stays as it is."""
    if timer.ended is not None:
        return timer
    ended = _ended_by(terms.policy, moment)
    if ended is not None:
        return _end(timer, terms, moment.at, ended)
    pauses = _pauses_after(timer.pauses, terms, moment)
    if pauses == timer.pauses:
        return timer
    if pauses and not timer.pauses:
        timer = _stand_still(timer, terms, moment.at)
    elif timer.pauses and not pauses:
        timer = _go_on(timer, terms, moment.at)
    return timer._replace(pauses=pauses)


def cancel(timer: Timer, terms: Terms, at: datetime) -> Timer:
    """The timer of a clock that is called off at an instant."""
    return _end(timer, terms, at, Ended.CANCELLED)


def read(timer: Timer, terms: Terms, as_of: datetime) -> Reading:
    """Where a timer stands at an instant, not earlier than its last event."""
    target = _target(terms)
    until = as_of if timer.ended_at is None else min(as_of, timer.ended_at)
    elapsed = _elapsed(timer, terms.calendar, until)
    due = timer.due_at if timer.running_since or timer.ended else _due_if_resumed(timer, terms, as_of)
    breached = is_breached(timer, until)
    warnings = sum(elapsed >= target - before for before in _warnings(terms))
    escalations = sum(
        elapsed >= target + after and (breached or after < _ZERO) for after in _escalations(terms)
    )
    return Reading(
        status=_status(timer, breached, warnings),
        elapsed=elapsed,
        remaining=target - elapsed,
        due_at=due,
        is_paused=timer.ended is None and timer.running_since is None,
        warnings=warnings,
        escalations=escalations,
        next_at=next_instant(timer, terms, breached, warnings, escalations),
    )


def preview(terms: Terms, opened_at: datetime) -> Preview:
    """When a clock that starts at an instant is due, warns and escalates; Invalid beyond the year 9999."""
    timer = start(terms, opened_at)
    return Preview(
        terms,
        opened_at,
        timer.due_at,
        [_reaches(timer, terms, _target(terms) - before) for before in _warnings(terms)],
        [_escalates(timer, terms, after) for after in _escalations(terms)],
    )


def is_breached(timer: Timer, as_of: datetime) -> bool:
    """Whether due had passed at an instant; standing still, whether it had passed before."""
    until = timer.paused_at or as_of
    return until > timer.due_at


def next_instant(
    timer: Timer, terms: Terms, is_breached: bool, warnings: int, escalations: int
) -> datetime | None:
    """When the next thing happens, after so many warnings and escalations were told; None when nothing does
    unless a command comes."""
    if timer.running_since is None:
        return None
    target = _target(terms)
    coming = [] if is_breached else [timer.due_at + _INSTANT]
    if not is_breached:
        coming += [_reaches(timer, terms, target - before) for before in _warnings(terms)[warnings:]]
    coming += [_escalates(timer, terms, after) for after in _escalations(terms)[escalations:]]
    return min(coming, default=None)


def at_risk_at(timer: Timer, terms: Terms) -> datetime | None:
    """When a running timer reaches its first warning level, or did; None without one, or while it stands
    still."""
    warnings = _warnings(terms)
    if timer.running_since is None or not warnings:
        return None
    return _reaches(timer, terms, _target(terms) - warnings[0])


def add_time(calendar: Calendar | None, begin: datetime, time: timedelta) -> datetime:
    """The instant at which ``time`` has passed along a calendar since ``begin``; plain time without one.

    Raises Invalid when that is beyond the years 1 to 9999, or the calendar has nothing open for 50 years.
    """
    if calendar is not None:
        return calendar.add_working_time(begin, time)
    try:
        return begin + time
    except OverflowError:
        raise Invalid(Problem("duration", "leads beyond the years 1 to 9999")) from None


def time_between(calendar: Calendar | None, begin: datetime, end: datetime) -> timedelta:
    """The time along a calendar from ``begin`` to ``end``; plain time without one."""
    return end - begin if calendar is None else calendar.working_time(begin, end)


def whole_minutes(start: datetime | None, end: datetime) -> int | None:
    """Minutes from ``start`` to ``end``, rounded half up; None without a start."""
    return None if start is None else rounded_minutes(end - start)


def rounded_minutes(time: timedelta) -> int:
    """A duration in whole minutes, rounded half up."""
    return int(time.total_seconds() / 60 + 0.5)


def _status(timer: Timer, breached: bool, warnings: int) -> SlaStatus | None:
    if timer.ended is Ended.CANCELLED:
        return None
    if breached:
        return SlaStatus.BREACHED
    if timer.ended is Ended.STOPPED:
        return SlaStatus.MET
    return SlaStatus.AT_RISK if warnings else SlaStatus.ON_TRACK


def _ended_by(policy: Policy, moment: Moment) -> Ended | None:
    """How an event ends the clock: as the policy says, else as the end of the item."""
    if _any_holds(policy.cancel, moment):
        return Ended.CANCELLED
    if _any_holds(policy.stop, moment) or moment.event_type in DONE[policy.item]:
        return Ended.STOPPED
    return Ended.CANCELLED if moment.event_type in CALLED_OFF[policy.item] else None


def _stand_still(timer: Timer, terms: Terms, at: datetime) -> Timer:
    return timer._replace(elapsed=_elapsed(timer, terms.calendar, at), running_since=None, paused_at=at)


def _go_on(timer: Timer, terms: Terms, at: datetime) -> Timer:
    """Run on; due moves by the time that the clock stood still, unless it had passed before."""
    due = timer.due_at if is_breached(timer, at) else _due_if_resumed(timer, terms, at)
    return timer._replace(running_since=at, paused_at=None, due_at=due)


def _end(timer: Timer, terms: Terms, at: datetime, how: Ended) -> Timer:
    if timer.running_since is None:
        timer = _go_on(timer, terms, at)
    return timer._replace(
        elapsed=_elapsed(timer, terms.calendar, at), running_since=None, pauses=(), ended_at=at, ended=how
    )


def _due_if_resumed(timer: Timer, terms: Terms, at: datetime) -> datetime:
    if is_breached(timer, at):
        return timer.due_at
    return add_time(terms.calendar, at, max(_ZERO, _target(terms) - timer.elapsed))


def _elapsed(timer: Timer, calendar: Calendar | None, until: datetime) -> timedelta:
    if timer.running_since is None:
        return timer.elapsed
    return timer.elapsed + time_between(calendar, timer.running_since, until)


def _reaches(timer: Timer, terms: Terms, elapsed: timedelta) -> datetime:
    """When a running timer has counted so much; its start when it has already."""
    assert timer.running_since is not None
    missing = elapsed - timer.elapsed
    if missing <= _ZERO:
        return timer.running_since
    return add_time(terms.calendar, timer.running_since, missing)


def _escalates(timer: Timer, terms: Terms, after: timedelta) -> datetime:
    """When a running timer comes to an escalation; one that is not before due comes when due has passed."""
    reached = _reaches(timer, terms, _target(terms) + after)
    return reached if after < _ZERO else max(reached, timer.due_at + _INSTANT)


def _pauses_after(pauses: tuple[Pause, ...], terms: Terms, moment: Moment) -> tuple[Pause, ...]:
    left = tuple(pause for pause in pauses if not _is_over(pause, terms, moment))
    if not _any_holds(terms.policy.pause, moment):
        return left
    pause = Pause(moment.event_type, moment.task_id)
    return left if pause in left else (*left, pause)


def _is_over(pause: Pause, terms: Terms, moment: Moment) -> bool:
    ends = PAUSE_ENDS.get(pause.event_type)
    if ends is not None:
        return moment.event_type in ends and pause.task_id in (None, moment.task_id)
    return _any_holds(terms.policy.resume, moment)


def _any_holds(conditions: tuple[Condition, ...], moment: Moment) -> bool:
    return any(condition.holds(moment.event_type, moment.reason) for condition in conditions)


def _target(terms: Terms) -> timedelta:
    return timedelta(minutes=terms.policy.target_minutes)


def _warnings(terms: Terms) -> list[timedelta]:
    return [timedelta(minutes=minutes) for minutes in terms.policy.warning_minutes]


def _escalations(terms: Terms) -> list[timedelta]:
    return [timedelta(minutes=level.after_minutes) for level in terms.policy.escalation_levels]
