"""What ``import gndp`` promises; a name leaves it only with a line in CHANGELOG.md."""

from __future__ import annotations

import gndp

PUBLIC = [
    "Conflict",
    "DatabaseMismatch",
    "DatabaseUnavailable",
    "EmbeddedServerError",
    "Forbidden",
    "GndpError",
    "Invalid",
    "NotFound",
    "Phase",
    "Problem",
    "Refusal",
    "Step",
    "Template",
    "Workbench",
    "connect",
]


def test_the_public_names_are_these() -> None:
    assert gndp.__all__ == PUBLIC


def test_every_public_name_is_there_and_documented() -> None:
    for name in gndp.__all__:
        assert getattr(gndp, name).__doc__, name


def test_everything_that_is_raised_on_purpose_is_of_one_tree() -> None:
    errors = [
        value for value in vars(gndp).values() if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert len(errors) == 9
    assert all(issubclass(error, gndp.GndpError) for error in errors)
    refusals = {error.__name__ for error in errors if issubclass(error, gndp.Refusal)}
    assert refusals == {"Refusal", "NotFound", "Conflict", "Invalid", "Forbidden"}
