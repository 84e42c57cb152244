"""Threads that give handlers their turns.

Quick handlers share one thread: with a thread for each, more time goes into handing over the interpreter's
lock than into the handlers. One that keeps the others waiting stays with the thread that it keeps, and the
others get a new one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

PATIENCE = 0.02
"""Seconds for which a handler may keep the others waiting, once."""


class Served(Protocol):
    """What is given turns."""

    thread: TurnThread
    """Where it has them."""

    @property
    def has_work(self) -> bool:
        """Whether it wants one."""

    def turn(self) -> None:
        """Do some of what waits."""

    def end(self) -> None:
        """There will be no more turns."""


class TurnThread:
    """A thread that gives turns to those that it serves, in their order, and sleeps while none has work.

    ``collect`` is called before each round, to bring in what is to be shared out; ``awake`` is set whenever
    the thread goes to work.
    """

    def __init__(
        self, name: str, collect: Callable[[], None] = lambda: None, awake: threading.Event | None = None
    ) -> None:
        self.is_asleep = False
        self._collect = collect
        self._awake = awake or threading.Event()
        self._serves: tuple[Served, ...] = ()
        self._turns = 0
        self._at: Served | None = None
        self._is_closed = False
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Begin to give turns."""
        self._thread.start()

    def wake(self) -> None:
        """There is work. A thread that is awake finds it by itself."""
        if self.is_asleep:
            self._wake.set()

    def close(self) -> None:
        """End after the turn that is being taken."""
        self._is_closed = True
        self._wake.set()

    def add(self, *served: Served) -> None:
        """Serve more."""
        with self._lock:
            self._serves += served
            for one in served:
                one.thread = self
        self.wake()

    def remove(self, served: Served) -> None:
        """Serve one less."""
        with self._lock:
            self._serves = tuple(one for one in self._serves if one is not served)

    @property
    def progress(self) -> int:
        """How many turns have begun."""
        return self._turns

    def keep_only_stuck(self, progress: int) -> tuple[Served, ...] | None:
        """If no turn has begun since ``progress``: keep the one whose turn it is, and give away the others
        (and what is collected). None when it is not stuck.

        One that was removed in its own turn is not kept: the thread ends after it.
        """
        with self._lock:
            stuck = self._at
            if stuck is None or self._turns != progress:
                return None
            others = tuple(one for one in self._serves if one is not stuck)
            self._serves = tuple(one for one in self._serves if one is stuck)
            self._collect = lambda: None
            if not self._serves:
                self.close()
            return others

    @property
    def is_closed(self) -> bool:
        """Whether it ends, or has ended."""
        return self._is_closed

    def _work(self) -> None:
        self._awake.set()
        while not self._is_closed:
            self._collect()
            serves = self._serves
            for served in serves:
                if served.has_work:
                    self._give_turn(served)
            if not any(served.has_work for served in serves):
                self._sleep()
        for served in self._serves:
            served.end()

    def _give_turn(self, served: Served) -> None:
        with self._lock:
            if served not in self._serves:
                return
            self._turns += 1
            self._at = served
        served.turn()
        self._at = None

    def _sleep(self) -> None:
        self._wake.clear()
        self.is_asleep = True
        self._collect()
        if not self._is_closed and not any(served.has_work for served in self._serves):
            self._wake.wait()
        self.is_asleep = False
        if not self._awake.is_set():
            self._awake.set()


class Turns:
    """The threads of one bus: one for all that are quick, and one for each that is not.

    ``collect`` is called in the shared thread before each round.
    """

    def __init__(self, collect: Callable[[], None]) -> None:
        self._collect = collect
        self._awake = threading.Event()
        self._lock = threading.Lock()
        self._shared: TurnThread | None = None
        self._own: list[TurnThread] = []
        self._is_closed = False

    def add(self, served: Served, is_slow: bool) -> None:
        """Give turns to one more; ``is_slow`` says that it needs a thread of its own from the beginning."""
        with self._lock:
            if is_slow:
                thread = TurnThread("slow event handler")
                self._own.append(thread)
            else:
                thread = self._shared_thread()
            thread.add(served)
            if is_slow:
                thread.start()

    def remove(self, served: Served) -> None:
        """Give no more turns to one."""
        with self._lock:
            if served.thread in self._own:
                self._own.remove(served.thread)
                served.thread.close()
            else:
                served.thread.remove(served)

    def wake(self) -> None:
        """There is something to collect."""
        shared = self._shared
        if shared is None:
            with self._lock:
                if self._is_closed:
                    return
                shared = self._shared_thread()
        shared.wake()

    def close(self) -> None:
        """End every thread after the turn that it gives."""
        with self._lock:
            self._is_closed = True
            for thread in (*self._own, *filter(None, [self._shared])):
                thread.close()
            self._awake.set()

    def _shared_thread(self) -> TurnThread:
        if self._shared is None:
            self._shared = self._new_shared_thread()
            self._shared.start()
            threading.Thread(target=self._look_out, name="slow event handlers", daemon=True).start()
        return self._shared

    def _new_shared_thread(self) -> TurnThread:
        return TurnThread("event handlers", self._collect, self._awake)

    def _look_out(self) -> None:
        """Move on without a handler that keeps the others waiting."""
        while not self._is_closed:
            self._awake.wait()
            with self._lock:
                shared = self._shared
            assert shared is not None
            progress = shared.progress
            time.sleep(PATIENCE)
            shared = self._leave_behind(shared, progress)
            self._awake.clear()
            if not shared.is_asleep or self._is_closed:
                self._awake.set()

    def _leave_behind(self, shared: TurnThread, progress: int) -> TurnThread:
        """Let the others have a new thread, if one keeps them waiting; the thread that they share now."""
        with self._lock:
            others = shared.keep_only_stuck(progress)
            if others is None or self._is_closed:
                return shared
            if not shared.is_closed:
                self._own.append(shared)
            self._shared = self._new_shared_thread()
            self._shared.add(*others)
            self._shared.start()
            return self._shared
