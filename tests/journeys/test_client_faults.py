"""What the client makes of servers that are busy, broken, away, or no GNDP at all."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from serving import calling, served

import gndp
from gndp.client import Client, transport
from gndp.client.sent import Message, messages
from gndp.core.errors import RateLimited, ServerFault, ServerUnavailable

PERSON = {
    **dict.fromkeys(("email", "team", "capacity", "calendar", "substitute")),
    **dict.fromkeys(("out_of_office_from", "out_of_office_until")),
    "user_id": "ann",
    "name": "Ann",
    "role": "lead",
    "skills": {},
    "active": True,
    "version": 1,
    **dict.fromkeys(("created_at", "updated_at"), "2026-03-02T12:00:00Z"),
    "shoe_size": 42,  # what a newer server may say more
}


class Scripted:
    """A server whose replies are written beforehand; it keeps the requests."""

    def __init__(self) -> None:
        self.replies: list[tuple[int, dict[str, str], Any]] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                scripted.requests.append((self.command, self.path, dict(self.headers.items())))
                status, headers, body = scripted.replies.pop(0)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PATCH = do_DELETE = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answers(self, *replies: tuple[int, dict[str, str], Any]) -> None:
        self.replies[:] = replies
        self.requests.clear()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(transport, "sleep", waited.append)
    return waited


def problem(kind: str, status: int, **more: Any) -> dict[str, Any]:
    return {"type": f"urn:gndp:problem:{kind}", "detail": f"it is {kind}", "status": status, **more}


GOOD = (200, {}, PERSON)
BUSY = (429, {"Retry-After": "7"}, problem("rate-limited", 429))


def test_who_asks_too_often_waits_as_long_as_the_server_says(scripted: Scripted, pauses: list[float]) -> None:
    with Client(scripted.url, retries=2) as remote:
        scripted.answers(BUSY, BUSY, GOOD)
        assert remote.directory.person("ann").name == "Ann"
        assert pauses == [7.0, 7.0]
        scripted.answers(BUSY, BUSY, BUSY)
        with pytest.raises(RateLimited, match="rate-limited") as limited:
            remote.directory.update_person("ann", name="Ann", expected_version=1)
        assert limited.value.retry_after == 7.0 and len(scripted.requests) == 3
        scripted.answers((429, {"Retry-After": "3600"}, b"<html>"))
        with pytest.raises(RateLimited) as limited:
            remote.directory.person("ann")
        assert limited.value.retry_after == 3600.0 and len(pauses) == 4


def test_what_is_away_in_passing_is_asked_again_where_that_is_safe(
    scripted: Scripted, pauses: list[float]
) -> None:
    away = (503, {"Retry-After": "1"}, problem("unavailable", 503))
    with Client(scripted.url, retries=2) as remote:
        scripted.answers((502, {}, b"<html>Bad gateway"), away, GOOD)
        remote.directory.add_person("ann")
        keys = {headers["Idempotency-Key"] for _, _, headers in scripted.requests}
        assert len(scripted.requests) == 3 and len(keys) == 1
        assert pauses[0] < 1 and pauses[1] == 1.0
        scripted.answers(away)
        with pytest.raises(gndp.DatabaseUnavailable):
            remote.directory.update_person("ann", name="Ann", expected_version=1)
        assert scripted.requests[0][2]["If-Match"] == '"1"' and len(scripted.requests) == 1
        scripted.answers(*[(504, {}, b"")] * 3)
        with pytest.raises(ServerUnavailable, match="504"):
            remote.directory.people()


def test_a_command_that_is_under_way_is_asked_for_again(scripted: Scripted, pauses: list[float]) -> None:
    current = {"status": None, "version": None}
    conflict = problem("conflict", 409, current=current)
    with Client(scripted.url) as remote:
        scripted.answers((409, {"Retry-After": "1"}, conflict), GOOD)
        assert remote.directory.add_person("ann", "Ann").name == "Ann"
        assert pauses == [1.0]
        scripted.answers((409, {}, conflict))
        with pytest.raises(gndp.Conflict):
            remote.directory.add_person("ann", "Ann")


def test_the_server_says_so_of_a_command_that_is_under_way(workbench: gndp.Workbench) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Any:
        begun.set()
        assert go_on.wait(30)
        return PERSON

    first = threading.Thread(target=workbench.once, args=("POST /api/people", {"user_id": "ann"}, "k", slow))
    with served(workbench) as url:
        first.start()
        assert begun.wait(30)
        try:
            with calling(url) as client:
                again = client.post("/api/people", json={"user_id": "ann"}, headers={"Idempotency-Key": "k"})
            assert (again.status_code, again.headers["Retry-After"]) == (409, "1")
        finally:
            go_on.set()
            first.join()


def test_faults_and_replies_that_make_no_sense_have_a_type(scripted: Scripted) -> None:
    with Client(f"{scripted.url}/") as remote:
        scripted.answers((500, {}, problem("fault", 500, correlation_id="abc")))
        with pytest.raises(ServerFault) as fault:
            remote.directory.person("ann")
        assert fault.value.correlation_id == "abc"
        for reply in ((200, {}, b"<html>"), (200, {}, {"user_id": "ann"}), (200, {}, [1]), (404, {}, b"?")):
            scripted.answers(reply)
            with pytest.raises(ServerFault):
                remote.directory.person("ann")
        scripted.answers((301, {"Location": "https://work.example.org/api/people"}, b""))
        with pytest.raises(ServerFault, match=r"https://work\.example\.org"):
            remote.directory.people()
        scripted.answers((400, {}, problem("malformed", 400)))
        with pytest.raises(gndp.Invalid, match="malformed"):
            remote.directory.people()


def test_a_server_that_is_not_there_is_said_to_be_so(pauses: list[float]) -> None:
    with Client("http://127.0.0.1:9", retries=2) as remote:
        for call in (remote.processes.list, remote.events.live):
            with pytest.raises(ServerUnavailable, match=r"127\.0\.0\.1:9 cannot be reached"):
                call()
        with pytest.raises(ServerUnavailable):
            remote.directory.update_person("ann", name="Ann", expected_version=1)
    assert len(pauses) == 6, "what was never sent can be sent again"


@pytest.mark.parametrize(
    "url", ["", "work.example.org", "ftp://work", "http://", "http://a:secret@b", "http://a?b"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(gndp.Invalid) as refused:
        Client(url)
    assert "secret" not in str(refused.value)


def test_threads_share_one_client(workbench: gndp.Workbench) -> None:
    with served(workbench) as url, Client(url) as remote:

        def add(number: int) -> None:
            for part in range(5):
                remote.directory.add_person(f"p{number}-{part}")

        threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(remote.directory.people()) == 20


def test_closing_a_stream_wakes_whoever_waits_for_it(workbench: gndp.Workbench) -> None:
    with served(workbench) as url:
        remote = Client(url)
        stream = remote.events.live()
        begun = threading.Event()

        def listen() -> None:
            for _ in stream:
                begun.set()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        remote.processes.start(
            process_definition_id="visit", process_name="Visit", process_type="custom", initiated_by="ann"
        )
        assert begun.wait(30)
        stream.close()
        thread.join(10)
        assert not thread.is_alive()
        remote.close()


def test_messages_are_told_from_comments_and_put_together_from_pieces() -> None:
    sent = (
        ': hello\nid: 1\n\nid: 2\nevent: task.ready\r\ndata: {"a": "x\u2028y"}\n\n: still there\n\ndata:a\n'
    )
    ready = Message("2", "task.ready", '{"a": "x\u2028y"}'.encode())
    whole = [Message("1", "", b""), ready, Message("", "", b"")]
    assert list(messages([sent.encode()])) == whole
    assert list(messages([byte.to_bytes() for byte in sent.encode()])) == whole
    assert list(messages([b"data: a\ndata: b\n\n"])) == [Message("", "", b"a\nb")]


@pytest.mark.parametrize("module", ["gndp", "gndp.client"])
def test_importing_it_loads_neither_engine_nor_server(module: str) -> None:
    listing = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    packages = {name.partition(".")[0] for name in loaded.stdout.split()}
    assert not packages & {"psycopg", "sqlalchemy", "sqlmodel", "fastapi", "uvicorn", "panel", "pandas"}
    rooms = {name.split(".")[1] for name in loaded.stdout.split() if name.startswith("gndp.")}
    assert rooms <= {"core", "client"}
