"""Pages of lists: filtered, searched, sorted, by offset or behind a cursor.

The ids of a page are found first and only its rows are fetched; a total is counted up to 10,000 and estimated
from the planner's statistics beyond. Statements are composed with SQLAlchemy Core, because filters combine; a
plan for "any or all of the filters" could use no index. There are three ways to the ids (docs/decisions.md):

- walk: an index has the rows that fit in the order. Each sort has one that begins with the status, and the
  orders of the statuses are merged.
- look through: the rows at the beginning of such an order are compared with the other filters. That is enough
  where many rows fit, which therefore need no sorting.
- find: all rows that fit are found by what finds them best, and sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from gndp.core.listing import TASKS, Listing, Noun, Sort
from gndp.core.states import Priority
from gndp.store.models import ProcessInstances, ProcessSearch, Tasks, TaskSearch
from gndp.store.queries import Query, Row, Statement, composed, composed_once

COUNTED = 10_000
"""Totals are exact up to here."""

_SURELY_MANY = 12_000
"""A list that is estimated to be longer is not counted, if the beginning of the order is full of what
fits."""

_LOOKED_THROUGH = 2_000
"""How many rows at the beginning of an order are looked through for what fits."""

_PROCESSES = sa.inspect(ProcessInstances).local_table
_TASKS = sa.inspect(Tasks).local_table
_PROCESS_SEARCH = sa.inspect(ProcessSearch).local_table
_TASK_SEARCH = sa.inspect(TaskSearch).local_table
_DIALECT = PGDialect_psycopg(paramstyle="named")  # type: ignore[no-untyped-call]
_NEVER: sa.ColumnElement[Any] = sa.literal_column("'infinity'::timestamptz")
_RANKS = {str(priority): rank for rank, priority in enumerate(Priority, 1)}
_SEARCHED = frozenset({"search", "tags", "task_definition_id"})
"""Filters on what stands beside the tables."""

_SIGHT = frozenset({"seen_by", "seen_by_team"})
"""Who looks, and as one of which team; nobody sees more for having asked for less."""

_OF_THE_CONTRACT = frozenset({"status", "assigned_to", "process_type", "process_instance_id", *_SIGHT})
"""Filters of the contract, which promises exact totals."""

_FEW = frozenset({"process_instance_id", "business_key", "parent_process_id"})
"""Filters that few rows fit, so that these are sorted."""

_LISTED = {
    "processes": frozenset({"assigned_to", "assigned_team", "process_type", "process_definition_id"}),
    "tasks": frozenset({"assigned_to", "assigned_team"}),
}
"""Filters with an index of their own by the instant of creation."""

Read = Callable[..., list[list[Row]]]
"""Runs statements in one round trip: a database's ``read``, or that of an open unit of work."""


class Page(NamedTuple):
    """Rows of a page, the size of the whole list, and whether there are rows behind the page."""

    rows: list[Row]
    total: int
    is_estimate: bool
    has_more: bool


class _Shape(NamedTuple):
    """What a statement's text depends on."""

    noun: Noun
    filters: tuple[str, ...]
    sort: Sort
    branches: int
    goes_on: bool
    way: str


def page(read: Read, asked: Listing) -> Page:
    """A page of rows of ``process_instances``, or of ``tasks`` with the process's name after the columns."""
    if _is_walked(asked):
        return _page_of(read, asked, _rows(read, asked, "walk"))
    rows = _rows(read, asked, "look through")
    if len(rows) > asked.limit:
        is_promised = asked.filters.keys() <= _OF_THE_CONTRACT
        return _page_of(read, asked, rows, surely_many=None if is_promised else _SURELY_MANY)
    rows = _rows(read, asked, "find")
    if asked.after is not None or not rows:
        return _page_of(read, asked, rows)
    # Whoever finds all has counted them.
    return Page([row[:-1] for row in rows[: asked.limit]], rows[0][-1], False, len(rows) > asked.limit)


def _is_walked(asked: Listing) -> bool:
    """Whether an index has the rows that fit in the order, or few rows fit."""
    filters = asked.filters.keys()
    if filters & _FEW:
        return True
    others = _outside(asked.sort, filters)
    is_own = asked.sort.name == "created_at" and len(others) == 1 and others <= _LISTED[asked.noun.name]
    return not others or is_own


def _outside(sort: Sort, filters: Iterable[str]) -> set[str]:
    """The filters that the index of a sort does not know of."""
    ranges = {"created_at": {"created_after", "created_before"}, "due_date": {"due_after", "due_before"}}
    return set(filters) - {"status", *_SIGHT} - ranges.get(sort.name, set())


