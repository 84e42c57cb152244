"""Handlers, durable subscriptions and live streams on a real database."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import gndp
from gndp.core.errors import Conflict, Invalid, NotFound
from gndp.events import bus, live, subscriptions
from gndp.events.bus import Message
from gndp.events.handlers import Completions, EventLogger, SlaBreaches
from gndp.events.live import ListenerDropped


def start(wb: gndp.Workbench, name: str = "talk") -> UUID:
    return wb.processes.start(
        process_definition_id="talk", process_name=name, process_type="custom", initiated_by="ann"
    ).id


def say(wb: gndp.Workbench, process_id: UUID, text: str) -> None:
    wb.processes.comment(process_id, user_id="ann", text=text)


def texts(events: list[Any]) -> list[str]:
    return [event.details["text"] for event in events]


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


# ---------------------------------------------------------------------------------------------- the bus


def test_a_handler_hears_what_any_process_commits_from_now_on(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    here, elsewhere = (new_workbench(database_url=database_url) for _ in range(2))
    process = start(here)
    say(here, process, "before")
    heard: list[Any] = []
    here.events.subscribe("process.*", heard.append)
    say(here, process, "here")
    say(elsewhere, process, "elsewhere")
    until(lambda: len(heard) == 2)
    assert texts(heard) == ["here", "elsewhere"]
    assert [event.id for event in here.events.history(2)] == [event.id for event in reversed(heard)]


def test_a_refused_or_undone_command_is_not_heard(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    heard: list[Any] = []
    workbench.events.subscribe("*", heard.append)
    with pytest.raises(Conflict):
        workbench.processes.resume(process, user_id="ann")
    with pytest.raises(RuntimeError), workbench.transaction():
        say(workbench, process, "undone")
        raise RuntimeError
    say(workbench, process, "done")
    until(lambda: heard)
    assert texts(heard) == ["done"]


def test_handlers_are_isolated_from_each_others_failures_and_slowness(
    workbench: gndp.Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()
    heard: list[Message] = []

    def fail(message: Message) -> None:
        raise ValueError("a bad handler")

    failing = workbench.events.subscribe("door.*", fail)
    workbench.events.subscribe("door.*", lambda message: release.wait(20))
    workbench.events.subscribe("door.opened", heard.append)
    began = time.monotonic()
    for n in range(100):
        workbench.events.publish("door.opened", {"n": n})
    until(lambda: len(heard) == 100)
    assert time.monotonic() - began < 15
    release.set()
    until(lambda: failing.failed == 100)
    assert "a bad handler" in caplog.text


def test_coroutine_functions_are_handlers_too(workbench: gndp.Workbench) -> None:
    heard: list[Any] = []

    async def handler(message: Message) -> None:
        await asyncio.sleep(0.001)
        heard.append(message.data["n"])

    workbench.events.subscribe("*", handler)
    for n in range(20):
        workbench.events.publish("door.opened", {"n": n})
    until(lambda: len(heard) == 20)
    assert heard == list(range(20))


def test_a_handler_that_hangs_misses_events_and_it_is_said(
    workbench: gndp.Workbench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "CAPACITY", 10)
    release = threading.Event()
    hanging = workbench.events.subscribe("*", lambda message: release.wait(20))
    for n in range(30):
        workbench.events.publish("door.opened", {"n": n})
    until(lambda: hanging.missed >= 19)
    assert hanging.missed <= 20
    assert "10 events behind and has missed" in caplog.text
    release.set()


def test_messages_carry_cause_and_correlation_from_handler_to_handler(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    second: list[Any] = []
    events: list[Any] = []

    def react(message: Message) -> None:
        workbench.events.publish("alarm.raised", {})
        say(workbench, process, "somebody is there")

    workbench.events.subscribe("door.opened", react)
    workbench.events.subscribe("alarm.raised", second.append)
    workbench.events.subscribe("process.commented", events.append)
    first = workbench.events.publish("door.opened", {}, source="door 3", correlation_id="visit 7")
    until(lambda: second and events)
    assert (second[0].causation_id, second[0].correlation_id) == (first.id, "visit 7")
    assert (events[0].causation_id, events[0].correlation_id) == (first.id, "visit 7")


def test_a_handler_cannot_change_what_others_hear(workbench: gndp.Workbench) -> None:
    message = workbench.events.publish("door.opened", {"n": 1})
    with pytest.raises(TypeError):
        message.data["n"] = 2  # type: ignore[index]
    with pytest.raises(AttributeError):
        message.event_type = "door.closed"  # type: ignore[misc]


def test_history_keeps_the_newest_thousand(workbench: gndp.Workbench) -> None:
    for n in range(1_100):
        workbench.events.publish("door.opened", {"n": n})
    newest = workbench.events.history(limit=1_000)
    assert [message.data["n"] for message in newest] == list(range(1_099, 99, -1))
    assert len(workbench.events.history(limit=5)) == 5


def test_a_closed_handler_hears_nothing_more(workbench: gndp.Workbench) -> None:
    heard: list[Message] = []
    subscription = workbench.events.subscribe("*", heard.append)
    workbench.events.publish("door.opened", {})
    until(lambda: heard)
    subscription.close()
    workbench.events.publish("door.opened", {})
    time.sleep(0.05)
    assert len(heard) == 1


@pytest.mark.parametrize("pattern", ["", "sla*", "*.sla", "a.*.b", "Task.started", 7, None, "a\0"])
def test_a_bad_pattern_is_refused(workbench: gndp.Workbench, pattern: Any) -> None:
    for subscribe in (
        lambda: workbench.events.subscribe(pattern, print),
        lambda: workbench.events.subscribe_durable("x", pattern, print),
        lambda: workbench.events.live(pattern),
        lambda: workbench.events.publish(pattern, {}),
    ):
        with pytest.raises(Invalid):
            subscribe()


def test_other_bad_arguments_are_refused(workbench: gndp.Workbench) -> None:
    events = workbench.events
    for call in (
        lambda: events.subscribe("*", None),  # type: ignore[arg-type]
        lambda: events.publish("sla.*", {}),
        lambda: events.publish("door.opened", [1]),  # type: ignore[arg-type]
        lambda: events.history(0),
        lambda: events.history(1_001),
        lambda: events.subscribe_durable("", "*", print),
        lambda: events.subscribe_durable("a\0", "*", print),
        lambda: events.subscribe_durable("a", "*", print, start="yesterday"),  # type: ignore[arg-type]
        lambda: events.subscribe_durable("a", "*", print, start=datetime(2026, 1, 1)),
        lambda: events.subscribe_durable("a", "*", print, max_attempts=0),
        lambda: events.subscribe_durable("a", "*", print, timeout=0),
        lambda: events.live(process_id="no id"),
        lambda: events.parked(status="gone"),  # type: ignore[arg-type]
    ):
        with pytest.raises(Invalid):
            call()
    for call in (
        lambda: events.unsubscribe("nobody"),
        lambda: events.parked("nobody"),
        lambda: events.replay("nobody"),
        lambda: events.discard("nobody", [1]),
    ):
        with pytest.raises(NotFound):
            call()
    assert events.subscriptions() == []


# -------------------------------------------------------------------------------- durable subscriptions


def test_a_subscription_goes_on_where_it_stood(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    writer = new_workbench(database_url=database_url)
    process = start(writer)
    heard: list[Any] = []
    for text in ("one", "two", "three"):
        with gndp.connect(database_url) as reader:
            reader.events.subscribe_durable("notes", "process.commented", heard.append)
            say(writer, process, text)
            until(lambda text=text: text in texts(heard))
        say(writer, process, f"after {text}")
    with gndp.connect(database_url) as reader:
        reader.events.subscribe_durable("notes", "process.commented", heard.append)
        until(lambda: len(heard) == 6)
    assert texts(heard) == ["one", "after one", "two", "after two", "three", "after three"]
    assert writer.check().ok


@pytest.mark.parametrize(
    ("start_from", "expected"),
    [
        ("beginning", ["day 1", "day 2", "day 3", "new"]),
        ("now", ["new"]),
        (datetime(2026, 3, 2, 12, tzinfo=UTC), ["day 2", "day 3", "new"]),
    ],
)
def test_a_subscription_starts_where_it_is_told(
    new_workbench: Callable[..., gndp.Workbench], start_from: Any, expected: list[str]
) -> None:
    now = [datetime(2026, 3, 1, 12, tzinfo=UTC)]
    wb = new_workbench(clock=lambda: now[0])
    process = start(wb)
    for day in (1, 2, 3):
        say(wb, process, f"day {day}")
        now[0] += timedelta(days=1)
    heard: list[Any] = []
    wb.events.subscribe_durable("notes", "process.commented", heard.append, start=start_from)
    say(wb, process, "new")
    until(lambda: "new" in texts(heard))
    assert texts(heard) == expected
    assert wb.check().ok


def test_one_process_at_a_time_reads_and_another_takes_over_at_once_when_it_stops(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    first, second, writer = (new_workbench(database_url=database_url) for _ in range(3))
    heard: dict[str, list[Any]] = {"first": [], "second": []}
    process = start(writer)
    reading = first.events.subscribe_durable("notes", "process.commented", heard["first"].append)
    waiting = second.events.subscribe_durable("notes", "process.commented", heard["second"].append)
    say(writer, process, "one")
    until(lambda: heard["first"])
    assert (reading.is_reading, waiting.is_reading) == (True, False)
    reading.close()
    say(writer, process, "two")
    until(lambda: heard["second"])
    assert texts(heard["first"]) == ["one"]
    assert texts(heard["second"]) == ["two"]


def failing(heard: list[Any], failures: dict[str, int]) -> Callable[[Any], None]:
    """A handler that fails so often at a text."""

    def handler(event: Any) -> None:
        text = event.details["text"]
        if failures.get(text, 0):
            failures[text] -= 1
            raise ValueError(f"{text} is bad")
        heard.append(event)

    return handler


def test_a_failed_event_is_tried_again_and_holds_up_its_own_process_only(workbench: gndp.Workbench) -> None:
    process, other = start(workbench), start(workbench)
    heard: list[Any] = []
    handler = failing(heard, {"bad": 2})
    workbench.events.subscribe_durable("notes", "process.commented", handler)
    for text in ("good", "bad", "behind"):
        say(workbench, process, text)
    say(workbench, other, "elsewhere")
    until(lambda: "elsewhere" in texts(heard))
    assert texts(heard) == ["good", "elsewhere"]
    until(lambda: len(workbench.events.parked("notes")) == 2)
    retrying, behind = workbench.events.parked("notes")
    assert (retrying.status, retrying.error, behind.status) == (
        "retrying",
        "ValueError: bad is bad",
        "behind",
    )
    say(workbench, process, "last")
    until(lambda: "last" in texts(heard))
    assert texts(heard) == ["good", "elsewhere", "bad", "behind", "last"]
    until(lambda: workbench.events.parked("notes") == [])
    assert workbench.check().ok


def test_an_event_that_fails_too_often_is_dead_and_can_be_replayed_or_discarded(
    workbench: gndp.Workbench,
) -> None:
    process = start(workbench)
    heard: list[Any] = []
    failures = {"bad": 2, "worse": 9}
    workbench.events.subscribe_durable("notes", "process.commented", failing(heard, failures), max_attempts=2)
    for text in ("bad", "worse", "good"):
        say(workbench, process, text)
    until(lambda: "good" in texts(heard))
    dead = workbench.events.dead("notes")
    assert [(d.attempts, d.event.details["text"]) for d in dead] == [(2, "bad"), (2, "worse")]
    [subscription] = workbench.events.subscriptions()
    assert (subscription.dead, subscription.waiting, subscription.passed) == (2, 0, 3)
    assert workbench.check().ok
    assert workbench.events.replay("notes", [dead[0].event.seq]) == 1
    until(lambda: len(workbench.events.parked()) == 1)
    assert workbench.events.discard("notes") == 1
    assert workbench.events.parked() == []
    assert texts(heard) == ["good", "bad"]


def test_replayed_events_of_a_process_come_in_order_though_one_fails_again(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    heard: list[Any] = []
    failures = {"first": 1, "second": 1, "third": 1}
    handler = failing(heard, failures)
    subscription = workbench.events.subscribe_durable("notes", "process.commented", handler, max_attempts=1)
    for text in ("first", "second", "third"):
        say(workbench, process, text)
    until(lambda: len(workbench.events.dead("notes")) == 3)
    subscription.close()
    failures["first"] = 1
    assert workbench.events.replay("notes") == 3
    workbench.events.subscribe_durable("notes", "process.commented", handler)
    until(lambda: len(heard) == 3)
    assert texts(heard) == ["first", "second", "third"]
    until(lambda: workbench.events.parked("notes") == [])


def test_what_waits_behind_a_failed_event_waits_while_an_earlier_one_is_replayed(
    workbench: gndp.Workbench,
) -> None:
    process = start(workbench)
    heard: list[Any] = []
    failures = {"dead": 1, "bad": 2}
    handler = failing(heard, failures)
    subscription = workbench.events.subscribe_durable("notes", "process.commented", handler, max_attempts=1)
    say(workbench, process, "dead")
    until(lambda: workbench.events.dead("notes"))
    subscription.close()
    workbench.events.subscribe_durable("notes", "process.commented", handler)
    say(workbench, process, "bad")
    say(workbench, process, "behind")
    until(lambda: len(workbench.events.parked("notes")) == 3)
    assert workbench.events.replay("notes") == 1
    until(lambda: "dead" in texts(heard))
    say(workbench, process, "last")
    until(lambda: "last" in texts(heard))
    assert texts(heard) == ["dead", "bad", "behind", "last"]
    until(lambda: workbench.events.parked("notes") == [])
    assert workbench.check().ok


def test_dying_at_once_lets_the_next_events_of_the_process_go_on(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    heard: list[Any] = []
    handler = failing(heard, {"bad": 9, "worse": 9})
    with workbench.transaction():
        for text in ("bad", "next", "worse", "last"):
            say(workbench, process, text)
    workbench.events.subscribe_durable(
        "notes", "process.commented", handler, start="beginning", max_attempts=1
    )
    until(lambda: len(heard) == 2)
    assert texts(heard) == ["next", "last"]
    assert [d.event.details["text"] for d in workbench.events.dead()] == ["bad", "worse"]


def test_a_handler_that_hangs_has_failed_and_is_left_behind(workbench: gndp.Workbench) -> None:
    process, other = start(workbench), start(workbench)
    heard: list[Any] = []
    release = threading.Event()

    def handler(event: Any) -> None:
        if event.details["text"] == "stuck" and not release.is_set():
            release.wait(30)
            return
        heard.append(event)

    workbench.events.subscribe_durable("notes", "process.commented", handler, max_attempts=1, timeout=1)
    say(workbench, process, "stuck")
    say(workbench, other, "elsewhere")
    until(lambda: heard)
    [dead] = workbench.events.dead()
    assert dead.error == "TimeoutError: no answer for 1 seconds"
    release.set()
    assert workbench.events.replay("notes") == 1
    until(lambda: "stuck" in texts(heard))


def test_a_handler_that_ends_its_thread_has_failed(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    heard: list[Any] = []

    def handler(event: Any) -> None:
        if event.details["text"] == "exit":
            raise SystemExit("enough")
        heard.append(event)

    workbench.events.subscribe_durable("notes", "process.commented", handler, max_attempts=1)
    say(workbench, process, "exit")
    say(workbench, process, "on")
    until(lambda: heard)
    assert workbench.events.dead()[0].error == "SystemExit: enough"


def test_a_unit_of_work_that_a_handler_left_open_does_not_reach_the_next_event(
    workbench: gndp.Workbench,
) -> None:
    process = start(workbench)
    left: list[Any] = []

    def handler(event: Any) -> None:
        unit = workbench.transaction()
        unit.__enter__()
        left.append(unit)

    workbench.events.subscribe_durable("leaky", "process.commented", handler)
    say(workbench, process, "one")
    say(workbench, process, "two")
    until(lambda: len(left) == 2)
    until(lambda: workbench.events.subscriptions()[0].passed == 2)
    for unit in left:
        with pytest.raises(ValueError, match="different Context"):
            unit.__exit__(None, None, None)


def test_a_name_belongs_to_one_pattern(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    here, elsewhere = (new_workbench(database_url=database_url) for _ in range(2))
    here.events.subscribe_durable("notes", "task.*", print)
    with pytest.raises(Conflict, match=r"is one to task\.\*, not to sla\.\*"):
        elsewhere.events.subscribe_durable("notes", "sla.*", print)
    with pytest.raises(Conflict, match="already"):
        here.events.subscribe_durable("notes", "task.*", print)


def test_a_removed_subscription_is_read_no_more(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    heard: list[Any] = []
    workbench.events.subscribe_durable("notes", "process.commented", heard.append)
    workbench.events.unsubscribe("notes")
    say(workbench, process, "unheard")
    time.sleep(0.2)
    assert heard == []
    assert workbench.events.subscriptions() == []
    workbench.events.subscribe_durable("notes", "*", heard.append)


def test_a_coroutine_of_a_handler_is_awaited_before_the_event_is_handled(workbench: gndp.Workbench) -> None:
    heard: list[Any] = []

    class Handler:
        async def __call__(self, event: Any) -> None:
            await asyncio.sleep(0)
            heard.append(event)

    handler = Handler()
    workbench.events.subscribe_durable("called", "process.commented", handler)
    workbench.events.subscribe_durable("answered", "process.commented", lambda event: handler(event))
    say(workbench, start(workbench), "hello")
    until(lambda: len(heard) == 2)


def test_a_name_that_was_removed_elsewhere_is_free_again(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    here, elsewhere = (new_workbench(database_url=database_url) for _ in range(2))
    process = start(here)
    before: list[Any] = []
    after: list[Any] = []
    here.events.subscribe_durable("notes", "process.commented", before.append)
    say(here, process, "one")
    until(lambda: here.events.subscriptions()[0].passed == 1)
    elsewhere.events.unsubscribe("notes")
    elsewhere.events.subscribe_durable("notes", "*", after.append)
    until(lambda: (say(here, process, "two"), time.sleep(0.2), after)[-1])
    assert len(before) <= 2  # it notices that it was removed when it keeps what it has handled


def test_a_subscription_that_was_removed_elsewhere_leaves_no_thread(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    here, elsewhere = (new_workbench(database_url=database_url) for _ in range(2))
    process = start(here)
    here.events.subscribe_durable("removed", "process.commented", lambda event: None)
    elsewhere.events.unsubscribe("removed")
    say(here, process, "one")
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.endswith("removed")])


def test_events_larger_than_a_notification_are_heard(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    heard: list[Any] = []
    workbench.events.subscribe_durable("notes", "process.commented", heard.append)
    say(workbench, process, "x" * 100_000)
    until(lambda: heard)
    assert len(heard[0].details["text"]) == 100_000


def test_a_transaction_that_stays_open_holds_nobody_up_and_is_shown(
    workbench: gndp.Workbench, server_url: str
) -> None:
    process = start(workbench)
    heard: list[Any] = []
    workbench.events.subscribe_durable("notes", "process.commented", heard.append)
    with psycopg.connect(server_url) as elsewhere:  # another database of the server
        elsewhere.execute("SELECT pg_current_xact_id()")
        say(workbench, process, "on")
        until(lambda: heard)
        writer = workbench.events.oldest_writer()
        began = elsewhere.execute("SELECT now()").fetchone()[0]
        assert writer is not None
        assert writer.began_at <= began  # that one, or another test's
        elsewhere.rollback()


def test_commands_of_a_handler_name_the_event_that_they_react_to(workbench: gndp.Workbench) -> None:
    process = start(workbench)

    def handler(event: Any) -> None:
        if event.details["text"] == "question":
            say(workbench, process, "answer")

    workbench.events.subscribe_durable("answers", "process.commented", handler)
    workbench.processes.comment(process, user_id="ann", text="question", correlation_id="talk 1")
    until(lambda: len(workbench.processes.events(process)) == 3)
    answer, question, _ = workbench.processes.events(process)
    assert (answer.causation_id, answer.correlation_id) == (question.id, "talk 1")


def test_an_idle_subscription_keeps_its_position(
    workbench: gndp.Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "_KEEP_EVERY", 0.0)
    process = start(workbench)
    workbench.events.subscribe_durable("sla", "sla.*", print)
    [before] = workbench.events.subscriptions()
    say(workbench, process, "not for it")
    until(lambda: workbench.events.subscriptions()[0].moved_at > before.moved_at)
    assert workbench.check().ok


# ------------------------------------------------------------------------------------------ live streams


def test_a_stream_gives_what_is_committed_from_now_on(workbench: gndp.Workbench) -> None:
    process, other = start(workbench), start(workbench)
    say(workbench, process, "before")
    with (
        workbench.events.live("process.*") as every,
        workbench.events.live(process_id=process) as one,
    ):
        say(workbench, other, "other")
        say(workbench, process, "one")
        assert [every.next(5).event.details["text"] for _ in range(2)] == ["other", "one"]
        assert one.next(5).event.details["text"] == "one"
        assert one.next(0.05) is None


def test_a_stream_goes_on_behind_a_position_of_any_process(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    here, elsewhere = (new_workbench(database_url=database_url) for _ in range(2))
    process = start(here)
    with here.events.live("process.commented") as stream:
        for n in range(20):
            say(here, process, str(n))
        given = [stream.next(5) for _ in range(20)]
    for n in range(20, 25):
        say(here, process, str(n))
    for wb in (here, elsewhere):
        for reached in (0, 7, 19):
            with wb.events.live("process.commented", after=given[reached].position) as stream:
                say(wb, process, "new")
                rest = [stream.next(5) for _ in range(25 - reached - 1)]
                assert [one.event.details["text"] for one in rest] == [str(n) for n in range(reached + 1, 25)]
                until_new = []
                while (one := stream.next(1)) is not None:
                    until_new.append(one.event.details["text"])
                assert set(until_new) == {"new"}


def test_nothing_is_missed_by_who_comes_while_nobody_listens(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    for n in range(30):
        with workbench.events.live("process.commented") as stream:
            say(workbench, process, str(n))
            assert stream.next(10).event.details["text"] == str(n)
        heard: list[Any] = []
        subscription = workbench.events.subscribe("process.commented", heard.append)
        say(workbench, process, f"and {n}")
        until(lambda heard=heard: heard)
        subscription.close()
        assert texts(heard) == [f"and {n}"]


def test_a_stream_is_iterated_in_an_event_loop(workbench: gndp.Workbench) -> None:
    process = start(workbench)

    async def listen() -> list[str]:
        with workbench.events.live("process.commented") as stream:
            said: list[str] = []
            talking = asyncio.to_thread(lambda: [say(workbench, process, text) for text in "abc"])
            waiting = asyncio.create_task(talking)
            async for one in stream:
                said.append(one.event.details["text"])
                if len(said) == 3:
                    break
            await waiting
            return said

    assert asyncio.run(asyncio.wait_for(listen(), 20)) == ["a", "b", "c"]


def test_closing_a_stream_ends_its_iteration(workbench: gndp.Workbench) -> None:
    stream = workbench.events.live()
    listening = threading.Thread(target=list, args=(stream,))
    listening.start()
    stream.close()
    listening.join(5)
    assert not listening.is_alive()


def test_a_slow_listener_is_dropped_with_a_word_and_can_go_on(
    workbench: gndp.Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CAPACITY", 5)
    process = start(workbench)
    quick = []
    with workbench.events.live("process.commented") as slow, workbench.events.live() as other:
        say(workbench, process, "first")
        assert slow.next(5).event.details["text"] == "first"
        for n in range(10):
            say(workbench, process, str(n))
            quick.append(other.next(5))
        until(lambda: slow._is_dropped)
        with pytest.raises(ListenerDropped) as dropped:
            while slow.next(5):
                pass
    monkeypatch.undo()
    with workbench.events.live("process.commented", after=dropped.value.position) as again:
        rest = []
        while (one := again.next(0.5)) is not None:
            rest.append(one.event.details["text"])
    assert rest == [str(n) for n in range(10)][-len(rest) :]
    assert rest
    assert len(quick) == 10


def test_a_position_that_is_none_or_beyond_the_log_is_refused(workbench: gndp.Workbench) -> None:
    process = start(workbench)
    with workbench.events.live() as stream:
        say(workbench, process, "one")
        position = stream.next(5).position
    cluster, *snapshots, seq = position.split("/")
    for bad in (
        "",
        "1",
        "a/b/c/d",
        f"{cluster}/1:0:/1:0:/1",
        f"{position}/1",
        7,
        position + "\0",
        "x" * 200_000,
    ):
        with pytest.raises(Invalid):
            workbench.events.live(after=bad)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="another server"):
        workbench.events.live(after="/".join(("1", *snapshots, seq)))
    beyond = "9000000000:9000000000:"
    with pytest.raises(Conflict, match="beyond the end"):
        workbench.events.live(after="/".join((cluster, beyond, beyond, seq)))


def test_500_listeners_cost_one_connection(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    wb = new_workbench(database_url=database_url)
    process = start(wb)
    with psycopg.connect(database_url, autocommit=True) as admin:

        def connections() -> int:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            return int(admin.execute(query).fetchone()[0])

        before = connections()
        streams = [wb.events.live("process.commented") for _ in range(500)]
        say(wb, process, "to all")
        assert [stream.next(20).event.details["text"] for stream in streams] == ["to all"] * 500
        assert connections() <= before + 1


# ------------------------------------------------------------------------------------- restored databases


def pretend_restored(admin: psycopg.Connection[Any], by: int) -> None:
    """As if the database came from another cluster, whose transaction numbers are larger by so many."""
    admin.execute("UPDATE event_log SET system_identifier = system_identifier - 1")
    admin.execute("ALTER TABLE process_events DISABLE TRIGGER process_events_append_only")
    admin.execute("UPDATE process_events SET xid = (xid::text::bigint + %s)::text::xid8", (by,))
    admin.execute("ALTER TABLE process_events ENABLE TRIGGER process_events_append_only")
    for column in ("started_from", "read_from", "read_to"):
        admin.execute(
            f"UPDATE event_subscriptions SET {column} = format('%%s:%%s:%%s',"
            f" pg_snapshot_xmin({column})::text::bigint + %(by)s,"
            f" pg_snapshot_xmax({column})::text::bigint + %(by)s,"
            f" (SELECT string_agg((x::text::bigint + %(by)s)::text, ',' ORDER BY x)"
            f"  FROM pg_snapshot_xip({column}) x))::pg_snapshot WHERE {column}::text <> '1:1:'",
            {"by": by},
        )


@pytest.mark.parametrize("by", [0, 1_000_000])
def test_a_restored_database_is_read_on_after_a_rebase_and_loses_nothing(
    new_workbench: Callable[..., gndp.Workbench], database_url: str, by: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    writer = new_workbench(database_url=database_url)
    process, other = start(writer), start(writer)
    heard: list[Any] = []
    with gndp.connect(database_url) as reader:
        reader.events.subscribe_durable("notes", "process.commented", heard.append)
        for n in range(5):
            say(writer, process, str(n))
        until(lambda: len(heard) == 5)
    for n in range(5, 8):
        say(writer, other, str(n))
    with psycopg.connect(database_url, autocommit=True) as admin:
        pretend_restored(admin, by)
    with gndp.connect(database_url) as reader:
        for refused in (
            lambda: reader.events.subscribe_durable("notes", "process.commented", heard.append),
            lambda: reader.events.subscribe("*", heard.append),
            lambda: reader.events.live(),
        ):
            with pytest.raises(Conflict, match="gndp events rebase"):
                refused()
        assert reader.events.rebase()
        assert not reader.events.rebase()
        reader.events.subscribe_durable("notes", "process.commented", heard.append)
        say(writer, process, "new")
        until(lambda: "new" in texts(heard))
    assert texts(heard) == [*map(str, range(8)), "new"]
    assert writer.check().ok


def test_an_event_that_is_written_while_the_log_is_rebased_is_read(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    wb = new_workbench(database_url=database_url)
    process = start(wb)
    wb.events.subscribe_durable("notes", "process.commented", print).close()
    with psycopg.connect(database_url, autocommit=True) as admin:
        pretend_restored(admin, 0)
    with psycopg.connect(database_url) as early:
        early.execute("SELECT pg_current_xact_id()")
        assert wb.events.rebase()
        early.execute(
            "INSERT INTO process_events"
            " (id, process_instance_id, event_type, event_category, message, details, timestamp)"
            " VALUES (%s, %s, 'process.commented', 'lifecycle', 'm', %s, now())",
            (uuid4(), process, '{"text": "early"}'),
        )
        early.commit()
    heard: list[Any] = []
    wb.events.subscribe_durable("notes", "process.commented", heard.append)
    until(lambda: heard)
    assert texts(heard) == ["early"]


# --------------------------------------------------------------------------------- the handlers that ship


def test_the_logger_writes_a_line_of_each_event_at_its_severity(
    workbench: gndp.Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gndp.event")
    workbench.events.subscribe("*", EventLogger())
    process = start(workbench)
    workbench.processes.fail(process, user_id="ann", error_message="no paper")
    workbench.events.publish("door.opened", {"door": 3}, source="porter")
    until(lambda: len(caplog.records) == 3)
    levels = {record.getMessage().split()[0]: record.levelname for record in caplog.records}
    assert levels == {"process.started": "INFO", "process.failed": "ERROR", "door.opened": "INFO"}
    assert f"process={process}" in caplog.text and "user=ann: talk failed: no paper" in caplog.text


def test_breaches_are_told_with_who_has_the_item(
    new_workbench: Callable[..., gndp.Workbench], caplog: pytest.LogCaptureFixture
) -> None:
    now = [datetime(2026, 3, 2, 9, tzinfo=UTC)]
    wb = new_workbench(clock=lambda: now[0])
    breaches = SlaBreaches(wb.processes, wb.tasks)
    wb.events.subscribe("sla.*", breaches)
    process = wb.processes.start(
        process_definition_id="talk",
        process_name="Talk",
        process_type="custom",
        initiated_by="ann",
        assigned_to="ben",
        sla_target_mins=30,
    )
    now[0] += timedelta(hours=1)
    wb.sla.sweep()
    until(lambda: breaches.newest)
    [breach] = breaches.newest
    assert (breach.assigned_to, breach.due_date, breach.told_at) == ("ben", process.due_date, now[0])
    assert "Talk: SLA breached" in caplog.text and "with ben" in caplog.text


def test_completions_are_counted_by_type(new_workbench: Callable[..., gndp.Workbench]) -> None:
    now = [datetime(2026, 3, 2, 9, tzinfo=UTC)]
    wb = new_workbench(clock=lambda: now[0])
    completions = Completions(wb.processes)
    wb.events.subscribe_durable("completions", "process.*", completions)
    done, failed, called_off, _ = (start(wb) for _ in range(4))
    now[0] += timedelta(minutes=7)
    wb.processes.complete(done, user_id="ann")
    wb.processes.fail(failed, user_id="ann", error_message="no paper")
    wb.processes.cancel(called_off, user_id="ann", reason="rain")
    until(lambda: sum(completions.counts.values()) == 3)
    assert completions.counts == {
        ("process.completed", "custom"): 1,
        ("process.failed", "custom"): 1,
        ("process.cancelled", "custom"): 1,
    }
    assert completions.minutes == {"custom": 7}
