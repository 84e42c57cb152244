"""Named queries: SQL lives in ``sql/queries/*.sql``, one file a noun, and is called by name.

A file holds sections that begin with ``-- name: <name>``; the comment lines that follow say what the query
means. Parameters are written ``:name`` and become PostgreSQL's ``$n`` in order of first appearance.
``*`` of a table becomes the columns that this version knows: a newer one may add some while this one is
running, and neither a statement that is prepared nor the record that takes the row would bear with one more.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

from gndp.store import models
from gndp.store.resources import sql_text

_SECTION = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_ALL_COLUMNS = re.compile(
    r"(?P<select>\bSELECT (?:DISTINCT ON \(\w+\) )?)\*(?P<source>\s+FROM (?P<table>\w+))"
    r"|\b(?P<alias>\w+)\.\*|\bRETURNING \*"
)
_TABLES = {table.name: table.columns.keys() for table in models.SQLModel.metadata.tables.values()}


Row = tuple[Any, ...]


class Query(NamedTuple):
    """A named query: ``text`` with ``$n`` placeholders, ``parameters`` the names in that order.

    One whose name is empty is not kept prepared: it is planned each time, for the values that it has then.
    """

    name: bytes
    text: bytes
    parameters: tuple[str, ...]


class Statement(NamedTuple):
    """A query with the values of its parameters."""

    query: Query
    values: tuple[Any, ...]


@cache
def query(noun: str, name: str) -> Query:
    """The query ``name`` from ``sql/queries/<noun>.sql``; KeyError when there is none."""
    return _queries(noun)[name]


def statement(noun: str, name: str, /, **values: Any) -> Statement:
    """A statement from ``sql/queries/<noun>.sql``; values are given by parameter name."""
    named = query(noun, name)
    return Statement(named, tuple([values[parameter] for parameter in named.parameters]))


@cache
def composed(text: str) -> Query:
    """A query from text that code composed (never from a caller's words), with ``:name`` parameters."""
    return _parse(f"composed.{sha256(text.encode()).hexdigest()[:16]}", text)


def composed_once(text: str) -> Query:
    """Such a query that is not kept prepared: there are too many like it, or its plan hangs on the values."""
    return _parse("", text)


@cache
def _queries(noun: str) -> dict[str, Query]:
    parts = _SECTION.split(sql_text(f"queries/{noun}.sql"))
    return {name: _parse(f"{noun}.{name}", body) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def _parse(name: str, body: str) -> Query:
    lines = [line for line in body.strip().splitlines() if not line.lstrip().startswith("--")]
    parameters: list[str] = []

    def placeholder(match: re.Match[str]) -> str:
        if match[1] not in parameters:
            parameters.append(match[1])
        return f"${parameters.index(match[1]) + 1}"

    text = _PARAMETER.sub(placeholder, with_columns("\n".join(lines).rstrip().rstrip(";")))
    return Query(name.encode(), text.encode(), tuple(parameters))


def with_columns(text: str) -> str:
    """The text with a table's columns for its ``*``; that of a subquery or a view stays: it has names."""

    def columns(match: re.Match[str]) -> str:
        table, alias = match["table"], match["alias"]
        if table is not None:
            names = _TABLES.get(table)
            return match[0] if names is None else match["select"] + ", ".join(names) + match["source"]
        if alias is None:
            (written,) = re.findall(r"\b(?:INSERT INTO|UPDATE) (\w+)", text)
            return f"RETURNING {', '.join(_TABLES[written])}"
        source = re.search(rf"\b(?:FROM|JOIN|UPDATE) (\w+) (?:AS )?{alias}\b", text)
        known = None if source is None else _TABLES.get(source[1])
        return match[0] if known is None else ", ".join(f"{alias}.{name}" for name in known)

    return _ALL_COLUMNS.sub(columns, text)
