"""The directory that GNDP keeps itself, in the tables ``teams`` and ``people``.

A command locks the teams that it knows of by name, takes its turn and loads what its decision needs, decides,
then locks whichever teams that brought, the people by id, and writes. Routing locks teams by name, too, and
by id those people who are in none. So neither holds what the other waits for, also when a unit of work does
both; only two units that take up teams in different orders can. Nothing here is an event of a process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple, Unpack

import orjson

from gndp.core import arguments
from gndp.core.errors import Conflict, Invalid, NotFound, Problem
from gndp.core.people import (
    PERSON_CHECKS,
    TEAM_CHECKS,
    Person,
    PersonChanges,
    Team,
    TeamChanges,
    checked,
    circle_of_substitutes,
    new_person,
    new_team,
)
from gndp.core.values import bounded, require_aware, shown
from gndp.core.versions import refuse_stale
from gndp.directory.csv_import import ImportProblem, ImportReport, PeopleFile, read_people
from gndp.store.queries import Row, Statement, statement
from gndp.store.session import Transaction

_PERSON_COLUMNS = ("lead", "manager", "substitute")


class _Known(NamedTuple):
    """What a command knows of the people, teams and calendars that it names."""

    people: dict[str, Person]
    teams: dict[str, Team]
    calendars: frozenset[str]


class TableDirectory:
    """``wb.directory``: who there is, in which team, able to do what, and away when.

    Commands inside ``with wb.transaction():`` belong to that unit. ``transaction`` gives the transaction to
    work in, ``read`` runs reads in one round trip, ``now`` is the clock, in aware UTC. ``changed`` is told
    who was added or changed: they may have room for what waits.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Transaction]],
        read: Callable[..., list[list[Row]]],
        now: Callable[[], datetime],
        changed: Callable[[Collection[str]], None],
    ) -> None:
        self._transaction = transaction
        self._read = read
        self._now = now
        self._changed = changed

    def teams(self) -> list[Team]:
        """Every team, by name."""
        (rows,) = self._read(statement("directory", "teams"))
        return [Team._make(row) for row in rows]

    def team(self, name: str) -> Team:
        """One team; NotFound when there is none."""
        name = arguments.name(name, "name")
        (rows,) = self._read(statement("directory", "teams_by_name", names=[name]))
        if not rows:
            raise NotFound("team", name)
        return Team._make(rows[0])

    def people(self, team: str | None = None, active: bool | None = None) -> list[Person]:
        """Everybody, by id: in a team, or active, or not active, where that is given.

        Raises NotFound when there is no such team.
        """
        if active is not None:
            arguments.flag(active, "active")
        if team is None:
            (rows,) = self._read(statement("directory", "people", active=active))
        else:
            name = arguments.name(team, "team")
            teams, rows = self._read(
                statement("directory", "teams_by_name", names=[name]),
                statement("directory", "people_of_team", team=name, active=active),
            )
            if not teams:
                raise NotFound("team", name)
        return [Person._make(row) for row in rows]

    def person(self, user_id: str) -> Person:
        """One person; NotFound when there is none."""
        user_id = arguments.name(user_id, "user_id")
        (rows,) = self._read(statement("directory", "people_by_id", user_ids=[user_id]))
        if not rows:
            raise NotFound("person", user_id)
        return Person._make(rows[0])

    def add_team(
        self,
        name: str,
        calendar: str | None = None,
        lead: str | None = None,
        manager: str | None = None,
        load_measure: str = "tasks",
        imbalance_limit: int | None = None,
    ) -> Team:
        """Add a team; its lead and manager are people who are there already.

        ``load_measure`` is tasks, priority or estimated_minutes, and what ``imbalance_limit`` is counted in.
        Raises Conflict when there is a team of this name, Invalid for a calendar or person that there is not.
        """
        name = arguments.name(name, "name")
        given = {"calendar": calendar, "lead": lead, "manager": manager}
        columns = checked(
            TEAM_CHECKS, {**given, "load_measure": load_measure, "imbalance_limit": imbalance_limit}
        )
        with self._transaction() as transaction:
            known = _load(transaction, columns, teams=[name])
            if name in known.teams:
                raise Conflict(f"there is a team {name} already", version=known.teams[name].version)
            _refuse_unknown(known, columns)
            team = new_team(name, columns, self._now())
            add = statement("directory", "add_teams", rows=_json([team]))
            *_, rows = transaction.run(*_locks(teams=[], people=[lead, manager]), add)
            return Team._make(rows[0])

    def update_team(
        self, name: str, *, expected_version: int | None = None, **changes: Unpack[TeamChanges]
    ) -> Team:
        """Change what is given of a team's calendar, lead, manager, load_measure and imbalance_limit.

        None takes away calendar, lead, manager or limit. Raises NotFound, Conflict (stale) when the team has
        not the expected version, and Invalid as ``add_team``.
        """
        name = arguments.name(name, "name")
        columns = checked(TEAM_CHECKS, changes)
        with self._transaction() as transaction:
            known = _load(transaction, columns, teams=[name])
            if name not in known.teams:
                raise NotFound("team", name)
            refuse_stale(known.teams[name].version, expected_version)
            _refuse_unknown(known, columns)
            team = known.teams[name]._replace(**columns)
            if team == known.teams[name]:
                return team
            change = statement("directory", "change_team", **team._asdict())
            locks = _locks(teams=[name], people=[team.lead, team.manager])
            *_, rows = transaction.run(*locks, change)
            return Team._make(rows[0])

    def add_person(
        self,
        user_id: str,
        name: str | None = None,
        team: str | None = None,
        skills: Mapping[str, int] | None = None,
        capacity: int | None = None,
        role: str = "worker",
        email: str | None = None,
        calendar: str | None = None,
        active: bool = True,
    ) -> Person:
        """Add a person, whose name is the id when none is given.

        ``skills`` goes from name to level 1–5, ``capacity`` is how many tasks at a time (None: no limit),
        ``role`` one of viewer, worker, lead, manager, admin, service.
        Raises Conflict when the id is taken, Invalid for a team or calendar that there is not.
        """
        user_id = arguments.name(user_id, "user_id")
        given = {"name": user_id if name is None else name, "team": team, "skills": skills, "role": role}
        columns = checked(
            PERSON_CHECKS,
            {**given, "capacity": capacity, "email": email, "calendar": calendar, "active": active},
        )
        with self._transaction() as transaction:
            known = _load(transaction, columns, people=[user_id])
            if user_id in known.people:
                raise Conflict(f"there is a person {user_id} already", version=known.people[user_id].version)
            _refuse_unknown(known, columns)
            person = _save(transaction, None, new_person(user_id, columns, self._now()))
        self._changed([user_id])
        return person

    def update_person(
        self, user_id: str, *, expected_version: int | None = None, **changes: Unpack[PersonChanges]
    ) -> Person:
        """Change what is given of name, email, team, role, skills, capacity, calendar and active.

        ``skills`` replaces all of them; None takes away an email, team, capacity or calendar. Somebody who
        leaves gets ``active=False``. Raises NotFound, Conflict (stale) when the person has not the expected
        version, and Invalid as ``add_person``.
        """
        user_id = arguments.name(user_id, "user_id")
        columns = checked(PERSON_CHECKS, changes)
        with self._transaction() as transaction:
            known = _load(transaction, columns, people=[user_id])
            before = _person(known, user_id)
            refuse_stale(before.version, expected_version)
            _refuse_unknown(known, columns)
            person = _save(transaction, before, before._replace(**columns))
        self._changed([user_id])
        return person

    def set_out_of_office(
        self,
        user_id: str,
        until: datetime | None,
        substitute: str | None = None,
        from_: datetime | None = None,
        *,
        expected_version: int | None = None,
    ) -> Person:
        """Say that a person is away from an instant (by default now) until another; None ends an absence.

        Meanwhile ``substitute`` stands in. Raises NotFound, Conflict (stale) when the person has not the
        expected version, and Invalid when ``until`` is not in the future and after ``from_``, or the
        substitute is not there, not active, or would in the end be the person.
        """
        user_id = arguments.name(user_id, "user_id")
        now = self._now()
        columns = _absence(until, substitute, from_, now)
        with self._transaction() as transaction:
            known = _load(transaction, columns, people=[user_id])
            before = _person(known, user_id)
            refuse_stale(before.version, expected_version)
            _refuse_unknown(known, columns)
            person = before._replace(**columns)
            if substitute is not None:
                (absent,) = transaction.run(statement("directory", "absent", now=now))
                _refuse_substitute(person, known.people[substitute], map(Person._make, absent))
            person = _save(transaction, before, person)
        self._changed([user_id])
        return person

    def import_csv(self, source: str | Path | IO[str], *, skip_bad_rows: bool = False) -> ImportReport:
        """Add and update people from a CSV file, or a stream of its text; importing again changes nothing.

        Columns are user_id, name, email, team, role, skills, capacity, calendar and active; only the first
        must be there. An empty cell leaves what is. Teams that there are not are made. Raises Invalid with
        every problem, having changed nothing, unless ``skip_bad_rows`` leaves those rows out and says so.
        """
        arguments.flag(skip_bad_rows, "skip_bad_rows")
        file = read_people(source)
        with self._transaction() as transaction:
            columns = [row.columns for row in file.rows]
            known = _load(transaction, *columns, people=[row.user_id for row in file.rows])
            file = _with_known_calendars(file, known)
            if file.problems and not skip_bad_rows:
                raise Invalid(*bounded(problem.as_problem() for problem in file.problems))
            report = _import(transaction, file, known, self._now())
        self._changed([*report.added, *report.updated])
        return report


