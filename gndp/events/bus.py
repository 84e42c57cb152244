"""The bus of one process: handlers hear committed events and messages, in threads of the bus.

A handler that raises, hangs or is slow holds up nobody else (``turns`` says how). What a handler is given and
has not taken is bounded; beyond that it misses events, which is counted and said. Handlers that must miss
nothing are durable subscriptions.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import uuid_utils

from gndp.core.patterns import matches
from gndp.core.positions import Snapshot
from gndp.core.records import Event
from gndp.engine.transition import cause
from gndp.events.log import LoggedEvent
from gndp.events.turns import Turns, TurnThread

HISTORY = 1_000
"""How many of the newest events and messages are kept in memory."""

CAPACITY = 10_000
"""How many events a handler may be behind before it misses some."""

_MOST_TYPES = 1_000
_MOST_A_TURN = 500

_log = logging.getLogger(__name__)


class Message(NamedTuple):
    """What was published in this process: no event of the log, kept nowhere and heard here only.

    ``timestamp`` is the wall clock, aware UTC. ``causation_id`` is the event or message in whose handler it
    was published.
    """

    fast_id: uuid_utils.UUID
    event_type: str
    data: Mapping[str, Any]
    source: str | None
    timestamp: datetime
    correlation_id: str | None
    causation_id: UUID | None

    @property
    def id(self) -> UUID:
        """Which message it is: a UUIDv7."""
        return UUID(int=self.fast_id.int)


Heard = Event | Message
"""What handlers are given."""

Handler = Callable[[Any], Any]
"""A function, or a coroutine function, that takes one event. A coroutine that it answers with is awaited."""


def awaits(handler: Handler) -> bool:
    """Whether a handler is a coroutine function, or an object that is called like one."""
    return any(inspect.iscoroutinefunction(called) for called in (handler, type(handler).__call__))


class BusSubscription:
    """A handler on the bus. ``missed`` counts the events that it was too slow for, ``failed`` those at which
    it raised; ``close`` ends it."""

    thread: TurnThread

    def __init__(
        self,
        pattern: str,
        handler: Handler,
        started_from: Snapshot,
        on_close: Callable[[BusSubscription], None],
    ) -> None:
        self.pattern = pattern
        self.started_from = started_from
        self.missed = 0
        self.failed = 0
        self._handler = handler
        self._runner = asyncio.Runner() if awaits(handler) else None
        self._on_close = on_close
        self._waiting: deque[Heard] = deque()
        self._is_at_work = False
        self._is_closed = False

    @property
    def awaits(self) -> bool:
        """Whether the handler is a coroutine function."""
        return self._runner is not None

    def close(self) -> None:
        """Hear nothing any more; what waits is not handled."""
        self._is_closed = True
        self._on_close(self)

    @property
    def is_idle(self) -> bool:
        """Whether everything that has come is handled."""
        return not self._waiting and not self._is_at_work

    @property
    def has_work(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting) and not self._is_closed

    def give(self, heard: Sequence[Heard]) -> None:
        """Put events behind those that wait; never waits itself."""
        room = CAPACITY - len(self._waiting)
        self._waiting.extend(heard if len(heard) <= room else heard[: max(0, room)])
        if len(heard) > room:
            self._miss(len(heard) - max(0, room))
        self.thread.wake()

    def turn(self) -> None:
        """Handle some of what waits."""
        self._is_at_work = True
        contextvars.copy_context().run(self._handle_waiting)
        self._is_at_work = False

    def end(self) -> None:
        """There will be no more turns."""
        if self._runner is not None:
            self._runner.close()

    def _miss(self, count: int) -> None:
        before, self.missed = self.missed, self.missed + count
        if before.bit_length() < self.missed.bit_length():  # said at 1, 2, 4, 8, …
            _log.error(
                "a handler of %s is %d events behind and has missed %d", self.pattern, CAPACITY, self.missed
            )

    def _handle_waiting(self) -> None:
        """What costs one handler a microsecond costs ten handlers ten of every message."""
        waiting, handler, runner, react_to = self._waiting, self._handler, self._runner, cause.set
        for _ in range(min(len(waiting), _MOST_A_TURN)):
            heard = waiting.popleft()
            react_to(heard)
            try:
                answer = handler(heard)
                if answer is not None and inspect.iscoroutine(answer):
                    (runner or asyncio).run(answer)
            except BaseException:  # also what would end the thread, unsaid, and with it the handler
                self.failed += 1
                _log.exception("a handler of %s failed at %s %s", self.pattern, heard.event_type, heard.id)
            if self._is_closed:
                return


def call(handler: Handler, heard: Heard, runner: asyncio.Runner | None) -> None:
    """Call a handler; the commands that it gives are caused by what it was given."""
    cause.set(heard)
    answer = handler(heard)
    if inspect.iscoroutine(answer):
        (runner or asyncio).run(answer)


class Bus:
    """Gives events to the handlers of this process, and remembers the newest."""

    def __init__(self) -> None:
        self._subscriptions: tuple[BusSubscription, ...] = ()
        self._by_type: dict[str, tuple[BusSubscription, ...]] = {}
        self._lock = threading.Lock()
        self._history: deque[Heard] = deque(maxlen=HISTORY)
        self._published: deque[Message] = deque()
        self._turns = Turns(self._share_out)

    def subscribe(self, pattern: str, handler: Handler, started_from: Snapshot) -> BusSubscription:
        """Give a handler whatever matches a pattern, of committed events those beyond a snapshot."""
        subscription = BusSubscription(pattern, handler, started_from, self._remove)
        with self._lock:
            self._turns.add(subscription, is_slow=subscription.awaits)
            self._subscriptions = (*self._subscriptions, subscription)
            self._by_type = {}
        return subscription

    def publish(
        self, event_type: str, data: Mapping[str, Any], source: str | None, correlation_id: str | None
    ) -> Message:
        """Give a message to the handlers that it is for; never waits for one."""
        reason = cause.get()
        message = Message(
            uuid_utils.uuid7(),
            event_type,
            MappingProxyType(dict(data)),
            source,
            datetime.now(UTC),
            correlation_id if correlation_id is not None or reason is None else reason.correlation_id,
            None if reason is None else reason.id,
        )
        self._history.append(message)
        self._published.append(message)
        self._turns.wake()
        if len(self._published) > CAPACITY:
            time.sleep(0)  # lets the thread that shares them out have a turn
        return message

    def give(self, logged: LoggedEvent) -> None:
        """Give a committed event to the handlers that it is for."""
        xid, event = logged
        self._history.append(event)
        for subscription in self._of(event.event_type):
            if not subscription.started_from.shows(xid):
                subscription.give((event,))

    def history(self, limit: int) -> list[Heard]:
        """The newest events and messages that passed here, newest first."""
        return list(islice(reversed(self._history.copy()), limit))

    def close(self) -> None:
        """End every handler."""
        for subscription in self._subscriptions:
            subscription.close()
        self._turns.close()
        self._published = deque(maxlen=0)  # nobody takes what is published from now on

    @property
    def is_heard(self) -> bool:
        """Whether there is any handler."""
        return bool(self._subscriptions)

    def _share_out(self) -> None:
        """Give what was published to the handlers, a batch at a time: waking each for each message would cost
        more than all the rest."""
        waiting = self._published
        while waiting:
            batch = [waiting.popleft() for _ in range(len(waiting))]
            types = {message.event_type for message in batch}
            wanted: dict[BusSubscription, set[str]] = {}
            for event_type in types:
                for subscription in self._of(event_type):
                    wanted.setdefault(subscription, set()).add(event_type)
            for subscription, of_types in wanted.items():
                is_all = len(of_types) == len(types)
                subscription.give(batch if is_all else [m for m in batch if m.event_type in of_types])

    def _of(self, event_type: str) -> tuple[BusSubscription, ...]:
        found = self._by_type.get(event_type)
        if found is None:
            by_type = self._by_type
            if len(by_type) >= _MOST_TYPES:
                by_type.clear()
            found = tuple(s for s in self._subscriptions if matches(s.pattern, event_type))
            by_type[event_type] = found
        return found

    def _remove(self, subscription: BusSubscription) -> None:
        with self._lock:
            if subscription in self._subscriptions:
                self._turns.remove(subscription)
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
            self._by_type = {}
