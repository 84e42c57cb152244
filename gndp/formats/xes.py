"""XES in and out (IEEE 1849), plain or gzip.

Read with a SAX-like parser, so memory holds the log and never the document. No DTD, no entities, no network;
attributes nested too deep are refused.

Written with the concept, lifecycle, time and organizational extensions: a ``start`` and a ``complete``
event for an instance with a start, else a ``complete`` event only. Two things go beyond the standard, both
readable by anybody: the events of such a pair share a ``gndp:instance`` attribute, since equal activities
that overlap could not be told apart otherwise; and characters that XML cannot hold are written ``_x0001_``,
which ``gndp:escape`` in the head of the log says.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from gndp.core.errors import Invalid
from gndp.formats.content import Content, replacing
from gndp.formats.eventlog import ActivityInstance, Case, Columns, Log
from gndp.formats.instances import Event, LogBuilder
from gndp.formats.tables import as_text, in_order, iso
from gndp.formats.timestamps import TimestampReader

_STANDARD = Columns(
    case_id="concept:name",
    activity="concept:name",
    timestamp="time:timestamp",
    start_timestamp="start_timestamp",
    resource="org:resource",
    lifecycle="lifecycle:transition",
)
"""The keys of the standard extensions; ``start_timestamp`` is what pm4py writes for intervals."""

_LINK, _ESCAPE = "gndp:instance", "gndp:escape"
_KINDS = frozenset({"string", "date", "int", "float", "boolean", "id", "list", "container"})
_MAX_DEPTH = 64


def read_xes(path: Path, columns: Columns | None, timestamps: TimestampReader, max_bytes: int) -> Log:
    """Read an XES file; raises Invalid when it is none, too large or too deep, or has a DOCTYPE."""
    builder = LogBuilder(timestamps)
    reader = _LogReader(builder, columns or Columns())
    parser = etree.XMLParser(
        target=reader, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    with Content(path, max_bytes) as content:
        try:
            for chunk in content.chunks():
                parser.feed(chunk)
            parser.close()
        except etree.XMLSyntaxError as error:
            if not reader.in_log:
                raise Invalid(f"{path} is no XES file: {_one_line(error)}") from None
            reader.broke_off(content.broken or f"the XML is broken here: {_one_line(error)}")
        else:
            if content.broken:
                builder.add_problem(reader.row, "end of the file", content.broken)
        return builder.build(content.digest, reader.columns_read(), ())


def _one_line(error: etree.XMLSyntaxError) -> str:
    return " ".join(str(error.msg).split())


class _Element:
    """An open element: what it is called, its own key and value, and the attributes inside it."""

    __slots__ = ("attributes", "key", "kind", "value")

    def __init__(self, kind: str, key: str, value: str) -> None:
        self.kind = kind
        self.key = key
        self.value = value
        self.attributes: list[tuple[str, Any]] | None = None

    def add(self, key: str, value: Any) -> None:
        if self.attributes is None:
            self.attributes = []
        self.attributes.append((key, value))

    def plain(self) -> Any:
        """The attribute as a JSON-able value; one with both a value and children keeps both."""
        inner = self.attributes or []
        if self.kind == "list":
            return [value for _, value in inner]
        if self.kind == "container":
            return dict(inner)
        value = _typed(self.kind, self.value)
        return {"value": value, "children": dict(inner)} if inner else value


class _LogReader:
    """The target of the parser: hears of every element and hands cases and events to the builder."""

    def __init__(self, builder: LogBuilder, given: Columns) -> None:
        self._builder = builder
        self._given = given
        self._keys = Columns(
            **{
                name: default if (stated := getattr(given, name)) is None else stated
                for name, default in vars(_STANDARD).items()
            }
        )
        self._open: list[_Element] = []
        self._trace = 0
        self._events: list[tuple[str, dict[str, Any]]] = []
        self._trace_keys: set[str] = set()
        self._event_keys: set[str] = set()
        self._escaped = False
        self._skipped = 0
        self._repeated = 0
        self.in_log = False
        self.row = 0

    def doctype(self, name: str, public_id: str | None, system_id: str | None) -> None:
        """No XES file has one, and one may hide entities."""
        raise Invalid("the file has a DOCTYPE, which XES has not; it was not read")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        kind = _local_name(tag)
        depth = len(self._open) + self._skipped
        if depth >= _MAX_DEPTH:
            raise Invalid(f"{self._place()}: elements are nested deeper than {_MAX_DEPTH}")
        if depth == 0:
            if kind != "log":
                raise Invalid(f"the file is no XES: its first element is <{kind}>, not <log>")
            self.in_log = True
        if self._skipped or not self._is_known(kind, depth, attributes):
            self._skipped += 1
            return
        element = _Element(kind, _text_of(attributes.get("key", "")), _text_of(attributes.get("value", "")))
        if self._escaped:
            element.key = _unescape(element.key)
            element.value = _unescape(element.value)
        self._open.append(element)
        if kind == "trace":
            self._trace += 1
            self._events = []

    def _is_known(self, kind: str, depth: int, attributes: dict[str, str]) -> bool:
        if kind in _KINDS:
            return depth > 0 and "key" in attributes
        if kind == "values":
            return self._open[-1].kind == "list"
        return (
            (kind == "log" and depth == 0)
            or (kind == "trace" and depth == 1)
            or (kind == "event" and depth > 0 and self._open[-1].kind in ("log", "trace"))
        )

    def end(self, tag: str) -> None:
        """An element ends."""
        if self._skipped:
            self._skipped -= 1
            return
        element = self._open.pop()
        if element.kind == "trace":
            self._end_trace(element)
        elif element.kind == "event":
            self._end_event(element)
        elif element.kind == "values":
            for key, value in element.attributes or ():
                self._open[-1].add(key, value)
        elif element.kind != "log":
            if len(self._open) > 1:
                self._open[-1].add(element.key, element.plain())
            elif element.key == _ESCAPE:
                self._escaped = True

    def _end_event(self, element: _Element) -> None:
        attributes = dict(element.attributes or ())
        self._event_keys.update(attributes)
        if self._open[-1].kind == "trace":
            self._events.append((self._place(in_event=True), attributes))
        else:
            place = f"event {self.row + 1}, outside any trace"
            self._builder.add_problem(self.row, place, "no case id")
            self.row += 1

    def _end_trace(self, element: _Element) -> None:
        attributes = dict(element.attributes or ())
        self._trace_keys.update(attributes)
        case_id = _text(attributes.pop(self._keys.case_id or "", None))
        if case_id is None or not case_id.strip():
            for place in [place for place, _ in self._events] or [f"trace {self._trace}"]:
                self._builder.add_problem(self.row, place, "no case id")
                self.row += 1
            return
        if not self._builder.add_case(case_id, attributes):
            self._repeated += 1
        for place, of_event in self._events:
            self._builder.add_event(case_id, self._event(place, of_event))
            self.row += 1

    def _event(self, place: str, attributes: dict[str, Any]) -> Event:
        keys = self._keys
        activity, timestamp, start, resource, lifecycle, link = (
            _text(attributes.pop(key, None)) if key else None
            for key in (
                *(keys.activity, keys.timestamp, keys.start_timestamp, keys.resource, keys.lifecycle),
                _LINK,
            )
        )
        resource = resource if resource and not resource.isspace() else None
        return Event(self.row, place, activity, timestamp, start, resource, lifecycle, link, attributes)

    def broke_off(self, message: str) -> None:
        """The document ends in the middle: keep the events of the trace that was being read."""
        row, place = self.row + len(self._events), self._place(in_event=True)
        trace = next((element for element in self._open if element.kind == "trace"), None)
        named = trace is not None and self._keys.case_id in dict(trace.attributes or ())
        if trace is not None and (named or self._events):
            self._end_trace(trace)
        self._builder.add_problem(row, place, message)

    def _place(self, *, in_event: bool = False) -> str:
        if not self._trace:
            return "before the first trace"
        return f"trace {self._trace}, event {len(self._events) + 1}" if in_event else f"trace {self._trace}"

    def columns_read(self) -> Columns:
        """The keys that were found; raises Invalid when one that the caller named is not in the log."""
        if self._repeated:
            self._builder.notes.append(
                f"traces of the same name were read as one case, {self._repeated} times"
            )
        found: dict[str, str | None] = {}
        for name, key in vars(self._keys).items():
            seen = self._trace_keys if name == "case_id" else self._event_keys
            if key and key not in seen and getattr(self._given, name):
                where = "trace" if name == "case_id" else "event"
                raise Invalid(f"no {where} has the attribute {key!r}; they have {', '.join(sorted(seen))}")
            found[name] = key if key in seen else None
        return Columns(**found)

    def close(self) -> None:
        """The document is complete."""


@lru_cache(maxsize=256)
def _local_name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _text_of(value: str) -> str:
    """An attribute's value: libxml2 hands an ampersand on as ``&#38;`` while it must not resolve entities."""
    return value.replace("&#38;", "&") if "&" in value else value


