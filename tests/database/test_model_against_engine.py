"""Random commands on a real database and on the model of tests/model.py find no difference.

After each command, or each transaction of several, what stands in the tables is compared with the model.
The clock goes backwards now and then.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.rows import dict_row

from gndp.core.errors import Conflict, Refusal
from tests.model import OPEN, Event, Model, Process, Refused, Row, Task
from tests.random_commands import MINUTES, NINE, PROCESS_COMMANDS, STEPS, TASK_COMMANDS, TEMPLATE, Call, Calls

Rows = Callable[..., list[dict[str, Any]]]
TOLD_WHEN_SEEN = ("sla.at_risk", "sla.breached")
WORSE = ("on_track", "at_risk", "breached")
FINAL_STATUSES = ("completed", "skipped", "cancelled")
SEEN: Counter[tuple[str, str]] = Counter()  # how often each command ended how


class Comparison:
    """One example: the workbench and the model side by side, under one clock."""

    def __init__(self, workbench: Any, rows: Rows) -> None:
        self.wb, self.rows = workbench, rows
        self.model = Model({TEMPLATE["id"]: STEPS})
        self.calls = Calls(self.model)
        self.reading = self.swept_at = NINE
        self.wb.clock = lambda: self.reading
        self.answers: dict[tuple[object, ...], Any] = {}

    def step(self, seed: str) -> None:
        self.calls.random.seed(seed)
        before = {process.id: process.status for process in self.model.processes.values()}
        if self.calls.chance(8):
            self.group()
            self.compare()
        else:
            self.both(self.calls.next())
            self.compare()
            self.compare_order(before)

    def group(self) -> None:
        """Several commands in one transaction; the first refusal undoes them all."""
        before, answers, keyed = copy.deepcopy(self.model), dict(self.answers), list(self.calls.keyed)
        note("in one transaction:")
        try:
            with self.wb.transaction():
                for _ in range(self.calls.pick(2, 3, 4)):
                    if error := self.both(self.calls.next()):
                        raise error
        except Refusal:
            note("rolled back")
            self.model.__dict__.update(before.__dict__)
            self.answers, self.calls.keyed = answers, keyed

    def both(self, call: Call) -> Refusal | None:
        """Give the call to both; the answer is the refusal, on which they have to agree."""
        self.reading += timedelta(minutes=self.calls.pick(*MINUTES))
        area, verb = call.command.split(".")
        commands = getattr(self.wb, area)
        arguments, options, current = dict(call.arguments), dict[str, Any](), None
        if call.ahead is not None and self.known(call):
            current = commands.get(call.arguments["id"])
            if call.expected_version is None:
                call.expected_version = current.version + call.ahead
            options["expected_version"] = call.expected_version
        if call.key:
            options["idempotency_key"] = call.key
        positional = [arguments.pop("items")] if "items" in arguments else []
        error = answer = None
        try:
            answer = getattr(commands, verb)(*positional, **arguments, **options)
        except Refusal as refusal:
            error = refusal
        note(f"{self.reading:%H:%M:%S} {call.command} {call.arguments} {options} -> {error!r}")
        SEEN[call.command, type(error).__name__ if error else "accepted"] += 1
        self.agree(call, current, error, answer)
        return error

    def known(self, call: Call) -> bool:
        return call.arguments["id"] in self.model.processes or call.arguments["id"] in self.model.tasks

    def agree(self, call: Call, current: Any, error: Refusal | None, answer: Any) -> None:
        """Give the call to the model and compare; ``current`` is the row if a version was expected of it."""
        if call.command == "processes.start" and answer is not None:
            tasks = self.wb.tasks.list(process_id=answer.id).tasks
            self.model.step_ids = {task.task_definition_id: task.id for task in tasks}
        versions = (call.expected_version, current.version) if current else None
        try:
            acted = self.model.run(call.command, self.reading, call.key, versions, **call.arguments)
        except Refused as refused:
            assert error is not None, f"{call.command} was accepted, but {refused} is right"
            assert type(error).__name__ in refused.errors, f"{error!r}, but {refused} is right"
            if refused.stale:
                assert isinstance(error, Conflict) and error.stale
                assert (error.version, error.status) == (current.version, current.status)
            return
        assert error is None, f"{call.command} is right, but was refused: {error!r}"
        if call.key:
            first = self.answers.setdefault(self.model.scope(call.command, call.key, call.arguments), answer)
            assert acted or answer == first, "a repeated command gives the first answer"

    def compare(self) -> None:
        """What stands in the tables is what the model says."""
        ids = list(self.model.processes)
        processes = {row["id"]: row for row in self.rows("process_instances", "id", ids)}
        tasks = {row["id"]: row for row in self.rows("tasks", "process_instance_id", ids)}
        assignments = self.rows("task_assignments", "task_id", list(tasks))
        self.events = self.rows("process_events", "process_instance_id", ids, "seq")
        assert processes.keys() == self.model.processes.keys()
        assert tasks.keys() == self.model.tasks.keys()
        for process in self.model.processes.values():
            self.compare_row(self.expected_process(process), processes[process.id])
            if process.status == "failed":
                assert process.error in (processes[process.id]["error_message"] or "")
            self.compare_events(process)
            self.compare_sla(process, processes[process.id])
        for task in self.model.tasks.values():
            self.compare_row(self.expected_task(task), tasks[task.id])
            self.compare_sla(task, tasks[task.id])
            mine = [(row["assigned_to"], row["status"]) for row in assignments if row["task_id"] == task.id]
            assert sorted(mine) == sorted(task.assignments), task.name

    @staticmethod
    def compare_row(expected: dict[str, Any], row: dict[str, Any]) -> None:
        assert {name: row[name] for name in expected} == expected

    def expected_process(self, process: Process) -> dict[str, Any]:
        done, total, progress = self.model.steps(process)
        return {
            "status": process.status,
            "priority": process.priority,
            "tags": process.tags,
            "parent_process_id": process.parent,
            "created_at": process.created_at,
            "started_at": process.started_at,
            "completed_at": process.completed_at,
            "current_step": done,
            "total_steps": total,
            "progress_percentage": Decimal(str(progress)),
            "current_phase": self.model.current_phase(process),
        }

    def expected_task(self, task: Task) -> dict[str, Any]:
        expected: dict[str, Any] = {
            "status": task.status,
            "substatus": task.substatus,
            "assigned_to": task.assigned_to,
            "retry_count": task.retry_count,
            "priority": task.priority,
            "tags": task.tags,
            "created_at": task.created_at,
            "started_at": task.started_at,
            "completed_at": task.completed_at,
        }
        if task.status in OPEN or task.ready_at:  # what closed while blocked has nothing to wait for
            expected["ready_at"] = task.ready_at
            expected["open_dependencies"] = self.model.open_dependencies(task)
        return expected

    def compare_reads(self) -> None:
        """What the workbench answers is what stands in the tables."""
        for id in self.model.processes:
            (row,) = self.rows("process_instances", "id", [id])
            assert self.wb.processes.get(id)._asdict() == row | {
                "progress_percentage": float(row["progress_percentage"])
            }
            events = [event.id for event in self.wb.processes.events(id, limit=500)]
            assert events[::-1] == [row["id"] for row in self.events if row["process_instance_id"] == id]
            children = {child.id for child in self.wb.processes.children(id)}
            assert children == {child.id for child in self.model.processes.values() if child.parent == id}
        for row in self.rows("tasks", "id", list(self.model.tasks)):
            assert self.wb.tasks.get(row["id"])._asdict() == row

    def compare_events(self, process: Process) -> None:
        rows = [
            row
            for row in self.events
            if row["process_instance_id"] == process.id and row["event_type"] not in TOLD_WHEN_SEEN
        ]
        actual = [
            Event(
                row["event_type"],
                row["task_id"],
                row["old_status"],
                row["new_status"],
                at := row["timestamp"],
                at,
            )
            for row in rows
        ]
        assert [comparable(event) for event in in_order(process.events, actual)] == [
            comparable(event) for event in in_order(process.events, process.events)
        ]
        for event, row in zip(process.events, rows, strict=True):
            if event.at != event.reading:
                assert event.reading in instants(row["details"]), row

    def compare_sla(self, item: Row, row: dict[str, Any]) -> None:
        """The status is the clock's as of some command that the item saw, and was told once.

        Warnings and breaches come when somebody looks, so it may also be that of an earlier look, but never a
        later one than the clock's; the final one is exact.
        """
        process = self.model.processes[item.process if isinstance(item, Task) else item.id]
        task_id = item.id if isinstance(item, Task) else None
        now = self.model.sla_status_at(item, max(process.events[-1].at, self.swept_at))
        status = row["sla_status"]
        if item.completed_at:
            assert status == item.sla_status
        elif item.status == "cancelled":
            assert status != "met"
        else:
            own = [event.at for event in process.events if task_id in (None, event.task)]
            seen = self.model.sla_status_at(item, own[-1])
            assert WORSE.index(seen) <= WORSE.index(status) <= WORSE.index(now)
        told = Counter(
            event["event_type"]
            for event in self.events
            if event["process_instance_id"] == process.id and event["task_id"] == task_id
        )
        assert max(told["sla.at_risk"], told["sla.breached"], told["sla.met"]) <= 1
        if status != "on_track":
            assert told[f"sla.{status}"] == 1

    def compare_swept(self) -> None:
        """After a sweep every open item's status is exactly what its clock says.

        Where the clock was set back behind an event of another task of its process, a sweep goes by the clock
        and a reader by the event: the status is one of the two, and the same again when the clock has come so
        far.
        """
        self.wb.sla.sweep()
        self.swept_at = self.reading
        self.compare()
        ids = list(self.model.processes)
        rows = self.rows("process_instances", "id", ids) + self.rows("tasks", "process_instance_id", ids)
        for row in rows:
            item = self.model.processes.get(row["id"]) or self.model.tasks[row["id"]]
            process = self.model.processes[item.process if isinstance(item, Task) else item.id]
            # A failed task of a cancelled process is called off with it: nothing can be done about it.
            if item.status not in FINAL_STATUSES and process.status != "cancelled":
                own = [e.at for e in process.events if not isinstance(item, Task) or e.task == item.id]
                instants = {max(self.reading, own[-1]), max(self.reading, process.events[-1].at)}
                assert row["sla_status"] in {self.model.sla_status_at(item, at) for at in instants}, item

    def compare_order(self, before: dict[UUID, str | None]) -> None:
        """One command cancelled a parent before the children that it took along."""
        now = {
            row["process_instance_id"]: row["seq"]
            for row in self.events
            if row["event_type"] == "process.cancelled"
            and before.get(row["process_instance_id"]) != "cancelled"
        }
        for id, seq in now.items():
            assert now.get(self.model.processes[id].parent, 0) < seq


def in_order(by: list[Event], events: list[Event]) -> list[Event]:
    """The events, those of one batch of ``by`` sorted by task."""
    ordered: list[Event] = []
    for _, group in groupby(enumerate(by), lambda pair: pair[1].batch or pair[0]):
        places = [place for place, _ in group]
        some = events[places[0] : places[-1] + 1]
        ordered += sorted(some, key=lambda event: str(event.task)) if len(places) > 1 else some
    return ordered + events[len(by) :]


def comparable(event: Event) -> tuple[object, ...]:
    """What counts in an event; where the status stays, the log may name it or not."""
    change = (event.old, event.new) if event.old != event.new else None
    return event.type, event.task, change, event.at


def instants(details: dict[str, Any]) -> set[datetime]:
    """The instants among the details of an event."""
    found = set()
    for value in details.values():
        with suppress(TypeError, ValueError):
            found.add(datetime.fromisoformat(value))
    return found


def seeds(steps: int) -> st.SearchStrategy[bytes]:
    """Four bytes of seed for each step; zeros leave it out, so that a failure shrinks to the steps it needs.

    One draw for all of them: of many alike, Hypothesis would make copies of what it already tried.
    """
    return st.binary(min_size=4 * steps, max_size=4 * steps)


def play(workbench: Any, rows: Rows, steps: bytes) -> None:
    comparison = Comparison(workbench, rows)
    for number in range(len(steps) // 4):
        seed = steps[4 * number : 4 * number + 4]
        if any(seed):
            comparison.step(f"{number} {seed.hex()}")
    if comparison.model.processes:
        comparison.compare_reads()
        comparison.compare_swept()


@pytest.fixture
def rows(workbench: Any) -> Iterator[Rows]:
    """Reads rows of a table past the engine, on a connection of its own."""
    with psycopg.connect(workbench.database_url, autocommit=True, row_factory=dict_row) as connection:

        def read(table: str, column: str, ids: list[UUID], order: str = "id") -> list[dict[str, Any]]:
            query = sql.SQL("SELECT * FROM {} WHERE {} = ANY(%s) ORDER BY {}").format(
                sql.Identifier(table), sql.Identifier(column), sql.Identifier(order)
            )
            return connection.execute(query, [ids]).fetchall()

        yield read


def test_engine_and_model_agree(workbench: Any, rows: Rows) -> None:
    workbench.definitions.publish(TEMPLATE, user_id="ann")
    SEEN.clear()

    @settings(
        max_examples=60,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=[__import__("hypothesis").Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(seeds(30))
    def compare(steps: bytes) -> None:
        play(workbench, rows, steps)

    compare()
    assert workbench.check().ok
    commands = {f"tasks.{verb}" for verb in TASK_COMMANDS} | {
        f"processes.{verb}" for verb in PROCESS_COMMANDS
    }
    assert commands <= {command for command, outcome in SEEN if outcome == "accepted"}
    assert commands <= {command for command, outcome in SEEN if outcome == "Conflict"}


@pytest.mark.soak
def test_engine_and_model_agree_for_long(workbench: Any, rows: Rows) -> None:
    workbench.definitions.publish(TEMPLATE, user_id="ann")

    @settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seeds(60))
    def compare(steps: bytes) -> None:
        play(workbench, rows, steps)

    compare()
    assert workbench.check().ok
