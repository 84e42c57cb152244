"""The API at 1,000,000 tasks and 5,000,000 events with four connections, and beside 300 open event streams.

Run it with ``make bench``, or ``python -m benchmarks.api_at_size [--tasks 1000000] [--seconds 10]``; it needs
``wrk``. The bare application of ``benchmarks.api`` answers from the same tables, for scale.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import time
import urllib.request
from contextlib import ExitStack
from urllib.parse import urlsplit

import psycopg

from benchmarks import million
from benchmarks.api import load, paths, served, shoot
from benchmarks.server import temporary_server
from gndp.store.migrate import migrate

_LISTS = (
    "/api/tasks?status=completed",
    "/api/tasks?assigned_to=person000",
    "/api/tasks?assigned_to=person000&offset=10000",
    "/api/processes?status=completed",
    "/api/processes?assigned_to=person000",
    "/api/tasks/my-tasks/person000?limit=100",
    "/api/tasks/my-tasks/person000",
)
_CONNECTIONS = 4
_STREAMS = 300


async def healthz_beside_streams(address: str, task: str, streams: int, seconds: float) -> list[float]:
    """How long /healthz took, in milliseconds, while so many streams were open and heard ten comments a
    second."""
    host = urlsplit(address)
    request = b"GET /api/events HTTP/1.1\r\nHost: %b\r\n\r\n" % host.netloc.encode()

    async def listen() -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        writer.write(request)
        await reader.readuntil(b": the stream begins")
        tasks.append(asyncio.create_task(drain(reader)))
        return writer

    async def drain(reader: asyncio.StreamReader) -> None:
        while await reader.read(65_536):
            pass

    tasks: list[asyncio.Task[None]] = []
    writers = [await listen() for _ in range(streams)]
    taken = []
    end = time.monotonic() + seconds
    comment = urllib.request.Request(
        f"{address}/api/tasks/{task}/comment",
        data=b'{"user_id": "ann", "text": "heard by all"}',
        headers={"Content-Type": "application/json"},
    )
    while time.monotonic() < end:
        await asyncio.to_thread(lambda: urllib.request.urlopen(comment).read())
        began = time.perf_counter()
        await asyncio.to_thread(lambda: urllib.request.urlopen(f"{address}/healthz").read())
        taken.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(0.1)
    for writer in writers:
        writer.close()
    for task in tasks:
        task.cancel()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("this benchmark needs wrk: apt install wrk")
    with ExitStack() as stack:
        url = stack.enter_context(temporary_server())
        migrate(url)
        million.load(url, options.tasks)
        ids = load(url, 50_000)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")  # what was loaded is on the disk before anything is measured
        bare = stack.enter_context(served(url, "uvicorn", "benchmarks.bare_api:app", "--no-access-log"))
        ours = stack.enter_context(served(url, "gndp.cli", "serve", GNDP_AUTH="off"))
        for name, completes in (("task detail", False), ("complete a task", True)):
            floor = shoot(bare, paths(ids[:1000], completes), _CONNECTIONS, options.seconds, completes)
            mine = shoot(ours, paths(ids[1000:], completes), _CONNECTIONS, options.seconds, completes)
            print(
                f"{name}: median {mine.median:.1f} ms, p99 {mine.p99:.1f} ms "
                f"(bare {floor.median:.1f} and {floor.p99:.1f} ms)",
                flush=True,
            )
        for path in _LISTS:
            figures = shoot(ours, [path], _CONNECTIONS, options.seconds, completes=False)
            print(f"GET {path}: p99 {figures.p99:.1f} ms, {figures.rate:.0f}/s", flush=True)
        taken = asyncio.run(healthz_beside_streams(ours, ids[-1], _STREAMS, options.seconds))
        print(
            f"/healthz beside {_STREAMS} event streams: median {statistics.median(taken):.1f} ms, "
            f"p99 {sorted(taken)[int(len(taken) * 0.99)]:.1f} ms, slowest {max(taken):.1f} ms"
        )


if __name__ == "__main__":
    main()
