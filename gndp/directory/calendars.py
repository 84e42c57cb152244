"""The named calendars that people, teams and SLA policies refer to: ``wb.calendars``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import orjson

from gndp.core import arguments, sla
from gndp.core.calendars import Calendar
from gndp.core.errors import Conflict, Invalid, NotFound, Problem
from gndp.core.policies import usable_terms
from gndp.store.queries import Row, statement
from gndp.store.session import Transaction


class Calendars:
    """Save and read working-time calendars by name.

    Clocks that run keep the calendar as it was when they started; ``wb.sla.recompute`` brings them the new
    one. ``transaction`` gives the transaction to work in, ``read`` runs reads, ``now`` is the clock.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Transaction]],
        read: Callable[..., list[list[Row]]],
        now: Callable[[], datetime],
    ) -> None:
        self._transaction = transaction
        self._read = read
        self._now = now

    def save(
        self, name: str, calendar: Calendar | Mapping[str, Any], *, in_place_of: Calendar | None = None
    ) -> Calendar:
        """Keep a calendar under a name, in place of the one that had it.

        A mapping is a document as ``Calendar.to_document`` writes it. Raises Invalid with every problem, also
        when the target of a policy that goes by it could not be reached any more; Conflict (stale) when the
        one that has the name is not ``in_place_of``, where that is given.
        """
        name = arguments.name(name, "name")
        if isinstance(calendar, Mapping):
            calendar = Calendar.from_document(calendar)
        elif not isinstance(calendar, Calendar):
            raise Invalid(Problem("calendar", f"must be a Calendar, not {type(calendar).__name__}"))
        document = orjson.dumps(calendar.to_document()).decode()
        with self._transaction() as transaction:
            rows, policies = transaction.run(
                statement("calendars", "lock", name=name), statement("calendars", "policies", name=name)
            )
            if in_place_of is not None and [row[0] for row in rows] != [in_place_of.to_document()]:
                raise Conflict(f"the calendar {name} is another one meanwhile", stale=True)
            for (policy,) in policies:
                terms = usable_terms({"policy": policy, "calendar": calendar.to_document()})
                if terms is not None:
                    sla.refuse_unreachable(terms, self._now())
            transaction.run(statement("calendars", "save", name=name, document=document, now=self._now()))
        return calendar

    def get(self, name: str) -> Calendar:
        """A calendar by name. Raises NotFound when there is none, Invalid when it cannot be used any more,
        for instance because its time zone was taken out of the time zone database."""
        name = arguments.name(name, "name")
        (rows,) = self._read(statement("calendars", "get", name=name))
        if not rows:
            raise NotFound("calendar", name)
        return Calendar.from_document(rows[0][0])

    def list(self) -> list[str]:
        """The names of all calendars, in order."""
        (rows,) = self._read(statement("calendars", "names"))
        return [row[0] for row in rows]
