"""Answers that take a while, and may never come, for whoever asks often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Latest(Generic[Answer]):
    """The newest answer to one question. It is asked once at a time, in a thread of its own, whoever wants
    it.

    ``ask`` asks it; an answer is good for ``seconds``, and is waited for ``patience`` seconds.
    """

    def __init__(self, ask: Callable[[], Answer], seconds: float, patience: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._patience = patience
        self._answer: Future[Answer] | None = None
        self._good_until = 0.0
        self._lock = threading.Lock()

    def get(self) -> Answer:
        """The answer. Raises what asking raised, and TimeoutError when none came in time."""
        with self._lock:
            answer = self._answer
            if answer is None or (answer.done() and time.monotonic() >= self._good_until):
                answer = self._answer = Future()
                threading.Thread(target=self._fetch, args=(answer,), name="latest", daemon=True).start()
        return answer.result(self._patience)

    def _fetch(self, answer: Future[Answer]) -> None:
        try:
            found = self._ask()
        except Exception as error:
            self._good_until = time.monotonic() + self._seconds
            answer.set_exception(error)
        else:
            self._good_until = time.monotonic() + self._seconds
            answer.set_result(found)
