"""An SLA clock that counts minutes one by one: slow, and written without a look at the rules' own.

A ``Story`` is what happens to a process with two tasks, at whole minutes. A ``SlowClock`` walks it minute by
minute: in each one it asks whether the clock's item had started, whether anything kept it still, whether the
local time of its calendar is an hour of work, and counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from gndp import Calendar
from gndp.core.policies import Terms, parse_policy
from gndp.core.sla import Moment

MINUTE = timedelta(minutes=1)
OPENING = datetime(2026, 3, 27, 6, tzinfo=UTC)
"""A Friday; Berlin changes to summer time on the Sunday after it."""
LENGTH = 28 * 24 * 60
"""How many minutes a calendar is worked out for."""
LOOK_AHEAD = 4 * 24 * 60
"""How many minutes a clock is counted on after the last thing that happens."""
TASK, OTHER = UUID(int=1), UUID(int=2)

Week = dict[int, list[tuple[str, str]]]
HOURS: dict[str, tuple[str, Week, list[str]]] = {
    "office": (
        "Europe/Berlin",
        {day: [("09:00", "12:30"), ("13:30", "17:30")] for day in range(5)},
        ["2026-03-31"],
    ),
    "night": ("Europe/Berlin", {day: [("00:00", "03:30"), ("22:00", "24:00")] for day in range(7)}, []),
    "weekend": ("America/New_York", {day: [("00:00", "24:00")] for day in (5, 6)}, []),
    "island": (
        "Australia/Lord_Howe",
        {day: [("01:15", "02:45"), ("10:00", "16:00")] for day in range(6)},
        [],
    ),
}
"""Calendars with gaps, around changes of the clock (Lord Howe's is on 5 April, by half an hour)."""


def instant(minute: int) -> datetime:
    return OPENING + minute * MINUTE


@cache
def calendar(name: str) -> Calendar:
    time_zone, hours, holidays = HOURS[name]
    return Calendar(time_zone=time_zone, hours=hours, holidays=holidays)


@cache
def minutes_of_work(name: str | None) -> list[bool]:
    """For each minute whether it is worked, by the local clock."""
    if name is None:
        return [True] * LENGTH
    time_zone, hours, holidays = HOURS[name]
    worked = []
    for minute in range(LENGTH):
        local = instant(minute).astimezone(ZoneInfo(time_zone))
        time = f"{local:%H:%M}"
        is_open = any(begin <= time < end for begin, end in hours.get(local.weekday(), []))
        worked.append(is_open and f"{local:%Y-%m-%d}" not in holidays)
    return worked


# ----------------------------------------------------------------------------------------------- what happens


@dataclass
class World:
    """What is so after each thing that happens.

    ``failure_holds`` is for policies of processes that a failed task pauses until any task is retried,
    ``own_failure_holds`` for policies of tasks, whose clocks hear of no other task.
    """

    process: str = "running"
    tasks: dict[UUID, str] = field(default_factory=lambda: {TASK: "open", OTHER: "open"})
    waits: dict[UUID, str] = field(default_factory=dict)
    failure_holds: dict[UUID, bool] = field(default_factory=lambda: {TASK: False, OTHER: False})
    own_failure_holds: dict[UUID, bool] = field(default_factory=lambda: {TASK: False, OTHER: False})

    def can(self) -> list[tuple[str, UUID | None]]:
        """The events that may come now, but for what calls things off."""
        if self.process in ("completed", "cancelled"):
            return []
        if self.process == "suspended":
            return [("process.resumed", None)]
        if self.process == "failed":
            failed = [task for task, status in self.tasks.items() if status == "failed"]
            return [
                ("process.retried", None),
                *((event, task) for task in failed for event in ("task.retried", "task.skipped")),
            ]
        found: list[tuple[str, UUID | None]] = [
            *(("process.suspended", None), ("process.suspended", None)),
            *(("process.failed", None), ("process.commented", None)),
        ]
        for task, status in self.tasks.items():
            if status == "open":
                found += [
                    (f"task.{event}", task) for event in ("assigned", "started", "released", "reassigned")
                ]
                found += [(f"task.{event}", task) for event in ("completed", "skipped", "failed", "retried")]
                found += 3 * [("task.resumed" if task in self.waits else "task.waiting", task)]
        if "open" not in self.tasks.values():
            found.append(("process.completed", None))
        return found

    def can_be_called_off(self) -> list[tuple[str, UUID | None]]:
        """The cancelling events that may come now."""
        tasks = [task for task, status in self.tasks.items() if status == "open"]
        return [
            ("process.cancelled", None),
            *(("task.cancelled", task) for task in tasks if self.process == "running"),
        ]

    def happen(self, event: str, task: UUID | None, reason: str | None) -> list[tuple[str, UUID | None]]:
        """Bring about one event; the answer is that and what it brings with it, in order."""
        if task is None:
            return self._to_process(event)
        if event == "task.waiting":
            self.waits[task] = reason or ""
        elif event not in ("task.assigned", "task.started"):
            self.waits.pop(task, None)
        if event == "task.failed":
            self.tasks[task], self.process = "failed", "failed"
            self.failure_holds[task] = self.own_failure_holds[task] = True
            return [(event, task), ("process.failed", None)]
        if event == "task.retried":
            self.failure_holds = dict.fromkeys(self.tasks, False)
            self.own_failure_holds[task] = False
        if event in ("task.completed", "task.skipped", "task.cancelled"):
            self.tasks[task] = "done"
        elif event == "task.retried":
            self.tasks[task] = "open"
        if self.process == "failed":
            self.process = "running"
            return [(event, task), ("process.retried", None)]
        return [(event, task)]

    def _to_process(self, event: str) -> list[tuple[str, UUID | None]]:
        self.process = {
            "process.suspended": "suspended",
            "process.resumed": "running",
            "process.retried": "running",
            "process.commented": "running",
        }.get(event, event.removeprefix("process."))
        if event != "process.cancelled":
            return [(event, None)]
        cancelled = [task for task, status in self.tasks.items() if status == "open"]
        for task in cancelled:
            self.tasks[task] = "done"
            self.waits.pop(task, None)
        return [(event, None), *(("task.cancelled", task) for task in cancelled)]


@dataclass
class Act:
    """What happens at one minute, and how the world is after it."""

    minute: int
    events: list[tuple[str, UUID | None]]
    reason: str | None
    process: str
    waits: dict[UUID, str]
    failure_holds: dict[UUID, bool]
    own_failure_holds: dict[UUID, bool]

    @property
    def moments(self) -> list[Moment]:
        return [Moment(event, task, instant(self.minute), self.reason) for event, task in self.events]


@st.composite
def stories(draw: st.DrawFn) -> list[Act]:
    """A process that starts with two ready tasks, then up to 16 things that can happen to it."""
    world = World()
    minute = draw(st.integers(0, 2 * 24 * 60))
    started = [("process.started", None), ("task.ready", TASK), ("task.ready", OTHER)]
    holds = world.failure_holds, world.own_failure_holds
    acts = [Act(minute, started, None, "running", {}, *map(dict, holds))]
    for _ in range(draw(st.integers(1, 16))):
        possible = world.can()
        if not possible:
            break
        minute += draw(st.sampled_from([0, 1, 5, 30, 60]) | st.integers(0, 24 * 60))
        is_called_off = draw(st.integers(0, 19)) == 19
        event, task = draw(st.sampled_from(world.can_be_called_off() if is_called_off else possible))
        reason = (
            draw(st.sampled_from(["customer", "Supplier: late", ""])) if event == "task.waiting" else None
        )
        events = world.happen(event, task, reason)
        holds = world.failure_holds, world.own_failure_holds
        acts.append(Act(minute, events, reason, world.process, dict(world.waits), *map(dict, holds)))
    return acts


# ------------------------------------------------------------------------------------------------- the clocks


@dataclass
class Rules:
    """What a clock goes by, in the words of this page."""

    item: str
    target: int
    warnings: list[int]
    escalations: list[int]
    calendar: str | None
    pauses: set[str]
    starts: str
    stops: tuple[str, ...]

    def terms(self, name: str = "clock") -> Terms:
        by = {
            "suspension": {"event": "process.suspended"},
            "failure": {"event": "process.failed"},
            "waiting": {"event": "task.waiting"},
            "waiting for the supplier": {"event": "task.waiting", "reasons": ["supplier", "court"]},
            "failed task": {"event": "task.failed"},
        }
        document: dict[str, Any] = {
            "name": name,
            "objective": name,
            "item": self.item,
            "target_minutes": self.target,
            "calendar": self.calendar,
            "start": [self.starts],
            "stop": list(self.stops),
            "pause": [by[pause] for pause in sorted(self.pauses)],
            "resume": ["task.retried"] if "failed task" in self.pauses else [],
            "warnings": [{"minutes_before": minutes} for minutes in self.warnings],
            "escalations": [{"after_minutes": minutes} for minutes in self.escalations],
        }
        return Terms(parse_policy(document), None if self.calendar is None else calendar(self.calendar))


@st.composite
def rules(draw: st.DrawFn, item: str | None = None) -> Rules:
    item = item or draw(st.sampled_from(["process", "task"]))
    target = draw(st.integers(2, 1200))
    stops = {
        "process": [("process.completed",), ("task.started", "process.completed")],
        "task": [("task.completed", "task.skipped"), ("task.started",)],
    }
    waiting = draw(st.sampled_from([None, "waiting", "waiting for the supplier"]))
    others = draw(st.sets(st.sampled_from(["suspension", "failure", "failed task"])))
    return Rules(
        item,
        target,
        sorted(draw(st.sets(st.integers(1, target - 1), max_size=3)), reverse=True),
        sorted(draw(st.sets(st.integers(1 - target, 600), max_size=3))),
        draw(st.sampled_from([None, *HOURS])),
        others | ({waiting} if waiting else set()),
        {"process": "process.started", "task": "task.ready"}[item],
        draw(st.sampled_from(stops[item])),
    )


ENDS = {"process": {"process.completed"}, "task": {"task.completed", "task.skipped"}}
"""What ends a clock at the latest, whatever stops it."""


class SlowClock:
    """Counts one clock through a story.

    At index ``m`` of the lists stands how it was at that minute, and whether it runs in the one that begins.
    """

    def __init__(self, rules: Rules, story: list[Act]) -> None:
        self.rules = rules
        self.worked = minutes_of_work(rules.calendar)
        self.start = story[0].minute
        self.end: int | None = None
        self.is_cancelled = False
        self.last = story[-1].minute + LOOK_AHEAD
        self.elapsed = [0] * (self.last + 2)
        self.late_since: list[int | None] = [None] * (self.last + 2)
        self.runs = [False] * (self.last + 2)
        self._walk(story)

    def _walk(self, story: list[Act]) -> None:
        is_still, coming = False, list(story)
        for minute in range(self.start, self.last + 1):
            while coming and coming[0].minute == minute:
                act = coming.pop(0)
                is_still = self.end is None and self._hear(act, minute)
            self.runs[minute] = runs = self.end is None and not is_still
            self.elapsed[minute + 1] = self.elapsed[minute] + (runs and self.worked[minute])
            late = self.late_since[minute]
            if late is None and runs and self.elapsed[minute] >= self.rules.target:
                late = minute
            self.late_since[minute + 1] = late

    def _hear(self, act: Act, minute: int) -> bool:
        """Whether the clock stands still after what happened."""
        mine = [event for event, task in act.events if self.rules.item == "process" or task in (None, TASK)]
        cancels = {"process.cancelled", f"{self.rules.item}.cancelled"}
        for event in mine:
            if event in cancels or event in self.rules.stops or event in ENDS[self.rules.item]:
                self.end, self.is_cancelled = minute, event in cancels
                return False
        heard = (TASK, OTHER) if self.rules.item == "process" else (TASK,)
        holds = act.failure_holds if self.rules.item == "process" else act.own_failure_holds
        reasons = [act.waits[task] for task in heard if task in act.waits]
        pauses = self.rules.pauses
        return (
            ("suspension" in pauses and act.process == "suspended")
            or ("failure" in pauses and act.process == "failed")
            or ("failed task" in pauses and any(holds[task] for task in heard))
            or ("waiting" in pauses and bool(reasons))
            or ("waiting for the supplier" in pauses and any(r.startswith("Supplier") for r in reasons))
        )

    def until(self, minute: int) -> int:
        return minute if self.end is None else min(minute, self.end)

    def is_paused(self, minute: int) -> bool:
        return not self.runs[minute] and not self.has_ended(minute)

    def has_ended(self, minute: int) -> bool:
        return self.end is not None and minute >= self.end

    def warnings(self, minute: int) -> int:
        elapsed = self.elapsed[self.until(minute)]
        return sum(elapsed >= self.rules.target - before for before in self.rules.warnings)

    def escalations(self, minute: int) -> int:
        elapsed, is_late = self.elapsed[self.until(minute)], self.late_since[self.until(minute)] is not None
        return sum(
            elapsed >= self.rules.target + after and (after < 0 or is_late)
            for after in self.rules.escalations
        )

    def status(self, minute: int) -> str | None:
        if self.has_ended(minute) and self.is_cancelled:
            return None
        if self.late_since[self.until(minute)] is not None:
            return "breached"
        if self.has_ended(minute):
            return "met"
        return "at_risk" if self.warnings(minute) else "on_track"

    def due(self, minute: int) -> int:
        """The minute at which the target is used up; for a clock that stands still, if it went on at once."""
        until = self.until(minute)
        late = self.late_since[until]
        if late is not None:
            return late
        begin = until
        if self.has_ended(minute):
            # The minute of the end does not run; what counts is whether the one before it did.
            begin -= bool(until > self.start and self.runs[until - 1])
        while begin > self.start and self.runs[begin] and self.runs[begin - 1]:
            begin -= 1
        return self._used_up(begin, self.rules.target - self.elapsed[begin])

    def original_due(self) -> int:
        return self._used_up(self.start, self.rules.target)

    def _used_up(self, minute: int, missing: int) -> int:
        while missing > 0:
            missing -= self.worked[minute]
            minute += 1
        return minute
