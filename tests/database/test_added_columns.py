"""A newer version may add columns to the tables while this one is running."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from psycopg import pq, sql

import gndp
from gndp.core.errors import DatabaseUnavailable
from gndp.settings import Settings
from gndp.store.queries import query
from gndp.store.resources import sql_text
from tests.scene import Scene


def _alter(url: str, change: str) -> None:
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
        for (table,) in tables:
            connection.execute(sql.SQL(change).format(sql.Identifier(table)))  # type: ignore[arg-type]


def _use(scene: Scene) -> None:
    wb = scene.wb
    process = scene.start("another", sla_target_mins=60)
    tasks = [scene.add(process, sla_target_mins=30), scene.add(process, assigned_to="ada")]
    for task in tasks:
        wb.tasks.start(task.id, user_id="ada")
        wb.tasks.comment(task.id, user_id="ada", text="here")
    wb.tasks.fail(tasks[0].id, user_id="ada", error_message="no", final=True)
    wb.processes.retry(process.id, user_id="ada")
    wb.tasks.skip(tasks[0].id, user_id="ada", reason="no")
    wb.tasks.complete(tasks[1].id, user_id="ada")
    assert wb.processes.get(process.id).status == "completed"
    assert wb.tasks.get(tasks[1].id) in [listed.task for listed in wb.tasks.list(process_id=process.id).tasks]
    assert wb.tasks.mine("ada")
    assert isinstance(wb.directory.people(), list)
    assert wb.processes.events(process.id)
    wb.sla.sweep()


def test_a_running_workbench_goes_on_when_columns_are_added(database_url: str) -> None:
    scene = Scene(database_url)
    try:
        _use(scene)
        _alter(database_url, "ALTER TABLE {} ADD COLUMN newer integer")
        _use(scene)
    finally:
        scene.wb.close()
    with gndp.connect(database_url) as wb:
        assert wb.tasks.get(scene.blocked.id) == scene.blocked
        assert wb.check().ok


def test_no_query_answers_with_columns_that_it_does_not_name(new_database: Callable[[], str]) -> None:
    url = new_database()
    before = _columns(url)
    _alter(url, "ALTER TABLE {} ADD COLUMN newer integer")
    assert _columns(url) == before
    assert len(before) > 50


def test_a_change_that_this_version_cannot_bear_with_is_said(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    # One connection: a second of the pool has nothing prepared, and would read the changed table as it is.
    settings = Settings(pool_min_size=1, pool_max_size=1)
    wb = new_workbench(database_url=database_url, settings=settings)
    wb.directory.add_person("ada")
    wb.directory.people()
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE people ALTER COLUMN capacity TYPE bigint")
    with pytest.raises(DatabaseUnavailable, match="tables were changed while this ran"):
        wb.directory.people()


def _columns(url: str) -> dict[str, list[bytes | None]]:
    """What each named query answers with."""
    found: dict[str, list[bytes | None]] = {}
    folder = Path(str(files("gndp"))).parent / "sql" / "queries"
    with psycopg.connect(url) as connection:
        for path in sorted(folder.glob("*.sql")):
            for line in sql_text(f"queries/{path.name}").splitlines():
                if not line.startswith("-- name: "):
                    continue
                name = line.removeprefix("-- name: ")
                connection.pgconn.prepare(b"", query(path.stem, name).text)
                result = connection.pgconn.describe_prepared(b"")
                assert result.status == pq.ExecStatus.COMMAND_OK, (path.name, name, result.error_message)
                found[f"{path.stem}.{name}"] = [result.fname(n) for n in range(result.nfields)]
    return found
