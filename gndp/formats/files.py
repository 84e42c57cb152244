"""One way in and one way out for every format, by the file's extension."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from gndp.core.errors import Invalid
from gndp.formats.content import MAX_BYTES
from gndp.formats.delimited import read_delimited, write_delimited
from gndp.formats.eventlog import Case, Columns, Log
from gndp.formats.parquet import read_parquet, write_parquet
from gndp.formats.timestamps import TimestampReader
from gndp.formats.xes import read_xes, write_xes

_Reader = Callable[[Path, Columns | None, TimestampReader, int], Log]
_Writer = Callable[[Path, Iterable[Case]], int]

_FORMATS: dict[str, tuple[_Reader, _Writer]] = {
    ".xes": (read_xes, write_xes),
    ".xes.gz": (read_xes, write_xes),
    ".csv": (read_delimited, write_delimited),
    ".csv.gz": (read_delimited, write_delimited),
    ".parquet": (read_parquet, write_parquet),
}

EXTENSIONS = tuple(_FORMATS)
"""The file extensions that can be read and written."""


def read_log(
    path: str | Path,
    *,
    columns: Columns | None = None,
    time_zone: str | None = None,
    day_first: bool | None = None,
    max_bytes: int = MAX_BYTES,
) -> Log:
    """Read an event log: ``.xes``, ``.csv``, each also ``.gz``, or ``.parquet``.

    ``columns`` names columns (XES: attribute keys); what it leaves out is guessed by name. ``time_zone``
    (IANA) is what times without an offset are in, UTC without it. ``day_first`` says how 2/3/2016 is read;
    without it the whole log decides. ``max_bytes`` caps the decompressed size.

    A row that cannot be loaded is reported in ``Log.problems`` with its place, and the rest loads; that
    includes a file that is cut short. Raises Invalid, with one clear line, for a file that is missing,
    unreadable, of an unknown kind, too large or dangerous, and when its columns cannot be told.
    """
    path = Path(path)
    timestamps = TimestampReader(time_zone, day_first)
    return _format(path)[0](path, columns, timestamps, max_bytes)


def write_log(path: str | Path, cases: Iterable[Case]) -> int:
    """Write cases to a file by its extension, as ``read_log`` has them; how many activity instances.

    The file appears, or takes the place of an older one, in one step when all is written. Times are UTC
    with microseconds. CSV and Parquet hold a row an activity instance, so a case without any is only kept
    by XES; CSV keeps attributes as text. Raises Invalid for an unknown extension, a folder that cannot be
    written, a time without a zone, and a text with a NUL character or a lone surrogate.
    """
    path = Path(path)
    return _format(path)[1](path, cases)


def _format(path: Path) -> tuple[_Reader, _Writer]:
    name = path.name.lower()
    for extension, functions in _FORMATS.items():
        if name.endswith(extension):
            return functions
    raise Invalid(
        f"{path} is of no known kind; the file names that can be read end in {', '.join(EXTENSIONS)}"
    )