def _load(
    transaction: Transaction,
    *columns: Mapping[str, Any],
    people: Sequence[str] = (),
    teams: Sequence[str] = (),
) -> _Known:
    """Wait for our turn to change the directory, then read what is named, and what the columns refer to."""
    user_ids = sorted({*people, *_referred(columns, *_PERSON_COLUMNS)})
    names = sorted({*teams, *_referred(columns, "team")})
    *_, person_rows, team_rows, calendar_rows = transaction.run(
        statement("directory", "lock_known_teams", names=names, user_ids=user_ids),
        statement("directory", "lock_people_in_no_team", user_ids=user_ids),
        statement("directory", "lock"),
        statement("directory", "people_by_id", user_ids=user_ids),
        statement("directory", "teams_by_name", names=names),
        statement("directory", "calendars_by_name", names=sorted(_referred(columns, "calendar"))),
    )
    return _Known(
        people={row[0]: Person._make(row) for row in person_rows},
        teams={row[0]: Team._make(row) for row in team_rows},
        calendars=frozenset(row[0] for row in calendar_rows),
    )


def _referred(columns: Iterable[Mapping[str, Any]], *names: str) -> set[str]:
    return {row[name] for row in columns for name in names if row.get(name) is not None}


def _refuse_unknown(known: _Known, columns: Mapping[str, Any]) -> None:
    """Raise Invalid naming every column that refers to somebody or something that there is not."""
    kinds = {"team": ("team", known.teams), "calendar": ("calendar", known.calendars)}
    kinds |= dict.fromkeys(_PERSON_COLUMNS, ("person", known.people))
    problems = [
        Problem(name, f"there is no {kinds[name][0]} {shown(value)}")
        for name, value in columns.items()
        if name in kinds and value is not None and value not in kinds[name][1]
    ]
    if problems:
        raise Invalid(*problems)


