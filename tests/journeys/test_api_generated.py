"""Generated requests (Schemathesis) over the live API with authentication on, held against its description.

All checks: no server error, replies as described, what is described is accepted, what is not is refused, and
nothing without credentials. Event streams are left out, since they do not end.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from serving import served

import gndp

HERE = Path(__file__).parent


class Tried(NamedTuple):
    """A server to be tried: its address, an admin's token, and what there is on it, by noun."""

    url: str
    token: str
    there: dict[str, list[str]]


@pytest.fixture
def tried(workbench: gndp.Workbench) -> Iterator[Tried]:
    workbench.directory.add_team("north")
    for person, role in (("root", "admin"), ("ann", "worker"), ("bob", "lead")):
        workbench.directory.add_person(person, team="north", role=role)
    workbench.calendars.save("office", {"hours": {"0": [["09:00", "17:00"]]}})
    workbench.sla.publish({"name": "answer", "item": "task", "target_minutes": 60}, user_id="root")
    workbench.definitions.publish(
        {"id": "greeting", "name": "Greeting", "steps": [{"id": "greet", "name": "Greet"}]}, user_id="root"
    )
    processes = [
        workbench.processes.start(
            process_definition_id="loose", process_name=f"P{n}", process_type="custom", initiated_by="ann"
        )
        for n in range(20)
    ]
    tasks = [
        workbench.tasks.create(
            process_instance_id=process.id,
            task_definition_id="t",
            task_name="T",
            task_type="manual",
            user_id="ann",
            assigned_to="ann",
        )
        for process in processes
        for _ in range(3)
    ]
    there = {
        "processes": [str(process.id) for process in processes],
        "tasks": [str(task.id) for task in tasks],
        "people": ["ann", "bob"],
        "accounts": ["ann", "bob"],
        "teams": ["north"],
        "calendars": ["office"],
        "definitions": ["greeting"],
        "sla": ["answer"],
        "jobs": ["sla_sweep", "assignment"],
    }
    until = workbench.clock() + timedelta(days=1)
    token = workbench.entrance.tokens.create("root", "trial", ["admin"], until).token
    with served(workbench, needs_authentication=True) as url:
        yield Tried(url, token, there)


def trial(tried: Tried, *options: str) -> int:
    """Try the server; the number of requests. Fails with what Schemathesis found."""
    command = [
        *(Path(sys.executable).with_name("st"), "--config-file", HERE / "schemathesis.toml"),
        *("run", f"{tried.url}/api/openapi.json", "-H", f"Authorization: Bearer {tried.token}"),
        *("--exclude-path", "/api/events", "--no-color", "--continue-on-failure", *options),
    ]
    result = subprocess.run(
        command,
        env={**os.environ, "GNDP_TRIED": json.dumps(tried.there), "PYTHONPATH": str(HERE.parent.parent)},
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, (
        result.stdout.partition("= FAILURES =")[2][:20_000] + result.stderr[-2_000:]
    )
    cases = re.search(r"(\d+) generated", result.stdout)
    assert cases is not None, result.stdout
    return int(cases[1])


def test_generated_requests_are_answered_as_described(tried: Tried, workbench: gndp.Workbench) -> None:
    assert trial(tried, "--phases", "fuzzing", "-n", "4", "--seed", "4711") > 300
    assert workbench.check().ok


@pytest.mark.soak
def test_many_generated_requests_are_answered_as_described(tried: Tried, workbench: gndp.Workbench) -> None:
    assert trial(tried, "--phases", "examples,coverage,fuzzing,stateful", "-n", "30") >= 5_000
    assert workbench.check().ok
