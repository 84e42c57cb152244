"""The checker: a clean database passes, and each way of corrupting one breaks exactly one invariant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import psycopg
import pytest
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from gndp.engine import checker
from gndp.engine.checker import LISTED, check
from gndp.store.resources import sql_path, sql_text


def key(name: str) -> UUID:
    return uuid5(NAMESPACE_OID, name)


def at(minute: float) -> datetime:
    return datetime(2026, 1, 5, 9, tzinfo=UTC) + timedelta(minutes=minute)


class Builder:
    """Writes processes, tasks, assignments and events as rows; things are named, instants are minutes."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def insert(self, table: str, **columns: Any) -> None:
        self.connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(map(sql.Placeholder, columns)),
            ),
            columns,
        )

    def process(
        self, name: str, status: str, steps: tuple[int, int, int], progress: float, **columns: Any
    ) -> None:
        self.insert(
            "process_instances",
            **{"id": key(name), "process_name": name, "status": status, "progress_percentage": progress}
            | dict(zip(("current_step", "total_steps", "failed_steps"), steps, strict=True))
            | {"process_definition_id": "home_loan", "process_type": "journey", "initiated_by": "ida"}
            | columns,
        )

    def task(self, process: str, position: int, name: str, status: str, **columns: Any) -> None:
        columns = {
            kind: [key(n) for n in v] if kind in ("depends_on", "blocking") else v
            for kind, v in columns.items()
        }
        self.insert(
            "tasks",
            **{"id": key(name), "process_instance_id": key(process), "position": position, "status": status}
            | {"task_definition_id": name, "task_name": name, "task_type": "manual"}
            | columns,
        )

    def assignment(self, task: str, person: str, status: str, minute: float) -> None:
        self.insert(
            "task_assignments",
            id=key(f"{task} {person}"),
            task_id=key(task),
            assigned_to=person,
            status=status,
            assigned_at=at(minute),
        )

    def events(self, process: str, *lines: str) -> None:
        """Each line: minute, task (- for the process itself), event type, old status, new status (- for none)."""
        for line in lines:
            minute, task, event_type, old, new = line.split()
            self.connection.execute(
                "INSERT INTO process_events (id, process_instance_id, task_id, event_type, event_category,"
                " message, old_status, new_status, timestamp)"
                " VALUES (%s, %s, %s, %s, 'lifecycle', '', nullif(%s, '-'), nullif(%s, '-'), %s)",
                (
                    key(f"{process} {line}"),
                    key(process),
                    None if task == "-" else key(task),
                    event_type,
                    old,
                    new,
                    at(float(minute)),
                ),
            )


def build_clean(builder: Builder) -> None:
    """A completed loan, its running child, a failed process, and a group of commands within one instant."""
    builder.insert(
        "process_definitions",
        **{"id": "home_loan", "version": 1, "name": "Home loan", "document": "{}"},
        **{"fingerprint": "f", "published_at": at(0), "published_by": "ida"},
    )
    build_loan(builder)
    build_survey(builder)
    build_refusal(builder)
    build_batch(builder)


def build_loan(builder: Builder) -> None:
    times = {"created_at": at(0), "started_at": at(0), "completed_at": at(50), "actual_duration_mins": 50}
    sla = {"sla_target_mins": 40, "due_date": at(40), "sla_status": "breached", "sla_breach_time": at(40)}
    builder.process("loan", "completed", (3, 3, 0), 100, definition_version=1, **times, **sla)
    done = {"created_at": at(0), "assigned_to": "ann"}
    met = {"sla_target_mins": 30, "due_date": at(30), "sla_status": "met"}
    builder.task(
        *("loan", 0, "apply", "completed"),
        **{"blocking": ["value", "sign"], "ready_at": at(0), "started_at": at(2), "completed_at": at(10.5)},
        **{"actual_duration_mins": 9, **done, **met},
    )
    builder.task(
        *("loan", 1, "value", "skipped"),
        **{"created_at": at(0), "depends_on": ["apply"], "blocking": ["sign"]},
        **{"ready_at": at(10.5), "completed_at": at(20)},
    )
    builder.task(
        *("loan", 2, "sign", "completed"),
        **{
            "depends_on": ["apply", "value"],
            "ready_at": at(20),
            "started_at": at(30),
            "completed_at": at(50),
        },
        **{"actual_duration_mins": 20, **done},
    )
    builder.events(
        "loan",
        "0 - process.started - running",
        *(f"0 {task} task.created - pending" for task in ("apply", "value", "sign")),
        "1 apply task.assigned pending assigned",
        "2 apply task.started assigned in_progress",
        "3 apply task.waiting in_progress in_progress",
        "4 apply task.resumed - -",
        "10.5 apply task.completed in_progress completed",
        "10.5 value task.ready - -",
        "10.5 apply sla.met - -",
        "20 value task.skipped pending skipped",
        "20 sign task.ready - -",
        "25 - process.suspended running suspended",
        "26 - process.resumed suspended running",
        "30 sign task.assigned pending assigned",
        "30 sign task.started assigned in_progress",
        "40 - sla.breached - -",
        "50 sign task.completed in_progress completed",
        "50 - process.completed running completed",
    )
    builder.assignment("apply", "ann", "completed", 1)
    builder.assignment("sign", "ann", "completed", 30)


