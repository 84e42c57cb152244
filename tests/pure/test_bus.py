"""The bus by itself: order, isolation, and what closing does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gndp.core.positions import Snapshot
from gndp.events.bus import Bus, Handler, Message
from gndp.events.turns import PATIENCE

NOW = Snapshot.parse("1:1:")


@pytest.fixture
def bus() -> Iterator[Bus]:
    bus = Bus()
    yield bus
    bus.close()


def publish(bus: Bus, number: int, event_type: str = "test.number") -> None:
    bus.publish(event_type, {"number": number}, None, None)


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come")


class Listener:
    """A handler that notes what it hears; ``delay`` seconds each, or until ``gate`` opens."""

    def __init__(self, delay: float = 0, gate: threading.Event | None = None) -> None:
        self.heard: list[int] = []
        self.threads: set[int] = set()
        self._delay = delay
        self._gate = gate

    def __call__(self, message: Message) -> None:
        self.threads.add(threading.get_ident())
        if self._gate is not None:
            self._gate.wait()
        if self._delay:
            time.sleep(self._delay)
        self.heard.append(message.data["number"])


def subscribe(bus: Bus, *handlers: Handler) -> list[Any]:
    return [bus.subscribe("test.*", handler, NOW) for handler in handlers]


def test_every_handler_hears_all_in_order_and_the_quick_ones_share_a_thread(bus: Bus) -> None:
    listeners = [Listener() for _ in range(10)]
    subscribe(bus, *listeners)
    for number in range(3_000):
        publish(bus, number)
    wait_for(lambda: all(len(listener.heard) == 3_000 for listener in listeners))
    assert all(listener.heard == list(range(3_000)) for listener in listeners)
    assert len(set.union(*(listener.threads for listener in listeners))) < 10


@pytest.mark.parametrize("hanging", range(4))
def test_a_handler_that_hangs_holds_up_nobody(bus: Bus, hanging: int) -> None:
    gate = threading.Event()
    listeners = [Listener(gate=gate if place == hanging else None) for place in range(4)]
    subscriptions = subscribe(bus, *listeners)
    others = [listener for place, listener in enumerate(listeners) if place != hanging]
    for number in range(500):
        publish(bus, number)
    wait_for(lambda: all(len(listener.heard) == 500 for listener in others))
    assert listeners[hanging].heard == []
    assert not subscriptions[hanging].is_idle
    gate.set()
    wait_for(lambda: len(listeners[hanging].heard) == 500)
    assert all(listener.heard == list(range(500)) for listener in listeners)


def test_when_all_hang_but_one_that_one_hears_everything(bus: Bus) -> None:
    gate = threading.Event()
    stuck, free = [Listener(gate=gate) for _ in range(5)], Listener()
    subscribe(bus, *stuck, free)
    publish(bus, 0)
    wait_for(lambda: free.heard == [0])
    publish(bus, 1)
    wait_for(lambda: free.heard == [0, 1])
    gate.set()
    wait_for(lambda: all(listener.heard == [0, 1] for listener in stuck))


def test_a_slow_handler_keeps_its_thread_and_the_others_go_on(bus: Bus) -> None:
    slow, quick = Listener(delay=0.05), Listener()
    subscribe(bus, slow, quick)
    for number in range(20):
        publish(bus, number)
        wait_for(lambda number=number: len(quick.heard) == number + 1)
    assert len(slow.heard) < 20
    wait_for(lambda: len(slow.heard) == 20)
    assert slow.heard == quick.heard == list(range(20))
    assert slow.threads != quick.threads


def test_many_publishers_and_a_slow_handler_lose_and_double_nothing(bus: Bus) -> None:
    listeners = [Listener(), Listener(delay=0.0001), Listener(), Listener(delay=0.03 / 50)]
    subscribe(bus, *listeners)

    def flood(publisher: int) -> None:
        for number in range(100):
            publish(bus, publisher * 1_000 + number)

    threads = [threading.Thread(target=flood, args=(publisher,)) for publisher in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: all(len(listener.heard) == 500 for listener in listeners))
    for listener in listeners:
        for publisher in range(5):
            assert [n % 1_000 for n in listener.heard if n // 1_000 == publisher] == list(range(100))


def test_coroutine_handlers_have_threads_of_their_own(bus: Bus) -> None:
    heard: list[int] = []

    async def handler(message: Message) -> None:
        await asyncio.sleep(0.01)
        heard.append(message.data["number"])

    quick = Listener()
    subscribe(bus, handler, quick)
    for number in range(10):
        publish(bus, number)
    wait_for(lambda: len(heard) == 10 and len(quick.heard) == 10)
    assert heard == quick.heard == list(range(10))


def test_a_closed_handler_hears_nothing_more(bus: Bus) -> None:
    closed, other = Listener(), Listener()
    subscription, _ = subscribe(bus, closed, other)
    publish(bus, 0)
    wait_for(lambda: closed.heard == other.heard == [0])
    subscription.close()
    subscription.close()
    publish(bus, 1)
    wait_for(lambda: other.heard == [0, 1])
    assert closed.heard == [0]


def test_a_handler_may_close_its_own_subscription_and_subscribe_another(bus: Bus) -> None:
    later = Listener()
    subscriptions: list[Any] = []

    def once(message: Message) -> None:
        subscriptions[0].close()
        subscribe(bus, later)

    subscriptions += subscribe(bus, once)
    publish(bus, 0)
    wait_for(lambda: not bus.is_heard or len(bus._subscriptions) == 1)
    wait_for(lambda: subscriptions[0] not in bus._subscriptions)
    publish(bus, 1)
    wait_for(lambda: 1 in later.heard)


def test_a_closed_bus_ends_its_threads() -> None:
    before = set(threading.enumerate())
    bus = Bus()
    subscribe(bus, Listener(), Listener(delay=0.05))
    publish(bus, 0)
    publish(bus, 1)
    time.sleep(0.1)
    bus.close()
    wait_for(lambda: set(threading.enumerate()) <= before)


def test_what_nobody_takes_does_not_pile_up(bus: Bus) -> None:
    gate = threading.Event()
    (subscription,) = subscribe(bus, Listener(gate=gate))
    for number in range(25_000):
        publish(bus, number)
    wait_for(lambda: subscription.missed >= 14_999)
    wait_for(lambda: not bus._published)
    gate.set()


class AsyncListener:
    """A handler that is called like a coroutine function, but is none."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    async def __call__(self, message: Message) -> None:
        await asyncio.sleep(0)
        self.heard.append(message.data["number"])


