"""A migrated empty database is what gndp/store/models/ says, and the read models have its columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.conninfo import make_conninfo
from uuid_utils.compat import uuid7

import gndp
from gndp.core import people, records
from gndp.core.policies import Terms, plain_policy
from gndp.store.migrate import _config
from gndp.store.models import SQLModel

READ_MODELS = {
    "process_instances": records.Process,
    "tasks": records.Task,
    "task_assignments": records.Assignment,
    "sla_metrics": records.SlaClock,
    "sla_policies": records.PublishedPolicy,
    "process_definitions": records.Definition,
    "process_events": records.Event,
    "teams": people.Team,
    "people": people.Person,
    "job_runs": records.JobRun,
}
CONTRACT_TABLES = {
    *("process_instances", "tasks", "process_events", "sla_metrics", "task_assignments"),
    *("workflow_rules", "performance_metrics"),
}
CONTRACT_VIEWS = {"v_active_processes", "v_my_tasks", "v_sla_breaches"}

CATALOG = {
    "columns": """
        SELECT c.relname || '.' || a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
          AND NOT a.attisdropped""",
    "constraints": """
        SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'""",
    "indexes": """
        SELECT indrelid::regclass || ' ' || indexrelid::regclass, pg_get_indexdef(indexrelid)
        FROM pg_index JOIN pg_class c ON c.oid = indrelid
        WHERE c.relnamespace = 'public'::regnamespace""",
}
"""What PostgreSQL itself says of the tables: a name, then everything that is to be the same."""


def engine(conninfo: str) -> sa.Engine:
    return sa.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=sa.NullPool
    )


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """A database with nothing in it."""
    name = f"gndp_test_{uuid7().hex}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield make_conninfo(server_url, dbname=name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def modelled_url(empty_url: str) -> str:
    """A database made by the models alone, without a migration."""
    with engine(empty_url).begin() as connection:
        SQLModel.metadata.create_all(connection)
    return empty_url


def catalog(url: str, what: str) -> dict[str, tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(CATALOG[what]).fetchall()
    return {name: tuple(rest) for name, *rest in rows if not name.startswith("alembic_version")}


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_alembic_finds_no_difference(database_url: str) -> None:
    with engine(database_url).connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, SQLModel.metadata) == []


