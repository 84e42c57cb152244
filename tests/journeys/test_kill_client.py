"""kill -9 of a client in mid-command: what it was told has happened, and nothing has happened by halves.

A client works through a fixed list of commands and says after each that it was acknowledged. It kills itself
at a chosen point: around an exchange with the server, or between two statements of one. A first client that
nobody kills shows how many such points there are, and how many events each command leaves.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, NoReturn
from uuid import uuid4

import psycopg
import pytest

import gndp
from gndp.settings import Settings
from gndp.store.pipeline import Pipeline

CLIENTS = multiprocessing.get_context("forkserver")
CLIENTS.set_forkserver_preload(["gndp", "gndp.store.migrate"])
MOMENTS = {
    "before a statement": "those before it in its pipeline were sent, and may be executed",
    "before the end": "all statements, COMMIT too, were sent, but not the pipeline's end",
    "before an exchange": "nothing of it was sent",
    "before an answer": "all of it was sent",
    "after an answer": "the answer was read, but not given to the caller",
}


class Fault(NamedTuple):
    """Where a client kills itself: when it comes to ``moment`` for the ``number``-th time (from 1)."""

    moment: str
    number: int


# ------------------------------------------------------------------------------------------------ the client


def client(url: str, run: str, fault: Fault | None, pipe: Connection) -> None:
    """Work through the commands in a process of its own; the pipe gets the number of each acknowledged one,
    and at last how often each moment came."""
    os.environ["PGAPPNAME"] = run
    wb = gndp.connect(url, settings=Settings(pool_min_size=1, pool_max_size=1))
    moments: Counter[str] = Counter()
    _arm(fault, moments)
    for number, command in enumerate(commands(wb)):
        command(f"{run}.{number}")
        pipe.send(number)
    pipe.send(moments)
    wb.close()


def commands(wb: gndp.Workbench) -> Iterator[Callable[[str], object]]:
    """One command after the other, each called with its correlation id; every one leaves events."""
    case, child = uuid4(), uuid4()
    first, second, third, join, last = (uuid4() for _ in range(5))
    new = {"process_definition_id": "loan", "process_type": "custom", "initiated_by": "ada"}
    who = {"user_id": "ada"}
    yield lambda c: wb.processes.start(**new, process_name="case", id=case, correlation_id=c)
    yield lambda c: wb.tasks.create_many(
        [_task(case, first), _task(case, second), _task(case, third), _task(case, join, [first, second])],
        correlation_id=c,
    )
    yield lambda c: wb.tasks.assign(first, assigned_to="ada", correlation_id=c)
    yield lambda c: wb.tasks.start(first, **who, correlation_id=c)
    yield lambda c: wb.tasks.complete(first, **who, output_data={"a": 1}, idempotency_key=c, correlation_id=c)
    yield lambda c: wb.tasks.claim(second, **who, correlation_id=c)
    yield lambda c: wb.tasks.start(second, **who, correlation_id=c)
    yield lambda c: wb.tasks.fail(second, **who, error_message="again", correlation_id=c)
    yield lambda c: wb.tasks.start(second, **who, correlation_id=c)
    yield lambda c: wb.tasks.fail(second, **who, error_message="no", final=True, correlation_id=c)
    yield lambda c: wb.processes.retry(case, **who, correlation_id=c)
    yield lambda c: wb.tasks.skip(second, **who, reason="done by hand", correlation_id=c)
    yield lambda c: _several(wb, case, join, c)
    yield lambda c: wb.tasks.create(**_task(case, last, [third]), correlation_id=c)
    yield lambda c: wb.tasks.cancel(third, **who, reason="void", cascade=True, correlation_id=c)
    yield lambda c: wb.processes.start(
        **new, process_name="child", id=child, parent_process_id=case, correlation_id=c
    )
    yield lambda c: wb.tasks.create_many([_task(child, uuid4()), _task(case, uuid4())], correlation_id=c)
    yield lambda c: wb.processes.cancel(case, **who, reason="enough", correlation_id=c)


def _several(wb: gndp.Workbench, case: object, task: object, correlation_id: str) -> None:
    with wb.transaction():
        wb.tasks.start(task, user_id="bob", correlation_id=correlation_id)
        wb.processes.comment(case, user_id="bob", text="nearly there", correlation_id=correlation_id)
        wb.tasks.complete(task, user_id="bob", correlation_id=correlation_id)


def _task(process_id: object, id: object, depends_on: Sequence[object] = ()) -> dict[str, Any]:
    return {
        "process_instance_id": process_id,
        "id": id,
        "task_definition_id": "step",
        "task_name": "a step",
        "task_type": "manual",
        "depends_on": list(depends_on),
    }


def _arm(fault: Fault | None, moments: Counter[str]) -> None:
    """From now on count the moments of this process, and die at the one that is the fault."""

    def reached(moment: str) -> None:
        moments[moment] += 1
        if fault == (moment, moments[moment]):
            _die()

    exchange, flush = Pipeline._exchange, Pipeline._flush

    class Watched:
        """A libpq connection whose statements are sent one by one, each after a moment to die."""

        def __init__(self, pgconn: Any) -> None:
            self.__dict__["pgconn"] = pgconn

        def __getattr__(self, name: str) -> Any:
            return getattr(self.pgconn, name)

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(self.pgconn, name, value)

        def send_query_prepared(self, *arguments: Any, **options: Any) -> None:
            self.pgconn.flush()
            reached("before a statement")
            self.pgconn.send_query_prepared(*arguments, **options)

        def pipeline_sync(self) -> None:
            self.pgconn.flush()
            reached("before the end")
            self.pgconn.pipeline_sync()

    def watched_exchange(pipeline: Any, statements: Any) -> Any:
        reached("before an exchange")
        if not isinstance(pipeline._pgconn, Watched):
            pipeline._pgconn = Watched(pipeline._pgconn)
        answers = exchange(pipeline, statements)
        reached("after an answer")
        return answers

    def watched_flush(pipeline: Any) -> None:
        flush(pipeline)
        reached("before an answer")

    Pipeline._exchange = watched_exchange  # type: ignore[method-assign]
    Pipeline._flush = watched_flush  # type: ignore[method-assign]


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process does not get here")


# ------------------------------------------------------------------------------------------------- the judge


class Outcome(NamedTuple):
    """What a client said before it ended: how many commands were acknowledged, and what it counted."""

    acknowledged: int
    moments: Counter[str] | None
    exit_code: int | None


def run_client(url: str, run: str, fault: Fault | None = None) -> Outcome:
    receiver, sender = CLIENTS.Pipe(duplex=False)
    process = CLIENTS.Process(target=client, args=(url, run, fault, sender))
    process.start()
    sender.close()
    acknowledged, moments = 0, None
    while (said := _next_word(receiver)) is not None:
        if isinstance(said, int):
            assert said == acknowledged
            acknowledged += 1
        else:
            moments = said
    process.join(60)
    return Outcome(acknowledged, moments, process.exitcode)


def _next_word(receiver: Connection) -> Any:
    try:
        assert receiver.poll(60), "the client neither works nor ends"
        return receiver.recv()
    except EOFError:
        return None


def events_left(connection: psycopg.Connection[Any], run: str) -> dict[int, Counter[str]]:
    """The types of the events that each command of a client left, once its connections have ended."""
    deadline = time.monotonic() + 30
    while connection.execute("SELECT FROM pg_stat_activity WHERE application_name = %s", (run,)).fetchone():
        assert time.monotonic() < deadline, "the killed client's connection does not end"
        time.sleep(0.01)
    found: dict[int, Counter[str]] = {}
    for number, event_type in connection.execute(
        "SELECT split_part(correlation_id, '.', 2)::int, event_type FROM process_events"
        " WHERE split_part(correlation_id, '.', 1) = %s",
        (run,),
    ):
        found.setdefault(number, Counter())[event_type] += 1
    return found


def spread(moments: Counter[str], kills: int) -> Iterator[Fault]:
    """That many faults, evenly over the moments and over the times that each comes."""
    for kill in range(kills):
        moment = list(MOMENTS)[kill % len(MOMENTS)]
        among, of = kill // len(MOMENTS), -(-kills // len(MOMENTS))
        yield Fault(moment, 1 + min((2 * among + 1) * moments[moment] // (2 * of), moments[moment] - 1))


@pytest.mark.parametrize("kills", [12, pytest.param(200, marks=pytest.mark.soak)])
def test_a_killed_client_loses_nothing_it_was_told_and_leaves_nothing_half_done(
    workbench: gndp.Workbench, kills: int
) -> None:
    url = workbench.database_url
    whole = run_client(url, "undisturbed")
    assert whole.exit_code == 0
    assert whole.moments is not None
    assert set(whole.moments) == set(MOMENTS)
    with psycopg.connect(url, autocommit=True) as connection:
        expected = events_left(connection, "undisturbed")
        assert len(expected) == whole.acknowledged > 15
        ends = Counter[bool]()
        for number, fault in enumerate(spread(whole.moments, kills)):
            run = f"client{number}"
            outcome = run_client(url, run, fault)
            assert outcome.exit_code == -signal.SIGKILL, fault

            left = events_left(connection, run)
            told = {number: expected[number] for number in range(outcome.acknowledged)}
            in_doubt = outcome.acknowledged
            assert left in (told, {**told, in_doubt: expected.get(in_doubt)}), fault
            ends[in_doubt in left] += 1
            report = workbench.check()
            assert report.ok, (fault, report.violations)
    assert set(ends) == {True, False}, "some kills should come before a commit, and some after"
