"""Scheduled jobs over real processes: servers that are killed, servers that are paused, and the command line.

A server here is a process of its own with a scheduler and one job, ``tick``, which writes what it does into a
table of the test's. What is asserted are the database's own times in the books.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg
import pytest

import gndp
from gndp.core.records import JobRun
from gndp.engine.transition import Transitions
from gndp.jobs.job import Job, JobContext
from gndp.jobs.scheduler import Scheduler
from gndp.store.queries import Statement, composed
from gndp.store.session import Database
from gndp.workbench import utc_now

SERVERS = multiprocessing.get_context("forkserver")
SERVERS.set_forkserver_preload(["gndp"])
GNDP = Path(sys.executable).with_name("gndp")
INTERVAL = timedelta(seconds=2)
MILLISECOND = timedelta(milliseconds=1)
TAKE_OVER = timedelta(seconds=15)

_TICK = composed(
    "INSERT INTO ticks (slot, attempt, pid, step) VALUES (:slot::timestamptz, :attempt, :pid, :step::text)"
)
Tick = Callable[[Transitions, JobContext], None]


# ------------------------------------------------------------------------------------------------ the server


def server(url: str, tick: Tick) -> None:
    """Run the job until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    os.environ["PGAPPNAME"] = f"server {os.getpid()}"
    database = Database(url, min_size=1, max_size=4)
    database.open()
    transitions = Transitions(database, utc_now)

    def run(context: JobContext) -> dict[str, Any]:
        tick(transitions, context)
        return {"pid": os.getpid()}

    job = Job("tick", INTERVAL, run, "a test's")
    scheduler = Scheduler(transitions, [job], str(os.getpid()))
    scheduler.start()
    while not stop.wait(0.1):
        pass
    scheduler.stop()
    database.close()


def ticked(context: JobContext, step: str) -> Statement:
    values = {"slot": context.slot, "attempt": context.attempt, "pid": os.getpid(), "step": step}
    return Statement(_TICK, tuple(values[name] for name in _TICK.parameters))


def tick_slowly(_: Transitions, context: JobContext) -> None:
    """A run that takes long enough to be killed in."""
    context.write(ticked(context, "begin"))
    time.sleep(0.4)
    context.write(ticked(context, "end"))


def tick_and_dawdle(_: Transitions, context: JobContext) -> None:
    """The first of all runs pauses long enough to be stopped between two transactions."""
    context.write(ticked(context, "begin"))
    _dawdle(context)
    context.write(ticked(context, "end"))


def tick_and_dawdle_in_a_transaction(transitions: Transitions, context: JobContext) -> None:
    """The first of all runs pauses long enough to be stopped in the middle of a transaction."""
    with transitions.unit_of_work():
        context.write(ticked(context, "begin"))
        _dawdle(context)
        context.write(ticked(context, "end"))


def _dawdle(context: JobContext) -> None:
    if context.attempt == 1 and "GNDP_TEST_DAWDLED" not in os.environ:
        os.environ["GNDP_TEST_DAWDLED"] = "yes"
        time.sleep(3)


# ------------------------------------------------------------------------------------------------- the judge


class Servers:
    """The servers of a test on one database, and what the books say."""

    def __init__(self, url: str, tick: Tick) -> None:
        self.url = url
        self.tick = tick
        self.alive: dict[int, BaseProcess] = {}
        self.sql = psycopg.connect(url, autocommit=True)
        self.sql.execute(
            "CREATE TABLE ticks (slot timestamptz, attempt int, pid int, step text,"
            " at timestamptz DEFAULT clock_timestamp())"
        )

    def start(self) -> int:
        process = SERVERS.Process(target=server, args=(self.url, self.tick))
        process.start()
        self.alive[process.pid] = process
        return process.pid

    def leader(self) -> int | None:
        """Who holds the lease by the database's clock, dead or alive."""
        row = self.sql.execute("SELECT holder FROM job_lease WHERE expires_at > clock_timestamp()").fetchone()
        return None if row is None else int(row[0])

    def living_leader(self, besides: int | None = None, seconds: float = 40) -> int:
        """Who of the living leads, once somebody does."""
        deadline = time.monotonic() + seconds
        while (leader := self.leader()) not in self.alive or leader == besides:
            assert time.monotonic() < deadline, "nobody takes over"
            time.sleep(0.05)
        return leader

    def now(self) -> datetime:
        return self.sql.execute("SELECT clock_timestamp()").fetchone()[0]

    def kill(self, pid: int) -> datetime:
        """kill -9; the database's time just before."""
        at = self.now()
        os.kill(pid, signal.SIGKILL)
        self.alive.pop(pid).join()
        return at

    def stop(self) -> None:
        for pid in self.alive:
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGTERM)
        codes = {}
        for pid, process in self.alive.items():
            process.join(30)
            codes[pid] = process.exitcode
            process.kill()
        self.alive.clear()
        assert set(codes.values()) <= {0}, codes

    def runs(self) -> list[JobRun]:
        rows = self.sql.execute("SELECT * FROM job_runs ORDER BY started_at, attempt").fetchall()
        return [JobRun._make(row) for row in rows]

    def until(self, condition: Callable[[list[JobRun]], Any], seconds: float = 40) -> list[JobRun]:
        deadline = time.monotonic() + seconds
        while not condition(runs := self.runs()):
            assert time.monotonic() < deadline, runs
            time.sleep(0.05)
        return runs


