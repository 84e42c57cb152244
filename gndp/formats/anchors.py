"""Anchors: files that keep where the chain of every process ended, to be held against the log later.

JSON Lines: the first says when and where, then comes one line per process, and the last seals them: how many
there are, and the root, the SHA-256 of all lines before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

import orjson
from pydantic import Field, TypeAdapter

from gndp.formats.content import Content, replacing


class Place(NamedTuple):
    """When and where an anchor was read: the instant, the cluster's system identifier, and its database."""

    as_of: datetime
    cluster: str
    database: str
    anchor: Literal[1] = 1


class Head(NamedTuple):
    """The end of the chain of one process: its last event, and how many events there are."""

    process_id: UUID
    seq: int
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    events: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """What an anchor says of itself.

    ``processes`` and ``events`` are how many it covers, ``root`` is one hash (SHA-256 in hexadecimal) over
    everything that it holds.
    """

    place: Place
    processes: int
    events: int
    root: str


_PLACE = TypeAdapter(Place)
_HEAD = TypeAdapter(Head)


def write_anchor(path: Path, place: Place, heads: Iterable[Head]) -> Anchor:
    """Write an anchor, in one step when all is written; raises Invalid when the folder does not allow it."""
    root, processes, events = sha256(), 0, 0
    with replacing(path) as file:
        first = _line(place._asdict())
        file.write(first)
        root.update(first)
        for head in heads:
            line = _line(head._asdict())
            file.write(line)
            root.update(line)
            processes += 1
            events += head.events
        anchor = Anchor(place, processes, events, root.hexdigest())
        file.write(_seal(anchor))
    return anchor


def read_anchor(path: Path) -> Anchor | None:
    """What the file says of itself; None when it is no anchor, or not what was written.

    Raises Invalid when the file cannot be read.
    """
    with _open(path) as lines:
        first, last = next(lines, b""), next(lines, b"")
        root, processes, events = sha256(first), 0, 0
        try:
            place = _PLACE.validate_json(first)
            for line in lines:
                events += _HEAD.validate_json(last).events
                root.update(last)
                processes += 1
                last = line
        except ValueError:
            return None
    anchor = Anchor(place, processes, events, root.hexdigest())
    return anchor if last == _seal(anchor) else None


def read_heads(path: Path, anchor: Anchor) -> Iterator[Head]:
    """The heads of an anchor that was found to be what was written."""
    with _open(path) as lines:
        next(lines)
        for _ in range(anchor.processes):
            yield _HEAD.validate_json(next(lines))


def _open(path: Path) -> BufferedReader:
    return BufferedReader(Content(path))


def _line(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _seal(anchor: Anchor) -> bytes:
    return _line({"processes": anchor.processes, "events": anchor.events, "root": anchor.root})
