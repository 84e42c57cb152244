"""Named queries: SQL lives in ``sql/queries/*.sql``, one file a noun, and is called by name.

A file holds sections that begin with ``-- name: <name>``; the comment lines that follow say what the query
means. Parameters are written ``:name`` and become PostgreSQL's ``$n`` in order of first appearance.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from gndp.store.resources import sql_text

_SECTION = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")


class Query(NamedTuple):
    """A named query: ``text`` with ``$n`` placeholders, ``parameters`` the names in that order.

    One whose name is empty is not kept prepared: it is planned each time, for the values that it has then.
    """

    name: bytes
    text: bytes
    parameters: tuple[str, ...]


@cache
def query(noun: str, name: str) -> Query:
    """The query ``name`` from ``sql/queries/<noun>.sql``; KeyError when there is none."""
    return _queries(noun)[name]


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

    text = _PARAMETER.sub(placeholder, "\n".join(lines).rstrip().rstrip(";"))
    return Query(name.encode(), text.encode(), tuple(parameters))
