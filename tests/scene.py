"""A scene for tests of refusals: processes and tasks in known states, and values that are wrong."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

import gndp

FORM = {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 1}}, "required": ["amount"]}
TEMPLATE = {
    "id": "with_form",
    "name": "With a form",
    "steps": [
        {"id": "fill_in", "name": "Fill in", "type": "manual", "form": FORM},
        {"id": "check", "name": "Check", "type": "approval", "depends_on": ["fill_in"]},
    ],
}
NEW_PROCESS = {
    "process_definition_id": "loan",
    "process_name": "a loan",
    "process_type": "custom",
    "initiated_by": "ada",
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
        return digest_of(self.url)


def digest_of(url: str) -> dict[str, str]:
    """A digest of every row of every table of a database."""
    with psycopg.connect(url) as connection:
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
