"""Live streams: what is committed, for hundreds of listeners of one process over one database connection.

A stream begins now, or behind a position that somebody had reached, in this process or another. It never
holds up anything: a listener that is too slow is dropped, and told from where it can go on.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType

from gndp.core.errors import GndpError
from gndp.core.patterns import matches
from gndp.core.positions import Past, Position
from gndp.core.records import Event, LiveEvent
from gndp.events.log import LoggedEvent, Read, Selection, next_batch

CAPACITY = 10_000
"""How many events a listener may be behind."""

_PAGE = 500


class ListenerDropped(GndpError):
    """A listener was too slow, and its stream has ended. ``position`` is the token of what it had last: a new
    stream behind it misses nothing."""

    def __init__(self, position: str) -> None:
        super().__init__(f"the listener was more than {CAPACITY:,} events behind and is dropped")
        self.position = position


class LiveStream:
    """The events of one listener: iterate over it, in a thread or with ``async for``, and close it.

    Iterating waits for the next event and ends when the stream is closed. Raises ListenerDropped.
    """

    def __init__(
        self, selection: Selection, start: Position, read: Read, on_close: Callable[[LiveStream], None]
    ) -> None:
        self._selection = selection
        self._read = read
        self._on_close = on_close
        self._start = start
        self._seen = start.past
        self._backlog: Position | None = None
        self._backlog_end: Past | None = None
        self._ready: deque[LiveEvent] = deque()
        self._pushed: deque[LiveEvent] = deque()
        self._last = start.token
        self._is_dropped = False
        self._is_closed = False
        self._wake = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._async_wake: asyncio.Event | None = None

    @property
    def position(self) -> str:
        """The token of the position behind the last event that was taken."""
        return self._last

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that this is iterated in, None for a thread."""
        return self._loop

    def begin_with_backlog(self, until: Position) -> None:
        """Give first what is committed up to a position and not before the stream's own."""
        self._backlog = self._start
        self._backlog_end = until.past

    def push(self, heard: list[tuple[LoggedEvent, LiveEvent]]) -> bool:
        """Take over what was heard; whether there is something for this listener in it. Never waits."""
        if self._is_dropped or self._is_closed:
            return False
        wanted = [
            live
            for logged, live in heard
            if self._wants(logged.event) and not self._seen.has(logged.xid, logged.event.seq)
        ]
        self._pushed.extend(wanted)
        if len(self._pushed) > CAPACITY:
            self._is_dropped = True
        return bool(wanted)

    def wake(self) -> None:
        """Let whoever waits for the next event look again; in the event loop, if it is iterated there."""
        if self._async_wake is not None:
            self._async_wake.set()
        else:
            self._wake.set()

    def close(self) -> None:
        """End the stream; whoever waits for the next event stops."""
        self._is_closed = True
        self._on_close(self)
        if self._loop is None:
            self._wake.set()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.wake)

    def next(self, seconds: float | None = None) -> LiveEvent | None:
        """The next event; None when none came within so many seconds, or the stream is closed."""
        while True:
            if self._backlog is not None and not self._ready:
                self._read_backlog()
            if (live := self._take()) is not None or self._is_closed:
                return live
            if self._backlog is None and not self._wake.wait(seconds):
                return None
            self._wake.clear()

    def __iter__(self) -> Iterator[LiveEvent]:
        while (live := self.next()) is not None:
            yield live

    def __aiter__(self) -> AsyncIterator[LiveEvent]:
        self._loop = asyncio.get_running_loop()
        self._async_wake = asyncio.Event()
        return self

    async def __anext__(self) -> LiveEvent:
        assert self._async_wake is not None
        while True:
            if self._backlog is not None and not self._ready:
                await asyncio.to_thread(self._read_backlog)
            if (live := self._take()) is not None:
                return live
            if self._is_closed:
                raise StopAsyncIteration
            if self._backlog is None:
                await self._async_wake.wait()
            self._async_wake.clear()

    def __enter__(self) -> LiveStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self) -> LiveEvent | None:
        source = self._ready or (self._pushed if self._backlog is None else None)
        if source:
            live = source.popleft()
            self._last = live.position
            return live
        if self._is_dropped:
            self._on_close(self)
            raise ListenerDropped(self._last)
        return None

    def _read_backlog(self) -> None:
        assert self._backlog is not None and self._backlog_end is not None
        batch = next_batch(self._read, self._backlog, self._selection, _PAGE)
        for n, logged in enumerate(batch.events):
            if self._backlog_end.has(logged.xid, logged.event.seq):
                self._ready.append(LiveEvent(logged.event, batch.behind(n + 1).token))
        is_new_window = batch.start.read_to != self._start.read_to
        is_over = batch.is_end and (is_new_window or not batch.events)
        self._backlog = None if is_over else batch.end

    def _wants(self, event: Event) -> bool:
        selection = self._selection
        return matches(selection.pattern, event.event_type) and selection.process_id in (
            None,
            event.process_instance_id,
        )


class LiveStreams:
    """Gives what was heard to every stream of this process."""

    def __init__(self) -> None:
        self._streams: tuple[LiveStream, ...] = ()
        self._lock = threading.Lock()
        self._are_over = False

    @property
    def is_heard(self) -> bool:
        """Whether there is any stream."""
        return bool(self._streams)

    def add(self, stream: LiveStream) -> None:
        """Give a stream what is heard from now on."""
        with self._lock:
            self._streams = (*self._streams, stream)
        if self._are_over:
            stream.close()

    def remove(self, stream: LiveStream) -> None:
        """Give a stream nothing more."""
        with self._lock:
            self._streams = tuple(other for other in self._streams if other is not stream)

    def give(self, heard: list[tuple[LoggedEvent, Position]]) -> None:
        """Give events to all streams, and wake each thread, and each event loop once."""
        loops: dict[asyncio.AbstractEventLoop, list[LiveStream]] = {}
        events = [(logged, LiveEvent(logged.event, position.token)) for logged, position in heard]
        for stream in self._streams:
            if not stream.push(events):
                continue
            if stream.loop is None:
                stream.wake()
            else:
                loops.setdefault(stream.loop, []).append(stream)
        for loop, streams in loops.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake_all, streams)

    def close(self) -> None:
        """End every stream, also those that are yet to begin."""
        self._are_over = True
        for stream in self._streams:
            stream.close()


def _wake_all(streams: list[LiveStream]) -> None:
    for stream in streams:
        stream.wake()
