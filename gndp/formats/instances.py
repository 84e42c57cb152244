"""From the events of a file to the activity instances of its cases, the same for every format.

An event is a completion (lifecycle ``complete`` in any case, or none given), a start, or of another kind.
Only completions make activity instances. A start is matched to a completion of the same case and activity;
see ``_Starts``.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict, deque
from dataclasses import astuple
from datetime import datetime
from typing import Any, NamedTuple

from gndp.formats.eventlog import ActivityInstance, BadRow, Case, Columns, Log
from gndp.formats.timestamps import TimestampReader

_COMPLETIONS = frozenset({"", "null", "complete"})


class Event(NamedTuple):
    """One event as the file gives it; texts may be missing or wrong.

    ``row`` numbers the events of the file from 0; ``start`` is the start of an interval kept in one row;
    ``link`` ties a start to its completion in files that ``write_log`` wrote.
    """

    row: int
    place: str
    activity: str | None
    timestamp: str | datetime | None
    start: str | datetime | None
    resource: str | None
    lifecycle: str | None
    link: str | None
    attributes: dict[str, Any]


class _Timed(NamedTuple):
    """An event whose times were read."""

    at: datetime
    row: int
    event: Event


class LogBuilder:
    """Collects events by case while a file is read, then makes the Log of them."""

    def __init__(self, timestamps: TimestampReader) -> None:
        self._timestamps = timestamps
        self._events: dict[str, list[Event]] = {}
        self._attributes: dict[str, dict[str, Any]] = {}
        self._problems: list[tuple[int, BadRow]] = []
        self._other_events: Counter[str] = Counter()
        self.notes: list[str] = []

    def add_case(self, case_id: str, attributes: dict[str, Any] | None = None) -> bool:
        """Make sure that the case is there, with these attributes; False when it already was."""
        new = case_id not in self._events
        if new:
            self._events[case_id] = []
            self._attributes[case_id] = {}
        if attributes:
            self._attributes[case_id].update(attributes)
        return new

    def add_event(self, case_id: str, event: Event) -> None:
        """Take an event in, in file order."""
        self.add_case(case_id)
        self._events[case_id].append(event)

    def add_problem(self, row: int, place: str, message: str) -> None:
        """Report what could not be loaded; ``row`` says where it belongs among the others."""
        self._problems.append((row, BadRow(place, message)))

    def build(self, content_digest: str, columns: Columns, guessed: tuple[str, ...]) -> Log:
        """The Log of all that was taken in; ``content_digest`` is that of the decompressed file."""
        self._timestamps.decide_date_order(
            time for events in self._events.values() for e in events for time in (e.timestamp, e.start)
        )
        cases = []
        for case_id, events in self._events.items():
            timed = [t for event in events if (t := self._time(event)) is not None]
            if timed or not events:
                cases.append(Case(case_id, self._attributes[case_id], self._instances(timed)))
        self._problems.sort(key=lambda problem: problem[0])
        notes = [*self.notes, self._timestamps.note] if self._timestamps.note else self.notes
        return Log(
            fingerprint=self._fingerprint(content_digest, columns),
            columns=columns,
            guessed=guessed,
            cases=cases,
            problems=[bad for _, bad in self._problems],
            other_events=self._other_events,
            assumed_time_zone=self._timestamps.assumed_time_zone,
            assumed_date_order=self._timestamps.assumed_date_order,
            notes=notes,
        )

    def _fingerprint(self, content_digest: str, columns: Columns) -> str:
        meaning = [content_digest, *astuple(columns), self._timestamps.time_zone, self._timestamps.date_order]
        return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()

    def _time(self, event: Event) -> _Timed | None:
        """The event with its time, and with its own start read if it has one; None, and a problem, if not."""
        problem = None
        if not event.activity or event.activity.isspace():
            problem = "no activity"
        elif not event.timestamp:
            problem = "no time"
        else:
            try:
                at = self._timestamps.read(event.timestamp)
                if event.start:
                    start = self._timestamps.read(event.start)
                    if start <= at:
                        return _Timed(at, event.row, event._replace(start=start))
                    problem = f"it ends ({event.timestamp}) before it starts ({event.start})"
                else:
                    return _Timed(at, event.row, event)
            except ValueError as error:
                problem = str(error)
        self.add_problem(event.row, event.place, problem)
        return None

    def _instances(self, timed: list[_Timed]) -> list[ActivityInstance]:
        """The activity instances of one case, by completion time, then file order."""
        starts: dict[str, _Starts] = defaultdict(_Starts)
        completions = []
        for one in sorted(timed, key=lambda t: t[:2]):
            kind = (one.event.lifecycle or "").strip().casefold()
            if kind in _COMPLETIONS:
                completions.append(one)
            elif kind == "start":
                starts[str(one.event.activity)].add(one)
            else:
                self._other_events[kind] += 1
        instances = [self._instance(one, starts) for one in completions]
        for open_start in (start for of_activity in starts.values() for start in of_activity.left()):
            event = open_start.event
            self.add_problem(event.row, event.place, f"{event.activity!r} is started and never completed")
        return instances

    def _instance(self, completion: _Timed, starts: dict[str, _Starts]) -> ActivityInstance:
        event = completion.event
        activity = str(event.activity)
        started_at = event.start if isinstance(event.start, datetime) else None
        if started_at is None and activity in starts:
            started_at = starts[activity].take(completion)
        return ActivityInstance(
            completion.row, activity, completion.at, started_at, event.resource, event.attributes
        )


class _Starts:
    """The starts of one activity in one case that wait for their completion; linear over all takes.

    A completion takes the earliest start at or before it that is left: one of the same resource if there
    is one, else any. Where the file ties a completion to a start by a link, only that one.
    """

    def __init__(self) -> None:
        self._all: deque[_Timed] = deque()
        self._by_resource: dict[str | None, deque[_Timed]] = defaultdict(deque)
        self._linked: dict[str, _Timed] = {}
        self._taken: set[int] = set()

    def add(self, start: _Timed) -> None:
        """Take in a start; they come in order of time."""
        if start.event.link is not None and start.event.link not in self._linked:
            self._linked[start.event.link] = start
        else:
            self._all.append(start)
            self._by_resource[start.event.resource].append(start)

    def take(self, completion: _Timed) -> datetime | None:
        """The instant of the start that belongs to the completion, which is then taken; None if none does."""
        link = completion.event.link
        if link is not None:
            start = self._linked.get(link)
            if start is None or start.at > completion.at or start.row in self._taken:
                return None
            self._taken.add(start.row)
            return start.at
        for waiting in (self._by_resource.get(completion.event.resource), self._all):
            while waiting and (waiting[0].row in self._taken or waiting[0].at <= completion.at):
                start = waiting.popleft()
                if start.row not in self._taken:
                    self._taken.add(start.row)
                    return start.at
        return None

    def left(self) -> list[_Timed]:
        """The starts that nothing completed."""
        return [s for s in (*self._all, *self._linked.values()) if s.row not in self._taken]
