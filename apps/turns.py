"""What one browser says is handled in its order, one thing at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any

from bokeh.document import Document


class InTurn(ThreadPoolExecutor):
    """Threads for callbacks: those of one browser session take turns, sessions go on side by side.

    Panel hands what was typed into a field and the click that follows it to two threads; in any two threads
    the click could be handled first, without what was typed.
    """

    def __init__(self, threads: int) -> None:
        super().__init__(threads, thread_name_prefix="browsers")
        self._waiting: dict[Document, deque[tuple[Future[Any], Callable[[], Any]]]] = {}
        self._guard = Lock()

    def submit(self, call: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        """Call it in a thread; where it is about a document, after all that was to be called for that one."""
        document = next((value for value in given if isinstance(value, Document)), None)
        if document is None:
            return super().submit(call, *given, **named)
        future: Future[Any] = Future()
        with self._guard:
            is_idle = document not in self._waiting
            self._waiting.setdefault(document, deque()).append((future, partial(call, *given, **named)))
        if is_idle:
            super().submit(self._work, document)
        return future

    def _work(self, document: Document) -> None:
        with self._guard:
            future, call = self._waiting[document].popleft()
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)
        with self._guard:
            is_done = not self._waiting[document]
            if is_done:
                del self._waiting[document]
        if not is_done:  # behind what other sessions wait for
            super().submit(self._work, document)
