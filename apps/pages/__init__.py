"""The pages. Each builds its view for one desk; what it shows comes from a store."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, NamedTuple, Protocol, runtime_checkable

from gndp.core.records import Event

from ..desk import Desk


class View(Protocol):
    """A page as one person sees it. ``panel`` is what is shown; nothing was read yet when it is built."""

    panel: Any

    def refresh(self) -> None:
        """Read anew what is shown, and show it; called in threads, never twice at once."""

    def concerns(self, event: Event) -> bool:
        """Whether an event may have changed what is shown."""


@runtime_checkable
class Following(Protocol):
    """A view that need not be built anew for every address of its page."""

    def follow(self) -> bool:
        """Show what the address asks for now; False when that takes a new view."""


class Place(NamedTuple):
    """A page: its path, what links to it say, under which title they stand, what may be done by whoever is
    shown the link ('' for everybody), and how its view is built. A page without a label has no link."""

    path: str
    label: str
    group: str
    action: str
    build: Callable[[Desk], View]


def in_turn(refresh: Callable[[Any], None]) -> Callable[[Any], None]:
    """A view's ``refresh`` that waits for the one before it: what the person does and what changes elsewhere
    ask for it in different threads, and the last must show the newest."""

    @wraps(refresh)
    def refreshed(view: Any) -> None:
        with vars(view).setdefault("_refreshing", RLock()):
            refresh(view)

    return refreshed
