"""Server-Sent Events as they come over the wire, taken apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Message(NamedTuple):
    """What stands between two empty lines; what is not said is empty."""

    id: str
    event: str
    data: bytes


def messages(chunks: Iterable[bytes]) -> Iterator[Message]:
    """The messages of a stream; of one that breaks off within a message, not that one.

    A comment alone is a message that says nothing: its sender lives.
    """
    fields: dict[bytes, bytes] = {}
    for line in _lines(chunks):
        if not line:
            yield _message(fields)
            fields = {}
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data" and name in fields:
            value = fields[name] + b"\n" + value
        if name:  # a comment has none
            fields[name] = value


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    # By line feeds only: JSON may hold characters that `splitlines` takes for the end of a line.
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r")


def _message(fields: dict[bytes, bytes]) -> Message:
    return Message(
        fields.get(b"id", b"").decode(), fields.get(b"event", b"").decode(), fields.get(b"data", b"")
    )
