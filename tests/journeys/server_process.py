"""``gndp serve`` as a process of its own, for tests that stop, kill and question it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SERVE = """
import sys
from gndp.serving import process, workers
if "{drain}":
    process.DRAIN_SECONDS = float("{drain}")
    workers._END_SECONDS = float("{drain}") + 60
from gndp.cli import main
if __name__ == "__main__":
    main()
"""


def until(condition: Callable[[], Any]) -> Any:
    """What a condition says once it is something."""
    deadline = time.monotonic() + 120
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


class Serving:
    """A server that runs: its address, and what it has said."""

    def __init__(self, process: subprocess.Popen[str], address: str, log: Path) -> None:
        self.process = process
        self.address = address
        self._log = log

    def log(self) -> list[dict[str, Any]]:
        """The lines of its log so far."""
        whole = self._log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def workers(self) -> set[int]:
        """The process ids of its workers that live."""
        found = set()
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, parent = status.read_text().rpartition(")")[2].split()[:2]
                command = status.with_name("cmdline").read_bytes()
            except OSError:
                continue  # it has just ended
            if int(parent) == self.process.pid and state != "Z" and b"spawn_main" in command:
                found.add(int(status.parent.name))
        return found

    def answering(self) -> set[int]:
        """The process ids that requests were answered by."""
        return {line["pid"] for line in self.log() if line["logger"] == "gndp.access"}


@contextmanager
def serving(url: str, *arguments: str, drain: str = "", **settings: str) -> Iterator[Serving]:
    """A server on a database, at a port of its own; ``drain`` is how many seconds requests may go on for."""
    environment = os.environ | {
        "GNDP_DATABASE_URL": url,
        "GNDP_AUTH": "off",
        "GNDP_LOG_LEVEL": "info",
        "GNDP_JOBS": "off",
        **settings,
    }
    with tempfile.TemporaryDirectory() as folder:
        main, log = Path(folder) / "main.py", Path(folder) / "log"
        main.write_text(_SERVE.format(drain=drain))
        with (
            log.open("w") as said,
            subprocess.Popen(
                [sys.executable, main, "serve", "--port", "0", *arguments],
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=environment,
            ) as process,
        ):
            try:
                assert process.stdout is not None
                ready = re.search(r"(http://127\.0\.0\.1:\d+)/", process.stdout.readline())
                assert ready is not None, log.read_text()
                yield Serving(process, ready[1], log)
            finally:
                process.terminate()
                try:
                    process.wait(60)
                finally:
                    process.kill()
