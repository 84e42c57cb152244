"""Bad input, systematically: each gives its typed error and changes nothing in any table."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import gndp
from gndp.core.errors import Conflict, Invalid, NotFound

FORM = {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 1}}, "required": ["amount"]}
TEMPLATE = {
    "id": "with_form",
    "name": "With a form",
    "steps": [
        {"id": "fill_in", "name": "Fill in", "type": "manual", "form": FORM},
        {"id": "check", "name": "Check", "type": "approval", "depends_on": ["fill_in"]},
    ],
}


class Scene:
    """One database with a few processes and tasks in known states; commands that are refused leave it so."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.wb = gndp.connect(url)
        self.running = self.start("running")
        self.other = self.start("other")
        self.suspended = self.start("suspended")
        self.suspended_task = self.add(self.suspended)
        self.suspended = self.wb.processes.suspend(self.suspended.id, user_id="ada", reason="lunch")
        self.finished = self.start("finished")
        self.finished = self.wb.processes.complete(self.finished.id, user_id="ada")
        self.held = self.start("held", hold=True)
        self.pending = self.add(self.running)
        self.blocked = self.add(self.running, depends_on=[self.pending.id])
        self.assigned = self.add(self.running, assigned_to="ada")
        self.in_progress = self.add(self.running)
        self.wb.tasks.start(self.in_progress.id, user_id="ada")
        self.done = self.add(self.running)
        self.wb.tasks.skip(self.done.id, user_id="ada", reason="not needed")
        self.cancelled = self.add(self.running)
        self.wb.tasks.cancel(self.cancelled.id, user_id="ada", reason="not needed")
        self.foreign = self.add(self.other)
        self.wb.definitions.publish(TEMPLATE, user_id="ada")
        with_form = self.start("with form", process_definition_id="with_form")
        self.form_task, self.form_waiting = self.wb.tasks.list(process_id=with_form.id).tasks
        self.wb.tasks.start(self.form_task.id, user_id="ada")

    def start(self, name: str, **options: Any) -> gndp.Process:
        given = {"process_definition_id": "loan", "process_type": "custom", "initiated_by": "ada", **options}
        return self.wb.processes.start(process_name=name, **given)

    def add(self, process: gndp.Process, **options: Any) -> gndp.Task:
        return self.wb.tasks.create(**new_task(process.id, **options))

    def digest(self) -> dict[str, str]:
        """A digest of every row of every table."""
        with psycopg.connect(self.url) as connection:
            tables = connection.execute(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            ).fetchall()
            return {name: _digest(connection, name) for (name,) in tables}


def _digest(connection: psycopg.Connection[Any], table: str) -> str:
    query = "SELECT md5(string_agg(row::text, ';' ORDER BY row::text)) FROM {} AS row"
    row = connection.execute(sql.SQL(query).format(sql.Identifier(table))).fetchone()
    assert row is not None
    return str(row[0])


def new_task(process_id: object, **options: Any) -> dict[str, Any]:
    return {
        "process_instance_id": process_id,
        "task_definition_id": "step",
        "task_name": "a step",
        "task_type": "manual",
        **options,
    }


@pytest.fixture(scope="module")
def module_scene(server_url: str, template_database: str) -> Iterator[Scene]:
    """A scene on a clone of the template database; one for the module, for nothing changes it."""
    name = sql.Identifier(f"gndp_test_{uuid4().hex}")
    with psycopg.connect(server_url, autocommit=True) as admin:
        template = sql.Identifier(template_database)
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))
        scene = Scene(make_conninfo(server_url, dbname=name._obj[0]))
        yield scene
        scene.wb.close()
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def scene(module_scene: Scene) -> Iterator[Scene]:
    """The scene; whatever a test did to it was refused, so it must look as before."""
    before = module_scene.digest()
    yield module_scene
    assert module_scene.digest() == before
    assert len(before) > 7


NUL, SURROGATE = "a\0b", "a\ud800b"
BAD_TEXTS = (NUL, SURROGATE, "", " \n", 7, True, b"bytes", ["a"], {"a": 1}, 1.5)
BAD_SHORT_TEXTS = (*BAD_TEXTS, "x" * 501)
BAD_LONG_TEXTS = (*BAD_TEXTS, "x" * 100_001)
BAD_IDS = (
    "",
    "no id",
    "1234",
    7,
    True,
    b"\0" * 16,
    NUL,
    SURROGATE,
    f"{uuid4()}0",
    [uuid4()],
    f"{{{uuid4()}}}",
)
BAD_INSTANTS = (
    datetime(2026, 1, 1),
    "2026-01-01T00:00:00Z",
    date(2026, 1, 1),
    0,
    True,
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
)
BAD_COUNTS = (0, -1, 1.0, math.nan, True, "5", 2**31, 10**400, [1])
BAD_VERSIONS = (-1, 1.0, True, "1", 2**31, 10**400)
BAD_KEYS = (*BAD_TEXTS, "x" * 129)
BAD_FLAGS = (1, 0, "true", "", [], 1.0)
BAD_WORDS = ("", "urgent", "LOW", 1, True, ["low"], NUL, SURROGATE)


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"in": value}
    return value


