"""kill -9 of the embedded server under load, and cut connections: typed errors, no hang, nothing lost."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import gndp
from gndp.core.errors import DatabaseUnavailable
from gndp.settings import Settings
from gndp.store import embedded
from gndp.store.pipeline import Pipeline

CLIENTS = 6
PATIENCE = 90.0


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that the server's system user may reach, which pytest's own is not for root."""
    folder = Path(tempfile.mkdtemp(prefix="gndp-test-", dir="/var/tmp"))
    folder.chmod(0o711)
    try:
        yield folder / "data"
        embedded.stop(folder / "data")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Client(threading.Thread):
    """Works through processes on a workbench that others use too, until told to stop.

    ``acknowledged`` are the correlation ids of the commands that it was told had happened, ``refused`` the
    times that the database was unavailable, ``slowest`` the longest that a round of commands took
    (seconds), ``fault`` anything else that came.
    """

    def __init__(self, wb: gndp.Workbench, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.wb = wb
        self.acknowledged: list[str] = []
        self.refused = 0
        self.slowest = 0.0
        self.fault: BaseException | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                self._work()
            except DatabaseUnavailable:
                self.refused += 1
            except BaseException as error:
                self.fault = error
                return
            finally:
                self.slowest = max(self.slowest, time.monotonic() - began)

    def _work(self) -> None:
        process = self._told(
            lambda c: self.wb.processes.start(
                process_definition_id="loan",
                process_name="a loan",
                process_type="custom",
                initiated_by="ada",
                correlation_id=c,
            )
        )
        task = self._told(lambda c: self.wb.tasks.create(**new_task(process.id), correlation_id=c))
        self.wb.tasks.mine("ada", limit=5)
        self._told(lambda c: self._start_and_complete(task.id, c))

    def _start_and_complete(self, task_id: UUID, correlation_id: str) -> None:
        with self.wb.transaction():
            self.wb.tasks.start(task_id, user_id="ada", correlation_id=correlation_id)
            self.wb.tasks.complete(task_id, user_id="ada", correlation_id=correlation_id)

    def _told(self, command: Callable[[str], Any]) -> Any:
        correlation_id = f"{self.name}.{uuid4()}"
        answer = command(correlation_id)
        self.acknowledged.append(correlation_id)
        return answer


def new_task(process_id: UUID) -> dict[str, Any]:
    return {
        "process_instance_id": process_id,
        "task_definition_id": "step",
        "task_name": "a step",
        "task_type": "manual",
    }


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"after {PATIENCE:.0f} seconds still not: {what}"
        time.sleep(0.02)


def kill_postmaster(data_dir: Path) -> None:
    """Only the server's first process; the others notice, and leave by themselves."""
    pid = int((data_dir / "pgdata" / "postmaster.pid").read_text().split("\n")[0])
    os.kill(pid, signal.SIGKILL)


def kill_all(data_dir: Path) -> None:
    """Every process of the server at once, as when the machine fails."""
    for pid in embedded._processes(embedded.Place.of(data_dir)):
        os.kill(pid, signal.SIGKILL)


def kill_one_backend(data_dir: Path) -> None:
    """One connection's process, which the server answers by ending all others and recovering."""
    with psycopg.connect(embedded.Place.of(data_dir).uri) as connection:
        row = connection.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1"
        ).fetchone()
    assert row is not None
    os.kill(row[0], signal.SIGKILL)


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.soak)])
def test_a_killed_server_comes_back_with_every_acknowledged_command(data_dir: Path, kills: int) -> None:
    ways = (kill_postmaster, kill_all, kill_one_backend)
    with gndp.connect(data_dir=data_dir) as wb:
        for number in range(kills):
            clients = [Client(wb, f"kill{number}-client{n}") for n in range(CLIENTS)]
            kill_under_load(clients, partial(ways[number % len(ways)], data_dir))
            for client in clients:
                assert client.fault is None, repr(client.fault)
                assert client.slowest < 60
            verify(wb, clients)


def kill_under_load(clients: list[Client], kill: Callable[[], None]) -> None:
    """Kill the server while all clients work, and wait until all of them work again."""
    for client in clients:
        client.start()
    until(lambda: all(len(client.acknowledged) >= 6 for client in clients), "under load")
    kill()
    until(lambda: any(client.refused for client in clients), "somebody hears of it")
    goals = [(client, len(client.acknowledged) + 3) for client in clients]
    until(
        lambda: all(client.fault or len(client.acknowledged) >= goal for client, goal in goals), "works again"
    )
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(PATIENCE)
        assert not client.is_alive()


