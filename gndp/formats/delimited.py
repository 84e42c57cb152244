"""CSV in and out: any of ``, ; | tab`` as separator, UTF-8 or Latin-1, plain or gzip.

Read: ``?`` and nothing are missing values, in every column but the case id and the activity; nothing else
is (a case id ``NA`` is a case id). A row with broken quoting or another number of cells than the header
costs only itself.

Written: a cell that begins with ``= + - @``, a tab, a carriage return, or that is just ``?``, gets an
apostrophe before it, so that no spreadsheet takes it for a formula. A last column ``gndp:neutralised`` then
names the cells of its row that got one (numbered from 1), and the reader takes off exactly those.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from gndp.core.errors import Invalid
from gndp.formats.content import Content, replacing
from gndp.formats.eventlog import OWN_COLUMNS, Case, Columns, Log, resolve_columns, unfit
from gndp.formats.instances import LogBuilder
from gndp.formats.tables import Record, Row, add_rows, attribute_columns, distinct_names, iso, records
from gndp.formats.timestamps import TimestampReader

_SEPARATORS = ",;\t|"
_MISSING = frozenset({"", "?"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARK = "gndp:neutralised"


class _Survey(NamedTuple):
    """What a first pass over the file finds out."""

    digest: str
    encoding: str
    broken: str | None


def read_delimited(path: Path, columns: Columns | None, timestamps: TimestampReader, max_bytes: int) -> Log:
    """Read a CSV file; raises Invalid when its columns cannot be told, or when it is empty or too large."""
    survey = _survey(path, max_bytes)
    builder = LogBuilder(timestamps)
    if survey.encoding == "latin-1":
        builder.notes.append("the file is not UTF-8; it was read as Latin-1")
    with Content(path, max_bytes) as content:
        text = io.TextIOWrapper(
            io.BufferedReader(content, 1 << 17),
            survey.encoding,
            errors="surrogatepass" if survey.encoding.startswith("utf-8") else "strict",
            newline="",
        )
        lines = _Lines(_whole_lines(text, survey.broken is not None))
        separator = _separator(lines, columns, path)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        names = _header(reader, path)
        chosen, guessed = resolve_columns(names, columns)
        keep = {names.index(n) for n in (chosen.case_id, chosen.activity) if n is not None}
        marked = names[-1] == _MARK
        rows = _rows(builder, lines, reader, len(names), keep, marked)
        add_rows(builder, names[:-1] if marked else names, chosen, rows)
        if survey.broken:
            builder.add_problem(lines.number, f"line {lines.number + 1}", survey.broken)
    return builder.build(survey.digest, chosen, guessed)


def _survey(path: Path, max_bytes: int) -> _Survey:
    """Read the file once for its digest, its encoding and its soundness, keeping nothing of it."""
    with Content(path, max_bytes) as content:
        decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        encoding = None
        for chunk in content.chunks():
            if encoding is None:
                encoding = (
                    "utf-16" if chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
                )
            encoding = _narrowed(encoding, decoder, chunk, final=False)
        if encoding is None:
            raise Invalid(f"{path} is empty")
        if content.broken is None:
            encoding = _narrowed(encoding, decoder, b"", final=True)
        return _Survey(content.digest, encoding, content.broken)


def _narrowed(encoding: str, decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> str:
    if encoding == "utf-8-sig":
        try:
            decoder.decode(chunk, final)
        except UnicodeDecodeError:
            return "latin-1"
    return encoding


def _whole_lines(text: Iterable[str], broken: bool) -> Iterator[str]:
    """The lines of the file; where it is cut short, without the last, which is not whole."""
    try:
        for line in text:
            if broken and not line.endswith(("\n", "\r")):
                return
            yield line
    except UnicodeDecodeError:
        if not broken:
            raise Invalid("the text of the file is damaged: it is not the UTF-16 that it begins as") from None


class _Lines(Iterator[str]):
    """Numbered lines that can be given back, so that a quote that never closes costs one row only."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self.number += 1
        self.taken.append(line)
        return line

    def give_back(self, keep: int) -> None:
        """Let all lines taken since ``taken`` was cleared, but the first ``keep``, come again."""
        back = self.taken[keep:]
        self._waiting.extendleft(reversed(back))
        self.number -= len(back)
        del self.taken[keep:]


