"""Every committed event reaches every subscriber, in order per process: with writers that commit late,
listening connections that are cut, NOTIFY that never comes, and consumers that are killed.

A consumer is a process of its own with a durable subscription, whose handler notes each event in a table of
the test's, once per event id. The bus and a live stream of the test's own process listen beside it.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest

import gndp
from gndp.store import pipeline, session
from gndp.store.queries import Query

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["gndp"])
WRITERS = 16
SHARED = 24
COMMANDS_A_UNIT = 10


class Campaign(NamedTuple):
    """How much happens: events written, the longest pause before a commit (seconds), connections cut,
    consumers killed, and whether NOTIFY works."""

    events: int
    pause: float
    cuts: int
    kills: int
    notify: bool


SMALL = {
    "listening connections cut": Campaign(2_400, 0.05, 8, 0, True),
    "without NOTIFY": Campaign(1_600, 0.05, 0, 0, False),
    "a consumer killed": Campaign(1_200, 0.05, 0, 1, True),
}
WHOLE = {
    "listening connections cut": Campaign(20_000, 0.5, 100, 0, True),
    "without NOTIFY": Campaign(20_000, 0.5, 100, 0, False),
    "consumers killed": Campaign(20_000, 0.5, 0, 20, True),
}


# ----------------------------------------------------------------------------------- writers and consumers


def consumer(url: str) -> None:
    """Note every event until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    notes = psycopg.connect(url, autocommit=True)

    def note(event: Any) -> None:
        notes.execute(
            "INSERT INTO noted (event_id, seq, process_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (event.id, event.seq, event.process_instance_id),
        )

    with gndp.connect(url) as wb:
        wb.events.subscribe_durable("notes", "*", note, start="beginning")
        stop.wait()


def writer(url: str, number: int, campaign: Campaign, shared: list[UUID]) -> None:
    """Write units of several commands that pause before they commit.

    Each begins with a process of its own, so that its transaction has an early number, and goes on with
    shared ones, whose events others may have written meanwhile under later numbers.
    """
    chance = random.Random(number)
    if not campaign.notify:
        pipeline.NOTIFY = session.NOTIFY = Query(b"notify", b"SELECT 1", ())
    with gndp.connect(url) as wb:
        own = start(wb, f"of writer {number}")
        units = campaign.events // WRITERS // COMMANDS_A_UNIT
        for unit in range(units):
            with wb.transaction():
                wb.processes.comment(own, user_id="w", text=f"{number}/{unit}")
                time.sleep(chance.uniform(0, campaign.pause) / 2)
                for process_id in sorted(chance.choices(shared, k=COMMANDS_A_UNIT - 1)):
                    wb.processes.comment(process_id, user_id="w", text=f"{number}/{unit}")
                time.sleep(chance.uniform(0, campaign.pause) / 2)


def start(wb: gndp.Workbench, name: str) -> UUID:
    return wb.processes.start(
        process_definition_id="talk", process_name=name, process_type="custom", initiated_by="w"
    ).id


@contextmanager
def running(target: Any, *arguments: Any) -> Iterator[BaseProcess]:
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(20)
        process.kill()
        process.join()


# --------------------------------------------------------------------------------------------------- the test


@pytest.mark.parametrize("campaign", SMALL.values(), ids=SMALL.keys())
def test_every_event_reaches_every_subscriber_in_order(database_url: str, campaign: Campaign) -> None:
    run(database_url, campaign)


@pytest.mark.soak
@pytest.mark.parametrize("campaign", WHOLE.values(), ids=WHOLE.keys())
def test_every_event_reaches_every_subscriber_at_length(database_url: str, campaign: Campaign) -> None:
    run(database_url, campaign)


def run(url: str, campaign: Campaign) -> None:
    with psycopg.connect(url, autocommit=True) as admin, gndp.connect(url) as wb:
        admin.execute(
            "CREATE TABLE noted (event_id uuid PRIMARY KEY, seq bigint, process_id uuid, place serial)"
        )
        shared = [start(wb, f"shared {n}") for n in range(SHARED)]
        before = admin.execute("SELECT max(seq) FROM process_events").fetchone()[0]
        bus: list[Any] = []
        streamed: list[Any] = []
        wb.events.subscribe("*", bus.append)
        stream = wb.events.live()
        listening = threading.Thread(target=lambda: streamed.extend(live.event for live in stream))
        listening.start()
        consumers = [PROCESSES.Process(target=consumer, args=(url,)) for _ in range(2)]
        for process in consumers:
            process.start()
        try:
            written = write(url, admin, campaign, shared, consumers)
            wait_until_noted(admin, written)
            # What was committed last has been heard by all when a message behind it has.
            deadline = time.monotonic() + 20
            while (len(bus) < written - before or len(streamed) < written - before) and (
                time.monotonic() < deadline
            ):
                time.sleep(0.05)
        finally:
            stream.close()
            for process in consumers:
                process.terminate()
            for process in consumers:
                process.join(20)
                process.kill()
        listening.join()
        logged = admin.execute("SELECT seq, process_instance_id FROM process_events ORDER BY seq").fetchall()
        noted = admin.execute("SELECT seq, process_id FROM noted ORDER BY place").fetchall()
        assert by_process(noted) == by_process(logged)
        later = by_process([row for row in logged if row[0] > before])
        assert by_process([(event.seq, event.process_instance_id) for event in bus]) == later
        assert by_process([(event.seq, event.process_instance_id) for event in streamed]) == later
        report = wb.check()
        assert report.ok, report.violations
        assert [s.waiting for s in wb.events.subscriptions()] == [0]


def write(
    url: str,
    admin: psycopg.Connection[Any],
    campaign: Campaign,
    shared: list[UUID],
    consumers: list[BaseProcess],
) -> int:
    """Let the writers write while connections are cut and consumers killed; how many events there are."""
    writers = [
        PROCESSES.Process(target=writer, args=(url, number, campaign, shared)) for number in range(WRITERS)
    ]
    for process in writers:
        process.start()
    cuts, kills = campaign.cuts, campaign.kills
    while any(process.is_alive() for process in writers) or cuts or kills:
        if cuts:
            cuts -= admin.execute(
                "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'gndp listener' AND datname = current_database()"
            ).fetchone()[0]
            cuts = max(0, cuts)
        if kills and kill_reader(admin, url, consumers):
            kills -= 1
        time.sleep(0.25)
    for process in writers:
        process.join()
        assert process.exitcode == 0
    return int(admin.execute("SELECT count(*) FROM process_events").fetchone()[0])


def kill_reader(admin: psycopg.Connection[Any], url: str, consumers: list[BaseProcess]) -> bool:
    """Kill -9 the consumer that reads, and start another; False while none reads."""
    holder = admin.execute(
        "SELECT holder FROM job_lease WHERE name = 'subscription: notes' AND expires_at > clock_timestamp()"
    ).fetchone()
    pid = int(holder[0].rpartition(":")[2]) if holder else None
    for place, process in enumerate(consumers):
        if process.pid == pid and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            consumers[place] = PROCESSES.Process(target=consumer, args=(url,))
            consumers[place].start()
            return True
    return False


def wait_until_noted(admin: psycopg.Connection[Any], events: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if admin.execute("SELECT count(*) FROM noted").fetchone()[0] >= events:
            return
        time.sleep(0.1)


def by_process(rows: list[tuple[int, UUID]]) -> dict[UUID, list[int]]:
    """The seq of every event in the order in which it came, by process."""
    came: dict[UUID, list[int]] = defaultdict(list)
    for seq, process_id in rows:
        came[process_id].append(seq)
    return came
