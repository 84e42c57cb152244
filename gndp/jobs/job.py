"""What a scheduled job is, and the instants that it is due for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from gndp.store.queries import Row, Statement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class JobContext(NamedTuple):
    """What a run of a job is given.

    ``slot`` is the instant that it is for and ``attempt`` the number of the try, from 1: a later one comes
    after somebody who died in the middle of it, so a job must bear to be run again. ``write`` runs
    statements in one transaction and round trip. ``should_stop`` says that the run ought to end soon, with
    what it has done so far, because its server stops or has lost the lease.

    What the job's own thread writes, here or by the engine's commands, is fenced: a Conflict and no change
    once the lease is lost. A transaction in which the client is silent for 5 seconds is undone.
    """

    slot: datetime
    attempt: int
    write: Callable[..., list[list[Row]]]
    should_stop: Callable[[], bool]

    def write_all(self, batch: Statement, most: int) -> int:
        """Repeat a statement that counts the rows it moved, one transaction each, until it moves fewer than
        ``most``; how many there were."""
        moved = 0
        while not self.should_stop():
            ((counted,),) = self.write(batch)
            moved += counted[0]
            if counted[0] < most:
                break
        return moved


@dataclass(frozen=True, slots=True)
class Job:
    """A job that is due at every multiple of ``interval`` (2 seconds or more) since 1970-01-01 UTC.

    ``run`` does it and reports what it did, as JSON; what it raises is kept as the run's error. ``next_due``
    gives an instant at which the job is wanted though its interval has not passed; it is asked about once a
    second. ``meaning`` is one line for people.
    """

    name: str
    interval: timedelta
    run: Callable[[JobContext], dict[str, Any]]
    meaning: str
    next_due: Callable[[], datetime | None] | None = None

    def slot_at(self, instant: datetime) -> datetime:
        """The newest slot at ``instant``."""
        return _EPOCH + (instant - _EPOCH) // self.interval * self.interval
