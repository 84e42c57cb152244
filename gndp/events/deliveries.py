"""Giving events to one handler, in a thread that can be left behind when the handler does not come back."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Literal, NamedTuple
from uuid import UUID

from gndp.core.records import Event
from gndp.events.bus import Handler, awaits, call

BUDGET = 1.0
"""Seconds after which a batch ends early, so that what was handled is kept soon."""

_LOOK_EVERY = 0.2
_LONGEST_ERROR = 2_000

_log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What became of an event: it was ``handled``, it ``failed`` with an error, or it was ``held`` back,
    because an earlier event of its process had failed."""

    status: Literal["handled", "failed", "held"]
    error: str | None = None


_HANDLED = Outcome("handled")
_HELD = Outcome("held")


class _Batch:
    """Events on their way through a handler."""

    def __init__(self, events: Sequence[Event], held: set[UUID], stopping: threading.Event) -> None:
        self.events = events
        self.held = set(held)
        self.stopping = stopping
        self.outcomes: list[Outcome] = []
        self.began_at = time.monotonic()
        self.is_abandoned = False
        self.done = threading.Event()


class Deliverer:
    """Calls one handler for one event after the other.

    A handler that is silent for ``timeout`` seconds has failed at its event; its thread is left to itself.
    """

    def __init__(self, name: str, handler: Handler, timeout: float, stopping: threading.Event) -> None:
        self._name = name
        self._handler = handler
        self._timeout = timeout
        self._stopping = stopping
        self._batches = self._new_thread()

    def deliver(self, events: Sequence[Event], held: set[UUID]) -> list[Outcome]:
        """Give events to the handler in their order, but those of processes that are ``held``; what became of
        each. There may be fewer answers than events: the rest is to be given later."""
        batch = _Batch(events, held, self._stopping)
        self._batches.put(batch)
        while not batch.done.wait(_LOOK_EVERY):
            if time.monotonic() - batch.began_at > self._timeout:
                return self._abandon(batch)
            if self._stopping.is_set() and not batch.done.wait(5.0):
                batch.is_abandoned = True
                return list(batch.outcomes)
        return batch.outcomes

    def close(self) -> None:
        """Let the thread end."""
        self._batches.put(None)

    def _abandon(self, batch: _Batch) -> list[Outcome]:
        batch.is_abandoned = True
        outcomes = list(batch.outcomes)
        event = batch.events[len(outcomes)]
        error = f"TimeoutError: no answer for {self._timeout:g} seconds"
        _log.error("the handler of %s at event %d: %s", self._name, event.seq, error)
        self._batches.put(None)
        self._batches = self._new_thread()
        return [*outcomes, Outcome("failed", error)]

    def _new_thread(self) -> SimpleQueue[_Batch | None]:
        batches: SimpleQueue[_Batch | None] = SimpleQueue()
        threading.Thread(
            target=self._work, args=(batches,), name=f"handler of {self._name}", daemon=True
        ).start()
        return batches

    def _work(self, batches: SimpleQueue[_Batch | None]) -> None:
        runner = asyncio.Runner() if awaits(self._handler) else None
        while (batch := batches.get()) is not None:
            self._run(batch, runner)
        if runner is not None:
            runner.close()

    def _run(self, batch: _Batch, runner: asyncio.Runner | None) -> None:
        deadline = time.monotonic() + BUDGET
        for event in batch.events:
            if batch.is_abandoned or batch.stopping.is_set() or time.monotonic() > deadline:
                break
            if event.process_instance_id in batch.held:
                batch.outcomes.append(_HELD)
                continue
            batch.began_at = time.monotonic()
            outcome = self._call(event, runner)
            if outcome.error is not None:
                batch.held.add(event.process_instance_id)
            if not batch.is_abandoned:
                batch.outcomes.append(outcome)
        batch.done.set()

    def _call(self, event: Event, runner: asyncio.Runner | None) -> Outcome:
        try:
            contextvars.copy_context().run(call, self._handler, event, runner)
        except BaseException as error:  # also what would end the thread, with all that wait for it
            _log.warning("the handler of %s failed at event %d", self._name, event.seq, exc_info=True)
            text = f"{type(error).__name__}: {error}".encode(errors="replace").decode().replace("\0", " ")
            return Outcome("failed", text[:_LONGEST_ERROR])
        return _HANDLED
