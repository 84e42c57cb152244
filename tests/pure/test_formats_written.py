"""Writing event logs: what is written is read back the same, and nothing is half written."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gndp.core.errors import Invalid
from gndp.formats import EXTENSIONS, ActivityInstance, Case, read_log, write_log
from tests.logfiles import at, instances

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8)
names = st.one_of(
    texts.filter(lambda text: not text.isspace()),
    st.sampled_from(
        [
            "NA",
            "=1+1",
            "+a",
            "-1",
            "@x",
            "\tt",
            "\rr",
            "'q",
            "'=x",
            "?",
            "_x0001_",
            "_x0001\x02",
            '"',
            "a\r\n",
        ]
    ),
)
moments = st.datetimes(datetime(1948, 1, 1), datetime(2030, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))
spans = st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=2)))
whole_days = st.integers(0, 3).map(lambda day: datetime(2024, 1, 1 + day, tzinfo=UTC))


@st.composite
def logs(draw: st.DrawFn) -> list[Case]:
    """Cases whose activities overlap, repeat and share their times often."""
    cases = []
    for case_id in draw(st.lists(names, unique=True, max_size=4)):
        activities = []
        for row in range(draw(st.integers(1, 6))):
            end, span = draw(st.one_of(moments, whole_days)), draw(spans)
            if draw(st.booleans()) and span is not None:
                span = timedelta(days=span.days)
            activities.append(
                ActivityInstance(
                    row,
                    draw(st.one_of(st.sampled_from("ab"), names)),
                    end,
                    None if span is None else end - span,
                    draw(st.one_of(st.none(), st.sampled_from(["ann", "bob"]), names)),
                    draw(st.dictionaries(names, names, max_size=2)),
                )
            )
        activities.sort(key=lambda a: a.completed_at)
        cases.append(Case(case_id, draw(st.dictionaries(names, names, max_size=2)), activities))
    return cases


def content(cases: list[Case]) -> list[tuple]:
    return [
        (
            case.case_id,
            case.attributes,
            [(a.activity, a.completed_at, a.started_at, a.resource, a.attributes) for a in case.activities],
        )
        for case in cases
    ]


@pytest.mark.parametrize("extension", [".xes", ".csv", ".parquet"])
@given(cases=logs())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_back_the_same(extension: str, cases: list[Case]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"log{extension}"
        assert write_log(path, cases) == sum(len(case.activities) for case in cases)
        log = read_log(path)
        assert [p.name for p in Path(folder).iterdir()] == [path.name]
    assert not log.problems
    assert content(log.cases) == content(cases)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_attributes_keep_their_types_where_the_format_has_types(tmp_path: Path, extension: str) -> None:
    attributes = {
        "n": -3,
        "f": 0.5,
        "b": False,
        "d": "2024-03-01T00:00:00.000+01:00",
        "l": [1, "x"],
        "o": {"k": 1},
    }
    case = Case("1", attributes, [ActivityInstance(0, "a", at(9), at(8), "ann", dict(attributes))])
    write_log(tmp_path / f"log{extension}", [case])
    log = read_log(tmp_path / f"log{extension}")
    if "csv" in extension:
        attributes = {**attributes, "n": "-3", "f": "0.5", "b": "false", "l": '[1, "x"]', "o": '{"k": 1}'}
    assert log.cases[0].attributes == attributes
    assert log.cases[0].activities[0].attributes == attributes


def test_no_cell_of_a_written_csv_can_be_taken_for_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    case = Case("=1", {"x": "@y"}, [ActivityInstance(0, "+a", at(9), None, "-r", {"n": -1, "t": "\tq"})])
    write_log(path, [case])
    assert path.read_bytes().decode().splitlines()[1] == (
        "'=1,'+a,,2024-03-01T09:00:00.000000+00:00,'-r,'@y,'-1,'\tq,1 2 5 6 7 8"
    )


def test_an_apostrophe_that_the_writer_did_not_put_there_stays(tmp_path: Path) -> None:
    text = "case_id,activity,start_timestamp,timestamp,resource\n'=1,'+a,,2024-03-01T09:00Z,'-r\n"
    (tmp_path / "log.csv").write_text(text)
    assert instances(read_log(tmp_path / "log.csv")) == [("'=1", "'+a", None, at(9), "'-r")]


def test_overlapping_equal_activities_keep_their_own_starts_in_xes(tmp_path: Path) -> None:
    activities = [
        ActivityInstance(0, "a", at(9), None, "ann"),
        ActivityInstance(1, "a", at(10), at(8, 30), "ann"),
        ActivityInstance(2, "a", at(11), at(8), "ann"),
        ActivityInstance(3, "a", at(11), at(11), "ann"),
    ]
    write_log(tmp_path / "log.xes", [Case("1", {}, activities)])
    assert [a.started_at for a in read_log(tmp_path / "log.xes").cases[0].activities] == [
        *(None, at(8, 30), at(8), at(11)),
    ]


def test_xes_keeps_a_case_without_activities(tmp_path: Path) -> None:
    assert write_log(tmp_path / "log.xes", [Case("1", {"x": 1}, [])]) == 0
    assert read_log(tmp_path / "log.xes").cases == [Case("1", {"x": 1}, [])]


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("wrong", ["zone", "nul", "surrogate", "attribute"])
def test_what_cannot_be_read_back_is_not_written(tmp_path: Path, extension: str, wrong: str) -> None:
    path = tmp_path / f"log{extension}"
    path.write_bytes(b"before")
    moment = datetime(2024, 3, 1) if wrong == "zone" else at(9)
    activity = {"nul": "a\x00", "surrogate": "a\ud800"}.get(wrong, "a")
    attributes = {"x": "\ud800"} if wrong == "attribute" else {}
    with pytest.raises(Invalid, match="case '1' cannot be written"):
        write_log(path, [Case("1", {}, [ActivityInstance(0, activity, moment, None, None, attributes)])])
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_failure_of_the_caller_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_bytes(b"before")

    def cases():
        yield Case("1", {}, [])
        raise RuntimeError("the source failed")

    with pytest.raises(RuntimeError):
        write_log(path, cases())
    assert path.read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["log.xls", "none/log.csv", "none/log.xes.gz", "none/log.parquet"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        write_log(tmp_path / name, [])


def test_times_in_other_zones_are_written_as_utc(tmp_path: Path) -> None:
    moment = datetime(2024, 3, 1, 10, tzinfo=timezone(timedelta(hours=1)))
    write_log(tmp_path / "log.csv", [Case("1", {}, [ActivityInstance(0, "a", moment)])])
    assert "2024-03-01T09:00:00.000000+00:00" in (tmp_path / "log.csv").read_text()
