"""The one way of a command: lock → load → decide → guarded changes and events → commit.

A command takes two round trips. The first begins the transaction, locks the process row and loads what the
decision needs; the second writes the changes, each guarded by the version that was decided on, with their
events, and commits. Decisions are made in ``gndp.core`` without any I/O.
"""

from __future__ import annotations

import hashlib
import logging
from collections import ChainMap
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from gndp.access.policy import Reach
from gndp.access.rights import Rights
from gndp.core import arguments
from gndp.core.changes import Changes, Command
from gndp.core.clocks import Ledger, NamedClock
from gndp.core.errors import Conflict, Forbidden, Invalid, NotFound
from gndp.core.policies import Item, Terms
from gndp.core.queues import Aftermath, freed_people, returned_tasks, starts_or_stops
from gndp.core.records import Process, SlaClock, Task
from gndp.core.values import require_aware
from gndp.engine.shelf import Kept, Shelf
from gndp.engine.writes import json_text, writes_of
from gndp.store.queries import Row, Statement, statement
from gndp.store.session import Database, Transaction

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Clock = Callable[[], datetime]

_CLOCK_WIDTH = len(SlaClock._fields)


class Call(NamedTuple):
    """A command as it was called: its name, the actor, and what every command may carry.

    ``arguments`` are compared when an idempotency key comes again. ``causation_id`` is the event that it
    reacts to. ``called_as`` is the command that led to this one and has its keys; None for itself.
    """

    name: str
    actor: str | None
    arguments: dict[str, Any]
    idempotency_key: str | None = None
    correlation_id: str | None = None
    automated: bool = False
    causation_id: UUID | None = None
    called_as: str | None = None


class Cause(Protocol):
    """What commands react to: an event, or a message of the bus."""

    @property
    def id(self) -> UUID:
        """Which it is."""

    @property
    def correlation_id(self) -> str | None:
        """What it belongs to."""


cause: ContextVar[Cause | None] = ContextVar("cause", default=None)
"""What the commands of this context react to, if they do."""


class _Unit(NamedTuple):
    """What the commands of one transaction share: ``aftermath`` and ``kept`` as in ``Work``, and the types of
    the events that they write."""

    transaction: Transaction
    aftermath: Aftermath
    kept: Kept
    event_types: list[str]


EVERYTHING: Mapping[str, None] = {"seen_by": None, "seen_by_team": None}
"""What a query is given that ``sight`` narrows, where nothing is narrowed."""

_DEADLOCK = "40P01"
_MOST_TRIES = 3
"""How often a command is tried whose transaction and another one waited for each other."""


