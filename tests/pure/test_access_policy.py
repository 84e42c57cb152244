"""The policy table: what it must hold whatever else is in it, and the page that is drawn from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gndp.access.policy import POLICY, Reach, reach
from gndp.access.principals import Principal
from gndp.access.rights_page import rights_page
from gndp.core.states import Role, TokenScope

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rights.md"
ORDER = [Reach.NONE, Reach.OWN, Reach.TEAM, Reach.ALL]
RANKS = [Role.VIEWER, Role.WORKER, Role.LEAD, Role.MANAGER, Role.ADMIN]


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == rights_page(), "docs/reference/rights.md is stale: `make docs`"


@pytest.mark.parametrize("action", POLICY)
def test_a_higher_role_reaches_at_least_as_far(action: str) -> None:
    reaches = [ORDER.index(reach(Principal("p", role), action)) for role in RANKS]
    assert reaches == sorted(reaches)


@pytest.mark.parametrize("action", POLICY)
def test_viewers_and_reading_tokens_only_read(action: str) -> None:
    permission = POLICY[action]
    is_read = permission.scope == TokenScope.READ
    assert is_read or permission.viewer == Reach.NONE
    reader = Principal("p", Role.ADMIN, scope=TokenScope.READ)
    assert reach(reader, action) == (permission.admin if is_read else Reach.NONE)


@pytest.mark.parametrize("action", POLICY)
def test_a_writing_token_works_on_processes_and_tasks_and_administers_nothing(action: str) -> None:
    permission = POLICY[action]
    writer = Principal("p", Role.ADMIN, scope=TokenScope.WRITE)
    allowed = Reach.NONE if permission.scope == TokenScope.ADMIN else permission.admin
    assert reach(writer, action) == allowed
    assert permission.scope != TokenScope.ADMIN or not action.startswith(("processes.", "tasks."))


@pytest.mark.parametrize("role", list(Role))
def test_what_is_not_in_the_table_nobody_may(role: Role) -> None:
    assert reach(Principal("p", role), "processes.delete") == Reach.NONE
