"""The counters of the API's rates: no threads, and no more memory than callers of the last windows need."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from gndp.api import rates
from gndp.api.problems import Refused
from gndp.api.rates import Rates


def scope(host: str) -> dict[str, Any]:
    return {"type": "http", "client": (host, 1), "headers": []}


def counted(counting: Rates, host: str) -> bool:
    try:
        counting.count_address(scope(host))
    except Refused:
        return False
    return True


def test_counting_starts_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Rates("10/second", "off", needs_authentication=True)
    started: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", started.append)
    for number in range(100):
        counted(counting, f"192.0.2.{number}")
    assert started == []


def test_what_has_expired_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Rates("10/minute", "off", needs_authentication=True)
    for number in range(1_000):
        counting.count_user({}, f"user {number}")
    kept = counting._counters
    assert len(kept.storage) == len(kept.expirations) == 1_000
    later = time.time() + 121
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr(rates, "_LOOK_EVERY", 0.0)
    counting.count_user({}, "somebody else")
    assert len(kept.storage) == len(kept.expirations) == len(kept.locks) == 1


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "", True),
    ],
)
def test_whose_address_it_is(first: str, second: str, is_same: bool) -> None:
    counting = Rates("1/hour", "off", needs_authentication=True)
    assert counted(counting, first)
    assert counted(counting, second) is not is_same


def test_a_request_counts_once() -> None:
    counting = Rates("2/hour", "off", needs_authentication=True)
    request: dict[str, Any] = scope("192.0.2.1")
    counting.count_user(request, "ann")
    counting.count_user(request, "ann")
    counting.count_user({}, "ann")
    with pytest.raises(Refused):
        counting.count_user({}, "ann")


def test_an_address_is_not_a_user_of_that_name() -> None:
    counting = Rates("1/hour", "1/hour", needs_authentication=True)
    assert counted(counting, "192.0.2.1")
    counting.count_user({}, "192.0.2.1")
    counting.count_password(scope("192.0.2.1"))