class Work:
    """A command's hold on its transaction: what it loads and what it writes.

    ``aftermath`` is what is to be done about the queues once this is committed. ``kept`` is what need not be
    read again, by key.
    """

    def __init__(self, unit: _Unit, call: Call, now: datetime, commit: bool, rights: Rights | None) -> None:
        given_by = (
            None if rights is None or rights.principal.user_id == call.actor else rights.principal.user_id
        )
        self.command = Command(
            call.actor, now, call.correlation_id, call.automated, call.causation_id, given_by
        )
        self.aftermath = unit.aftermath
        self.kept = unit.kept
        self._transaction = unit.transaction
        self._event_types = unit.event_types
        self._call = call
        self._commit = commit
        self._updated_at = now
        self._shelf = Shelf(unit.kept, self.load, now)
        self._revision = 0
        self._clocks: dict[UUID, list[NamedClock]] = {}
        self._terms: dict[str, Terms] = {}
        self._also: list[Statement] = []
        self._started_terms: dict[str, Terms] = {}
        self._rights = rights
        self._is_permitted = rights is None

    def permit(
        self, process: Process | None = None, task: Task | None = None, action: str | None = None
    ) -> None:
        """Raise Forbidden unless whoever gives the command may do it: to this task of this process, to this
        process, or at all. Nothing is written without. ``action`` is what it comes to here, if that is not
        the command itself."""
        if self._rights is not None:
            self._rights.require(action or self._call.name, process, task)
            self._is_permitted = True

    def load(self, *statements: Statement) -> list[list[Row]]:
        """Run reads and locks in one round trip."""
        return self._transaction.run(*statements)

    def locked_process(self, rows: Sequence[Row], id: object, kind: str = "process") -> Process:
        """The process from the rows of a lock query; NotFound when there is none."""
        if not rows:
            raise NotFound(kind, id)
        self._updated_at = rows[0][0]
        return Process._make(rows[0][1:])

    def take_clocks(self, rows: Sequence[Row], process: Process) -> list[NamedClock]:
        """The clocks from the rows of a query of ``sla.sql``, kept until ``settle`` needs them."""
        self._revision = rows[0][0]
        clocks = [
            NamedClock(clock_of(row), row[-1] or process.process_name) for row in rows if row[1] is not None
        ]
        self._clocks[process.id] = clocks
        self._terms |= self._shelf.terms({named.clock.terms for named in clocks})
        return clocks

    def terms(self, clock: SlaClock) -> Terms | None:
        """What a clock that was taken runs by; None when it cannot be used any more."""
        return self._terms.get(clock.terms)

    def choose_terms(self, item: Item) -> list[tuple[str, Terms]]:
        """The terms of the clocks that an item would get now, each with its fingerprint."""
        chosen = self._shelf.book(self._revision).choose(item)
        self._started_terms |= dict(chosen)
        return chosen

    def unusable_policies(self) -> Mapping[str, str]:
        """The policies that start no clock, and why."""
        return self._shelf.book(self._revision).unusable

    def ledger(self, changes: Changes) -> Ledger:
        """The SLA clocks that were taken, open for what was decided."""
        book = self._shelf.book(self._revision)
        return Ledger(changes, self._clocks[changes.process.id], self._terms, book)

    def close(self, ledger: Ledger) -> Changes:
        """The changes of a ledger, with what its clocks have come to."""
        ledger.show()
        self._started_terms |= ledger.started
        return ledger.changes

    def settle(self, changes: Changes) -> Changes:
        """Let the SLA clocks hear what was decided; answers are true only after that."""
        ledger = self.ledger(changes)
        ledger.hear()
        ledger.look()
        return self.close(ledger)

    def also(self, also: Statement) -> None:
        """Run a statement with the command's own, before them."""
        self._also.append(also)

    def finish(
        self,
        answer: Answer,
        *all_changes: Changes,
        inserted: Process | None = None,
        extra: Sequence[Statement] = (),
    ) -> Answer:
        """Write everything that was decided, keep the answer under its idempotency key, and commit."""
        if not self._is_permitted:
            raise Forbidden(f"nothing says who may {self._call.name}")
        statements = [
            *self._shelf.store(self._started_terms),
            *self._also,
            *writes_of(all_changes, inserted),
            *extra,
        ]
        if any(changes.events for changes in all_changes):
            self._transaction.announce()
        if self._call.idempotency_key is not None:
            owner = key_owner(self._call, self._rights)
            statements.append(remember(self._call, owner, answer))
        queues = [asked for changes in all_changes for asked in _queues(changes)]
        answers = self._transaction.run(*statements, *queues, commit=self._commit)
        self.aftermath.teams |= {row[0] for rows in answers[len(statements) :] for row in rows}
        for changes in all_changes:
            self.aftermath.tasks |= returned_tasks(changes)
            self._event_types += [event.event_type for event in changes.events]
        self._shelf.stored(self._started_terms)
        return answer

    def process_answer(self, changes: Changes) -> Process:
        """The process as it stands once the changes are written."""
        if not changes.process_columns:
            return changes.process
        return changes.process_after()._replace(
            version=changes.process.version + 1, updated_at=self._updated_at
        )

    def task_answer(self, changes: Changes, task: Task) -> Task:
        """A task as it stands once the changes are written."""
        after = changes.task_after(task)
        if after is task:
            return task
        return after._replace(version=task.version + 1, updated_at=self._updated_at)

    def created_answer(self, changes: Changes) -> list[Task]:
        """The new tasks as they stand once they are written."""
        return [task._replace(updated_at=self._updated_at) for task in changes.created_tasks]