def _text(value: Any) -> str | None:
    return as_text(value["value"] if isinstance(value, dict) and "value" in value else value)


def _typed(kind: str, text: str) -> Any:
    """The value of a simple attribute; the text as it is where it does not fit its type."""
    try:
        if kind == "int":
            return int(text)
        if kind == "float" and math.isfinite(number := float(text)):
            return number
    except ValueError:
        return text
    if kind == "boolean" and text.strip().lower() in ("true", "false", "1", "0"):
        return text.strip().lower() in ("true", "1")
    return text


_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="nested-attributes" xes.creator="GNDP" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<global scope="trace">
<string key="concept:name" value=""/>
</global>
<global scope="event">
<string key="concept:name" value=""/>
<date key="time:timestamp" value="1970-01-01T00:00:00+00:00"/>
<string key="lifecycle:transition" value="complete"/>
</global>
<classifier name="Activity" keys="concept:name"/>
<string key="lifecycle:model" value="standard"/>
<string key="gndp:escape" value="_xHHHH_"/>
"""

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-F]{4})")
_ESCAPED = re.compile("_x([0-9A-F]{4})_")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def write_xes(path: Path, cases: Iterable[Case]) -> int:
    """Write an XES file, a trace a case; how many activity instances that were."""
    count = 0
    with replacing(path) as file:
        file.write(_HEAD.encode())
        for case in cases:
            file.write("\n".join(_trace(case)).encode() + b"\n")
            count += len(case.activities)
        file.write(b"</log>\n")
    return count


def _trace(case: Case) -> Iterator[str]:
    yield "<trace>"
    yield _attribute("concept:name", case.case_id, "string")
    yield from _attributes(case.attributes, {"concept:name"})
    moments: list[tuple[datetime, int, bool, ActivityInstance]] = []
    for position, instance in enumerate(in_order(case)):
        moments.append((instance.completed_at, position, True, instance))
        if instance.started_at is not None:
            moments.append((instance.started_at, position, False, instance))
    for at, position, completes, instance in sorted(moments, key=lambda moment: moment[:3]):
        yield from _event(at, position, completes, instance)
    yield "</trace>"


def _event(at: datetime, position: int, completes: bool, instance: ActivityInstance) -> Iterator[str]:
    yield "<event>"
    yield _attribute("concept:name", instance.activity, "string")
    yield _attribute("lifecycle:transition", "complete" if completes else "start", "string")
    yield _attribute("time:timestamp", iso(at), "date")
    if instance.resource:
        yield _attribute("org:resource", instance.resource, "string")
    if instance.started_at is not None:
        yield _attribute(_LINK, str(position), "string")
    if completes:
        yield from _attributes(instance.attributes, set(vars(_STANDARD).values()) | {_LINK})
    yield "</event>"


def _attributes(attributes: dict[str, Any], standard: set[str]) -> Iterator[str]:
    for key, value in attributes.items():
        if key not in standard:
            yield from _any_attribute(key, value)


def _any_attribute(key: str, value: Any) -> Iterator[str]:
    """An attribute by the type of its value; texts that are full ISO 8601 instants become dates."""
    if isinstance(value, dict):
        yield f"<container key={_quoted(key)}>"
        yield from _attributes(value, set())
        yield "</container>"
    elif isinstance(value, list):
        yield f"<list key={_quoted(key)}><values>"
        for item in value:
            yield from _any_attribute(key, item)
        yield "</values></list>"
    elif isinstance(value, bool):
        yield _attribute(key, "true" if value else "false", "boolean")
    elif isinstance(value, int) and -(2**63) <= value < 2**63:
        yield _attribute(key, str(value), "int")
    elif isinstance(value, float) and math.isfinite(value):
        yield _attribute(key, repr(value), "float")
    elif isinstance(value, str):
        yield _attribute(key, value, "date" if _DATE.fullmatch(value) else "string")
    elif value is not None:
        yield _attribute(key, json.dumps(value), "string")


def _attribute(key: str, value: str, kind: str) -> str:
    return f"<{kind} key={_quoted(key)} value={_quoted(value)}/>"


@lru_cache(maxsize=1 << 16)
def _quoted(text: str) -> str:
    return quoteattr(_ILLEGAL.sub(lambda match: f"_x{ord(match[0]):04X}_", text))


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
