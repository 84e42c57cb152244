"""Events for whoever reacts to them: ``wb.events``."""

from __future__ import annotations

import builtins
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from gndp.core import arguments
from gndp.core.errors import Conflict, Invalid, NotFound, Problem
from gndp.core.patterns import validated_pattern
from gndp.core.positions import Position, Snapshot
from gndp.core.records import Delivery, Event, Subscription, Writer
from gndp.core.states import DeliveryStatus
from gndp.core.values import parse_id, require_aware
from gndp.engine.transition import Transitions
from gndp.events.bus import HISTORY, Bus, BusSubscription, Handler, Heard, Message
from gndp.events.listener import Listener
from gndp.events.live import LiveStream, LiveStreams
from gndp.events.log import (
    FIRST_SNAPSHOT,
    LoggedEvent,
    Selection,
    current_position,
    refuse_other_cluster,
    refuse_position,
)
from gndp.events.rebase import rebase
from gndp.events.subscriptions import DurableSubscription, Terms
from gndp.store.queries import statement
from gndp.store.session import Database

_MOST_WAITING = 10_000
_MOST_PARKED = 1_000


class Events:
    """Hear what is committed, by whichever process; publish messages within this one.

    Patterns are an event type (``task.completed``), a prefix (``sla.*``) or ``*``. Three ways to hear:
    ``subscribe`` for handlers in this process while it runs, ``subscribe_durable`` for handlers that must
    be given every event, ``live`` for streams to browsers and programs. Nothing runs until the first is
    asked for.
    """

    def __init__(self, transitions: Transitions) -> None:
        self._transitions = transitions
        self._bus = Bus()
        self._streams = LiveStreams()
        self._listener = Listener(transitions.database, self._hear, self._is_heard)
        self._durable: dict[str, DurableSubscription] = {}
        self._leases: Database | None = None
        self._lock = threading.Lock()

    # In this process -----------------------------------------------------------------------------------

    def subscribe(self, pattern: str, handler: Handler) -> BusSubscription:
        """Give ``handler`` every event that matches and is committed from now on, and every such message.

        It is called in a thread of the bus, one event at a time, with an Event or a Message; a coroutine
        function has a thread and an event loop of its own. What it raises is logged. A handler that is more
        than 10,000 events behind misses some, which is logged and counted (``missed``). Events come in the
        order of each process. ``close`` ends it.
        """
        pattern = validated_pattern(pattern)
        _refuse_no_handler(handler)
        self._listener.start()
        with self._listener.hearing:  # so that nothing is heard between now and the handler's being there
            now = current_position(self._transitions.database.read)
            return self._bus.subscribe(pattern, handler, Snapshot.parse(now.read_to))

    def publish(
        self,
        event_type: str,
        data: Mapping[str, Any],
        source: str | None = None,
        correlation_id: str | None = None,
    ) -> Message:
        """Give a message to the handlers of this process that it is for. It is kept nowhere and may be lost.

        ``data`` is copied, and cannot be changed by a handler. In a handler, what it was given is the
        message's cause, and its correlation id the default.
        """
        if not isinstance(data, Mapping):
            raise Invalid(Problem("data", f"must be a mapping, not {type(data).__name__}"))
        return self._bus.publish(_type(event_type), data, source, correlation_id)

    def history(self, limit: int = 100) -> builtins.list[Heard]:
        """The newest events and messages that this process has heard, newest first; ``limit`` is 1–1,000.

        Committed events are heard while there is a handler or a stream.
        """
        return self._bus.history(arguments.whole_number(limit, "limit", least=1, most=HISTORY))

    # Streams -------------------------------------------------------------------------------------------

    def live(
        self, pattern: str = "*", *, process_id: UUID | str | None = None, after: str | None = None
    ) -> LiveStream:
        """The events that match (of one process, if you like) as a stream: those committed from now on, or
        those behind ``after``, the position of an event that a stream gave before, here or elsewhere.

        Raises Invalid for a position that is none, Conflict for one of another database or beyond the log.
        """
        process = None if process_id is None else parse_id(process_id, "process_id")
        selection = Selection(validated_pattern(pattern), None, process)
        self._listener.start()
        read = self._transitions.database.read
        reached = None if after is None else Position.parse(after)
        with self._listener.hearing:  # so that nothing is heard between now and the stream's being there
            now = current_position(read)
            start = reached or now
            refuse_position(start, now)
            stream = LiveStream(selection, start, read, self._streams.remove)
            self._streams.add(stream)
            until = self._listener.position
        if after is not None and until is not None:
            stream.begin_with_backlog(until)
        return stream

    def require_sight(self, process_id: UUID | str | None = None) -> None:
        """Raise Forbidden unless a stream of all events, or of those of a process, may be had: a stream that
        was given once does not ask again. On a workbench that acts for nobody it may."""

    def beginning(self) -> str:
        """The position before the first event, for a stream of all that there is."""
        now = current_position(self._transitions.database.read)
        return now._replace(read_from=FIRST_SNAPSHOT, read_to=FIRST_SNAPSHOT).token

    # Durable subscriptions -----------------------------------------------------------------------------

    def subscribe_durable(
        self,
        name: str,
        pattern: str,
        handler: Handler,
        start: Literal["now", "beginning"] | datetime = "now",
        *,
        max_attempts: int = 8,
        timeout: float = 300.0,
    ) -> DurableSubscription:
        """Give ``handler`` every event that matches, at least once, those of a process in order; go on
        where the subscription of this name stands, if there is one.

        ``start`` says where a new one begins: now, at the first event, or at an instant (aware; events
        whose ``timestamp`` is earlier are left out). Of all processes that subscribe under a name one at a
        time is given events; another takes over within 12 seconds. After ``max_attempts`` failures, each
        after a longer pause, an event is dead (``dead``); ``timeout`` seconds (1–86,400) without an answer
        are a failure. Because an event can come twice, a handler's effects should be idempotent: the
        event's ``id`` makes a good idempotency key.

        Raises Conflict when the name belongs to another pattern, or this process reads it already.
        """
        name = arguments.name(name, "name")
        pattern = validated_pattern(pattern)
        _refuse_no_handler(handler)
        terms = Terms(
            arguments.whole_number(max_attempts, "max_attempts", least=1, most=100),
            _seconds(timeout, "timeout"),
        )
        is_from_now, starts_at = _start(start)
        with self._lock:
            if name in self._durable:
                raise Conflict(f"this process has a handler for the subscription {name} already")
            created_at = self._create(name, pattern, is_from_now, starts_at)
            self._listener.start()
            subscription = DurableSubscription(
                self._transitions,
                self._lease_connections(),
                name,
                created_at,
                handler,
                terms,
                _holder(),
                self._close,
            ).start()
            self._listener.wakes.add(subscription.wake)
            self._durable[name] = subscription
        return subscription

    def subscriptions(self) -> builtins.list[Subscription]:
        """Every durable subscription of the database, by name: who reads it, and how far it has come."""
        (rows,) = self._transitions.read(statement("subscriptions", "list", most=_MOST_WAITING))
        return [Subscription._make(row) for row in rows]

    def unsubscribe(self, name: str) -> None:
        """Remove a durable subscription with its position and what is parked; NotFound when there is none.

        A process that reads it stops doing so.
        """
        name = arguments.name(name, "name")
        (rows,) = self._transitions.write(statement("subscriptions", "remove", name=name))
        if not rows:
            raise NotFound("subscription", name)
        subscription = self._durable.get(name)
        if subscription is not None:
            subscription.close()

    def parked(
        self,
        name: str | None = None,
        *,
        status: str | None = None,
        limit: int = 100,
    ) -> builtins.list[Delivery]:
        """Events that a durable subscription (or any) has passed without their being handled, oldest first:
        those whose ``status`` is retrying, behind or dead, or all."""
        name = None if name is None else self._known(name)
        if status is not None and status not in tuple(DeliveryStatus):
            raise Invalid(Problem("status", f"must be one of {', '.join(DeliveryStatus)}"))
        most = arguments.whole_number(limit, "limit", least=1, most=_MOST_PARKED)
        (rows,) = self._transitions.read(
            statement("subscriptions", "parked", name=name, status=status, most=most)
        )
        return [Delivery._make((*row[:6], Event._make(row[7:]))) for row in rows]

    def dead(self, name: str | None = None, *, limit: int = 100) -> builtins.list[Delivery]:
        """The events at which the handler of a durable subscription (or of any) has failed too often."""
        return self.parked(name, status="dead", limit=limit)

    def replay(self, name: str, seqs: Sequence[int] | None = None) -> int:
        """Give the dead events of a subscription (or those with these ``seq``) to its handler again; how
        many.

        They come as if they had failed for the first time, and later events of their process wait for them.
        """
        return self._of_dead("replay", name, seqs)

    def discard(self, name: str, seqs: Sequence[int] | None = None) -> int:
        """Give up the dead events of a subscription (or those with these ``seq``) for good; how many."""
        return self._of_dead("discard", name, seqs)

    # The log -------------------------------------------------------------------------------------------

    def oldest_writer(self) -> Writer | None:
        """The transaction that has been writing for longest on the database's server, in any of its
        databases.

        It holds no reader up; what it writes is read when it has committed.
        """
        (rows,) = self._transitions.read(statement("event_log", "oldest_writer"))
        return Writer._make(rows[0]) if rows else None

    def rebase(self) -> bool:
        """Tell all positions anew after the database was restored into another cluster; False when there is
        nothing to do. Subscriptions lose no event by it; some are given events again."""
        return rebase(self._transitions)

    def end_streams(self) -> None:
        """End every live stream of this process, now and from now on; handlers go on."""
        self._streams.close()

    def close(self) -> None:
        """End every handler and stream of this process; what durable ones have handled is kept."""
        for subscription in list(self._durable.values()):
            subscription.close()
        self._listener.stop()
        self._streams.close()
        self._bus.close()
        if self._leases is not None:
            self._leases.close()

    def _hear(self, heard: builtins.list[tuple[LoggedEvent, Position]]) -> None:
        for logged, _ in heard:
            self._bus.give(logged)
        self._streams.give(heard)

    def _is_heard(self) -> bool:
        return self._bus.is_heard or self._streams.is_heard

    def _create(self, name: str, pattern: str, is_from_now: bool, starts_at: datetime | None) -> datetime:
        """The subscription of a name is there; when it was made."""
        new = {"name": name, "pattern": pattern, "is_from_now": is_from_now, "starts_at": starts_at}
        same, _, found = self._transitions.write(
            statement("event_log", "is_of_this_cluster"),
            statement("subscriptions", "create", **new),
            statement("subscriptions", "pattern", name=name),
        )
        refuse_other_cluster(same[0][0])
        its_pattern: str
        created_at: datetime
        its_pattern, created_at = found[0]
        if its_pattern != pattern:
            raise Conflict(f"the subscription {name} is one to {its_pattern}, not to {pattern}")
        return created_at

    def _lease_connections(self) -> Database:
        if self._leases is None:
            self._leases = self._transitions.database.beside()
            self._leases.open()
        return self._leases

    def _close(self, subscription: DurableSubscription) -> None:
        self._listener.wakes.discard(subscription.wake)
        self._durable.pop(subscription.name, None)

    def _known(self, name: str) -> str:
        name = arguments.name(name, "name")
        (rows,) = self._transitions.read(statement("subscriptions", "pattern", name=name))
        if not rows:
            raise NotFound("subscription", name)
        return name

    def _of_dead(self, verb: str, name: str, seqs: Sequence[int] | None) -> int:
        wanted = (
            None
            if seqs is None
            else [arguments.whole_number(s, "seqs", least=1, most=2**63 - 1) for s in seqs]
        )
        (rows,) = self._transitions.write(
            statement("subscriptions", verb, name=self._known(name), seqs=wanted)
        )
        count: int = rows[0][0]
        return count


def _type(event_type: str) -> str:
    if validated_pattern(event_type).endswith("*"):
        raise Invalid(Problem("event_type", f"must be one type, not {event_type}"))
    return event_type


def _start(start: object) -> tuple[bool, datetime | None]:
    """Whether a subscription starts from now, and the instant before which it leaves events out."""
    if isinstance(start, datetime):
        return False, require_aware(start, "start")
    if start not in ("now", "beginning"):
        raise Invalid(Problem("start", "must be now, beginning or an instant with a time zone"))
    return start == "now", None


def _seconds(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 86_400:
        raise Invalid(Problem(place, "must be seconds from 1 to 86,400"))
    return float(value)


def _refuse_no_handler(handler: object) -> None:
    if not isinstance(handler, Callable):  # type: ignore[arg-type]
        raise Invalid(Problem("handler", "must be a function of one event"))


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
