"""The stretches of a timeline follow each other without a gap, and say what the events said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gndp.core.timeline import Stretch, Turn, timeline

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
TASK = UUID(int=7)


def turn(minutes: int, event_type: str, new_status: str | None = None, **details: object) -> Turn:
    task = TASK if event_type.startswith("task.") else None
    name = "Check the papers" if task else "Loan 1"
    return Turn(task, name, event_type, new_status, "ann", T0 + timedelta(minutes=minutes), details)


def told(stretches: list[Stretch]) -> list[tuple[object, ...]]:
    def minute(at: datetime | None) -> float | None:
        return None if at is None else (at - T0) / timedelta(minutes=1)

    return [
        (s.task_id is not None, s.status, s.assigned_to, minute(s.begins_at), minute(s.ends_at))
        for s in stretches
    ]


def test_a_task_from_its_making_to_its_end() -> None:
    stretches = timeline(
        [
            turn(0, "process.started", "running"),
            turn(0, "task.created", "pending", ready=False),
            turn(5, "task.ready"),
            turn(8, "task.assigned", "assigned", assigned_to="bob"),
            turn(9, "task.commented", text="well"),
            turn(10, "task.started", "in_progress"),
            turn(12, "task.waiting", reason="papers"),
            turn(20, "task.resumed"),
            turn(21, "process.suspended", "suspended"),
            turn(22, "process.resumed", "running"),
            turn(25, "task.reassigned", "assigned", **{"from": "bob", "to": "eve"}),
            turn(26, "task.started", "in_progress"),
            turn(30, "task.completed", "completed"),
            turn(30, "process.completed", "completed"),
        ]
    )
    assert told(stretches) == [
        (False, "running", None, 0, 21),
        (True, "blocked", None, 0, 5),
        (True, "ready", None, 5, 8),
        (True, "assigned", "bob", 8, 10),
        (True, "in_progress", "bob", 10, 12),
        (True, "waiting", "bob", 12, 20),
        (True, "in_progress", "bob", 20, 25),
        (False, "suspended", None, 21, 22),
        (False, "running", None, 22, 30),
        (True, "assigned", "eve", 25, 26),
        (True, "in_progress", "eve", 26, 30),
        (True, "completed", "eve", 30, 30),
        (False, "completed", None, 30, 30),
    ]


def test_a_task_that_is_given_back_is_nobody_s() -> None:
    stretches = timeline(
        [
            turn(0, "task.created", "pending", ready=True),
            turn(1, "task.assigned", "assigned", assigned_to="bob"),
            turn(2, "task.released", "pending", assigned_to="bob"),
        ]
    )
    assert told(stretches)[-1] == (True, "ready", None, 2, None)


_EVENTS = st.sampled_from(
    [
        ("task.created", "pending"),
        ("task.ready", None),
        ("task.assigned", "assigned"),
        ("task.started", "in_progress"),
        ("task.waiting", None),
        ("task.resumed", None),
        ("task.failed", "failed"),
        ("task.retried", "pending"),
        ("task.completed", "completed"),
        ("process.started", "running"),
        ("process.suspended", "suspended"),
        ("process.failed", "failed"),
        ("process.commented", None),
    ]
)


@given(st.lists(st.tuples(_EVENTS, st.integers(0, 5), st.sampled_from(["ann", "bob"]))))
def test_stretches_leave_no_gap(events: list[tuple[tuple[str, str | None], int, str]]) -> None:
    minute, turns = 0, []
    for (event_type, status), later, person in events:
        minute += later
        turns.append(turn(minute, event_type, status, assigned_to=person))
    stretches = timeline(turns)
    assert [s.begins_at for s in stretches] == sorted(s.begins_at for s in stretches)
    by_item = sorted(stretches, key=lambda s: s.task_id is None)
    for _, own in groupby(by_item, key=lambda s: s.task_id):
        for before, after in pairwise(own):
            if before.status not in ("completed", "skipped", "cancelled"):
                assert before.ends_at == after.begins_at
            assert (before.status, before.assigned_to) != (after.status, after.assigned_to)
