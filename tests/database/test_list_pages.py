"""Pages of lists: random filters and sorts against a plain filter and sort in Python, page after page."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

import gndp
from gndp.core.errors import Invalid
from gndp.core.states import Priority, ProcessStatus, SlaStatus, TaskStatus, TaskSubstatus
from gndp.store import lists

START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = ["ann", "bob", "O'Brien", None]
TEAMS = ["ops", "sales", None]
DEFINITIONS = ["purchase_loan", "claim", "order-form"]
TYPES = ["journey", "phase"]
WORDS = ["offer", "office", "review", "Rate", "42", "421", "Ärger"]
TAGS = ["urgent", "very urgent", "first-class", "offer"]
PROCESS_COLUMNS = (
    *("id", "process_definition_id", "process_name", "process_type", "status", "initiated_by", "assigned_to"),
    *("assigned_team", "created_at", "due_date", "priority", "sla_status", "tags", "business_context"),
    "parent_process_id",
)
TASK_COLUMNS = (
    *("id", "process_instance_id", "task_definition_id", "task_name", "task_type", "status", "position"),
    *("assigned_to", "assigned_team", "created_at", "due_date", "priority", "sla_status", "tags", "notes"),
    "substatus",
)

Row = dict[str, Any]


class House:
    """A workbench on rows that were made up at random, many of them alike, and what they are."""

    def __init__(self, url: str, seed: int = 7) -> None:
        self.chance = random.Random(seed)
        self.wb = gndp.connect(url)
        self.connection = psycopg.connect(url, autocommit=True)
        self.processes: list[Row] = []
        self.tasks: list[Row] = []
        for _ in range(60):
            self.add_process()
        for _ in range(240):
            self.add_task()
        self.connection.execute("ANALYZE")

    def add_process(self) -> None:
        row = self._common(ProcessStatus) | {
            "process_name": self._text(),
            "process_type": self.chance.choice(TYPES),
            "process_definition_id": self.chance.choice(DEFINITIONS),
            "initiated_by": "ann",
            "business_context": self.chance.choice(
                [{}, {"business_key": "K-1"}, {"business_key": 42}, {"x": 1}]
            ),
            "parent_process_id": self.chance.choice([None, *[row["id"] for row in self.processes[:3]]]),
        }
        self._insert("process_instances", PROCESS_COLUMNS, row)
        self.processes.append(row)

    def add_task(self) -> None:
        process = self.chance.choice(self.processes)
        row = self._common(TaskStatus) | {
            "process_instance_id": process["id"],
            "process_definition_id": process["process_definition_id"],
            "task_definition_id": self.chance.choice(["review_offer", "rate", "?"]),
            "task_name": self._text(),
            "task_type": "manual",
            "position": len(self.tasks),
            "notes": self.chance.choice([None, self._text()]),
            "substatus": self.chance.choice([None, *map(str, TaskSubstatus)]),
        }
        self._insert("tasks", TASK_COLUMNS, row)
        self.tasks.append(row)

    def _common(self, statuses: type[Any]) -> Row:
        chance = self.chance
        return {
            "id": UUID(int=chance.getrandbits(128)),
            "status": str(chance.choice(list(statuses))),
            "assigned_to": chance.choice(PEOPLE),
            "assigned_team": chance.choice(TEAMS),
            "created_at": self.instant(),
            "due_date": chance.choice([None, self.instant(), self.instant()]),
            "priority": str(chance.choice(list(Priority))),
            "sla_status": str(chance.choice(list(SlaStatus))),
            "tags": chance.sample(TAGS, chance.randrange(3)),
        }

    def instant(self) -> datetime:
        return START + timedelta(hours=self.chance.randrange(20), microseconds=self.chance.randrange(2))

    def _text(self) -> str:
        return " ".join(self.chance.choices(WORDS, k=self.chance.randrange(1, 4)))

    def _insert(self, table: str, columns: tuple[str, ...], row: Row) -> None:
        values = [Jsonb(row[name]) if name == "business_context" else row[name] for name in columns]
        self.connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})", values
        )

    def close(self) -> None:
        self.connection.close()
        self.wb.close()

    def ids(self, noun: str, **asked: Any) -> tuple[list[UUID], Any]:
        """The ids of a page, and the page."""
        if noun == "processes":
            page: Any = self.wb.processes.list(**asked)
            return [row.id for row in page.processes], page
        page = self.wb.tasks.list(**asked)
        return [row.id for row in page.tasks], page

    def walk(self, noun: str, between: Callable[[], None] = lambda: None, **asked: Any) -> list[UUID]:
        """The ids of all pages behind each other."""
        ids, page = self.ids(noun, **asked)
        found = list(ids)
        while page.next_cursor:
            between()
            assert len(ids) == page.limit
            ids, page = self.ids(noun, **asked, cursor=page.next_cursor)
            assert ids
            found += ids
        return found

    def expected(self, noun: str, filters: dict[str, Any], sort: str | None) -> list[UUID]:
        """The same, filtered and sorted here."""
        rows = self.processes if noun == "processes" else self.tasks
        fitting = [row for row in rows if all(fits(row, name, value) for name, value in filters.items())]
        name = sort or ("position" if "process_id" in filters else "-created_at")
        fitting.sort(key=lambda row: key_of(row, name.removeprefix("-")), reverse=name.startswith("-"))
        return [row["id"] for row in fitting]


@pytest.fixture(scope="module")
def house(server_url: str, template_database: str) -> Iterator[House]:
    name = f"gndp_test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}")
        house = House(psycopg.conninfo.make_conninfo(server_url, dbname=name))
        yield house
        house.close()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def words(*texts: str | None) -> set[str]:
    cleaned = (
        " ".join(text or "" for text in texts).lower().replace("-", " ").replace("_", " ").replace("?", " ")
    )
    return set(cleaned.split())


def fits(row: Row, name: str, value: Any) -> bool:
    match name:
        case "status" | "substatus" | "priority" | "sla_status":
            return row[name] in ([value] if isinstance(value, str) else value)
        case "tags":
            return set(value) <= set(row["tags"])
        case "due_after":
            return row["due_date"] is not None and row["due_date"] >= value
        case "due_before":
            return row["due_date"] is not None and row["due_date"] < value
        case "created_after":
            return bool(row["created_at"] >= value)
        case "created_before":
            return bool(row["created_at"] < value)
        case "business_key":
            return str(row["business_context"].get("business_key")) == value
        case "process_id":
            return bool(row["process_instance_id"] == value)
        case "search":
            name, definition, more = (
                (row["task_name"], row["task_definition_id"], row["notes"])
                if "task_name" in row
                else (
                    *(row["process_name"], row["process_definition_id"]),
                    str(row["business_context"].get("business_key", "")),
                )
            )
            there = words(name, definition, more, *row["tags"])
            asked = words(value)
            return bool(asked) and all(any(word.startswith(part) for word in there) for part in asked)
        case _:
            return bool(row[name] == value)


def key_of(row: Row, sort: str) -> tuple[Any, ...]:
    statuses = list(TaskStatus if "task_name" in row else ProcessStatus)
    match sort:
        case "created_at" | "position":
            return row[sort], row["id"]
        case "due_date":
            return row["due_date"] is None, row["due_date"] or START, row["id"]
        case "priority":
            return list(Priority).index(row["priority"]), row["created_at"], row["id"]
        case "status":
            return statuses.index(row["status"]), row["created_at"], row["id"]
        case _:
            return row.get("task_name") or row["process_name"], row["id"]


def some(kind: type[Any]) -> st.SearchStrategy[Any]:
    members = st.sampled_from([str(member) for member in kind])
    return members | st.lists(members, min_size=1, max_size=4)


instants = st.integers(-1, 21).map(lambda hours: START + timedelta(hours=hours))
texts = st.lists(
    st.sampled_from([*WORDS, "o", "OFF", "r", "4", "är", "zz", "purchase", "?"]), min_size=1, max_size=2
)
shared = {
    "assigned_to": st.sampled_from(["ann", "bob", "O'Brien", "nobody"]),
    "assigned_team": st.sampled_from(["ops", "sales", "none"]),
    "process_definition_id": st.sampled_from([*DEFINITIONS, "none"]),
    "priority": some(Priority),
    "sla_status": some(SlaStatus),
    "tags": st.lists(st.sampled_from([*TAGS, "none"]), max_size=2),
    "due_after": instants,
    "due_before": instants,
    "created_after": instants,
    "created_before": instants,
    "search": texts.map(" ".join),
}
sorts = ["created_at", "due_date", "priority", "name", "status"]
directed = st.sampled_from([None, *sorts, *(f"-{sort}" for sort in sorts)])


@st.composite
def filters_of(draw: Any, noun: str) -> dict[str, Any]:
    """A few filters at once."""
    house_filters = {"status": some(ProcessStatus if noun == "processes" else TaskStatus), **shared}
    if noun == "processes":
        house_filters |= {
            "process_type": st.sampled_from([*TYPES, "none"]),
            "business_key": st.sampled_from(["K-1", "42", "none"]),
            "parent_process_id": st.integers(0, 3),
        }
    else:
        house_filters |= {
            "substatus": some(TaskSubstatus),
            "task_definition_id": st.sampled_from(["review_offer", "rate", "?", "none"]),
            "process_id": st.integers(0, 5),
        }
    names = draw(st.lists(st.sampled_from(sorted(house_filters)), max_size=3, unique=True))
    return {name: draw(house_filters[name]) for name in names}


def resolved(house: House, filters: dict[str, Any]) -> dict[str, Any]:
    """The filters with the ids that their numbers stand for."""
    ids = {"parent_process_id", "process_id"}
    return {name: house.processes[value]["id"] if name in ids else value for name, value in filters.items()}


@pytest.mark.parametrize("many", [10**9, 5], ids=["counted", "estimated"])
@pytest.mark.parametrize("noun", ["processes", "tasks"])
@given(data=st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_are_the_plain_filter_and_sort(house: House, noun: str, many: int, data: st.DataObject) -> None:
    asked = resolved(house, data.draw(filters_of(noun)))
    sort, limit = data.draw(directed), data.draw(st.integers(1, 12) | st.just(100))
    expected = house.expected(noun, asked, sort)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "_LOOKED_THROUGH", 0)
        patch.setattr(lists, "_SURELY_MANY", many)
        assert house.walk(noun, **asked, sort=sort, limit=limit) == expected
        offset = data.draw(st.integers(0, 60))
        ids, page = house.ids(noun, **asked, sort=sort, limit=limit, offset=offset)
    assert ids == expected[offset : offset + limit]
    assert (page.next_cursor is None) == (offset + limit >= len(expected))
    if many > 5:
        assert (page.total, page.total_is_estimate) == (len(expected), False)


def test_totals_behind_a_cursor_are_those_of_the_first_page(house: House) -> None:
    _, first = house.ids("tasks", limit=10)
    _, second = house.ids("tasks", limit=10, cursor=first.next_cursor)
    assert (second.total, second.offset) == (first.total, 0) == (len(house.tasks), 0)


def test_an_offset_goes_so_far_and_a_cursor_beyond(house: House) -> None:
    for lister in (house.wb.processes.list, house.wb.tasks.list):
        assert lister(offset=10_000).total == (240 if lister == house.wb.tasks.list else 60)
        with pytest.raises(Invalid, match="10,000; next_cursor"):
            lister(offset=10_001)


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        ("sort", {"sort": "color"}),
        ("sort", {"sort": "--name"}),
        ("sort", {"sort": ""}),
        ("sort", {"sort": "id; DROP TABLE tasks"}),
        ("sort", {"sort": 7}),
        ("sort", {"sort": ["name"]}),
        ("sort", {"sort": "position"}),
        ("status", {"status": "open"}),
        ("status[1]", {"status": ["pending", "open"]}),
        ("status", {"status": []}),
        ("status", {"status": 7}),
        ("status[0]", {"status": [["pending"]]}),
        ("priority", {"priority": "urgent"}),
        ("sla_status[0]", {"sla_status": ["late"]}),
        ("assigned_team", {"assigned_team": " "}),
        ("process_definition_id", {"process_definition_id": "a\0"}),
        ("tags", {"tags": "urgent"}),
        ("tags[0]", {"tags": ["\ud800"]}),
        ("tags[1]", {"tags": ["a", 7]}),
        ("due_after", {"due_after": datetime(2026, 1, 1)}),
        ("due_before", {"due_before": "2026-01-01"}),
        ("created_after", {"created_after": datetime(2026, 1, 1)}),
        ("created_before", {"created_before": 7}),
        ("offset", {"offset": 10_001}),
        ("limit", {"limit": 101}),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_place(
    house: House, place: str, asked: dict[str, Any]
) -> None:
    for lister in (house.wb.processes.list, house.wb.tasks.list):
        with pytest.raises(Invalid) as refused:
            lister(**asked)
        assert refused.value.problems[0].place == place


def test_what_only_one_of_them_has_is_refused_too(house: House) -> None:
    for asked in ({"business_key": "\0"}, {"parent_process_id": "7"}, {"process_type": ""}):
        with pytest.raises(Invalid):
            house.wb.processes.list(**asked)
    with pytest.raises(Invalid, match="substatus"):
        house.wb.tasks.list(substatus="asleep")
    with pytest.raises(Invalid, match="task_definition_id"):
        house.wb.tasks.list(task_definition_id="")


# ------------------------------------------------------------------------------------------------- cursors


def test_a_cursor_belongs_to_its_filters_and_its_sort(house: House) -> None:
    _, page = house.ids("tasks", status=["pending", "assigned"], sort="due_date", limit=3)
    cursor = page.next_cursor
    assert cursor.isascii() and not set(cursor) & set("+/=&?#% ")
    same = {"status": ("assigned", "pending", "pending"), "sort": "due_date"}
    assert house.ids("tasks", **same, cursor=cursor, limit=100)[0]
    for other in (
        {**same, "sort": "-due_date"},
        {**same, "sort": "name"},
        {**same, "status": "pending"},
        {**same, "priority": "low"},
        {**same, "search": "offer"},
        {**same, "assigned_to": "ann"},
        {"sort": "due_date"},
        {},
    ):
        with pytest.raises(Invalid, match="cursor"):
            house.wb.tasks.list(**other, cursor=cursor)
    with pytest.raises(Invalid, match="cursor"):
        house.wb.processes.list(status=["pending"], sort="due_date", cursor=cursor)
    with pytest.raises(Invalid, match="offset"):
        house.wb.tasks.list(**same, cursor=cursor, offset=1)


def test_every_changed_cursor_is_refused(house: House) -> None:
    for sort in (*sorts, "-due_date"):
        cursor = house.ids("tasks", sort=sort, limit=100)[1].next_cursor
        for index, character in enumerate(cursor):
            changed = "B" if character == "A" else "A"
            for text in (
                cursor[:index] + changed + cursor[index + 1 :],
                cursor[:index],
                cursor[:index] + cursor[index + 1 :],
                cursor[:index] + "=" + cursor[index:],
            ):
                with pytest.raises(Invalid, match="cursor"):
                    house.wb.tasks.list(sort=sort, cursor=text)


@pytest.mark.parametrize(
    "cursor", ["", " ", "x", "é", "\0", "\ud800", "A" * 9_000, "e30", 7, b"x", [], {}, True]
)
def test_rubbish_is_no_cursor(house: House, cursor: Any) -> None:
    for lister in (house.wb.processes.list, house.wb.tasks.list):
        with pytest.raises(Invalid) as refused:
            lister(cursor=cursor)
        assert refused.value.problems[0].place == "cursor"


@pytest.mark.parametrize("sort", [*sorts, *(f"-{sort}" for sort in sorts)])
def test_rows_that_come_meanwhile_neither_repeat_nor_hide_others(
    new_database: Callable[[], str], sort: str
) -> None:
    house = House(new_database(), seed=11)
    try:
        before = {row["id"] for row in house.tasks}
        filters = {"status": ["pending", "assigned", "completed"], "tags": []}
        there = house.expected("tasks", filters, sort)

        def insert() -> None:
            for _ in range(5):
                house.add_task()

        found = house.walk("tasks", insert, **filters, sort=sort, limit=7)
        assert len(found) == len(set(found))
        assert [id for id in found if id in before] == there
    finally:
        house.close()


def test_a_name_as_long_as_can_be_fits_into_a_cursor(workbench: gndp.Workbench) -> None:
    case = {"process_definition_id": "d", "process_type": "custom", "initiated_by": "ann"}
    for index in range(3):
        workbench.processes.start(process_name="\U0001f600" * 499 + str(index), **case)
    page = workbench.processes.list(sort="name", limit=1)
    page = workbench.processes.list(sort="name", limit=1, cursor=page.next_cursor)
    assert page.processes[0].process_name.endswith("1")