def build_survey(builder: Builder) -> None:
    builder.process(
        *("survey", "running", (1, 3, 0), 33.33),
        **{"created_at": at(60), "started_at": at(61), "current_phase": "work"},
        parent_process_id=key("loan"),
    )
    done = {"started_at": at(63), "completed_at": at(70), "actual_duration_mins": 7, "assigned_to": "bob"}
    created = {"created_at": at(60)}
    builder.task(
        "survey",
        0,
        "visit",
        "completed",
        phase="visit",
        blocking=["report"],
        ready_at=at(60),
        **created,
        **done,
    )
    builder.task(
        *("survey", 1, "report", "in_progress"),
        **{"phase": "work", "depends_on": ["visit"], "blocking": ["file", "send"], "ready_at": at(70)},
        **{"started_at": at(72), "assigned_to": "bob", "substatus": "waiting", **created},
    )
    blocked = {"depends_on": ["report"], "open_dependencies": 1}
    builder.task("survey", 2, "file", "pending", phase="end", substatus="blocked", **created, **blocked)
    builder.task("survey", 3, "send", "cancelled", phase="end", **created, **blocked)
    builder.events(
        "survey",
        "60 - process.created - pending",
        *(f"60 {task} task.created - pending" for task in ("visit", "report", "file", "send")),
        "61 - process.started pending running",
        "62 visit task.assigned pending assigned",
        "63 visit task.started assigned in_progress",
        "64 visit task.retried in_progress assigned",
        "65 visit task.started assigned in_progress",
        "66 send task.cancelled pending cancelled",
        "70 visit task.completed in_progress completed",
        "70 report task.ready - -",
        "71 report task.assigned pending assigned",
        "71 report task.reassigned assigned assigned",
        "72 report task.started assigned in_progress",
        "73 report task.waiting - -",
    )
    builder.assignment("visit", "bob", "completed", 62)
    builder.assignment("report", "ann", "reassigned", 71)
    builder.assignment("report", "bob", "active", 71)


def build_refusal(builder: Builder) -> None:
    started = {"created_at": at(80), "started_at": at(80)}
    builder.process(
        "refusal", "failed", (0, 2, 1), 0, current_phase="end", parent_process_id=key("survey"), **started
    )
    builder.task("refusal", 0, "verify", "failed", ready_at=at(80), assigned_to="ann", **started)
    builder.task(
        *("refusal", 1, "letter", "assigned"),
        **{
            "phase": "end",
            "created_at": at(80),
            "ready_at": at(80),
            "substatus": "ready",
            "assigned_to": "ann",
        },
        **{"sla_target_mins": 60, "due_date": at(140)},
    )
    builder.events(
        "refusal",
        "80 - process.started - running",
        *(f"80 {task} task.created - pending" for task in ("verify", "letter")),
        *(f"80 {task} task.assigned pending assigned" for task in ("verify", "letter")),
        "80 verify task.started assigned in_progress",
        "81 verify task.failed in_progress failed",
        "81 - process.failed running failed",
    )
    builder.assignment("verify", "ann", "cancelled", 80)
    builder.assignment("letter", "ann", "active", 80)


def build_batch(builder: Builder) -> None:
    """One unit of work: everything at one instant, the second task assigned ahead."""
    instant = {"created_at": at(90), "started_at": at(90), "completed_at": at(90), "actual_duration_mins": 0}
    builder.process("batch", "completed", (2, 2, 0), 100, **instant)
    task = {"ready_at": at(90), "assigned_to": "bob", **instant}
    builder.task("batch", 0, "sort", "completed", blocking=["pack"], **task)
    builder.task("batch", 1, "pack", "completed", depends_on=["sort"], **task)
    builder.events(
        "batch",
        "90 - process.started - running",
        *(f"90 {task} task.created - pending" for task in ("sort", "pack")),
        *(f"90 {task} task.assigned pending assigned" for task in ("sort", "pack")),
        "90 sort task.started assigned in_progress",
        "90 sort task.completed in_progress completed",
        "90 pack task.ready - -",
        "90 pack task.started assigned in_progress",
        "90 pack task.completed in_progress completed",
        "90 - process.completed running completed",
    )
    builder.assignment("sort", "bob", "completed", 90)
    builder.assignment("pack", "bob", "completed", 90)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        with connection.transaction():
            build_clean(Builder(connection))
        yield connection