def _person(known: _Known, user_id: str) -> Person:
    if user_id not in known.people:
        raise NotFound("person", user_id)
    return known.people[user_id]


def _absence(
    until: datetime | None, substitute: str | None, from_: datetime | None, now: datetime
) -> dict[str, Any]:
    """The columns of an absence, or of none; Invalid when it is over already or ends before it begins."""
    if until is None:
        given = {"substitute": substitute, "from_": from_}
        problems = [Problem(name, "needs until") for name, value in given.items() if value is not None]
        if problems:
            raise Invalid(*problems)
        return dict.fromkeys(("out_of_office_from", "out_of_office_until", "substitute"))
    end = require_aware(until, "until")
    start = now if from_ is None else require_aware(from_, "from_")
    if end <= now:
        raise Invalid(Problem("until", "is in the past"))
    if end <= start:
        raise Invalid(Problem("until", "must be after from_"))
    stand_in = arguments.optional_name(substitute, "substitute")
    return {"out_of_office_from": start, "out_of_office_until": end, "substitute": stand_in}


def _refuse_substitute(person: Person, substitute: Person, absent: Iterable[Person]) -> None:
    """Raise Invalid for somebody who cannot stand in for the person."""
    if substitute.user_id == person.user_id:
        raise Invalid(Problem("substitute", "must be somebody else"))
    if not substitute.active:
        raise Invalid(Problem("substitute", f"{shown(substitute.user_id)} is not active"))
    circle = circle_of_substitutes(person, absent)
    if circle:
        who = " → ".join(circle)
        raise Invalid(Problem("substitute", f"nobody is left while all of them are away: {who}"))