@contextmanager
def servers(url: str, tick: Tick, count: int = 2) -> Iterator[Servers]:
    running = Servers(url, tick)
    try:
        for _ in range(count):
            running.start()
        yield running
        running.stop()
    finally:
        for process in running.alive.values():
            process.kill()
            process.join()
        running.sql.close()


def assert_each_slot_happened_once(runs: list[JobRun]) -> None:
    """Every slot that was begun has succeeded once, no run overlapped another, and no slot is missing but
    those that passed by in a take-over."""
    assert {run.status for run in runs} <= {"succeeded", "abandoned"}
    succeeded = Counter(run.slot for run in runs if run.status == "succeeded")
    assert set(succeeded) == {run.slot for run in runs}
    assert set(succeeded.values()) == {1}
    for earlier, later in pairwise(runs):
        assert later.started_at >= earlier.ended_at
        assert later.epoch >= earlier.epoch
        if later.slot == earlier.slot:
            assert (earlier.status, later.attempt) == ("abandoned", earlier.attempt + 1)
    for earlier, later in pairwise([run for run in runs if run.attempt == 1]):
        missed = (later.slot - earlier.slot) // INTERVAL - 1
        if later.epoch == earlier.epoch:
            assert missed <= earlier.duration_ms * MILLISECOND // INTERVAL, (earlier, later)
        else:
            assert missed <= (later.epoch - earlier.epoch) * TAKE_OVER // INTERVAL, (earlier, later)


def assert_only_the_books_runs_wrote(watched: Servers, runs: list[JobRun]) -> None:
    whole = [("begin", 1), ("end", 1)]
    for run in runs:
        steps = watched.sql.execute(
            "SELECT step, count(*) FROM ticks WHERE slot = %s AND attempt = %s GROUP BY step ORDER BY step",
            (run.slot, run.attempt),
        ).fetchall()
        assert steps == whole if run.status == "succeeded" else steps in ([], whole[:1], whole), run
    written = watched.sql.execute("SELECT DISTINCT slot, attempt FROM ticks").fetchall()
    assert set(written) <= {(run.slot, run.attempt) for run in runs}


@pytest.mark.parametrize(("seconds", "least_kills"), [(12, 2), pytest.param(300, 12, marks=pytest.mark.soak)])
def test_a_killed_leader_is_followed_and_each_slot_happens_once(
    database_url: str, seconds: int, least_kills: int
) -> None:
    """Two servers; whoever leads is killed every ten seconds, or as soon after as somebody leads."""
    killed: list[tuple[datetime, int]] = []
    with servers(database_url, tick_slowly) as watched:
        watched.until(lambda runs: len(runs) > 2)
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(killed) < least_kills:
            following = time.monotonic() + 10
            leader = watched.living_leader()
            if killed:
                watched.until(lambda runs, leader=leader: runs[-1].holder == str(leader))
            epoch = watched.sql.execute("SELECT epoch FROM job_lease").fetchone()[0]
            killed.append((watched.kill(leader), epoch))
            watched.start()
            time.sleep(max(0.0, min(following, end) - time.monotonic()))
        last = watched.living_leader()
        watched.until(lambda runs: runs[-1].holder == str(last) and runs[-1].attempt == 1)
        watched.stop()
        runs = watched.runs()
        assert len(killed) >= least_kills
        assert_each_slot_happened_once(runs)
        assert_only_the_books_runs_wrote(watched, runs)
    for at, epoch in killed:
        first = next(run for run in runs if run.epoch > epoch)
        assert first.epoch == epoch + 1
        assert first.started_at - at <= TAKE_OVER


