"""Statements of the server's workbench end after a while; those of jobs, checks and audits do not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

import gndp
from gndp.jobs.job import Job, JobContext
from gndp.jobs.jobs import Jobs
from gndp.store.queries import Query, Statement
from gndp.store.session import unhurried

SLOW = Statement(Query(b"", b"SELECT 1 FROM pg_sleep(0.5)", ()), ())


@pytest.fixture
def hurried(new_workbench: Callable[..., gndp.Workbench], database_url: str) -> gndp.Workbench:
    return new_workbench(database_url=database_url, statement_timeout=0.1)


def timeout(workbench: gndp.Workbench) -> str:
    with workbench._database.connection() as connection:
        row = connection.execute("SHOW statement_timeout").fetchone()
        assert row is not None
        return str(row[0])


def test_a_statement_that_takes_too_long_is_stopped(hurried: gndp.Workbench) -> None:
    with pytest.raises(gndp.StatementTimeout):
        hurried._database.read(SLOW)
    with pytest.raises(gndp.StatementTimeout), hurried._database.transaction() as transaction:
        transaction.run(SLOW)
    assert hurried.processes.list().total == 0


def test_what_is_unhurried_takes_as_long_as_it_does(hurried: gndp.Workbench) -> None:
    with unhurried():
        assert hurried._database.read(SLOW) == [[(1,)]]
        assert timeout(hurried) == "0"
    assert timeout(hurried) == "100ms"
    with pytest.raises(gndp.Conflict), unhurried(), hurried._database.transaction() as transaction:
        transaction.run(SLOW)
        raise gndp.Conflict("undone")
    assert timeout(hurried) == "100ms"


def test_jobs_are_unhurried(hurried: gndp.Workbench) -> None:
    def run(context: JobContext) -> dict[str, Any]:
        return {"answers": len(context.write(SLOW))}

    slow = Job(name="slow", interval=timedelta(hours=1), run=run, meaning="takes long")
    run_of_it = Jobs(hurried._transitions, [slow]).run("slow")
    assert (run_of_it.status, run_of_it.error) == ("succeeded", None)
    assert timeout(hurried) == "100ms"


def test_checks_and_audits_are_unhurried(
    hurried: gndp.Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[str] = []

    def noting(connection: psycopg.Connection[Any], *_: object) -> Any:
        told.append(str(connection.execute("SHOW statement_timeout").fetchone()))
        raise gndp.Conflict("enough")

    monkeypatch.setattr("gndp.workbench.check", noting)
    monkeypatch.setattr("gndp.engine.audit._place", noting)
    for audit in (hurried.check, lambda: hurried.audit.anchor(tmp_path / "anchor")):
        with pytest.raises(gndp.Conflict):
            audit()
    assert told == ["('0',)"] * 2


def test_whoever_waits_for_a_lock_hears_that_it_is_locked(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    workbench = new_workbench(database_url=database_url, statement_timeout=1)
    process = workbench.processes.start(
        process_definition_id="x", process_name="X", process_type="custom", initiated_by="ann"
    )
    with psycopg.connect(database_url) as holder:
        holder.execute("SELECT 1 FROM process_instances FOR UPDATE")
        with pytest.raises(gndp.Conflict, match="locked"):
            workbench.processes.suspend(process.id, user_id="ann", reason="lunch")


def test_other_workbenches_take_their_time(workbench: gndp.Workbench) -> None:
    assert timeout(workbench) == "0"
