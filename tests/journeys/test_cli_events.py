"""``gndp events`` on a real database: following the log, looking after subscriptions, and what is refused."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from pathlib import Path
from uuid import UUID

import psycopg

import gndp
from tests.journeys.command_line import GNDP, Run, succeeded, told


def start(wb: gndp.Workbench) -> UUID:
    return wb.processes.start(
        process_definition_id="talk", process_name="Talk", process_type="custom", initiated_by="ann"
    ).id


def until(condition: object, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_tail_prints_what_there_is_and_goes_on_behind_a_position(run_here: Run, database_url: str) -> None:
    with gndp.connect(database_url) as wb:
        process, other = start(wb), start(wb)
        for text in ("one", "two\n\033[31mred", "three"):
            wb.processes.comment(process, user_id="ann", text=text)
    printed = succeeded(run_here("events", "tail", "--from-beginning", "--count", 5))
    lines = printed.splitlines()
    assert [line.split("  ")[1].strip() for line in lines] == ["process.started"] * 2 + [
        "process.commented"
    ] * 3
    assert lines[2].endswith(f"{process}  ann  one") and " UTC" in lines[2]
    assert "\033" not in printed
    arguments = ("events", "tail", "--from-beginning", "--json", "--type", "process.commented", "--count", 1)
    first = json.loads(succeeded(run_here(*arguments)))
    rest = succeeded(
        run_here("events", "tail", "--after", first["position"], "--json", "--process", process, "--count", 2)
    )
    assert [json.loads(line)["details"]["text"] for line in rest.splitlines()] == [
        "two\n\033[31mred",
        "three",
    ]
    assert str(other) not in rest


def test_tail_follows_live_until_it_is_interrupted(database_url: str, folder: Path) -> None:
    command = [GNDP, "events", "tail", "--type", "process.*", "--database-url", database_url]
    tail = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    lines: list[str] = []
    assert tail.stdout is not None
    reading = threading.Thread(target=lines.extend, args=(iter(tail.stdout.readline, ""),), daemon=True)
    reading.start()
    try:
        with gndp.connect(database_url) as wb:
            until(lambda: (start(wb), time.sleep(0.2), lines)[-1], 60)
        tail.send_signal(signal.SIGINT)
        assert tail.wait(20) == 0
    finally:
        tail.kill()
    reading.join(5)
    assert all("process.started" in line for line in lines)


def test_subscriptions_dead_events_and_what_is_done_with_them(run_here: Run, database_url: str) -> None:
    def fail(event: object) -> None:
        raise ValueError("no\nmail server")

    assert "no durable subscriptions" in succeeded(run_here("events", "subscriptions"))
    assert "no dead events" in succeeded(run_here("events", "dead"))
    with gndp.connect(database_url) as wb:
        wb.events.subscribe_durable("mail", "process.*", fail, max_attempts=1)
        process = start(wb)
        until(lambda: wb.events.dead())
    listed = succeeded(run_here("events", "subscriptions")).splitlines()
    assert listed[1].split() == ["mail", "process.*", "nobody", "1", "0", "0", "0", "1"]
    dead = succeeded(run_here("events", "dead", "mail"))
    assert "ValueError: no mail server" in dead and str(process) in dead
    (as_json,) = json.loads(succeeded(run_here("events", "dead", "--json")))
    assert (as_json["attempts"], as_json["event"]["event_type"]) == (1, "process.started")
    assert succeeded(run_here("events", "dead", "mail", "--seq", 999, "--replay")) == (
        "0 events given to their handler again\n"
    )
    assert (
        succeeded(run_here("events", "dead", "mail", "--replay")) == "1 event given to their handler again\n"
    )
    heard: list[object] = []
    with gndp.connect(database_url) as wb:
        wb.events.subscribe_durable("mail", "process.*", heard.append)
        until(lambda: heard)
        until(lambda: not wb.events.parked())
    assert succeeded(run_here("events", "unsubscribe", "mail")) == "the subscription mail is removed\n"
    report = json.loads(succeeded(run_here("events", "subscriptions", "--json")))
    assert report == {"subscriptions": [], "oldest_writer": None}


def test_rebase_says_that_there_is_nothing_to_do_or_does_it(run_here: Run, database_url: str) -> None:
    assert succeeded(run_here("events", "rebase")) == "nothing to do: the positions are of this cluster\n"
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("UPDATE event_log SET system_identifier = 1")
    assert "gndp events rebase" in told(run_here("events", "tail", "--count", 1), 2)
    assert succeeded(run_here("events", "rebase")) == "the positions in the event log are told anew\n"
    assert "nothing to do" in succeeded(run_here("events", "rebase"))


def test_rubbish_is_refused_in_one_line(run_here: Run) -> None:
    for arguments, word in (
        (("tail", "--type", "sla*"), "pattern"),
        (("tail", "--after", "rubbish"), "position"),
        (("tail", "--after", "1/1:1:/1:1:/0", "--from-beginning"), "not both"),
        (("tail", "--process", "rubbish"), "process_id"),
        (("dead", "nobody"), "nobody"),
        (("dead", "--replay"), "name the subscription"),
        (("dead", "mail", "--replay", "--discard"), "not both"),
        (("unsubscribe", "nobody"), "nobody"),
    ):
        result = run_here("events", *arguments)
        assert word in told(result, result.returncode)
        assert result.returncode not in (0, 1) or "nobody" in word
