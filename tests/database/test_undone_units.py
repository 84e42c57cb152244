"""What a unit of work that is undone had read or written is forgotten: no later command goes by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import gndp
from gndp.core.errors import Conflict
from gndp.settings import Settings
from gndp.store.queries import statement
from tests.moving_clock import NINE, Clock, started


class Undone(Exception):
    """What undoes a unit of work."""


@contextmanager
def undone(wb: gndp.Workbench) -> Iterator[None]:
    with pytest.raises(Undone), wb.transaction():
        yield
        raise Undone


@pytest.fixture
def wb(new_workbench: Callable[..., gndp.Workbench]) -> gndp.Workbench:
    return new_workbench(clock=Clock())


def hours(opening: str, closing: str) -> gndp.Calendar:
    return gndp.Calendar(hours={day: [(opening, closing)] for day in range(7)})


def template(*steps: str) -> dict[str, Any]:
    return {
        "id": "loan",
        "name": "Loan",
        "steps": [{"id": step, "name": step, "type": "manual", "form": form(step)} for step in steps],
    }


def form(required: str) -> dict[str, Any]:
    return {"type": "object", "properties": {required: {"type": "string"}}, "required": [required]}


def steps_of(wb: gndp.Workbench, process: gndp.Process) -> list[str]:
    return [listed.task.task_definition_id for listed in wb.tasks.list(process_id=process.id).tasks]


def test_the_terms_of_an_undone_clock_are_stored_by_the_next_one(wb: gndp.Workbench) -> None:
    with undone(wb):
        process = started(wb, sla_target_mins=77)
        wb.processes.comment(process.id, user_id="eve", text="look")
    again = started(wb, sla_target_mins=77)
    assert [reading.clock.target_duration_mins for reading in wb.sla.clocks(process_id=again.id)] == [77]
    assert wb.check().ok


def test_an_undone_policy_starts_no_clock(wb: gndp.Workbench) -> None:
    with undone(wb):
        wb.sla.publish({"name": "undone", "target_minutes": 10}, user_id="eve")
        started(wb)
    wb.sla.publish({"name": "kept", "target_minutes": 99}, user_id="eve")
    (reading,) = wb.sla.clocks(process_id=started(wb).id)
    assert (reading.clock.policy_name, reading.clock.target_duration_mins) == ("kept", 99)


def test_an_undone_calendar_is_nobodys(wb: gndp.Workbench) -> None:
    wb.calendars.save("office", hours("00:00", "24:00"))
    wb.sla.publish({"name": "care", "target_minutes": 60, "calendar": "office"}, user_id="eve")
    with undone(wb):
        wb.calendars.save("office", hours("20:00", "20:01"))
        started(wb)
    wb.calendars.save("office", hours("09:00", "12:00"))
    assert started(wb).due_date == NINE + timedelta(minutes=60)


def test_an_undone_template_gives_no_tasks_and_no_forms(wb: gndp.Workbench) -> None:
    with undone(wb):
        wb.definitions.publish(template("old"), user_id="eve")
        process = started(wb, process_definition_id="loan")
        (task,) = wb.tasks.list(process_id=process.id).tasks
        wb.tasks.start(task.task.id, user_id="eve")
        wb.tasks.complete(task.task.id, user_id="eve", output_data={"old": "yes"})
    wb.definitions.publish(template("old", "new"), user_id="eve")
    assert steps_of(wb, started(wb, process_definition_id="loan")) == ["old", "new"]


def test_what_a_committed_unit_had_read_is_used_by_those_after_it(wb: gndp.Workbench) -> None:
    with wb.transaction():
        wb.sla.publish({"name": "kept", "target_minutes": 99}, user_id="eve")
        wb.definitions.publish(template("old"), user_id="eve")
        started(wb, process_definition_id="loan")
    process = started(wb, process_definition_id="loan", sla_target_mins=30)
    assert {reading.clock.policy_name for reading in wb.sla.clocks(process_id=process.id)} == {
        "kept",
        "sla_target_mins",
    }
    assert steps_of(wb, process) == ["old"]
    assert wb.check().ok


def test_what_refers_to_a_row_that_is_gone_is_a_conflict(wb: gndp.Workbench) -> None:
    names = ("assigned_to", "assigned_by", "assignment_method", "reason")
    values = dict.fromkeys(names, "manual") | {"id": uuid4(), "task_id": uuid4(), "assigned_at": NINE}
    with pytest.raises(Conflict, match="refers to is not there"):
        wb._transitions.write(statement("assignments", "open", **values))


@pytest.mark.parametrize("is_caught", [False, True])
def test_a_unit_that_met_a_deadlock_says_so_has_changed_nothing_and_may_be_tried_again(
    new_workbench: Callable[..., gndp.Workbench], is_caught: bool
) -> None:
    """Also when a caller takes the conflict for a refusal and goes on to the end of the block."""
    wb = new_workbench(clock=Clock(), settings=Settings(pool_min_size=1, pool_max_size=1))
    first, second = started(wb), started(wb)

    def unit() -> None:
        with wb.transaction():
            started(wb, process_name="of the unit")
            wb.processes.comment(first.id, user_id="eve", text="one")
            with suppress(Conflict) if is_caught else nullcontext():
                wb.processes.comment(second.id, user_id="eve", text="two")

    with psycopg.connect(wb.database_url) as against, ThreadPoolExecutor(1) as pool:
        # Only the unit looks for a deadlock, so it is the one that is ended.
        against.execute("SET deadlock_timeout = '1min'")
        against.execute("SELECT FROM process_instances WHERE id = %s FOR UPDATE", [second.id])
        running = pool.submit(unit)
        with psycopg.connect(wb.database_url, autocommit=True) as watching:
            while not watching.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall():
                time.sleep(0.01)
        against.execute("SELECT FROM process_instances WHERE id = %s FOR UPDATE", [first.id])
        with pytest.raises(Conflict, match="waited for each other; try again") as lost:
            running.result(timeout=20)
    assert lost.value.details == {"sqlstate": "40P01"}
    assert wb.processes.list().total == 2
    assert [len(wb.processes.events(process.id)) for process in (first, second)] == [1, 1]
    assert wb.check().ok

    unit()
    assert wb.processes.list().total == 3
    assert [len(wb.processes.events(process.id)) for process in (first, second)] == [2, 2]
    assert wb.check().ok
