"""Bringing a database to this version's tables: SQL under ``sql/migrations``, in Alembic's order."""

from __future__ import annotations

from functools import cache

import psycopg
import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict

from gndp.core.errors import DatabaseMismatch, DatabaseUnavailable, Invalid, Problem
from gndp.store.resources import sql_path, sql_text

_MIGRATION_LOCK = 0x474E4450  # "GNDP": one migration at a time in a database


def run_sql(name: str) -> None:
    """Run a whole file under ``sql/`` in the migration's transaction (for migrations only)."""
    op.get_bind().exec_driver_sql(sql_text(name).replace("%", "%%"))


def migrate(conninfo: str) -> None:
    """Bring the database to the newest revision, in one transaction; nothing happens when it is there.

    Safe to call from many processes at once. Raises DatabaseMismatch when the database is from a newer
    version of GNDP or PostgreSQL is older than 15, DatabaseUnavailable when it cannot be reached,
    Invalid when ``conninfo`` is no address.
    """
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        raise Invalid(Problem("database_url", "is not an address that libpq understands")) from error
    engine = _engine(conninfo)
    try:
        with engine.begin() as connection:
            _refuse_other_servers(connection)
            if _is_current(connection):
                return
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            if not _is_current(connection):
                command.upgrade(_config(connection), "head")
    except sa.exc.OperationalError as error:
        raise DatabaseUnavailable(
            f"cannot reach the database: {' '.join(str(error.orig).split())}"
        ) from error
    finally:
        engine.dispose()


@cache
def newest_revision() -> str:
    """The revision of the tables that this version of GNDP works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _engine(conninfo: str) -> sa.Engine:
    return sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(conninfo, connect_timeout=10),
        poolclass=sa.NullPool,
    )


def _refuse_other_servers(connection: sa.Connection) -> None:
    version = connection.execute(sa.text("SELECT current_setting('server_version_num')::int")).scalar_one()
    if version < 150_000:
        raise DatabaseMismatch(f"PostgreSQL {version // 10_000} is too old: GNDP needs 15 or newer")


def _is_current(connection: sa.Connection) -> bool:
    script = ScriptDirectory.from_config(_config(connection))
    current = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise DatabaseMismatch(
            f"the database is at revision {current}, which this version of GNDP does not know: "
            "it is from a newer version"
        )
    if current is None and sa.inspect(connection).has_table("process_instances"):
        raise DatabaseMismatch("the database has tables of these names that GNDP did not make")
    return current == script.get_current_head()


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(sql_path() / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
