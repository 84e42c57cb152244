"""The SLA clock against one that counts minutes, over histories that nobody thought of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from gndp.core import sla
from gndp.core.changes import Changes, Command, NewEvent
from gndp.core.clocks import Book, Ledger, NamedClock
from gndp.core.policies import Terms
from gndp.core.records import Process, SlaClock
from tests.pure.slow_clock import (
    LOOK_AHEAD,
    MINUTE,
    TASK,
    Act,
    Rules,
    SlowClock,
    instant,
    rules,
    stories,
)

INSTANT = timedelta(microseconds=1)
laws = settings(max_examples=200, deadline=None)


def history(item: str, story: list[Act]) -> list[sla.Moment]:
    """What a clock of the item hears: for a task its own events and the process's."""
    moments = [moment for act in story for moment in act.moments]
    return moments if item == "process" else [m for m in moments if m.task_id in (None, TASK)]


def looked_at(draw: st.DrawFn, story: list[Act]) -> list[int]:
    """The minutes of the story, those around them, and some at which nothing happens."""
    first, last = story[0].minute, story[-1].minute
    around = {act.minute + by for act in story for by in (-1, 0, 1)}
    return sorted({*around, *draw(st.sets(st.integers(first, last + LOOK_AHEAD - 1), max_size=8))})


@st.composite
def cases(draw: st.DrawFn) -> tuple[Rules, list[Act], list[int]]:
    story = draw(stories())
    return draw(rules()), story, looked_at(draw, story)