class Unknown:
    """A type that JSON has not."""


BAD_OBJECTS = (
    [],
    "text",
    7,
    True,
    {"a": NUL},
    {"a": SURROGATE},
    {NUL: 1},
    {SURROGATE: 1},
    {1: "a"},
    {"a": math.nan},
    {"a": math.inf},
    {"a": 10**400},
    {"a": 2**64},
    {"a": (1, 2)},
    {"a": {1, 2}},
    {"a": b"bytes"},
    {"a": datetime.now(UTC)},
    {"a": Unknown()},
    {"a": [{"b": [NUL]}]},
    deep(100),
    deep(100_000),
)
BAD_LISTS = ("text", 7, {"a"}, [7], [""], [NUL], [SURROGATE], [None], [["a"]], [True])
BAD_ID_LISTS = ("text", 7, str(uuid4()), ["no id"], [7], [None], [[uuid4()]])

KINDS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("id", "process_instance_id", "parent_process_id"), BAD_IDS),
    **dict.fromkeys(("due_date", "until"), BAD_INSTANTS),
    **dict.fromkeys(("sla_target_mins", "estimated_duration_mins"), BAD_COUNTS),
    "max_retries": BAD_COUNTS[1:],
    **dict.fromkeys(("input_data", "output_data", "business_context", "variables"), BAD_OBJECTS),
    **dict.fromkeys(("auto_complete", "hold", "final", "cascade", "automated"), BAD_FLAGS),
    **dict.fromkeys(("priority", "assignment_method", "new_status"), BAD_WORDS),
    **dict.fromkeys(("reason", "error_message", "text", "notes"), BAD_LONG_TEXTS),
    "tags": BAD_LISTS,
    "depends_on": BAD_ID_LISTS,
    "expected_version": BAD_VERSIONS,
    "idempotency_key": BAD_KEYS,
}
COMMON = {"expected_version": 1, "idempotency_key": "key", "correlation_id": "c", "automated": False}
NEW_COMMON = {"idempotency_key": "key", "correlation_id": "c"}
NEW_PROCESS = {
    "process_definition_id": "loan",
    "process_name": "a loan",
    "process_type": "custom",
    "initiated_by": "ada",
}
UPDATE = {"priority": "high", "due_date": None, "tags": None}
OPTIONAL_NEW = {
    **UPDATE,
    "id": None,
    "assigned_to": None,
    "assigned_team": None,
    "sla_target_mins": None,
    "estimated_duration_mins": None,
    "input_data": None,
}
OPTIONAL_PROCESS = {
    **OPTIONAL_NEW,
    "parent_process_id": None,
    "business_context": None,
    "variables": None,
    "auto_complete": True,
    "hold": False,
    "automated": False,
}
OPTIONAL_TASK = {
    **OPTIONAL_NEW,
    "assignment_method": "manual",
    "depends_on": None,
    "phase": None,
    "max_retries": 3,
    "notes": None,
}

