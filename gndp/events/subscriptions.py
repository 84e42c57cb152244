"""Durable subscriptions: a handler is given every event at least once, those of a process in order.

Each has a row with its position, so it goes on where it stood, in whichever process takes it next; a lease
lets one process at a time read it. What a handler has been given is kept before the next batch, by a
transaction that the lease fences; whatever was given and not kept (a kill, a lost lease) is given again. An
event at which the handler fails is parked and tried again after 1, 2, 4, … seconds, and the later events of
its process wait behind it, while those of others go on. When it has failed too often it is dead: the
process's next events go on, and somebody must look (``Events.dead``).

A handler that ends its process has failed, too, though nobody is left to say so. So whoever takes over from a
process that did not stop by itself gives the events that this one may have been at one by one, each with its
failure written beforehand.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gndp.core.errors import Conflict, DatabaseUnavailable, NotFound
from gndp.core.positions import Position
from gndp.core.records import Event
from gndp.core.states import DeliveryStatus
from gndp.engine.transition import Transitions
from gndp.events.bus import Handler
from gndp.events.deliveries import Deliverer, Outcome
from gndp.events.log import Batch, LoggedEvent, Selection, logged, next_batch, refuse_other_cluster
from gndp.store.lease import Lease, Reign
from gndp.store.queries import Statement, statement
from gndp.store.session import Database

POLL = 1.0
"""Seconds after which the log is looked at without having been told to."""

PACE = 0.05
"""Seconds between two looks while there is always something new: together they cost less than one by one."""

LONGEST_DELAY = 300.0
"""Seconds between two attempts, at most."""

_PAGE = 500
_UNPROVED = 2 * _PAGE
_ENDED = Outcome("failed", "the process ended while the event was handled")
_HELD = Outcome("held")
_KEEP_EVERY = 10.0

_log = logging.getLogger(__name__)


class Terms(NamedTuple):
    """How a subscription bears with its handler: after ``max_attempts`` failures an event is dead, and
    ``timeout`` seconds without an answer are a failure."""

    max_attempts: int
    timeout: float


class DurableSubscription:
    """A durable subscription as this process takes part in it, until ``close``.

    ``is_reading`` says whether this process is the one that reads it now.
    """

    def __init__(
        self,
        transitions: Transitions,
        leases: Database,
        name: str,
        created_at: datetime,
        handler: Handler,
        terms: Terms,
        holder: str,
        on_close: Callable[[DurableSubscription], None],
    ) -> None:
        self.name = name
        self.wake = threading.Event()
        self._transitions = transitions
        self._created_at = created_at
        self._terms = terms
        self._on_close = on_close
        self._stopping = threading.Event()
        self._deliverer = Deliverer(name, handler, terms.timeout, self._stopping)
        self._lease = Lease(transitions.database, f"subscription: {name}", holder, shared=leases)
        self._thread = threading.Thread(target=self._run, name=f"subscription {name}", daemon=True)
        self._held: set[UUID] = set()
        self._position = Position("", "", "", 0)
        self._selection = Selection()
        self._epoch: int | None = None
        self._unproved = 0
        self._kept_at = 0.0
        self._look_at = 0.0

    @property
    def is_reading(self) -> bool:
        """Whether this process reads the subscription now."""
        return self._epoch is not None and self._lease.reign is not None

    def start(self) -> DurableSubscription:
        """Begin to take part; DatabaseUnavailable when the database is away."""
        self._lease.start()
        self._thread.start()
        return self

    def close(self) -> None:
        """Take part no more: what was handled is kept, and another process may go on at once."""
        self._on_close(self)
        self._stopping.set()
        self.wake.set()
        self._thread.join(10.0)
        self._deliverer.close()
        self._lease.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.wake.clear()
            began = time.monotonic()
            try:
                pause = self._turn()
            except NotFound:
                _log.warning("the subscription %s was removed; it is read here no more", self.name)
                self._on_close(self)
                self._deliverer.close()
                self._lease.stop()
                return
            except Conflict as conflict:
                self._epoch = None
                _log.warning("the subscription %s: %s", self.name, conflict)
                self._stopping.wait(POLL)
            except DatabaseUnavailable as error:
                self._epoch = None
                _log.warning("the subscription %s: %s", self.name, error)
                self._stopping.wait(POLL)
            except Exception:
                self._epoch = None
                _log.exception("the subscription %s", self.name)
                self._stopping.wait(POLL)
            else:
                self._stopping.wait(max(0.0, min(PACE, pause) - (time.monotonic() - began)))
                self.wake.wait(pause)

    def _turn(self) -> float:
        """Handle what there is; how many seconds there will be nothing to do, unless it is woken."""
        reign = self._lease.reign
        if reign is None:
            self._epoch = None
            return 0.2
        if reign.epoch != self._epoch:
            self._take_up(reign)
            self._epoch = reign.epoch
        delay = self._retry(reign)
        is_more = self._read_on(reign)
        return 0.0 if is_more else min(POLL, delay)

    def _take_up(self, reign: Reign) -> None:
        """Go on where whoever read last has kept the position."""
        same, found, held = self._transitions.database.read(
            statement("event_log", "is_of_this_cluster"),
            statement("subscriptions", "get", name=self.name, created_at=self._created_at),
            statement("subscriptions", "held_processes", name=self.name),
        )
        refuse_other_cluster(same[0][0])
        if not found:
            raise NotFound("subscription", self.name)
        pattern, starts_at, read_from, read_to, last_seq = found[0]
        self._selection = Selection(pattern, starts_at)
        self._position = Position("", read_from, read_to, last_seq)
        self._held = {process_id for (process_id,) in held}
        self._unproved = _UNPROVED if reign.is_after_loss else 0
        self._kept_at = time.monotonic()

    def _read_on(self, reign: Reign) -> bool:
        """Handle the next batch; whether there is more at once."""
        most = 1 if self._unproved else _PAGE
        batch = next_batch(self._transitions.database.read, self._position, self._selection, most)
        if not batch.events:
            self._unproved = 0
            self._position = batch.end
            if time.monotonic() - self._kept_at > _KEEP_EVERY:
                self._keep(reign, batch, [])
            return False
        if self._unproved:
            self._read_one(reign, batch)
            return True
        outcomes = self._deliverer.deliver([logged.event for logged in batch.events], self._held)
        self._keep(reign, batch, outcomes)
        return len(outcomes) < len(batch.events) or not batch.is_end

    def _read_one(self, reign: Reign, batch: Batch) -> None:
        """Handle a batch of one event at which the process that read before may have ended."""
        self._unproved -= 1
        (only,) = batch.events
        if only.event.process_instance_id in self._held:
            self._keep(reign, batch, [_HELD])
        elif not self._stopping.is_set():
            self._attempt(reign, 1, only, self._moved(batch, 1))
            self._passed(batch.behind(1))

    def _keep(self, reign: Reign, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Keep what became of the first events of a batch, and the position behind them."""
        parked = [
            self._parked(event, outcome, 1)
            for (_, event), outcome in zip(batch.events, outcomes, strict=False)
            if outcome.status != "handled"
        ]
        self._write(reign, self._moved(batch, len(outcomes)), *([self._park(parked)] if parked else []))
        self._passed(batch.behind(len(outcomes)))
        self._held |= {row["process_instance_id"] for row in parked if row["status"] != DeliveryStatus.DEAD}

    def _moved(self, batch: Batch, count: int) -> Statement:
        """Move the position behind the first ``count`` events of a batch."""
        position = batch.behind(count)
        return statement(
            "subscriptions",
            "move",
            name=self.name,
            created_at=self._created_at,
            read_from=position.read_from,
            read_to=position.read_to,
            last_seq=position.last_seq,
            passed=count,
            passed_seqs=sum(event.seq for _, event in batch.events[:count]),
        )

    def _passed(self, position: Position) -> None:
        self._position = position
        self._kept_at = time.monotonic()

    def _retry(self, reign: Reign) -> float:
        """Try what is due again; seconds until the next is due.

        While nothing is known to be parked it is looked for once a second: somebody may replay what is dead.
        """
        if not self._held and time.monotonic() < self._look_at:
            return POLL
        self._look_at = time.monotonic() + POLL
        due, next_due, stranded = self._transitions.database.read(
            statement("subscriptions", "due", name=self.name, most=_PAGE),
            statement("subscriptions", "next_due", name=self.name),
            statement("subscriptions", "stranded", name=self.name),
        )
        for (process_id,) in stranded:
            self._catch_up(reign, process_id)
        for row in due:
            if self._stopping.is_set():
                return 0.0
            attempts, failed = row[0], logged(row[1:])
            if attempts >= self._terms.max_attempts:  # its last attempt ended the process
                self._write(reign, self._park([self._parked(failed.event, _ENDED, attempts)]))
            if attempts >= self._terms.max_attempts or self._attempt(reign, attempts + 1, failed):
                self._catch_up(reign, failed.event.process_instance_id)
        seconds = next_due[0][0]
        return 0.0 if due else POLL if seconds is None else max(0.0, seconds)

    def _attempt(self, reign: Reign, attempt: int, given: LoggedEvent, *also: Statement) -> bool:
        """Handle one event, its failure written first; whether it is out of the way: handled, or dead."""
        self._write(reign, *also, self._parking([self._failed(given.event, _ENDED, attempt)]))
        outcome = next(iter(self._deliverer.deliver([given.event], set())), _ENDED)
        if outcome.status == "handled":
            self._write(reign, self._delivered([given]))
            return True
        row = self._parked(given.event, outcome, attempt)
        self._write(reign, self._park([row]))
        if row["status"] == DeliveryStatus.DEAD:
            return True
        self._held.add(given.event.process_instance_id)
        return False

    def _catch_up(self, reign: Reign, process_id: UUID) -> None:
        """Handle what has waited behind an event that is out of the way, until one fails or has failed."""
        while not self._stopping.is_set():
            rows, is_held = self._transitions.database.read(
                statement("subscriptions", "behind", name=self.name, process_id=process_id, most=_PAGE),
                statement("subscriptions", "is_held", name=self.name, process_id=process_id),
            )
            if not rows:
                if is_held[0][0]:
                    self._held.add(process_id)
                else:
                    self._held.discard(process_id)
                return
            waiting = [logged(row[1:]) for row in rows]
            if self._unproved:
                self._unproved -= 1
                if self._attempt(reign, 1, waiting[0]):
                    continue
                return
            outcomes = self._deliverer.deliver([event for _, event in waiting], set())
            handled = [w for w, o in zip(waiting, outcomes, strict=False) if o.status == "handled"]
            failed = [(w, o) for w, o in zip(waiting, outcomes, strict=False) if o.status == "failed"]
            parked = [self._parked(event, outcome, 1) for (_, event), outcome in failed]
            self._write(reign, self._delivered(handled), *([self._park(parked)] if parked else []))
            if any(row["status"] == DeliveryStatus.RETRYING for row in parked):
                return

    def _parked(self, event: Event, outcome: Outcome, attempts: int) -> dict[str, Any]:
        row = self._failed(event, outcome, attempts)
        if outcome.status == "held":
            return {**row, "status": DeliveryStatus.BEHIND, "attempts": 0, "delay": None}
        if attempts >= self._terms.max_attempts:
            return {**row, "status": DeliveryStatus.DEAD, "delay": None}
        return row

    def _failed(self, event: Event, outcome: Outcome, attempts: int) -> dict[str, Any]:
        """A delivery that is to be tried again."""
        return {
            "seq": event.seq,
            "process_instance_id": event.process_instance_id,
            "error": outcome.error,
            "status": DeliveryStatus.RETRYING,
            "attempts": attempts,
            "delay": min(LONGEST_DELAY, 2.0 ** (attempts - 1)),
        }

    def _park(self, rows: list[dict[str, Any]]) -> Statement:
        for row in rows:
            if row["status"] == DeliveryStatus.DEAD:
                _log.error("the event %d is dead for %s: %s", row["seq"], self.name, row["error"])
        return self._parking(rows)

    def _parking(self, rows: list[dict[str, Any]]) -> Statement:
        return statement("subscriptions", "park", name=self.name, rows=orjson.dumps(rows).decode())

    def _delivered(self, events: Sequence[LoggedEvent]) -> Statement:
        return statement(
            "subscriptions", "delivered", name=self.name, seqs=[event.seq for _, event in events]
        )

    def _write(self, reign: Reign, *statements: Statement) -> None:
        with self._transitions.database.transaction(reign.fence) as transaction:
            transaction.run(*statements, commit=True)
