"""Server processes: how they end, how several share the work, and half a server."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import websockets
from server_process import Serving, serving, until
from serving import served

import gndp


@pytest.fixture
def task_id(workbench: gndp.Workbench) -> str:
    process = workbench.processes.start(
        process_definition_id="x", process_name="X", process_type="custom", initiated_by="ann"
    )
    task = workbench.tasks.create(
        process_instance_id=process.id,
        task_definition_id="s",
        task_name="S",
        task_type="manual",
        user_id="ann",
    )
    return str(task.id)


ENDLESS = """
CREATE FUNCTION endless() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(3600); RETURN NEW; END $$;
CREATE TRIGGER endless BEFORE INSERT ON process_events FOR EACH ROW EXECUTE FUNCTION endless()"""
"""Makes each command take an hour."""


class Held:
    """A request that waits for a lock that the test has, in a thread of its own."""

    def __init__(self, address: str, task_id: str) -> None:
        self.reply: httpx.Response | None = None
        self.error: Exception | None = None
        self._url = f"{address}/api/tasks/{task_id}/comment"
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self) -> None:
        try:
            self.reply = httpx.post(self._url, json={"user_id": "ann", "text": "slow"}, timeout=120)
        except httpx.HTTPError as error:
            self.error = error


@contextmanager
def locked(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Every process's row, locked as long as this block lasts."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT FROM process_instances FOR UPDATE")
        yield connection


def is_waiting(url: str) -> bool:
    with psycopg.connect(url, autocommit=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return bool(count)


def refuses(address: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", urlsplit(address).port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


# ---------------------------------------------------------------------------------------------------- ending


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_request_that_is_under_way_is_answered_and_streams_end(
    workbench: gndp.Workbench, task_id: str, workers: str
) -> None:
    url = workbench.database_url
    with (
        serving(url, "--workers", workers, "--only", "api", drain="120", GNDP_JOBS="on") as server,
        httpx.stream("GET", f"{server.address}/api/events", timeout=120) as stream,
    ):
        said = stream.iter_text()
        assert "the stream begins" in next(said)
        until(lambda: workbench.jobs.list()[0].leader)
        with locked(url):
            held = Held(server.address, task_id)
            until(lambda: is_waiting(url))
            server.process.terminate()
            until(lambda: refuses(server.address))
            assert "".join(said) == ""  # it ends while the request is held, and in order
            assert server.process.poll() is None and held.reply is None
        held.thread.join(60)
        assert held.reply is not None and held.reply.status_code == 200, held.error
        assert server.process.wait(60) == 0
        assert workbench.jobs.list()[0].leader is None
        assert workbench.processes.events(held.reply.json()["process_instance_id"])[0].message


@pytest.mark.parametrize(
    ("workers", "drain", "is_told_twice"), [("1", "1", False), ("1", "3600", True), ("2", "3600", True)]
)
def test_a_request_without_end_holds_nobody_up_for_ever(
    workbench: gndp.Workbench, task_id: str, workers: str, drain: str, is_told_twice: bool
) -> None:
    url = workbench.database_url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ENDLESS)

        def is_at_it() -> bool:
            at_it = (
                "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
            )
            return connection.execute(at_it).fetchone() is not None

        with serving(url, "--workers", workers, "--only", "api", drain=drain) as server:
            held = Held(server.address, task_id)
            until(is_at_it)
            server.process.terminate()
            if is_told_twice:
                until(lambda: refuses(server.address))
                assert server.process.poll() is None
                server.process.terminate()
            server.process.wait(60)
            held.thread.join(60)
            assert held.reply is None or held.reply.status_code >= 500
            until(lambda: not is_at_it())


# --------------------------------------------------------------------------------------------------- workers


def ask_until_all_answer(server: Serving) -> set[int]:
    """The workers, once each of those that live has answered something."""

    def all_have() -> set[int] | None:
        httpx.get(f"{server.address}/api/processes", timeout=60)
        alive = server.workers()
        return alive if len(alive) == 2 and alive <= server.answering() else None

    found: set[int] = until(all_have)
    return found


def test_two_workers_answer_and_one_that_is_killed_is_replaced(workbench: gndp.Workbench) -> None:
    with serving(workbench.database_url, "--workers", "2", "--only", "api") as server:
        first = ask_until_all_answer(server)
        asked = sum(line["logger"] == "gndp.access" for line in server.log())
        assert {counted(server) for _ in range(6)} == {asked}
        killed = first.pop()
        os.kill(killed, signal.SIGKILL)
        second = ask_until_all_answer(server)
        assert killed not in second and first < second
        assert any(f"worker {killed} died" in line["event"] for line in server.log())
        # What the dead one has counted stays counted; its gauges go with it.
        pool = re.search(r"^gndp_pool_connections (\S+)", metrics(server), re.MULTILINE)
        with psycopg.connect(workbench.database_url) as connection:
            (connections,) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            ).fetchone()
        assert pool is not None and 0 < float(pool[1]) < connections
        assert counted(server) >= asked + 2
    assert not server.workers()


def metrics(server: Serving) -> str:
    return httpx.get(f"{server.address}/metrics", timeout=60).text


def counted(server: Serving) -> int:
    """How many lists of processes the server says it has answered."""
    found = re.search(r'_count\{[^}]*route="/api/processes"[^}]*\} (\S+)', metrics(server))
    assert found is not None
    return int(float(found[1]))


def test_a_page_of_one_worker_opens_its_websocket_at_another(workbench: gndp.Workbench) -> None:
    async def first_message(token: str) -> str | bytes:
        url = server.address.replace("http", "ws") + "/ws"
        async with websockets.connect(
            url, origin=server.address, subprotocols=["bokeh", token], open_timeout=60
        ) as opened:
            return await asyncio.wait_for(opened.recv(), 60)

    with serving(workbench.database_url, "--workers", "2") as server:
        page = httpx.get(f"{server.address}/", timeout=120).text
        token = re.search(r'"token":"([^"]+)"', page)
        (maker,) = until(server.answering)
        assert token is not None
        os.kill(maker, signal.SIGSTOP)
        try:
            assert "ACK" in asyncio.run(first_message(token[1]))
        finally:
            os.kill(maker, signal.SIGCONT)


def test_workers_end_when_whoever_looks_after_them_was_killed(workbench: gndp.Workbench) -> None:
    with serving(workbench.database_url, "--workers", "2", "--only", "api") as server:
        workers = server.workers()
        assert len(workers) == 2
        server.process.kill()
        server.process.wait(60)
        until(lambda: not any(lives(pid) for pid in workers))


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_that_cannot_start_are_said(database_url: str, tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    main.write_text("assert __name__ == '__main__', 'no worker today'\nfrom gndp.cli import main\nmain()\n")
    told = subprocess.run(
        [sys.executable, main, "serve", "--workers", "2", "--port", "0", "--only", "api"],
        env=os.environ | {"GNDP_DATABASE_URL": database_url, "GNDP_AUTH": "off"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert told.returncode == 3
    assert told.stderr.splitlines()[-1] == "gndp: a worker could not start; the log says why"


# ------------------------------------------------------------------------------------------------------ half


def test_only_the_api_has_no_pages_and_needs_no_panel(workbench: gndp.Workbench) -> None:
    with served(workbench, only="api") as url, httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("/api/processes").status_code == 200
        assert client.get("/api/openapi.json").status_code == 200
        for page in ("/", "/sign-in", "/static/js/bokeh.min.js"):
            assert client.get(page).status_code == 404
        for probe in ("/healthz", "/readyz", "/metrics"):
            assert client.get(probe).status_code == 200
    program = (
        "import sys, gndp, gndp.cli; from gndp.serving.process import build_app\n"
        "with gndp.connect() as workbench: build_app(workbench, only='api')\n"
        "print({'panel', 'bokeh', 'tornado'} & set(sys.modules))"
    )
    environment = os.environ | {"GNDP_DATABASE_URL": workbench.database_url}
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout == "set()\n"


def test_only_the_pages_has_of_the_api_what_signing_in_needs(workbench: gndp.Workbench) -> None:
    with (
        served(workbench, needs_authentication=True, only="ui") as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        assert client.get("/").headers["location"].startswith("/sign-in")
        assert client.get("/sign-in").status_code == 200
        asked = {"user_id": "ann", "password": "no such password here"}
        assert client.post("/api/auth/sign-in", json=asked).status_code == 401
        for path in ("/api/processes", "/api/tasks", "/api/events", "/api/openapi.json"):
            assert client.get(path).status_code == 404
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert client.get("/metrics").status_code == 401
    with served(workbench, only="ui") as url:
        assert "GNDP operations workbench" in httpx.get(url, timeout=60).text
        assert httpx.get(f"{url}/metrics", timeout=60).status_code == 200
