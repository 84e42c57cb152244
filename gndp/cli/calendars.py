"""``gndp calendars``: working-time calendars, and what they answer, from the command line."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from gndp.cli.options import DatabaseUrl, DataDir, Json, opened, read_instant
from gndp.cli.output import one_line, print_json, print_table, shown_duration, shown_instant
from gndp.core.calendars import WEEKDAYS, Calendar
from gndp.core.documents import read_document
from gndp.core.errors import Invalid
from gndp.core.values import require_aware

calendars_app = typer.Typer(help="Working-time calendars: save, list, count with one.", no_args_is_help=True)

CalendarName = Annotated[str, typer.Argument(help="The name of the calendar.", show_default=False)]
Start = Annotated[
    str,
    typer.Argument(help="The instant, with an offset: 2026-08-15T08:00+02:00.", show_default=False),
]


@calendars_app.command("save")
def save_calendar(
    name: CalendarName,
    file: Annotated[Path, typer.Argument(help="A calendar in YAML or JSON.", show_default=False)],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Keep a calendar under a name.

    It takes the place of the one that had the name; clocks that run keep what they started with. All problems
    of a bad one are told at once, with their place.
    """
    calendar = Calendar.from_document(read_document(file.read_bytes()))
    with opened(database_url, data_dir) as workbench:
        workbench.calendars.save(name, calendar)
    if as_json:
        print_json(calendar.to_document())
    else:
        typer.echo(one_line(f"calendar {name}: {_week_in_words(calendar)} in {calendar.time_zone}"))


@calendars_app.command("list")
def list_calendars(database_url: DatabaseUrl = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the calendars.

    One that cannot be used any more is listed with the reason.
    """
    found: dict[str, Calendar | Invalid] = {}
    with opened(database_url, data_dir) as workbench:
        for name in workbench.calendars.list():
            try:
                found[name] = workbench.calendars.get(name)
            except Invalid as refusal:
                found[name] = refusal
    if as_json:
        print_json([{"name": name, **_as_json(calendar)} for name, calendar in found.items()])
    else:
        print_table(
            ("name", "time zone", "open", "closed on"),
            [_row(name, calendar) for name, calendar in found.items()],
        )


@calendars_app.command("show")
def show_calendar(
    name: CalendarName,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show a calendar, and when it opens next.

    As JSON it is the document that `gndp calendars save` takes.
    """
    with opened(database_url, data_dir) as workbench:
        calendar = workbench.calendars.get(name)
        now = workbench.clock()
    if as_json:
        print_json(calendar.to_document())
        return
    rows = [("time zone", calendar.time_zone), *_week(calendar)]
    rows.append(("closed on", ", ".join([*_holidays(calendar), *map(str, calendar.holidays)]) or "–"))
    print_table(("calendar", one_line(name)), [*rows, ("opens", _opening(calendar, now))])


@calendars_app.command("add", context_settings={"ignore_unknown_options": True})
def add_minutes(
    name: CalendarName,
    start: Start,
    minutes: Annotated[
        float, typer.Argument(help="How many working minutes; negative ones go back.", show_default=False)
    ],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Add working minutes to an instant.

    The answer, on the calendar's clock, is the earliest instant at which so much has been worked: a closing
    time rather than the next opening.
    """
    begin = require_aware(read_instant(start, "start"), "start")
    with opened(database_url, data_dir) as workbench:
        calendar = workbench.calendars.get(name)
    instant = calendar.add_working_minutes(begin, minutes)
    if as_json:
        print_json({"calendar": name, "start": begin, "minutes": minutes, "instant": instant})
    else:
        typer.echo(shown_instant(instant, calendar.time_zone))


@calendars_app.command("between")
def minutes_between(
    name: CalendarName,
    start: Start,
    end: Annotated[str, typer.Argument(help="The other instant, with an offset.", show_default=False)],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Count the minutes worked between instants.

    They are negative when the end is before the start.
    """
    begin = require_aware(read_instant(start, "start"), "start")
    finish = require_aware(read_instant(end, "end"), "end")
    with opened(database_url, data_dir) as workbench:
        calendar = workbench.calendars.get(name)
    time = calendar.working_time(begin, finish)
    minutes = time / timedelta(minutes=1)
    if as_json:
        print_json({"calendar": name, "start": begin, "end": finish, "minutes": minutes})
    else:
        typer.echo(f"{minutes:,.15g} working minutes ({shown_duration(time)})")


def _opening(calendar: Calendar, now: datetime) -> str:
    try:
        opening = calendar.next_opening(now)
    except Invalid as refusal:
        return str(refusal)
    return "is open now" if opening == now else shown_instant(opening, calendar.time_zone)


def _as_json(calendar: Calendar | Invalid) -> dict[str, object]:
    return {"problem": str(calendar)} if isinstance(calendar, Invalid) else calendar.to_document()


def _row(name: str, calendar: Calendar | Invalid) -> tuple[str, ...]:
    if isinstance(calendar, Invalid):
        return name, f"cannot be used: {calendar}", "–", "–"
    closed = _holidays(calendar)
    if calendar.holidays:
        closed.append(f"own dates: {len(calendar.holidays)}")
    return name, calendar.time_zone, _week_in_words(calendar), ", ".join(closed) or "–"


def _holidays(calendar: Calendar) -> list[str]:
    if calendar.country is None:
        return []
    place = f"{calendar.country}-{calendar.region}" if calendar.region else calendar.country
    return [f"holidays of {place}"]


def _week_in_words(calendar: Calendar) -> str:
    return "; ".join(f"{days} {periods}" for days, periods in _week(calendar) if periods != "closed")


def _week(calendar: Calendar) -> list[tuple[str, str]]:
    """Weekdays in a row with the same hours, such as Monday–Friday, and those hours."""
    week = []
    for periods, days in groupby(range(7), key=lambda day: calendar.hours[day]):
        first, *others = (WEEKDAYS[day] for day in days)
        together = f"{first}–{others[-1]}" if others else first
        week.append((together, ", ".join(f"{begin}–{end}" for begin, end in periods) or "closed"))
    return week
