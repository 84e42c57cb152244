"""Many clients at once: one winner, typed conflicts for the rest, and nothing half-written."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

import gndp
from gndp.core.errors import Conflict, NotFound
from gndp.settings import Settings

WORKBENCHES = 4
CONNECTIONS_EACH = 8


@pytest.fixture
def workbenches(new_workbench: Callable[..., gndp.Workbench], database_url: str) -> list[gndp.Workbench]:
    """Several workbenches on one database, as several servers would be."""
    settings = Settings(pool_min_size=1, pool_max_size=CONNECTIONS_EACH)
    return [new_workbench(database_url=database_url, settings=settings) for _ in range(WORKBENCHES)]


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Let every call go at the same moment, each in a thread of its own; answers, or the conflicts."""
    go = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        go.wait()
        try:
            return call()
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(max_workers=len(calls)) as threads:
        return list(threads.map(run, calls))


def conflicts(outcomes: Sequence[Any]) -> list[Conflict]:
    return [outcome for outcome in outcomes if isinstance(outcome, Conflict)]


def started(wb: gndp.Workbench, **options: Any) -> gndp.Process:
    return wb.processes.start(
        process_definition_id="loan",
        process_name="a loan",
        process_type="custom",
        initiated_by="ada",
        **options,
    )


def new_task(process_id: UUID, **options: Any) -> dict[str, Any]:
    return {
        "process_instance_id": process_id,
        "task_definition_id": "step",
        "task_name": "a step",
        "task_type": "manual",
        **options,
    }


def events_of(wb: gndp.Workbench, process_id: UUID, event_type: str) -> list[gndp.Event]:
    return [event for event in wb.processes.events(process_id, limit=500) if event.event_type == event_type]


def test_a_thousand_claims_of_one_task_have_one_winner(workbenches: list[gndp.Workbench]) -> None:
    wb = workbenches[0]
    process = started(wb)
    task = wb.tasks.create(**new_task(process.id))

    def claim_by(number: int) -> Callable[[], gndp.Task]:
        workbench = workbenches[number % WORKBENCHES]
        return lambda: workbench.tasks.claim(task.id, user_id=f"person-{number}")

    outcomes = at_once([claim_by(number) for number in range(1_000)])

    lost = conflicts(outcomes)
    (won,) = [outcome for outcome in outcomes if not isinstance(outcome, Conflict)]
    assert len(lost) == 999
    assert {(conflict.status, conflict.version) for conflict in lost} == {("assigned", won.version)}
    assert wb.tasks.get(task.id) == won
    assert [event.user_id for event in events_of(wb, process.id, "task.assigned")] == [won.assigned_to]
    assert wb.check().ok


def test_branches_completed_at_once_free_their_join_once(workbenches: list[gndp.Workbench]) -> None:
    wb = workbenches[0]
    process = started(wb)
    branches = [uuid4() for _ in range(24)]
    join = uuid4()
    wb.tasks.create_many(
        [new_task(process.id, id=id) for id in branches]
        + [new_task(process.id, id=join, depends_on=branches)]
    )

    def work_on(number: int) -> Callable[[], gndp.Task]:
        workbench, id, person = workbenches[number % WORKBENCHES], branches[number], f"person-{number}"

        def start_and_complete() -> gndp.Task:
            workbench.tasks.start(id, user_id=person)
            return workbench.tasks.complete(id, user_id=person)

        return start_and_complete

    outcomes = at_once([work_on(number) for number in range(len(branches))])

    assert {outcome.status for outcome in outcomes} == {"completed"}
    assert wb.tasks.get(join).substatus == "ready"
    assert wb.tasks.get(join).open_dependencies == 0
    assert [event.task_id for event in events_of(wb, process.id, "task.ready")].count(join) == 1
    wb.tasks.start(join, user_id="ada")
    wb.tasks.complete(join, user_id="ada")
    assert wb.processes.get(process.id).status == "completed"
    assert wb.check().ok


