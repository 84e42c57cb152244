"""All versions of a policy and of a definition, and how far a check has come."""

from __future__ import annotations

import pytest

import gndp
from gndp.access.principals import Principal
from gndp.core.errors import Forbidden, Invalid, NotFound
from gndp.core.states import Role, TokenScope

TEMPLATE = {"id": "loan", "name": "Loan", "steps": [{"id": "a", "name": "A"}]}


def test_versions_of_a_definition_come_newest_first(workbench: gndp.Workbench) -> None:
    first = workbench.definitions.publish(TEMPLATE, user_id="ann")
    second = workbench.definitions.publish({**TEMPLATE, "name": "Loans"}, user_id="ann")
    workbench.definitions.publish({**TEMPLATE, "id": "other"}, user_id="ann")
    assert workbench.definitions.versions("loan") == [second, first]


def test_versions_of_a_policy_come_newest_first(workbench: gndp.Workbench) -> None:
    first = workbench.sla.publish({"name": "answer", "target_minutes": 5}, user_id="ann")
    second = workbench.sla.publish({"name": "answer", "target_minutes": 6}, user_id="ann")
    workbench.sla.publish({"name": "other", "target_minutes": 6}, user_id="ann")
    assert workbench.sla.versions("answer") == [second, first]


@pytest.mark.parametrize("noun", ["definitions", "sla"])
def test_versions_of_what_is_not_there_are_not_found(workbench: gndp.Workbench, noun: str) -> None:
    with pytest.raises(NotFound):
        getattr(workbench, noun).versions("nothing")
    with pytest.raises(Invalid):
        getattr(workbench, noun).versions(5)


@pytest.mark.parametrize("noun", ["definitions", "sla"])
def test_versions_are_for_those_who_may_read_them(
    workbench: gndp.Workbench, noun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(gndp.access.policy.POLICY, f"{noun}.see")
    bound = workbench.acting_as(Principal("ann", Role.ADMIN, None, TokenScope.ADMIN))
    with pytest.raises(Forbidden):
        getattr(bound, noun).versions("loan")


def test_a_check_tells_how_far_it_has_come(workbench: gndp.Workbench) -> None:
    told: list[tuple[int, int]] = []
    report = workbench.check(progress=lambda done, total: told.append((done, total)))
    assert told == [(done, len(report.invariants)) for done in range(1, len(report.invariants) + 1)]


@pytest.mark.parametrize(
    ("country", "region", "there"), [("DE", None, False), ("DE", "BY", True), (None, None, False)]
)
def test_public_holidays_are_those_of_the_place(country: str | None, region: str | None, there: bool) -> None:
    hours = {day: [("09:00", "17:00")] for day in range(5)}
    calendar = gndp.Calendar(hours=hours, country=country, region=region)
    found = calendar.public_holidays(2026)
    assert any(day.isoformat() == "2026-01-06" for day in found) == there
    assert bool(found) == (country is not None)
