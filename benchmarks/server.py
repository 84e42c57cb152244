"""A durable embedded PostgreSQL of its own for each benchmark run (fsync and synchronous_commit are on)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gndp
from gndp.store import embedded


@contextmanager
def temporary_server() -> Iterator[str]:
    """The URL of an empty server that goes away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="gndp-bench-", dir="/var/tmp"))
    folder.chmod(0o711)
    url = embedded.acquire(folder / "data")
    try:
        yield url
    finally:
        embedded.release(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def temporary_workbench() -> Iterator[gndp.Workbench]:
    """A workbench on such a server."""
    with temporary_server() as url, gndp.connect(url) as workbench:
        yield workbench
