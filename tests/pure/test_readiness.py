"""What a server needs to be ready, and how answers that take a while are shared."""

from __future__ import annotations

import threading

import pytest

from gndp.core.errors import DatabaseMismatch, DatabaseUnavailable
from gndp.operations.latest import Latest
from gndp.operations.readiness import checks
from gndp.store.health import DatabaseState


def found(answer: DatabaseState | Exception, runs_jobs: bool = True) -> dict[str, bool]:
    def ask() -> DatabaseState:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return {name: check.ok for name, check in checks(Latest(ask, 1, 10), runs_jobs).items()}


def state(revision: str = "7", held: bool = True, ever: bool = True) -> DatabaseState:
    return DatabaseState(revision, "7", held, ever)


@pytest.mark.parametrize(
    ("answer", "runs_jobs", "fails"),
    [
        (state(), True, set()),
        (state("6"), True, {"schema"}),
        (state("8"), True, {"schema"}),
        (state(held=False), True, {"jobs"}),
        (state(held=False), False, set()),
        (state(held=False, ever=False), True, set()),
        (DatabaseMismatch("no tables"), True, {"schema", "jobs"}),
        (DatabaseUnavailable("away"), True, {"database", "schema", "jobs"}),
        (TimeoutError(), False, {"database", "schema", "jobs"}),
    ],
)
def test_a_server_is_ready_when_it_has_what_it_needs(
    answer: DatabaseState | Exception, runs_jobs: bool, fails: set[str]
) -> None:
    assert {name for name, ok in found(answer, runs_jobs).items() if not ok} == fails


def test_nothing_of_where_the_database_is_is_said() -> None:
    away = Latest(lambda: (_ for _ in ()).throw(DatabaseUnavailable("host db7.internal")), 1, 10)
    assert "db7" not in str(checks(away, True))


def test_a_question_is_asked_once_at_a_time_and_its_answer_shared() -> None:
    go, asked = threading.Event(), []

    def ask() -> int:
        asked.append(1)
        assert go.wait(10)
        return len(asked)

    latest = Latest(ask, 3600, 10)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(latest.get())) for _ in range(20)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(10)
    assert (answers, asked) == ([1] * 20, [1])
    assert latest.get() == 1


def test_an_answer_is_asked_for_anew_once_it_is_old_and_a_failure_too() -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.append(1)
        if len(asked) == 1:
            raise DatabaseUnavailable("away")
        return len(asked)

    latest = Latest(ask, 0, 10)
    with pytest.raises(DatabaseUnavailable):
        latest.get()
    assert [latest.get(), latest.get()] == [2, 3]


def test_an_answer_that_does_not_come_is_not_waited_for_and_not_asked_for_twice() -> None:
    never, asked = threading.Event(), []

    def ask() -> None:
        asked.append(1)
        never.wait(60)

    latest = Latest(ask, 0, 0.01)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            latest.get()
    assert asked == [1]
    never.set()
