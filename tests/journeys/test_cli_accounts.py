"""Who can sign in, from the command line; and the demo's people."""

from __future__ import annotations

import json

import pytest
from argon2 import PasswordHasher

import gndp
from gndp import demo
from gndp.access.passwords import Passwords
from gndp.core.errors import Unauthenticated
from tests.journeys.command_line import Run, succeeded, told

PASSWORD = "correct horse battery"


@pytest.fixture
def house(workbench: gndp.Workbench) -> gndp.Workbench:
    workbench.entrance.accounts._passwords = Passwords(PasswordHasher(1, 8, 1))
    workbench.directory.add_person("ann")
    workbench.directory.add_person("bot", role="service")
    return workbench


def test_a_link_sets_a_password(run_inside: Run, house: gndp.Workbench) -> None:
    url = ("--database-url", house.database_url)
    link = succeeded(run_inside("accounts", "link", "ann", *url)).strip()
    assert link.startswith("http://127.0.0.1:8000/sign-in#link=")
    house.entrance.accounts.set_password(link.rpartition("=")[2], PASSWORD)
    assert house.entrance.accounts.sign_in("ann", PASSWORD).user_id == "ann"
    (account,) = json.loads(succeeded(run_inside("accounts", *url, "--json")))
    assert (account["user_id"], account["has_password"]) == ("ann", True)
    assert "ann" in succeeded(run_inside("accounts", *url))
    assert "signed out" in succeeded(run_inside("accounts", "sign-out", "ann", *url))
    assert "program" in told(run_inside("accounts", "link", "bot", *url), 2)
    assert "no person" in told(run_inside("accounts", "link", "nobody", *url), 2)


def test_a_program_gets_a_token(run_inside: Run, house: gndp.Workbench) -> None:
    url = ("--database-url", house.database_url)
    made = json.loads(
        succeeded(
            run_inside("accounts", "token", "bot", "--name", "export", "--scope", "read", *url, "--json")
        )
    )
    assert house.entrance.tokens.verify(made["token"]).scopes == {"read"}
    listed = succeeded(run_inside("accounts", "tokens", "bot", *url))
    assert "export" in listed and made["token"] not in listed
    assert "revoked" in succeeded(run_inside("accounts", "revoke", made["id"], *url))
    with pytest.raises(Unauthenticated):
        house.entrance.tokens.verify(made["token"])


def test_everybody_of_the_demo_can_sign_in(house: gndp.Workbench) -> None:
    house.directory.add_team("north")
    house.directory.add_person("eve", team="north", role="lead")
    house.directory.add_person("root", role="admin")
    house.directory.add_person("max", role="manager")
    house.directory.add_person("gone", active=False)
    opened = demo.open_accounts(house)
    assert [person.user_id for person in opened.examples] == ["max", "eve", "ann"]
    for user_id in ("ann", "eve", "max"):
        assert house.entrance.accounts.sign_in(user_id, opened.password).user_id == user_id
    assert {account.user_id for account in house.entrance.accounts.list()} == {"ann", "eve", "max"}
    again = demo.open_accounts(house)
    assert again.examples == [] and again.password != opened.password