def _page_of(read: Read, asked: Listing, rows: list[Row], surely_many: int | None = None) -> Page:
    """The page of the rows that were found, one more than it may have if there are more."""
    has_more = len(rows) > asked.limit
    if asked.after is not None:
        total, is_estimate = asked.after.total, asked.after.total_is_estimate
    elif has_more or (asked.offset and not rows):
        total, is_estimate = _total(read, asked, surely_many)
    else:
        total, is_estimate = asked.offset + len(rows), False
    return Page(rows[: asked.limit], total, is_estimate, has_more)


def _total(read: Read, asked: Listing, surely_many: int | None) -> tuple[int, bool]:
    """The size of a list, counted up to a bound, and whether it is an estimate.

    ``surely_many`` is the estimate from which on it is not counted.
    """
    if surely_many is not None and (estimate := _estimated(read, asked)) > surely_many:
        return estimate, True
    names = _names(asked)
    ((counted,),) = read(_statement(_count(asked.noun, names), {**_values(asked), "most": COUNTED + 1}))
    if counted[0] <= COUNTED:
        return counted[0], False
    return max(counted[0], _estimated(read, asked)), True


def _estimated(read: Read, asked: Listing) -> int:
    ((plan,),) = read(_statement(_estimate(asked.noun, _names(asked)), _values(asked)))
    return int(plan[0][0]["Plan"]["Plan Rows"])


def _rows(read: Read, asked: Listing, way: str) -> list[Row]:
    """The rows of the page and one more, if there is one."""
    values = _values(asked)
    statuses = _branches(asked, way)
    values |= {f"status_{index}": status for index, status in enumerate(statuses)}
    most = asked.offset + asked.limit + 1
    values |= {"limit": asked.limit + 1, "offset": asked.offset}
    values["most"] = _LOOKED_THROUGH + 2 * most if way == "look through" else most
    names = _names(asked)
    shape = _Shape(asked.noun, names, asked.sort, len(statuses), asked.after is not None, way)
    (rows,) = read(_statement(_page(shape), values))
    return rows


def _names(asked: Listing) -> tuple[str, ...]:
    """The filters that statements are composed from; who looks is one, though it has two values."""
    return tuple(sorted(asked.filters.keys() - {"seen_by_team"}))


def _branches(asked: Listing, way: str) -> list[str]:
    """The statuses whose orders are merged, in the order of a sort by status; none when there is one
    order."""
    filters = asked.filters.keys()
    is_one_order = asked.sort.name == "created_at" and (
        "status" not in filters or (way == "walk" and _outside(asked.sort, filters))
    )
    if way == "find" or filters & _FEW or is_one_order:
        return []
    statuses: list[str] = asked.filters.get("status") or list(asked.noun.statuses)
    if asked.sort.name == "status":
        statuses = statuses[::-1] if asked.sort.is_descending else statuses
        if asked.after is not None:
            return statuses[statuses.index(asked.after.values[0]) :]
    return statuses


def _values(asked: Listing) -> dict[str, Any]:
    values = dict(asked.filters)
    if "priority" in values:
        values["priority"] = [_RANKS[word] for word in values["priority"]]
    values["order"] = list(asked.noun.statuses)
    values.setdefault("seen_by_team", None)
    if asked.after is not None:
        for index, value in enumerate(asked.after.values):
            values[f"after_{index}"] = _as_key(asked.noun, asked.noun.sorts[asked.sort.name][index], value)
    return values


def _as_key(noun: Noun, column: str, value: Any) -> Any:
    """A value of a row as the order compares it."""
    match column:
        case "due_date":
            return "infinity" if value is None else value
        case "priority":
            return _RANKS[value]
        case "status":
            return list(noun.statuses).index(value) + 1
        case _:
            return value


def _statement(query: Query, values: Mapping[str, Any]) -> Statement:
    return Statement(query, tuple(values[name] for name in query.parameters))


@lru_cache(maxsize=512)
def _page(shape: _Shape) -> Query:
    match shape.way:
        case "walk":
            found: sa.FromClause = _walked(shape, shape.filters)
        case "look through":
            found = _looked_through(shape)
        case _:
            found = _found(shape)
    page = _limited(sa.select(found), list(found.c), shape.sort, "limit", "offset")
    ids = page.subquery("page")
    table = _table(shape.noun)
    joined = table.join(ids, ids.c.id == table.c.id)
    columns: list[sa.ColumnElement[Any]] = list(table.c)
    if shape.noun is TASKS:
        joined = joined.join(_PROCESSES, _PROCESSES.c.id == table.c.process_instance_id)
        columns.append(_PROCESSES.c.process_name)
    if shape.way == "find" and not shape.goes_on:
        columns.append(sa.select(sa.func.count()).select_from(found).scalar_subquery())
    rows = sa.select(*columns).select_from(joined).order_by(*_directed(list(ids.c), shape.sort))
    # Only the steps of a process are listed by a statement that stays prepared: thousands of others exist,
    # and a plan that was made for all values would not know how many rows fit these.
    is_kept = (
        shape.filters == ("process_instance_id",) and shape.sort.name == "position" and not shape.goes_on
    )
    return composed(_text(rows)) if is_kept else composed_once(_text(rows))


