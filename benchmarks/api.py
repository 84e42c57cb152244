"""The API beside a bare FastAPI and psycopg application, under wrk, one worker each.

Run it with ``make bench``, or ``python -m benchmarks.api [--seconds 4] [--rounds 5] [--connections 4 32]``;
it needs ``wrk`` (``apt install wrk``). Rounds alternate between the two; the figures are the medians of the
rounds' ratios. With ``--auth`` ours is called with an API token.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import psycopg

import gndp
from benchmarks.server import temporary_server
from gndp.store.migrate import migrate

_LOAD = """WITH process AS (
    INSERT INTO process_instances (id, process_definition_id, process_name, process_type, status,
        initiated_by, created_at, started_at, total_steps)
    SELECT gen_random_uuid(), 'bench', 'Case ' || n, 'custom', 'running', 'ann', now(), now(), 5
    FROM generate_series(1, %(cases)s) n RETURNING id),
task AS (
    INSERT INTO tasks (id, process_instance_id, task_definition_id, task_name, task_type, status, position,
        assigned_to, claimed_by, ready_at, created_at, started_at, claimed_at)
    SELECT gen_random_uuid(), process.id, 's' || n, 'Step ' || n, 'manual', 'in_progress', n, 'bob', 'bob',
        now(), now(), now(), now()
    FROM process, generate_series(0, 4) n RETURNING id, process_instance_id),
assignment AS (
    INSERT INTO task_assignments (id, task_id, assigned_to, assigned_by, assigned_at, accepted_at)
    SELECT gen_random_uuid(), id, 'bob', 'ann', now(), now() FROM task)
INSERT INTO process_events (id, process_instance_id, task_id, event_type, event_category, severity, user_id,
    automated, message, details, timestamp)
SELECT gen_random_uuid(), process_instance_id, id, 'task.started', 'lifecycle', 'info', 'bob', false,
    'started', '{}', now() FROM task"""


class Figures(NamedTuple):
    """Requests a second, and the median and 99th percentile of the latencies in milliseconds."""

    rate: float
    median: float
    p99: float


def load(url: str, tasks: int) -> list[str]:
    """Work in progress, five tasks a process; the ids of the tasks in the order of their making, spread."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_LOAD, {"cases": tasks // 5})
        connection.execute("VACUUM ANALYZE")
        rows = connection.execute(
            "SELECT id FROM tasks WHERE status = 'in_progress' AND assigned_to = 'bob' ORDER BY position, id"
        ).fetchall()
    return [str(id) for (id,) in rows]


@contextmanager
def served(url: str, module: str, *arguments: str, **environment: str) -> Iterator[str]:
    """A server as a process of its own, by the ``main`` of a module; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", f"from {module} import main; main()", *arguments, "--port", str(port)],
        env={
            **os.environ,
            "GNDP_DATABASE_URL": url,
            "GNDP_JOBS": "off",
            "GNDP_RATE_LIMIT": "off",
            **environment,
        },
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_for(address: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{address} does not answer")


def shoot(
    address: str,
    asked: list[str],
    connections: int,
    seconds: float,
    completes: bool,
    token: str | None = None,
) -> Figures:
    """What wrk measures; raises SystemExit when a request failed."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(asked) + "\n")
        file.flush()
        environment = {"ADDRESSES": file.name, "COMPLETE": "1" if completes else "0"}
        if token is not None:
            environment["AUTHORIZATION"] = f"Bearer {token}"
        script = Path(__file__).with_name("api.lua")
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "30s"]
        answer = subprocess.run(
            [*command, "-s", str(script), address],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
    said = json.loads(answer.stdout.splitlines()[-1])
    if said["failed"]:
        raise SystemExit(f"{said['failed']} of {said['requests']} requests failed: {answer.stdout}")
    return Figures(said["requests"] / said["seconds"], said["median"], said["p99"])


def paths(ids: list[str], completes: bool) -> list[str]:
    """The addresses of tasks, or of their completion."""
    return [f"/api/tasks/{id}{'/complete' if completes else ''}" for id in ids]


def compare(
    bare: str, ours: str, ids: Iterator[str], connections: int, options: argparse.Namespace, token: str | None
) -> None:
    """Print both endpoints, ours beside the bare one."""
    some = list(islice(ids, 1000))
    for completes, name, most in ((False, "task detail", 0), (True, "complete a task", options.most)):
        rounds = []
        for _ in range(options.rounds):
            given = list(islice(ids, most)) if completes else some
            floor = shoot(bare, paths(some, completes), connections, options.seconds, completes)
            mine = shoot(ours, paths(given, completes), connections, options.seconds, completes, token)
            rounds.append((floor, mine))
        rates = [ours.rate / floor.rate for floor, ours in rounds]
        tails = [ours.p99 / floor.p99 for floor, ours in rounds]
        floor, mine = (_medians(side) for side in zip(*rounds, strict=True))
        print(
            f"{name}, {connections} connections: bare {floor.rate:,.0f}/s (p99 {floor.p99:.1f} ms), "
            f"ours {mine.rate:,.0f}/s (p99 {mine.p99:.1f} ms), {statistics.median(rates):.0%} of the "
            f"requests ({min(rates):.0%}–{max(rates):.0%}), p99 {statistics.median(tails):.2f} times",
            flush=True,
        )


def _medians(rounds: tuple[Figures, ...]) -> Figures:
    return Figures(*map(statistics.median, zip(*rounds, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, nargs="+", default=[4, 32])
    parser.add_argument("--most", type=int, default=6000, help="the tasks that one round may complete")
    parser.add_argument("--auth", action="store_true", help="call ours with an API token")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("this benchmark needs wrk: apt install wrk")
    with ExitStack() as stack:
        url = stack.enter_context(temporary_server())
        migrate(url)
        needed = len(options.connections) * (options.rounds * options.most + 1000)
        ids = iter(load(url, needed))
        token = _token(url) if options.auth else None
        bare = stack.enter_context(served(url, "uvicorn", "benchmarks.bare_api:app", "--no-access-log"))
        ours = stack.enter_context(
            served(url, "gndp.cli", "serve", GNDP_AUTH="on" if options.auth else "off")
        )
        for connections in options.connections:
            compare(bare, ours, ids, connections, options, token)


def _token(url: str) -> str:
    with gndp.connect(url) as workbench:
        workbench.directory.add_person("bot", role="service")
        until = datetime.now(UTC) + timedelta(days=1)
        return workbench.entrance.tokens.create("bot", "benchmark", ["write"], until).token


if __name__ == "__main__":
    main()
