"""The refusals and faults that callers meet, as one tree.

::

    GndpError
    ├── Refusal                the command was understood and refused; nothing was changed
    │   ├── NotFound           no such process, task, definition, policy, person, team, …
    │   ├── Conflict           the current state does not allow it; carries that state
    │   ├── Invalid            the arguments are wrong in themselves; carries every problem
    │   ├── Forbidden          the actor has not the right to it
    │   ├── RateLimited        the server was asked too often; carries when it may be asked again
    │   └── Unauthenticated    nobody proved who they are, or not well enough; says no more than that
    ├── DatabaseUnavailable    the database cannot be reached, or the connection broke
    ├── StatementTimeout       the database was stopped over something that took too long
    ├── DatabaseMismatch       the database is from another version of GNDP, or is not GNDP's
    ├── EmbeddedServerError    the embedded PostgreSQL cannot be started from its data directory
    ├── ServerUnavailable      the web server cannot be reached, or cannot listen where it should
    └── ServerFault            the web server failed, or its reply makes no sense

The API maps the tree once: NotFound 404, Conflict 409, Invalid 422, Forbidden 403, Unauthenticated 401,
DatabaseUnavailable and StatementTimeout 503. The client (`gndp.client`) maps it back.
"""

from __future__ import annotations

from typing import Any


class GndpError(Exception):
    """The root of everything that GNDP raises on purpose."""


class Refusal(GndpError):
    """A command was refused; nothing was changed."""


class NotFound(Refusal):
    """There is no such thing.

    ``kind`` is what was looked for (``process``, ``task``, ``definition``, ``policy``, ``calendar``,
    ``person``, ``team``, ``job``), ``id`` what was asked.
    """

    def __init__(self, kind: str, id: object) -> None:
        super().__init__(f"no {kind} {id}")
        self.kind = kind
        self.id = str(id)


class Conflict(Refusal):
    """The current state does not allow the command.

    ``status`` and ``version`` are those of the item that stands in the way (None where it has none), so
    that the caller can decide anew without another read. ``stale`` is True when the refusal is about
    ``expected_version`` (the API then answers 412 to an If-Match).
    """

    def __init__(
        self,
        message: str,
        *,
        status: str | None = None,
        version: int | None = None,
        stale: bool = False,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.version = version
        self.stale = stale
        self.details = details or {}


class Problem(tuple[str, str]):
    """One thing wrong with an input: ``place`` (a path such as ``steps[2].depends_on``) and ``message``."""

    __slots__ = ()

    def __new__(cls, place: str, message: str) -> Problem:
        """Make a problem from its place and its message."""
        return tuple.__new__(cls, (place, message))

    @property
    def place(self) -> str:
        """Where in the input, as a path; empty for the whole of it."""
        return self[0]

    @property
    def message(self) -> str:
        """What is wrong there, in words."""
        return self[1]

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class Invalid(Refusal):
    """The arguments are wrong in themselves, whatever the state; ``problems`` lists all that were found."""

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = tuple(p if isinstance(p, Problem) else Problem("", p) for p in problems)
        super().__init__("; ".join(str(p) for p in self.problems))


class Forbidden(Refusal):
    """The actor has not the right to do this."""


class Unauthenticated(Refusal):
    """Nobody proved who they are: no credentials, or some that are wrong, used up, expired or revoked.

    It is the same for all of these, and for somebody who is unknown, locked out or not active, so that
    whoever guesses learns nothing from it.
    """

    def __init__(self) -> None:
        super().__init__("not signed in, or the credentials are not valid")


class RateLimited(Refusal):
    """The server was asked too often. ``retry_after`` is in how many seconds it may be asked again, None when
    it did not say."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DatabaseUnavailable(GndpError):
    """The database cannot be reached or the connection broke; whether the command took effect is unknown
    only if this came while committing: give commands an idempotency key to repeat them safely."""


class StatementTimeout(GndpError):
    """The database was stopped over a statement that took too long; nothing was changed."""


class DatabaseMismatch(GndpError):
    """The database is from a newer version of GNDP, or its contents are not GNDP's."""


class EmbeddedServerError(GndpError):
    """The embedded PostgreSQL cannot be started or stopped; the message says what to do about it."""


class ServerUnavailable(GndpError):
    """The web server cannot be reached, or the connection broke; or it cannot listen where it should: a busy
    port, or an address of another machine.

    Whether a command took effect whose connection broke is unknown: the same idempotency key tells.
    """


class ServerFault(GndpError):
    """The web server failed, or its reply makes no sense; ``correlation_id`` finds the fault in its log."""

    def __init__(self, message: str, *, correlation_id: str | None = None) -> None:
        super().__init__(message)
        self.correlation_id = correlation_id
