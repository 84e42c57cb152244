"""The script of docs/how-to/client.md runs against a real server."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest
from serving import served

import gndp

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "client.md"


def test_the_script_of_the_page_runs(workbench: gndp.Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = [
        dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)
    ]
    for block in blocks:
        compile(block, str(PAGE), "exec")
    (script,) = (block for block in blocks if "import" in block)
    with served(workbench) as url:
        exec(script.replace("http://localhost:8000", url), {})
    refused, status = capsys.readouterr().out.splitlines()
    assert refused.endswith("in_progress") and status == "completed"
