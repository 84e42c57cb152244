"""Event logs kept as one table, a row an event: what CSV and Parquet have in common.

A column that is constant within every case is an attribute of the case, any other of the event. The
prefixes ``case:`` and ``event:``, which ``write_log`` writes and pm4py knows, are taken off the names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from gndp.core.errors import Invalid
from gndp.formats.eventlog import ActivityInstance, Case, Columns, unfit
from gndp.formats.instances import Event, LogBuilder

_CASE, _EVENT = "case:", "event:"


class Row(NamedTuple):
    """One row of a table: its number from 0, its place in words, its values (None where missing)."""

    number: int
    place: str
    values: Sequence[Any]


def add_rows(builder: LogBuilder, names: Sequence[str], columns: Columns, rows: Iterable[Row]) -> None:
    """Read a table into the builder."""
    index = {field: names.index(name) for field, name in _named(columns).items()}
    constant = [i for i in range(len(names)) if i not in index.values()]
    kept: list[tuple[str, Row]] = []
    first: dict[str, Sequence[Any]] = {}
    for row in rows:
        case_id = as_text(row.values[index["case_id"]])
        if case_id is None or not case_id.strip():
            builder.add_problem(row.number, row.place, "no case id")
            continue
        kept.append((case_id, row))
        before = first.setdefault(case_id, row.values)
        if before is not row.values:
            constant = [i for i in constant if row.values[i] == before[i]]
    _add_kept(builder, names, index, constant, kept, first)


def _add_kept(
    builder: LogBuilder,
    names: Sequence[str],
    index: dict[str, int],
    constant: list[int],
    kept: list[tuple[str, Row]],
    first: dict[str, Sequence[Any]],
) -> None:
    constant = [i for i in constant if not names[i].startswith(_EVENT)]
    of_case = _short_names(names, constant, _CASE)
    varying = [i for i in range(len(names)) if i not in index.values() and i not in of_case]
    of_event = _short_names(names, varying, _EVENT)
    for case_id, values in first.items():
        builder.add_case(case_id, {name: values[i] for i, name in of_case.items() if values[i] is not None})

    def cell(row: Row, field: str) -> Any:
        return row.values[index[field]] if field in index else None

    for case_id, row in kept:
        resource = as_text(cell(row, "resource"))
        builder.add_event(
            case_id,
            Event(
                row=row.number,
                place=row.place,
                activity=as_text(cell(row, "activity")),
                timestamp=_time(cell(row, "timestamp")),
                start=_time(cell(row, "start_timestamp")),
                resource=resource if resource and not resource.isspace() else None,
                lifecycle=as_text(cell(row, "lifecycle")),
                link=None,
                attributes={n: row.values[i] for i, n in of_event.items() if row.values[i] is not None},
            ),
        )


def _named(columns: Columns) -> dict[str, str]:
    fields = ("case_id", "activity", "timestamp", "start_timestamp", "resource", "lifecycle")
    return {field: name for field in fields if (name := getattr(columns, field)) is not None}


def _short_names(names: Sequence[str], chosen: list[int], prefix: str) -> dict[int, str]:
    """The attribute name of each chosen column: without the prefix, where that makes no two the same."""
    short = {i: names[i].removeprefix(prefix) for i in chosen}
    counts = Counter(short.values())
    return {i: name if counts[name] == 1 and name else names[i] for i, name in short.items()}


def distinct_names(names: Iterable[str]) -> list[str]:
    """Column names that can be used: a nameless one becomes ``column 3``, a repeated one ``name (2)``."""
    distinct: dict[str, None] = {}
    seen: Counter[str] = Counter()
    for position, name in enumerate(names, start=1):
        name = name or f"column {position}"
        seen[name] += 1
        unique = name if seen[name] == 1 else f"{name} ({seen[name]})"
        while unique in distinct:
            seen[name] += 1
            unique = f"{name} ({seen[name]})"
        distinct[unique] = None
    return list(distinct)


def as_text(value: Any) -> str | None:
    """A value of a table as the text of an id or a name: 1.0, which was an integer once, becomes ``1``."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _time(value: Any) -> str | datetime | None:
    return value if isinstance(value, datetime) else as_text(value)


class Record(NamedTuple):
    """One activity instance as a row to write: the five standard values, then its attributes by column."""

    case_id: str
    instance: ActivityInstance
    attributes: dict[str, Any]


def records(cases: Iterable[Case]) -> Iterator[Record]:
    """The rows of a table, a case after the other, each case's by completion time.

    A case without activity instances has no row. Raises Invalid for a time without a zone and for a text
    that cannot be read back.
    """
    for case in cases:
        of_case = {_CASE + name: value for name, value in case.attributes.items()}
        for instance in in_order(case):
            of_event = {_EVENT + name: value for name, value in instance.attributes.items()}
            yield Record(case.case_id, instance, of_case | of_event)


def attribute_columns(rows: Iterable[Record]) -> list[str]:
    """The attribute columns that the rows need, as they come, those of the cases first."""
    names = dict.fromkeys(name for row in rows for name in row.attributes)
    return sorted(names, key=lambda name: name.startswith(_EVENT))


def in_order(case: Case) -> list[ActivityInstance]:
    """A case's instances by completion time, checked to be writable; see ``records``."""
    values: list[Any] = [case.case_id, *case.attributes.values()]
    for instance in case.activities:
        values += (instance.activity, instance.resource, *instance.attributes.values())
    for value in values:
        if isinstance(value, str) and (reason := unfit(value)):
            raise Invalid(f"case {case.case_id!r} cannot be written: {reason}")
    for instance in case.activities:
        for moment in (instance.completed_at, instance.started_at):
            if moment is not None and moment.tzinfo is None:
                raise Invalid(f"case {case.case_id!r} cannot be written: {moment} has no time zone")
    return sorted(case.activities, key=lambda instance: instance.completed_at)


def iso(moment: datetime | None) -> str:
    """An instant as ISO 8601 UTC with microseconds; empty for None."""
    return "" if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")
