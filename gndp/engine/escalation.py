"""Escalating within a sweep: which levels have come, whom each is for, and what deciding about it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gndp.core.clocks import Ledger
from gndp.core.escalation import EscalatedItem, Recipient, due_level, escalate
from gndp.core.people import Person, Team
from gndp.core.policies import EscalationLevel, Terms
from gndp.core.processes import AffectedTask
from gndp.core.records import Process, SlaClock, Task
from gndp.directory.contract import Directory
from gndp.engine.definitions import Definitions
from gndp.engine.task_state import affected_task
from gndp.engine.transition import Work
from gndp.store.queries import statement


class WhoIsWho(NamedTuple):
    """The directory as it was at one moment: asked once, before anything is locked."""

    people: Mapping[str, Person]
    teams: Mapping[str, Team]


def who_is_who(directory: Directory) -> WhoIsWho:
    """Everybody whom an escalation may reach, and the teams that they lead and manage."""
    return WhoIsWho(
        {person.user_id: person for person in directory.people()},
        {team.name: team for team in directory.teams()},
    )


class _Due(NamedTuple):
    """A clock for which a level has come."""

    ledger: Ledger
    clock: SlaClock
    terms: Terms


def escalate_due(work: Work, definitions: Definitions, who: WhoIsWho, ledgers: Sequence[Ledger]) -> None:
    """Fire the levels that have come; after each the clocks hear what it did, which may end or pause them."""
    due = [
        _Due(ledger, clock, terms)
        for ledger in ledgers
        for clock, terms in ledger.still_due()
        if due_level(clock, terms, ledger.changes.at) is not None
    ]
    if not due:
        return
    items = _Items(work, definitions, due)
    for ledger, clock, terms in due:
        while (level := due_level(ledger.clock(clock), terms, ledger.changes.at)) is not None:
            item = items.item(ledger, clock.task_id)
            recipient = _recipient(who, level[1], ledger.changes.process_after(), item.task, work.command.now)
            ledger.keep(escalate(ledger.changes, ledger.clock(clock), *level, item, recipient))
            ledger.hear()


class _Items:
    """The tasks of clocks, with who did the steps that theirs must be kept apart from, by now."""

    def __init__(self, work: Work, definitions: Definitions, due: Sequence[_Due]) -> None:
        task_ids = [clock.task_id for _, clock, _ in due if clock.task_id is not None]
        (rows,) = work.load(statement("sla", "escalated_tasks", task_ids=task_ids)) if task_ids else ([],)
        self._tasks: dict[UUID, AffectedTask] = {row[0]: affected_task(row) for row in rows}
        self._apart: dict[UUID, frozenset[str]] = {}
        for ledger, clock, _ in due:
            if clock.task_id is not None:
                step = self._tasks[clock.task_id].task.task_definition_id
                process = ledger.changes.process
                apart = definitions.steps_apart(
                    work, process.process_definition_id, process.definition_version, step
                )
                self._apart[clock.task_id] = apart
        self._performers = _performers(work, due, frozenset[str]().union(*self._apart.values()))

    def item(self, ledger: Ledger, task_id: UUID | None) -> EscalatedItem:
        """What a clock of this task measures, after everything that was escalated so far."""
        if task_id is None:
            return EscalatedItem()
        process_id = ledger.changes.process.id
        for task, _ in ledger.changes.task_columns.values():
            given_to = ledger.changes.task_after(task).assigned_to
            if given_to is not None:
                self._performers.setdefault((process_id, task.task_definition_id), set()).add(given_to)
        affected = self._tasks[task_id]
        kept_apart = (self._performers.get((process_id, step), ()) for step in self._apart[task_id])
        return EscalatedItem(affected.task, affected.assignment, frozenset[str]().union(*kept_apart))


def _performers(work: Work, due: Sequence[_Due], steps: frozenset[str]) -> dict[tuple[UUID, str], set[str]]:
    found: dict[tuple[UUID, str], set[str]] = {}
    if steps:
        process_ids = list({ledger.changes.process.id for ledger, _, _ in due})
        (rows,) = work.load(statement("sla", "performers", process_ids=process_ids, steps=sorted(steps)))
        for process_id, step, person in rows:
            found.setdefault((process_id, step), set()).add(person)
    return found


def _recipient(
    who: WhoIsWho, level: EscalationLevel, process: Process, task: Task | None, now: datetime
) -> Recipient:
    assignee = (task.assigned_to if task else None) or process.assigned_to
    match level.to:
        case "person":
            return _able(who, level.person, "", now)
        case "assignee":
            return Recipient(assignee, "nobody has it")
    name = (task.assigned_team if task else None) or process.assigned_team
    if name is None and (person := who.people.get(assignee or "")) is not None:
        name = person.team
    if name is None:
        return Recipient(None, "it has no team")
    team = who.teams.get(name)
    if team is None:
        return Recipient(None, f"there is no team {name}")
    if level.to == "manager":
        return _able(who, team.manager, f"the team {name} has no manager", now)
    return _able(who, team.lead, f"the team {name} has no lead", now)


def _able(who: WhoIsWho, user_id: str | None, why_nobody: str, now: datetime) -> Recipient:
    person = who.people.get(user_id or "")
    unable = None
    if person is not None and not person.active:
        unable = f"{user_id} is not active"
    elif person is not None and person.is_out_of_office(now):
        unable = f"{user_id} is out of office until {person.out_of_office_until:%Y-%m-%d %H:%M} UTC"
    return Recipient(user_id, why_nobody, unable)
