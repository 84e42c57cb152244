"""What `pip install .` installs works away from the checkout: code, SQL, pages and definitions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's contents; what it depends on is this environment's."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--target", folder, CHECKOUT]
    subprocess.run([*pip, *options], check=True, capture_output=True)
    return folder


def python(installed: Path, code: str, *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=installed.parent,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_wheel_brings_one_package(installed: Path) -> None:
    assert {path.name for path in installed.iterdir() if "dist-info" not in path.name} == {"gndp", "bin"}
    assert (installed / "bin" / "gndp").exists()


def test_the_installed_command_finds_its_sql(installed: Path, database_url: str) -> None:
    command = "from gndp.cli import main; main()"
    assert "all hold" in python(installed, command, "check", "--database-url", database_url)


def test_the_installed_pages_and_definitions_are_its_own(installed: Path) -> None:
    code = """
from importlib import resources
import gndp, gndp._apps.workbench
print(gndp.__file__)
print(gndp._apps.workbench.__file__)
print(sorted(path.name for path in resources.files("gndp").joinpath("definitions").iterdir()))
"""
    package, pages, definitions = python(installed, code).splitlines()
    assert Path(package).parent == installed / "gndp"
    assert Path(pages).parent == installed / "gndp" / "_apps"
    assert "purchase_loan.yaml" in definitions
