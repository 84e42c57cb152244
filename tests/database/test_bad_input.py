"""Bad input that only the state shows, and bad documents: a typed error, and nothing changes in any table."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

import gndp
from gndp.core import arguments
from gndp.core.errors import Conflict, Invalid, NotFound
from tests.scene import (
    BAD_IDS,
    BAD_SHORT_TEXTS,
    BAD_WORDS,
    NEW_PROCESS,
    NUL,
    SURROGATE,
    TEMPLATE,
    Scene,
    deep,
    new_task,
)


def test_an_id_of_the_other_kind_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFound):
        scene.wb.processes.suspend(scene.pending.id, user_id="ada", reason="lunch")
    with pytest.raises(NotFound):
        scene.wb.tasks.claim(scene.running.id, user_id="ada")
    with pytest.raises(NotFound):
        scene.wb.tasks.create(**new_task(scene.pending.id))
    with pytest.raises(NotFound):
        scene.wb.tasks.create(**new_task(uuid4()))
    with pytest.raises(NotFound):
        scene.start("child", parent_process_id=uuid4())


def test_an_unknown_keyword_is_refused(scene: Scene) -> None:
    with pytest.raises(TypeError):
        scene.wb.tasks.claim(scene.pending.id, user_id="ada", expected_versions=1)
    with pytest.raises(Invalid, match="is unknown"):
        scene.add(scene.running, assignee="ada")
    with pytest.raises(Invalid, match="is unknown"):
        scene.add(scene.running, place="x")


# ------------------------------------------------------------------------------------------ dependencies


def refused_batch(scene: Scene, *batch: Any) -> Invalid:
    with pytest.raises(Invalid) as refused:
        scene.wb.tasks.create_many(list(batch))
    return refused.value


def test_a_cycle_within_one_call_is_invalid(scene: Scene) -> None:
    a, b, c = (uuid4() for _ in range(3))
    here = scene.running.id
    pair = refused_batch(scene, new_task(here, id=a, depends_on=[b]), new_task(here, id=b, depends_on=[a]))
    assert [problem.place for problem in pair.problems] == ["[0].depends_on", "[1].depends_on"]
    refused_batch(
        scene,
        new_task(here, id=a, depends_on=[c, scene.pending.id]),
        new_task(here, id=b, depends_on=[a]),
        new_task(here),
        new_task(here, id=c, depends_on=[b]),
    )


def test_a_long_cycle_within_one_call_is_invalid(scene: Scene) -> None:
    ids = [uuid4() for _ in range(3_000)]
    batch = [
        new_task(scene.running.id, id=id, depends_on=[before])
        for id, before in zip(ids, [ids[-1], *ids], strict=False)
    ]
    refused_batch(scene, *batch)


def test_a_task_that_depends_on_itself_is_invalid(scene: Scene) -> None:
    mine = uuid4()
    refusal = refused_batch(scene, new_task(scene.running.id, id=mine, depends_on=[mine]))
    assert [str(problem) for problem in refusal.problems] == ["[0].depends_on[0]: is the task itself"]
    with pytest.raises(Invalid):
        scene.add(scene.running, id=str(mine).upper(), depends_on=[mine])


def test_a_dependency_in_another_process_is_invalid(scene: Scene) -> None:
    with pytest.raises(Invalid, match="another process"):
        scene.add(scene.running, depends_on=[scene.pending.id, scene.foreign.id])
    first = uuid4()
    here, there = new_task(scene.running.id, id=first), new_task(scene.other.id, depends_on=[first])
    for batch in ((here, there), (there, here)):
        assert "another process" in str(refused_batch(scene, *batch))


def test_an_unknown_dependency_is_invalid_and_all_are_told(scene: Scene) -> None:
    refusal = refused_batch(
        scene,
        new_task(scene.running.id, depends_on=[uuid4(), scene.running.id]),
        new_task(scene.running.id, depends_on=[scene.foreign.id]),
    )
    assert [problem.place for problem in refusal.problems] == [
        "[0].depends_on[0]",
        "[0].depends_on[1]",
        "[1].depends_on[0]",
    ]


def test_a_cancelled_dependency_is_a_conflict(scene: Scene) -> None:
    with pytest.raises(Conflict) as refused:
        scene.add(scene.running, depends_on=[scene.cancelled.id])
    assert refused.value.status == "cancelled"


def test_one_bad_task_refuses_the_whole_call(scene: Scene) -> None:
    good = new_task(scene.running.id)
    for bad in (7, None, "text", [], {}, {**good, "task_name": NUL}, {**good, 1: 2}, new_task("no id")):
        assert refused_batch(scene, good, bad).problems[0].place.startswith("[1]")
    for call in (5, None, "text", b"bytes", {"a": 1}, {1, 2}):
        with pytest.raises(Invalid):
            scene.wb.tasks.create_many(call)
    with pytest.raises(NotFound):
        scene.wb.tasks.create_many([good, new_task(uuid4())])
    with pytest.raises(Conflict):
        scene.wb.tasks.create_many([good, new_task(scene.finished.id)])


def test_an_id_that_is_taken_or_given_twice(scene: Scene) -> None:
    twice = uuid4()
    refused_batch(scene, *[new_task(scene.running.id, id=twice)] * 2)
    refused_batch(scene, new_task(scene.running.id, id=twice), new_task(scene.other.id, id=str(twice)))
    with pytest.raises(Conflict):
        scene.add(scene.running, id=scene.foreign.id)
    with pytest.raises(Conflict):
        scene.start("again", id=scene.finished.id)


# ----------------------------------------------------------------------------------- transitions and forms


def test_illegal_transitions_of_tasks_are_conflicts(scene: Scene) -> None:
    tasks = scene.wb.tasks
    who = {"user_id": "ada"}
    illegal: list[tuple[gndp.Task, Callable[..., object]]] = [
        (scene.pending, partial(tasks.complete, **who)),
        (scene.pending, partial(tasks.release, **who)),
        (scene.pending, partial(tasks.retry, **who)),
        (scene.pending, partial(tasks.resume, **who)),
        (scene.pending, partial(tasks.fail, **who, error_message="no")),
        (scene.pending, partial(tasks.wait, **who, reason="customer")),
        (scene.pending, partial(tasks.reassign, new_assignee="bob", reassigned_by="ada", reason="ill")),
        (scene.pending, partial(tasks.cancel, **who, reason="the blocked one waits for it")),
        (scene.blocked, partial(tasks.claim, **who)),
        (scene.blocked, partial(tasks.start, **who)),
        (scene.assigned, partial(tasks.claim, user_id="bob")),
        (scene.assigned, partial(tasks.start, user_id="bob")),
        (scene.assigned, partial(tasks.complete, **who)),
        (scene.in_progress, partial(tasks.start, **who)),
        (scene.in_progress, partial(tasks.skip, **who, reason="late")),
        (scene.in_progress, partial(tasks.complete, user_id="bob")),
        (scene.in_progress, partial(tasks.assign, **who, assigned_to="bob")),
        (scene.in_progress, partial(tasks.resume, **who)),
    ]
    for final in (scene.done, scene.cancelled, scene.suspended_task):
        illegal += [
            (final, partial(tasks.assign, **who, assigned_to="bob")),
            (final, partial(tasks.claim, **who)),
            (final, partial(tasks.start, **who)),
            (final, partial(tasks.complete, **who)),
            (final, partial(tasks.retry, **who)),
        ]
    for task, command in illegal:
        with pytest.raises(Conflict) as refused:
            command(task.id)
        assert refused.value.status is not None, (task.status, command)


def test_illegal_transitions_of_processes_are_conflicts(scene: Scene) -> None:
    processes = scene.wb.processes
    who = {"user_id": "ada"}
    illegal: list[tuple[gndp.Process, Callable[..., object]]] = [
        (scene.running, partial(processes.resume, **who)),
        (scene.running, partial(processes.retry, **who)),
        (scene.running, partial(processes.complete, **who)),
        (scene.running, partial(processes.update_status, new_status="pending")),
        (scene.running, partial(processes.update_status, new_status="running")),
        (scene.held, partial(processes.suspend, **who, reason="lunch")),
        (scene.held, partial(processes.complete, **who)),
        (scene.held, partial(processes.fail, **who, error_message="no")),
        (scene.suspended, partial(processes.suspend, **who, reason="lunch")),
        (scene.suspended, partial(processes.complete, **who)),
        *(
            (scene.finished, partial(processes.update_status, new_status=status))
            for status in ("pending", "running", "suspended", "completed", "failed", "cancelled")
        ),
    ]
    for process, command in illegal:
        with pytest.raises(Conflict) as refused:
            command(process.id)
        assert refused.value.status == process.status, command
    for closed in (scene.finished, scene.suspended):
        with pytest.raises(Conflict):
            scene.add(closed)
    with pytest.raises(Conflict):
        scene.start("child", parent_process_id=scene.finished.id)


def test_output_that_does_not_fit_the_form_is_invalid(scene: Scene) -> None:
    for output in (None, {}, {"amount": 0}, {"amount": "1"}, {"amount": True}, {"amount": [1]}):
        with pytest.raises(Invalid) as refused:
            scene.wb.tasks.complete(scene.form_task.id, user_id="ada", output_data=output)
        assert "amount" in str(refused.value)


# ----------------------------------------------------------------------------------------- idempotency keys


def test_an_idempotency_key_with_other_arguments_is_invalid(
    new_workbench: Callable[..., gndp.Workbench],
) -> None:
    scene = Scene(new_workbench().database_url)
    commands: list[Callable[..., Any]] = [
        partial(scene.wb.tasks.start, scene.pending.id, user_id="ada"),
        partial(scene.wb.processes.start, **{**NEW_PROCESS, "input_data": {"a": [1, {"b": None}]}}),
        partial(scene.wb.tasks.create_many, [new_task(scene.running.id)] * 2),
        partial(scene.wb.processes.comment, scene.running.id, user_id="ada", text="first"),
    ]
    first = [command(idempotency_key="key") for command in commands]
    before = scene.digest()

    assert [command(idempotency_key="key") for command in commands] == first
    for other in (
        partial(scene.wb.tasks.start, scene.assigned.id, user_id="ada"),
        partial(scene.wb.tasks.start, scene.pending.id, user_id="ada", expected_version=1),
        partial(scene.wb.processes.start, **{**NEW_PROCESS, "input_data": {"a": [1, {"b": 0}]}}),
        partial(scene.wb.tasks.create_many, [new_task(scene.running.id)]),
        partial(scene.wb.processes.comment, scene.running.id, user_id="ada", text="second"),
    ):
        with pytest.raises(Invalid, match="other arguments"):
            other(idempotency_key="key")
    assert scene.digest() == before
    scene.wb.close()


def test_update_status_has_one_scope_of_keys_whichever_status_it_is_for(
    new_workbench: Callable[..., gndp.Workbench],
) -> None:
    scene = Scene(new_workbench().database_url)
    update = partial(scene.wb.processes.update_status, scene.running.id, user_id="ada", idempotency_key="key")
    suspended = update(new_status="suspended", reason="lunch")
    with pytest.raises(Invalid, match="other arguments"):
        update(new_status="running")
    assert update(new_status="suspended", reason="lunch") == suspended
    assert scene.wb.processes.get(scene.running.id).status == "suspended"
    scene.wb.close()


def test_the_longest_names_and_keys_can_be_stored(new_workbench: Callable[..., gndp.Workbench]) -> None:
    """What the edge lets through fits every index, also when it cannot be compressed."""
    wb = new_workbench()

    def longest(characters: int, seed: int) -> str:
        return "".join(chr(0x20000 + (seed + 7919 * n * n) % 40_000) for n in range(characters))

    process = wb.processes.start(
        process_definition_id=longest(500, 1),
        process_name=longest(500, 2),
        process_type=longest(500, 3),
        initiated_by=longest(500, 4),
        assigned_to=longest(500, 5),
        idempotency_key=longest(arguments.MAX_KEY, 6),
    )
    task = wb.tasks.create(**new_task(process.id, assigned_to=longest(500, 7)))
    assert wb.tasks.mine(longest(500, 7))[0].task == wb.tasks.get(task.id)


# --------------------------------------------------------------------------------------- reads, definitions


def test_reads_refuse_bad_arguments(scene: Scene) -> None:
    wb = scene.wb
    for id in BAD_IDS:
        for read in (wb.processes.get, wb.processes.children, wb.processes.events, wb.tasks.get):
            with pytest.raises(Invalid):
                read(id)
        with pytest.raises(Invalid):
            wb.tasks.list(process_id=id)
    for read in (wb.processes.get, wb.processes.children, wb.processes.events, wb.tasks.get):
        with pytest.raises(NotFound):
            read(uuid4())
    for limit in (0, -1, 101, 501, True, "5", 1.0, None, 10**400):
        for reads in (wb.processes.list, wb.tasks.list, partial(wb.processes.events, scene.running.id)):
            if limit != 101 or reads in (wb.processes.list, wb.tasks.list):
                with pytest.raises(Invalid):
                    reads(limit=limit)
    for offset in (-1, 10_001, True, "5", None):
        for reads in (wb.processes.list, wb.tasks.list):
            with pytest.raises(Invalid):
                reads(offset=offset)
    for word in BAD_WORDS:
        for reads in (wb.processes.list, wb.tasks.list):
            with pytest.raises(Invalid):
                reads(status=word)
    for text in BAD_SHORT_TEXTS:
        for refused in (
            partial(wb.processes.list, assigned_to=text),
            partial(wb.processes.list, process_type=text),
            partial(wb.tasks.list, assigned_to=text),
            partial(wb.tasks.mine, text),
            partial(wb.tasks.assignment_stats, text),
            partial(wb.definitions.get, text),
            partial(wb.definitions.get, text, 1),
        ):
            with pytest.raises(Invalid):
                refused()
    for version in ("1", 0, True, 1.0, 2**31, 10**400):
        with pytest.raises(Invalid):
            wb.definitions.get("with_form", version)
    for unknown in (("nothing", None), ("nothing", 1), ("with_form", 2)):
        with pytest.raises(NotFound):
            wb.definitions.get(*unknown)


def test_publishing_refuses_bad_documents(scene: Scene) -> None:
    cyclic = [
        {"id": "a", "name": "A", "type": "manual", "depends_on": ["b"]},
        {"id": "b", "name": "B", "type": "manual", "depends_on": ["a"]},
    ]
    documents: list[Any] = [
        None,
        7,
        "",
        "a: [",
        b"\xff",
        NUL,
        SURROGATE,
        [],
        {},
        {**TEMPLATE, "name": NUL},
        {**TEMPLATE, "name": SURROGATE},
        {**TEMPLATE, "name": 7},
        {**TEMPLATE, "sla_minutes": True},
        {**TEMPLATE, "sla_minutes": 10**400},
        {**TEMPLATE, "sla_minutes": math.nan},
        {**TEMPLATE, "steps": cyclic},
        {**TEMPLATE, "steps": [{**TEMPLATE["steps"][0], "form": deep(100)}]},
        {**TEMPLATE, "steps": [{**TEMPLATE["steps"][0], "form": {"type": "bogus"}}]},
        {**TEMPLATE, 1: 2},
        deep(100),
        deep(100_000),
    ]
    for document in documents:
        with pytest.raises(Invalid):
            scene.wb.definitions.publish(document, user_id="ada")
    for person in (*BAD_SHORT_TEXTS, None):
        with pytest.raises(Invalid):
            scene.wb.definitions.publish(TEMPLATE, user_id=person)


def test_a_clock_that_is_wrong_refuses_every_command(scene: Scene) -> None:
    right = scene.wb.clock
    try:
        for reading in (datetime(2026, 1, 1), "now", None, 0):
            scene.wb.clock = lambda reading=reading: reading
            for command in (
                partial(scene.wb.tasks.claim, scene.pending.id, user_id="ada"),
                partial(scene.start, "late"),
                partial(scene.wb.definitions.publish, {**TEMPLATE, "name": "Other"}, user_id="ada"),
            ):
                with pytest.raises(Invalid, match="clock"):
                    command()
    finally:
        scene.wb.clock = right