class Transitions:
    """Runs commands, one transaction each, or several in the unit of work that is open."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.use_freed_capacity: Callable[[Aftermath], None] = lambda aftermath: None
        self.count_events: Callable[[Collection[str]], None] = lambda event_types: None
        self._kept: dict[Hashable, Any] = {}
        self._unit_of_work: ContextVar[_Unit | None] = ContextVar("unit_of_work", default=None)
        self._fence: ContextVar[Statement | None] = ContextVar("fence", default=None)
        self.rights: Rights | None = None

    def acting_as(self, rights: Rights) -> Transitions:
        """The same with somebody's rights: each command and read asks whether they may."""
        bound = copy(self)
        bound.rights = rights
        return bound

    def require(self, action: str, process: Process | None = None, task: Task | None = None) -> None:
        """Raise Forbidden unless whoever this acts for may do it (everybody may when it acts for nobody)."""
        if self.rights is not None:
            self.rights.require(action, process, task)

    def sight(self, action: str) -> dict[str, str | None]:
        """What narrows a list so that it holds only what may be seen; Forbidden where nothing may be."""
        if self.rights is None or self.rights.reach(action) == Reach.ALL:
            return {}
        if self.rights.reach(action) != Reach.TEAM:
            raise self.rights.refusal(action)
        return {"seen_by": self.rights.principal.user_id, "seen_by_team": self.rights.principal.team}

    def actor(self, named: str | None, place: str = "user_id") -> str:
        """Who does it: the one named; unnamed, whoever this acts for. Invalid when there is neither."""
        if self.rights is None:
            return arguments.name(named, place)
        return self.rights.actor(None if named is None else arguments.name(named, place))

    @contextmanager
    def fenced(self, fence: Statement) -> Iterator[None]:
        """Let every transaction that this block (and thread) opens begin with ``fence``.

        The fence may refuse the transaction by raising in the database, which becomes a Conflict. It costs no
        round trip. Raises Conflict in a unit of work, whose transaction is open already.
        """
        if self._unit_of_work.get() is not None:
            raise Conflict("a job cannot be run inside a unit of work")
        token = self._fence.set(fence)
        try:
            yield
        finally:
            self._fence.reset(token)

    @contextmanager
    def unit_of_work(self) -> Iterator[None]:
        """Group the commands of this block (and thread) into one transaction; nested blocks join it.

        A block that raises undoes the whole unit, also when it is a nested one and the error is caught.
        """
        joined = self._unit_of_work.get()
        if joined is not None:
            try:
                yield
            except BaseException:
                joined.transaction.roll_back()
                raise
            return
        with self._committed_unit() as unit:
            token = self._unit_of_work.set(unit)
            try:
                yield
            finally:
                self._unit_of_work.reset(token)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """The transaction of the unit of work that is open, or one of this block's own."""
        joined = self._unit_of_work.get()
        if joined is not None:
            yield joined.transaction
            return
        with self.database.transaction(self._fence.get()) as transaction:
            yield transaction

    def execute(
        self, call: Call, decide: Callable[[Work], Answer], answer_type: TypeAdapter[Answer]
    ) -> Answer:
        """Run one command: ``decide`` loads, decides and finishes through its ``Work``.

        One that waited for another transaction while that waited for it is tried again, but for a part of a
        unit of work, which is undone as a whole.
        """
        now = self.now()
        call = _caused(call, cause.get())
        joined = self._unit_of_work.get()
        if joined is not None:
            return self._in(joined, call, now, decide, answer_type, commit=False)
        tries = 0
        while True:
            tries += 1
            try:
                with self._committed_unit() as unit:
                    return self._in(unit, call, now, decide, answer_type, commit=True)
            except Conflict as conflict:
                if tries == _MOST_TRIES or conflict.details.get("sqlstate") != _DEADLOCK:
                    raise

    def people_changed(self, people: Collection[str]) -> None:
        """After people were added or changed: whoever has room now is given what waits for them."""
        aftermath = Aftermath(people=set(people))
        joined = self._unit_of_work.get()
        if joined is not None:
            joined.aftermath.add(aftermath)
        else:
            self._see_to(aftermath)

    def now(self) -> datetime:
        """The clock's reading in UTC; Invalid when the clock gives none with a time zone."""
        return require_aware(self.clock(), "clock")

    def read(self, *statements: Statement) -> list[list[Row]]:
        """Run reads in one round trip; inside a unit of work they see what it has written."""
        joined = self._unit_of_work.get()
        return joined.transaction.run(*statements) if joined is not None else self.database.read(*statements)

    def write(self, *statements: Statement) -> list[list[Row]]:
        """Run statements that are no command in one transaction and round trip, or in the open unit."""
        joined = self._unit_of_work.get()
        if joined is not None:
            return joined.transaction.run(*statements)
        with self.database.transaction(self._fence.get()) as transaction:
            return transaction.run(*statements, commit=True)

    @contextmanager
    def _committed_unit(self) -> Iterator[_Unit]:
        """A transaction of this block's own; what follows from its commit comes after the block."""
        aftermath = Aftermath()
        read: dict[Hashable, Any] = {}
        event_types: list[str] = []
        with self.database.transaction(self._fence.get()) as transaction:
            yield _Unit(transaction, aftermath, ChainMap(read, self._kept), event_types)
        self._kept.update(read)
        self.count_events(event_types)
        self._see_to(aftermath)

    def _see_to(self, aftermath: Aftermath) -> None:
        """What is to be done about the queues. The command is committed and must not seem to have failed, so
        what fails here is left to the job."""
        if not aftermath:
            return
        try:
            self.use_freed_capacity(aftermath)
        except Exception:
            _log.warning("the queues are left to the next round", exc_info=True)

    def _in(
        self,
        unit: _Unit,
        call: Call,
        now: datetime,
        decide: Callable[[Work], Answer],
        answer_type: TypeAdapter[Answer],
        commit: bool,
    ) -> Answer:
        if call.idempotency_key is not None:
            remembered = recall(unit.transaction, call, key_owner(call, self.rights))
            if remembered is not None:
                return answer_type.validate_json(remembered)
        return decide(Work(unit, call, now, commit, self.rights))


