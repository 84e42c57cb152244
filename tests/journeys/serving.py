"""A server of this process's workbench on a port of its own, for tests that talk to it over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.dependencies import models as dependencies

import gndp
from gndp.server import build_app
from gndp.settings import Settings

BY_THE_BUS = 15_000
"""Milliseconds for a change to show elsewhere, which takes half a second; without the bus it would be 30."""


@contextmanager
def served(
    workbench: gndp.Workbench,
    needs_authentication: bool = False,
    only: Literal["api", "ui"] | None = None,
    add_routes: Callable[[FastAPI], None] = lambda app: None,
    **settings: Any,
) -> Iterator[str]:
    """The address of a running server; it is stopped afterwards."""
    app = build_app(workbench, needs_authentication, only, Settings(**settings))
    add_routes(app)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        _forget_endpoints()


def calling(url: str) -> httpx.Client:
    """A client that waits for a busy machine: its first request for the description draws it."""
    return httpx.Client(base_url=url, timeout=60)


def _forget_endpoints() -> None:
    """FastAPI keeps the endpoints that it has seen, and these their application: 7 MB for each server, which
    made the garbage collector most of what a long run of tests did."""
    for found in vars(dependencies).values():
        if hasattr(found, "cache_clear"):
            found.cache_clear()