def _walked(shape: _Shape, names: Sequence[str]) -> sa.Subquery:
    """The ids and keys of the first rows of the order that fit the filters: each status's, merged, or all."""
    if not shape.branches:
        keys = _keys(shape)
        return _limited(_selected(shape, names, keys, shape.goes_on), keys, shape.sort, "most").subquery(
            "walked"
        )
    parts = []
    for index in range(shape.branches):
        # The place of the status in the order, where that is what is sorted by.
        keys = _keys(shape, index)
        # A page of a list by status ended in the first of its statuses that are left.
        goes_on = shape.goes_on and (shape.sort.name != "status" or index == 0)
        others = [name for name in names if name != "status"]
        part = _selected(shape, others, keys, goes_on)
        part = part.where(_table(shape.noun).c.status == sa.bindparam(f"status_{index}"))
        parts.append(_limited(part, _changing(shape, keys), shape.sort, "most"))
    merged = sa.union_all(*parts).subquery("merged")
    keys = list(merged.c)
    return _limited(sa.select(merged), keys, shape.sort, "most").subquery("walked")


def _looked_through(shape: _Shape) -> sa.Subquery:
    """What fits among the first rows of the order."""
    outside = _outside(shape.sort, shape.filters)
    walked = _walked(shape, [name for name in shape.filters if name not in outside])
    names = [name for name in shape.filters if name in outside]
    source, key = _source(shape.noun, names)
    return (
        sa.select(walked)
        .join_from(walked, source, key == walked.c.id)
        .where(*_conditions(shape.noun, names))
        .subquery("found")
    )


def _found(shape: _Shape) -> sa.CTE:
    """All that fits, for sorting, from whichever indexes find all of it best."""
    side, key = _side(shape.noun)
    if shape.sort.name == "created_at" and _SEARCHED.issuperset(shape.filters):
        selected = _selected(shape, shape.filters, [side.c.created_at, key], shape.goes_on, side)
    else:
        selected = _selected(shape, shape.filters, _keys(shape), shape.goes_on)
    return selected.cte("found").prefix_with("MATERIALIZED")


def _selected(
    shape: _Shape,
    names: Sequence[str],
    keys: Sequence[sa.ColumnElement[Any]],
    goes_on: bool,
    source: sa.FromClause | None = None,
) -> sa.Select[Any]:
    """The keys, the id last, of the rows that fit the filters and come behind the page before."""
    labelled = [key.label(f"key_{index}") for index, key in enumerate(keys[:-1])]
    selected: sa.Select[Any] = sa.select(*labelled, keys[-1].label("id"))
    selected = selected.select_from(_joined(shape.noun, names) if source is None else source)
    selected = selected.where(*_conditions(shape.noun, names))
    if goes_on:
        changing = _changing(shape, keys)
        first = len(keys) - len(changing)
        place: list[sa.BindParameter[Any]] = [
            sa.bindparam(f"after_{index}") for index in range(first, len(keys))
        ]
        here, there = sa.tuple_(*changing), sa.tuple_(*place)
        selected = selected.where(here < there if shape.sort.is_descending else here > there)
    return selected


def _changing(shape: _Shape, keys: Sequence[sa.ColumnElement[Any]]) -> Sequence[sa.ColumnElement[Any]]:
    """The keys without the place of the status, which is the same for all rows of a branch."""
    return keys[1:] if shape.branches and shape.sort.name == "status" else keys


def _keys(shape: _Shape, branch: int | None = None) -> list[sa.ColumnElement[Any]]:
    """What the order compares, the id last."""
    columns = _table(shape.noun).c
    return [_key(shape, columns, name, branch) for name in shape.noun.sorts[shape.sort.name]]


def _key(shape: _Shape, columns: Any, name: str, branch: int | None) -> sa.ColumnElement[Any]:
    match name:
        case "due_date":
            return sa.func.coalesce(columns.due_date, _NEVER)
        case "priority":
            return sa.func.priority_rank(columns.priority)
        case "status" if branch is not None:
            return sa.literal_column(str(-branch if shape.sort.is_descending else branch))
        case "status":
            order = sa.bindparam("order", type_=sa.ARRAY(sa.Text))
            return sa.func.array_position(order, columns.status)
        case _:
            found: sa.ColumnElement[Any] = columns[name]
            return found


