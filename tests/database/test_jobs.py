"""Scheduled jobs in one process: slots, books, the fence, and the jobs themselves, on a real PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import gndp
from gndp.core.errors import Conflict, DatabaseUnavailable, Invalid, NotFound
from gndp.core.records import JobRun
from gndp.engine.transition import Transitions
from gndp.jobs.job import Job, JobContext
from gndp.jobs.jobs import Jobs
from gndp.jobs.scheduler import Scheduler
from gndp.settings import Settings
from gndp.store.lease import Lease
from gndp.store.pipeline import Pipeline
from gndp.store.queries import statement
from gndp.store.session import Database
from gndp.workbench import utc_now

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


class Ground:
    """A database with what a server would have on it, for jobs of a test's own."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self.url = url
        self.database = Database(url)
        self.database.open()
        self.transitions = Transitions(self.database, utc_now)
        self.sql = stack.enter_context(psycopg.connect(url, autocommit=True))
        self._stack = stack
        stack.callback(self.database.close)

    def schedule(self, *jobs: Job, holder: str = "server") -> Scheduler:
        """A scheduler that is started, and stopped after the test."""
        scheduler = Scheduler(self.transitions, jobs, holder)
        scheduler.start()
        self._stack.callback(_stop_if_running, scheduler)
        return scheduler

    def lease(self, name: str = "scheduler", holder: str = "other") -> Lease:
        """A lease that is held, and given back after the test."""
        lease = Lease(self.database, name, holder).start()
        self._stack.callback(lambda: lease._stopping.is_set() or lease.stop())
        return lease

    def runs(self, job: str = "tick") -> list[JobRun]:
        """The runs of a job, oldest first."""
        return [
            JobRun._make(row)
            for row in self.sql.execute(
                "SELECT * FROM job_runs WHERE job = %s ORDER BY started_at, attempt", (job,)
            )
        ]

    def had(self, job: str, slot: datetime, status: str = "succeeded") -> None:
        """Put a run into the books as if it had been."""
        self.sql.execute("INSERT INTO job_lease (name) VALUES ('scheduler') ON CONFLICT DO NOTHING")
        self.sql.execute(
            "INSERT INTO job_runs (id, job, slot, attempt, lease, epoch, holder, status, started_at)"
            " VALUES (gen_random_uuid(), %s, %s, 1, 'scheduler', 0, 'before', %s, %s)",
            (job, slot, status, slot),
        )


def _stop_if_running(scheduler: Scheduler) -> None:
    if not scheduler._stopping.is_set():
        scheduler.stop(wait=1)


@pytest.fixture
def ground(database_url: str) -> Iterator[Ground]:
    with ExitStack() as stack:
        yield Ground(database_url, stack)


def eventually(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What a condition says once it says something; it must within that time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)
    return answer


def job(run: Callable[[JobContext], dict[str, Any]], interval: timedelta = SECOND, **options: Any) -> Job:
    return Job(name=options.pop("name", "tick"), interval=interval, run=run, meaning="a test's", **options)


def nothing(_: JobContext) -> dict[str, Any]:
    return {}


# ------------------------------------------------------------------------------------------------------ slots


def test_slots_are_multiples_of_the_interval() -> None:
    five_minutes = job(nothing, timedelta(minutes=5))
    assert five_minutes.slot_at(datetime(2026, 3, 1, 10, 4, 59, tzinfo=UTC)) == datetime(
        2026, 3, 1, 10, 0, tzinfo=UTC
    )
    daily = job(nothing, timedelta(days=1))
    assert daily.slot_at(datetime(2026, 3, 1, tzinfo=UTC)) == datetime(2026, 3, 1, tzinfo=UTC)


