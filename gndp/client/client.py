"""The client as a whole: one pool of connections, and every noun of the API."""

from __future__ import annotations

import os
from types import TracebackType

from gndp.client.accounts import Accounts, Tokens
from gndp.client.calendars import Calendars
from gndp.client.definitions import Definitions
from gndp.client.directory import Directory
from gndp.client.events import Events
from gndp.client.jobs import Jobs
from gndp.client.processes import Processes
from gndp.client.sla import Sla
from gndp.client.tasks import Tasks
from gndp.client.transport import Transport


class Client:
    """A workbench on a server: ``.processes``, ``.tasks``, ``.definitions``, ``.sla``, ``.calendars``,
    ``.directory``, ``.events``, ``.jobs``, and for admins ``.accounts`` and ``.tokens``.

    Methods, keywords, answers and errors are those of ``gndp.connect()``. ``url`` is the server's address,
    ``token`` an API token or a bearer token; without one, the environment's ``GNDP_TOKEN``. ``timeout`` is in
    seconds, for connecting and for each wait for an answer. What broke off, or was asked too often, is tried
    ``retries`` times more; a command is done once all the same, for the client gives it an idempotency key
    where you give none. Raises ServerUnavailable when the server cannot be reached, RateLimited and
    ServerFault beside what the workbench raises.

    A context manager; ``close()`` gives the connections back. Thread-safe. Make one after a fork, never
    before.
    """

    def __init__(
        self, url: str, token: str | None = None, *, timeout: float = 30.0, retries: int = 3
    ) -> None:
        transport = Transport(url, token or os.environ.get("GNDP_TOKEN") or None, timeout, retries)
        self._transport = transport
        self.processes = Processes(transport)
        self.tasks = Tasks(transport)
        self.definitions = Definitions(transport)
        self.sla = Sla(transport)
        self.calendars = Calendars(transport)
        self.directory = Directory(transport)
        self.events = Events(transport)
        self.jobs = Jobs(transport)
        self.accounts = Accounts(transport)
        self.tokens = Tokens(transport)

    def __repr__(self) -> str:
        return f"<Client of {self._transport.url}>"

    def close(self) -> None:
        """End every stream and give the connections back; closing twice does nothing."""
        self.events.close()
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