def corrupt(connection: psycopg.Connection[Any], statements: str) -> None:
    """Change rows behind the back of triggers and foreign keys.

    ``id_of('report')`` is the id of the process or task of that name, ``event(task, type)`` that of an event.
    """
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("ALTER TABLE process_events ALTER seq SET GENERATED BY DEFAULT")
        connection.execute(
            """CREATE FUNCTION pg_temp.id_of(name text) RETURNS uuid LANGUAGE sql RETURN coalesce(
                (SELECT id FROM process_instances WHERE process_name = name),
                (SELECT id FROM tasks WHERE task_name = name));
            CREATE FUNCTION pg_temp.event(item text, kind text) RETURNS uuid LANGUAGE sql RETURN (
                SELECT id FROM process_events
                WHERE coalesce(task_id, process_instance_id) = pg_temp.id_of(item) AND event_type = kind)"""
        )
        for name in ("id_of", "event"):
            statements = statements.replace(f"{name}(", f"pg_temp.{name}(")
        connection.execute(statements.encode())


NEW_EVENT = (
    "INSERT INTO process_events (id, process_instance_id, task_id, event_type, event_category, message,"
    " timestamp, old_status, new_status) "
)

CORRUPTIONS: list[tuple[str, str]] = [
    ("event_fold", "UPDATE process_instances SET status = 'suspended' WHERE id = id_of('survey')"),
    ("event_fold", "DELETE FROM process_events WHERE process_instance_id = id_of('survey') AND task_id IS NULL;"
        " UPDATE process_instances SET started_at = NULL WHERE id = id_of('survey')"),
    ("event_chain", "UPDATE process_events SET old_status = 'pending' WHERE id = event('refusal', 'process.failed')"),
    ("event_chain", "DELETE FROM process_events WHERE id = event('letter', 'task.created')"),
    ("event_chain", "UPDATE process_events SET old_status = 'in_progress' WHERE id = event('report', 'task.waiting')"),
    ("event_transition", "DELETE FROM process_events WHERE id = event('sign', 'task.assigned');"
        " UPDATE process_events SET old_status = 'pending' WHERE id = event('sign', 'task.started')"),
    ("event_transition", NEW_EVENT + "SELECT gen_random_uuid(), id, NULL, 'process.completed', 'lifecycle', '',"
        " completed_at, 'completed', 'completed' FROM process_instances WHERE id = id_of('loan')"),
    ("event_time", "UPDATE process_events SET timestamp = timestamp - interval '1 hour'"
        " WHERE id = event('report', 'task.waiting')"),
    ("event_process", "UPDATE process_events SET process_instance_id = id_of('batch')"
        " WHERE id = event('report', 'task.waiting'); "
        " UPDATE process_events SET seq = (SELECT min(seq) - 1 FROM process_events)"
        " WHERE id = event('report', 'task.waiting')"),
    ("assignment_active", "UPDATE task_assignments SET status = 'cancelled' WHERE task_id = id_of('letter')"),
    ("assignment_active", "UPDATE task_assignments SET status = 'active' WHERE task_id = id_of('visit')"),
    ("assignment_active", "DROP INDEX task_assignments_active_key;"
        " UPDATE task_assignments SET status = 'active', assigned_to = 'bob' WHERE task_id = id_of('report')"),
    ("assignment_assignee", "UPDATE tasks SET assigned_to = 'eve' WHERE id = id_of('report')"),
    ("assignment_assignee", "UPDATE tasks SET assigned_to = NULL WHERE id = id_of('report')"),
    ("assignment_assignee", "UPDATE tasks SET assigned_to = 'eve' WHERE id = id_of('file')"),
    ("process_steps", "UPDATE process_instances SET current_step = 2 WHERE id = id_of('survey')"),
    ("process_steps", "UPDATE process_instances SET total_steps = 4 WHERE id = id_of('survey')"),
    ("process_steps", "UPDATE process_instances SET failed_steps = 0 WHERE id = id_of('refusal')"),
    ("process_progress", "UPDATE process_instances SET progress_percentage = 33.34 WHERE id = id_of('survey')"),
    ("process_phase", "UPDATE process_instances SET current_phase = 'end' WHERE id = id_of('survey')"),
    ("process_phase", "UPDATE process_instances SET current_phase = 'end' WHERE id = id_of('loan')"),
    ("process_closed", "UPDATE process_instances SET status = 'cancelled' WHERE id = id_of('survey'); "
        + NEW_EVENT + "SELECT gen_random_uuid(), id_of('survey'), NULL, 'process.cancelled', 'lifecycle', '',"
        " max(timestamp), 'running', 'cancelled' FROM process_events WHERE process_instance_id = id_of('survey')"),
    ("process_parents", "UPDATE process_instances SET parent_process_id = id_of('refusal')"
        " WHERE id = id_of('survey')"),
    ("process_parents", "UPDATE process_instances SET parent_process_id = id WHERE id = id_of('batch')"),
    ("task_open_dependencies", "UPDATE tasks SET open_dependencies = 2 WHERE id = id_of('file')"),
    ("task_open_dependencies", "UPDATE tasks SET open_dependencies = 1 WHERE id = id_of('pack')"),
    ("task_ready_at", "UPDATE tasks SET ready_at = ready_at + interval '1 second' WHERE id = id_of('report')"),
    ("task_ready_at", "UPDATE tasks SET ready_at = created_at WHERE id = id_of('file')"),
    ("task_ready_at", "UPDATE tasks SET ready_at = NULL WHERE id = id_of('letter')"),
    ("task_ready_event", "DELETE FROM process_events WHERE id = event('report', 'task.ready')"),
    ("task_ready_event", "UPDATE process_events SET task_id = id_of('file') WHERE id = event('report', 'task.waiting');"
        " UPDATE process_events SET event_type = 'task.ready' WHERE id = event('file', 'task.waiting')"),
    ("task_ready_event", "UPDATE process_events SET event_type = 'task.ready'"
        " WHERE id = event('report', 'task.waiting')"),
    ("task_blocking", "UPDATE tasks SET blocking = '{}' WHERE id = id_of('visit')"),
    ("task_blocking", "UPDATE tasks SET blocking = ARRAY[id_of('letter')] WHERE id = id_of('verify')"),
    ("task_blocking", "UPDATE tasks SET depends_on = depends_on || depends_on WHERE id = id_of('pack')"),
    ("task_substatus", "UPDATE tasks SET substatus = NULL WHERE id = id_of('file')"),
    ("task_substatus", "UPDATE tasks SET substatus = 'blocked' WHERE id = id_of('letter')"),
    ("task_substatus", "UPDATE tasks SET substatus = 'waiting' WHERE id = id_of('letter')"),
    ("task_substatus", "UPDATE tasks SET substatus = 'ready' WHERE id = id_of('verify')"),
    ("task_failed", "UPDATE process_instances SET status = 'running' WHERE id = id_of('refusal'); "
        " UPDATE process_events SET new_status = NULL, old_status = NULL WHERE id = event('refusal', 'process.failed')"),
    ("task_position", "UPDATE tasks SET position = 2 WHERE id = id_of('send')"),
    ("task_start", "UPDATE process_events e SET seq = other.seq FROM process_events other"
        " WHERE (e.id, other.id) IN ("
        "(event('sort', 'task.completed'), event('pack', 'task.started')),"
        "(event('pack', 'task.started'), event('sort', 'task.completed')))"),
    ("task_dependencies", "UPDATE tasks SET depends_on = ARRAY[id_of('sort')] WHERE id = id_of('letter');"
        " UPDATE tasks SET blocking = blocking || id_of('letter') WHERE id = id_of('sort');"
        " UPDATE tasks SET ready_at = (SELECT ready_at FROM tasks WHERE id = id_of('sort')) WHERE id = id_of('letter');"
        + NEW_EVENT + "SELECT gen_random_uuid(), id_of('refusal'), id_of('letter'), 'task.ready', 'lifecycle', '',"
        " ready_at, NULL, NULL FROM tasks WHERE id = id_of('letter')"),
    ("task_cycle", "UPDATE tasks SET depends_on = depends_on || id_of('file') WHERE id = id_of('report');"
        " UPDATE tasks SET blocking = ARRAY[id_of('report')] WHERE id = id_of('file');"
        " UPDATE tasks SET status = 'cancelled', substatus = NULL, open_dependencies = 1, ready_at = NULL"
        " WHERE id = id_of('report');"
        " UPDATE tasks SET started_at = NULL WHERE id = id_of('report');"
        " DELETE FROM process_events WHERE id IN (event('report', 'task.started'), event('report', 'task.ready'));"
        " UPDATE process_events SET old_status = 'assigned', new_status = 'cancelled'"
        " WHERE id = event('report', 'task.waiting');"
        " UPDATE task_assignments SET status = 'cancelled' WHERE task_id = id_of('report') AND status = 'active';"
        " UPDATE process_instances SET current_phase = 'end', total_steps = 2, progress_percentage = 50"
        " WHERE id = id_of('survey')"),
    ("sla_target", "UPDATE process_instances SET sla_status = 'at_risk' WHERE id = id_of('survey')"),
    ("sla_target", "UPDATE tasks SET sla_breach_time = now() WHERE id = id_of('report')"),
    ("sla_verdict", "UPDATE tasks SET due_date = completed_at - interval '1 microsecond' WHERE id = id_of('apply')"),
    ("sla_verdict", "UPDATE process_instances SET due_date = completed_at, sla_breach_time = completed_at"
        " WHERE id = id_of('loan')"),
    ("sla_breach_time", "UPDATE process_instances SET sla_breach_time = NULL WHERE id = id_of('loan')"),
    ("sla_breach_time", "UPDATE tasks SET sla_breach_time = due_date WHERE id = id_of('apply')"),
    ("sla_event", "DELETE FROM process_events WHERE id = event('apply', 'sla.met')"),
    ("sla_event", "UPDATE process_events SET event_type = 'sla.met' WHERE id = event('apply', 'task.resumed')"),
    ("sla_event", "UPDATE tasks SET sla_status = 'breached', sla_breach_time = due_date WHERE id = id_of('letter')"),
    ("instants", "UPDATE tasks SET started_at = NULL WHERE id = id_of('report')"),
    ("instants", "UPDATE tasks SET started_at = created_at WHERE id = id_of('letter')"),
    ("instants", "UPDATE process_instances SET created_at = at - interval '1 day'"
        " FROM (SELECT created_at AS at FROM process_instances) AS any_process WHERE id = id_of('loan')"),
    ("instants", "UPDATE process_instances SET completed_at = now() WHERE id = id_of('survey')"),
    ("duration", "UPDATE tasks SET actual_duration_mins = 8 WHERE id = id_of('visit')"),
    ("duration", "UPDATE process_instances SET actual_duration_mins = NULL WHERE id = id_of('loan')"),
    ("duration", "UPDATE tasks SET actual_duration_mins = 1 WHERE id = id_of('report')"),
    ("version", "UPDATE process_instances SET version = 0 WHERE id = id_of('loan')"),
    ("version", "UPDATE tasks SET version = -1 WHERE id = id_of('file')"),
    ("reference", "UPDATE process_instances SET definition_version = 9 WHERE id = id_of('loan')"),
    ("reference", "UPDATE process_instances SET parent_process_id = gen_random_uuid() WHERE id = id_of('survey')"),
    ("reference", "UPDATE process_events SET task_id = gen_random_uuid() WHERE id = event('report', 'task.waiting')"),
    ("reference", "UPDATE task_assignments SET task_id = gen_random_uuid() WHERE task_id = id_of('visit')"),
]  # fmt: skip


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
        "process_events": 57,
        "task_assignments": 8,
    }
    assert abs(report.as_of - datetime.now(UTC)) < timedelta(minutes=5)


