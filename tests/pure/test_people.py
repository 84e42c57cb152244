"""The rules about people: skills, absences, substitutes, and what a CSV file of people says."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gndp.core.errors import Invalid
from gndp.core.people import (
    PERSON_CHECKS,
    TEAM_CHECKS,
    Person,
    checked,
    circle_of_substitutes,
    new_person,
    new_team,
    skills,
    skills_from_text,
)
from gndp.directory import csv_import
from gndp.directory.csv_import import MAX_BYTES, ImportProblem, PersonRow, parse_people, read_people

NOON = datetime(2026, 8, 3, 12, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def away(user_id: str, substitute: str | None, first: float = 0, last: float = 10) -> Person:
    absence = {"out_of_office_from": NOON + days(first), "out_of_office_until": NOON + days(last)}
    return new_person(user_id, {**absence, "substitute": substitute}, NOON)


def problems_of(call: Any, *arguments: Any) -> list[str]:
    with pytest.raises(Invalid) as refused:
        call(*arguments)
    return [str(problem) for problem in refused.value.problems]


# Skills, columns and absences -------------------------------------------------------------------------


def test_skills_go_from_name_to_level() -> None:
    assert skills({"underwriting": 1, "kyc": 5}, "skills") == {"underwriting": 1, "kyc": 5}
    assert skills(None, "skills") == {}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"kyc": 0}, "skills.kyc"),
        ({"kyc": 6}, "skills.kyc"),
        ({"kyc": True}, "skills.kyc"),
        ({"kyc": 2.0}, "skills.kyc"),
        ({"kyc": "2"}, "skills.kyc"),
        ({"kyc": None}, "skills.kyc"),
        ({" ": 2}, "skills"),
        ({"a\0b": 2}, "skills"),
        ({"x" * 501: 2}, "skills"),
        ({7: 2}, "skills"),
        ("kyc:2", "skills"),
        (["kyc"], "skills"),
    ],
)
def test_other_skills_are_invalid(value: Any, place: str) -> None:
    (problem,) = problems_of(skills, value, "skills")
    assert problem.startswith(f"{place}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("underwriting:3, kyc:2", {"underwriting": 3, "kyc": 2}),
        (" underwriting : 3 ;kyc:2; ", {"underwriting": 3, "kyc": 2}),
        ("law: contracts:4", {"law: contracts": 4}),
        ("", {}),
    ],
)
def test_skills_are_read_from_a_cell(text: str, found: dict[str, int]) -> None:
    assert skills_from_text(text, "skills") == found


@pytest.mark.parametrize(
    "text", ["kyc", "kyc:", ":3", "kyc:0", "kyc:6", "kyc:3.0", "kyc:٣", f"kyc:{'1' * 5000}", "kyc:2,kyc:3"]
)
def test_other_cells_of_skills_are_invalid(text: str) -> None:
    assert len(problems_of(skills_from_text, text, "skills")) == 1


def test_a_cell_of_spaces_is_refused_in_no_time() -> None:
    assert problems_of(skills_from_text, "a" + " " * 100_000 + "b", "skills")


def test_columns_are_checked_by_name() -> None:
    assert checked(PERSON_CHECKS, {"role": "lead", "capacity": None}) == {"role": "lead", "capacity": None}
    assert type(checked(TEAM_CHECKS, {"load_measure": "priority"})["load_measure"]) is str
    with pytest.raises(TypeError, match="'user_id'"):
        checked(PERSON_CHECKS, {"user_id": "ann"})


def test_no_capacity_at_all_is_said_otherwise() -> None:
    assert "active=False" in problems_of(checked, PERSON_CHECKS, {"capacity": 0})[0]
    assert "active=False" not in problems_of(checked, PERSON_CHECKS, {"capacity": False})[0]


def test_what_is_checked_is_what_there_is() -> None:
    kept = {"out_of_office_from", "out_of_office_until", "substitute", "created_at", "updated_at", "version"}
    person, team = new_person("ann", {}, NOON), new_team("uw", {}, NOON)
    assert PERSON_CHECKS.keys() == set(person._fields) - kept - {"user_id"}
    assert TEAM_CHECKS.keys() == set(team._fields) - kept - {"name", "round_robin_position", "imbalance_told"}
    assert (person.name, person.role, person.active, person.skills) == ("ann", "worker", True, {})


def test_a_person_is_away_from_the_first_instant_until_just_before_the_last() -> None:
    person = away("ann", None, 0, 1)
    at = [NOON - days(0.1), NOON, NOON + days(0.9), NOON + days(1)]
    assert [person.is_out_of_office(instant) for instant in at] == [False, True, True, False]
    assert not new_person("bob", {}, NOON).is_out_of_office(NOON)


@pytest.mark.parametrize(
    ("others", "circle"),
    [
        ([], []),
        ([away("bob", None)], []),
        ([away("bob", "cyd")], []),
        ([away("bob", "ann")], ["ann", "bob", "ann"]),
        ([away("bob", "cyd"), away("cyd", "ann")], ["ann", "bob", "cyd", "ann"]),
        ([away("bob", "cyd"), away("cyd", "bob")], []),
        ([away("bob", "ann", 10, 20)], []),
        ([away("bob", "ann", 9, 20)], ["ann", "bob", "ann"]),
        ([away("bob", "cyd", 0, 5), away("cyd", "ann", 5, 10)], []),
        ([away("ann", "dan"), away("bob", "ann")], ["ann", "bob", "ann"]),
    ],
)
def test_substitutes_stand_in_for_each_other_in_a_circle_only_while_all_are_away(
    others: list[Person], circle: list[str]
) -> None:
    assert circle_of_substitutes(away("ann", "bob"), others) == circle


# Files ------------------------------------------------------------------------------------------------

FILE = """user_id,name,email,team,role,skills,capacity,calendar,active
ann,Ann Bo,ann@example.com,uw,lead,"underwriting:3, kyc:2",5,vienna,yes
bob,,,,,,,,
"""
ANN = {
    "name": "Ann Bo",
    "email": "ann@example.com",
    "team": "uw",
    "role": "lead",
    "skills": {"underwriting": 3, "kyc": 2},
    "capacity": 5,
    "calendar": "vienna",
    "active": True,
}


@pytest.mark.parametrize(
    "text",
    [
        FILE,
        FILE.replace("\n", "\r\n"),
        FILE.replace("\n", "\r"),
        f"\n \n{FILE}\n,,,,,,,,\n",
        FILE.replace("user_id", '"user_id"').replace("bob", " bob "),
        FILE.replace('"underwriting:3, kyc:2"', "underwriting:3|kyc:2").replace(",", ";").replace("|", ","),
        FILE.replace('"underwriting:3, kyc:2"', "underwriting:3;kyc:2").replace(",", "\t"),
    ],
    ids=["plain", "crlf", "cr", "blank lines", "quotes and spaces", "semicolons", "tabs"],
)
def test_a_file_says_who_there_is(text: str) -> None:
    rows, problems = parse_people(text)
    assert problems == []
    assert [(row.user_id, row.columns) for row in rows] == [("ann", ANN), ("bob", {})]


def test_a_row_has_the_line_that_it_begins_in() -> None:
    rows, problems = parse_people('user_id,name\nann,"Ann\nBo"\n\nbob,Bob\ncyd,"\0"\n')
    assert [(row.line, row.user_id) for row in rows] == [(2, "ann"), (5, "bob")]
    assert [(problem.line, problem.column) for problem in problems] == [(6, "name")]


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        (",Ann,,,,,,,", "user_id", "blank"),
        ("a\0b,,,,,,,,", "user_id", "NUL"),
        (f"{'x' * 501},,,,,,,,", "user_id", "longer"),
        (f"ann,{'x' * 501},,,,,,,", "name", "longer"),
        ("ann,,nobody,,,,,,", "email", "email"),
        ("ann,,a@b@c,,,,,,", "email", "email"),
        ('ann,,"a@b\nBcc: c",,,,,,', "email", "email"),
        ("ann,,,a\0b,,,,,", "team", "NUL"),
        ("ann,,,,boss,,,,", "role", "viewer"),
        ("ann,,,,,kyc,,,", "skills", "kyc:2"),
        ("ann,,,,,,0,,", "capacity", "active=False"),
        ("ann,,,,,,-1,,", "capacity", "between"),
        ("ann,,,,,,3000000000,,", "capacity", "between"),
        (f"ann,,,,,,{'9' * 5000},,", "capacity", "whole number"),
        ("ann,,,,,,many,,", "capacity", "whole number"),
        ("ann,,,,,,1_0,,", "capacity", "whole number"),
        ("ann,,,,,,2.0,,", "capacity", "whole number"),
        ("ann,,,,,,,,perhaps", "active", "true or false"),
        ("ann,Ann", "", "2 cells where the header has 9"),
        ("ann,,,,,,,,,more", "", "10 cells"),
    ],
)
def test_what_is_wrong_in_a_row_is_told_with_line_and_column(row: str, column: str, message: str) -> None:
    header = FILE.splitlines()[0]
    rows, (problem,) = parse_people(f"{header}\neve,,,,,,,,\n{row}\nzoe,,,,,,,,\n")
    assert [found.user_id for found in rows] == ["eve", "zoe"]
    assert (problem.line, problem.column) == (3, column)
    assert message in problem.message
    assert str(problem.as_problem()).startswith(f"line 3, {column}: " if column else "line 3: ")


def test_all_that_is_wrong_in_a_row_is_told() -> None:
    rows, problems = parse_people("user_id,role,capacity,active\n,boss,x,y\n")
    assert rows == []
    assert {problem.column for problem in problems} == {"user_id", "role", "capacity", "active"}


def test_a_person_stands_in_a_file_once_even_where_the_first_line_is_wrong() -> None:
    rows, problems = parse_people("user_id,role\nann,boss\nann,lead\nbob,\nbob,\n")
    assert rows == [PersonRow(4, "bob", {})]
    assert [(problem.line, problem.column) for problem in problems] == [
        (2, "role"),
        (3, "user_id"),
        (5, "user_id"),
    ]
    assert "line 2" in problems[1].message


@pytest.mark.parametrize("text", ["", " \n\n", "\ufeff", ",,\n"])
def test_an_empty_file_is_invalid(text: str) -> None:
    assert "header" in problems_of(read_people, io.StringIO(text))[0]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("name,team", "line 1, user_id: is missing"),
        ("user_id,shoe_size", "line 1, 'shoe_size': is no column"),
        ("user_id,", "line 1, '': is no column"),
        ("user_id,name,name", "line 1, name: is there twice"),
        ("User_ID", "is no column"),
        ('"user_id', "line 1: is not CSV"),
    ],
)
def test_a_bad_header_is_told(header: str, told: str) -> None:
    assert any(told in problem for problem in problems_of(parse_people, f"\n{header}\nann,x\n"[1:]))


def test_what_is_no_csv_ends_the_reading() -> None:
    rows, (problem,) = parse_people('user_id,name\nann,A\nbob,"B"x\ncyd,C\n')
    assert [row.user_id for row in rows] == ["ann"]
    assert problem.line == 3
    assert "nothing from here on" in problem.message
    _, (huge,) = parse_people(f"user_id,name\nann,{'x' * 200_000}\n")
    assert isinstance(huge, ImportProblem)


def test_a_file_is_read_from_its_path_with_or_without_a_mark_of_its_order(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    for data in (FILE.encode(), b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode()):
        path.write_bytes(data)
        assert read_people(path) == read_people(str(path)) == parse_people(FILE)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        assert read_people(stream) == parse_people(FILE)
    with path.open("rb") as stream:
        assert read_people(stream) == parse_people(FILE)


def test_what_is_not_utf_8_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("user_id,name\nann,Zoë\nbob,Zo".encode() + b"\xeb\n")
    assert problems_of(read_people, path) == ["line 3, character 7: is not UTF-8"]
    with path.open(encoding="utf-8") as stream:
        assert "not utf-8" in problems_of(read_people, stream)[0]


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(FILE)
    monkeypatch.setattr(csv_import, "MAX_BYTES", len(FILE))
    assert len(read_people(path).rows) == 2
    path.write_text(FILE + "\n")
    assert "larger" in problems_of(read_people, path)[0]
    assert "larger" in problems_of(read_people, io.StringIO(FILE.replace("Bo", "Bö")))[0]
    assert MAX_BYTES == 10_000_000


@pytest.mark.parametrize("source", [None, 7, b"user_id\nann\n", ["user_id"], "no such file", "", "a\0b", "."])
def test_what_is_no_file_is_invalid(source: Any) -> None:
    assert len(problems_of(read_people, source)) == 1
