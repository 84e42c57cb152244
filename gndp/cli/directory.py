"""``gndp directory``: the people and teams, from the command line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gndp.cli.exits import FOUND
from gndp.cli.options import DatabaseUrl, DataDir, Json, opened, read_instant
from gndp.cli.output import cells, one_line, print_json, print_table
from gndp.core.errors import Invalid
from gndp.core.people import Person, Team, skills_from_text
from gndp.core.states import LoadMeasure, Role
from gndp.directory.csv_import import COLUMNS, ImportReport

directory_app = typer.Typer(help="People and teams: list, add, import.", no_args_is_help=True)

UserId = Annotated[str, typer.Argument(help="The id of the person.", show_default=False)]
TeamName = Annotated[str, typer.Argument(help="The name of the team.", show_default=False)]
Name = Annotated[str | None, typer.Option(help="The name that people read. [default: the id]")]
NewName = Annotated[str | None, typer.Option(help="The name that people read.")]
InTeam = Annotated[str | None, typer.Option(help="The team; an empty text for none.")]
PersonRole = Annotated[Role | None, typer.Option(help="What the person is. [default for a new one: worker]")]
Skills = Annotated[
    str | None,
    typer.Option(help="All skills with their levels 1–5, such as 'underwriting:3, kyc:2'."),
]
Capacity = Annotated[
    int | None, typer.Option(help="How many tasks at a time. [default for a new one: no limit]")
]
Email = Annotated[str | None, typer.Option(help="The address; an empty text for none.")]
CalendarName = Annotated[str | None, typer.Option(help="The calendar; an empty text for none.")]
Lead = Annotated[str | None, typer.Option(help="The id of who leads it; an empty text for nobody.")]
Manager = Annotated[str | None, typer.Option(help="The id of who manages it; an empty text for nobody.")]
Measure = Annotated[
    LoadMeasure | None,
    typer.Option(help="What its work is shared out by. [default for a new one: tasks]"),
]
ImbalanceLimit = Annotated[
    int | None,
    typer.Option(help="How much more than another one person may have. [default for a new one: no limit]"),
]


@directory_app.command("teams")
def list_teams(database_url: DatabaseUrl = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the teams."""
    with opened(database_url, data_dir) as workbench:
        teams = workbench.directory.teams()
    if as_json:
        print_json([team._asdict() for team in teams])
    else:
        print_table(
            ("name", "lead", "manager", "calendar", "load measure", "imbalance limit"),
            [cells(t.name, t.lead, t.manager, t.calendar, t.load_measure, t.imbalance_limit) for t in teams],
        )


