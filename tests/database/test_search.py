"""Search: word prefixes in any case, hostile texts, and words that stay in step with what they are of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gndp
from gndp.core.errors import Invalid

HOSTILE = [
    "'",
    "''",
    '"',
    "\\",
    "\\'",
    "';DROP TABLE tasks;--",
    "':*&|!()",
    "' | 'a':*",
    "a:*",
    "!a",
    "a & b",
    "a <-> b",
    "(a",
    "%s",
    "%(a)s",
    ":limit",
    "$1",
    "${x}",
    "{{x}}",
    "<b>bold</b>",
    "a\tb\nc\r\nd",
    "\u202eright\u202c-to-left \u05e9\u05dc\u05d5\u05dd",
    "\u0645\u0631\u062d\u0628\u0627",
    "e\u0301",
    "\U0001f600",
    "\ufeff",
    "\x01\x02",
    "ß ẞ İ ı",
    "x" * 500,
    "?!.,;",
]


def process(wb: gndp.Workbench, name: str = "Case", **given: Any) -> Any:
    values = {"process_definition_id": "loan", "process_type": "journey", "initiated_by": "ann", **given}
    return wb.processes.start(process_name=name, **values)


def task(wb: gndp.Workbench, process_id: UUID, name: str, **given: Any) -> Any:
    values = {"task_definition_id": "step", "task_type": "manual", "user_id": "ann", **given}
    return wb.tasks.create(process_instance_id=process_id, task_name=name, **values)


@pytest.fixture(scope="module")
def house(server_url: str, template_database: str) -> Any:
    """A workbench with some processes and tasks for all that only read."""
    name = f"gndp_test_search_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}")
        with gndp.connect(psycopg.conninfo.make_conninfo(server_url, dbname=name)) as wb:
            for index, text in enumerate(HOSTILE):
                if text.strip():
                    process(wb, text, tags=[text], business_context={"business_key": f"K-{index}"})
            one = process(
                wb, "Prüfung of O'Brien", process_definition_id="purchase_loan", tags=["Very Urgent"]
            )
            task(
                wb,
                one.id,
                "Review-offer order-4711",
                task_definition_id="review_offer",
                notes="see §12 (draft)",
            )
            task(wb, one.id, "Approve", tags=["first-class"])
            yield wb
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def found(wb: gndp.Workbench, search: str) -> list[str]:
    return [listed.task.task_name for listed in wb.tasks.list(search=search).tasks]


@pytest.mark.parametrize(
    "search",
    [
        *(
            "review",
            "REVIEW",
            "Rev",
            "offer",
            "4711",
            "order",
            "order-4711",
            "off rev",
            "offer, review!",
            "review_o",
        ),
        *("12", "draft", "DRA", "see draft 47", "r o s", "(review) 'offer':*"),
    ],
)
def test_each_word_begins_a_word_of_the_task(house: gndp.Workbench, search: str) -> None:
    assert found(house, search) == ["Review-offer order-4711"]


@pytest.mark.parametrize(
    "search", ["eview", "offers", "review approve", "-4712", "711", "purchase", "O'Brien"]
)
def test_what_begins_no_word_is_not_found(house: gndp.Workbench, search: str) -> None:
    assert found(house, search) == []


def test_tags_and_definitions_are_searched_too(house: gndp.Workbench) -> None:
    assert found(house, "class first") == ["Approve"]
    assert found(house, "right to \u05e9\u05dc") == []
    assert len(house.processes.list(search="right to \u05e9\u05dc").processes) == 1
    for search in ("prüf", "PRÜF", "brien", "o'b", "purchase", "urg", "ver pur pr"):
        assert [p.process_name for p in house.processes.list(search=search).processes] == [
            "Prüfung of O'Brien"
        ]
    (keyed,) = house.processes.list(search="k 3").processes
    assert keyed.business_context == {"business_key": "K-3"}


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.strip()])
def test_hostile_texts_find_what_has_their_words(house: gndp.Workbench, text: str) -> None:
    names = [p.process_name for p in house.processes.list(search=text, limit=100).processes]
    assert (text in names) == bool(words(text))
    house.tasks.list(search=text, sort="name")
    assert text in [p.process_name for p in house.processes.list(tags=[text]).processes]


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "a\0b", "\ud800", "a\udfff", "x" * 501, "word " * 2_000, 7, b"a", ["a"]]
)
def test_what_no_text_can_be_is_refused(house: gndp.Workbench, text: Any) -> None:
    for reads in (house.processes.list, house.tasks.list):
        with pytest.raises(Invalid) as refused:
            reads(search=text)
        assert refused.value.problems[0].place == "search"


def test_too_many_words_are_refused(house: gndp.Workbench) -> None:
    house.tasks.list(search=" ".join(f"w{index}" for index in range(10)))
    house.tasks.list(search="same " * 90)
    with pytest.raises(Invalid, match="10"):
        house.tasks.list(search=" ".join(f"w{index}" for index in range(11)))


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_is_a_syntax_error(house: gndp.Workbench, text: str) -> None:
    try:
        house.tasks.list(search=text)
    except Invalid as refused:
        assert not text.strip() or "words" in str(refused)


def words(text: str) -> set[str]:
    """The words of a text as the search has them, written down apart from it (for the texts above)."""
    symbols = "\U0001f600"
    parted = re.sub(r"[\s!-/:-@\[-`{-~\x00-\x1f§\u202c\u202e\ufeff" + symbols + "]+", " ", text.lower())
    return set(parted.split())


def test_words_follow_what_they_are_of(workbench: gndp.Workbench) -> None:
    wb = workbench
    one = process(wb, "Case")
    step = task(wb, one.id, "Step")
    assert found(wb, "later") == []
    wb.tasks.update(step.id, user_id="ann", notes="Later")
    assert found(wb, "later") == ["Step"]
    wb.tasks.update(step.id, user_id="ann", tags=["sooner"])
    assert found(wb, "later sooner") == ["Step"]
    wb.tasks.update(step.id, user_id="ann", notes="never", tags=[])
    assert found(wb, "later") == found(wb, "sooner") == []
    wb.processes.update(one.id, user_id="ann", tags=["sooner"])
    assert wb.processes.list(search="soon").total == wb.processes.list(tags=["sooner"]).total == 1
    wb.tasks.assign(step.id, assigned_to="bob", user_id="ann")
    assert found(wb, "never step") == ["Step"]


def test_what_is_undone_has_no_words(workbench: gndp.Workbench) -> None:
    wb = workbench
    with pytest.raises(RuntimeError), wb.transaction():
        process(wb, "Undone")
        raise RuntimeError
    assert wb.processes.list(search="undone").total == 0


def test_deleted_rows_take_their_words_along(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    wb = new_workbench(database_url=database_url)
    task(wb, process(wb, "Gone").id, "Gone too")
    with psycopg.connect(database_url) as connection:
        for table in ("process_events", "task_assignments", "sla_metrics", "tasks", "process_instances"):
            connection.execute(f"DELETE FROM {table}")
        for table in ("task_search", "process_search"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_very_long_texts_are_searched(workbench: gndp.Workbench) -> None:
    wb = workbench
    many = " ".join(f"w{index}" for index in range(15_000))
    one = process(wb, "é" * 500, business_context={"business_key": "k" * 100_000})
    step = task(wb, one.id, "Long", notes=many, tags=[f"{index:05}" + "ü" * 495 for index in range(600)])
    assert found(wb, "w14999") == []  # the tags come first, and 200,000 characters are looked at
    wb.tasks.update(step.id, user_id="ann", tags=[])
    assert found(wb, "w14999 long") == ["Long"]
    assert wb.processes.list(search="é" * 400).total == 1
    assert wb.processes.list(search="é" * 255 + "x").total == 1  # a word counts as far as 255 characters
    assert wb.processes.list(search="é" * 254 + "x").total == 0
    wb.tasks.update(step.id, user_id="ann", notes="x" * 100_000)
    assert found(wb, "xxx") == ["Long"]
    assert wb.processes.list(business_key="k" * 500).total == 0
