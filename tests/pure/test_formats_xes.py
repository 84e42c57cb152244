"""Reading XES: lifecycles, types of attributes, hostile and broken documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gndp.core.errors import Invalid
from gndp.formats import Log, read_log
from tests.logfiles import at, event, instances, trace


@pytest.fixture
def read(tmp_path: Path):
    """Write a text (CSV) or the inside of an XES log to a file, and read it."""

    def read(text: str | bytes, name: str = "log.csv", **options: object) -> Log:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_log(path, **options)

    return read


@pytest.fixture
def read_xes(read):
    def read_xes(inside: str, **options: object) -> Log:
        return read(f'<log xmlns="http://www.xes-standard.org/">{inside}</log>', "log.xes", **options)

    return read_xes


# Lifecycles


@pytest.mark.parametrize("lifecycle", [None, "", "null", "complete", "COMPLETE", "Complete"])
def test_completions_are_instances_however_they_are_written(read_xes, lifecycle: str | None) -> None:
    log = read_xes(trace("1", event("a", "2024-03-01T09:00:00Z", lifecycle)))
    assert instances(log) == [("1", "a", None, at(9), None)]


def test_starts_are_matched_and_other_states_are_counted(read_xes) -> None:
    log = read_xes(
        trace(
            "1",
            event("a", "2024-03-01T08:00:00Z", "SCHEDULE"),
            event("a", "2024-03-01T09:00:00Z", "START", "ann"),
            event("a", "2024-03-01T09:30:00Z", "suspend", "ann"),
            event("a", "2024-03-01T10:00:00Z", "COMPLETE", "ann"),
            event("b", "2024-03-01T10:00:00Z", "complete"),
            event("b", "2024-03-01T11:00:00Z", "start"),
        )
        + trace("2", event("a", "2024-03-01T08:00:00Z", "schedule"))
    )
    assert instances(log) == [("1", "a", at(9), at(10), "ann"), ("1", "b", None, at(10), None)]
    assert log.other_events == {"schedule": 2, "suspend": 1}
    assert [str(problem) for problem in log.problems] == [
        "trace 1, event 6: 'b' is started and never completed"
    ]
    assert [case.case_id for case in log.cases] == ["1", "2"]


def test_a_completion_takes_the_earliest_start_of_its_resource_else_of_any(read_xes) -> None:
    log = read_xes(
        trace(
            "1",
            event("a", "2024-03-01T10:00:00Z", "complete", "bob"),
            event("a", "2024-03-01T08:00:00Z", "start", "ann"),
            event("a", "2024-03-01T09:00:00Z", "start", "bob"),
            event("a", "2024-03-01T11:00:00Z", "complete", "eve"),
            event("a", "2024-03-01T11:30:00Z", "start", "eve"),
            event("a", "2024-03-01T12:00:00Z", "complete", "eve"),
        )
    )
    assert [a.started_at for a in log.cases[0].activities] == [at(9), at(8), at(11, 30)]


# XES


def test_xes_attributes_keep_their_types_and_dates_are_text(read_xes) -> None:
    more = (
        '<int key="n" value="3"/><float key="f" value="1.5"/><boolean key="b" value="true"/>'
        '<date key="d" value="2024-03-01T00:00:00.000+01:00"/><float key="inf" value="INF"/>'
        '<string key="s" value="x"><int key="inner" value="1"/></string>'
        '<list key="l"><values><int key="a" value="1"/><int key="a" value="2"/></values></list>'
        '<container key="c"><string key="k" value="v"/></container>'
    )
    log = read_xes(
        '<global scope="trace"><string key="concept:name" value="no"/></global>' + trace("1", more=more)
    )
    assert log.cases[0].attributes == {
        "n": 3,
        "f": 1.5,
        "b": True,
        "d": "2024-03-01T00:00:00.000+01:00",
        "inf": "INF",
        "s": {"value": "x", "children": {"inner": 1}},
        "l": [1, 2],
        "c": {"k": "v"},
    }
    json.dumps(log.cases[0].attributes)


def test_escaped_characters_are_read_as_what_they_stand_for(read_xes) -> None:
    log = read_xes(
        trace("&amp;&#38;&#x26;&amp;#38;&lt;&gt;&quot;&apos;&#10;&#233;", more='<int key="&amp;" value="1"/>')
    )
    assert log.cases[0].case_id == "&&&&#38;<>\"'\né"
    assert log.cases[0].attributes == {"&": 1}


def test_broken_xes_events_are_reported_with_trace_and_event(read_xes) -> None:
    time = '<date key="time:timestamp" value="2024-03-01T09:00:00Z"/>'
    log = read_xes(
        f"<trace><event>{time}</event></trace>"
        + trace("1", f"<event>{time}</event>", event("a", "2024-03-01T09:00:00Z"), event("b", "soon"))
        + trace("1", event("c", "2024-03-01T10:00:00Z"))
        + event("d", "2024-03-01T10:00:00Z")
    )
    assert [activity for _, activity, *_ in instances(log)] == ["a", "c"]
    assert [str(problem) for problem in log.problems] == [
        "trace 1, event 1: no case id",
        "trace 2, event 1: no activity",
        "trace 2, event 3: cannot read 'soon' as a time",
        "event 6, outside any trace: no case id",
    ]
    assert "one case" in log.notes[0]


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE log [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE log [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE log [<!ENTITY % a SYSTEM "http://127.0.0.1/x.dtd"> %a;]>',
        '<!DOCTYPE log SYSTEM "http://127.0.0.1/x.dtd">',
    ],
)
def test_a_doctype_is_refused(read, doctype: str) -> None:
    with pytest.raises(Invalid, match="DOCTYPE"):
        read(f"{doctype}<log/>", "log.xes")


@pytest.mark.parametrize("tag", ['<container key="a">', "<b>"])
def test_elements_nested_too_deep_are_refused(read, tag: str) -> None:
    with pytest.raises(Invalid, match="nested deeper"):
        read("<log>" + tag * 5000, "log.xes")


@pytest.mark.parametrize("text", ["", "hello", "<html/>", "\x00"])
def test_what_is_no_xes_is_refused(read, text: str) -> None:
    with pytest.raises(Invalid):
        read(text, "log.xes")


def test_a_broken_xes_loads_up_to_the_break(read) -> None:
    whole = trace("1", event("a", "2024-03-01T09:00:00Z"), event("b", "2024-03-01T10:00:00Z"))
    log = read(
        f"<log>{whole}{trace('2', event('a', '2024-03-01T09:00:00Z')).removesuffix('</trace>')}<event><st",
        "log.xes",
    )
    assert [(case, activity) for case, activity, *_ in instances(log)] == [("1", "a"), ("1", "b"), ("2", "a")]
    assert [problem.place for problem in log.problems] == ["trace 2, event 2"]
