"""A handler that ends the process it runs in: the event dies after its attempts, and all else goes on."""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import Any
from uuid import UUID

import psycopg
import pytest

import gndp

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["gndp"])
ATTEMPTS = 2
DEADLY = "end of the process"


def consumer(url: str, stumbles_at: str | None) -> None:
    """Note every event, and end the process at the deadly one. With ``stumbles_at``
    the handler fails there as long as this process lives."""
    notes = psycopg.connect(url, autocommit=True)

    def note(event: Any) -> None:
        if event.message.endswith(DEADLY):
            os._exit(9)
        if stumbles_at is not None and event.message.endswith(stumbles_at):
            raise RuntimeError(stumbles_at)
        notes.execute(
            "INSERT INTO noted VALUES (%s, %s) ON CONFLICT DO NOTHING", (event.seq, event.process_instance_id)
        )

    with gndp.connect(url) as wb:
        subscription = wb.events.subscribe_durable(
            "notes", "process.commented", note, start="beginning", max_attempts=ATTEMPTS
        )
        while notes.execute("SELECT count(*) FROM noted WHERE seq = 0").fetchone() == (0,):
            time.sleep(0.05)
        subscription.close()


def lives_and_deaths(url: str, admin: psycopg.Connection[Any], stumbles_at: str | None = None) -> list[int]:
    """How each process ended that read the subscription, one after the other, until all was noted."""
    ends: list[int] = []
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        process = PROCESSES.Process(target=consumer, args=(url, stumbles_at))
        process.start()
        while process.is_alive() and time.monotonic() < deadline:
            process.join(0.1)
            waiting = admin.execute(
                "SELECT EXISTS (SELECT FROM event_deliveries WHERE status <> 'dead'),"
                " EXISTS (SELECT FROM process_events WHERE event_type = 'process.commented'"
                "         AND seq NOT IN (SELECT seq FROM noted)"
                "         AND seq NOT IN (SELECT seq FROM event_deliveries))"
            ).fetchone()
            if waiting == (False, False):
                admin.execute("INSERT INTO noted VALUES (0, NULL) ON CONFLICT DO NOTHING")
        assert process.exitcode in (0, 9), "the events were not handled in time"
        ends.append(process.exitcode)
        if process.exitcode == 0:
            return ends
        admin.execute("UPDATE job_lease SET expires_at = clock_timestamp() WHERE name LIKE 'subscription: %'")
    raise AssertionError(f"the events were not handled in time: {ends}")


def start(wb: gndp.Workbench, name: str) -> UUID:
    return wb.processes.start(
        process_definition_id="x", process_name=name, process_type="custom", initiated_by="ann"
    ).id


@pytest.mark.parametrize("stumbles_at", [None, "before it"])
def test_an_event_that_ends_its_handlers_process_dies_and_the_others_go_on(
    database_url: str, stumbles_at: str | None
) -> None:
    """The first death is nobody's attempt: nothing told the reader that one was to be feared."""
    with psycopg.connect(database_url, autocommit=True) as admin, gndp.connect(database_url) as wb:
        admin.execute("CREATE TABLE noted (seq bigint PRIMARY KEY, process_id uuid)")
        deadly, other = start(wb, "deadly"), start(wb, "other")
        for process_id, text in (
            (other, "first"),
            (deadly, "before it"),
            (deadly, DEADLY),
            (deadly, "behind it"),
            (other, "last"),
        ):
            wb.processes.comment(process_id, user_id="ann", text=text)
        ends = lives_and_deaths(database_url, admin, stumbles_at)
        assert ends == [9] * (1 + ATTEMPTS) + [0]
        dead = {event.event.message.rpartition(": ")[2]: event for event in wb.events.dead()}
        assert dead.keys() == {DEADLY} | ({stumbles_at} if stumbles_at else set())
        assert dead[DEADLY].attempts == ATTEMPTS
        assert "the process ended" in dead[DEADLY].error
        noted: list[tuple[UUID, int]] = admin.execute(
            "SELECT process_id, count(*) FROM noted WHERE seq > 0 GROUP BY 1"
        ).fetchall()
        assert dict(noted) == {deadly: 1 if stumbles_at else 2, other: 2}
        assert wb.check().ok


def test_also_when_it_comes_among_others_while_the_reader_is_up_to_date(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as admin, gndp.connect(database_url) as wb:
        admin.execute("CREATE TABLE noted (seq bigint PRIMARY KEY, process_id uuid)")
        process_id = start(wb, "deadly")
        wb.processes.comment(process_id, user_id="ann", text="first")
        reader = PROCESSES.Process(target=consumer, args=(database_url, None))
        reader.start()
        deadline = time.monotonic() + 60
        while admin.execute("SELECT count(*) FROM noted").fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)
        with wb.transaction():
            for text in ("before it", DEADLY, "behind it"):
                wb.processes.comment(process_id, user_id="ann", text=text)
        reader.join(60)
        assert reader.exitcode == 9
        assert admin.execute("SELECT count(*) FROM event_deliveries").fetchone() == (0,)
        admin.execute("UPDATE job_lease SET expires_at = clock_timestamp() WHERE name LIKE 'subscription: %'")
        assert lives_and_deaths(database_url, admin) == [9] * ATTEMPTS + [0]
        assert [dead.attempts for dead in wb.events.dead()] == [ATTEMPTS]
        assert admin.execute("SELECT count(*) FROM noted WHERE seq > 0").fetchone() == (3,)
