"""Accounts for the demo's people, so that the workbench can be looked at as each of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import NamedTuple

from gndp.core.people import Person
from gndp.core.states import Role
from gndp.workbench import Workbench

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another


class DemoAccounts(NamedTuple):
    """What the demo's people sign in with: ``password`` is the same for all of them, made at random for this
    database and kept nowhere. ``examples`` has one of them for each role."""

    password: str
    examples: list[Person]


def open_accounts(workbench: Workbench, progress: Callable[[int, int], None] | None = None) -> DemoAccounts:
    """Give everybody of the directory who has no account one, but programs and admins.

    ``progress`` is told how many of how many are done.
    """
    accounts = workbench.entrance.accounts
    known = {account.user_id for account in accounts.list()}
    people = [
        person
        for person in workbench.directory.people(active=True)
        if person.role not in (Role.SERVICE, Role.ADMIN) and person.user_id not in known
    ]
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))
    for number, person in enumerate(people, start=1):
        accounts.create(person.user_id, password)
        if progress is not None:
            progress(number, len(people))
    one_of_each = {person.role: person for person in reversed(people)}
    return DemoAccounts(password, [one_of_each[role] for role in reversed(Role) if role in one_of_each])
