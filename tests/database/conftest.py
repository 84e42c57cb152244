"""Fixtures of the database tests: a scene that refused commands must leave as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scene import Scene


@pytest.fixture(scope="module")
def module_scene(module_database_url: str) -> Iterator[Scene]:
    """A scene on a database of its own; one for the module, for nothing changes it."""
    scene = Scene(module_database_url)
    yield scene
    scene.wb.close()


@pytest.fixture
def scene(module_scene: Scene) -> Iterator[Scene]:
    """The scene; whatever a test did to it was refused, so it must look as before."""
    before = module_scene.digest()
    yield module_scene
    assert module_scene.digest() == before
    assert len(before) > 7
