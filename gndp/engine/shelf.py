"""What SLA clocks run by, kept in memory: the policies in force, and the terms of clocks that run.

Policies and calendars are read again when the database's revision has moved; terms never change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson

from gndp.core.calendars import Calendar
from gndp.core.clocks import Book
from gndp.core.errors import Invalid
from gndp.core.policies import Policy, Terms, parse_policy, usable_terms
from gndp.store.session import Row, Statement, statement

Load = Callable[..., list[list[Row]]]
"""Runs statements in one round trip of the transaction at hand."""


class Shelf:
    """The policies in force and the terms seen so far; shared by all threads of a workbench.

    Its values are replaced as a whole, never changed, so that no lock is needed.
    """

    def __init__(self) -> None:
        self._book: Book | None = None
        self._terms: dict[str, Terms | None] = {}
        self._stored: set[str] = set()

    def book(self, revision: int, load: Load) -> Book:
        """The policies in force as of a revision of the database."""
        book = self._book
        if book is None or book.revision != revision:
            policy_rows, calendar_rows = load(statement("sla", "policies"), statement("sla", "calendars"))
            self._book = book = _read_book(revision, dict(policy_rows), dict(calendar_rows))
        return book

    def terms(self, marks: Collection[str], load: Load) -> Mapping[str, Terms]:
        """The terms with these fingerprints; without those whose calendar cannot be used any more."""
        missing = [mark for mark in marks if mark not in self._terms]
        if missing:
            (rows,) = load(statement("sla", "terms", fingerprints=missing))
            self._terms = {**self._terms, **{mark: usable_terms(document) for mark, document in rows}}
            self._stored |= set(missing)
        return {mark: terms for mark in marks if (terms := self._terms.get(mark)) is not None}

    def store(self, started: Mapping[str, Terms]) -> list[Statement]:
        """What writes terms that the database may not have yet."""
        new = {mark: terms.document for mark, terms in started.items() if mark not in self._stored}
        if not new:
            return []
        rows = [{"fingerprint": mark, "document": document} for mark, document in sorted(new.items())]
        return [statement("sla", "store_terms", rows=orjson.dumps(rows).decode())]

    def committed(self, started: Mapping[str, Terms]) -> None:
        """Terms that the database has from now on."""
        self._stored |= started.keys()
        self._terms = {**self._terms, **started}


def _read_book(revision: int, policies: Mapping[str, Any], calendars: Mapping[str, Any]) -> Book:
    usable: dict[str, Calendar] = {}
    broken: dict[str, str] = {}
    for name, document in calendars.items():
        try:
            usable[name] = Calendar.from_document(document)
        except Invalid as error:
            broken[name] = f"the calendar {name} cannot be used: {error}"
    in_force: dict[str, Policy] = {}
    refused: dict[str, str] = {}
    for name, document in policies.items():
        try:
            in_force[name] = parse_policy(document)
        except Invalid as error:
            refused[name] = str(error)
    return Book(revision, in_force, usable, broken, refused)
