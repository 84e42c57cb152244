"""What ``import gndp`` promises; a name leaves it only with a line in CHANGELOG.md."""

from __future__ import annotations

import gndp
from gndp.core import errors

PUBLIC = [
    "Calendar",
    "Conflict",
    "DatabaseMismatch",
    "DatabaseUnavailable",
    "EmbeddedServerError",
    "Forbidden",
    "GndpError",
    "Invalid",
    "NotFound",
    "Payload",
    "Phase",
    "Problem",
    "RateLimited",
    "Refusal",
    "ServerFault",
    "ServerUnavailable",
    "StatementTimeout",
    "Step",
    "Template",
    "Unauthenticated",
    "Workbench",
    "connect",
]


def test_the_public_names_are_these() -> None:
    assert gndp.__all__ == PUBLIC


def test_every_public_name_is_there_and_documented() -> None:
    for name in gndp.__all__:
        assert getattr(gndp, name).__doc__, name


def test_everything_that_is_raised_on_purpose_is_public_and_of_one_tree() -> None:
    raised = {name: value for name, value in vars(errors).items() if _is_error(value)}
    assert all(issubclass(error, gndp.GndpError) for error in raised.values())
    assert raised.keys() <= set(gndp.__all__)
    refusals = {name for name, error in raised.items() if issubclass(error, gndp.Refusal)}
    assert refusals == {
        *("Refusal", "NotFound", "Conflict", "Invalid", "Forbidden", "RateLimited", "Unauthenticated")
    }


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)