def test_every_invariant_has_a_meaning_and_a_corruption(connection: psycopg.Connection[Any]) -> None:
    report = check(connection)
    files = {path.stem for path in (sql_path() / "queries" / "check").glob("*.sql")}
    assert {invariant.name for invariant in report.invariants} == files | {"task_cycle"}
    assert {name for name, _ in CORRUPTIONS} == files | {"task_cycle"}
    assert all(invariant.meaning.endswith(".") for invariant in report.invariants)


@pytest.mark.parametrize(("invariant", "statements"), CORRUPTIONS)
def test_corruption_breaks_exactly_its_invariant(
    connection: psycopg.Connection[Any], invariant: str, statements: str
) -> None:
    corrupt(connection, statements)
    report = check(connection)
    assert names(report) == [invariant], report.violations
    assert not report.ok
    assert {violation.invariant for violation in report.violations} == {invariant}
    assert all(UUID(violation.id) and violation.detail for violation in report.violations)


def test_many_offenders_are_counted_and_the_first_listed(connection: psycopg.Connection[Any]) -> None:
    corrupt(
        connection,
        NEW_EVENT + "SELECT gen_random_uuid(), id_of('survey'), NULL, 'process.commented', 'lifecycle', '',"
        " now() - n * interval '1 hour', NULL, NULL FROM generate_series(0, 150) AS n",
    )
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
