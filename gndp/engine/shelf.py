"""What SLA clocks run by, kept in memory: the policies in force, and the terms of clocks that run.

Policies and calendars are read again when the database's revision has moved; terms never change.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import datetime
from typing import Any

import orjson

from gndp.core import sla
from gndp.core.clocks import Book
from gndp.core.errors import Invalid
from gndp.core.policies import Terms, parse_policy, terms_of, usable_terms
from gndp.store.queries import Row, Statement, statement

Load = Callable[..., list[list[Row]]]
"""Runs statements in one round trip of the transaction at hand."""

Kept = ChainMap[Hashable, Any]
"""What need not be read again: by this transaction, and before it by those that have committed.

What a transaction reads may be its own and never come to be, under a number that is then given to something
else; so it is for this transaction alone until that has committed.
"""


class Shelf:
    """The policies in force and the terms of clocks, as one transaction sees them."""

    def __init__(self, kept: Kept, load: Load, now: datetime) -> None:
        self._kept = kept
        self._load = load
        self._now = now

    def book(self, revision: int) -> Book:
        """The policies in force as of a revision of the database."""
        book: Book | None = self._kept.get("book")
        if book is None or book.revision != revision:
            policy_rows, calendar_rows = self._load(
                statement("sla", "policies"), statement("sla", "calendars")
            )
            self._kept["book"] = book = _read_book(
                revision, dict(policy_rows), dict(calendar_rows), self._now
            )
        return book

    def terms(self, marks: Collection[str]) -> Mapping[str, Terms]:
        """The terms with these fingerprints; without those whose calendar cannot be used any more."""
        missing = [mark for mark in marks if _key(mark) not in self._kept]
        if missing:
            (rows,) = self._load(statement("sla", "terms", fingerprints=missing))
            self._kept.update({_key(mark): usable_terms(document) for mark, document in rows})
        return {mark: terms for mark in marks if (terms := self._kept.get(_key(mark))) is not None}

    def store(self, started: Mapping[str, Terms]) -> list[Statement]:
        """What writes terms that the database may not have yet."""
        new = {mark: terms.document for mark, terms in started.items() if _key(mark) not in self._kept}
        if not new:
            return []
        rows = [{"fingerprint": mark, "document": document} for mark, document in sorted(new.items())]
        return [statement("sla", "store_terms", rows=orjson.dumps(rows).decode())]

    def stored(self, started: Mapping[str, Terms]) -> None:
        """Terms that the database has from now on."""
        self._kept.update({_key(mark): terms for mark, terms in started.items()})


def _key(mark: str) -> tuple[str, str]:
    return "terms", mark


def _read_book(
    revision: int, policies: Mapping[str, Any], calendars: Mapping[str, Any], now: datetime
) -> Book:
    in_force: list[Terms] = []
    unusable: dict[str, str] = {}
    for name, document in policies.items():
        try:
            terms = terms_of(parse_policy(document), calendars)
            sla.refuse_unreachable(terms, now)
            in_force.append(terms)
        except Invalid as error:
            unusable[name] = str(error)
    return Book(revision, in_force, unusable)
