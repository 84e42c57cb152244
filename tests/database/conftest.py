"""Fixtures of the database tests: a scene that refused commands must leave as it was."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.scene import Scene


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
