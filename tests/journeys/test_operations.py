"""Probes, metrics and the log, over HTTP."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from serving import calling, served

import gndp
from gndp.access.passwords import Passwords
from gndp.operations.logs import set_up_logs

PASSWORD = "correct horse battery staple"
_SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$", re.MULTILINE)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(client: httpx.Client, **headers: str) -> Samples:
    reply = client.get("/metrics", headers=headers)
    assert reply.status_code == 200, reply.text
    return {
        (match["name"], frozenset(re.findall(r'(\w+)="([^"]*)"', match["labels"] or ""))): float(
            match["value"]
        )
        for match in _SAMPLE.finditer(reply.text)
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def client(workbench: gndp.Workbench) -> Iterator[httpx.Client]:
    with served(workbench, only="api") as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@contextmanager
def away(workbench: gndp.Workbench) -> Iterator[None]:
    """The database lets nobody in while this block lasts."""
    name = conninfo_to_dict(workbench.database_url)["dbname"]
    admin_url = make_conninfo(workbench.database_url, dbname="postgres")
    allow = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            admin.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


# ---------------------------------------------------------------------------------------------------- probes


def test_a_server_says_that_it_lives_while_every_thread_is_taken(workbench: gndp.Workbench) -> None:
    go, taken = threading.Event(), threading.Semaphore(0)

    def add_slow(app: FastAPI) -> None:
        @app.get("/slow")
        def slow() -> None:
            taken.release()
            assert go.wait(60)

    with served(workbench, only="api", add_routes=add_slow) as url, calling(url) as client:
        held = [
            threading.Thread(target=httpx.get, args=(f"{url}/slow",), kwargs={"timeout": 60})
            for _ in range(60)
        ]
        for thread in held:
            thread.start()
        for _ in range(40):
            assert taken.acquire(timeout=60)
        assert client.get("/healthz", timeout=30).json() == {"status": "ok"}
        go.set()
        for thread in held:
            thread.join(60)


def test_a_server_is_ready_and_says_what_it_has_looked_at(workbench: gndp.Workbench) -> None:
    with served(workbench, only="api") as url:
        reply = httpx.get(f"{url}/readyz", timeout=60)
        assert (reply.status_code, reply.json()["status"]) == (200, "ready")
        assert set(reply.json()["checks"]) == {"database", "schema", "jobs"}
        assert "off" in reply.json()["checks"]["jobs"]["detail"]


def test_a_server_that_runs_the_jobs_is_ready_while_somebody_leads(workbench: gndp.Workbench) -> None:
    workbench.jobs.start()
    with served(workbench, only="api") as url, psycopg.connect(workbench.database_url) as connection:
        held = httpx.get(f"{url}/readyz", timeout=60).json()["checks"]["jobs"]
        assert held == {"ok": True, "detail": "some server runs them"}
        # Nobody can take or renew it while it is locked.
        connection.execute("UPDATE job_lease SET expires_at = clock_timestamp() WHERE name = 'scheduler'")
        connection.commit()
        connection.execute("UPDATE job_lease SET expires_at = clock_timestamp() WHERE name = 'scheduler'")
    workbench.jobs.stop()


def test_tables_of_another_version_are_not_ready(workbench: gndp.Workbench) -> None:
    with psycopg.connect(workbench.database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_newer'")
    with served(workbench, only="api") as url:
        reply = httpx.get(f"{url}/readyz", timeout=60)
        assert (reply.status_code, reply.json()["status"]) == (503, "not ready")
        assert [name for name, check in reply.json()["checks"].items() if not check["ok"]] == ["schema"]


def test_a_database_that_is_away_fails_readiness_alone(
    workbench: gndp.Workbench, client: httpx.Client
) -> None:
    assert client.get("/readyz").status_code == 200
    assert value(scraped(client), "gndp_database_up") == 1
    with away(workbench):
        until(lambda: client.get("/readyz").status_code == 503)
        assert client.get("/readyz").json()["checks"]["database"]["ok"] is False
        assert client.get("/healthz").status_code == 200
        samples = scraped(client)
        assert value(samples, "gndp_database_up") == 0
        assert value(samples, "gndp_tasks_open", status="pending") is None
        asked = {"method": "GET", "route": "/healthz", "status": "200"}
        assert value(samples, "gndp_http_request_duration_seconds_count", **asked) == 1
    until(lambda: client.get("/readyz").status_code == 200)
    assert value(scraped(client), "gndp_database_up") == 1


# --------------------------------------------------------------------------------------------------- metrics


def start(workbench: gndp.Workbench, **more: Any) -> Any:
    return workbench.processes.start(
        process_definition_id="x",
        process_name="X",
        process_type="custom",
        initiated_by="ann",
        **more,
    )


def task_of(workbench: gndp.Workbench, process: Any, **more: Any) -> Any:
    given = {"task_definition_id": "s", "task_name": "S", "task_type": "manual", "user_id": "ann"}
    return workbench.tasks.create(process_instance_id=process.id, **given, **more)


def test_requests_are_counted_by_template_whatever_callers_make_up(client: httpx.Client) -> None:
    for made_up in range(3):
        client.get(f"/api/tasks/{made_up}")
        client.get(f"/nothing/{made_up}")
        client.request(f"VERB{made_up}", "/healthz")
    client.get("/api/tasks/01a210a9-0000-7000-8000-000000000000")
    client.get("/healthz", headers={"Host": "evil.example"})
    counted = {
        (labels["method"], labels["route"], labels["status"]): count
        for (name, found), count in scraped(client).items()
        if name == "gndp_http_request_duration_seconds_count" and (labels := dict(found))
    }
    assert counted == {
        ("GET", "/api/tasks/{id}", "422"): 3,
        ("GET", "none", "404"): 3,
        ("other", "/healthz", "405"): 3,
        ("GET", "/api/tasks/{id}", "404"): 1,
        ("GET", "none", "403"): 1,
    }


def test_what_was_committed_here_is_counted_and_nothing_else(
    workbench: gndp.Workbench, client: httpx.Client
) -> None:
    task = task_of(workbench, start(workbench), assigned_to="bob")
    workbench.tasks.start(task.id, user_id="bob")
    with pytest.raises(gndp.Conflict):
        workbench.tasks.start(task.id, user_id="bob")
    with pytest.raises(RuntimeError), workbench.transaction():
        workbench.tasks.complete(task.id, user_id="bob")
        raise RuntimeError
    with gndp.connect(workbench.database_url) as elsewhere:
        elsewhere.tasks.comment(task.id, user_id="bob", text="elsewhere")
    body = {"user_id": "bob", "text": "here"}
    assert client.post(f"/api/tasks/{task.id}/comment", json=body).status_code == 200
    counted = {
        (labels["noun"], labels["event_type"]): count
        for (name, found), count in scraped(client).items()
        if name == "gndp_transitions_total" and (labels := dict(found))
    }
    assert counted == {
        ("process", "process.started"): 1,
        ("task", "task.created"): 1,
        ("task", "task.assigned"): 1,
        ("task", "task.started"): 1,
        ("task", "task.commented"): 1,
    }


def test_what_is_open_is_told_by_status_team_and_sla(workbench: gndp.Workbench, client: httpx.Client) -> None:
    workbench.directory.add_team("north")
    workbench.directory.add_team("south")
    running, held = start(workbench), start(workbench, hold=True)
    suspended, over = start(workbench), start(workbench)
    for team in ("north", "north", None):
        waiting = task_of(workbench, running)
        if team is not None:
            workbench.tasks.assign(waiting.id, team=team, user_id="ann")
    blocked = task_of(workbench, running, depends_on=[waiting.id])
    task_of(workbench, running, assigned_to="bob")
    task_of(workbench, suspended)
    workbench.processes.suspend(suspended.id, user_id="ann", reason="no")
    workbench.processes.complete(over.id, user_id="ann")
    with psycopg.connect(workbench.database_url) as connection:
        connection.execute("UPDATE tasks SET sla_status = 'breached' WHERE id = %s", (blocked.id,))
        connection.execute("UPDATE process_instances SET sla_status = 'at_risk' WHERE id = %s", (held.id,))
    samples = scraped(client)
    figures = {
        (name, *(label for _, label in sorted(labels))): count
        for (name, labels), count in samples.items()
        if name in ("gndp_tasks_open", "gndp_processes_open", "gndp_tasks_queued", "gndp_sla_items") and count
    }
    assert figures == {
        ("gndp_tasks_open", "pending"): 5,
        ("gndp_tasks_open", "assigned"): 1,
        ("gndp_processes_open", "running"): 1,
        ("gndp_processes_open", "pending"): 1,
        ("gndp_processes_open", "suspended"): 1,
        ("gndp_tasks_queued", "north"): 2,
        ("gndp_tasks_queued", ""): 1,
        ("gndp_sla_items", "task", "on_track"): 5,
        ("gndp_sla_items", "task", "breached"): 1,
        ("gndp_sla_items", "process", "on_track"): 2,
        ("gndp_sla_items", "process", "at_risk"): 1,
    }
    assert value(samples, "gndp_tasks_queued", team="south") == 0
    assert value(samples, "gndp_tasks_open", status="in_progress") == 0


def test_jobs_and_the_pool_are_told(workbench: gndp.Workbench, client: httpx.Client) -> None:
    run = workbench.jobs.run("idempotency")
    with psycopg.connect(workbench.database_url) as connection:
        connection.execute("ALTER TABLE idempotency_keys RENAME TO elsewhere")
    assert workbench.jobs.run("idempotency").status == "failed"
    samples = scraped(client)
    runs = "gndp_job_run_duration_seconds_count"
    assert value(samples, runs, job="idempotency", status="succeeded") == 1
    assert value(samples, runs, job="idempotency", status="failed") == 1
    last = value(samples, "gndp_job_last_success_timestamp_seconds", job="idempotency")
    assert last == pytest.approx(run.ended_at.timestamp(), abs=0.001)
    assert value(samples, "gndp_jobs_lease_held") == 0
    assert value(samples, "gndp_pool_connections") >= 1
    assert value(samples, "gndp_pool_requests_waiting") == 0
    before = value(samples, "gndp_pool_requests_total")
    workbench.tasks.list()
    assert value(scraped(client), "gndp_pool_requests_total") > before


def test_metrics_are_for_operators_and_probes_for_all(workbench: gndp.Workbench) -> None:
    workbench.entrance.accounts._passwords = Passwords(
        PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    for name, role in (("ann", "worker"), ("max", "manager"), ("eve", "manager")):
        workbench.directory.add_person(name, role=role)
        workbench.entrance.accounts.create(name, PASSWORD)
    with (
        served(workbench, needs_authentication=True) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):

        def bearer(user_id: str) -> dict[str, str]:
            asked = {"user_id": user_id, "password": PASSWORD}
            return {
                "Authorization": f"Bearer {client.post('/api/auth/token', json=asked).json()['access_token']}"
            }

        ann, max_, eve = bearer("ann"), bearer("max"), bearer("eve")
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
        refused = client.get("/metrics")
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert client.get("/metrics", headers=ann).status_code == 403
        assert value(scraped(client, **max_), "gndp_database_up") == 1
        with away(workbench):
            until(lambda: client.get("/readyz").status_code == 503)
            assert value(scraped(client, **max_), "gndp_database_up") == 0
            for unknown in (ann, eve, {}):
                assert client.get("/metrics", headers=unknown).status_code == 503


# ------------------------------------------------------------------------------------------------------- log


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What this process's log says at info, as JSON."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    set_up_logs("info")
    yield written
    root.handlers[:], root.level = handlers, level


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_each_line_of_a_request_says_whose_it_is(workbench: gndp.Workbench, log: io.StringIO) -> None:
    def add_talk(app: FastAPI) -> None:
        @app.get("/talk/{word}")
        def talk(word: str) -> None:
            logging.getLogger("some.library").warning("it said %s", word)

        @app.get("/break")
        def break_down() -> None:
            secret = "hunter2"
            raise RuntimeError(f"{len(secret)} letters")

    with served(workbench, only="api", add_routes=add_talk) as url:
        for number in range(2):
            given = {"X-Correlation-ID": f"asked-{number}"}
            assert httpx.get(f"{url}/talk/hey?token=secret", headers=given, timeout=60).status_code == 200
        httpx.get(f"{url}/break", headers={"X-Correlation-ID": "broken"}, timeout=60)
    logging.getLogger("outside").warning("nobody asked")
    said = [line for line in lines(log) if line["logger"] in ("some.library", "gndp.access", "outside")]
    assert [(line["event"], line.get("correlation_id")) for line in said] == [
        ("it said hey", "asked-0"),
        ("request", "asked-0"),
        ("it said hey", "asked-1"),
        ("request", "asked-1"),
        ("request", "broken"),
        ("nobody asked", None),
    ]
    access = said[1]
    assert (access["method"], access["path"], access["status"]) == ("GET", "/talk/{word}", 200)
    assert access["level"] == "info" and access["duration_ms"] > 0 and access["timestamp"].endswith("Z")
    assert "user_id" not in access
    assert said[4]["status"] == 500
    (fault,) = [
        line for line in lines(log) if line["level"] == "error" and line["logger"] == "gndp.api.problems"
    ]
    assert fault["correlation_id"] == "broken" and "RuntimeError: 7 letters" in fault["exception"]
    ours = [line for line in lines(log) if line["logger"] != "httpx"]  # which the test itself asks with
    assert "token=" not in str(ours) and "hunter2" not in str(ours)


def test_the_line_of_a_request_says_who_called_once_that_is_known(
    workbench: gndp.Workbench, log: io.StringIO
) -> None:
    workbench.entrance.accounts._passwords = Passwords(
        PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    workbench.directory.add_person("max", role="manager")
    workbench.entrance.accounts.create("max", PASSWORD)
    with (
        served(workbench, needs_authentication=True, only="api") as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        asked = {"user_id": "max", "password": PASSWORD}
        token = client.post("/api/auth/token", json=asked).json()["access_token"]
        client.get("/api/processes", headers={"Authorization": f"Bearer {token}"})
        client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
        client.get("/api/processes", headers={"Authorization": "Bearer no"})
    said = [(line["path"], line.get("user_id")) for line in lines(log) if line["logger"] == "gndp.access"]
    assert said == [
        ("/api/auth/token", None),
        ("/api/processes", "max"),
        ("/api/auth/me", "max"),
        ("/api/processes", None),
    ]
    assert token not in log.getvalue() and PASSWORD not in log.getvalue()