def test_a_coroutine_is_awaited_whatever_the_handler_is(bus: Bus) -> None:
    is_called, is_answered = AsyncListener(), AsyncListener()
    subscribe(bus, is_called, lambda message: is_answered(message))
    for number in range(3):
        publish(bus, number)
    wait_for(lambda: is_called.heard == is_answered.heard == [0, 1, 2])


@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError])
def test_a_handler_that_would_end_its_thread_goes_on(bus: Bus, error: type[BaseException]) -> None:
    heard: list[int] = []

    def leave(message: Message) -> None:
        heard.append(message.data["number"])
        raise error

    other = Listener()
    leaving, _ = subscribe(bus, leave, other)
    for number in range(3):
        publish(bus, number)
        wait_for(lambda number=number: len(other.heard) == number + 1)
    wait_for(lambda: leaving.failed == 3)
    assert heard == [0, 1, 2]


def test_a_slow_handler_that_closes_its_own_subscription_leaves_no_thread_behind(bus: Bus) -> None:
    stays = Listener()
    subscribe(bus, stays)
    before = threading.active_count()
    for number in range(5):
        subscriptions: list[Any] = []
        ended = threading.Event()

        def once(message: Message, subscriptions: list[Any] = subscriptions, ended: Any = ended) -> None:
            subscriptions[0].close()
            time.sleep(5 * PATIENCE)
            ended.set()

        subscriptions += subscribe(bus, once)
        publish(bus, number)
        assert ended.wait(10)
    wait_for(lambda: threading.active_count() <= before + 1)  # the one that looks out for slow handlers
    wait_for(lambda: stays.heard == list(range(5)))


def test_a_handler_that_hangs_from_the_first_moment_on_holds_up_nobody(bus: Bus) -> None:
    """The thread finds work before it has ever slept."""
    gate, begins = threading.Event(), threading.Event()
    share_out = bus._turns._collect

    def share_out_late() -> None:
        begins.wait(10)
        share_out()

    bus._turns._collect = share_out_late
    stuck, free = Listener(gate=gate), Listener()
    subscribe(bus, stuck, free)
    publish(bus, 0)
    begins.set()
    wait_for(lambda: free.heard == [0])
    gate.set()


@pytest.mark.parametrize("is_heard", [True, False])
def test_what_is_published_after_the_end_is_kept_nowhere(is_heard: bool) -> None:
    before = set(threading.enumerate())
    bus = Bus()
    if is_heard:
        subscribe(bus, Listener())
        publish(bus, 0)
    bus.close()
    publish(bus, 1)
    wait_for(lambda: set(threading.enumerate()) <= before)
    assert not bus._published
