"""Parquet in and out, with real timestamp types: the same columns as CSV, the values with their types."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gndp.core.errors import Invalid
from gndp.formats.content import open_file, replacing
from gndp.formats.eventlog import Case, Columns, Log, resolve_columns, unfit
from gndp.formats.instances import LogBuilder
from gndp.formats.tables import Record, Row, add_rows, attribute_columns, distinct_names, records
from gndp.formats.timestamps import TimestampReader

_BATCH = 10_000
_TIME = pa.timestamp("us", tz="UTC")
_JSON = {b"gndp": b"json"}


def read_parquet(path: Path, columns: Columns | None, timestamps: TimestampReader, max_bytes: int) -> Log:
    """Read a Parquet file; raises Invalid when it is none, too large, or its columns cannot be told."""
    with open_file(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        try:
            parquet = pq.ParquetFile(file)
            names = distinct_names(parquet.schema_arrow.names)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise Invalid(f"{path} cannot be read as Parquet: {_first_line(error)}") from None
        meta = parquet.metadata
        if sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)) > max_bytes:
            raise Invalid(f"{path} holds more than {max_bytes:,} bytes once decompressed")
        chosen, guessed = resolve_columns(names, columns)
        builder = LogBuilder(timestamps)
        times = {names.index(n) for n in (chosen.timestamp, chosen.start_timestamp) if n is not None}
        add_rows(builder, names, chosen, _rows(builder, parquet, times))
    return builder.build(digest, chosen, guessed)


def _rows(builder: LogBuilder, parquet: pq.ParquetFile, times: set[int]) -> Iterator[Row]:
    number = 0
    schema = parquet.schema_arrow
    try:
        for batch in parquet.iter_batches(_BATCH):
            values = [_values(batch.column(i), schema.field(i), i in times) for i in range(len(schema))]
            for cells in zip(*values, strict=True):
                wrong = next((c for c in cells if isinstance(c, _Unfit)), None)
                if wrong is None:
                    yield Row(number, f"row {number + 1}", cells)
                else:
                    builder.add_problem(number, f"row {number + 1}", wrong.reason)
                number += 1
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        message = f"the file is damaged from here on: {_first_line(error)}"
        builder.add_problem(number, f"row {number + 1}", message)


class _Unfit:
    """Stands for a value that cannot be loaded."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def _values(column: pa.Array, field: pa.Field, is_time: bool) -> list[Any]:
    """A column as JSON-able Python values, None where missing; a time column's instants stay datetimes."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", tz="UTC" if column.type.tz else None), safe=False)
        if is_time:
            return list(column.to_pylist())
    values = column.to_pylist()
    decode = json.loads if _JSON.items() <= (field.metadata or {}).items() else _plain
    return [None if v is None else _checked(decode, v) for v in values]


def _checked(decode: Any, value: Any) -> Any:
    try:
        return decode(value)
    except ValueError as error:
        return _Unfit(str(error))


def _plain(value: Any) -> Any:
    """A value as JSON has it; an empty text and a not-a-number are missing."""
    if isinstance(value, str):
        if reason := unfit(value):
            raise ValueError(reason)
        return value or None
    if isinstance(value, float):
        return None if math.isnan(value) else value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def write_parquet(path: Path, cases: Iterable[Case]) -> int:
    """Write a Parquet file, one activity instance a row; how many rows that were."""
    rows = list(records(cases))
    attributes = [_field(name, rows) for name in attribute_columns(rows)]
    schema = pa.schema(
        [
            pa.field("case_id", pa.string(), nullable=False),
            pa.field("activity", pa.string(), nullable=False),
            pa.field("start_timestamp", _TIME),
            pa.field("timestamp", _TIME, nullable=False),
            pa.field("resource", pa.string()),
            *attributes,
        ]
    )
    try:
        with replacing(path) as file, pq.ParquetWriter(file, schema) as writer:
            for start in range(0, len(rows), _BATCH):
                writer.write_batch(_batch(rows[start : start + _BATCH], schema, attributes))
    except (pa.ArrowException, UnicodeEncodeError) as error:
        raise Invalid(f"{path} cannot be written: {_first_line(error)}") from None
    return len(rows)


def _batch(rows: list[Record], schema: pa.Schema, attributes: list[pa.Field]) -> pa.RecordBatch:
    data: list[list[Any]] = [
        [row.case_id for row in rows],
        [row.instance.activity for row in rows],
        [row.instance.started_at for row in rows],
        [row.instance.completed_at for row in rows],
        [row.instance.resource or None for row in rows],
    ]
    for field in attributes:
        values = [row.attributes.get(field.name) for row in rows]
        if field.metadata:
            values = [None if v is None else json.dumps(v, ensure_ascii=False) for v in values]
        data.append(values)
    arrays = [pa.array(values, field.type) for values, field in zip(data, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _field(name: str, rows: list[Record]) -> pa.Field:
    """The column of an attribute: of the one type that all its values have, else of JSON texts."""
    values = [v for row in rows if (v := row.attributes.get(name)) is not None]
    types = {type(v) for v in values}
    if types == {bool}:
        return pa.field(name, pa.bool_())
    if types == {int} and all(-(2**63) <= v < 2**63 for v in values):
        return pa.field(name, pa.int64())
    if types == {float}:
        return pa.field(name, pa.float64())
    if types <= {str}:
        return pa.field(name, pa.string())
    return pa.field(name, pa.string(), metadata=_JSON)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
