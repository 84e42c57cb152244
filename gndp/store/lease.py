"""The lease: one holder at a time, by the database's clock, each reign with an epoch of its own."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta
from typing import NamedTuple

from gndp.core.errors import GndpError
from gndp.store.queries import Row, Statement, statement
from gndp.store.session import Database

LENGTH = 10.0
"""Seconds that a lease lasts after it was taken or renewed (as in ``sql/queries/leases.sql``)."""

_RENEW_EVERY = 3.0
_TRY_EVERY = 1.0

_log = logging.getLogger(__name__)


class Reign(NamedTuple):
    """A time of holding the lease: its epoch, and when it was last confirmed by which clock.

    ``confirmed`` is this process's monotonic clock before the lease was asked for, ``answered`` the same
    after the answer, which said ``database_time``. ``is_after_loss`` says that whoever had it before has not
    given it back: killed, cut off, or asleep.
    """

    lease: str
    holder: str
    epoch: int
    confirmed: float
    answered: float
    database_time: datetime
    is_after_loss: bool

    @property
    def is_over(self) -> bool:
        """Whether the lease has lapsed, as far as can be known here; the database may know more."""
        return time.monotonic() >= self.confirmed + LENGTH

    @property
    def now(self) -> datetime:
        """The database's time, at the latest: never later than it is."""
        return self.database_time + timedelta(seconds=time.monotonic() - self.answered)

    @property
    def fence(self) -> Statement:
        """What begins every transaction of this reign, and refuses it once the reign is over."""
        return statement("leases", "fence", name=self.lease, epoch=self.epoch)


class Lease:
    """A lease that a thread of this process takes as soon as it is free, and renews while it holds it.

    It works over a connection beside the commands', so that it is not lost while they have all of theirs, and
    holds no lock and no session state: a cut connection costs one renewal. The connection is its own, or
    comes from ``shared``, an open ``Database.beside()`` of several leases. Not to be started twice.
    """

    def __init__(self, database: Database, name: str, holder: str, shared: Database | None = None) -> None:
        self._is_own = shared is None
        self._database = shared or database.beside()
        self._name = name
        self._holder = holder
        self._reign: Reign | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease {name}", daemon=True)

    @property
    def reign(self) -> Reign | None:
        """The reign that is on, None while somebody else holds the lease or nobody does."""
        reign = self._reign
        return None if reign is None or reign.is_over else reign

    def holds(self, reign: Reign) -> bool:
        """Whether a reign is still on."""
        current = self.reign
        return current is not None and current.epoch == reign.epoch

    def start(self) -> Lease:
        """Try for the lease once, and go on in a thread of its own; DatabaseUnavailable as ``Database``."""
        if self._is_own:
            self._database.open()
        try:
            self._confirm()
        except BaseException:
            self._close()
            raise
        self._thread.start()
        return self

    def stop(self) -> None:
        """Give the lease back, so that somebody else can take it at once."""
        self._stopping.set()
        self._thread.join()
        reign, self._reign = self._reign, None
        if reign is not None:
            try:
                self._write(statement("leases", "release", name=self._name, epoch=reign.epoch))
            except GndpError as error:
                _log.warning("the lease %s is not given back and will lapse: %s", self._name, error)
        self._close()

    def _close(self) -> None:
        if self._is_own:
            self._database.close()

    def _keep(self) -> None:
        pause = _TRY_EVERY if self._reign is None else _RENEW_EVERY
        while not self._stopping.wait(pause):
            pause = _TRY_EVERY
            try:
                self._confirm()
                if self._reign is not None:
                    pause = _RENEW_EVERY
            except GndpError as error:
                _log.warning("the lease %s cannot be had: %s", self._name, error)
            except Exception:
                _log.exception("the lease %s cannot be had", self._name)

    def _confirm(self) -> None:
        """Renew the lease, or try to take it."""
        before, held = time.monotonic(), self._reign
        if held is None:
            answer = self._write(
                statement("leases", "ensure", name=self._name),
                statement("leases", "take", name=self._name, holder=self._holder),
            )
        else:
            answer = self._write(statement("leases", "renew", name=self._name, epoch=held.epoch))
        self._reign = None
        if answer[-1]:
            epoch, database_time, *lost = answer[-1][0]
            is_after_loss = lost[0] if held is None else held.is_after_loss
            self._reign = Reign(
                self._name, self._holder, epoch, before, time.monotonic(), database_time, is_after_loss
            )
        self._tell(held)

    def _tell(self, held: Reign | None) -> None:
        if held is None and self._reign is not None:
            _log.info("%s holds the lease %s, epoch %d", self._holder, self._name, self._reign.epoch)
        elif held is not None and self._reign is None:
            _log.warning("%s has lost the lease %s, epoch %d", self._holder, self._name, held.epoch)

    def _write(self, *statements: Statement) -> list[list[Row]]:
        with self._database.transaction() as transaction:
            return transaction.run(*statements, commit=True)