def verify(wb: gndp.Workbench, clients: list[Client]) -> None:
    report = wb.check()
    assert report.ok, report.violations
    with psycopg.connect(wb.database_url) as connection:
        kept = {row[0] for row in connection.execute("SELECT DISTINCT correlation_id FROM process_events")}
    for client in clients:
        assert set(client.acknowledged) <= kept


# ------------------------------------------------------------------------------------------ cut connections


@pytest.fixture
def cut_workbench(new_workbench: Callable[..., gndp.Workbench]) -> gndp.Workbench:
    """A workbench with three connections, none of which can be opened quickly by growing the pool."""
    return new_workbench(settings=Settings(pool_min_size=3, pool_max_size=3))


def cut(wb: gndp.Workbench) -> None:
    """End every connection of the workbench, from the server's side."""
    with psycopg.connect(wb.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def started(wb: gndp.Workbench) -> gndp.Process:
    return wb.processes.start(
        process_definition_id="loan", process_name="a loan", process_type="custom", initiated_by="ada"
    )


def test_idle_connections_that_were_cut_fail_one_command_only(cut_workbench: gndp.Workbench) -> None:
    wb = cut_workbench
    process = started(wb)
    for command in (
        lambda: wb.processes.comment(process.id, user_id="ada", text="well"),
        lambda: wb.processes.get(process.id),
        lambda: wb.check(),
    ):
        cut(wb)
        with pytest.raises(DatabaseUnavailable):
            command()
        for _ in range(4):
            command()
    assert wb.check().ok


def test_a_unit_of_work_that_is_cut_leaves_nothing(cut_workbench: gndp.Workbench) -> None:
    wb = cut_workbench
    process = started(wb)
    with pytest.raises(DatabaseUnavailable), wb.transaction():
        wb.processes.comment(process.id, user_id="ada", text="lost")
        cut(wb)
        wb.processes.comment(process.id, user_id="ada", text="never sent")
    with pytest.raises(DatabaseUnavailable), wb.transaction():
        wb.processes.comment(process.id, user_id="ada", text="lost before its commit")
        cut(wb)

    assert [event.event_type for event in wb.processes.events(process.id)] == ["process.started"]
    wb.processes.comment(process.id, user_id="ada", text="works again")
    assert wb.check().ok


def test_a_command_that_waits_for_a_lock_is_cut(
    cut_workbench: gndp.Workbench, new_workbench: Callable[..., gndp.Workbench]
) -> None:
    wb = cut_workbench
    process = started(wb)
    outcome: list[object] = []

    def wait_for_the_lock() -> None:
        try:
            outcome.append(wb.processes.comment(process.id, user_id="bob", text="waits"))
        except BaseException as error:
            outcome.append(error)

    with psycopg.connect(wb.database_url) as holder:
        holder.execute("SELECT FROM process_instances FOR UPDATE")
        thread = threading.Thread(target=wait_for_the_lock)
        thread.start()
        waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        until(lambda: holder.execute(waits).fetchone() is not None, "somebody waits for the lock")
        holder.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        thread.join(PATIENCE)
    assert [type(answer) for answer in outcome] == [DatabaseUnavailable]
    assert wb.processes.comment(process.id, user_id="bob", text="again") == wb.processes.get(process.id)
    assert wb.check().ok


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_command_gives_its_own_error_and_a_fresh_connection(
    cut_workbench: gndp.Workbench, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    """Ctrl-C in a notebook: not taken for a broken connection, and no answer is left for the next command."""
    wb = cut_workbench
    process = started(wb)

    def interrupt(pipeline: object) -> None:
        raise interruption

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "_next_result", interrupt)
        with pytest.raises(interruption):
            wb.processes.comment(process.id, user_id="ada", text="interrupted")
    for _ in range(4):
        assert wb.processes.get(process.id) == process
    assert wb.check().ok


def test_a_closed_workbench_says_so(cut_workbench: gndp.Workbench) -> None:
    cut_workbench.close()
    with pytest.raises(DatabaseUnavailable, match="closed"):
        cut_workbench.processes.list()


def test_a_server_that_was_stopped_stays_stopped_until_somebody_connects(data_dir: Path) -> None:
    with gndp.connect(data_dir=data_dir) as wb:
        process = started(wb)
        assert embedded.stop(data_dir)
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable):
                wb.processes.get(process.id)
        assert not embedded.is_running(data_dir)
        with gndp.connect(data_dir=data_dir) as again:
            assert again.processes.get(process.id) == process
