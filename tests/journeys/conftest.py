"""Fixtures of the journeys: a folder, and the command line run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from playwright.sync_api import expect

from gndp.cli import main
from tests.journeys.command_line import GNDP, Run

expect.set_options(timeout=30_000)  # a busy machine; what is there is not waited for


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the embedded server's system user can enter, which pytest's own is not."""
    path = Path(tempfile.mkdtemp(prefix="gndp-test-", dir="/var/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def run(folder: Path) -> Run:
    """Run ``gndp`` away from the checkout, with no settings but those that are given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GNDP_")}

    def gndp_command(*arguments: object, **settings: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [GNDP, *map(str, arguments)],
            cwd=folder,
            env=inherited | {name: str(value) for name, value in settings.items()},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return gndp_command


@pytest.fixture
def run_inside(folder: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``gndp`` within this process, with no settings but those that are given: the same answers as
    ``run``, much sooner."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GNDP_")}

    def gndp_command(*arguments: object, **settings: object) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        argv = ["gndp", *map(str, arguments)]
        given = {name: str(value) for name, value in settings.items()}
        with (
            chdir(folder),
            patch.object(sys, "argv", argv),
            patch.dict(os.environ, inherited | given, clear=True),
            patch("signal.signal"),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        assert isinstance(ended.value.code, int)
        printed, said = capfd.readouterr()
        return subprocess.CompletedProcess(argv, ended.value.code, printed, said)

    return gndp_command


@pytest.fixture
def run_here(run_inside: Run, database_url: str) -> Run:
    """The same, on a fresh database."""
    return partial(run_inside, GNDP_DATABASE_URL=database_url)