def test_every_slot_is_run_once_with_its_books(ground: Ground) -> None:
    ground.schedule(job(lambda context: {"slot": context.slot.isoformat()}))
    runs = eventually(lambda: (found := ground.runs())[3:] and found[:3])
    assert [run.status for run in runs] == ["succeeded"] * 3
    assert [later.slot - earlier.slot for earlier, later in pairwise(runs)] == [SECOND] * 2
    for run in runs:
        assert run.details == {"slot": run.slot.isoformat()}
        assert run.slot <= run.started_at <= run.ended_at
        assert (run.attempt, run.lease, run.holder, run.error) == (1, "scheduler", "server", None)
        assert abs((run.ended_at - run.started_at) / timedelta(milliseconds=1) - run.duration_ms) <= 1


def test_missed_slots_are_caught_up_once_at_the_newest(ground: Ground) -> None:
    ground.had("tick", datetime(2026, 3, 1, 10, tzinfo=UTC))
    ground.schedule(job(nothing, HOUR), job(nothing, HOUR, name="other"))
    eventually(lambda: ground.runs("other") and ground.runs()[1:])
    time.sleep(2)
    _, caught_up = ground.runs()
    assert caught_up.started_at - caught_up.slot < HOUR
    assert len(ground.runs("other")) == 1


def test_a_slot_that_failed_waits_for_the_next(ground: Ground) -> None:
    hourly = job(nothing, HOUR)
    (now,) = ground.sql.execute("SELECT now()").fetchone()
    ground.had("tick", hourly.slot_at(now), "failed")
    ground.schedule(hourly, job(nothing, name="other"))
    eventually(lambda: ground.runs("other")[2:])
    assert len(ground.runs()) == 1


def test_it_runs_early_when_something_is_due_before_the_next_slot(ground: Ground) -> None:
    due: list[datetime] = []
    hourly = job(nothing, HOUR, next_due=lambda: due[0] if due else None)
    (now,) = ground.sql.execute("SELECT now()").fetchone()
    ground.had("tick", hourly.slot_at(now))
    ground.schedule(hourly)
    due.append(now + 2 * SECOND)
    _, early = eventually(lambda: ground.runs()[1:] and ground.runs())
    time.sleep(2)
    assert len(ground.runs()) == 2, "an instant that stays due is not run again and again"
    assert early.slot == due[0]
    assert timedelta(0) <= early.started_at - early.slot < 5 * SECOND


def test_a_job_that_cannot_say_when_it_is_due_keeps_its_interval(ground: Ground) -> None:
    def fails() -> datetime:
        raise ZeroDivisionError

    ground.schedule(job(nothing, next_due=fails))
    assert eventually(lambda: ground.runs()[2:])


# ----------------------------------------------------------------------------------------- what goes wrong


