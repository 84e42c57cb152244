"""The first start: one link for one admin, however many servers start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

import gndp
from gndp.core.states import LinkPurpose
from tests.database.access_scene import NOON, PASSWORD, Server, at_once, unauthenticated


@pytest.fixture
def fresh(new_workbench: Callable[..., gndp.Workbench]) -> Server:
    """A server of a database in which nobody is."""
    return Server(new_workbench())


def test_the_first_start_makes_an_admin(fresh: Server) -> None:
    link = fresh.accounts.first_admin_link()
    assert link is not None
    assert link[1:] == ("admin", LinkPurpose.FIRST_START, NOON + timedelta(hours=24))
    assert fresh.accounts.first_admin_link() is None
    assert fresh.workbench.directory.person("admin").role == "admin"
    assert fresh.accounts.set_password(link.token, PASSWORD).role == "admin"
    assert fresh.accounts.sign_in("admin", PASSWORD).role == "admin"
    fresh.wait(days=400)
    assert fresh.accounts.first_admin_link() is None


def test_a_first_link_that_nobody_used_in_time_is_made_again(fresh: Server) -> None:
    first = fresh.accounts.first_admin_link()
    fresh.wait(hours=24)
    second = fresh.accounts.first_admin_link()
    assert first is not None and second is not None
    unauthenticated(fresh.accounts.set_password, first.token, PASSWORD)
    assert fresh.accounts.set_password(second.token, PASSWORD).user_id == "admin"


def test_an_admin_of_the_directory_is_taken_before_one_is_made(fresh: Server) -> None:
    fresh.workbench.directory.add_person("alma", role="admin", active=False)
    fresh.workbench.directory.add_person("carl", role="admin")
    fresh.workbench.directory.add_person("admin")
    link = fresh.accounts.first_admin_link()
    assert link is not None and link.user_id == "carl"
    assert fresh.workbench.directory.person("admin").role == "worker"


def test_nobody_becomes_an_admin_by_being_called_so(fresh: Server) -> None:
    fresh.workbench.directory.add_person("admin", role="viewer")
    link = fresh.accounts.first_admin_link()
    assert link is not None and link.user_id == "admin-2"
    assert fresh.workbench.directory.person("admin").role == "viewer"


def test_where_somebody_has_a_password_it_is_not_the_first_start(fresh: Server) -> None:
    fresh.workbench.directory.add_person("ann")
    fresh.accounts.create("ann", PASSWORD)
    assert fresh.accounts.first_admin_link() is None
    assert [account.user_id for account in fresh.accounts.list()] == ["ann"]


def test_of_servers_that_start_at_once_one_gets_the_link(
    new_workbench: Callable[..., gndp.Workbench], database_url: str
) -> None:
    servers = [Server(new_workbench(database_url=database_url)) for _ in range(4)]
    answers = at_once(8, lambda n: servers[n % 4].accounts.first_admin_link())
    (link,) = [answer for answer in answers if answer is not None]
    assert servers[0].accounts.set_password(link.token, PASSWORD).user_id == "admin"
    assert [person.user_id for person in servers[0].workbench.directory.people()] == ["admin"]
