"""The server over HTTP and WebSocket: who may talk to it, and what it says when it cannot listen."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import bokeh_fastapi  # noqa: F401  (imported before the server on purpose: it reads settings on import)
import pytest
import websockets
from bokeh.util.token import generate_jwt_token, get_session_id
from serving import served

import gndp
from gndp.core.errors import Forbidden, ServerUnavailable
from gndp.server import listen


@pytest.fixture
def address(workbench: gndp.Workbench) -> Iterator[str]:
    with served(workbench) as url:
        yield url


def status_of(url: str, **headers: str) -> int:
    request = urllib.request.Request(url, headers={name.title(): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_page_and_health_answer_on_one_port(address: str) -> None:
    assert status_of(f"{address}/") == 200
    assert status_of(f"{address}/healthz") == 200


def test_own_origin_is_let_in(address: str) -> None:
    assert status_of(f"{address}/", origin=address) == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://[", "http://me@127.0.0.1", ""]
)
def test_foreign_origin_is_refused(address: str, origin: str) -> None:
    assert status_of(f"{address}/", origin=origin) == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", ""])
def test_a_name_that_is_not_loopback_is_refused(address: str, host: str) -> None:
    assert status_of(f"{address}/healthz", host=host) in (400, 403)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "127.0.0.2:1", "[::1]:1", "[::1]"])
def test_every_loopback_name_is_answered(address: str, host: str) -> None:
    assert status_of(f"{address}/healthz", host=host) == 200


@pytest.mark.parametrize(
    ("site", "mode", "destination", "status"),
    [
        ("none", "navigate", "document", 200),
        ("same-origin", "no-cors", "script", 200),
        ("cross-site", "navigate", "document", 200),
        ("cross-site", "navigate", "iframe", 403),
        ("cross-site", "no-cors", "image", 403),
        ("same-site", "no-cors", "script", 403),
    ],
)
def test_another_page_may_link_but_not_embed(
    address: str, site: str, mode: str, destination: str, status: int
) -> None:
    said = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": destination}
    assert status_of(f"{address}/healthz", **said) == status


def test_no_module_is_imported_because_a_url_names_it(address: str) -> None:
    assert status_of(f"{address}/components/imaplib/IMAP4/_css/x") == 404
    assert "imaplib" not in sys.modules


def test_a_session_needs_its_signed_token_whatever_was_imported_before(address: str) -> None:
    async def first_message(token: str) -> str | bytes:
        url = address.replace("http", "ws") + "/ws"
        async with websockets.connect(url, origin=address, subprotocols=["bokeh", token]) as socket:
            return await asyncio.wait_for(socket.recv(), 10)

    with urllib.request.urlopen(f"{address}/", timeout=20) as page:
        token = re.search(r'"token":"([^"]+)"', page.read().decode())[1]
    forged = generate_jwt_token(get_session_id(token), signed=False, expiration=300)
    with pytest.raises(websockets.InvalidStatus):
        asyncio.run(first_message(forged))
    assert "ACK" in asyncio.run(first_message(token))


def test_foreign_origin_gets_no_websocket(address: str) -> None:
    async def connect() -> None:
        url = address.replace("http", "ws") + "/ws"
        async with websockets.connect(url, origin="http://evil.example"):
            pass

    with pytest.raises(websockets.InvalidStatus) as refused:
        asyncio.run(connect())
    assert refused.value.response.status_code == 403


def test_only_loopback_is_listened_on(workbench: gndp.Workbench) -> None:
    with pytest.raises(Forbidden, match="loopback"):
        listen("0.0.0.0", 0, needs_authentication=False)


def test_a_busy_port_is_said(workbench: gndp.Workbench) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServerUnavailable, match="in use"):
            listen("127.0.0.1", taken.getsockname()[1], needs_authentication=True)


def test_a_port_that_cannot_be_is_said(workbench: gndp.Workbench) -> None:
    with pytest.raises(ServerUnavailable, match="0-65535"):
        listen("127.0.0.1", 70_000, needs_authentication=True)
