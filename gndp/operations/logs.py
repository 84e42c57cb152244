"""The log of a server: one line an event on standard error, as JSON or as text for people.

What any library writes through ``logging`` goes the same way, with the correlation id of the request that it
belongs to, and with who called once that is known.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from gndp.api.correlation import caller

LogFormat = Literal["json", "text"]

_TALKATIVE = ("alembic", "apscheduler", "bokeh", "tornado")
"""Libraries that say at info what only whoever debugs them wants to know, some of them every second."""


def set_up_logs(level: str, form: LogFormat | None = None) -> None:
    """Write the log of this process. ``level`` is debug, info, warning or error; ``form`` is text on a
    terminal and JSON elsewhere if it is left out."""
    form = form or ("text" if sys.stderr.isatty() else "json")
    beginning: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_process,
        _add_caller,
    ]
    structlog.configure(
        processors=[*beginning, *_rendering(form)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *beginning],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(form)],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING if level == "info" else logging.NOTSET)


def _rendering(form: LogFormat) -> list[Processor]:
    # Neither shows the variables of a traceback: there may be secrets among them.
    if form == "text":
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_as_json)]


def _as_json(line: EventDict, **_: object) -> str:
    return orjson.dumps(line, default=str).decode()


def _add_process(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    line["pid"] = os.getpid()
    return line


def _add_caller(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    current = caller.get()
    if current is not None:
        line["correlation_id"] = current.correlation_id
        if current.user_id is not None:
            line["user_id"] = current.user_id
    return line