def _limited(
    selected: sa.Select[Any],
    keys: Sequence[sa.ColumnElement[Any]],
    sort: Sort,
    limit: str,
    offset: str | None = None,
) -> sa.Select[Any]:
    limited = selected.order_by(*_directed(keys, sort)).limit(sa.bindparam(limit, type_=sa.Integer))
    return limited if offset is None else limited.offset(sa.bindparam(offset, type_=sa.Integer))


def _directed(keys: Sequence[sa.ColumnElement[Any]], sort: Sort) -> list[sa.ColumnElement[Any]]:
    return [key.desc() if sort.is_descending else key.asc() for key in keys]


@lru_cache(maxsize=512)
def _count(noun: Noun, names: tuple[str, ...]) -> Query:
    few = _fitting(noun, names).limit(sa.bindparam("most", type_=sa.Integer))
    return composed_once(_text(sa.select(sa.func.count()).select_from(few.subquery("few"))))


@lru_cache(maxsize=512)
def _estimate(noun: Noun, names: tuple[str, ...]) -> Query:
    return composed_once("EXPLAIN (FORMAT JSON) " + _text(_fitting(noun, names)))


def _fitting(noun: Noun, names: Sequence[str]) -> sa.Select[Any]:
    """A 1 for each row that fits the filters."""
    source, _ = _source(noun, names)
    return sa.select(sa.literal_column("1")).select_from(source).where(*_conditions(noun, names))


def _source(noun: Noun, names: Sequence[str]) -> tuple[sa.FromClause, sa.ColumnElement[Any]]:
    """What has the filters' columns, and its ids: what is searched stands beside the table."""
    table, (side, key) = _table(noun), _side(noun)
    if names and _SEARCHED.issuperset(names):
        return side, key
    return _joined(noun, names), table.c.id


def _joined(noun: Noun, names: Sequence[str]) -> sa.FromClause:
    """The table, with what else the filters look at."""
    table, (side, key) = _table(noun), _side(noun)
    joined = table if _SEARCHED.isdisjoint(names) else table.join(side, key == table.c.id)
    if noun is TASKS and "seen_by" in names:
        return joined.join(_PROCESSES, _PROCESSES.c.id == table.c.process_instance_id)
    return joined


def _conditions(noun: Noun, names: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    return [condition for name in names for condition in _condition(noun, name)]


def _condition(noun: Noun, name: str) -> list[sa.ColumnElement[bool]]:
    table, (side, _) = _table(noun), _side(noun)
    value: sa.BindParameter[Any] = sa.bindparam(name)
    due = sa.func.coalesce(table.c.due_date, _NEVER)
    match name:
        case "status" | "substatus" | "sla_status":
            return [table.c[name] == sa.any_(sa.bindparam(name, type_=sa.ARRAY(sa.Text)))]
        case "priority":
            ranks = sa.bindparam(name, type_=sa.ARRAY(sa.Integer))
            return [sa.func.priority_rank(table.c.priority) == sa.any_(ranks)]
        case "due_after":
            return [due >= value, due < _NEVER]
        case "due_before":
            return [due < value]
        case "created_after":
            return [table.c.created_at >= value]
        case "created_before":
            return [table.c.created_at < value]
        case "business_key":
            key = table.c.business_context.op("->>")(sa.literal_column("'business_key'"))
            return [sa.func.left(key, sa.literal_column("501")) == value]
        case "process_definition_id" if noun is TASKS:
            theirs = sa.select(_PROCESSES.c.id).where(_PROCESSES.c.process_definition_id == value)
            return [table.c.process_instance_id.in_(theirs)]
        case "tags":
            return [side.c.tags.op("@>")(sa.bindparam(name, type_=sa.ARRAY(sa.Text)))]
        case "task_definition_id":
            return [side.c.task_definition_id == value]
        case "search":
            return [side.c.words.op("@@")(sa.func.search_query(value))]
        case "seen_by":
            return [_tasks_seen() if noun is TASKS else _processes_seen()]
        case _:
            return [table.c[name] == value]


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


def _table(noun: Noun) -> sa.FromClause:
    return _TASKS if noun is TASKS else _PROCESSES


def _side(noun: Noun) -> tuple[sa.FromClause, sa.ColumnElement[Any]]:
    """The table of what is searched, and its column that names the row."""
    if noun is TASKS:
        return _TASK_SEARCH, _TASK_SEARCH.c.task_id
    return _PROCESS_SEARCH, _PROCESS_SEARCH.c.process_id


def _text(selected: sa.Select[Any]) -> str:
    return str(selected.compile(dialect=_DIALECT))
