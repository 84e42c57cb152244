"""Bearer tokens: what is issued is verified, and whatever differs from it is refused without a word why."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest

from gndp.access.bearer import LIFETIME, BearerTokens
from gndp.access.identity import Identity, Proof
from gndp.core.errors import Forbidden, Invalid, Unauthenticated
from tests.bad_tokens import AT, BAD_TOKENS, GOOD, KEY, LAST, NOON, SIGNATURE

ANN = Identity("ann", "Ann Ek", "lead", "loans", 3, Proof.PASSWORD)


def current(user_id: str, password_generation: int) -> Identity:
    """The database's part: there is only Ann, and this is her third password."""
    if (user_id, password_generation) != ("ann", 3):
        raise Unauthenticated
    return ANN._replace(proof=Proof.BEARER)


def tokens(now: datetime = NOON, **options: Any) -> BearerTokens:
    return BearerTokens(lambda: KEY, current, lambda: now, **options)


def test_what_was_issued_is_verified() -> None:
    issued = tokens().issue(ANN)
    assert issued.expires_at == NOON + LIFETIME
    assert tokens().verify(issued.token) == ANN._replace(proof=Proof.BEARER)
    claims = tokens().claims(issued.token)
    assert claims[:4] == ("ann", 3, NOON, NOON + LIFETIME)
    assert tokens().claims(tokens().issue(ANN).token).id != claims.id


def test_the_token_that_the_bad_ones_are_made_from_is_good() -> None:
    assert tokens().verify(GOOD).user_id == "ann"
    assert base64.urlsafe_b64decode(LAST + "=") == base64.urlsafe_b64decode(SIGNATURE + "=")


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_is_refused(token: Any) -> None:
    with pytest.raises(Unauthenticated) as error:
        tokens().verify(token)
    assert str(error.value) == str(Unauthenticated())
    assert error.value.__cause__ is None


def test_there_are_at_least_25_kinds_of_bad_tokens() -> None:
    assert len(BAD_TOKENS) >= 25
    assert len(set(map(str, BAD_TOKENS.values()))) == len(BAD_TOKENS)


def test_a_token_is_good_until_just_before_its_end() -> None:
    token = tokens().issue(ANN).token
    end = NOON + LIFETIME
    assert tokens(end - timedelta(microseconds=1)).verify(token).user_id == "ann"
    for late in (end, end + timedelta(days=1)):
        with pytest.raises(Unauthenticated):
            tokens(late).verify(token)


def test_a_server_whose_clock_is_a_little_behind_takes_a_token() -> None:
    token = tokens().issue(ANN).token
    assert tokens(NOON - timedelta(seconds=30)).verify(token).user_id == "ann"
    with pytest.raises(Unauthenticated):
        tokens(NOON - timedelta(seconds=31)).verify(token)


@pytest.mark.parametrize("identity", [ANN._replace(user_id="bob"), ANN._replace(password_generation=2)])
def test_whoever_is_not_there_any_more_or_has_another_password_is_refused(identity: Identity) -> None:
    token = tokens().issue(identity).token
    assert tokens().claims(token).user_id == identity.user_id
    with pytest.raises(Unauthenticated):
        tokens().verify(token)


@pytest.mark.parametrize("options", [{"issuer": "staging"}, {"audience": "other"}])
def test_a_token_of_another_installation_with_the_same_key_is_refused(options: dict[str, str]) -> None:
    token = tokens(**options).issue(ANN).token
    assert tokens(**options).verify(token).user_id == "ann"
    with pytest.raises(Unauthenticated):
        tokens().verify(token)


@pytest.mark.parametrize("proof", [Proof.BEARER, Proof.API_TOKEN])
def test_no_token_is_issued_for_another_token(proof: Proof) -> None:
    with pytest.raises(Forbidden):
        tokens().issue(ANN._replace(proof=proof))


@pytest.mark.parametrize("user_id", ["x" * 500, "😀" * 500, 'a"b\\c', "é", "ann@example.com"])
def test_every_id_that_a_person_may_have_fits(user_id: str) -> None:
    token = tokens().issue(ANN._replace(user_id=user_id)).token
    assert tokens().claims(token).user_id == user_id


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(minutes=15, seconds=1), -LIFETIME])
def test_a_lifetime_is_a_quarter_of_an_hour_at_most(lifetime: timedelta) -> None:
    with pytest.raises(Invalid):
        tokens(lifetime=lifetime)


def test_any_other_reader_of_jwts_can_read_it() -> None:
    token = tokens().issue(ANN).token
    options: jwt.types.Options = {"verify_exp": False, "verify_iat": False}
    read = jwt.decode(token, KEY, algorithms=["HS256"], audience="gndp-api", options=options)
    assert (read["sub"], read["iat"], read["exp"], read["pwd"]) == ("ann", AT, AT + 900, 3)
