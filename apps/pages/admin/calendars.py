"""Working-time calendars: as a list, and each with its months and an editor."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import panel as pn
import panel_material_ui as pmui

from gndp.core.calendars import WEEKDAYS, Calendar
from gndp.core.documents import read_document
from gndp.core.errors import Invalid

from ...components.documents import drawn
from ...components.facts import Facts
from ...components.html import heading
from ...components.rows import Rows
from ...components.table import Column
from ...stores.calendars import (
    Calendars,
    OneCalendar,
    month_after,
    month_of,
    parsed_hours,
    written_hours,
)
from ...stores.documents import as_text
from .frame import AdminView, Form, address, chosen, document, editor, row

if TYPE_CHECKING:
    from gndp.workbench import Workbench

    from ...desk import Desk
    from .. import View

_COLUMNS = (
    Column("name", "Calendar", "link", "name"),
    Column("time_zone", "Time zone", sort="time_zone"),
    Column("hours", "Hours a week", "number", "hours"),
    Column("place", "Public holidays of"),
    Column("own", "Own days off", "number", "own"),
)
_NOTEBOOK_CELL = (
    "import gndp\n\nwb = gndp.connect()\n{name: wb.calendars.get(name) for name in wb.calendars.list()}"
)
_BACK = (address("calendars"), "‹ Calendars")


def calendars_view(desk: Desk) -> View:
    """All calendars, the one that the address names, or a new one."""
    if "calendar" in desk.query:
        return CalendarView(desk, desk.query["calendar"])
    return NewCalendarView(desk) if "new" in desk.query else CalendarsView(desk)


class CalendarsView(AdminView):
    """The calendars as a list."""

    def __init__(self, desk: Desk) -> None:
        self.table = Rows(
            _COLUMNS,
            label="Calendars",
            sort="name",
            empty="No calendar yet: without one, every minute counts.",
            notebook_cell=_NOTEBOOK_CELL,
        )
        self.add = pmui.Button(
            label="Add a calendar", on_click=lambda _: desk.go(address("calendars", new="1"))
        )
        super().__init__(desk, Calendars(lambda: desk.workbench), "Calendars", [row(self.add), self.table])

    def show(self) -> None:
        """Show every calendar."""
        self.table.show(_row(name, calendar) for name, calendar in self.store.calendars.items())


class CalendarView(AdminView):
    """One calendar: a month of it, and its editor."""

    def __init__(self, desk: Desk, name: str) -> None:
        self.first = _asked_month(desk.query.get("month", ""))
        self.facts = Facts(sizing_mode="stretch_width", margin=(0, 10))
        self.month = document("")
        self.before = pmui.Button(
            label="‹ Month before", variant="outlined", on_click=lambda _: self.turn(-1)
        )
        self.after = pmui.Button(label="Month after ›", variant="outlined", on_click=lambda _: self.turn(1))
        self.edit: CalendarEditor | None = None
        self.content = pn.Column(sizing_mode="stretch_width", margin=0)
        parts = [self.facts, row(self.before, self.after), self.month, self.content]
        store = OneCalendar(lambda: desk.workbench, name)
        super().__init__(desk, store, f"Calendar {name}", parts, _BACK)

    def show(self) -> None:
        """Show the calendar; what is typed into its editor stays."""
        calendar = self.store.calendar
        if calendar is None:
            return
        self.facts.show(_facts(calendar))
        if self.first is None:
            self.first = datetime.now(ZoneInfo(calendar.time_zone)).date().replace(day=1)
        self._draw(calendar, self.first)
        if self.edit is None:
            self._build(calendar)

    def turn(self, months: int) -> None:
        """Show another month."""
        if self.first is None or self.store.calendar is None:
            return
        self.first = month_after(self.first, months)
        self.desk.say_in_address(calendar=self.store.name, month=f"{self.first:%Y-%m}")
        self._draw(self.store.calendar, self.first)

    def _draw(self, calendar: Calendar, first: date) -> None:
        month = month_of(calendar, first)
        html = drawn(
            "month",
            title=f"{first:%B %Y}",
            hours=f"{month.hours:g} h",
            zone=calendar.time_zone,
            weekdays=WEEKDAYS,
            weeks=month.weeks,
        )
        if html != self.month.object:
            self.month.object = html

    def _build(self, seen: Calendar) -> None:
        def done(calendar: Calendar) -> None:
            self.desk.say(f"The calendar {self.store.name} is saved. Clocks that run keep what they had.")
            self._read_anew()

        def save(wb: Workbench, calendar: Any) -> Calendar:
            return wb.calendars.save(self.store.name, calendar, in_place_of=seen)

        self.edit = CalendarEditor(self.desk, seen, save, done, self._read_anew)
        self.content[:] = [self.edit.panel]

    def _read_anew(self) -> None:
        self.edit = None
        self.refresh()


class NewCalendarView(AdminView):
    """A calendar that is not there yet."""

    def __init__(self, desk: Desk) -> None:
        self.name = pmui.TextInput(label="Name", width=250)
        office = Calendar(hours={day: [("09:00", "17:00")] for day in range(5)})
        self.edit = CalendarEditor(desk, office, self._save, self._done, None)
        store = Calendars(lambda: desk.workbench)
        super().__init__(desk, store, "New calendar", [row(self.name), self.edit.panel], _BACK)

    def show(self) -> None:
        """Nothing that was read is shown: names are taken or not when it is saved."""

    def _save(self, wb: Workbench, calendar: Any) -> Calendar:
        name = self.name.value.strip()
        if name in wb.calendars.list():
            raise Invalid(f"there is a calendar {name} already")
        return wb.calendars.save(name, calendar)

    def _done(self, _: Calendar) -> None:
        self.desk.say(f"The calendar {self.name.value.strip()} is there.")
        self.desk.go(address("calendars", calendar=self.name.value.strip()))


class CalendarEditor:
    """A calendar as a form and as a document; each is saved for itself.

    ``save`` is given a workbench and the document, ``done`` what that answered.
    """

    def __init__(self, desk: Desk, seen: Calendar, save: Any, done: Any, read_anew: Any) -> None:
        self.time_zone = pmui.TextInput(label="Time zone", value=seen.time_zone, width=230)
        self.time_zone.helper_text = "as Europe/Berlin"
        self.country = pmui.TextInput(label="Country", value=seen.country or "", width=130)
        self.country.helper_text = "two letters"
        self.region = pmui.TextInput(label="Region", value=seen.region or "", width=130)
        self.region.helper_text = "of the country"
        self.hours = [
            pmui.TextInput(label=weekday, value=written_hours(seen, day), width=230, placeholder="closed")
            for day, weekday in enumerate(WEEKDAYS)
        ]
        self.holidays = editor("Own days off, one a line", "\n".join(map(str, seen.holidays)), rows=3)
        self.text = editor("Document, YAML or JSON", as_text(seen.to_document()))
        week = [row(*self.hours[day : day + 2]) for day in range(0, 7, 2)]
        fields = [row(self.time_zone, self.country, self.region), *week, self.holidays]
        self.form = Form(desk, fields, "Save", lambda wb: save(wb, self.said()), done, _anew(read_anew))
        self.document = Form(
            desk,
            [self.text],
            "Save the document",
            lambda wb: save(wb, read_document(self.text.value)),
            done,
            _anew(read_anew),
        )
        self.panel = pn.Column(
            heading("As a form", 2),
            self.form.panel,
            heading("As a document", 2),
            self.document.panel,
            sizing_mode="stretch_width",
            margin=0,
        )

    def said(self) -> dict[str, Any]:
        """The document that the form makes; raises Invalid for hours that cannot be read."""
        return {
            "time_zone": self.time_zone.value.strip(),
            "hours": parsed_hours({day: field.value for day, field in enumerate(self.hours)}),
            "country": chosen(self.country),
            "region": chosen(self.region),
            "holidays": self.holidays.value.split(),
        }


def _anew(read_anew: Any) -> list[Any]:
    if read_anew is None:
        return []
    return [pmui.Button(label="Read anew", variant="text", on_click=lambda _: read_anew())]


def _asked_month(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        return None


def _facts(calendar: Calendar) -> list[tuple[str, Any]]:
    return [
        ("Time zone", calendar.time_zone),
        ("Public holidays of", _place(calendar)),
        ("Own days off", ", ".join(map(str, calendar.holidays))),
    ]


def _place(calendar: Calendar) -> str | None:
    return "-".join(filter(None, (calendar.country, calendar.region))) or None


def _row(name: str, calendar: Calendar | None) -> dict[str, Any]:
    link = {"text": name, "href": address("calendars", calendar=name)}
    if calendar is None:
        return {
            "id": name,
            "name": {**link, "note": "cannot be used any more"},
            **dict.fromkeys(("time_zone", "hours", "place", "own")),
        }
    return {
        "id": name,
        "name": link,
        "time_zone": calendar.time_zone,
        "hours": sum(_length(begin, end) for day in calendar.hours for begin, end in day),
        "place": _place(calendar),
        "own": len(calendar.holidays),
    }


def _length(begin: str, end: str) -> float:
    return (int(end[:2]) * 60 + int(end[3:]) - int(begin[:2]) * 60 - int(begin[3:])) / 60
