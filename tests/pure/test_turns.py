"""Callbacks of one browser session come in order, those of several side by side."""

from __future__ import annotations

import random
import time
from threading import Barrier, Event

import pytest
from bokeh.document import Document

from apps.turns import InTurn


def test_callbacks_of_one_session_come_in_order_one_at_a_time() -> None:
    document = Document()
    seen: list[int] = []
    running: list[int] = []
    chance = random.Random(5)
    pauses = [chance.random() / 500 for _ in range(100)]

    def note(_: Document, number: int) -> int:
        running.append(number)
        assert len(running) == 1
        time.sleep(pauses[number])
        seen.append(number)
        running.remove(number)
        return number

    with InTurn(4) as threads:
        futures = [threads.submit(note, document, number) for number in range(100)]
        assert [future.result(10) for future in futures] == list(range(100))
    assert seen == list(range(100))


def test_sessions_do_not_wait_for_each_other() -> None:
    together = Barrier(3, timeout=10)
    with InTurn(3) as threads:
        futures = [threads.submit(lambda _: together.wait(), Document()) for _ in range(2)]
        futures.append(threads.submit(together.wait))
        assert sorted(future.result(10) for future in futures) == [0, 1, 2]


def test_a_callback_that_fails_does_not_end_the_others() -> None:
    document, held = Document(), Event()

    def fail(_: Document) -> None:
        held.wait(10)
        raise ValueError("no")

    with InTurn(2) as threads:
        failed, after = threads.submit(fail, document), threads.submit(lambda _: "there", document)
        held.set()
        assert after.result(10) == "there"
        with pytest.raises(ValueError, match="no"):
            failed.result(10)
        assert threads._waiting == {}
