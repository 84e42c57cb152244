"""How the tests of the command line run it, and what they expect of each answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

GNDP = Path(sys.executable).with_name("gndp")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def told(result: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line that a command which failed in this way has to say."""
    assert result.returncode == code, result
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("gndp: ")
    return line


def succeeded(result: subprocess.CompletedProcess[str]) -> str:
    """What a command that did its work has printed."""
    assert result.returncode == 0, result
    assert result.stderr == ""
    return result.stdout
