"""The one connection of a process that hears of commits: it wakes durable subscriptions, and reads the log
for the bus and the live streams."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from gndp.core.errors import DatabaseUnavailable, GndpError
from gndp.core.positions import Position, Snapshot
from gndp.events.log import LoggedEvent, Selection, current_position, next_batch
from gndp.store.listening import ListeningConnection
from gndp.store.queries import statement
from gndp.store.session import Database

POLL = 1.0
"""Seconds after which the log is looked at without having been told to."""

PACE = 0.02
"""Seconds between two looks while there is always something new."""

_PAGE = 500
_PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)

_log = logging.getLogger(__name__)


class Listener:
    """A thread that follows the log from when it was started; it reconnects by itself.

    ``hear`` is given every committed event, in windows, together with the position behind it, while
    ``is_wanted`` says so. ``wakes`` are set whenever something was committed, and once a second.
    ``position`` is behind what was heard last; while somebody holds ``hearing``, nothing is heard and it
    does not move.
    """

    def __init__(
        self,
        database: Database,
        hear: Callable[[list[tuple[LoggedEvent, Position]]], None],
        is_wanted: Callable[[], bool],
    ) -> None:
        self.wakes: set[threading.Event] = set()
        self.position: Position | None = None
        self._database = database
        self._hear = hear
        self._is_wanted = is_wanted
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.hearing = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> Position:
        """Follow the log from now on, or go on as before; the position that is followed from.

        Raises Conflict when the log is of another cluster, DatabaseUnavailable when there is no connection.
        """
        with self._lock:
            if self._stopping.is_set():
                raise DatabaseUnavailable("this workbench is closed")
            if self._thread is None:
                connection = ListeningConnection(self._database)
                try:
                    self.position = current_position(connection.read)
                except BaseException:
                    connection.close()
                    raise
                self._thread = threading.Thread(
                    target=self._follow, args=(connection,), name="event listener", daemon=True
                )
                self._thread.start()
            assert self.position is not None
            return self.position

    def stop(self) -> None:
        """Hear nothing any more."""
        with self._lock:
            self._stopping.set()
            if self._thread is None:
                return
            # When it fails, the connection that listens is as broken, and its thread notices by itself.
            with contextlib.suppress(GndpError):
                self._database.notify()
            self._thread.join(POLL + 5.0)
            self._thread = None

    def _follow(self, connection: ListeningConnection | None) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                if connection is None:
                    connection = ListeningConnection(self._database)
                    self._continue_from(current_position(connection.read))
                    _log.info("events are heard again")
                failures = 0
                self._look(connection)
            except GndpError as error:
                if failures == 0:
                    _log.warning("events are not heard at the moment: %s", error)
                if connection is not None:
                    connection.close()
                    connection = None
                self._stopping.wait(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1
            except Exception:
                _log.exception("events cannot be heard")
                self._stopping.wait(1.0)
        if connection is not None:
            connection.close()

    def _continue_from(self, now: Position) -> None:
        """A server that crashed may have lost transactions that were not on disk yet, with their numbers."""
        assert self.position is not None
        if Snapshot.parse(self.position.read_to).end > Snapshot.parse(now.read_to).end:
            _log.warning("the database has lost its last moments; events are heard from now on")
            self.position = now

    def _look(self, connection: ListeningConnection) -> None:
        began = time.monotonic()
        if self._is_wanted():
            self._read(connection)
        else:
            self._skip(connection)
        for wake in list(self.wakes):
            wake.set()
        self._stopping.wait(max(0.0, began + PACE - time.monotonic()))
        connection.wait(0.0 if self._stopping.is_set() else POLL)

    def _read(self, connection: ListeningConnection) -> None:
        assert self.position is not None
        while not self._stopping.is_set():
            batch = next_batch(connection.read, self.position, Selection(), _PAGE)
            heard = [(logged, batch.behind(n + 1)) for n, logged in enumerate(batch.events)]
            with self.hearing:
                self._hear(heard)
                self.position = batch.end
            if not batch.events or batch.is_end:
                return

    def _skip(self, connection: ListeningConnection) -> None:
        """Nobody wants to hear: whoever comes next hears from now on."""
        ((now,),) = connection.read(statement("event_log", "now"))
        with self.hearing:
            if not self._is_wanted():  # somebody may have come meanwhile
                self.position = Position(now[1], now[0], now[0], 0)