def test_one_task_completed_by_many_is_completed_once(workbenches: list[gndp.Workbench]) -> None:
    wb = workbenches[0]
    process = started(wb)
    task = wb.tasks.create(**new_task(process.id))
    wb.tasks.start(task.id, user_id="ada")

    outcomes = at_once(
        [
            partial(w.tasks.complete, task.id, user_id="ada", output_data={"by": number})
            for number, w in enumerate(workbenches * 10)
        ]
    )

    (won,) = [outcome for outcome in outcomes if not isinstance(outcome, Conflict)]
    assert wb.tasks.get(task.id).output_data == won.output_data
    assert len(events_of(wb, process.id, "task.completed")) == 1
    assert len(events_of(wb, process.id, "process.completed")) == 1
    assert wb.check().ok


def test_tasks_created_at_once_get_places_of_their_own(workbenches: list[gndp.Workbench]) -> None:
    """Calls over two processes name them in opposite orders; the engine's own order keeps them apart."""
    wb = workbenches[0]
    first, second = started(wb), started(wb)

    def create(number: int) -> Callable[[], list[gndp.Task]]:
        pair = [new_task(first.id), new_task(second.id)]
        batch = pair if number % 2 else pair[::-1]
        return lambda: workbenches[number % WORKBENCHES].tasks.create_many(batch * 3)

    outcomes = at_once([create(number) for number in range(16)])

    assert not conflicts(outcomes)
    for process in (first, second):
        tasks = wb.tasks.list(process_id=process.id, limit=100).tasks
        assert [task.position for task in tasks] == list(range(48))
        assert wb.processes.get(process.id).total_steps == 48
    assert wb.check().ok


def test_the_same_ids_created_at_once_exist_once(workbenches: list[gndp.Workbench]) -> None:
    wb = workbenches[0]
    process_id = uuid4()
    processes = at_once([partial(started, w, id=process_id) for w in workbenches * 4])
    ids = [uuid4() for _ in range(3)]
    batch = [new_task(process_id, id=id) for id in ids]
    tasks = at_once([partial(w.tasks.create_many, batch) for w in workbenches * 4])

    assert len(conflicts(processes)) == len(conflicts(tasks)) == 4 * WORKBENCHES - 1
    assert {task.id for task in wb.tasks.list(process_id=process_id).tasks} == set(ids)
    assert wb.check().ok


def test_children_started_while_the_parent_is_cancelled_are_cancelled_or_refused(
    workbenches: list[gndp.Workbench],
) -> None:
    wb = workbenches[0]
    for _ in range(3):
        parent = started(wb)
        middle = started(wb, parent_process_id=parent.id)
        starts = [
            partial(started, w, parent_process_id=above.id)
            for w in workbenches * 2
            for above in (parent, middle)
        ]
        cancel = partial(wb.processes.cancel, parent.id, user_id="ada", reason="enough")

        outcomes = at_once([*starts[:8], cancel, *starts[8:]])

        refused = conflicts(outcomes)
        children = wb.processes.children(parent.id) + wb.processes.children(middle.id)
        assert {child.status for child in children} == {"cancelled"}
        assert len(children) == 1 + len(starts) - len(refused)
        assert {conflict.status for conflict in refused} <= {"cancelled"}
    assert wb.check().ok


def test_tasks_started_while_the_process_is_cancelled_are_cancelled(
    workbenches: list[gndp.Workbench],
) -> None:
    wb = workbenches[0]
    process = started(wb)
    tasks = wb.tasks.create_many([new_task(process.id) for _ in range(20)])
    starts = [
        partial(w.tasks.start, task.id, user_id="ada") for w, task in zip(workbenches * 5, tasks, strict=True)
    ]
    cancel = partial(wb.processes.cancel, process.id, user_id="ada", reason="enough")

    at_once([*starts[:10], cancel, *starts[10:]])

    assert {task.status for task in wb.tasks.list(process_id=process.id).tasks} == {"cancelled"}
    assert wb.check().ok


