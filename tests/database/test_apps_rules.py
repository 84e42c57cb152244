"""The pages of calendars, SLA policies and templates, without a browser."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

import gndp
from apps.desk import Desk
from apps.pages.admin.calendars import CalendarsView, CalendarView, NewCalendarView
from apps.pages.admin.sla import NewPolicyView, PoliciesView, PolicyView
from apps.pages.admin.templates import NewTemplateView, TemplatesView, TemplateView
from apps.stores.calendars import month_after, month_of
from apps.stores.templates import layers
from gndp.access.principals import Principal
from gndp.core.errors import DatabaseUnavailable
from gndp.core.states import Role
from gndp.core.templates import parse_template

OFFICE = gndp.Calendar(
    time_zone="Europe/Berlin",
    hours={day: [("09:00", "12:30"), ("13:30", "18:00")] for day in range(5)},
    country="DE",
    holidays=["2026-12-24"],
)
POLICY = {"name": "answer", "item": "task", "target_minutes": 60, "calendar": "office"}
HOSTILE = "<script>alert(1)</script>"
TEMPLATE = {
    "id": "loan",
    "name": HOSTILE,
    "steps": [
        {"id": "a", "name": "Apply"},
        {"id": "b", "name": "Check", "depends_on": ["a"]},
        {"id": "c", "name": "Appraise", "depends_on": ["a"]},
        {"id": "d", "name": "Decide", "depends_on": ["b", "c"]},
        {"id": "e", "name": "File", "depends_on": ["a", "d"]},
    ],
}


@pytest.fixture
def house(workbench: gndp.Workbench) -> gndp.Workbench:
    workbench.calendars.save("office", OFFICE)
    workbench.sla.publish(POLICY, user_id="max")
    workbench.definitions.publish(TEMPLATE, user_id="max")
    return workbench


def manager(house: gndp.Workbench, url: str = "/") -> Desk:
    bound = house.acting_as(Principal("max", Role.MANAGER, None))
    return Desk(lambda: bound, url=url)


# Calendars ---------------------------------------------------------------------------------------------


def test_a_month_is_drawn_by_the_calendars_own_rule() -> None:
    month = month_of(OFFICE, date(2026, 12, 1))
    days = {day.date: day for week in month.weeks for day in week}
    assert days[date(2026, 12, 1)].periods == (("09:00", "12:30"), ("13:30", "18:00"))
    assert (days[date(2026, 12, 24)].periods, days[date(2026, 12, 24)].off) == ((), "own day off")
    assert days[date(2026, 12, 25)].off == OFFICE.public_holidays(2026)[date(2026, 12, 25)]
    assert (days[date(2026, 12, 5)].periods, days[date(2026, 12, 5)].off) == ((), "")
    assert [len(week) for week in month.weeks] == [7] * 5
    assert month.weeks[0][0].date == date(2026, 11, 30)
    assert month.hours == 21 * 8  # 23 weekdays but the 24th and the 25th


def test_the_hour_that_the_clock_skips_is_not_worked() -> None:
    nights = gndp.Calendar(time_zone="Europe/Berlin", hours={6: [("00:00", "24:00")]})
    month = month_of(nights, date(2026, 3, 1))
    assert month.hours == 5 * 24 - 1
    assert month.weeks[-1][-2].date == date(2026, 4, 4)
    assert month.weeks[4][6].periods == (("00:00", "24:00"),)


@pytest.mark.parametrize(
    ("first", "months", "then"),
    [
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 1, 1), -1, date(2025, 12, 1)),
        (date(2026, 5, 1), -17, date(2024, 12, 1)),
    ],
)
def test_months_are_turned(first: date, months: int, then: date) -> None:
    assert month_after(first, months) == then


def test_calendars_are_listed_with_their_hours(house: gndp.Workbench) -> None:
    view = CalendarsView(manager(house))
    view.refresh()
    (row,) = view.table.rows
    assert (row["hours"], row["place"], row["own"]) == (40, "DE", 1)


def test_the_month_that_the_address_names_is_shown_and_turned(house: gndp.Workbench) -> None:
    view = CalendarView(manager(house, "/admin/calendars?calendar=office&month=2026-12"), "office")
    view.refresh()
    assert "December 2026" in view.month.object
    assert "own day off" in view.month.object
    view.turn(1)
    assert "January 2027" in view.month.object
    assert view.desk.navigation.said == "/admin/calendars?calendar=office&month=2027-01"


def test_a_calendar_is_changed_by_its_form_and_the_month_with_it(house: gndp.Workbench) -> None:
    view = CalendarView(manager(house, "/admin/calendars?calendar=office&month=2026-12"), "office")
    view.refresh()
    before = view.month.object
    view.edit.hours[5].value = "10:00-12:00"
    view.edit.holidays.value += "\n2026-12-31"
    view.edit.form.submit()
    saved = house.calendars.get("office")
    assert saved.hours[5] == (("10:00", "12:00"),)
    assert saved.holidays == (date(2026, 12, 24), date(2026, 12, 31))
    assert view.month.object != before
    assert "10:00–12:00" in view.month.object


def test_every_problem_of_a_calendar_is_told(house: gndp.Workbench) -> None:
    view = CalendarView(manager(house), "office")
    view.refresh()
    view.edit.time_zone.value = "Nowhere"
    view.edit.hours[0].value = "9:00-25:00"
    view.edit.country.value = "XX"
    view.edit.form.submit()
    told = view.edit.form.refusal.object
    assert all(place in told for place in ("time_zone", "hours[0]", "country"))
    view.edit.text.value = "time_zone: [\n"
    view.edit.document.submit()
    assert "line" in view.edit.document.refusal.object
    assert house.calendars.get("office") == OFFICE


def test_a_calendar_that_was_changed_meanwhile_is_not_overwritten(house: gndp.Workbench) -> None:
    view = CalendarView(manager(house), "office")
    view.refresh()
    other = gndp.Calendar(hours={0: [("08:00", "09:00")]})
    house.calendars.save("office", other)
    view.refresh()
    view.edit.form.submit()
    assert "another one meanwhile" in view.edit.form.refusal.object
    assert house.calendars.get("office") == other


def test_a_calendar_is_added_but_none_is_replaced_by_a_new_one(house: gndp.Workbench) -> None:
    view = NewCalendarView(manager(house))
    view.refresh()
    view.name.value = "office"
    view.edit.form.submit()
    assert "already" in view.edit.form.refusal.object
    view.name.value = "nights"
    view.edit.form.submit()
    assert "nights" in house.calendars.list()
    assert view.desk.navigation.url == "/admin/calendars?calendar=nights"


# SLA policies ------------------------------------------------------------------------------------------


def test_policies_are_listed(house: gndp.Workbench) -> None:
    house.sla.retire("answer", user_id="max")
    view = PoliciesView(manager(house))
    view.refresh()
    (row,) = view.table.rows
    assert (row["name"]["text"], row["state"], row["target"]) == ("answer", "retired", "60 min")


def test_a_policy_is_tried_out_without_being_published(house: gndp.Workbench) -> None:
    view = PolicyView(manager(house), "answer")
    view.refresh()
    view.edit.opened_at.value = datetime(
        2026, 12, 23, 16, 30
    )  # in UTC; half an hour before the office closes
    view.edit.preview_it()
    told = {item["name"]: item["value"] for item in view.edit.preview.facts}
    assert told["Opened"] == "2026-12-23T16:30:00+00:00"
    assert told["Due"] == datetime(2026, 12, 28, 8, 30, tzinfo=UTC).isoformat()
    assert house.sla.policy("answer").version == 1


def test_a_policy_that_cannot_be_tried_out_says_why(house: gndp.Workbench) -> None:
    view = PolicyView(manager(house), "answer")
    view.refresh()
    view.edit.text.value = "name: answer\ntarget_minutes: 0\nitem: thing\n"
    view.edit.preview_it()
    assert all(place in view.edit.problems.object for place in ("target_minutes", "item"))
    assert view.edit.preview.facts == []


def test_a_new_version_is_published_and_differs(house: gndp.Workbench) -> None:
    view = PolicyView(manager(house), "answer")
    view.refresh()
    view.edit.text.value = view.edit.text.value.replace("60", "90")
    view.edit.form.submit()
    assert house.sla.policy("answer").document["target_minutes"] == 90
    assert view.desk.navigation.url == "/admin/sla?policy=answer"
    view = PolicyView(manager(house), "answer")
    view.refresh()
    assert [row["id"] for row in view.versions.rows] == ["2", "1"]
    assert "-target_minutes: 60" in view.difference.object
    assert "+target_minutes: 90" in view.difference.object


def test_an_older_version_is_shown_when_asked_for(house: gndp.Workbench) -> None:
    house.sla.publish({**POLICY, "target_minutes": 90}, user_id="max")
    view = PolicyView(manager(house, "/admin/sla?policy=answer&version=1"), "answer")
    view.refresh()
    assert view.facts.facts[0]["value"] == "1 of 2"
    assert "target_minutes: 60" in view.edit.text.value


def test_a_policy_that_was_published_meanwhile_is_not_overwritten(house: gndp.Workbench) -> None:
    view = PolicyView(manager(house), "answer")
    view.refresh()
    house.sla.publish({**POLICY, "target_minutes": 90}, user_id="max")
    view.edit.text.value = view.edit.text.value.replace("60", "30")
    view.edit.form.submit()
    assert view.edit.form.refusal.object != ""
    assert house.sla.policy("answer").version == 2


def test_a_policy_is_retired_once(house: gndp.Workbench) -> None:
    view = PolicyView(manager(house), "answer")
    view.refresh()
    assert view.retire.visible
    view.dialog.form.submit()
    assert house.sla.policy("answer").retired_at is not None
    assert not view.retire.visible


def test_a_new_policy_is_published_from_text(house: gndp.Workbench) -> None:
    view = NewPolicyView(manager(house))
    view.refresh()
    view.edit.form.submit()
    assert "expected" in view.edit.form.refusal.object or "version" in view.edit.form.refusal.object
    view.edit.text.value = view.edit.text.value.replace("name: answer", "name: reply")
    view.edit.form.submit()
    assert house.sla.policy("reply").version == 1


# Templates ---------------------------------------------------------------------------------------------


def test_steps_lie_behind_all_that_they_wait_for() -> None:
    template = parse_template(TEMPLATE)
    placed = {node.id: (node.layer, node.row) for node in layers(template)}
    assert placed == {"a": (0, 0), "b": (1, 0), "c": (1, 1), "d": (2, 0), "e": (3, 0)}


def test_templates_are_listed_and_drawn(house: gndp.Workbench) -> None:
    view = TemplatesView(manager(house))
    view.refresh()
    assert view.table.rows[0]["name"]["text"] == HOSTILE
    one = TemplateView(manager(house), "loan")
    one.refresh()
    assert len(one.graph.nodes) == 5
    assert ["a", "e"] in one.graph.edges
    assert one.steps.rows[3]["after"] == "Check, Appraise"


def test_a_template_with_problems_is_refused_with_their_places(house: gndp.Workbench) -> None:
    view = TemplateView(manager(house), "loan")
    view.refresh()
    (field,) = view.edit.fields
    field.value = "id: loan\nname: Loan\nsteps:\n- {id: a, name: A, depends_on: [z]}\n- {id: a, name: B}\n"
    view.edit.submit()
    assert "steps[0].depends_on[0]" in view.edit.refusal.object
    assert "steps[1]" in view.edit.refusal.object
    assert house.definitions.get("loan").version == 1


def test_a_new_version_of_a_template_is_published(house: gndp.Workbench) -> None:
    view = TemplateView(manager(house), "loan")
    view.refresh()
    (field,) = view.edit.fields
    field.value = field.value.replace("Appraise", "Value")
    view.edit.submit()
    assert house.definitions.get("loan").version == 2
    one = TemplateView(manager(house, "/admin/templates?template=loan&version=2"), "loan")
    one.refresh()
    assert "Value" in one.difference.object
    assert "<script>" not in one.difference.object


def test_a_new_template_is_published(house: gndp.Workbench) -> None:
    view = NewTemplateView(manager(house))
    view.edit.submit()
    assert house.definitions.get("small_request").published_by == "max"


def test_what_cannot_be_read_is_said_and_tried_again(
    house: gndp.Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = manager(house)
    view = TemplatesView(desk)

    def unreachable() -> None:
        raise DatabaseUnavailable("the database cannot be reached")

    with monkeypatch.context() as patched:
        patched.setattr(desk.workbench.definitions, "list", unreachable)
        view.refresh()
    assert "cannot be reached" in view.problem.object
    view.retry.clicks += 1
    assert not view.problem.visible
    assert len(view.table.rows) == 1
