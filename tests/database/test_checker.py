"""The checker: a clean database passes, and each way of corrupting one breaks exactly one invariant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import psycopg
import pytest
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from gndp.core.policies import PLAIN_TARGET, Terms, fingerprint, plain_policy
from gndp.engine import checker, clock_check
from gndp.engine.checker import LISTED, check
from gndp.store.resources import sql_path, sql_text
from tests.relink import RELINK


def key(name: str) -> UUID:
    return uuid5(NAMESPACE_OID, name)


def at(minute: float) -> datetime:
    return datetime(2026, 1, 5, 9, tzinfo=UTC) + timedelta(minutes=minute)


UUID_COLUMNS = ("id", "process_instance_id", "parent_process_id", "task_id")


class Builder:
    """Writes rows. Things are named instead of numbered, instants are minutes after nine o'clock."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def insert(self, table: str, **columns: Any) -> None:
        self.connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(map(sql.Placeholder, columns)),
            ),
            {name: self._value(name, value) for name, value in columns.items()},
        )

    def _value(self, column: str, value: Any) -> Any:
        if column.endswith(("_at", "_date", "_time", "timestamp")):
            return at(value)
        if column in ("depends_on", "blocking"):
            return [key(name) for name in value.split()]
        return key(value) if value and column in UUID_COLUMNS else value

    def process(self, process_name: str, status: str, **columns: Any) -> None:
        row = {"id": process_name, "process_name": process_name, "status": status}
        self.insert("process_instances", **row, process_type="journey", initiated_by="ida", **columns)

    def task(self, process: str, position: int, task_name: str, status: str, **columns: Any) -> None:
        row = {"id": task_name, "process_instance_id": process, "position": position, "status": status}
        named = {"task_definition_id": task_name, "task_name": task_name, "task_type": "manual"}
        self.insert("tasks", **row, **named, **columns)

    def assignment(self, task: str, person: str, status: str, assigned_at: float) -> None:
        row = {"id": f"{task} {person}", "task_id": task, "assigned_to": person}
        self.insert("task_assignments", **row, status=status, assigned_at=assigned_at)

    def clock(self, process: str, task: str | None, minutes: int, start: float, **columns: Any) -> None:
        """The clock of an item's own target: running, unless ``columns`` say otherwise."""
        terms = Terms(plain_policy("task" if task else "process", minutes), None)
        self.connection.execute(
            "INSERT INTO sla_terms VALUES (%s, %s)", [fingerprint(terms.document), Jsonb(terms.document)]
        )
        columns = {"running_since_at": start, "due_at": start + minutes, "status": "on_track"} | columns
        running_since = columns.pop("running_since_at")
        if running_since is not None:
            columns["running_since"] = at(running_since)
        self.insert(
            "sla_metrics",
            id=f"clock of {task or process}",
            process_instance_id=process,
            task_id=task,
            metric_type="task" if task else "process",
            target_duration_mins=minutes,
            start_time=start,
            created_at=start,
            original_due_at=start + minutes,
            policy_name=PLAIN_TARGET,
            objective=PLAIN_TARGET,
            terms=fingerprint(terms.document),
            **columns,
        )

    def events(self, process: str, lines: str, ready: str = "") -> None:
        """Each line: minute, task (or -), event type, and the old and new status (or - -).

        ``ready`` names the tasks that were ready when they were created.
        """
        for line in lines.strip().splitlines():
            minute, *words = line.split()
            told = ("task_id", "event_type", "old_status", "new_status")
            row = {name: None if word == "-" else word for name, word in zip(told, words, strict=True)}
            row |= {"id": f"{process} {line}", "process_instance_id": process}
            details = {"objective": PLAIN_TARGET} if words[1].startswith("sla.") else {}
            if words[1] == "task.created" and words[0] in ready.split():
                details["ready"] = True
            row["details"] = Jsonb(details)
            self.insert(
                "process_events", **row, event_category="lifecycle", message="", timestamp=float(minute)
            )


def build_clean(builder: Builder) -> None:
    """A completed loan, its running child, a failed process, and a group of commands within one instant."""
    build_loan(builder)
    build_survey(builder)
    build_refusal(builder)
    build_batch(builder)


