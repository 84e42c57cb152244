"""What changes in the database shows on open pages: one stream of committed events for all of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from gndp.core.errors import GndpError
from gndp.events.live import ListenerDropped

if TYPE_CHECKING:
    from gndp.core.records import Event
    from gndp.workbench import Workbench

PACE = 0.5
"""Seconds between two refreshes of a page, at least."""

FALLBACK = 30.0
"""Seconds after which a page is refreshed though nothing was heard: lists also change by the clock."""

_TICK = 0.1
_THREADS = 4

_log = logging.getLogger(__name__)


class Listening:
    """A page that is told of changes. ``refresh`` is called in a thread, never twice at once."""

    def __init__(self, live: Live, refresh: Callable[[], None], concerns: Callable[[Event], bool]) -> None:
        self._live = live
        self._refresh = refresh
        self.concerns = concerns
        self.is_stale = False
        self.is_busy = False
        self.done_at = time.monotonic()

    def close(self) -> None:
        """Be told no more."""
        self._live.remove(self)

    def is_due(self, now: float) -> bool:
        """Whether it is time to refresh."""
        waited = now - self.done_at
        return not self.is_busy and (waited > FALLBACK or (self.is_stale and waited > PACE))

    def run(self) -> None:
        """Refresh."""
        try:
            self._refresh()
        except Exception:
            _log.exception("a page could not be refreshed")
        finally:
            self.done_at = time.monotonic()
            self.is_busy = False


class Live:
    """Tells the pages of this process what was committed, in whichever process.

    ``workbench`` is one that may read every event; pages read what they show with their own rights.
    """

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._pages: set[Listening] = set()
        self._guard = threading.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pages")
        self._is_started = False

    def listen(
        self, refresh: Callable[[], None], concerns: Callable[[Event], bool] = lambda _: True
    ) -> Listening:
        """Call ``refresh`` soon after each event that it ``concerns``, and every 30 seconds."""
        page = Listening(self, refresh, concerns)
        with self._guard:
            self._pages.add(page)
            if not self._is_started:
                self._is_started = True
                threading.Thread(target=self._hear, name="live pages", daemon=True).start()
                threading.Thread(target=self._tick, name="paced pages", daemon=True).start()
        return page

    def remove(self, page: Listening) -> None:
        """Tell a page no more."""
        with self._guard:
            self._pages.discard(page)

    def _hear(self) -> None:
        after: str | None = None
        while True:
            try:
                with self._workbench.events.live(after=after) as stream:
                    for heard in stream:
                        self._tell(heard.event)
                self._is_started = False  # the workbench ends its streams when it is closed
                return
            except ListenerDropped as dropped:
                after = dropped.position
            except GndpError as error:
                _log.warning("live pages: %s", error)
                after = None
                time.sleep(1.0)
            self._tell(None)

    def _tell(self, event: Event | None) -> None:
        with self._guard:
            pages = list(self._pages)
        for page in pages:
            page.is_stale = page.is_stale or event is None or page.concerns(event)

    def _tick(self) -> None:
        while self._is_started:
            time.sleep(_TICK)
            now = time.monotonic()
            with self._guard:
                due = [page for page in self._pages if page.is_due(now)]
            for page in due:
                page.is_stale, page.is_busy = False, True
                self._threads.submit(page.run)
