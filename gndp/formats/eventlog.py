"""What an event log is, whatever its file format, and which column of a table means what.

The words are those of the contract page (EventLog): an *activity instance* is a completion, with its start
when the log has one. All instants are aware UTC.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, NamedTuple

from gndp.core.errors import Invalid


class BadRow(NamedTuple):
    """Something in the file that could not be loaded: its place and what is wrong there.

    ``place`` is in the file's own terms: ``line 17``, ``row 17`` (Parquet, from 1), ``trace 3, event 5``.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class ActivityInstance:
    """One activity done once in one case.

    ``row`` is the 0-based number, in file order, of the event or row that completed it: unique within the
    log. ``started_at`` is None where the log does not say, ``resource`` where nobody is named.
    ``attributes`` are the completing event's other attributes; their values are JSON-able.
    """

    row: int
    activity: str
    completed_at: datetime
    started_at: datetime | None = None
    resource: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its id as text, its attributes (JSON-able; dates as ISO text) and its activity instances.

    ``activities`` are ordered by completion time, file order breaking ties. The list is empty for a case
    whose events are all of other kinds, and for an empty XES trace.
    """

    case_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    activities: list[ActivityInstance] = field(default_factory=list)


@dataclass(frozen=True)
class Columns:
    """Which column (in XES: which attribute key) holds what.

    Given by a caller, None means "guess", and an empty text "the log has none". In a log that was read,
    None means that it has none.
    """

    case_id: str | None = None
    activity: str | None = None
    timestamp: str | None = None
    start_timestamp: str | None = None
    resource: str | None = None
    lifecycle: str | None = None


@dataclass
class Log:
    """An event log as it was read, with everything that was assumed or could not be loaded.

    - ``fingerprint``: SHA-256 (hex) of the decompressed content and of what decides its meaning: the
      columns, the time zone and the order of day and month. The same file read the same way has the same.
    - ``columns``: what was read as what; ``guessed`` names the fields of it that the caller did not give.
    - ``cases``: in the order in which the file first names them.
    - ``problems``: what could not be loaded, in file order; the rest is in ``cases``.
    - ``other_events``: how many readable events are no activity instances, by lifecycle in lower case;
      starts are not among them.
    - ``assumed_time_zone``: the zone given to times without one where the caller named none, else None.
    - ``assumed_date_order``: ``day first`` or ``month first`` where dates such as 2/3/2016 were read and
      the caller did not say which, else None.
    - ``notes``: one line for each other thing that a reader of the log should know.
    """

    fingerprint: str
    columns: Columns
    guessed: tuple[str, ...]
    cases: list[Case]
    problems: list[BadRow]
    other_events: Counter[str]
    assumed_time_zone: str | None = None
    assumed_date_order: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def instance_count(self) -> int:
        """How many activity instances all cases have together."""
        return sum(len(case.activities) for case in self.cases)


OWN_COLUMNS = ("case_id", "activity", "start_timestamp", "timestamp", "resource")
"""The first five columns of every CSV and Parquet file that ``write_log`` writes."""

_OWN = Columns(*OWN_COLUMNS[:2], OWN_COLUMNS[3], OWN_COLUMNS[2], OWN_COLUMNS[4], lifecycle="")

_NAMES: dict[str, tuple[str, ...]] = {
    "case_id": (
        *("case:concept:name", "caseid", "case", "casekey", "casenumber", "caseno", "caseref"),
        *("traceid", "trace", "processinstanceid", "processinstance", "instanceid"),
        *("incidentid", "ticketid", "incidentnumber", "ticketnumber", "number"),
    ),
    "activity": (
        *("concept:name", "activity", "activityname", "activityid", "activityen"),
        *("task", "taskname", "incidentstate"),
    ),
    "timestamp": (
        *("time:timestamp", "completetimestamp", "completiontimestamp", "endtimestamp", "timestampend"),
        *("endtime", "completetime", "completiontime", "finishtime", "timeend", "timecomplete"),
        *("completedat", "endedat", "finishedat", "complete", "end", "timestamp", "eventtimestamp"),
        *("eventtime", "sysupdatedat"),
    ),
    "start_timestamp": (
        *("starttimestamp", "start:timestamp", "timestampstart", "starttime", "timestart", "startedat"),
        *("start", "begintimestamp", "begintime"),
    ),
    "resource": (
        *("org:resource", "resource", "resourceid", "resourcename", "user", "username", "userid"),
        *("performer", "originator", "employee", "worker", "workerid", "sysupdatedby"),
    ),
    "lifecycle": ("lifecycle:transition", "lifecycle", "lifecycletransition", "transition"),
}
"""Names that say what a column is, the surest first; case, spaces and _ - . do not matter."""

_WEAK_NAMES: dict[str, tuple[str, ...]] = {
    "case_id": ("orderid", "requestid", "applicationid", "claimid", "patientid", "patient", "id"),
    "activity": ("event", "eventname", "operation", "action", "step", "stepname", "status", "state"),
    "timestamp": ("datetime", "date", "time", "occurredat", "createdat", "eventdate"),
}
"""Names that may say it: taken only where exactly one column has one, and none has a sure name."""

_REQUIRED = {"case_id": "case id", "activity": "activity", "timestamp": "time"}


def guess_columns(names: Sequence[str]) -> Columns:
    """What the columns of a table probably mean, by their names.

    Knows the common names of XES and pm4py (``case:concept:name``), Disco (``Case ID``, ``Complete
    Timestamp``), ServiceNow (``number``, ``incident_state``) and plain ones. Raises Invalid, listing the
    columns, when the case id, the activity or the time cannot be told, or when two columns have a claim.
    """
    return resolve_columns(names, None)[0]


def resolve_columns(names: Sequence[str], given: Columns | None) -> tuple[Columns, tuple[str, ...]]:
    """The meaning of a table's columns, and which fields of it were guessed.

    What ``given`` names is taken as it is; the rest is guessed among the other columns. Raises Invalid as
    ``guess_columns`` does, and when a given column is not in the table or more than once.
    """
    given = given or Columns()
    _check_given(names, given)
    own = tuple(names[: len(OWN_COLUMNS)]) == OWN_COLUMNS
    known = _OWN if own else Columns()
    taken = {getattr(given, f.name) for f in fields(given)}
    chosen: dict[str, str | None] = {}
    guessed = []
    for name in (f.name for f in fields(Columns)):
        stated = getattr(given, name)
        if stated is None:
            stated = getattr(known, name)
            if stated is None or stated in taken:
                stated = _guess(name, [n for n in names if n not in taken], names)
            if stated:
                guessed.append(name)
        chosen[name] = stated or None
        taken.add(stated)
    return replace(given, **chosen), tuple(guessed)


def _check_given(names: Sequence[str], given: Columns) -> None:
    for name in (f.name for f in fields(given)):
        column = getattr(given, name)
        if not column:
            if column == "" and name in _REQUIRED:
                raise Invalid(f"a log needs a column for the {_REQUIRED[name]}")
            continue
        if column not in names:
            raise Invalid(f"there is no column {column!r}; {_listed(names)}")
        if names.count(column) > 1:
            raise Invalid(f"there is more than one column {column!r}; {_listed(names)}")


def _guess(field_name: str, free: Sequence[str], names: Sequence[str]) -> str | None:
    by_plain: dict[str, list[str]] = {}
    for name in free:
        by_plain.setdefault(_plain(name), []).append(name)
    for candidate in _NAMES[field_name]:
        if candidate in by_plain:
            return _only(field_name, by_plain[candidate], names)
    weak = [n for candidate in _WEAK_NAMES.get(field_name, ()) for n in by_plain.get(candidate, [])]
    if weak:
        return _only(field_name, weak, names)
    if field_name in _REQUIRED:
        raise Invalid(f"no column is clearly the {_REQUIRED[field_name]}; name it: {_listed(names)}")
    return None


def _only(field_name: str, found: list[str], names: Sequence[str]) -> str:
    if len(found) > 1:
        meaning = _REQUIRED.get(field_name, field_name.replace("_", " "))
        raise Invalid(
            f"more than one column may be the {meaning} ({', '.join(found)}); name it: {_listed(names)}"
        )
    return found[0]


def _plain(name: str) -> str:
    return re.sub(r"[\s_.\-]+", "", name).casefold()


def _listed(names: Sequence[str]) -> str:
    return "the file's columns are " + ", ".join(names)


_SURROGATE = re.compile("[\ud800-\udfff]")


def unfit(text: str) -> str | None:
    """Why a text cannot be stored by PostgreSQL or sent as UTF-8, or None when it can."""
    if "\x00" in text:
        return "a text holds a NUL character"
    if not text.isascii() and _SURROGATE.search(text):
        return "a text holds a lone surrogate"
    return None