# fmt: off
def build_loan(builder: Builder) -> None:
    builder.connection.execute(
        "INSERT INTO process_definitions VALUES ('home_loan', 1, 'Home loan', '{}', 'f', now(), 'ida')")
    builder.process("loan", "completed", process_definition_id="home_loan", definition_version=1,
        current_step=3, total_steps=3, progress_percentage=100,
        created_at=0, started_at=0, completed_at=50, actual_duration_mins=50,
        sla_target_mins=40, due_date=41, sla_status="breached", sla_breach_time=41)
    builder.task("loan", 0, "apply", "completed", blocking="value sign", assigned_to="ann",
        created_at=0, ready_at=0, started_at=2, completed_at=10.5, actual_duration_mins=9,
        sla_target_mins=30, due_date=30, sla_status="met")
    builder.task("loan", 1, "value", "skipped", depends_on="apply", blocking="sign",
        created_at=0, ready_at=10.5, completed_at=20)
    builder.task("loan", 2, "sign", "completed", depends_on="apply value", assigned_to="ann",
        created_at=0, ready_at=20, started_at=30, completed_at=50, actual_duration_mins=20)
    builder.events("loan", """
        0    -     process.started   -           running
        0    apply task.created      -           pending
        0    value task.created      -           pending
        0    sign  task.created      -           pending
        1    apply task.assigned     pending     assigned
        2    apply task.started      assigned    in_progress
        3    apply task.waiting      in_progress in_progress
        4    apply task.resumed      -           -
        10.5 apply task.completed    in_progress completed
        10.5 value task.ready        -           -
        10.5 apply sla.met           -           -
        20   value task.skipped      pending     skipped
        20   sign  task.ready        -           -
        25   -     process.suspended running     suspended
        26   -     process.resumed   suspended   running
        30   sign  task.assigned     pending     assigned
        30   sign  task.started      assigned    in_progress
        41.5 -     sla.breached      -           -
        50   sign  task.completed    in_progress completed
        50   -     process.completed running     completed
    """, ready="apply")
    builder.clock("loan", None, 40, 0, status="breached", due_at=41, end_time=50, ended="stopped",
        running_since_at=None, elapsed_microseconds=49 * 60_000_000)
    builder.clock("loan", "apply", 30, 0, status="met", end_time=10.5, ended="stopped",
        running_since_at=None, elapsed_microseconds=630_000_000)
    builder.assignment("apply", "ann", "completed", 1)
    builder.assignment("sign", "ann", "completed", 30)


def build_survey(builder: Builder) -> None:
    builder.process("survey", "running", process_definition_id="survey", parent_process_id="loan",
        current_phase="work", current_step=1, total_steps=3, progress_percentage=33.33,
        created_at=60, started_at=61)
    builder.task("survey", 0, "visit", "completed", phase="visit", blocking="report", assigned_to="bob",
        created_at=60, ready_at=60, started_at=63, completed_at=70, actual_duration_mins=7)
    builder.task("survey", 1, "report", "in_progress", phase="work", depends_on="visit", blocking="file send",
        substatus="waiting", assigned_to="bob", created_at=60, ready_at=70, started_at=72)
    builder.task("survey", 2, "file", "pending", phase="end", depends_on="report", open_dependencies=1,
        substatus="blocked", created_at=60)
    builder.task("survey", 3, "send", "cancelled", phase="end", depends_on="report", open_dependencies=1,
        created_at=60)
    builder.events("survey", """
        60 -      process.created -           pending
        60 visit  task.created    -           pending
        60 report task.created    -           pending
        60 file   task.created    -           pending
        60 send   task.created    -           pending
        61 -      process.started pending     running
        62 visit  task.assigned   pending     assigned
        63 visit  task.started    assigned    in_progress
        64 visit  task.retried    in_progress assigned
        65 visit  task.started    assigned    in_progress
        66 send   task.cancelled  pending     cancelled
        70 visit  task.completed  in_progress completed
        70 report task.ready      -           -
        71 report task.assigned   pending     assigned
        71 report task.reassigned assigned    assigned
        72 report task.started    assigned    in_progress
        73 report task.waiting    -           -
    """)
    builder.assignment("visit", "bob", "completed", 62)
    builder.assignment("report", "ann", "reassigned", 71)
    builder.assignment("report", "bob", "active", 71)


