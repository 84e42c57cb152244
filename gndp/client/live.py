"""Live streams of events (Server-Sent Events) that go on by themselves where a connection broke."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

import httpx
import orjson

from gndp.client.replies import record
from gndp.client.sent import Message, messages
from gndp.client.transport import Transport
from gndp.core.errors import DatabaseUnavailable, RateLimited, ServerUnavailable
from gndp.core.records import LiveEvent

_LONGEST_SILENCE = 45.0
"""Seconds without a word after which the connection counts as lost: the server speaks every 15."""

_LONGEST_PAUSE = 30.0
_DROPPED = "gndp.dropped"
_IN_PASSING = (ServerUnavailable, DatabaseUnavailable, RateLimited)
_log = logging.getLogger(__name__)


class LiveStream:
    """The events of one listener: iterate over it, in one thread at a time, and close it.

    Iterating waits for the next event and ends when the stream is closed. A connection that breaks is made
    anew for as long as it takes, and goes on behind the last event: none is missed, none comes twice. What
    the server refuses (a token that was revoked, a database that was restored) is raised.
    """

    def __init__(self, transport: Transport, query: Mapping[str, Any]) -> None:
        self._transport = transport
        self._query = query
        self._position: str | None = None
        self._reply: httpx.Response | None = None
        self._messages: Iterator[Message] = iter(())
        self._failures = 0
        self._closed = threading.Event()
        self._reading = threading.Lock()
        self._connect()

    @property
    def position(self) -> str | None:
        """The position behind the last event that was taken, which a later stream can go on from."""
        return self._position or self._query.get("after")

    def close(self) -> None:
        """End the stream; whoever waits for the next event stops."""
        self._closed.set()
        reply = self._reply
        if reply is not None:
            _wake_reader(reply)
        if self._reading.acquire(blocking=False):
            try:
                self._disconnect()
            finally:
                self._reading.release()

    def __iter__(self) -> LiveStream:
        return self

    def __next__(self) -> LiveEvent:
        with self._reading:
            while not self._closed.is_set():
                live = self._next_of_connection()
                if live is not None:
                    return live
            self._disconnect()
        raise StopIteration

    def __enter__(self) -> LiveStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next_of_connection(self) -> LiveEvent | None:
        """The next event; None when the connection broke or ended, after a pause."""
        why = "the server ended it"
        try:
            if self._reply is None:
                self._connect()
            for message in self._messages:
                if self._closed.is_set():
                    break
                self._position = message.id or self._position
                if message.event and message.event != _DROPPED:
                    self._failures = 0
                    event = orjson.loads(message.data)
                    return record(LiveEvent, {"event": event, "position": self._position})
        except (httpx.RequestError, *_IN_PASSING) as error:
            why = str(error) or type(error).__name__
        self._disconnect()
        if not self._closed.is_set():
            _log.warning("the stream of events broke off (%s) and goes on behind %s", why, self.position)
            self._closed.wait(min(_LONGEST_PAUSE, 0.25 * 2 ** min(self._failures, 10)))
            self._failures += 1
        return None

    def _connect(self) -> None:
        headers = {"Accept": "text/event-stream"}
        if self._position is not None:
            headers["Last-Event-ID"] = self._position
        self._reply = self._transport.stream("/events", self._query, headers, _LONGEST_SILENCE)
        self._messages = messages(self._reply.iter_bytes())
        try:
            first = next(self._messages, None)
        except httpx.RequestError as error:
            self._disconnect()
            raise ServerUnavailable(f"the connection broke: {error}") from error
        # It is the position alone: from here on nothing can be missed.
        if first is not None:
            self._position = first.id

    def _disconnect(self) -> None:
        reply, self._reply = self._reply, None
        self._messages = iter(())
        if reply is not None:
            reply.close()


def _wake_reader(reply: httpx.Response) -> None:
    """End the connection under whoever reads from it in another thread, which closing it would not."""
    with suppress(OSError, KeyError, AttributeError):
        reply.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
