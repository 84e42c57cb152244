"""Event logs in files: XES, CSV (each also gzip) and Parquet, read and written; no database.

``read_log`` gives a ``Log`` of cases and activity instances, with everything that was assumed or could not
be loaded; ``write_log`` writes cases back.
"""

from gndp.formats.content import MAX_BYTES
from gndp.formats.eventlog import ActivityInstance, BadRow, Case, Columns, Log, guess_columns
from gndp.formats.files import EXTENSIONS, read_log, write_log
from gndp.formats.priorities import PriorityReader
from gndp.formats.timestamps import TimestampReader

__all__ = [
    "EXTENSIONS",
    "MAX_BYTES",
    "ActivityInstance",
    "BadRow",
    "Case",
    "Columns",
    "Log",
    "PriorityReader",
    "TimestampReader",
    "guess_columns",
    "read_log",
    "write_log",
]
