"""Nothing public is undocumented: modules, classes, functions, methods, commands, options and settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from gndp.cli import app
from gndp.settings import Settings

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for folder in ("gndp", "apps") for path in (ROOT / folder).rglob("*.py"))
COMMAND_LINE = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")

_Documentable = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def undocumented(node: ast.Module | _Documentable, place: str) -> Iterator[str]:
    """What is public in a module or class, and in the classes in it, and has no docstring."""
    if ast.get_docstring(node) is None:
        yield place
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    for child in node.body:
        if isinstance(child, _Documentable) and not child.name.startswith("_") and not _is_overload(child):
            yield from undocumented(child, f"{place}:{child.name}")


def _is_overload(node: _Documentable) -> bool:
    return any(ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in node.decorator_list)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_public_in_a_module_is_documented(path: Path) -> None:
    assert list(undocumented(ast.parse(path.read_text(encoding="utf-8")), str(path.relative_to(ROOT)))) == []


def test_what_is_undocumented_is_found() -> None:
    source = '"""A module."""\nclass A:\n    """A class."""\n    def b(self): ...\n    def _c(self): ...\n'
    assert list(undocumented(ast.parse(source), "m")) == ["m:A:b"]


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """A command and the commands under it, each with its whole name."""
    yield name, command
    for sub, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{name} {sub}")


@pytest.mark.parametrize(("name", "command"), list(commands(typer.main.get_command(app), "gndp")))
def test_every_command_and_option_is_in_the_reference(name: str, command: Any) -> None:
    heading = f"# `{name}`\n"
    assert heading in COMMAND_LINE, "docs/reference/cli.md is stale: run `make docs`"
    section = COMMAND_LINE.partition(heading)[2].partition("\n## ")[0]
    assert command.help.split("\n")[0] in section
    for parameter in command.params:
        if not getattr(parameter, "hidden", False):
            assert all(option in section for option in parameter.opts), parameter.opts
            assert parameter.help, f"{name}: {parameter.opts} has no help"


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