@pytest.mark.parametrize("tick", [tick_and_dawdle, tick_and_dawdle_in_a_transaction])
def test_a_paused_leader_that_wakes_up_changes_nothing(database_url: str, tick: Tick) -> None:
    with servers(database_url, tick, count=1) as watched:
        (first,) = watched.until(lambda runs: runs)
        time.sleep(0.5)
        leader = watched.leader()
        paused_at = watched.now()
        os.kill(leader, signal.SIGSTOP)
        other = watched.start()
        assert watched.living_leader(besides=leader) == other
        again = watched.until(lambda runs: [r.status for r in runs[:2]] == ["abandoned", "succeeded"])[1]
        assert (again.slot, again.attempt, again.holder) == (first.slot, 2, str(other))
        assert again.started_at - paused_at <= TAKE_OVER
        # The one that wakes up now goes on where it was: in the middle of a run that was taken from it.
        os.kill(leader, signal.SIGCONT)
        time.sleep(4)
        watched.stop()
        runs = watched.runs()
        late = watched.sql.execute(
            "SELECT step FROM ticks WHERE pid = %s AND (step = 'end' OR at > %s)", (leader, paused_at)
        ).fetchall()
        assert late == []
        assert {run.epoch for run in runs if run.holder == str(leader)} == {first.epoch}
        assert runs[0].status == "abandoned"
        assert_each_slot_happened_once(runs)


# ------------------------------------------------------------------------------------------ the command line


def run_gndp(*arguments: object, url: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GNDP, *map(str, arguments)],
        env=os.environ | {"GNDP_DATABASE_URL": url} | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_jobs_are_listed_and_run_by_hand(database_url: str) -> None:
    listed = run_gndp("jobs", url=database_url)
    assert listed.returncode == 0, listed
    assert "idempotency" in listed.stdout
    assert "no server runs them now" in listed.stdout
    ran = run_gndp("jobs", "run", "idempotency", url=database_url)
    assert ran.returncode == 0, ran
    assert re.match(r"idempotency succeeded after \d+\.\d s: \{\"deleted\":0\}\n", ran.stdout)
    (run,) = json.loads(run_gndp("jobs", "runs", "--json", url=database_url).stdout)
    assert (run["job"], run["status"], run["details"]) == ("idempotency", "succeeded", {"deleted": 0})
    found = json.loads(run_gndp("jobs", "--json", url=database_url, GNDP_RETENTION_DAYS="9").stdout)
    assert [(job["name"], job["interval"]) for job in found] == [
        ("sla_sweep", 300),
        ("assignment", 60),
        ("absences", 60),
        ("idempotency", 3600),
        ("history", 86400),
        ("retention", 86400),
    ]
    assert found[3]["last_run"]["id"] == run["id"]
    assert "idempotency" in run_gndp("jobs", "runs", url=database_url).stdout
    unknown = run_gndp("jobs", "run", "bogus", url=database_url)
    assert (unknown.returncode, unknown.stderr) == (2, "gndp: no job bogus\n")


def test_a_job_that_fails_by_hand_is_no_success(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE idempotency_keys RENAME TO elsewhere")
    failed = run_gndp("jobs", "run", "idempotency", url=database_url)
    assert failed.returncode == 1
    assert "idempotency failed" in failed.stdout
    assert "UndefinedTable" in failed.stdout


@pytest.mark.parametrize("jobs", ["on", "off"])
def test_a_server_runs_the_jobs_and_hands_them_over_when_it_is_told_to_stop(
    database_url: str, jobs: str
) -> None:
    environment = os.environ | {"GNDP_DATABASE_URL": database_url, "GNDP_JOBS": jobs}
    command = [GNDP, "serve", "--port", "0"]
    with (
        gndp.connect(database_url) as workbench,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process,
    ):
        assert process.stdout is not None
        assert "http://" in process.stdout.readline()
        deadline = time.monotonic() + 30
        while jobs == "on" and len([r for r in workbench.jobs.runs() if r.status == "succeeded"]) < 5:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        leaders = {job.leader for job in workbench.jobs.list()}
        process.terminate()
        assert process.wait(60) == 0
        assert {job.leader for job in workbench.jobs.list()} == {None}
        (name,) = leaders
        assert name is None if jobs == "off" else name.endswith(f":{process.pid}")
        assert {run.job for run in workbench.jobs.runs()} == (
            {"sla_sweep", "assignment", "absences", "idempotency", "history"} if jobs == "on" else set()
        )
