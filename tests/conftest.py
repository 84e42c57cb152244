"""Fixtures: one real PostgreSQL for the run, a migrated template database, and a clone of it per test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import gndp
from gndp.store import embedded
from gndp.store.migrate import migrate

DATA = Path(os.environ.get("GNDP_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")


def real_log(name: str) -> Path:
    """The path of a real event log, or a skip that says what is missing."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the real log {name} is not there (set GNDP_TEST_DATA)")
    return path


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A server to make databases on: GNDP_TEST_DATABASE_URL, or an embedded one of this run."""
    given = os.environ.get("GNDP_TEST_DATABASE_URL")
    if given:
        yield given
        return
    # The embedded server's system user must be able to reach it, so not under pytest's private folder.
    folder = Path(tempfile.mkdtemp(prefix="gndp-test-", dir="/var/tmp"))
    folder.chmod(0o711)
    try:
        yield embedded.acquire(folder / "data")
        embedded.release(folder / "data")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template_database(server_url: str) -> Iterator[str]:
    """A migrated database that tests clone."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        name = _create(admin)
        migrate(make_conninfo(server_url, dbname=name))
        yield name
        _drop(admin, name)


@pytest.fixture(scope="module")
def module_database_url(server_url: str, template_database: str) -> Iterator[str]:
    """A migrated database that the tests of a module share."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        name = _create(admin, template_database)
        yield make_conninfo(server_url, dbname=name)
        _drop(admin, name)


@pytest.fixture
def new_database(server_url: str, template_database: str) -> Iterator[Callable[[], str]]:
    """Makes fresh migrated databases; each call's answer is a URL."""
    made: list[str] = []
    with psycopg.connect(server_url, autocommit=True) as admin:

        def make() -> str:
            made.append(_create(admin, template_database))
            return make_conninfo(server_url, dbname=made[-1])

        yield make
        for name in made:
            _drop(admin, name)


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """A fresh migrated database."""
    return new_database()


@pytest.fixture
def new_workbench(new_database: Callable[[], str]) -> Iterator[Callable[..., gndp.Workbench]]:
    """Makes workbenches on fresh databases (or on ``database_url=``), closed after the test."""
    with ExitStack() as stack:

        def make(**options: object) -> gndp.Workbench:
            url = options.pop("database_url", None) or new_database()
            return stack.enter_context(gndp.connect(url, **options))

        yield make


@pytest.fixture
def workbench(new_workbench: Callable[..., gndp.Workbench]) -> gndp.Workbench:
    """A workbench on a fresh database."""
    return new_workbench()


def _create(admin: psycopg.Connection, template: str | None = None) -> str:
    name = f"gndp_test_{uuid4().hex}"
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    admin.execute(statement)
    return name


def _drop(admin: psycopg.Connection, name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
