"""The workbench: builds and wires everything, and is what every face, notebook and job holds."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from gndp.access.entrance import Entrance
from gndp.access.guard import guarded, guarded_events
from gndp.access.principals import Principal
from gndp.access.rights import Rights
from gndp.core.errors import Forbidden
from gndp.core.people import Person
from gndp.core.records import Process, Task
from gndp.core.states import JobRunStatus
from gndp.directory.calendars import Calendars
from gndp.directory.table_directory import TableDirectory
from gndp.engine.absences import Absences
from gndp.engine.audit import Audit
from gndp.engine.checker import CheckReport, check
from gndp.engine.definitions import Definitions
from gndp.engine.once import once
from gndp.engine.processes import Processes
from gndp.engine.sla import Sla
from gndp.engine.tasks import Tasks
from gndp.engine.transition import Transitions
from gndp.engine.waiting import Waiting
from gndp.events.events import Events
from gndp.jobs.absences import absences
from gndp.jobs.assignment import assignment
from gndp.jobs.history import history
from gndp.jobs.idempotency import idempotency
from gndp.jobs.jobs import Jobs
from gndp.jobs.retention import retention
from gndp.jobs.scheduler import LEASE
from gndp.jobs.sla_sweep import sla_sweep
from gndp.settings import Settings
from gndp.store import embedded
from gndp.store.health import Health
from gndp.store.migrate import migrate
from gndp.store.session import Database, unhurried


def utc_now() -> datetime:
    """The wall clock: aware UTC, microseconds."""
    return datetime.now(UTC)


class Workbench:
    """One workbench on one database: ``.processes``, ``.tasks``, ``.definitions``, ``.directory``,
    ``.calendars``, ``.sla``, ``.events``, ``.jobs``, ``.audit``, ``.entrance``, ``.health``.

    A context manager; ``close()`` gives the connections back, and stops the embedded server when nobody else
    uses it. Thread-safe. Make one after a fork, never before.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], data_dir: Path | None, settings: Settings
    ) -> None:
        self._database = database
        self._data_dir = data_dir
        self._transitions = Transitions(database, clock)
        self.directory = TableDirectory(
            self._transitions.transaction,
            self._transitions.read,
            self._transitions.now,
            self._transitions.people_changed,
        )
        self.calendars = Calendars(
            self._transitions.transaction, self._transitions.read, self._transitions.now
        )
        self._add_engine()
        self.entrance = Entrance(
            self._transitions.transaction,
            self._transitions.read,
            self._transitions.now,
            None if settings.secret_key is None else settings.secret_key.get_secret_value(),
        )
        self.events = Events(self._transitions)
        self.audit = Audit(database)
        waiting = Waiting(self._transitions, self.definitions)
        self._transitions.use_freed_capacity = waiting.use_freed_capacity
        jobs = [
            sla_sweep(self.sla, settings.sla_sweep_seconds),
            assignment(self._transitions, waiting),
            absences(Absences(self._transitions, self.definitions)),
            idempotency(),
            history(),
        ]
        if settings.retention_days is not None:
            jobs.append(retention(self._transitions, settings.retention_days))
        self.jobs = Jobs(self._transitions, jobs)
        self.health = Health(database, LEASE, [job.name for job in jobs])

    def _add_engine(self) -> None:
        self.definitions = Definitions(self._transitions)
        self.processes = Processes(self._transitions, self.definitions)
        self.tasks = Tasks(self._transitions, self.definitions)
        self.sla = Sla(self._transitions, self.definitions, self.directory)

    def acting_as(self, principal: Principal) -> Workbench:
        """The same workbench with somebody's rights: every command and read asks the policy table first, and
        raises Forbidden.

        Commands need not name who gives them. Closing it does nothing. Raises Forbidden on a workbench that
        acts for somebody already.
        """
        if self._transitions.rights is not None:
            raise Forbidden(f"this workbench acts for {self._transitions.rights.principal.user_id}")
        rights = Rights(principal)
        bound = copy(self)
        bound._transitions = self._transitions.acting_as(rights)
        bound._add_engine()
        bound.directory = guarded(self.directory, "directory", rights)
        bound.calendars = guarded(self.calendars, "calendars", rights)
        bound.events = guarded_events(self.events, rights, bound.processes.get)
        bound.jobs = guarded(self.jobs, "jobs", rights)
        bound.audit = guarded(self.audit, "audit", rights)
        bound.health = guarded(self.health, "health", rights)
        bound.entrance = copy(self.entrance)
        for name in ("accounts", "sessions", "tokens", "bearer", "keys"):
            setattr(bound.entrance, name, guarded(getattr(self.entrance, name), name, rights))
        return bound

    @property
    def clock(self) -> Callable[[], datetime]:
        """The clock that gives business instants: once per command, aware UTC."""
        return self._transitions.clock

    @clock.setter
    def clock(self, clock: Callable[[], datetime]) -> None:
        self._transitions.require("workbench.set_up")
        self._transitions.clock = clock

    def count_with(
        self,
        count_events: Callable[[Collection[str]], None],
        count_run: Callable[[str, JobRunStatus, float], None],
    ) -> None:
        """Let metrics be counted: ``count_events`` is told the event types of each transaction of commands
        that this process has committed, ``count_run`` the job, status and seconds of each run that it has
        made."""
        self._transitions.require("workbench.set_up")
        self._transitions.count_events = count_events
        self.jobs.count_run = count_run

    @property
    def database_url(self) -> str:
        """The address of the database, as libpq understands it (it may hold a password)."""
        self._transitions.require("workbench.set_up")
        return self._database.conninfo

    @property
    def acting_user(self) -> str | None:
        """Whom this workbench acts for; None for nobody in particular."""
        rights = self._transitions.rights
        return None if rights is None else rights.principal.user_id

    def may(
        self,
        action: str,
        process: Process | None = None,
        task: Task | None = None,
        person: Person | None = None,
    ) -> bool:
        """Whether whoever this workbench acts for may do something, by its name in the policy table: to a
        task of a process, to a process, to a person, or to everything. So nobody is offered what will be
        refused; what decides is the command itself.
        """
        rights = self._transitions.rights
        return rights is None or rights.allows(action, process, task, person)

    def transaction(self) -> AbstractContextManager[None]:
        """Group the commands of a ``with`` block into one transaction: all of them or none.

        A block inside a block joins it. A refused command has changed nothing, so its error may be caught and
        the unit goes on; a block that raises is undone as a whole.
        """
        return self._transitions.unit_of_work()

    def once(
        self,
        name: str,
        given: dict[str, Any],
        key: str | None,
        do: Callable[[], Any],
        *,
        in_one_transaction: bool = True,
    ) -> Any:
        """Do something that takes no idempotency key by itself, such as adding a person, once under a key.

        ``do`` answers with a JSON value, which comes again for the same ``name`` and key within 24 hours.
        What runs in transactions of its own is not ``in_one_transaction`` with the keeping of its answer.
        Raises Conflict while the first runs, Invalid when it had something else ``given``, and what ``do``
        raises.
        """
        return once(self._transitions, name, given, key, do, in_one_transaction=in_one_transaction)

    def check(self, *, progress: Callable[[int, int], None] | None = None) -> CheckReport:
        """Verify what always holds over the whole database, in one consistent read.

        ``progress(done, total)`` is called after each of what is verified.
        """
        self._transitions.require("audit.see")
        with unhurried(), self._database.connection() as connection:
            return check(connection, progress)

    def interrupt(self) -> None:
        """Have the database break off whatever this process waits for; its transactions are undone."""
        self._transitions.require("workbench.set_up")
        self._database.interrupt()

    def close(self) -> None:
        """Give everything back; closing twice does nothing."""
        if self._transitions.rights is not None:
            return
        self.jobs.stop()
        self.events.close()
        self.health.close()
        self._database.close()
        if self._data_dir is not None:
            data_dir, self._data_dir = self._data_dir, None
            embedded.release(data_dir)

    def __enter__(self) -> Workbench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(
    database_url: str | None = None,
    data_dir: str | Path | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
    settings: Settings | None = None,
    statement_timeout: float | None = None,
) -> Workbench:
    """Open a workbench, bringing its database to this version's tables first.

    ``database_url`` selects a server; without one (here or in ``GNDP_DATABASE_URL``) an embedded PostgreSQL
    runs in ``data_dir`` (or ``GNDP_DATA_DIR``), started by the first client and stopped by the last.
    ``statement_timeout``, in seconds, ends what takes the database longer (StatementTimeout), but for jobs
    and audits. Raises DatabaseUnavailable, DatabaseMismatch or EmbeddedServerError.
    """
    settings = settings or Settings()
    url = database_url
    if url is None and data_dir is None and settings.database_url is not None:
        url = settings.database_url.get_secret_value()
    leased = None
    if url is None:
        leased = Path(data_dir or settings.data_dir or embedded.default_data_dir())
        url = embedded.acquire(leased)
    try:
        migrate(url)
        database = Database(
            url,
            min_size=settings.pool_min_size,
            max_size=settings.pool_max_size,
            statement_timeout=statement_timeout,
            revive=_reviver(leased),
        )
        database.open()
    except BaseException:
        if leased is not None:
            embedded.release(leased)
        raise
    return Workbench(database, clock, leased, settings)


def _reviver(leased: Path | None) -> Callable[[], None]:
    """What brings back the embedded server if it died; nothing for a server of somebody else's."""

    def revive() -> None:
        if leased is not None:
            embedded.revive(leased)

    return revive