@pytest.mark.parametrize("what", CATALOG)
def test_postgresql_finds_no_difference(database_url: str, modelled_url: str, what: str) -> None:
    migrated, modelled = catalog(database_url, what), catalog(modelled_url, what)
    assert migrated
    assert migrated == modelled


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE tasks ALTER COLUMN notes SET DEFAULT ''",
        "ALTER TABLE tasks DROP CONSTRAINT tasks_status_check,"
        " ADD CONSTRAINT tasks_status_check CHECK (status <> 'bogus')",
        "DROP INDEX tasks_mine_idx; CREATE INDEX tasks_mine_idx ON tasks (assigned_to, due_date)",
    ],
)
def test_a_difference_would_be_found(database_url: str, modelled_url: str, change: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(change)
    assert any(catalog(database_url, what) != catalog(modelled_url, what) for what in CATALOG)


def test_every_table_with_a_version_advances_it(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT table_name, EXISTS (SELECT FROM pg_trigger WHERE tgrelid = table_name::regclass"
            " AND tgfoid = 'advance_version'::regproc) FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'updated_at'"
        ).fetchall()
    advancing = dict(rows)
    views = {name for name in advancing if name.startswith("v_")}
    assert {name for name, advances in advancing.items() if not advances} == views
    assert {"calendars", "people", "teams", "tasks"} <= advancing.keys()


def test_every_enumeration_and_progress_is_checked(database_url: str) -> None:
    checked = " ".join(str(rest) for rest in catalog(database_url, "constraints").values())
    for text in ("'suspended'", "'skipped'", "'breached'", "'critical'", "'skill_based'", "'reassigned'"):
        assert text in checked
    for text in (
        "'escalation'",
        "'route'",
        "'specific_process'",
        "'phase'",
        "'warning'",
        "progress_percentage",
        "'estimated_minutes'",
        "'viewer'",
    ):
        assert text in checked


@pytest.mark.parametrize(("table", "model"), READ_MODELS.items())
def test_a_read_model_has_the_columns_of_its_table_in_order(
    database_url: str, table: str, model: type[tuple[Any, ...]]
) -> None:
    with psycopg.connect(database_url) as connection:
        columns = [
            row[0]
            for row in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'"
                " AND table_name = %s ORDER BY ordinal_position",
                (table,),
            )
        ]
    # The writing transaction is for readers of the log, and no business of whoever looks at an event.
    assert list(model._fields) == [column for column in columns if column != "xid"]


def test_what_the_first_revision_holds_comes_along(empty_url: str) -> None:
    with engine(empty_url).begin() as connection:
        command.upgrade(_config(connection), "0001_engine")
        connection.exec_driver_sql(
            "INSERT INTO process_definitions VALUES"
            " ('loan', 1, 'Loan', '{\"id\": \"loan\"}', 'f', now(), 'ann')"
        )
    with gndp.connect(empty_url) as workbench:
        assert workbench.definitions.get("loan").document == {"id": "loan"}
        assert workbench.directory.people() == []


def test_a_clock_that_ran_before_learns_when_it_is_at_risk_from_the_next_sweep(empty_url: str) -> None:
    begun, id = datetime(2026, 3, 2, 9, tzinfo=UTC), uuid7()
    due, terms = begun + timedelta(minutes=60), Terms(plain_policy("process", 60), None).document
    with engine(empty_url).begin() as connection:
        command.upgrade(_config(connection), "0005_routing")
        for text in (
            "INSERT INTO process_instances (id, process_definition_id, process_name, process_type, status,"
            " initiated_by, created_at, started_at, sla_target_mins, due_date)"
            " VALUES (:id, 'old', 'Old', 'custom', 'running', 'ann', :begun, :begun, 60, :due)",
            "INSERT INTO process_events (id, process_instance_id, event_type, event_category, message,"
            " timestamp, new_status)"
            " VALUES (:id, :id, 'process.started', 'lifecycle', '', :begun, 'running')",
            "INSERT INTO sla_terms VALUES ('old', CAST(:terms AS jsonb))",
            "INSERT INTO sla_metrics (id, process_instance_id, metric_type, target_duration_mins, start_time,"
            " created_at, policy_name, objective, terms, due_at, original_due_at, running_since, next_at)"
            " VALUES (:id, :id, 'process', 60, :begun, :begun, 'sla_target_mins', 'sla_target_mins', 'old',"
            " :due, :due, :begun, :due)",
        ):
            values = {"id": id, "begun": begun, "due": due, "terms": json.dumps(terms)}
            connection.execute(sa.text(text), values)
    now = begun
    with gndp.connect(empty_url, clock=lambda: now) as workbench:
        assert workbench.sla.sweep().clocks == 1
        (reading,) = workbench.sla.clocks(process_id=str(id))
        assert reading.clock.at_risk_at == reading.clock.next_at == begun + timedelta(minutes=48)
        assert workbench.check().violations == ()
        now = due + timedelta(microseconds=1)
        assert workbench.processes.summary().sla_breached == 1
        assert workbench.sla.sweep().breached == 1


def test_a_definition_keeps_the_order_of_its_forms_fields(database_url: str) -> None:
    fields = ["surname", "name", "age", "id"]
    form = {"type": "object", "properties": {field: {"type": "string"} for field in fields}}
    step = {"id": "ask", "name": "Ask", "form": form}
    with gndp.connect(database_url) as workbench:
        workbench.definitions.publish({"id": "ask", "name": "Ask", "steps": [step]}, user_id="ann")
        (stored,) = workbench.definitions.get("ask").document["steps"]
    assert list(stored["form"]["properties"]) == fields


def test_the_contracts_tables_and_views_are_there(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        found = dict(
            connection.execute(
                "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public'"
            ).fetchall()
        )
    assert {name for name, kind in found.items() if kind == "BASE TABLE"} >= CONTRACT_TABLES
    assert {name for name, kind in found.items() if kind == "VIEW"} == CONTRACT_VIEWS
