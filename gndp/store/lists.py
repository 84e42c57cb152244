"""Pages of lists, newest first.

The page's ids are found in an index first and only its rows are fetched; a total is counted up to 10,000 and
estimated from the planner's statistics beyond. Statements are composed with SQLAlchemy Core, because filters
combine; a plan for "any or all of the filters" could use no index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from gndp.core import arguments
from gndp.store.models import ProcessInstances, Tasks
from gndp.store.queries import Query, composed
from gndp.store.session import Row, Statement

COUNTED = 10_000
"""Totals are exact up to here."""

_PROCESSES = sa.inspect(ProcessInstances).local_table
_TASKS = sa.inspect(Tasks).local_table
_DIALECT = PGDialect_psycopg(paramstyle="named")  # type: ignore[no-untyped-call]


Read = Callable[..., list[list[Row]]]
"""Runs statements in one round trip: a database's ``read``, or that of an open unit of work."""


class Page(NamedTuple):
    """Rows of a page and the size of the whole list."""

    rows: list[Row]
    total: int
    is_estimate: bool


def member(kind: type[StrEnum], value: str | None, place: str) -> str | None:
    """A filter's value that must be a member of an enumeration, or None; else Invalid."""
    return None if value is None else arguments.member(kind, value, place)


def process_page(read: Read, filters: Mapping[str, Any], limit: int, offset: int) -> Page:
    """A page of ``process_instances`` rows, newest first; filters that are None do not apply.

    ``seen_by``, with ``seen_by_team``, leaves out what that person does not see, here and in ``task_page``.
    """
    return _page(read, "processes", filters, limit, offset)


def task_page(read: Read, filters: Mapping[str, Any], limit: int, offset: int) -> Page:
    """A page of ``tasks`` rows with the process's name after the columns: newest first, or the steps of one
    process in their order."""
    return _page(read, "tasks", filters, limit, offset)


def _page(read: Read, kind: str, filters: Mapping[str, Any], limit: int, offset: int) -> Page:
    given = {name: value for name, value in filters.items() if value is not None and name != "seen_by_team"}
    page, count, estimate = _queries(kind, tuple(sorted(given)))
    if "seen_by" in given:
        given["seen_by_team"] = filters["seen_by_team"]
    (rows,) = read(_statement(page, {**given, "limit": limit, "offset": offset}))
    if len(rows) < limit and (rows or not offset):
        return Page(rows, offset + len(rows), False)
    ((counted,),) = read(_statement(count, {**given, "most": COUNTED + 1}))
    if counted[0] <= COUNTED:
        return Page(rows, counted[0], False)
    ((plan,),) = read(_statement(estimate, given))
    return Page(rows, max(counted[0], int(plan[0][0]["Plan"]["Plan Rows"])), True)


def _statement(query: Query, values: Mapping[str, Any]) -> Statement:
    return Statement(query, tuple(values[name] for name in query.parameters))


@lru_cache
def _queries(kind: str, filters: tuple[str, ...]) -> tuple[Query, Query, Query]:
    table = _TASKS if kind == "tasks" else _PROCESSES
    source: sa.FromClause = table
    conditions: list[sa.ColumnElement[bool]] = [
        table.c[name] == sa.bindparam(name) for name in filters if name in table.c
    ]
    if "seen_by" in filters:
        if kind == "tasks":
            source = table.join(_PROCESSES, _PROCESSES.c.id == table.c.process_instance_id)
            conditions.append(_tasks_seen())
        else:
            conditions.append(_processes_seen())
    if "process_instance_id" in filters:
        order: list[Any] = [table.c.position]
    else:
        order = [table.c.created_at.desc(), table.c.id.desc()]
    page = (
        sa.select(table.c.id)
        .select_from(source)
        .where(*conditions)
        .order_by(*order)
        .limit(sa.bindparam("limit", type_=sa.Integer))
        .offset(sa.bindparam("offset", type_=sa.Integer))
        .subquery("page")
    )
    joined = table.join(page, page.c.id == table.c.id)
    columns = list(table.c)
    if kind == "tasks":
        joined = joined.join(_PROCESSES, _PROCESSES.c.id == table.c.process_instance_id)
        columns.append(_PROCESSES.c.process_name)
    rows = sa.select(*columns).select_from(joined).order_by(*order)
    few: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(source).where(*conditions)
    count = sa.select(sa.func.count()).select_from(
        few.limit(sa.bindparam("most", type_=sa.Integer)).subquery("few")
    )
    estimate = composed("EXPLAIN (FORMAT JSON) " + _text(few))
    return composed(_text(rows)), composed(_text(count)), estimate


def _processes_seen() -> sa.ColumnElement[bool]:
    """The processes that ``seen_by`` sees as one of ``seen_by_team``: as ``gndp.access.policy`` has it, and
    those in which they or their team have a task."""
    who, team = sa.bindparam("seen_by", type_=sa.Text), sa.bindparam("seen_by_team", type_=sa.Text)
    process = _PROCESSES.c
    has_task = sa.exists().where(
        _TASKS.c.process_instance_id == process.id,
        sa.or_(_TASKS.c.assigned_to == who, _TASKS.c.assigned_team == team),
    )
    return sa.or_(
        process.assigned_team.is_(None),
        process.assigned_team == team,
        process.initiated_by == who,
        process.assigned_to == who,
        has_task,
    )


def _tasks_seen() -> sa.ColumnElement[bool]:
    """The tasks that ``seen_by`` sees as one of ``seen_by_team``: as ``gndp.access.policy`` has it."""
    who, team = sa.bindparam("seen_by", type_=sa.Text), sa.bindparam("seen_by_team", type_=sa.Text)
    of_team = sa.func.coalesce(_TASKS.c.assigned_team, _PROCESSES.c.assigned_team)
    return sa.or_(
        _TASKS.c.assigned_to == who,
        of_team.is_(None),
        of_team == team,
        _PROCESSES.c.initiated_by == who,
        _PROCESSES.c.assigned_to == who,
    )


def _text(selected: sa.Select[Any]) -> str:
    return str(selected.compile(dialect=_DIALECT))