def build_refusal(builder: Builder) -> None:
    builder.process("refusal", "failed", process_definition_id="refusal", parent_process_id="survey",
        current_phase="end", total_steps=2, failed_steps=1, created_at=80, started_at=80)
    builder.task("refusal", 0, "verify", "failed", assigned_to="ann",
        created_at=80, ready_at=80, started_at=80)
    builder.task("refusal", 1, "letter", "assigned", phase="end", substatus="ready", assigned_to="ann",
        created_at=80, ready_at=80, sla_target_mins=60, due_date=140)
    builder.events("refusal", """
        80 -      process.started -           running
        80 verify task.created    -           pending
        80 letter task.created    -           pending
        80 verify task.assigned   pending     assigned
        80 letter task.assigned   pending     assigned
        80 verify task.started    assigned    in_progress
        81 verify task.failed     in_progress failed
        81 -      process.failed  running     failed
    """, ready="letter")
    builder.clock("refusal", "letter", 60, 80)
    builder.assignment("verify", "ann", "cancelled", 80)
    builder.assignment("letter", "ann", "active", 80)


def build_batch(builder: Builder) -> None:
    """One unit of work: everything at one instant, the second task assigned ahead."""
    instant = {"created_at": 90, "started_at": 90, "completed_at": 90, "actual_duration_mins": 0}
    builder.process("batch", "completed", process_definition_id="batch",
        current_step=2, total_steps=2, progress_percentage=100, **instant)
    builder.task("batch", 0, "sort", "completed", blocking="pack", assigned_to="bob", ready_at=90, **instant)
    builder.task("batch", 1, "pack", "completed", depends_on="sort", assigned_to="bob", ready_at=90,
        **instant)
    builder.events("batch", """
        90 -    process.started   -           running
        90 sort task.created      -           pending
        90 pack task.created      -           pending
        90 sort task.assigned     pending     assigned
        90 pack task.assigned     pending     assigned
        90 sort task.started      assigned    in_progress
        90 sort task.completed    in_progress completed
        90 pack task.ready        -           -
        90 pack task.started      assigned    in_progress
        90 pack task.completed    in_progress completed
        90 -    process.completed running     completed
    """)
    builder.assignment("sort", "bob", "completed", 90)
    builder.assignment("pack", "bob", "completed", 90)
# fmt: on


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        with connection.transaction():
            build_clean(Builder(connection))
        yield connection


def corrupt(connection: psycopg.Connection[Any], statements: str, *, relink: bool = True) -> None:
    """Change rows behind the back of triggers and foreign keys.

    ``id_of('report')`` is the id of the process or task of that name, ``event(item, type)`` that of an event.
    The chain of events is linked anew, so that it does not give away what happened to an event.
    """
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(FUNCTIONS)
        connection.execute(re.sub(r"\b(?=(?:id_of|event)\()", "pg_temp.", statements).encode())
        if relink:
            connection.execute(RELINK)


def rebuild(connection: psycopg.Connection[Any]) -> None:
    tables = (
        "event_deliveries",
        "event_subscriptions",
        "sla_metrics",
        "sla_terms",
        "process_events",
        "task_assignments",
        "tasks",
        "process_instances",
        "process_definitions",
    )
    corrupt(connection, "".join(f"DELETE FROM {table};" for table in tables))
    corrupt(connection, "UPDATE sla_sweeps SET swept_at = NULL, snapshot = NULL;")
    with connection.transaction():
        build_clean(Builder(connection))


FUNCTIONS = """
    CREATE OR REPLACE FUNCTION pg_temp.id_of(name text) RETURNS uuid LANGUAGE sql RETURN coalesce(
        (SELECT id FROM process_instances WHERE process_name = name),
        (SELECT id FROM tasks WHERE task_name = name));
    CREATE OR REPLACE FUNCTION pg_temp.event(item text, kind text) RETURNS uuid LANGUAGE sql RETURN (
        SELECT id FROM process_events
        WHERE coalesce(task_id, process_instance_id) = pg_temp.id_of(item) AND event_type = kind)
"""


def process(name: str, change: str) -> str:
    return f"UPDATE process_instances SET {change} WHERE id = id_of('{name}');"


def task(name: str, change: str) -> str:
    return f"UPDATE tasks SET {change} WHERE id = id_of('{name}');"


def event(item: str, event_type: str, change: str) -> str:
    return f"UPDATE process_events SET {change} WHERE id = event('{item}', '{event_type}');"


def lose(item: str, event_type: str) -> str:
    return f"DELETE FROM process_events WHERE id = event('{item}', '{event_type}');"


