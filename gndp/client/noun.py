"""What all nouns of the client have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from gndp.client.transport import Transport


class Creating(TypedDict, total=False):
    """What every command may carry: a key under which it is done once, and what it belongs to."""

    idempotency_key: str | None
    correlation_id: str | None


class Common(Creating, total=False):
    """What every command on an item may carry; the version that it must still have, too."""

    expected_version: int | None


class Noun:
    """Methods of the client that belong together."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport


def refuse_unknown(given: Mapping[str, Any], known: Any) -> None:
    """Raise TypeError for a keyword that is none of a TypedDict's, as any function does."""
    unknown = given.keys() - known.__annotations__.keys()
    if unknown:
        raise TypeError(f"unexpected keyword argument '{min(unknown)}'")


def parted(keywords: Mapping[str, Any], known: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keywords of a command: those of its body, and what every command may carry."""
    refuse_unknown(keywords, known)
    carried = Creating.__annotations__.keys()
    body = {name: value for name, value in keywords.items() if name not in carried and value is not None}
    return body, {name: value for name, value in keywords.items() if name in carried}
