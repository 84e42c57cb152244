"""Durable subscriptions: how far they have come, and what their handlers could not handle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .reading import Store

if TYPE_CHECKING:
    from gndp.core.records import Delivery, Subscription, Writer

MOST_SHOWN = 1_000
"""How many parked events are shown."""


@dataclass
class Subscriptions(Store):
    """Every subscription, and what they have parked with the ``status`` that is chosen (or all)."""

    status: str | None = "dead"
    subscriptions: list[Subscription] = field(default_factory=list)
    parked: list[Delivery] = field(default_factory=list)
    writer: Writer | None = None

    def read(self) -> None:
        """Read all of it anew."""
        events = self.workbench().events
        self.subscriptions = events.subscriptions()
        self.parked = events.parked(status=self.status, limit=MOST_SHOWN)
        self.writer = events.oldest_writer()

    def delivery(self, id: str) -> Delivery | None:
        """The parked event with an id of this page."""
        return next((found for found in self.parked if id_of(found) == id), None)

    def by_subscription(self, ids: Iterable[str]) -> dict[str, list[int]]:
        """The ``seq`` of those that are dead among these, for each subscription."""
        wanted = set(ids)
        found: dict[str, list[int]] = defaultdict(list)
        for delivery in self.parked:
            if delivery.status == "dead" and id_of(delivery) in wanted:
                found[delivery.subscription].append(delivery.event.seq)
        return found


def id_of(delivery: Delivery) -> str:
    """What a parked event is called on a page."""
    return f"{delivery.subscription}/{delivery.event.seq}"
