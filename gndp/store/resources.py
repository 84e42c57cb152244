"""Where the files of the ``sql`` folder are, in a checkout and in an installed wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def sql_path() -> Path:
    """The ``sql`` folder: ``gndp/_sql`` when GNDP is installed from a wheel, else the checkout's ``sql``."""
    installed = _PACKAGE / "_sql"
    return installed if installed.is_dir() else _PACKAGE.parent / "sql"


@cache
def sql_text(name: str) -> str:
    """The text of one SQL file, named from the ``sql`` folder, such as ``queries/check/event_fold.sql``.

    It is read once per process. Raises FileNotFoundError when there is no such file.
    """
    return (sql_path() / name).read_text(encoding="utf-8")