def tell(process: str, task: str, event_type: str, old: str, new: str, instant: str) -> str:
    return (
        "INSERT INTO process_events (id, process_instance_id, task_id, event_type, event_category, message,"
        f" old_status, new_status, timestamp, hash) SELECT gen_random_uuid(), id_of('{process}'), {task},"
        f" '{event_type}', 'lifecycle', '', {old}, {new}, {instant}, ''"
        f" FROM process_events WHERE process_instance_id = id_of('{process}');"
    )


def clock(item: str, change: str) -> str:
    return f"UPDATE sla_metrics SET {change} WHERE coalesce(task_id, process_instance_id) = id_of('{item}');"


def assignments(of_task: str, change: str) -> str:
    return f"UPDATE task_assignments SET {change} WHERE task_id = id_of('{of_task}');"


NOW = "max(timestamp)"

STARTED_BEFORE = """
    UPDATE process_events e SET seq = other.seq FROM process_events other WHERE (e.id, other.id) IN (
        (event('pack', 'task.started'), event('sort', 'task.completed')),
        (event('sort', 'task.completed'), event('pack', 'task.ready')),
        (event('pack', 'task.ready'), event('pack', 'task.started')))"""

CYCLE = task(
    "file", "depends_on = depends_on || id_of('send'), blocking = ARRAY[id_of('send')], open_dependencies = 2"
) + task(
    "send", "depends_on = depends_on || id_of('file'), blocking = ARRAY[id_of('file')], open_dependencies = 2"
)