def _caused(call: Call, reason: Cause | None) -> Call:
    if reason is None:
        return call
    return call._replace(causation_id=reason.id, correlation_id=call.correlation_id or reason.correlation_id)


def _queues(changes: Changes) -> Iterator[Statement]:
    """What to ask, once the changes are written, for the queues that something could be given out from."""
    now = changes.command.now
    people = freed_people(changes)
    if people:
        yield statement("routing", "queues_of_people", people=json_text(sorted(people)), now=now)
    if starts_or_stops(changes):
        yield statement("routing", "queues_of_process", process_id=changes.process.id, now=now)


def clock_of(row: Row) -> SlaClock:
    """The clock in a row of a query of ``sla.sql``, which begins with the policies' revision."""
    return SlaClock._make(row[1 : 1 + _CLOCK_WIDTH])


def key_owner(call: Call, rights: Rights | None) -> str:
    """Whose a call's idempotency key is: of whoever gives the command; of the actor, where nobody says who
    that is."""
    return call.actor or "" if rights is None else rights.principal.user_id


def recall(transaction: Transaction, call: Call, owner: str) -> bytes | None:
    """The first answer under an owner's idempotency key, as JSON; None when it is the first call.

    Raises Conflict while the first one runs, Invalid when it had other arguments.
    """
    scope = _key_scope(call, owner)
    reserved, stored = transaction.run(
        statement("idempotency", "reserve", scope="\x1f".join(str(part) for part in scope.values())),
        statement("idempotency", "recall", **scope),
    )
    if not reserved[0][0]:
        details = {"is_under_way": True}
        raise Conflict("a command with this idempotency key is still running", details=details)
    if not stored:
        return None
    arguments, answer = stored[0]
    if arguments != _fingerprint(call, owner):
        raise Invalid("the idempotency key was used with other arguments")
    return orjson.dumps(answer)


def remember(call: Call, owner: str, answer: object) -> Statement:
    """Keeps an answer under an owner's idempotency key."""
    return statement(
        "idempotency",
        "remember",
        **_key_scope(call, owner),
        arguments=_fingerprint(call, owner),
        answer=json_text(_plain(answer)),
    )


def _plain(answer: object) -> object:
    """Records as lists of their fields, which is what their types are validated from."""
    if isinstance(answer, tuple):
        return [_plain(value) for value in answer]
    if isinstance(answer, list):
        return [_plain(value) for value in answer]
    return answer


def _key_scope(call: Call, owner: str) -> dict[str, str | None]:
    """Where an idempotency key counts: with its owner and the command as it was called."""
    return {"user_id": owner, "command": call.called_as or call.name, "key": call.idempotency_key}


def _fingerprint(call: Call, owner: str) -> str:
    done_for = {} if call.actor in (owner, None) else {"actor": call.actor}
    return hashlib.sha256(
        orjson.dumps(
            call.arguments | done_for, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str
        )
    ).hexdigest()