def test_an_error_is_kept_and_stops_nothing_else(ground: Ground, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", logger="gndp.jobs.runs")  # what the log says no terminal could show

    def fails(_: JobContext) -> dict[str, Any]:
        raise ValueError("half of \ud800 and a \0")

    ground.schedule(job(fails), job(nothing, name="other"))
    eventually(lambda: len(ground.runs()) > 2 and len(ground.runs("other")) > 2)
    failed = [run for run in ground.runs() if run.status != "running"]
    assert {(run.status, run.error, run.attempt) for run in failed} == {
        ("failed", "ValueError: half of ? and a \N{REPLACEMENT CHARACTER}", 1)
    }
    assert len({run.slot for run in failed}) == len(failed)
    assert {run.status for run in ground.runs("other")} <= {"succeeded", "running"}


@pytest.mark.parametrize("details", [{"at": datetime(2026, 1, 1)}, {"text": "\0"}, ["a list"], None])
def test_what_a_job_reports_must_be_json(ground: Ground, details: Any) -> None:
    run = Jobs(ground.transitions, [job(lambda _: details)]).run("tick")
    assert run.status == "failed"
    assert run.error.startswith("Invalid: details")


def test_a_job_that_takes_longer_than_its_interval_never_overlaps_itself(ground: Ground) -> None:
    at_once: list[int] = []
    running = threading.Semaphore(0)

    def slow(_: JobContext) -> dict[str, Any]:
        running.release()
        time.sleep(3.2)
        at_once.append(1)
        assert running.acquire(blocking=False)
        assert not running.acquire(blocking=False), "it runs twice at once"
        return {}

    ground.schedule(job(slow), job(nothing, name="other"))
    first, second, *_ = eventually(
        lambda: (ended := [run for run in ground.runs() if run.ended_at])[1:] and ended
    )
    assert first.status == second.status == "succeeded"
    assert second.started_at >= first.ended_at
    assert second.slot - first.slot >= 3 * SECOND, "slots passed by meanwhile are not made up for"
    assert len(ground.runs("other")) > 5


def test_a_cut_connection_in_the_middle_of_a_run_loses_nothing(ground: Ground) -> None:
    cut: list[datetime] = []

    def cutting(context: JobContext) -> dict[str, Any]:
        if not cut:
            cut.append(context.slot)
            _cut_connections(ground)
        context.write(statement("job_runs", "get", id=uuid4()))
        return {}

    scheduler = ground.schedule(job(cutting))
    eventually(lambda: [run for run in ground.runs() if cut and run.slot > cut[0]][2:])
    scheduler.stop()
    runs = ground.runs()
    statuses = {run.slot: run.status for run in runs if run.status != "abandoned"}
    assert statuses.pop(cut[0]) in ("failed", "succeeded")
    assert set(statuses.values()) == {"succeeded"}
    gaps = [later.slot - earlier.slot for earlier, later in pairwise(runs)]
    assert max(gaps) < 15 * SECOND


def _cut_connections(ground: Ground) -> None:
    ground.sql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_a_run_that_was_begun_without_an_answer_is_run_again(ground: Ground) -> None:
    """Its server got no answer when the run began, still leads, and so nobody is at it."""
    hourly = job(nothing, HOUR)
    (now,) = ground.sql.execute("SELECT now()").fetchone()
    ground.had("tick", hourly.slot_at(now), "running")
    ground.schedule(hourly)
    first, second = eventually(lambda: (runs := ground.runs())[1:] and runs[1].ended_at and runs)
    assert (first.status, first.attempt, first.duration_ms) == ("abandoned", 1, None)
    assert (second.status, second.attempt, second.slot) == ("succeeded", 2, first.slot)


# ------------------------------------------------------------------------------------------ lease and fence


def test_a_stop_hands_over_at_once(ground: Ground) -> None:
    first = ground.schedule(job(nothing), holder="first")
    ground.schedule(job(nothing), holder="second")
    eventually(lambda: ground.runs()[1:])
    first.stop()
    taken = eventually(lambda: [run for run in ground.runs() if run.holder == "second"])[0]
    last = [run for run in ground.runs() if run.holder == "first"][-1]
    assert taken.epoch == last.epoch + 1
    assert taken.started_at - last.started_at < 5 * SECOND
    assert {run.status for run in ground.runs()} <= {"succeeded", "running"}


def test_a_stop_waits_for_a_job_and_the_job_is_told(ground: Ground) -> None:
    def patient(context: JobContext) -> dict[str, Any]:
        while not context.should_stop():
            time.sleep(0.01)
        return {"stopped": "early"}

    scheduler = ground.schedule(job(patient, HOUR))
    eventually(ground.runs)
    scheduler.stop()
    assert [(run.status, run.details) for run in ground.runs()] == [("succeeded", {"stopped": "early"})]


def test_a_job_that_does_not_stop_is_left_behind_and_can_write_nothing_more(ground: Ground) -> None:
    go_on = threading.Event()
    refused: list[Exception] = []

    def stubborn(context: JobContext) -> dict[str, Any]:
        if context.attempt == 1:
            go_on.wait(30)
        try:
            context.write(statement("job_runs", "delete_old", most=1))
        except Conflict as error:
            refused.append(error)
            raise
        return {}

    scheduler = ground.schedule(job(stubborn, HOUR), holder="first")
    eventually(ground.runs)
    scheduler.stop(wait=0.1)
    assert [run.status for run in ground.runs()] == ["running"]
    ground.schedule(job(stubborn, HOUR), holder="second")
    eventually(lambda: [run.status for run in ground.runs()] == ["abandoned", "succeeded"])
    go_on.set()
    eventually(lambda: refused)
    time.sleep(0.2)
    assert [(r.holder, r.status, r.attempt) for r in ground.runs()] == [
        ("first", "abandoned", 1),
        ("second", "succeeded", 2),
    ]


def test_a_lease_has_one_holder_and_a_new_epoch_for_each(ground: Ground) -> None:
    first, second = ground.lease(holder="first"), ground.lease(holder="second")
    assert first.reign.epoch == 1
    assert second.reign is None
    first.stop()
    assert eventually(lambda: second.reign).epoch == 2
    assert ground.sql.execute("SELECT holder FROM job_lease").fetchall() == [("second",)]


def test_a_lapsed_lease_is_taken_anew_and_not_renewed(ground: Ground) -> None:
    lease = ground.lease()
    before = lease.reign
    ground.sql.execute("UPDATE job_lease SET expires_at = clock_timestamp()")
    eventually(lambda: lease.reign and lease.reign.epoch == before.epoch + 1)
    assert not lease.holds(before)


def test_a_lease_is_kept_while_commands_have_every_connection(ground: Ground) -> None:
    lease = ground.lease()
    before = lease.reign
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(ground.database.connection())
        time.sleep(4)
        assert lease.reign.database_time > before.database_time
        assert lease.holds(before)


def test_a_lease_survives_a_cut_connection(ground: Ground) -> None:
    lease = ground.lease()
    before = lease.reign
    _cut_connections(ground)
    eventually(lambda: lease.reign.database_time > before.database_time)
    assert lease.holds(before)


def test_whoever_lost_the_lease_changes_nothing_by_any_way(workbench: gndp.Workbench) -> None:
    transitions = workbench._transitions
    process = workbench.processes.start(
        process_definition_id="d", process_name="p", process_type="custom", initiated_by="ann"
    )
    lease = Lease(transitions.database, "scheduler", "me").start()
    stale = lease.reign
    with transitions.fenced(stale.fence):
        process = workbench.processes.comment(process.id, user_id="ann", text="still") and process
    lease.stop()

    def unit() -> None:
        with workbench.transaction():
            workbench.processes.comment(process.id, user_id="ann", text="late")

    ways: list[Callable[[], object]] = [
        lambda: workbench.processes.suspend(process.id, user_id="ann", reason="late"),
        lambda: workbench.processes.comment(process.id, user_id="ann", text="l", idempotency_key="k"),
        lambda: transitions.write(statement("retention", "delete_events", ids=[process.id])),
        unit,
    ]
    before = workbench.processes.get(process.id), workbench.processes.events(process.id)
    for way in ways:
        with transitions.fenced(stale.fence), pytest.raises(Conflict):
            way()
    assert (workbench.processes.get(process.id), workbench.processes.events(process.id)) == before
    workbench.processes.suspend(process.id, user_id="ann", reason="outside of the fence")


def test_the_fence_costs_no_round_trip(workbench: gndp.Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    exchanges = Counter[str]()
    exchange = Pipeline._exchange

    def counted(pipeline: Any, statements: Any) -> Any:
        exchanges[threading.current_thread().name] += 1
        return exchange(pipeline, statements)

    def trips(text: str) -> int:
        exchanges.clear()
        workbench.processes.comment(process.id, user_id="ann", text=text)
        return exchanges[threading.current_thread().name]

    process = workbench.processes.start(
        process_definition_id="d", process_name="p", process_type="custom", initiated_by="ann"
    )
    lease = Lease(workbench._transitions.database, "scheduler", "me").start()
    monkeypatch.setattr(Pipeline, "_exchange", counted)
    without = trips("plain")
    with workbench._transitions.fenced(lease.reign.fence):
        assert trips("fenced") == without == 2
    lease.stop()


def test_a_take_over_waits_for_a_commit_in_flight_but_a_renewal_does_not(ground: Ground) -> None:
    lease = ground.lease("scheduler", "first")
    reign = lease.reign
    with ground.transitions.fenced(reign.fence), ground.transitions.unit_of_work():
        ground.transitions.write(statement("job_runs", "delete_old", most=1))
        renewed = ground.transitions.database.read(statement("leases", "renew", name="scheduler", epoch=1))
        assert renewed[0]
        ground.sql.execute("UPDATE job_lease SET expires_at = clock_timestamp()")
        taken: list[Lease] = []
        thread = threading.Thread(target=lambda: taken.append(ground.lease("scheduler", "second")))
        thread.start()
        thread.join(1)
        assert thread.is_alive(), "it did not wait"
    thread.join(10)
    assert taken


def test_a_silent_transaction_is_ended_for_its_client(ground: Ground) -> None:
    reign = ground.lease().reign
    with (
        pytest.raises(DatabaseUnavailable),
        ground.transitions.fenced(reign.fence),
        ground.transitions.unit_of_work(),
    ):
        ground.transitions.write(statement("job_runs", "delete_old", most=1))
        time.sleep(6)
        ground.transitions.write(statement("job_runs", "delete_old", most=1))


# -------------------------------------------------------------------------------------------------- by hand


def test_a_job_is_run_by_hand_beside_the_scheduler(ground: Ground) -> None:
    hourly = job(lambda context: {"attempt": context.attempt}, HOUR)
    ground.schedule(hourly)
    eventually(lambda: [run.status for run in ground.runs()] == ["succeeded"])
    jobs = Jobs(ground.transitions, [hourly])
    by_hand = jobs.run("tick")
    assert (by_hand.status, by_hand.details, by_hand.lease) == ("succeeded", {"attempt": 1}, "by hand: tick")
    assert timedelta(0) <= by_hand.started_at - by_hand.slot < SECOND
    assert jobs.runs() == jobs.runs("tick") == ground.runs()[::-1]
    assert jobs.runs(limit=1) == [by_hand]
    (listed,) = jobs.list()
    assert (listed.last_run, listed.leader) == (by_hand, "server")
    assert listed.next_slot == hourly.slot_at(by_hand.slot) + HOUR


def test_a_job_that_is_running_is_not_run_by_hand(ground: Ground) -> None:
    go_on = threading.Event()
    waiting = job(lambda _: {"waited": go_on.wait(30)}, HOUR)
    scheduler = ground.schedule(waiting)
    eventually(ground.runs)
    with pytest.raises(Conflict, match="running already"):
        Jobs(ground.transitions, [waiting]).run("tick")
    go_on.set()
    scheduler.stop()
    assert [run.status for run in ground.runs()] == ["succeeded"]


def test_two_hands_at_once_have_one_run(ground: Ground) -> None:
    go_on = threading.Event()
    jobs = Jobs(ground.transitions, [job(lambda _: {"waited": go_on.wait(30)}, HOUR)])
    thread = threading.Thread(target=jobs.run, args=("tick",))
    thread.start()
    eventually(ground.runs)
    with pytest.raises(Conflict, match="running already"):
        jobs.run("tick")
    go_on.set()
    thread.join(10)
    assert [run.status for run in ground.runs()] == ["succeeded"]


def test_what_was_begun_by_a_hand_that_died_does_not_hold_up_the_job(ground: Ground) -> None:
    ground.had("tick", datetime.now(UTC) - SECOND, "running")
    ground.sql.execute("INSERT INTO job_lease (name) VALUES ('by hand: tick')")
    ground.sql.execute("UPDATE job_runs SET lease = 'by hand: tick'")
    ground.schedule(job(nothing, HOUR))
    left, caught_up = eventually(lambda: (runs := ground.runs())[1:] and runs[1].ended_at and runs)
    assert {left.status, caught_up.status} == {"abandoned", "succeeded"}
    assert left.slot != caught_up.slot


def test_unknown_jobs_and_wrong_limits_are_refused(workbench: gndp.Workbench) -> None:
    with pytest.raises(NotFound, match="no job bogus"):
        workbench.jobs.run("bogus")
    with pytest.raises(NotFound):
        workbench.jobs.runs("bogus")
    with pytest.raises(Invalid):
        workbench.jobs.runs(limit=0)


# ------------------------------------------------------------------------------------------- the jobs we have


def test_the_jobs_of_a_workbench_are_what_its_settings_say(
    new_workbench: Callable[..., gndp.Workbench],
) -> None:
    usual = ["sla_sweep", "assignment", "absences", "idempotency", "history"]
    assert [listed.name for listed in new_workbench().jobs.list()] == usual
    workbench = new_workbench(settings=Settings(retention_days=7))
    listed = workbench.jobs.list()
    assert [one.name for one in listed] == [*usual, "retention"]
    assert all(one.meaning and one.last_run is None and one.leader is None for one in listed)
    workbench.jobs.start()
    eventually(lambda: all(one.last_run for one in workbench.jobs.list()))
    assert all(one.leader for one in workbench.jobs.list())
    workbench.jobs.stop()
    assert {run.status for run in workbench.jobs.runs()} == {"succeeded"}
    assert all(one.leader is None for one in workbench.jobs.list())


def test_expired_idempotency_keys_are_deleted(workbench: gndp.Workbench) -> None:
    for key in ("old", "new"):
        workbench.processes.start(
            process_definition_id="d",
            process_name="p",
            process_type="custom",
            initiated_by="ann",
            idempotency_key=key,
        )
    with psycopg.connect(workbench.database_url, autocommit=True) as connection:
        connection.execute("UPDATE idempotency_keys SET expires_at = now() WHERE key = 'old'")
        connection.execute(
            "INSERT INTO idempotency_keys SELECT 'u', 'c', n::text, '', '{}', now() - interval '1 day'"
            " FROM generate_series(1, 2500) n"
        )
        assert workbench.jobs.run("idempotency").details == {"deleted": 2501}
        assert connection.execute("SELECT key FROM idempotency_keys").fetchall() == [("new",)]


def test_runs_are_forgotten_after_thirty_days(workbench: gndp.Workbench) -> None:
    workbench.jobs.run("history")
    kept = workbench.jobs.run("history")
    with psycopg.connect(workbench.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE job_runs SET started_at = now() - interval '31 days' WHERE id <> %s", (kept.id,)
        )
    last = workbench.jobs.run("history")
    assert last.details == {"deleted": 1}
    assert workbench.jobs.runs() == [last, kept]


# ----------------------------------------------------------------------------------------------- retention


class Past:
    """A workbench whose clock can be set, with processes that ended at one time or another."""

    def __init__(self, workbench: gndp.Workbench) -> None:
        self.wb = workbench
        self.wb.clock = lambda: self.now
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def at(self, days_ago: float) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC) - timedelta(days=days_ago)

    def start(self, parent: UUID | None = None) -> UUID:
        process = self.wb.processes.start(
            process_definition_id="d",
            process_name="p",
            process_type="custom",
            initiated_by="ann",
            parent_process_id=parent,
            auto_complete=False,
            sla_target_mins=60,
        )
        task = self.wb.tasks.create(
            process_instance_id=process.id, task_definition_id="s", task_name="s", task_type="manual"
        )
        self.wb.tasks.start(task.id, user_id="ann")
        return process.id

    def complete(self, process_id: UUID) -> None:
        for task in self.wb.tasks.list(process_id=process_id).tasks:
            self.wb.tasks.complete(task.id, user_id="ann")
        self.wb.processes.complete(process_id, user_id="ann")

    def everything(self) -> dict[str, int]:
        tables = ("process_instances", "tasks", "process_events", "task_assignments", "sla_metrics")
        with psycopg.connect(self.wb.database_url) as connection:
            return {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}

    def ids(self) -> set[UUID]:
        with psycopg.connect(self.wb.database_url) as connection:
            return {id for (id,) in connection.execute("SELECT id FROM process_instances")}


@pytest.fixture
def past(new_workbench: Callable[..., gndp.Workbench]) -> Past:
    return Past(new_workbench(settings=Settings(retention_days=30)))


def test_retention_deletes_whole_families_that_are_over_and_nothing_else(past: Past) -> None:
    past.at(60)
    old, cancelled, lately_cancelled, running, failed, recent = (past.start() for _ in range(6))
    family = past.start()
    child = past.start(family)
    grandchildren = [past.start(child) for _ in range(2)]
    child_runs, child_failed, child_recent, parent_runs = (past.start() for _ in range(4))
    children = [past.start(parent) for parent in (child_runs, child_failed, child_recent, parent_runs)]
    past.at(40)
    for process in (old, family, child, *grandchildren, child_runs, child_failed, child_recent, children[3]):
        past.complete(process)
    past.wb.processes.cancel(cancelled, user_id="ann", reason="void")
    for process in (failed, children[1]):
        past.wb.processes.fail(process, user_id="ann", error_message="no")
    past.wb.processes.comment(old, user_id="ann", text="afterwards")
    past.at(29)
    past.wb.processes.cancel(lately_cancelled, user_id="ann", reason="void")
    past.complete(recent)
    past.complete(children[2])
    past.at(0)
    before, ids = past.everything(), past.ids()
    assert past.wb.check().ok
    gone = {old, cancelled, family, child, *grandchildren}

    run = past.wb.jobs.run("retention")

    assert (run.status, run.details) == ("succeeded", {"deleted": 6})
    assert ids - past.ids() == gone
    after = past.everything()
    assert before["tasks"] - after["tasks"] == before["task_assignments"] - after["task_assignments"] == 6
    assert past.wb.check().ok
    assert past.wb.jobs.run("retention").details == {"deleted": 0}
    past.at(-5)
    assert past.wb.jobs.run("retention").details["deleted"] == 4
    assert past.ids() == {running, failed, child_runs, child_failed, parent_runs} | set(children[:2]) | {
        children[3]
    }


def test_retention_works_in_batches_and_takes_large_families_whole(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gndp.jobs.retention.BATCH", 4)
    past.at(60)
    held = past.start()
    past.start(held)
    past.complete(held)
    large = past.start()
    for process in [*(past.start(large) for _ in range(6)), large, *(past.start() for _ in range(9))]:
        past.complete(process)
    past.at(0)
    commits = Counter[int]()
    transaction = Transitions.write

    def counted(transitions: Transitions, *statements: Any) -> Any:
        for one in statements:
            if one.query.name == b"retention.delete_processes":
                commits[len(one.values[0])] += 1
        return transaction(transitions, *statements)

    monkeypatch.setattr(Transitions, "write", counted)
    assert past.wb.jobs.run("retention").details == {"deleted": 16}
    assert commits[7] == 1
    assert max(set(commits) - {7}) <= 4
    assert len(past.ids()) == 2
    assert past.wb.check().ok


def test_retention_knows_every_table_that_names_a_process_or_a_task(past: Past) -> None:
    with psycopg.connect(past.wb.database_url) as connection:
        naming = {
            name
            for (name,) in connection.execute(
                "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
                " AND confrelid IN ('process_instances'::regclass, 'tasks'::regclass)"
            )
        }
    assert naming == {
        "process_instances",
        "tasks",
        "process_events",
        "task_assignments",
        "sla_metrics",
        "event_deliveries",
    }
