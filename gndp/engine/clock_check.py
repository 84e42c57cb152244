"""Asserting that SLA clocks say what the SLA clock says: each is folded from its history and compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from gndp.core import sla
from gndp.core.clocks import moments_of, since_start, timer_of
from gndp.core.errors import Invalid
from gndp.core.policies import Terms, usable_terms
from gndp.core.records import SlaClock
from gndp.core.sla import Ended, Moment
from gndp.store.queries import with_columns
from gndp.store.resources import sql_text

NAME = "sla_clock"
MEANING = "A clock stands where its item's history puts it, and its status is the clock's answer as of then."

_WIDTH = len(SlaClock._fields)


class _Event(NamedTuple):
    event_type: str
    task_id: UUID | None
    at: datetime
    details: dict[str, Any]
    is_swept: bool


def wrong_clocks(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
    """The items (id, what is wrong) whose clocks differ from their history's answer; reads in the open
    transaction, process by process.

    The status is compared as of the last sweep that could see the item's newest event, or the item's newest
    event, whichever is later. A clock that cannot be worked out any more is left out.
    """
    known: dict[str, Terms | None] = {}
    with connection.cursor(row_factory=tuple_row) as sweeps:
        swept_at = sweeps.execute("SELECT swept_at FROM sla_sweeps").fetchall()[0][0]
    with (
        connection.cursor(name="sla_clocks", row_factory=tuple_row) as clocks,
        connection.cursor(name="sla_histories", row_factory=tuple_row) as events,
    ):
        clocks.itersize = events.itersize = 5_000
        clocks.execute(with_columns(sql_text("queries/clock_check/clocks.sql")))
        events.execute(sql_text("queries/clock_check/histories.sql"))
        for (process_id, rows), (_, history_rows) in zip(
            groupby(clocks, key=itemgetter(1)), groupby(events, key=itemgetter(0)), strict=True
        ):
            history = [_Event._make(row[1:]) for row in history_rows]
            for row in rows:
                clock = SlaClock._make(row[:_WIDTH])
                terms = _terms(known, clock.terms, row[_WIDTH])
                wrong = None if terms is None else _wrong_unless_unusable(clock, terms, history, swept_at)
                if wrong is not None:
                    yield str(clock.task_id or process_id), f"{clock.objective}: {wrong}"


def _terms(known: dict[str, Terms | None], mark: str, document: dict[str, Any]) -> Terms | None:
    if mark not in known:
        known[mark] = usable_terms(document)
    return known[mark]


def _wrong_unless_unusable(
    clock: SlaClock, terms: Terms, history: list[_Event], swept_at: datetime | None
) -> str | None:
    try:
        return _wrong(clock, terms, history, swept_at)
    except Invalid:
        return None


def _wrong(clock: SlaClock, terms: Terms, history: list[_Event], swept_at: datetime | None) -> str | None:
    """What is wrong with a clock; None when nothing is."""
    heard = [event for event in history if clock.task_id is None or event.task_id in (None, clock.task_id)]
    if _was_called_off(clock, heard):
        return None
    timer = sla.fold(terms, since_start(clock, _moments(heard)))
    if timer is None:
        return "its history does not start it"
    if timer != timer_of(clock):
        return f"it says {timer_of(clock)}, its history {timer}"
    own = [event.at for event in heard if event.task_id == clock.task_id or clock.task_id is None]
    as_of = max(own[-1], timer.paused_at or own[-1], timer.running_since or own[-1])
    if swept_at is not None and all(event.is_swept for event in history):
        as_of = max(as_of, swept_at)
    status = sla.read(timer, terms, as_of).status
    if status is not None and status != clock.status:
        return f"it is {clock.status}, but {status} as of {as_of}"
    return None


def _moments(events: list[_Event]) -> Iterator[Moment]:
    for event in events:
        yield from moments_of(event.event_type, event.task_id, event.at, event.details)


def _was_called_off(clock: SlaClock, heard: list[_Event]) -> bool:
    """Whether a recomputation cancelled it, for its policy was not for the item any more."""
    return clock.ended == Ended.CANCELLED and any(
        event.event_type == "sla.recomputed" and event.at == clock.end_time for event in heard
    )
