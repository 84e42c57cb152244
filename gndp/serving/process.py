"""One server process: it answers until it is told to stop, and then ends what is under way in order."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Literal

import uvicorn

from gndp.server import build_app
from gndp.settings import Settings
from gndp.workbench import Workbench

Half = Literal["api", "ui"]
"""What a server may be limited to."""

_IDLE_SECONDS = 75
"""How long a connection is kept on which nothing is asked: longer than proxies in front keep theirs, so that
none sends a request on one that is just being closed."""

DRAIN_SECONDS = 10
"""How long requests that are under way may go on after the server was told to stop."""


def serve(
    workbench: Workbench,
    listening: socket.socket,
    on_ready: Callable[[str], None],
    settings: Settings,
    only: Half | None = None,
) -> None:
    """Serve on a socket from ``gndp.server.listen`` until SIGINT or SIGTERM, and close it.

    Told so, it takes no more connections, ends event streams, and gives requests that are under way 10
    seconds; told so twice, it waits for nothing. ``on_ready`` is told the address once requests are answered.
    """
    host, port = listening.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    app = build_app(workbench, settings.auth == "on", only, settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level=settings.log_level,
        access_log=False,
        ws="websockets-sansio",
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=_IDLE_SECONDS,
        callback_notify=app.state.metrics.look_at_pool,
        timeout_notify=1,
    )
    server = _Server(config, workbench, lambda: on_ready(address))
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # uvicorn has shut down in order and says how it was asked to
    finally:
        listening.close()
        if server.force_exit:
            workbench.jobs.stop(wait=0)


class _Server(uvicorn.Server):
    """Says when it listens; ends event streams when it is told to stop, and everything when it is told
    twice."""

    def __init__(self, config: uvicorn.Config, workbench: Workbench, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._workbench = workbench
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        # What is loaded by now stays; looking it through at every full collection held requests up
        # for 100 ms.
        gc.collect()
        gc.freeze()
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: streams at once, since they go on for as long as they may; requests when their time is up."""
        start = time.monotonic()
        self._workbench.events.end_streams()
        await super().shutdown(sockets)
        if self.force_exit or time.monotonic() - start >= DRAIN_SECONDS:
            # What is cancelled leaves a thread behind, which waits for the database, and the process for it.
            await asyncio.to_thread(self._workbench.interrupt)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal to stop."""
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)
