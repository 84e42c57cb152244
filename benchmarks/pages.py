"""The workbench in a browser at 1,000,000 tasks, and a change that reaches 50 open sessions.

Run it with ``make bench``, or ``python -m benchmarks.pages [--tasks 1000000] [--sessions 50]``; it needs a
Chromium and Playwright. Playwright's own time is in the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import statistics
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import psycopg
from playwright.sync_api import Browser, sync_playwright
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

import gndp
from apps.stores.lists import ListStore
from benchmarks import million
from benchmarks.api import served
from benchmarks.server import temporary_server
from gndp.store.migrate import migrate

PAGES = {
    "/": "text=Completion rate",
    "/processes": "tbody tr",
    "/processes?status=completed&sort=due_date": "tbody tr",
    "/tasks": "tbody tr",
    "/tasks?assigned_to=person000&page=399": "tbody tr",
    "/workload": "tbody tr",
}
"""What is on a page once it can be used."""

_FLAGS = ["--no-sandbox", "--disable-gpu"]


def interactive(browser: Browser, url: str, path: str, sign: str) -> float:
    """Seconds from navigating to a page, in a new window, until it is there."""
    page = browser.contexts[0].new_page()
    began = time.perf_counter()
    page.goto(url + path)
    page.wait_for_selector(sign)
    taken = time.perf_counter() - began
    page.close()
    return taken


def navigate(chromium: str, url: str) -> None:
    """How long each page takes, in a browser that has been here."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        browser.new_context()
        for path, sign in PAGES.items():
            times = [interactive(browser, url, path, sign) for _ in range(4)]
            print(f"{path}: {statistics.median(times[1:]):.2f} s, first {times[0]:.2f} s", flush=True)
        browser.close()


def reads(wb: gndp.Workbench) -> Iterator[tuple[str, float]]:
    """What turning pages and filtering takes at the server, in milliseconds."""
    for noun, filters in (
        ("tasks", {}),
        ("tasks", {"status": "completed"}),
        ("tasks", {"priority": "critical", "sla_status": "breached"}),
        ("tasks", {"search": "task"}),
        ("processes", {"status": "completed"}),
    ):
        for sort in ("-created_at", "due_date", "priority"):
            for page in (0, 1, 399):
                store = ListStore(lambda: wb, noun, dict(filters), sort, page)
                began = time.perf_counter()
                store.refresh()
                said = f"{noun} {filters} by {sort}, page {page + 1}"
                yield (store.problem or said, (time.perf_counter() - began) * 1e3)


class Session:
    """An open page as the server sees it: its WebSocket, and when it was last told something."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.told_at = 0.0

    async def open(self) -> None:
        """Ask for the page, then for its document over the WebSocket."""
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(self._url).read().decode())
        (token,) = set(re.findall(r'"token":"([^"]+)"', page))
        address = self._url.replace("http", "ws", 1).rstrip("/") + "/ws"
        self._socket = await connect(
            address, subprotocols=[Subprotocol("bokeh"), Subprotocol(token)], max_size=None
        )
        for part in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
            await self._socket.send(json.dumps(part))
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self._socket:
            if isinstance(message, str) and '"PATCH-DOC"' in message:
                self.told_at = time.perf_counter()

    async def close(self) -> None:
        """Close the page."""
        self._listening.cancel()
        await self._socket.close()


async def tell(wb: gndp.Workbench, url: str, count: int) -> None:
    """Open so many pages, change something, and say when the last of them was told."""
    opened = [Session(url) for _ in range(count)]
    for session in opened:
        await session.open()
    await asyncio.sleep(5)
    for _ in range(2):  # the first change also loads what was never shown
        began = time.perf_counter()
        await asyncio.to_thread(
            lambda: wb.processes.start(
                process_definition_id="x", process_name="new", process_type="custom", initiated_by="ann"
            )
        )
        await asyncio.sleep(10)
        taken = sorted(session.told_at - began for session in opened if session.told_at > began)
        said = f"the last after {taken[-1]:.2f} s" if taken else "none"
        print(f"a change reached {len(taken)} of {count} sessions, {said}", flush=True)
    print(f"the server has {_server_memory():.0f} MB beside {count} sessions", flush=True)
    for session in opened:
        await session.close()


def _server_memory() -> float:
    servers = [child for child in psutil.Process().children() if "gndp.cli" in " ".join(child.cmdline())]
    return max(server.memory_info().rss for server in servers) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--sessions", type=int, default=50)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("this benchmark needs a Chromium: apt install chromium")
    with ExitStack() as stack:
        url = stack.enter_context(temporary_server())
        migrate(url)
        million.load(url, options.tasks)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        wb = stack.enter_context(gndp.connect(url))
        for said, taken in sorted(reads(wb), key=lambda read: read[1])[-5:]:
            print(f"among the slowest reads: {said}: {taken:.0f} ms", flush=True)
        ours = stack.enter_context(served(url, "gndp.cli", "serve", GNDP_AUTH="off"))
        navigate(chromium, ours)
        asyncio.run(tell(wb, ours, options.sessions))


if __name__ == "__main__":
    main()