# fmt: off
CORRUPTIONS: dict[str, list[str]] = {
    "event_fold": [
        process("survey", "status = 'suspended'"),
        lose("survey", "process.created") + lose("survey", "process.started")
            + process("survey", "started_at = NULL"),
        task("file", "status = 'assigned', assigned_to = 'ann'") + "INSERT INTO task_assignments (id,"
            " task_id, assigned_to, assigned_at) VALUES (gen_random_uuid(), id_of('file'), 'ann', now())",
    ],
    "event_chain": [
        event("report", "task.reassigned", "old_status = 'in_progress'"),
        event("report", "task.waiting", "old_status = 'in_progress'"),
        lose("sign", "task.created"),
    ],
    "event_transition": [
        lose("sign", "task.assigned") + event("sign", "task.started", "old_status = 'pending'"),
        tell("loan", "NULL", "process.completed", "'completed'", "'completed'", NOW),
    ],
    "event_time": [event("report", "task.waiting", "timestamp = timestamp - interval '1 hour'")],
    "event_link": [
        event("report", "task.waiting", "message = 'somebody else says so'"),
        event("report", "task.waiting", "hash = sha256(hash)"),
        event("sort", "task.created", "old_data = 'null'"),
        lose("apply", "task.waiting"),
        tell("survey", "NULL", "process.commented", "NULL", "NULL", NOW),
    ],
    "event_process": [tell("batch", "id_of('report')", "task.commented", "NULL", "NULL", NOW)],
    "assignment_active": [
        assignments("letter", "status = 'cancelled'"),
        assignments("visit", "status = 'active'"),
        assignments("report", "status = 'active', assigned_to = 'bob'"),
    ],
    "assignment_assignee": [
        task("report", "assigned_to = 'eve'"),
        task("report", "assigned_to = NULL"),
        task("file", "assigned_to = 'eve'"),
    ],
    "process_steps": [
        process("survey", "current_step = 2"),
        process("survey", "total_steps = 4"),
        process("refusal", "failed_steps = 0"),
    ],
    "process_progress": [process("survey", "progress_percentage = 33.34")],
    "process_phase": [process("survey", "current_phase = 'end'"), process("loan", "current_phase = 'end'")],
    "process_closed": [
        process("survey", "status = 'cancelled'")
            + tell("survey", "NULL", "process.cancelled", "'running'", "'cancelled'", NOW),
    ],
    "process_cycle": [
        process("survey", "parent_process_id = id_of('refusal')"),
        process("batch", "parent_process_id = id"),
    ],
    "task_open_dependencies": [task("file", "open_dependencies = 2"), task("pack", "open_dependencies = 1")],
    "task_ready_at": [
        task("report", "ready_at = ready_at + interval '1 second'"),
        task("file", "ready_at = created_at"),
        task("letter", "ready_at = NULL"),
    ],
    "task_ready_event": [
        lose("report", "task.ready"),
        event("report", "task.waiting", "event_type = 'task.ready'"),
        event("report", "task.waiting", "event_type = 'task.ready', task_id = id_of('file')"),
    ],
    "task_blocking": [
        task("visit", "blocking = '{}'"),
        task("verify", "blocking = ARRAY[id_of('letter')]"),
        task("pack", "depends_on = depends_on || depends_on"),
    ],
    "task_substatus": [
        task("file", "substatus = NULL"),
        task("letter", "substatus = 'blocked'"),
        task("letter", "substatus = 'waiting'"),
        task("verify", "substatus = 'ready'"),
    ],
    "task_failed": [
        process("refusal", "status = 'running'")
            + event("refusal", "process.failed", "old_status = NULL, new_status = NULL"),
    ],
    "task_position": [task("send", "position = 2")],
    "task_start": [STARTED_BEFORE],
    "task_dependencies": [
        task("letter", "depends_on = ARRAY[id_of('sort')], ready_at = (SELECT completed_at FROM tasks"
            " WHERE id = id_of('sort'))")
            + task("sort", "blocking = blocking || id_of('letter')")
            + tell("refusal", "id_of('letter')", "task.ready", "NULL", "NULL", NOW),
    ],
    "task_cycle": [CYCLE],
    "sla_target": [
        "DELETE FROM sla_metrics WHERE task_id = id_of('letter')",
        process("survey", "sla_target_mins = 5"),
        task("report", "sla_target_mins = 5"),
    ],
    "sla_shown": [
        process("survey", "sla_status = 'at_risk'"),
        task("report", "sla_status = 'at_risk'"),
        process("loan", "sla_breach_time = completed_at"),
    ],
    "sla_clock": [
        clock("letter", "due_at = due_at + interval '1 minute'"),
        clock("letter", "status = 'at_risk'") + task("letter", "sla_status = 'at_risk'"),
        clock("letter", "start_time = start_time - interval '1 minute'"),
        clock("letter", "running_since = NULL, paused_at = running_since, paused_by = '[[\"x\", null]]'"),
        clock("loan", "elapsed_microseconds = 0"),
        clock("apply", "ended = 'cancelled'"),
        "UPDATE sla_sweeps SET swept_at = '2027-01-01', snapshot = pg_current_snapshot();",
    ],
    "sla_breach_time": [
        process("loan", "sla_breach_time = NULL"),
        task("apply", "sla_breach_time = due_date"),
    ],
    "sla_event": [
        lose("apply", "sla.met"),
        event(
            "apply", "task.resumed",
            "event_type = 'sla.met', details = '{\"objective\": \"sla_target_mins\"}'"
        ),
    ],
    "instants": [
        task("report", "started_at = NULL"),
        task("letter", "started_at = created_at"),
        process("loan", "created_at = created_at - interval '1 day'"),
        process("survey", "completed_at = now()"),
    ],
    "duration": [
        task("visit", "actual_duration_mins = 8"),
        process("loan", "actual_duration_mins = NULL"),
        task("report", "actual_duration_mins = 1"),
    ],
    "version": [process("loan", "version = 0"), task("file", "version = -1")],
    "reference": [
        process("loan", "definition_version = 9"),
        process("survey", "parent_process_id = gen_random_uuid()"),
        event("report", "task.waiting", "task_id = gen_random_uuid()"),
        assignments("visit", "task_id = gen_random_uuid()"),
    ],
}
# fmt: on


def subscription(passed: str, seqs: str, **columns: str) -> str:
    """A subscription that says it has passed so many events, up to the end of the log."""
    values = {
        "name": "'notes'",
        "pattern": "'*'",
        "started_from": "'1:1:'",
        "read_from": "pg_current_snapshot()",
        "read_to": "pg_current_snapshot()",
        "passed": passed,
        "passed_seqs": seqs,
    } | columns
    return (
        f"INSERT INTO event_subscriptions ({', '.join(values)}) SELECT {', '.join(values.values())}"
        " FROM process_events;"
    )


def delivery(seq: str, status: str, due_at: str = "NULL") -> str:
    """A parked delivery of a subscription that has passed everything."""
    return subscription("count(*)", "sum(seq)") + (
        "INSERT INTO event_deliveries (subscription, seq, process_instance_id, status, due_at)"
        f" SELECT 'notes', {seq}, process_instance_id, '{status}', {due_at}"
        " FROM process_events ORDER BY seq LIMIT 1;"
    )