Given = dict[str, Any]
COMMANDS: dict[str, tuple[Given, Given]] = {
    # command: what it must be given (in a scene where that would succeed), and what it may be given
    "processes.start": (NEW_PROCESS, {**OPTIONAL_PROCESS, **NEW_COMMON}),
    "processes.update_status": (
        {"id": "running", "new_status": "failed", "user_id": "ada", "error_message": "broken"},
        {"expected_version": 1, **NEW_COMMON},
    ),
    "processes.suspend": ({"id": "running", "user_id": "ada", "reason": "lunch"}, COMMON),
    "processes.resume": ({"id": "suspended", "user_id": "ada"}, COMMON),
    "processes.complete": ({"id": "other", "user_id": "ada"}, {"output_data": None, **COMMON}),
    "processes.fail": ({"id": "running", "user_id": "ada", "error_message": "broken"}, COMMON),
    "processes.retry": ({"id": "running", "user_id": "ada"}, COMMON),
    "processes.update": ({"id": "running", "user_id": "ada"}, {**UPDATE, "variables": None, **COMMON}),
    "processes.comment": ({"id": "running", "user_id": "ada", "text": "well"}, COMMON),
    "processes.cancel": ({"id": "running", "user_id": "ada", "reason": "enough"}, COMMON),
    "tasks.create": (
        {**new_task("running"), "user_id": "ada"},
        {**OPTIONAL_TASK, **NEW_COMMON},
    ),
    "tasks.assign": (
        {"id": "pending", "user_id": "ada", "assigned_to": "bob"},
        {"team": None, "assignment_method": None, **COMMON},
    ),
    "tasks.claim": ({"id": "pending", "user_id": "ada"}, COMMON),
    "tasks.release": ({"id": "assigned", "user_id": "ada"}, COMMON),
    "tasks.start": ({"id": "pending", "user_id": "ada"}, COMMON),
    "tasks.complete": ({"id": "in_progress", "user_id": "ada"}, {"output_data": None, **COMMON}),
    "tasks.fail": ({"id": "in_progress", "user_id": "ada", "error_message": "no"}, {"final": None, **COMMON}),
    "tasks.skip": ({"id": "pending", "user_id": "ada", "reason": "not needed"}, COMMON),
    "tasks.cancel": ({"id": "assigned", "user_id": "ada", "reason": "no"}, {"cascade": None, **COMMON}),
    "tasks.retry": ({"id": "pending", "user_id": "ada"}, COMMON),
    "tasks.reassign": (
        {"id": "assigned", "new_assignee": "bob", "reassigned_by": "ada", "reason": "ill"},
        COMMON,
    ),
    "tasks.wait": ({"id": "in_progress", "user_id": "ada", "reason": "customer"}, {"until": None, **COMMON}),
    "tasks.resume": ({"id": "in_progress", "user_id": "ada"}, COMMON),
    "tasks.update": ({"id": "pending", "user_id": "ada"}, {**UPDATE, "notes": None, **COMMON}),
    "tasks.comment": ({"id": "pending", "user_id": "ada", "text": "well"}, COMMON),
}
OTHER_METHODS = {"create_many", "get", "list", "mine", "workload", "assignment_stats"} | {
    "children",
    "events",
    "summary",
}
ARGUMENTS = [(command, name) for command, parts in COMMANDS.items() for name in {**parts[0], **parts[1]}]


def method(scene: Scene, command: str) -> Callable[..., Any]:
    noun, verb = command.split(".")
    return getattr(getattr(scene.wb, noun), verb)


def arguments_of(scene: Scene, command: str) -> Given:
    """What the command must be given, with the names of the scene's rows turned into their ids."""
    given = dict(COMMANDS[command][0])
    for name in ("id", "process_instance_id"):
        if name in given:
            given[name] = getattr(scene, given[name]).id
    return given


def test_every_command_is_tried() -> None:
    methods = {
        f"{noun}.{name}"
        for noun, kind in (("processes", gndp.workbench.Processes), ("tasks", gndp.workbench.Tasks))
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and name not in OTHER_METHODS
    }
    assert methods == set(COMMANDS)


@pytest.mark.parametrize(("command", "argument"), ARGUMENTS)
def test_an_argument_that_is_wrong_in_itself_is_invalid(scene: Scene, command: str, argument: str) -> None:
    given = arguments_of(scene, command)
    for value in KINDS.get(argument, BAD_SHORT_TEXTS):
        with pytest.raises(Invalid) as refused:
            method(scene, command)(**{**given, argument: value})
        if argument not in ("reassigned_by", "expected_version"):
            assert refused.value.problems[0].place.startswith(argument)


@pytest.mark.parametrize("command", [name for name in COMMANDS if not name.endswith((".start", ".create"))])
def test_an_unknown_id_is_not_found(scene: Scene, command: str) -> None:
    unknown = uuid4()
    with pytest.raises(NotFound) as refused:
        method(scene, command)(**{**arguments_of(scene, command), "id": unknown})
    assert refused.value.id == str(unknown)


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


@pytest.mark.parametrize("command", [name for name, parts in COMMANDS.items() if parts[1] is COMMON])
def test_a_stale_version_is_a_conflict_that_says_the_current_one(scene: Scene, command: str) -> None:
    given = arguments_of(scene, command)
    noun = command.split(".")[0]
    current = getattr(scene.wb, noun).get(given["id"])
    for stale in (current.version + 1, current.version - 1, 0, 2**31 - 1):
        with pytest.raises(Conflict) as refused:
            method(scene, command)(**given, expected_version=stale)
        assert refused.value.stale
        assert (refused.value.status, refused.value.version) == (current.status, current.version)


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
        idempotency_key=longest(gndp.engine.arguments.MAX_KEY, 6),
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


def test_a_required_argument_that_is_none_is_invalid(scene: Scene) -> None:
    optional = {
        ("processes.update_status", "user_id"),
        ("processes.update_status", "error_message"),
        ("tasks.create", "user_id"),
        ("tasks.assign", "user_id"),
    }
    for command, (required, _) in COMMANDS.items():
        for name in required:
            if (command, name) not in optional:
                with pytest.raises(Invalid):
                    method(scene, command)(**{**arguments_of(scene, command), name: None})
