"""kill -9 of a sweep in the middle of its work: the next one ends it, and each thing has been told once."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from typing import Any

import psycopg
import pytest

import gndp
from gndp.core.errors import GndpError
from tests.moving_clock import NINE

SWEEPERS = multiprocessing.get_context("forkserver")
SWEEPERS.set_forkserver_preload(["gndp"])
NAME = "a test's sweep"
AT_RISK, OVER = NINE + timedelta(minutes=55), NINE + timedelta(hours=3)
POLICIES = [
    {
        "name": "case",
        "target_minutes": 60,
        "warnings": [{"percent": 50}, {"minutes_before": 10}],
        "escalations": [
            {"after_minutes": 0, "to": "person", "person": "boss"},
            {"after_minutes": 30, "to": "person", "person": "chief", "action": "raise_priority"},
        ],
    },
    {
        "name": "step",
        "item": "task",
        "target_minutes": 60,
        "escalations": [{"after_minutes": 15, "to": "person", "person": "bob", "action": "reassign"}],
    },
]
OF_A_PROCESS = ("sla.at_risk 1", "sla.at_risk 2", "sla.breached", "escalation.triggered 1")
ONCE = Counter({("process", what): 1 for what in (*OF_A_PROCESS, "escalation.triggered 2")})
ONCE += Counter({("task", what): 1 for what in ("sla.at_risk 1", "sla.breached", "escalation.triggered 1")})
ONCE += Counter({("task", "task.reassigned"): 1})


def sweep(url: str, now: datetime) -> None:
    """Sweep once; a connection that was cut is a typed error, which ends it quietly."""
    os.environ["PGAPPNAME"] = NAME
    with suppress(GndpError), gndp.connect(url, clock=lambda: now) as workbench:
        workbench.sla.sweep()


class Field:
    """Many processes, each with a task, that all become late together; what was told; and the killer."""

    def __init__(self, url: str, processes: int, chance: random.Random) -> None:
        self.url = url
        self.chance = chance
        self.sql = psycopg.connect(url, autocommit=True)
        with gndp.connect(url, clock=lambda: NINE) as workbench:
            for policy in POLICIES:
                workbench.sla.publish(policy, user_id="eve")
            for _ in range(processes // 100):
                with workbench.transaction():
                    for _ in range(100):
                        self._start(workbench)

    def _start(self, workbench: gndp.Workbench) -> None:
        process = workbench.processes.start(
            process_definition_id="loose", process_name="Case", process_type="custom", initiated_by="eve"
        )
        workbench.tasks.create(
            process_instance_id=process.id,
            task_definition_id="step",
            task_name="Step",
            task_type="manual",
            assigned_to="ann",
        )

    def told(self) -> dict[str, Counter[tuple[str, str]]]:
        """By process, how often what was told of it and of its task."""
        rows = self.sql.execute(
            "SELECT process_instance_id::text, CASE WHEN task_id IS NULL THEN 'process' ELSE 'task' END,"
            " concat_ws(' ', event_type, details ->> 'level') FROM process_events"
            " WHERE event_category = 'sla' AND event_type <> 'notification.send'"
            " OR event_type = 'task.reassigned'"
        )
        found: dict[str, Counter[tuple[str, str]]] = {}
        for process, item, what in rows:
            found.setdefault(process, Counter())[item, what] += 1
        return found

    def due(self, now: datetime) -> int:
        """How many clocks have something to tell."""
        return self._number("SELECT count(*) FROM sla_metrics WHERE next_at <= %s", now)

    def _number(self, query: str, *values: object) -> int:
        row = self.sql.execute(query, values).fetchone()
        assert row is not None
        return int(row[0])

    def strike(self, now: datetime, how: Callable[[Field, BaseProcess], None], sweepers: int) -> None:
        """Start sweeps, let them tell something, and end one in the middle of its work, then the others."""
        left = self.due(now)
        running = [SWEEPERS.Process(target=sweep, args=(self.url, now)) for _ in range(sweepers)]
        for process in running:
            process.start()
        self._until(lambda: self.due(now) < left)
        how(self, running[0])
        for process in running:
            process.kill()
            process.join()

    def stuck(self) -> list[int]:
        """The backends of sweeps that wait for a lock."""
        rows = self.sql.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
            " AND datname = current_database()",
            (NAME,),
        )
        return [pid for (pid,) in rows]

    def _until(self, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 60
        while not (met := condition()):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        return met


def kill_anywhere(field: Field, process: BaseProcess) -> None:
    time.sleep(field.chance.random() / 20)
    process.kill()


def kill_before_its_events_are_written(field: Field, process: BaseProcess) -> None:
    _hold_up(field, process.kill)


def cut_before_its_events_are_written(field: Field, process: BaseProcess) -> None:
    def cut() -> None:
        for pid in field.stuck():
            field.sql.execute("SELECT pg_terminate_backend(%s)", (pid,))

    _hold_up(field, cut)


def _hold_up(field: Field, strike: Callable[[], None]) -> None:
    """Strike while a sweep's transaction has changed its clocks and waits to write what it tells."""
    with psycopg.connect(field.url) as other:
        other.execute("LOCK TABLE process_events IN SHARE MODE")
        field._until(field.stuck)
        strike()


WAYS = [kill_before_its_events_are_written, cut_before_its_events_are_written, kill_anywhere]


@pytest.mark.parametrize(
    ("processes", "rounds", "sweepers"),
    [(400, (1, 3), 1), pytest.param(5_000, (9, 18), 2, marks=pytest.mark.soak)],
)
def test_a_sweep_that_was_killed_is_ended_by_the_next_and_tells_nothing_twice(
    database_url: str, processes: int, rounds: tuple[int, int], sweepers: int
) -> None:
    field = Field(database_url, processes, random.Random(5))
    for now, kills in zip((AT_RISK, OVER), rounds, strict=True):
        for number in range(kills):
            field.strike(now, WAYS[number % len(WAYS)], sweepers)
            assert field.due(now) > 0, "nothing was left to be killed in"
            assert all(told <= ONCE for told in field.told().values())
        with gndp.connect(database_url, clock=lambda now=now: now) as workbench:
            workbench.sla.sweep()
            assert field.due(now) == 0
            assert workbench.check().violations == ()
    told = field.told()
    assert len(told) == processes
    assert all(counted == ONCE for counted in told.values())
    field.sql.close()
