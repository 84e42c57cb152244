"""The workload of people and teams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import panel as pn
import panel_material_ui as pmui

from ..components.html import heading
from ..components.notice import Notice
from ..components.table import Column, Table
from ..stores.lists import PAGE_SIZE
from ..stores.workload import PersonLoad, TeamLoad, WorkloadStore
from . import in_turn
from .reassignment import ReassignmentForm

if TYPE_CHECKING:
    from gndp.core.records import Event

    from ..desk import Desk

_ALL = "all"
_PEOPLE_COLUMNS = (
    Column("name", "Person", "link", "name"),
    Column("team", "Team", "text", "team"),
    Column("active", "Active", "number", "active"),
    Column("in_progress", "In progress", "number", "in_progress"),
    Column("at_risk", "At risk", "number", "at_risk"),
    Column("breached", "Breached", "number", "breached"),
    Column("load", "Load", "progress", "load"),
)
_TEAM_COLUMNS = (
    Column("name", "Team", "link"),
    Column("people", "People", "number"),
    Column("active", "Active", "number"),
    Column("in_progress", "In progress", "number"),
    Column("at_risk", "At risk", "number"),
    Column("breached", "Breached", "number"),
    Column("load", "Load", "progress"),
)
_NOTEBOOK_CELL = (
    "import gndp\nimport pandas as pd\n\nwb = gndp.connect()\n"
    "people = pd.DataFrame(person._asdict() for person in wb.directory.people())\n"
    "work = pd.DataFrame(work._asdict() for work in wb.tasks.workload())\n"
    "people.merge(work, left_on='user_id', right_on='assigned_to', how='outer')"
)


class WorkloadView:
    """The workload as one person sees it."""

    def __init__(self, desk: Desk) -> None:
        query = desk.query
        self._desk = desk
        self.store = WorkloadStore(
            lambda: desk.workbench, query.get("team") or None, query.get("sort", "-load")
        )
        self._page = int(page) if (page := query.get("page", "0")).isdecimal() else 0
        team = self.store.team
        self.team = pmui.Select(
            label="Team", options=[_ALL, *([team] if team else [])], value=team or _ALL, width=200
        )
        self.people = Table(
            _PEOPLE_COLUMNS,
            self._exported,
            label="People",
            sort=self.store.sort,
            page=self._page,
            page_size=PAGE_SIZE,
            empty="Nobody does tasks here.",
            notebook_cell=_NOTEBOOK_CELL,
        )
        self.teams = Table(
            _TEAM_COLUMNS,
            self._exported_teams,
            label="Teams",
            empty="There are no teams.",
            notebook_cell=_NOTEBOOK_CELL,
        )
        self.reassignment = ReassignmentForm(desk, self.store, self.refresh)
        self.problem = Notice("", severity="error", visible=False)
        self.retry = pmui.Button(label="Try again", visible=False, on_click=lambda _: self.refresh())
        self.team.param.watch(lambda _: self._narrow(), "value")
        self.people.param.watch(lambda _: self._turn(), ["sort", "page"])
        self.panel = pn.Column(
            heading("Workload"),
            self.problem,
            self.retry,
            heading("People", 2),
            self.team,
            self.people,
            heading("Give a task to somebody else", 2),
            self.reassignment.panel,
            heading("Teams", 2),
            self.teams,
            sizing_mode="stretch_width",
        )

    @in_turn
    def refresh(self) -> None:
        """Read everything anew."""
        store = self.store
        store.refresh()
        self.problem.param.update(
            object=f"The workload cannot be read now: {store.problem}", visible=store.problem is not None
        )
        self.retry.visible = store.problem is not None
        options = [_ALL, *(team.team for team in store.teams if team.team)]
        if options != self.team.options and self.team.value in options:
            self.team.options = options
        people = store.people
        last = max(0, (len(people) - 1) // PAGE_SIZE)
        self._page = min(self._page, last)
        shown = people[self._page * PAGE_SIZE :][:PAGE_SIZE]
        _show(
            self.people,
            [_person_row(one) for one in shown],
            total=len(people),
            page=self._page,
            has_more=self._page < last,
        )
        teams = [_team_row(team) for team in store.teams]
        _show(self.teams, teams, total=len(teams))
        self.reassignment.refresh()

    def concerns(self, event: Event) -> bool:
        """Every event may change what somebody has: a task's, its process's, a clock's."""
        return True

    def _narrow(self) -> None:
        chosen = None if self.team.value == _ALL else self.team.value
        if chosen != self.store.team:
            self.store.team, self._page = chosen, 0
            self._say_and_show()

    def _turn(self) -> None:
        if self.people.sort != self.store.sort:
            self.store.sort, self._page = self.people.sort, 0
        elif self.people.page != self._page:
            self._page = self.people.page
        else:
            return
        self._say_and_show()

    def _say_and_show(self) -> None:
        sort = None if self.store.sort == "-load" else self.store.sort
        self._desk.say_in_address(team=self.store.team, sort=sort, page=self._page)
        self.refresh()

    def _exported(self) -> Iterable[Sequence[Any]]:
        return _exported(self.store.people)

    def _exported_teams(self) -> Iterable[Sequence[Any]]:
        return _exported(self.store.teams)


def _show(table: Table, rows: list[dict[str, Any]], **changes: Any) -> None:
    if rows != table.rows:
        changes["rows"] = rows
    table.param.update(is_loading=False, **changes)


def _person_row(one: PersonLoad) -> dict[str, Any]:
    note = one.user_id if one.name != one.user_id else ""
    if one.is_away:
        note = f"{note}, out of office".removeprefix(", ")
    return {
        "id": one.user_id,
        "label": one.name,
        "name": {
            "text": one.name,
            "href": f"/tasks?status=assigned,in_progress&assigned_to={quote(one.user_id, safe='')}",
            "note": note,
        },
        "team": one.team,
        **_counts(one),
    }


def _team_row(one: TeamLoad) -> dict[str, Any]:
    href = f"/workload?team={quote(one.team, safe='')}" if one.team else "/workload"
    return {
        "id": one.team or "",
        "name": {"text": one.team or "in no team", "href": href},
        "people": one.people,
        **_counts(one),
    }


def _counts(one: PersonLoad | TeamLoad) -> dict[str, Any]:
    return {
        "active": one.active,
        "in_progress": one.in_progress,
        "at_risk": one.at_risk,
        "breached": one.breached,
        "load": one.load.bar,
    }


def _exported(rows: Sequence[PersonLoad] | Sequence[TeamLoad]) -> list[list[Any]]:
    """A header and the rows, the load in its parts."""
    if not rows:
        return []
    header = [*rows[0]._fields[:-1], "capacity", "level"]
    return [header, *([*row[:-1], row.load.capacity, row.load.level] for row in rows)]