def _separator(lines: _Lines, columns: Columns | None, path: Path) -> str:
    """The separator by the header line: one that makes the columns known, then the one that makes most."""
    header = ""
    while not header.strip():
        lines.taken.clear()
        header = next(lines, "")
        if not header:
            raise Invalid(f"{path} has no header line")
    lines.give_back(0)

    def fitness(separator: str) -> tuple[bool, int]:
        names = distinct_names(next(csv.reader([header], delimiter=separator)))
        try:
            resolve_columns(names, columns)
        except Invalid:
            return False, len(names)
        return True, len(names)

    try:
        return max(_SEPARATORS, key=fitness)
    except csv.Error as error:
        raise Invalid(f"{path} has no header line that can be read: {error}") from None


def _header(reader: Iterator[list[str]], path: Path) -> list[str]:
    try:
        cells = next(reader)
    except (csv.Error, StopIteration) as error:
        raise Invalid(f"{path} has no header line that can be read: {error}") from None
    if reason := unfit("".join(cells)):
        raise Invalid(f"{path} has no header line that can be read: {reason}")
    return distinct_names(cells)


def _rows(
    builder: LogBuilder,
    lines: _Lines,
    reader: Iterator[list[str]],
    width: int,
    keep: set[int],
    marked: bool,
) -> Iterator[Row]:
    """The readable rows; the others go to the builder as problems."""
    shared: dict[str, str] = {}
    number = -1
    while True:
        lines.taken.clear()
        place = f"line {lines.number + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            builder.add_problem(number, place, f"the quoting is broken: {error}")
            lines.give_back(1)
            continue
        if not cells:
            continue
        number += 1
        if len(cells) != width:
            builder.add_problem(number, place, f"{_count(len(cells))} where the header has {width}")
            lines.give_back(1)
        elif reason := unfit("".join(lines.taken)):
            builder.add_problem(number, place, reason)
        else:
            values = [
                shared.setdefault(cell, cell) if cell not in _MISSING or i in keep else None
                for i, cell in enumerate(cells)
            ]
            if marked:
                _restore(values, cells)
            yield Row(number, place, values)


def _count(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"


def _restore(values: list[str | None], cells: list[str]) -> None:
    """Take off the apostrophes that the writer put on, and the column that names them."""
    for number in (values.pop() or "").split():
        index = int(number) - 1 if number.isdecimal() else -1
        if 0 <= index < len(values) and cells[index].startswith("'"):
            values[index] = cells[index][1:]


def write_delimited(path: Path, cases: Iterable[Case]) -> int:
    """Write a CSV file, one activity instance a row; how many rows that were."""
    rows = list(records(cases))
    attributes = attribute_columns(rows)
    marked = any(_is_risky(cell) for row in rows for cell in _cells(row, attributes))
    with replacing(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        try:
            writer.writerow([*OWN_COLUMNS, *attributes, *([_MARK] if marked else [])])
            for row in rows:
                cells = _cells(row, attributes)
                writer.writerow(_neutralised(cells) if marked else cells)
            text.flush()
        except UnicodeEncodeError:
            raise Invalid(f"{path} cannot be written: a text holds a lone surrogate") from None
        finally:
            text.detach()
    return len(rows)


def _cells(row: Record, attributes: list[str]) -> list[str]:
    instance = row.instance
    return [
        row.case_id,
        instance.activity,
        iso(instance.started_at),
        iso(instance.completed_at),
        instance.resource or "",
        *(_cell(row.attributes.get(name)) for name in attributes),
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _is_risky(cell: str) -> bool:
    return cell.startswith(_FORMULA) or cell == "?"


def _neutralised(cells: list[str]) -> list[str]:
    risky = [i for i, cell in enumerate(cells, start=1) if _is_risky(cell)]
    return [
        *chain((f"'{cell}" if _is_risky(cell) else cell) for cell in cells),
        " ".join(map(str, risky)),
    ]
