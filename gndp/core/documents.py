"""Reading a YAML or JSON document into plain values, safely and with the place of every problem.

JSON documents are YAML documents, with two exceptions that YAML parsers refuse (tabs as indentation, and
surrogate pairs written as escapes), so a text that is JSON is read as JSON. YAML is read by its version
1.2: ``no``, ``on``, ``12:30`` and dates are texts, as in the JSON that they stand for. Only those plain
values exist; tags such as ``!!python/object`` are refused. Anchors and aliases are allowed within a bound.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import yaml

from gndp.core.errors import Invalid, Problem
from gndp.core.values import MAX_DEPTH, at, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1_000_000
"""How long a document may be, in bytes of UTF-8."""

MAX_VALUES = 100_000
"""How many values a YAML document may hold once its aliases are followed."""


def read_document(text: str | bytes) -> Any:
    """The value that a YAML or JSON document spells.

    Raises Invalid when it is too long, not UTF-8, not YAML, nested deeper than `MAX_DEPTH`, too large once
    its aliases are followed, gives a key twice, has a key that is no text, or uses a tag. Problems of
    syntax have a line and a column (from 1) as their place, the others the path to the value.
    """
    text = _decoded(text)
    try:
        if text.lstrip().startswith("{"):
            return _read_json(text)
    except json.JSONDecodeError:
        pass  # a flow mapping, or JSON with a mistake: YAML reads the one and says where the other is
    return _read_yaml(text)


def _decoded(text: str | bytes) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise Invalid(Problem("", f"the document has {size:,} bytes; it may have {MAX_BYTES:,}"))
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            raise Invalid(Problem("", f"the document is not UTF-8 (at byte {error.start})")) from None
    text = text.removeprefix("\ufeff")
    if unreadable := re.search("[\0\ud800-\udfff]", text):
        kind = "a NUL character" if unreadable[0] == "\0" else "half of a surrogate pair"
        raise Invalid(Problem(_line_and_column(text, unreadable.start()), f"the document has {kind}"))
    return text


def _line_and_column(text: str, position: int) -> str:
    line_start = text.rfind("\n", 0, position) + 1
    return f"line {text.count(chr(10), 0, position) + 1}, column {position - line_start + 1}"


# JSON -------------------------------------------------------------------------------------------------


class _Repeating(dict[str, Any]):
    """An object whose text gives some key twice."""

    repeated: list[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    repeating = _Repeating(plain)
    times = Counter(name for name, _ in pairs)
    repeating.repeated = [name for name in plain if times[name] > 1]
    return repeating


def _read_json(text: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise Invalid(_too_deep("")) from None
    except json.JSONDecodeError:
        raise
    except ValueError:
        raise Invalid(Problem("", "the document has a number of too many digits")) from None
    problems = list(_repeated_keys(value, "", MAX_DEPTH))
    if problems:
        raise Invalid(*problems)
    return value


def _repeated_keys(value: Any, place: str, depth: int) -> Iterator[Problem]:
    if depth == 0:
        return  # deeper values are refused where the values themselves are looked at
    if isinstance(value, _Repeating):
        for name in value.repeated:
            yield Problem(at(place, name), "is given twice")
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _repeated_keys(item, at(place, key), depth - 1)


# YAML -------------------------------------------------------------------------------------------------

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.CSafeLoader):
    """The safe loader of libyaml with the plain scalars of YAML 1.2's core schema.

    libyaml, because the parser in Python needs seconds for a document of the allowed length.
    """


_Loader.yaml_implicit_resolvers = {}
for _name, _form, _first in (
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_form})$"), _first)


def _read_yaml(text: str) -> Any:
    try:
        _refuse_deep_nesting(text)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        place = _spelled(error.problem_mark or error.context_mark)
        if "nesting depth" in (error.problem or ""):
            # libyaml from 0.2.6 on has a limit of its own, and scans ahead of the events counted here.
            raise Invalid(_too_deep(place)) from None
        raise Invalid(Problem(place, f"is not YAML: {error.problem or error.context}")) from None
    except yaml.reader.ReaderError as error:
        place = _line_and_column(text, error.position)
        raise Invalid(Problem(place, f"is not YAML: {error.reason}")) from None
    if root is None:
        raise Invalid(Problem("", "the document is empty"))
    reading = _Reading()
    value = reading.value_of(root, "")
    if reading.problems:
        raise Invalid(*reading.problems)
    return value


def _refuse_deep_nesting(text: str) -> None:
    """Count the nesting from the events: building the nodes would overflow the stack of the C code."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise Invalid(_too_deep(_position(event)))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _too_deep(place: str) -> Problem:
    return Problem(place, f"is nested deeper than {MAX_DEPTH} levels")


def _position(item: yaml.Event | yaml.Node) -> str:
    return _spelled(item.start_mark)


def _spelled(mark: Any) -> str:
    """A mark of the parser, which counts from 0, as people count."""
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""


class _Reading:
    """The walk from the nodes of one document to its values; collects the problems on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._left = MAX_VALUES

    def value_of(self, node: yaml.Node, place: str, depth: int = 1) -> Any:
        """The value of ``node``, which lies at ``place``."""
        self._left -= 1
        if self._left < 0:
            message = f"the document holds more than {MAX_VALUES:,} values once its aliases are followed"
            raise Invalid(Problem(_position(node), message))
        if depth > MAX_DEPTH and not isinstance(node, yaml.ScalarNode):
            raise Invalid(_too_deep(place))
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, place, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.value_of(item, at(place, i), depth + 1) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        return self._refuse(node, place, f"has the tag {shown(node.tag)}, which is not supported")

    def _mapping(self, node: yaml.MappingNode, place: str, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _TAG + "str":
                self._refuse(key_node, place, "has a key that is not a text; put it in quotes")
                continue
            key = key_node.value
            inner = at(place, key)
            if key in mapping:
                self._refuse(key_node, inner, "is given twice")
            mapping[key] = self.value_of(value_node, inner, depth + 1)
        return mapping

    def _scalar(self, node: yaml.ScalarNode, place: str) -> Any:
        text = node.value
        try:
            match node.tag.removeprefix(_TAG):
                case "str":
                    return text
                case "null":
                    return None
                case "bool":
                    return {"true": True, "false": False}[text.lower()]
                case "int":
                    return int(text)
                case "float":
                    return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
        except (ValueError, KeyError):
            return self._refuse(node, place, f"cannot be read as the {node.tag.removeprefix(_TAG)} it is")
        return self._refuse(node, place, f"has the tag {shown(node.tag)}, which is not supported")

    def _refuse(self, node: yaml.Node, place: str, message: str) -> None:
        self.problems.append(Problem(place, f"{message} ({_position(node)})"))