@directory_app.command("people")
def list_people(
    team: Annotated[str | None, typer.Option(help="Only people of this team.")] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the people, also those who are not active."""
    with opened(database_url, data_dir) as workbench:
        people = workbench.directory.people(team)
        now = workbench.clock()
    if as_json:
        print_json([person._asdict() for person in people])
    else:
        print_table(
            ("id", "name", "team", "role", "skills", "capacity", "state"),
            [
                cells(p.user_id, p.name, p.team, p.role, _skills(p), p.capacity, _state(p, now))
                for p in people
            ],
        )


@directory_app.command("add-team")
def add_team(
    name: TeamName,
    calendar: CalendarName = None,
    lead: Lead = None,
    manager: Manager = None,
    load_measure: Measure = None,
    imbalance_limit: ImbalanceLimit = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Add a team."""
    given = _given(calendar=calendar, lead=lead, manager=manager, load_measure=load_measure)
    given |= _given(imbalance_limit=imbalance_limit)
    with opened(database_url, data_dir) as workbench:
        _print_team(workbench.directory.add_team(name, **given), as_json)


@directory_app.command("update-team")
def update_team(
    name: TeamName,
    calendar: CalendarName = None,
    lead: Lead = None,
    manager: Manager = None,
    load_measure: Measure = None,
    imbalance_limit: ImbalanceLimit = None,
    no_imbalance_limit: Annotated[
        bool, typer.Option("--no-imbalance-limit", help="Do not watch the balance any more.")
    ] = False,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Change what is given of a team."""
    given = _given(calendar=calendar, lead=lead, manager=manager, load_measure=load_measure)
    given |= _limit("imbalance_limit", imbalance_limit, no_imbalance_limit)
    with opened(database_url, data_dir) as workbench:
        _print_team(workbench.directory.update_team(name, **given), as_json)


@directory_app.command("add-person")
def add_person(
    user_id: UserId,
    name: Name = None,
    team: InTeam = None,
    role: PersonRole = None,
    skills: Skills = None,
    capacity: Capacity = None,
    email: Email = None,
    calendar: CalendarName = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Add a person."""
    given = _given(name=name, team=team, role=role, capacity=capacity, email=email, calendar=calendar)
    given |= _skills_given(skills)
    with opened(database_url, data_dir) as workbench:
        _print_person(workbench.directory.add_person(user_id, **given), workbench.clock(), as_json)


@directory_app.command("update-person")
def update_person(
    user_id: UserId,
    name: NewName = None,
    team: InTeam = None,
    role: PersonRole = None,
    skills: Skills = None,
    capacity: Capacity = None,
    no_capacity: Annotated[
        bool, typer.Option("--no-capacity", help="No limit any more on tasks at a time.")
    ] = False,
    email: Email = None,
    calendar: CalendarName = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether the person takes part.")
    ] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Change what is given of a person."""
    given = _given(name=name, team=team, role=role, email=email, calendar=calendar, active=active)
    given |= _limit("capacity", capacity, no_capacity) | _skills_given(skills)
    with opened(database_url, data_dir) as workbench:
        _print_person(workbench.directory.update_person(user_id, **given), workbench.clock(), as_json)


@directory_app.command("out-of-office")
def out_of_office(
    user_id: UserId,
    until: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Until when, with an offset: 2026-08-15T08:00+02:00."),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="Since when. [default: now]")
    ] = None,
    substitute: Annotated[str | None, typer.Option(help="The id of who stands in meanwhile.")] = None,
    back: Annotated[bool, typer.Option("--back", help="The person is there again.")] = False,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say that a person is away, or back."""
    if back == (until is not None):
        raise Invalid("give --until or --back, and not both")
    end = None if until is None else read_instant(until, "until")
    start = None if from_ is None else read_instant(from_, "from")
    with opened(database_url, data_dir) as workbench:
        person = workbench.directory.set_out_of_office(user_id, end, substitute, start)
        _print_person(person, workbench.clock(), as_json)


@directory_app.command("import")
def import_people(
    file: Annotated[
        Path, typer.Argument(help=f"A CSV file with the columns {', '.join(COLUMNS)}.", show_default=False)
    ],
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Leave bad rows out, instead of refusing the file.")
    ] = False,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Add and update people from a CSV file.

    Only user_id must be among its columns, and an empty cell leaves what is. Teams that there are not are
    made. All problems are told at once, and nothing is changed while there is one; with --skip-bad-rows the
    others are loaded, and the exit code is then 1.
    """
    with opened(database_url, data_dir) as workbench:
        report = workbench.directory.import_csv(file, skip_bad_rows=skip_bad_rows)
    if as_json:
        print_json({**report._asdict(), "problems": [problem._asdict() for problem in report.problems]})
    else:
        _print_import(report)
    if report.problems:
        raise typer.Exit(FOUND)


def _print_import(report: ImportReport) -> None:
    for problem in report.problems:
        typer.echo(one_line(f"left out: {problem.as_problem()}"), err=True)
    if report.teams_added:
        typer.echo(one_line(f"new teams: {', '.join(report.teams_added)}"))
    typer.echo(
        f"{len(report.added):,} people added, {len(report.updated):,} updated, "
        f"{len(report.unchanged):,} unchanged"
    )


def _given(**options: Any) -> dict[str, Any]:
    """The options that were given; an empty text says that there is to be none."""
    return {name: None if value == "" else value for name, value in options.items() if value is not None}


def _limit(name: str, value: int | None, without: bool) -> dict[str, Any]:
    if without and value is not None:
        option = name.replace("_", "-")
        raise Invalid(f"give --{option} or --no-{option}, not both")
    return {name: None} if without else _given(**{name: value})


def _skills_given(text: str | None) -> dict[str, Any]:
    return {} if text is None else {"skills": skills_from_text(text, "skills")}


def _print_team(team: Team, as_json: bool) -> None:
    if as_json:
        print_json(team._asdict())
    else:
        led = f"led by {team.lead}" if team.lead else "no lead"
        typer.echo(one_line(f"team {team.name}: {led}, work shared out by {team.load_measure}"))


def _print_person(person: Person, now: datetime, as_json: bool) -> None:
    if as_json:
        print_json(person._asdict())
    else:
        place = f"{person.role}, team {person.team}" if person.team else f"{person.role}, no team"
        typer.echo(one_line(f"{person.user_id}: {person.name}, {place}, {_state(person, now)}"))


def _skills(person: Person) -> str | None:
    return ", ".join(f"{skill}:{level}" for skill, level in sorted(person.skills.items())) or None


def _state(person: Person, now: datetime) -> str:
    """Whether the person takes work now, in words."""
    if not person.active:
        return "not active"
    if not person.is_out_of_office(now):
        return "active"
    stand_in = f", {person.substitute} stands in" if person.substitute else ""
    return f"away until {person.out_of_office_until:%Y-%m-%d %H:%M} UTC{stand_in}"
