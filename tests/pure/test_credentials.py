"""The rules about passwords, lock-outs and scopes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gndp.core.credentials import (
    FAILURES_UNTIL_LOCKED,
    LONGEST_LOCK,
    Standing,
    after_failure,
    new_password,
    presented_password,
    whole_scopes,
)
from gndp.core.errors import Invalid

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

GOOD_PASSWORDS = [
    "correct horse battery",
    "fifteen letters",
    "               once upon",
    "пароль из пятнадцати букв",
    "馬が正しい電池のホッチキスです",
    "Tr0ub4dor&3Tr0ub4dor!",
    "😀🐴🔋📎🧷🪀🎈🎏🪁🎐🪢🧵🪡🧶🪤",
    "p" * 100 + "qrst" + "u" * 152,
]

BAD_PASSWORDS: list[object] = [
    None,
    7,
    b"correct horse battery",
    ["correct horse battery"],
    "",
    "fourteen chars",
    "nul in it \0 and more",
    "half a pair \ud800 and more",
    "a word " * 50,
    "x" * 257,
    "e\u0301" * 14,
    "aaaaaaaaaaaaaaa",
    "abababababababa",
    "abcdabcdabcdabcd",
    "passwordpassword",
    "Password1Password1Pass",
    "123456789012345",
    "098765432109876",
    "qwertyuiopasdfg",
    "ABCDEFGHIJKLMNOP",
    "zyxwvutsrqponmlk",
    "annabel.longfellow",
    "ANNABEL.LONGFELLOW",
]


@pytest.mark.parametrize("password", GOOD_PASSWORDS)
def test_length_is_all_that_is_asked_for(password: str) -> None:
    assert new_password(password, "password", user_id="annabel.longfellow") == password


@pytest.mark.parametrize("password", BAD_PASSWORDS, ids=repr)
def test_a_bad_password_is_refused_without_being_quoted(password: object) -> None:
    with pytest.raises(Invalid) as error:
        new_password(password, "password", user_id="annabel.longfellow")
    assert {problem.place for problem in error.value.problems} == {"password"}
    assert not isinstance(password, str) or not password or password not in str(error.value)


def test_the_same_characters_are_the_same_password_however_they_were_composed() -> None:
    composed, decomposed = "fünfzehn Zeichen", "fu\u0308nfzehn Zeichen"
    assert new_password(decomposed, "password", user_id="ann") == composed
    assert presented_password(decomposed) == presented_password(composed) == composed


@pytest.mark.parametrize("value", [None, 7, b"x", "a\0b", "\ud800", "x" * 100_000])
def test_what_can_be_nobodys_password_is_none(value: object) -> None:
    assert presented_password(value) is None


def test_every_five_failures_lock_for_twice_as_long_up_to_a_day() -> None:
    standing, now, locks = Standing(0, None), NOON, []
    for failures in range(1, 61):
        standing = after_failure(standing, now)
        assert standing.failed_attempts == failures
        if failures % FAILURES_UNTIL_LOCKED:
            assert standing.locked_until is None
        else:
            assert standing.locked_until is not None
            locks.append((standing.locked_until - now) / timedelta(minutes=15))
            now = standing.locked_until
            assert not standing.is_locked(now)
    day = LONGEST_LOCK / timedelta(minutes=15)
    assert locks == [1, 2, 4, 8, 16, 32, 64, *[day] * 5]


def test_nothing_is_counted_while_the_account_is_locked() -> None:
    locked = Standing(5, NOON + timedelta(minutes=15))
    assert after_failure(locked, NOON) == locked
    assert after_failure(locked, NOON + timedelta(minutes=15)) == Standing(6, None)


def test_a_lock_ends_for_very_many_failures_too() -> None:
    standing = after_failure(Standing(10**6 - 1, None), NOON)
    assert standing == Standing(10**6, NOON + LONGEST_LOCK)


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        (set(), []),
        ({"read"}, ["read"]),
        ({"write"}, ["read", "write"]),
        ({"admin"}, ["read", "write", "admin"]),
        ({"admin", "read"}, ["read", "write", "admin"]),
    ],
)
def test_a_scope_brings_those_before_it_along(given: set[str], whole: list[str]) -> None:
    assert whole_scopes(given) == whole
