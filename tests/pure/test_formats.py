"""Reading event logs from files: columns, the traps of tables, times, damaged files."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gndp.core.errors import Invalid
from gndp.formats import EXTENSIONS, Columns, Log, guess_columns, read_log
from tests.logfiles import at, event, instances, trace

HEADER = "case_id,activity,timestamp,resource\n"


@pytest.fixture
def read(tmp_path: Path):
    """Write a text (CSV) or the inside of an XES log to a file, and read it."""

    def read(text: str | bytes, name: str = "log.csv", **options: object) -> Log:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_log(path, **options)

    return read


# Which column is what


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["case_id", "start_time", "end_time", "activity", "resource"],
            Columns("case_id", "activity", "end_time", "start_time", "resource"),
        ),
        (
            ["Case ID", "Activity", "Resource", "Start Timestamp", "Complete Timestamp", "Variant"],
            Columns("Case ID", "Activity", "Complete Timestamp", "Start Timestamp", "Resource"),
        ),
        (
            ["concept:name", "lifecycle:transition", "org:resource", "time:timestamp", "case:concept:name"],
            Columns(
                "case:concept:name",
                "concept:name",
                "time:timestamp",
                None,
                "org:resource",
                "lifecycle:transition",
            ),
        ),
        (
            ["number", "incident_state", "opened_at", "sys_updated_by", "sys_updated_at", "closed_at"],
            Columns("number", "incident_state", "sys_updated_at", None, "sys_updated_by"),
        ),
        (["CaseID", "ActivityID", "CompleteTimestamp"], Columns("CaseID", "ActivityID", "CompleteTimestamp")),
        (["id", "event", "date"], Columns("id", "event", "date")),
    ],
)
def test_columns_are_guessed_by_their_names(names: list[str], expected: Columns) -> None:
    assert guess_columns(names) == expected


@pytest.mark.parametrize(
    "names",
    [
        ["a", "b", "c"],
        ["case_id", "activity"],
        ["case_id", "Case ID", "activity", "timestamp"],
        ["case_id", "step", "operation", "timestamp"],
    ],
)
def test_columns_that_cannot_be_told_are_refused_with_their_names(names: list[str]) -> None:
    with pytest.raises(Invalid, match=", ".join(names)):
        guess_columns(names)


def test_columns_can_be_named_and_the_rest_is_guessed(read) -> None:
    text = "case_id,a,b,timestamp,resource\n1,x,y,2024-03-01T09:00Z,ann\n"
    log = read(text, columns=Columns(activity="b", resource=""))
    assert log.columns == Columns("case_id", "b", "timestamp")
    assert log.guessed == ("case_id", "timestamp")
    assert instances(log) == [("1", "y", None, at(9), None)]
    assert log.cases[0].attributes == {"a": "x", "resource": "ann"}


@pytest.mark.parametrize("name", ["log.csv", "log.xes"])
def test_a_named_column_that_is_not_there_is_refused_with_those_that_are(read, name: str) -> None:
    text = HEADER + "1,a,2024-03-01T09:00Z,ann\n"
    if name == "log.xes":
        text = f"<log>{trace('1', event('a', '2024-03-01T09:00:00Z'))}</log>"
    with pytest.raises(Invalid, match=r"'work'.*(activity|concept:name)"):
        read(text, name, columns=Columns(activity="work"))


# Traps of tables


def test_na_and_other_words_for_nothing_are_case_ids(read) -> None:
    log = read(
        HEADER + "".join(f"{i},a,2024-03-01T09:00Z,NA\n" for i in ("NA", "null", "nan", "None", "007"))
    )
    assert [case.case_id for case in log.cases] == ["NA", "null", "nan", "None", "007"]
    assert {resource for *_, resource in instances(log)} == {"NA"}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_by_the_header(read, separator: str) -> None:
    lines = [
        ["case_id", "activity", '"cost, total; all"', "timestamp"],
        ["1", "a", '"1,5;2"', "2024-03-01T09:00Z"],
    ]
    log = read("\n".join(separator.join(cells) for cells in lines))
    assert instances(log) == [("1", "a", None, at(9), None)]
    assert log.cases[0].attributes == {"cost, total; all": "1,5;2"}


def test_a_byte_order_mark_is_no_part_of_the_first_name(read) -> None:
    assert read(b"\xef\xbb\xbf" + (HEADER + "1,a,2024-03-01T09:00Z,\n").encode()).columns.case_id == "case_id"
    assert read((HEADER + "1,é,2024-03-01T09:00Z,\n").encode("utf-16")).cases[0].activities[0].activity == "é"


def test_latin_1_is_read_with_a_note(read) -> None:
    log = read((HEADER + "1,Prüfung,2024-03-01T09:00Z,\n").encode("latin-1"))
    assert instances(log)[0][1] == "Prüfung"
    assert "Latin-1" in log.notes[0]


def test_missing_values_are_left_out_and_other_text_is_kept(read) -> None:
    header = "case_id,activity,timestamp,resource,x,y,z\n"
    log = read(header + "1,?,2024-03-01T09:00Z,?,?,,NA\n1,b,2024-03-01T10:00Z,,1, ,NA\n")
    assert instances(log) == [("1", "?", None, at(9), None), ("1", "b", None, at(10), None)]
    assert [a.attributes for a in log.cases[0].activities] == [{}, {"x": "1", "y": " "}]
    assert log.cases[0].attributes == {"z": "NA"}


def test_columns_constant_in_every_case_are_case_attributes(read) -> None:
    text = "case_id,activity,timestamp,case:amount,kind,n,event:m\n"
    text += "1,a,2024-03-01T09:00Z,5,x,1,7\n2,a,2024-03-01T09:00Z,6,x,2,7\n1,b,2024-03-01T10:00Z,5,x,3,7\n"
    log = read(text)
    assert [case.attributes for case in log.cases] == [
        {"amount": "5", "kind": "x"},
        {"amount": "6", "kind": "x"},
    ]
    assert log.cases[0].activities[0].attributes == {"n": "1", "m": "7"}


def test_many_unnamed_and_repeated_columns_keep_all_their_values(read) -> None:
    names = ["", "case_id", "activity", "timestamp", "x", "x", *(f"c{i}" for i in range(98))]
    values = ["0", "1", "a", "2024-03-01T09:00Z", "p", "q", *(str(i) for i in range(98))]
    log = read(",".join(names) + "\n" + ",".join(values) + "\n")
    attributes = log.cases[0].attributes
    assert (attributes["column 1"], attributes["x"], attributes["x (2)"], len(attributes)) == (
        "0",
        "p",
        "q",
        101,
    )


def test_broken_rows_are_reported_with_their_place_and_the_rest_loads(read) -> None:
    log = read(
        HEADER
        + ",a,2024-03-01T09:00Z,ann\n"  # line 2
        + "1,a,2024-03-01T09:00Z,ann\n"
        + "1,,2024-03-01T09:00Z,ann\n"
        + "\n"
        + "1,b,yesterday,ann\n"
        + "1,c,,ann\n"
        + "1,d,2024-03-01T10:00Z\n"
        + "1,e,2024-03-01T10:00Z,ann,,\n"
        + "1,f\x00,2024-03-01T10:00Z,ann\n"
        + "1,g,2024-03-01T11:00Z,ann\n"
    )
    assert [activity for _, activity, *_ in instances(log)] == ["a", "g"]
    assert [a.row for a in log.cases[0].activities] == [1, 8]
    assert [str(problem) for problem in log.problems] == [
        "line 2: no case id",
        "line 4: no activity",
        "line 6: cannot read 'yesterday' as a time",
        "line 7: no time",
        "line 8: 3 cells where the header has 4",
        "line 9: 6 cells where the header has 4",
        "line 10: a text holds a NUL character",
    ]


def test_a_lone_surrogate_costs_its_row_only(read) -> None:
    text = (HEADER + "1,a,2024-03-01T09:00Z,\ud800\n1,é,2024-03-01T10:00Z,\n").encode(
        "utf-8", "surrogatepass"
    )
    log = read(text)
    assert [activity for _, activity, *_ in instances(log)] == ["é"]
    assert [str(problem) for problem in log.problems] == ["line 2: a text holds a lone surrogate"]


@pytest.mark.parametrize("broken", ['"a', '"a"b', 'x,"y'])
def test_a_quote_that_never_closes_costs_its_row_only(read, broken: str) -> None:
    good = "".join(f'1,"a, {i}",2024-03-01T{i:02}:00Z,ann\n' for i in range(20))
    log = read(HEADER + f"1,a,2024-03-01T09:00Z,{broken}\n" + good)
    assert [activity for _, activity, *_ in instances(log)] == [f"a, {i}" for i in range(20)]
    assert [problem.place for problem in log.problems] == ["line 2"]


def test_a_quoted_cell_over_several_lines_keeps_the_places_right(read) -> None:
    log = read(HEADER + '1,"a\nb\r\nc",2024-03-01T09:00Z,ann\n1,d,never,\n')
    assert instances(log)[0][1] == "a\nb\r\nc"
    assert log.problems[0].place == "line 5"


def test_an_interval_that_ends_before_it_starts_is_reported(read) -> None:
    text = "case_id,activity,start_timestamp,timestamp\n1,a,2024-03-01T10:00Z,2024-03-01T09:00Z\n"
    log = read(text + "1,b,,2024-03-01T09:00Z\n1,c,2024-03-01T09:00Z,2024-03-01T09:00Z\n")
    assert instances(log) == [("1", "b", None, at(9), None), ("1", "c", at(9), at(9), None)]
    assert "before it starts" in log.problems[0].message


# Times


def test_events_out_of_order_are_ordered_by_completion_and_ties_by_the_file(read) -> None:
    rows = [("d", "10:00"), ("b", "09:00"), ("a", "08:00"), ("c", "09:00")]
    log = read(HEADER + "".join(f"1,{a},2024-03-01T{t}Z,\n" for a, t in rows))
    assert [(a.activity, a.row) for a in log.cases[0].activities] == [("a", 2), ("b", 1), ("c", 3), ("d", 0)]


def test_mixed_offsets_and_old_times_become_utc(read) -> None:
    times = [
        "2024-03-01T10:00:00+01:00",
        "2024-03-01 04:00:00.000-05:00",
        "1948-05-01T00:00:00Z",
        "2024-03-01T09:00Z",
    ]
    log = read(HEADER + "".join(f"{i},a,{t},\n" for i, t in enumerate(times)))
    assert [t for *_, t, _ in instances(log)] == [at(9), at(9), datetime(1948, 5, 1, tzinfo=UTC), at(9)]
    assert log.assumed_time_zone is None


def test_local_times_take_the_named_zone_or_utc_and_say_so(read) -> None:
    text = HEADER + "1,a,2024-03-01 09:00:00,\n2,a,2024-07-01 09:00:00,\n"
    assumed, named = read(text), read(text, time_zone="Europe/Amsterdam")
    assert [t.hour for *_, t, _ in instances(assumed)] == [9, 9]
    assert [t.hour for *_, t, _ in instances(named)] == [8, 7]
    assert (assumed.assumed_time_zone, named.assumed_time_zone) == ("UTC", None)
    assert assumed.fingerprint != named.fingerprint
    with pytest.raises(Invalid, match="time zone"):
        read(text, time_zone="Mars/Olympus")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30-12-2010:11.02", datetime(2010, 12, 30, 11, 2, tzinfo=UTC)),
        ("2012/01/29 23:24:00.000", datetime(2012, 1, 29, 23, 24, tzinfo=UTC)),
        ("29.2.2016 01:16", datetime(2016, 2, 29, 1, 16, tzinfo=UTC)),
        ("12/31/2016 11:05:09 PM", datetime(2016, 12, 31, 23, 5, 9, tzinfo=UTC)),
        ("05-Jan-11 10:00", datetime(2011, 1, 5, 10, tzinfo=UTC)),
        ("2016-02-29T11:23:52.1234567+0100", datetime(2016, 2, 29, 10, 23, 52, 123456, tzinfo=UTC)),
        ("2016-02-29 11:23:52 UTC", datetime(2016, 2, 29, 11, 23, 52, tzinfo=UTC)),
        ("2016-02-29", datetime(2016, 2, 29, tzinfo=UTC)),
    ],
)
def test_forms_of_time(read, text: str, expected: datetime) -> None:
    log = read(HEADER + f'1,a,"{text}",\n')
    assert [t for *_, t, _ in instances(log)] == [expected]


@pytest.mark.parametrize(
    "text", ["31/2/2016 10:00", "2016-13-01", "12", "0001-01-01T00:00+14:00", "1/1/2016 25:00"]
)
def test_times_that_are_none_are_reported(read, text: str) -> None:
    log = read(HEADER + f"1,a,{text},\n")
    assert not log.cases
    assert len(log.problems) == 1


def test_day_or_month_first_is_decided_by_the_whole_column(read) -> None:
    ambiguous = HEADER + "1,a,2/3/2016 09:00,\n"
    assert instances(read(ambiguous + "1,b,29/2/2016 10:00,\n"))[1][3] == datetime(2016, 3, 2, 9, tzinfo=UTC)
    month_first = read(ambiguous + "1,b,2/29/2016 10:00,\n")
    assert instances(month_first)[0][3] == datetime(2016, 2, 3, 9, tzinfo=UTC)
    assert month_first.assumed_date_order == "month first"
    assert "2/29/2016" in month_first.notes[0]


def test_an_undecided_date_order_is_said_and_can_be_given(read) -> None:
    text = HEADER + "1,a,2/3/2016 09:00,\n"
    undecided = read(text)
    assert undecided.assumed_date_order == "month first"
    assert "nothing in the log decides" in undecided.notes[0]
    told = read(text, day_first=True)
    assert instances(told)[0][3] == datetime(2016, 3, 2, 9, tzinfo=UTC)
    assert (told.assumed_date_order, told.notes) == (None, [])
    assert told.fingerprint != undecided.fingerprint


# Files


def test_a_gzip_cut_short_loads_up_to_the_break(read) -> None:
    rows = "".join(f"{i},a,2024-03-01T09:00:{i % 60:02}Z,r{i * 7919 % 10007}\n" for i in range(10_000))
    packed = gzip.compress((HEADER + rows).encode())
    log = read(packed[: len(packed) // 2], "log.csv.gz")
    count = log.instance_count
    assert 2_000 < count < 8_000
    assert instances(log) == instances(read(HEADER + "".join(rows.splitlines(True)[:count])))
    assert [problem.place for problem in log.problems] == [f"line {count + 2}"]
    assert "cut short" in log.problems[0].message

    inside = "".join(trace(str(i), event("a", f"2024-03-01T09:00:{i % 60:02}Z")) for i in range(2_000))
    packed = gzip.compress(f"<log>{inside}</log>".encode())
    log = read(packed[: len(packed) // 2], "log.xes.gz")
    assert 200 < log.instance_count < 1_800
    assert ["cut short" in problem.message for problem in log.problems] == [True]


def test_gzip_in_several_members_or_with_rubbish_behind(read) -> None:
    packed = gzip.compress(HEADER.encode()) + gzip.compress(b"1,a,2024-03-01T09:00Z,ann\n")
    assert not read(packed, "log.csv.gz").problems
    assert read(packed + b"rubbish", "log.csv.gz").instance_count == 1
    assert read(packed + b"rubbish", "log.csv.gz").problems


def test_a_damaged_gzip_loads_up_to_the_damage(read) -> None:
    packed = bytearray(gzip.compress((HEADER + "1,a,2024-03-01T09:00Z,ann\n" * 3).encode()))
    packed[-6] ^= 1  # the checksum
    log = read(bytes(packed), "log.csv.gz")
    assert log.instance_count == 3
    assert [problem.place for problem in log.problems] == ["line 5"]
    assert "damaged" in log.problems[0].message


@pytest.mark.parametrize("name", ["log.csv.gz", "log.xes.gz"])
def test_more_than_the_cap_is_refused(read, name: str) -> None:
    with pytest.raises(Invalid, match="more than 1,000,000 bytes"):
        read(gzip.compress(b"<log>" + b" " * 50_000_000), name, max_bytes=1_000_000)


@pytest.mark.parametrize("name", ["none.csv", "none.xes.gz", "none.parquet", "none.txt", "csv", ".xlsx"])
def test_missing_and_unknown_files_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        read_log(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(Invalid):
        read_log(tmp_path / name)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\x00\x01\x02", b"PAR1", b"\x1f\x8b", b"case_id;activity\n"]
)
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_rubbish_is_refused_in_every_format(read, extension: str, content: bytes) -> None:
    with pytest.raises(Invalid):
        read(content, "log" + extension)


def test_the_fingerprint_is_that_of_the_content_and_its_meaning(read) -> None:
    text = "case_id,a,b,timestamp\n1,x,y,2024-03-01T09:00Z\n"
    one = read(text, columns=Columns(activity="a"))
    assert (
        read(gzip.compress(text.encode()), "log.csv.gz", columns=Columns(activity="a")).fingerprint
        == one.fingerprint
    )
    assert len(one.fingerprint) == 64
    assert read(text, columns=Columns(activity="b")).fingerprint != one.fingerprint
    assert read(text + "\n", columns=Columns(activity="a")).fingerprint != one.fingerprint


def test_parquet_of_others_with_their_own_types(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    amsterdam = pa.timestamp("ns", tz="Europe/Amsterdam")
    table = pa.table(
        {
            "case:concept:name": pa.array([1.0, 1.0, None, 2.0]),
            "concept:name": pa.array(["a", "b", "c", "d\x00"]).dictionary_encode(),
            "time:timestamp": pa.array([at(9), at(10), at(11), at(12)], amsterdam),
            "org:resource": pa.array([7, 8, None, 9]),
            "cost": pa.array([1.5, float("nan"), None, 2.0]),
            "opened": pa.array([datetime(2024, 3, 1), None, None, None], pa.timestamp("ns")),
        }
    )
    pq.write_table(table, path)
    log = read_log(path)
    assert instances(log) == [("1", "a", None, at(9), "7"), ("1", "b", None, at(10), "8")]
    assert log.cases[0].activities[0].attributes == {"cost": 1.5, "opened": "2024-03-01T00:00:00"}
    assert [str(p) for p in log.problems] == ["row 3: no case id", "row 4: a text holds a NUL character"]
