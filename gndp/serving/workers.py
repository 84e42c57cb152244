"""Several worker processes on one socket, and the process that looks after them.

uvicorn's own supervisor is not used: its workers can be no servers of ours (which say when they are ready,
end streams, and give their jobs' lease back), and it cannot tell the metrics that one has died.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple

from prometheus_client.multiprocess import mark_process_dead

from gndp.core.errors import GndpError, ServerUnavailable
from gndp.operations.logs import set_up_logs
from gndp.serving.process import DRAIN_SECONDS, Half, serve
from gndp.settings import Settings
from gndp.workbench import connect

_SPAWN = multiprocessing.get_context("spawn")

_JOBS_SECONDS = 10
_END_SECONDS = DRAIN_SECONDS + _JOBS_SECONDS + 5
"""How long a worker may take to end in order."""

_FORCED_SECONDS = 2
_RESTART_PAUSE = 1.0
"""Seconds between two starts in the place of one worker, should each die at once."""

_UNAVAILABLE = 3

_log = logging.getLogger(__name__)


class Plan(NamedTuple):
    """What each worker serves: which database, with which settings, which half."""

    database_url: str | None
    data_dir: Path | None
    settings: Settings
    only: Half | None


def serve_with_workers(
    plan: Plan, count: int, listening: socket.socket, on_ready: Callable[[str], None]
) -> None:
    """Serve with so many workers on a socket from ``gndp.server.listen`` until SIGINT or SIGTERM.

    One that dies is replaced. Told to stop twice, nothing is waited for. ``on_ready`` is told the address
    once all answer. Raises ServerUnavailable when one cannot be started to begin with.
    """
    with _counting_together(), _signals() as signals:
        workers = _Workers(plan, listening, signals)
        try:
            address = workers.start(count)
            if address is not None:
                on_ready(address)
                workers.look_after()
        finally:
            listening.close()  # before the workers are told, so that nobody waits for an answer in vain
            workers.stop()


class _Worker:
    """A worker process, and the pipe that it says its address through once it answers."""

    def __init__(self, plan: Plan, listening: socket.socket) -> None:
        self.ready, said = _SPAWN.Pipe(duplex=False)
        self.started_at = time.monotonic()
        self.process = _SPAWN.Process(target=_work, args=(plan, listening, said), name="gndp worker")
        self.process.start()
        said.close()


class _Workers:
    """The workers. ``signals`` is a file descriptor that can be read once this process is told to stop."""

    def __init__(self, plan: Plan, listening: socket.socket, signals: int) -> None:
        self._plan = plan
        self._listening = listening
        self._signals = signals
        self._workers: list[_Worker] = []

    def start(self, count: int) -> str | None:
        """Start them and wait until all answer; the address, or None when told to stop before that."""
        self._workers = [_Worker(self._plan, self._listening) for _ in range(count)]
        address = None
        for worker in self._workers:
            if self._signals in wait([worker.ready, self._signals]):
                return None
            try:
                address = worker.ready.recv()
            except EOFError:
                raise ServerUnavailable("a worker could not start; the log says why") from None
        return address

    def look_after(self) -> None:
        """Replace whichever dies, until told to stop."""
        while self._signals not in (
            over := wait([w.process.sentinel for w in self._workers] + [self._signals])
        ):
            for place, worker in enumerate(self._workers):
                if worker.process.sentinel in over:
                    self._bury(worker)
                    pause = worker.started_at + _RESTART_PAUSE - time.monotonic()
                    if pause > 0 and wait([self._signals], pause):
                        return
                    self._workers[place] = _Worker(self._plan, self._listening)

    def stop(self) -> None:
        """Tell all to stop, and again when told again; who has not ended in time is killed."""
        if wait([self._signals], 0):
            os.read(self._signals, 1)
        self._tell_all()
        deadline = time.monotonic() + _END_SECONDS
        while (alive := self._alive()) and (left := deadline - time.monotonic()) > 0:
            if self._signals in wait([worker.process.sentinel for worker in alive] + [self._signals], left):
                os.read(self._signals, 1)
                self._tell_all()
                deadline = min(deadline, time.monotonic() + _FORCED_SECONDS)
        for worker in self._alive():
            worker.process.kill()
            worker.process.join()

    def _alive(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.process.is_alive()]

    def _tell_all(self) -> None:
        for worker in self._alive():
            worker.process.terminate()

    def _bury(self, worker: _Worker) -> None:
        worker.process.join()
        worker.ready.close()
        _log.error("worker %s died (%s) and is replaced", worker.process.pid, worker.process.exitcode)
        mark_process_dead(worker.process.pid)  # type: ignore[no-untyped-call]


def _work(plan: Plan, listening: socket.socket, ready: Connection) -> None:
    """What a worker does. Its workbench is its own: nothing of the parent's is used but the socket."""
    # Out of the terminal's reach, whose Ctrl-C the parent passes on.
    os.setpgrp()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=_follow_parent, name="parent", daemon=True).start()
    settings = plan.settings
    set_up_logs(settings.log_level, settings.log_format)
    try:
        opened = connect(
            plan.database_url,
            plan.data_dir,
            settings=settings,
            statement_timeout=settings.statement_timeout_seconds,
        )
        with listening, opened as workbench:
            if settings.jobs == "on":
                workbench.jobs.start()
            serve(workbench, listening, ready.send, settings, plan.only)
    except GndpError as error:
        _log.error("the worker cannot go on: %s", error)
        sys.exit(_UNAVAILABLE)


def _follow_parent() -> None:
    """Stop in order when the parent is gone, whichever way it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _counting_together() -> Iterator[None]:
    """A folder in which the workers that are started in this block count their metrics."""
    with tempfile.TemporaryDirectory(prefix="gndp-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        try:
            yield
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


@contextmanager
def _signals() -> Iterator[int]:
    """A file descriptor with one byte for each SIGINT and SIGTERM that comes in this block."""
    told, tell = os.pipe()
    before = {
        number: signal.signal(number, lambda *_: os.write(tell, b"!") and None)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(told)
        os.close(tell)