def definition(name: str) -> dict[str, Any]:
    steps = [{"id": "step", "name": "Step", "type": "manual"}]
    return {"id": "loan", "name": name, "phases": [{"name": "Only", "steps": steps}]}


def test_definitions_published_at_once_are_numbered_without_a_gap(workbenches: list[gndp.Workbench]) -> None:
    wb = workbenches[0]
    outcomes = at_once(
        [
            partial(w.definitions.publish, definition(f"Loan {number}"), user_id="ada")
            for number, w in enumerate(workbenches * 4)
        ]
    )

    published = [outcome for outcome in outcomes if not isinstance(outcome, Conflict)]
    assert sorted(version.version for version in published) == list(range(1, len(published) + 1))
    for version in published:
        assert wb.definitions.get("loan", version.version) == version


def test_one_definition_published_by_many_is_one_version(workbenches: list[gndp.Workbench]) -> None:
    outcomes = at_once(
        [partial(w.definitions.publish, definition("Loan"), user_id="ada") for w in workbenches * 4]
    )

    assert {outcome.version for outcome in outcomes if not isinstance(outcome, Conflict)} == {1}
    assert workbenches[0].definitions.get("loan").version == 1


def test_units_of_work_in_opposite_order_end_with_one_conflict(workbenches: list[gndp.Workbench]) -> None:
    wb = workbenches[0]
    one, two = started(wb), started(wb)
    both_hold_their_first = threading.Barrier(2)

    def comment_on(workbench: gndp.Workbench, order: tuple[gndp.Process, gndp.Process], text: str) -> None:
        with workbench.transaction():
            workbench.processes.comment(order[0].id, user_id="ada", text=text)
            both_hold_their_first.wait()
            workbench.processes.comment(order[1].id, user_id="ada", text=text)

    outcomes = at_once(
        [
            lambda: comment_on(workbenches[0], (one, two), "forwards"),
            lambda: comment_on(workbenches[1], (two, one), "backwards"),
        ]
    )

    (conflict,) = conflicts(outcomes)
    assert conflict.details["sqlstate"] == "40P01"
    kept = "forwards" if outcomes[0] is None else "backwards"
    for process in (one, two):
        assert [event.message for event in events_of(wb, process.id, "process.commented")] == [kept]
    assert wb.check().ok


def test_a_unit_of_work_that_lost_a_race_cannot_pass_for_committed(workbenches: list[gndp.Workbench]) -> None:
    """The database undid it; a caller who swallows the conflict must still hear of it at the end."""
    wb, other = workbenches[:2]
    process, taken = started(wb), uuid4()
    is_inserted, may_commit = threading.Event(), threading.Event()

    def take_the_id() -> None:
        with other.transaction():
            started(other, id=taken)
            is_inserted.set()
            may_commit.wait()

    thread = threading.Thread(target=take_the_id)
    thread.start()
    is_inserted.wait()
    try:
        with pytest.raises(Conflict, match="undone"), wb.transaction():
            wb.processes.comment(process.id, user_id="ada", text="before")
            threading.Timer(0.3, may_commit.set).start()
            with pytest.raises(Conflict) as lost:
                started(wb, id=taken)
    finally:
        may_commit.set()
        thread.join()

    assert lost.value.details["sqlstate"] == "23505"
    assert events_of(wb, process.id, "process.commented") == []
    assert wb.check().ok


def test_a_refusal_within_a_unit_of_work_leaves_the_rest_to_commit(workbenches: list[gndp.Workbench]) -> None:
    wb = workbenches[0]
    process = started(wb)

    with wb.transaction():
        wb.processes.comment(process.id, user_id="ada", text="kept")
        with pytest.raises(Conflict):
            wb.processes.resume(process.id, user_id="ada")
        with pytest.raises(NotFound):
            wb.tasks.claim(uuid4(), user_id="ada")

    assert len(events_of(wb, process.id, "process.commented")) == 1


