"""Reading a CSV file of people: what it says, and everything that is wrong in it, with line and column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from gndp.core import arguments
from gndp.core.errors import Invalid, Problem
from gndp.core.people import PERSON_CHECKS, skills_from_text
from gndp.core.values import shown
from gndp.formats.content import open_file

COLUMNS = ("user_id", "name", "email", "team", "role", "skills", "capacity", "calendar", "active")
"""The columns that a file may have; only the first it must."""

MAX_BYTES = 10_000_000
"""How large a file may be, in bytes of UTF-8."""

_SEPARATORS = ",;\t"
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,12}")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class ImportProblem(NamedTuple):
    """One thing wrong in a file: the line (from 1), the column's name (empty: the whole line), and what."""

    line: int
    column: str
    message: str

    def as_problem(self) -> Problem:
        """The same, as a refusal lists it."""
        return Problem(f"line {self.line}" + (f", {self.column}" if self.column else ""), self.message)


class ImportReport(NamedTuple):
    """What an import did: ids of people, names of teams that were made for them, and the rows left out."""

    added: list[str]
    updated: list[str]
    unchanged: list[str]
    teams_added: list[str]
    problems: list[ImportProblem]


class PersonRow(NamedTuple):
    """What one line says about one person; columns with an empty cell are not in it."""

    line: int
    user_id: str
    columns: dict[str, Any]


class PeopleFile(NamedTuple):
    """What a file says: the rows that can be used, and what is wrong with the others."""

    rows: list[PersonRow]
    problems: list[ImportProblem]


def read_people(source: str | Path | IO[str]) -> PeopleFile:
    """Read a file, or a stream of its text.

    Raises Invalid when nothing of it can be used: it cannot be opened, is larger than `MAX_BYTES`, is not
    UTF-8, or has no header line of `COLUMNS`.
    """
    return parse_people(_text_of(source))


def parse_people(text: str) -> PeopleFile:
    """What a text of comma-separated values (or semicolons, or tabs) says; Invalid as `read_people`."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    header: list[str] = []
    rows: list[PersonRow] = []
    problems: list[ImportProblem] = []
    lines: dict[str, int] = {}
    for line, cells in _numbered(reader, problems):
        if not header:
            header = _header(cells, line)
            continue
        row, found = _row(line, header, cells, lines)
        rows += [row] if row else []
        problems += found
    if not header:
        empty = Problem("", "the file is empty: it needs a header line")
        raise Invalid(*[problem.as_problem() for problem in problems] or [empty])
    return PeopleFile(rows, problems)


def _text_of(source: str | Path | IO[str]) -> str:
    if isinstance(source, str | Path):
        with open_file(Path(source)) as file:
            content: str | bytes = file.read(MAX_BYTES + 1)
    elif hasattr(source, "read"):
        content = _read(source)
    else:
        raise Invalid(Problem("source", f"must be a path or a stream, not {type(source).__name__}"))
    data = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    if len(data) > MAX_BYTES:
        raise Invalid(f"the file is larger than {MAX_BYTES:,} bytes")
    text = _decoded(content) if isinstance(content, bytes) else content
    return text.removeprefix("\ufeff")


def _read(stream: IO[str]) -> str:
    try:
        return stream.read(MAX_BYTES + 1)
    except UnicodeDecodeError as error:
        raise Invalid(f"the text is not {error.encoding}: open it with its encoding") from None


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line_start = data.rfind(b"\n", 0, error.start) + 1
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[line_start : error.start].decode()) + 1
        raise Invalid(Problem(f"line {line}, character {column}", "is not UTF-8")) from None


def _separator(text: str) -> str:
    header = re.split("[\r\n]", text.lstrip(), maxsplit=1)[0]
    return max(_SEPARATORS, key=header.count)


def _numbered(reader: Any, problems: list[ImportProblem]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line in which it begins; what is no CSV ends them."""
    line = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(ImportProblem(line, "", f"is not CSV: {error}; nothing from here on was read"))


def _header(cells: Sequence[str], line: int) -> list[str]:
    names = [cell.strip() for cell in cells]
    problems = [
        ImportProblem(line, shown(name), f"is no column of people; there are {', '.join(COLUMNS)}")
        for name in names
        if name not in COLUMNS
    ]
    problems += [ImportProblem(line, name, "is there twice") for name in COLUMNS if names.count(name) > 1]
    if "user_id" not in names:
        problems.append(ImportProblem(line, "user_id", "is missing"))
    if problems:
        raise Invalid(*(problem.as_problem() for problem in problems))
    return names


def _row(
    line: int, header: Sequence[str], cells: Sequence[str], lines: dict[str, int]
) -> tuple[PersonRow | None, list[ImportProblem]]:
    """What a line says, and what is wrong with it; ``lines`` keeps in which line each person stood first."""
    if len(cells) != len(header):
        message = f"has {len(cells)} cells where the header has {len(header)}"
        return None, [ImportProblem(line, "", message)]
    values: dict[str, Any] = {}
    problems: list[ImportProblem] = []
    for column, cell in zip(header, map(str.strip, cells), strict=True):
        if not cell and column != "user_id":
            continue
        try:
            values[column] = _value(column, cell)
        except Invalid as refused:
            problems += [ImportProblem(line, column, problem.message) for problem in refused.problems]
    user_id = values.pop("user_id", None)
    if user_id is not None and lines.setdefault(user_id, line) != line:
        message = f"{shown(user_id)} stands in line {lines[user_id]} already"
        problems.append(ImportProblem(line, "user_id", message))
    return None if problems else PersonRow(line, user_id, values), problems


def _value(column: str, cell: str) -> Any:
    """What a cell says; Invalid when that is no value of its column."""
    if column == "user_id":
        return arguments.name(cell, column)
    return PERSON_CHECKS[column](_READERS.get(column, _as_it_is)(cell), column)


def _as_it_is(cell: str) -> Any:
    return cell


def _whole_number(cell: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(cell):
        raise Invalid("must be a whole number")
    return int(cell)


def _flag(cell: str) -> bool:
    if cell.lower() not in _FLAGS:
        raise Invalid("must be true or false")
    return _FLAGS[cell.lower()]


def _skills(cell: str) -> dict[str, int]:
    return skills_from_text(cell, "skills")


_READERS: dict[str, Callable[[str], Any]] = {"skills": _skills, "capacity": _whole_number, "active": _flag}