@laws
@given(cases())
def test_the_clock_says_what_counting_says(case: tuple[Rules, list[Act], list[int]]) -> None:
    rule, story, minutes = case
    slow, terms, moments = SlowClock(rule, story), rule.terms(), history(rule.item, story)
    for minute in minutes:
        reading = sla.clock(terms, moments, instant(minute))
        if minute < slow.start:
            assert reading is None
            continue
        assert reading is not None
        said = (
            *(reading.status, reading.elapsed // MINUTE, reading.remaining // MINUTE, reading.due_at),
            *(reading.is_paused, reading.warnings, reading.escalations),
        )
        elapsed = slow.elapsed[slow.until(minute)]
        assert said == (
            *(slow.status(minute), elapsed, rule.target - elapsed, instant(slow.due(minute))),
            *(slow.is_paused(minute), slow.warnings(minute), slow.escalations(minute)),
        ), minute
        assert_at_risk_from_the_first_level(slow, terms, moments, minute)
        # A moment into the minute, a due instant that it began with has passed.
        later = sla.clock(terms, moments, instant(minute) + INSTANT)
        assert later is not None
        is_late = slow.status(minute) != "breached" and slow.late_since[slow.until(minute + 1)] == minute
        assert later.status == ("breached" if is_late else slow.status(minute)), minute


def assert_at_risk_from_the_first_level(
    slow: SlowClock, terms: Terms, moments: list[sla.Moment], minute: int
) -> None:
    timer = sla.fold(terms, [moment for moment in moments if moment.at <= instant(minute)])
    assert timer is not None
    at_risk_at = sla.at_risk_at(timer, terms)
    if not slow.runs[minute] or not slow.rules.warnings:
        assert at_risk_at is None
    else:
        assert at_risk_at is not None
        assert (at_risk_at <= instant(minute)) == (slow.warnings(minute) > 0)


@laws
@given(cases())
def test_nothing_happens_before_the_next_instant_and_then_something_does(
    case: tuple[Rules, list[Act], list[int]],
) -> None:
    rule, story, minutes = case
    terms, moments = rule.terms(), history(rule.item, story)

    def told(reading: sla.Reading) -> tuple[object, ...]:
        return reading.status, reading.warnings, reading.escalations

    for minute in minutes:
        # What comes after it is not known yet.
        known = [moment for moment in moments if moment.at <= instant(minute)]
        reading = sla.clock(terms, known, instant(minute))
        if reading is None:
            continue
        if reading.next_at is None:
            much_later = sla.clock(terms, known, instant(minute + 30 * 24 * 60))
            assert much_later is not None
            assert told(much_later) == told(reading), minute
            continue
        assert reading.next_at > instant(minute)
        for between in (reading.next_at - INSTANT, instant(minute) + (reading.next_at - instant(minute)) / 2):
            same = sla.clock(terms, known, between)
            assert same is not None
            assert told(same) == told(reading), (minute, between)
        then = sla.clock(terms, known, reading.next_at)
        assert then is not None
        assert told(then) != told(reading), (minute, reading.next_at)


@laws
@given(cases())
def test_a_clock_ends_with_a_verdict_and_keeps_the_due_instant_of_its_beginning(
    case: tuple[Rules, list[Act], list[int]],
) -> None:
    rule, story, _ = case
    slow, terms, moments = SlowClock(rule, story), rule.terms(), history(rule.item, story)
    timer, reading = sla.fold(terms, moments), sla.clock(terms, moments, instant(slow.last))
    assert timer is not None and reading is not None
    assert (timer.started_at, timer.original_due_at) == (instant(slow.start), instant(slow.original_due()))
    assert timer.ended_at == (None if slow.end is None else instant(slow.end))
    if slow.end is None:
        assert reading.status not in ("met", None)
    elif slow.is_cancelled:
        assert reading.status is None
    else:
        assert reading.status == ("met" if timer.ended_at <= reading.due_at else "breached")


# -------------------------------------------------------------------------------- what is told, and how often


class Told(NamedTuple):
    """One SLA event of a clock."""

    minute: int
    clock: str
    what: str
    level: int | None = None


class Desk:
    """A process whose clocks hear its story as the engine lets them; it keeps what was told."""

    def __init__(self, in_force: list[Terms]) -> None:
        self.book = Book(1, in_force, {})
        self.process = blank_process()
        self.clocks: dict[str, SlaClock] = {}
        self.terms: dict[str, Terms] = {}
        self.told: list[Told] = []

    def hear(self, minute: int, act: Act | None) -> None:
        """One command with its events, or (None) a sweep."""
        changes = Changes.begin(self.process, Command("ann", instant(minute)), None)
        for event, task in [] if act is None else act.events:
            reason = {"reason": act.reason}
            changes.events.append(NewEvent(event, task, "lifecycle", "info", "", reason, None, None, None))
        known = [NamedClock(clock, "Case") for clock in self.clocks.values()]
        ledger = Ledger(changes, known, self.terms, self.book)
        ledger.hear()
        ledger.look()
        ledger.show()
        self.terms |= ledger.started
        for clock in [*changes.started_clocks, *changes.changed_clocks]:
            self.clocks[clock.objective] = clock
        self.process = changes.process_after()
        self.told += [
            Told(minute, event.details["objective"], event.event_type[4:], event.details.get("level"))
            for event in changes.events
            if event.event_type.startswith("sla.")
        ]


def blank_process() -> Process:
    blank = dict.fromkeys(Process._fields)
    return Process(**blank)._replace(
        id=UUID(int=9), process_name="Case", priority="low", sla_status="on_track"
    )


def expected(name: str, slow: SlowClock, looks: list[int]) -> Iterator[Told]:
    """What is to be told of one clock when it is looked at in these minutes: each level when it is first
    seen, the breach when it is, and the verdict at the end."""
    levels, is_breached = 0, False
    for minute in looks:
        status = slow.status(minute)
        if slow.has_ended(minute):
            if status is not None and not is_breached:
                yield Told(minute, name, status)
            return
        if is_breached:
            continue
        if status == "breached":
            is_breached = True
            yield Told(minute, name, "breached")
            continue
        for level in range(levels + 1, slow.warnings(minute) + 1):
            yield Told(minute, name, "at_risk", level)
        levels = max(levels, slow.warnings(minute))


def shown(slow: dict[str, SlowClock], minute: int) -> str | None:
    """The status that the process shows: that of the running clock that is due first."""
    running = [name for name, clock in slow.items() if clock.runs[minute]]
    if not running:
        return None
    return slow[min(running, key=lambda name: (slow[name].due(minute), name))].status(minute)


@laws
@given(st.data())
def test_each_level_the_breach_and_the_verdict_are_told_once_whoever_looks_when(data: st.DataObject) -> None:
    story = data.draw(stories())
    rulings = {
        name: data.draw(rules("process"), name)
        for name in ("first", "second", "third")[: data.draw(st.integers(1, 3))]
    }
    slow = {name: SlowClock(rule, story) for name, rule in rulings.items()}
    desk = Desk([rule.terms(name) for name, rule in rulings.items()])
    sweeps = [minute for minute in looked_at(data.draw, story) if minute >= story[0].minute]
    last_act = {act.minute: act for act in story}
    steps = sorted(
        [*((act.minute, 0, act) for act in story), *((minute, 1, None) for minute in sweeps)],
        key=lambda s: s[:2],
    )
    for minute, _, act in steps:
        desk.hear(minute, act)
        if act is not None and act is not last_act[minute]:
            continue
        wanted = shown(slow, minute)
        assert wanted is None or desk.process.sla_status == wanted, minute
    looks = sorted({minute for minute, _, _ in steps})
    wanted_events = [told for name, clock in slow.items() for told in expected(name, clock, looks)]
    assert sorted(desk.told, key=str) == sorted(wanted_events, key=str)
    once = Counter((told.clock, told.what, told.level) for told in desk.told)
    assert set(once.values()) <= {1}