def _with_known_calendars(file: PeopleFile, known: _Known) -> PeopleFile:
    """The file, less the rows whose calendar there is not."""
    known_or_none = known.calendars | {None}
    bad = [row for row in file.rows if row.columns.get("calendar") not in known_or_none]
    problems = [
        ImportProblem(row.line, "calendar", f"there is no calendar {shown(row.columns['calendar'])}")
        for row in bad
    ]
    lines = {row.line for row in bad}
    rows = [row for row in file.rows if row.line not in lines]
    return PeopleFile(rows, sorted([*file.problems, *problems]))


def _import(transaction: Transaction, file: PeopleFile, known: _Known, now: datetime) -> ImportReport:
    added: list[Person] = []
    updated: list[tuple[Person, Person]] = []
    unchanged: list[str] = []
    for row in file.rows:
        before = known.people.get(row.user_id)
        after = (
            new_person(row.user_id, row.columns, now) if before is None else before._replace(**row.columns)
        )
        if before is None:
            added.append(after)
        elif after == before:
            unchanged.append(row.user_id)
        else:
            updated.append((before, after))
    named = _referred([row.columns for row in file.rows], "team")
    teams = [new_team(name, {}, now) for name in sorted(named - known.teams.keys())]
    _write(transaction, added, updated, teams)
    return ImportReport(
        added=[person.user_id for person in added],
        updated=[person.user_id for person, _ in updated],
        unchanged=unchanged,
        teams_added=[team.name for team in teams],
        problems=file.problems,
    )


def _save(transaction: Transaction, before: Person | None, after: Person) -> Person:
    """Write one person, unless nothing changed, and return the row."""
    if before == after:
        return after
    added, updated = ([after], []) if before is None else ([], [(before, after)])
    (row,) = _write(transaction, added, updated)
    return Person._make(row)


def _write(
    transaction: Transaction,
    added: list[Person],
    updated: list[tuple[Person, Person]],
    new_teams: Sequence[Team] = (),
) -> list[Row]:
    """Write new teams and people and return the people's rows, locking teams first and then people."""
    changed = [after for _, after in updated]
    teams = [person.team for pair in updated for person in pair] + [person.team for person in added]
    people = [id for person in changed for id in (person.user_id, person.substitute)]
    *_, inserted, moved = transaction.run(
        statement("directory", "add_teams", rows=_json(new_teams)),
        *_locks(teams=teams, people=people),
        statement("directory", "add_people", rows=_json(added)),
        statement("directory", "change_people", rows=_json(changed)),
    )
    return inserted + moved


def _locks(*, teams: Iterable[str | None], people: Iterable[str | None]) -> list[Statement]:
    return [
        statement("directory", "lock_teams", names=sorted(name for name in {*teams} if name is not None)),
        statement("directory", "lock_people", user_ids=sorted(id for id in {*people} if id is not None)),
    ]


def _json(rows: Iterable[Person | Team]) -> str:
    return orjson.dumps([row._asdict() for row in rows]).decode()