def test_a_nested_block_that_raises_undoes_the_whole_unit(workbenches: list[gndp.Workbench]) -> None:
    """Half a block must not be kept because somebody caught its error."""
    wb = workbenches[0]
    process = started(wb)

    with pytest.raises(Conflict, match="undone"), wb.transaction():
        wb.processes.comment(process.id, user_id="ada", text="outside")
        with pytest.raises(ZeroDivisionError), wb.transaction():
            wb.processes.comment(process.id, user_id="ada", text="inside")
            raise ZeroDivisionError

    assert events_of(wb, process.id, "process.commented") == []


def test_one_idempotency_key_at_once_acts_once(workbenches: list[gndp.Workbench]) -> None:
    wb = workbenches[0]
    outcomes = at_once([partial(started, w, idempotency_key="once") for w in workbenches * 10])

    answers = [outcome for outcome in outcomes if not isinstance(outcome, Conflict)]
    assert wb.processes.list().total == 1
    assert {answer.id for answer in answers} == {wb.processes.list().processes[0].id}
    assert {str(conflict) for conflict in conflicts(outcomes)} <= {
        "a command with this idempotency key is still running"
    }
    assert started(wb, idempotency_key="once") == answers[0]
    assert wb.check().ok


def test_a_running_idempotency_key_is_a_conflict_and_a_failed_one_is_free(
    workbenches: list[gndp.Workbench],
) -> None:
    wb, other = workbenches[:2]
    with pytest.raises(ZeroDivisionError), wb.transaction():
        started(wb, idempotency_key="twice")
        with pytest.raises(Conflict, match="still running"):
            in_a_thread(lambda: started(other, idempotency_key="twice"))
        raise ZeroDivisionError

    assert started(other, idempotency_key="twice").id == wb.processes.list().processes[0].id
    assert wb.processes.list().total == 1


def in_a_thread(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(call).result()


def test_random_work_by_many_clients_keeps_what_always_holds(workbenches: list[gndp.Workbench]) -> None:
    """Clients that know nothing of each other walk over the same few tasks; every refusal is a Conflict."""
    wb = workbenches[0]
    process = started(wb, auto_complete=False)
    first, second = uuid4(), uuid4()
    wb.tasks.create_many(
        [new_task(process.id, id=first), new_task(process.id, id=second), new_task(process.id)]
        + [new_task(process.id, depends_on=[first, second]) for _ in range(3)]
    )
    ids = [task.id for task in wb.tasks.list(process_id=process.id).tasks]

    def walk(number: int) -> Counter[str]:
        randomness, person = random.Random(number), f"person-{number}"
        tasks, processes = (
            workbenches[number % WORKBENCHES].tasks,
            workbenches[number % WORKBENCHES].processes,
        )
        outcomes: Counter[str] = Counter()
        for _ in range(60):
            task_id = randomness.choice(ids)
            act = randomness.choice(
                [
                    partial(tasks.start, task_id),
                    partial(tasks.start, task_id),
                    partial(tasks.complete, task_id),
                    partial(tasks.release, task_id),
                    partial(tasks.assign, task_id, assigned_to=person),
                    partial(tasks.fail, task_id, error_message="no"),
                    partial(tasks.retry, task_id),
                    partial(processes.suspend, process.id, reason="lunch"),
                    partial(processes.resume, process.id),
                ]
            )
            try:
                act(user_id=person)
                outcomes["done"] += 1
            except Conflict:
                outcomes["refused"] += 1
        return outcomes

    with ThreadPoolExecutor(max_workers=8) as threads:
        outcomes = sum(threads.map(walk, range(8)), Counter[str]())

    assert outcomes["done"] > 20
    assert outcomes["refused"] > 20
    assert wb.check().ok
