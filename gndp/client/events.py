"""Events: ``wb.events``, as far as programs elsewhere can have it."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from uuid import UUID
from weakref import WeakSet

from gndp.client.encoding import given, segment
from gndp.client.live import LiveStream
from gndp.client.noun import Noun
from gndp.client.replies import records
from gndp.client.transport import Transport
from gndp.core.records import Delivery, Subscription
from gndp.core.values import parse_id


class Events(Noun):
    """Follow what is committed, and look after durable subscriptions.

    Patterns are an event type (``task.completed``), a prefix (``sla.*``) or ``*``. What happened in one
    process is ``processes.events``.
    """

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._streams: WeakSet[LiveStream] = WeakSet()

    def live(
        self, pattern: str = "*", *, process_id: UUID | str | None = None, after: str | None = None
    ) -> LiveStream:
        """The events that match (of one process, if you like) as a stream: those committed from now on, or
        those behind ``after``, the position of an event that a stream gave before, here or elsewhere.

        Raises Invalid for a position that is none, Conflict for one of another database or beyond the log.
        """
        process = None if process_id is None else parse_id(process_id, "process_id")
        query = given(pattern=pattern, process_id=process, after=after)
        stream = LiveStream(self._transport, query)
        self._streams.add(stream)
        return stream

    def beginning(self) -> str:
        """The position before the first event, for a stream of all that there is."""
        return "beginning"

    def subscriptions(self) -> builtins.list[Subscription]:
        """Every durable subscription of the database, by name: who reads it, and how far it has come."""
        return records(Subscription, self._transport.get("/subscriptions"))

    def unsubscribe(self, name: str) -> None:
        """Remove a durable subscription with its position and what is parked; NotFound when there is none."""
        self._transport.change("DELETE", _path(name), is_repeatable=False)

    def parked(
        self, name: str | None = None, *, status: str | None = None, limit: int = 100
    ) -> builtins.list[Delivery]:
        """Events that a durable subscription (or any) has passed without their being handled, oldest first:
        those whose ``status`` is retrying, behind or dead, or all."""
        query = {"name": name, "status": status, "limit": limit}
        return records(Delivery, self._transport.get("/deliveries", query))

    def dead(self, name: str | None = None, *, limit: int = 100) -> builtins.list[Delivery]:
        """The events at which the handler of a durable subscription (or of any) has failed too often."""
        return self.parked(name, status="dead", limit=limit)

    def replay(self, name: str, seqs: Sequence[int] | None = None) -> int:
        """Give the dead events of a subscription (or those with these ``seq``) to its handler again; how
        many."""
        return self._of_dead("replay", name, seqs)

    def discard(self, name: str, seqs: Sequence[int] | None = None) -> int:
        """Give up the dead events of a subscription (or those with these ``seq``) for good; how many."""
        return self._of_dead("discard", name, seqs)

    def close(self) -> None:
        """End every stream."""
        for stream in list(self._streams):
            stream.close()

    def _of_dead(self, verb: str, name: str, seqs: Sequence[int] | None) -> int:
        answer = self._transport.command("POST", f"{_path(name)}/{verb}", given(seqs=seqs))
        count: int = answer["count"]
        return count


def _path(name: str) -> str:
    return f"/subscriptions/{segment(name, 'name')}"
