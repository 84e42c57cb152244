"""Replies that are cut off after the commit, and many who change one thing at once."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from serving import served

import gndp

CLIENTS = 8


class _Cutter(socketserver.ThreadingTCPServer):
    """A proxy that cuts off every reply but each third: the server has answered, and nobody hears it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _CutConnection)
        address = urlsplit(upstream)
        self.upstream = (address.hostname, address.port)
        self.heard = 0
        self.cut = 0
        self.lock = threading.Lock()

    def is_to_be_cut(self) -> bool:
        with self.lock:
            self.heard += 1
            is_cut = self.heard % 3 != 0
            self.cut += is_cut
            return is_cut


class _CutConnection(socketserver.BaseRequestHandler):
    server: _Cutter

    def handle(self) -> None:
        request = _message(self.request)
        with socket.create_connection(self.server.upstream, timeout=60) as upstream:
            upstream.sendall(request)
            reply = _message(upstream)
        if not self.server.is_to_be_cut():
            self.request.sendall(reply)


def _message(connection: socket.socket) -> bytes:
    """One HTTP message with its whole body."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while len(body) < (lengths or [0])[0]:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def cutting(url: str) -> Iterator[tuple[str, _Cutter]]:
    with _Cutter(url) as cutter:
        threading.Thread(target=cutter.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{cutter.server_address[1]}", cutter
        cutter.shutdown()


def insist(url: str, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
    """POST until a reply comes through."""
    for _ in range(50):
        try:
            reply = httpx.post(
                f"{url}{path}",
                json=body,
                headers={"Idempotency-Key": key, "Connection": "close"},
                timeout=60,
            )
        except httpx.TransportError:
            continue
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer
    raise AssertionError("no reply came through")


def post_with_cuts(workbench: gndp.Workbench, posts: int) -> None:
    process = workbench.processes.start(
        process_definition_id="x", process_name="P", process_type="custom", initiated_by="ann"
    )
    body = {"process_definition_id": "x", "process_type": "custom", "initiated_by": "ann"}

    def one(number: int) -> str:
        key, name = f"key {number}", f"N{number}"
        match number % 4:
            case 0:
                return str(insist(url, "/api/processes", {**body, "process_name": name}, key)["id"])
            case 1:
                task = {"task_definition_id": "t", "task_name": name, "task_type": "manual"}
                task["process_instance_id"] = str(process.id)
                return str(insist(url, "/api/tasks", task, key)["id"])
            case 2:
                said = {"user_id": "ann", "text": name}
                return str(insist(url, f"/api/processes/{process.id}/comment", said, key)["id"])
            case _:
                return str(insist(url, "/api/people", {"user_id": name}, key)["user_id"])

    with served(workbench) as direct, cutting(direct) as (url, cutter), ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(one, range(posts)))
    assert cutter.cut >= posts
    each = posts // 4
    with workbench._database.connection() as connection:

        def numbers(query: str) -> int:
            row = connection.execute(query.encode()).fetchone()
            assert row is not None
            return int(row[0])

        assert numbers("SELECT count(*) FROM process_instances") == each + 1
        assert numbers("SELECT count(*) FROM tasks") == each
        assert numbers("SELECT count(*) FROM process_events WHERE event_type = 'process.commented'") == each
        assert numbers("SELECT count(*) FROM people") == each
    assert len({answer for number, answer in enumerate(answers) if number % 4 != 2}) == 3 * each
    assert workbench.check().ok


def update_at_once(workbench: gndp.Workbench, updates: int) -> None:
    process = workbench.processes.start(
        process_definition_id="x", process_name="P", process_type="custom", initiated_by="ann"
    )
    with served(workbench) as url, ThreadPoolExecutor(CLIENTS) as pool:
        path = f"{url}/api/processes/{process.id}"
        with httpx.Client(limits=httpx.Limits(max_connections=CLIENTS), timeout=60) as client:

            def one(number: int) -> int:
                """Add one variable to those that are there; how often somebody was sooner."""
                for lost in range(10_000):
                    read = client.get(path)
                    changed = {**read.json()["variables"], f"v{number}": number}
                    reply = client.patch(
                        path,
                        json={"user_id": "ann", "variables": changed},
                        headers={"If-Match": read.headers["ETag"]},
                    )
                    if reply.status_code == 200:
                        return lost
                    assert reply.status_code == 412, reply.text
                raise AssertionError("others were always sooner")

            lost = sum(pool.map(one, range(updates)))
    assert lost > 0  # they did get in each other's way
    found = workbench.processes.get(process.id)
    assert found.variables == {f"v{number}": number for number in range(updates)}
    assert found.version == process.version + updates


def test_cut_off_replies_have_one_effect_each(workbench: gndp.Workbench) -> None:
    post_with_cuts(workbench, 20)


@pytest.mark.soak
def test_five_hundred_cut_off_replies_have_one_effect_each(workbench: gndp.Workbench) -> None:
    post_with_cuts(workbench, 500)


def test_parallel_updates_lose_none(workbench: gndp.Workbench) -> None:
    update_at_once(workbench, 60)


@pytest.mark.soak
def test_a_thousand_parallel_updates_lose_none(workbench: gndp.Workbench) -> None:
    update_at_once(workbench, 1000)