CORRUPTIONS |= {
    "subscription_position": [
        subscription("count(*) - 1", "sum(seq) - min(seq)"),
        subscription("count(*) + 1", "sum(seq) + 1"),
        subscription("count(*)", "sum(seq) + 1"),
        subscription("count(*)", "sum(seq)", pattern="'task.*'"),
        subscription("count(*)", "sum(seq)", starts_at="min(timestamp) + interval '1 minute'"),
        subscription("count(*)", "sum(seq)", read_from="'1:1:'", last_seq="max(seq) - 1"),
    ],
    "subscription_parked": [
        delivery("seq + 1000000", "dead"),
        delivery("seq", "retrying"),
        delivery("seq", "behind", "clock_timestamp()"),
        delivery("seq", "dead")
        + "UPDATE event_subscriptions SET read_from = '1:1:', read_to = '1:1:', passed = 0, passed_seqs = 0;",
    ],
}


def is_id(text: str) -> bool:
    """Whether a violation names a row: by its UUID, or a subscription by its name."""
    return text == "notes" or bool(UUID(text))


def names(report: checker.CheckReport) -> list[str]:
    return [invariant.name for invariant in report.broken]


def test_clean_database_passes(connection: psycopg.Connection[Any]) -> None:
    report = check(connection)
    assert report.violations == ()
    assert report.ok
    assert report.truncated == {}
    assert report.rows == {
        "process_instances": 4,
        "tasks": 11,
        "process_events": 56,
        "task_assignments": 9,
        "sla_metrics": 3,
    }
    assert abs(report.as_of - datetime.now(UTC)) < timedelta(minutes=5)


def test_every_invariant_has_a_meaning_and_a_corruption(connection: psycopg.Connection[Any]) -> None:
    report = check(connection)
    files = {path.stem for path in (sql_path() / "queries" / "check").rglob("*.sql")}
    files.add(clock_check.NAME)
    assert {invariant.name for invariant in report.invariants} == files
    assert set(CORRUPTIONS) == files
    assert all(invariant.meaning.endswith(".") for invariant in report.invariants)


def test_each_corruption_breaks_exactly_its_invariant(
    connection: psycopg.Connection[Any], subtests: pytest.Subtests
) -> None:
    # The two guards that also hold without triggers and foreign keys.
    connection.execute("DROP INDEX task_assignments_active_key")
    connection.execute("ALTER TABLE process_events ALTER seq SET GENERATED BY DEFAULT")
    for invariant, ways in CORRUPTIONS.items():
        for statements in ways:
            with subtests.test(invariant, statements=statements):
                rebuild(connection)
                corrupt(connection, statements, relink=invariant != "event_link")
                report = check(connection)
                assert names(report) == [invariant], report.violations
                assert not report.ok
                assert {violation.invariant for violation in report.violations} == {invariant}
                assert all(is_id(violation.id) and violation.detail for violation in report.violations)


def test_many_offenders_are_counted_and_the_first_listed(connection: psycopg.Connection[Any]) -> None:
    comments = [
        tell("survey", "NULL", "process.commented", "NULL", "NULL", "min(timestamp) - interval '1 second'")
        for _ in range(LISTED + 50)
    ]
    corrupt(connection, "".join(comments))
    report = check(connection)
    assert names(report) == ["event_time"]
    assert len(report.violations) == LISTED
    assert report.truncated == {"event_time": 150}


def test_check_is_one_consistent_read(
    connection: psycopg.Connection[Any], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def corrupting_text(name: str) -> str:
        with psycopg.connect(database_url) as other:
            other.execute("SET session_replication_role = replica")
            other.execute("UPDATE tasks SET version = 0")
        return sql_text(name)

    monkeypatch.setattr(checker, "sql_text", corrupting_text)
    assert check(connection).ok
    assert names(check(connection)) == ["version"]


def test_check_leaves_the_connection_as_it_was(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    with psycopg.connect(database_url, row_factory=dict_row) as mine:
        assert check(mine).ok
        assert mine.info.transaction_status == TransactionStatus.IDLE
        mine.execute("SELECT 1")
        with pytest.raises(ValueError, match="transaction"):
            check(mine)
