"""Bearer tokens: JWTs that last a quarter of an hour, for programs of somebody who signed in.

A token is good only as it was issued: the same header, the same claims of the same types, one algorithm. That
it is signed says who it was for; whether they are still active and have still the same password, the database
says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import jwt
from uuid_utils.compat import uuid7

from gndp.access.identity import Identity, Proof
from gndp.core import arguments
from gndp.core.errors import Forbidden, Invalid, Problem, Unauthenticated

LIFETIME = timedelta(minutes=15)
"""How long a bearer token is good at most."""

SKEW = timedelta(seconds=30)
"""How far the clock of the server that issued a token may be ahead."""

MOST_CHARACTERS = 10_000
"""Characters that a token may have: a person's id has up to 500, each up to 12 bytes of JSON."""

_ALGORITHM = "HS256"
_HEADER = {"alg": _ALGORITHM, "typ": "JWT"}
_CLAIMS = {"iss": str, "aud": str, "sub": str, "iat": int, "exp": int, "jti": str, "pwd": int}
# Three parts and no padding, which PyJWT would overlook.
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", re.ASCII)
# PyJWT looks at the wall clock; the times are checked here, by the workbench's.
_OPTIONS: jwt.types.Options = {
    "require": [*_CLAIMS],
    "strict_aud": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "enforce_minimum_key_length": True,
}


class IssuedToken(NamedTuple):
    """A bearer token and when it ends."""

    token: str
    expires_at: datetime


class Claims(NamedTuple):
    """What a token that is signed and in its time says: for whom it is, and the generation of their
    password."""

    user_id: str
    password_generation: int
    issued_at: datetime
    expires_at: datetime
    id: str


class BearerTokens:
    """Issue and verify bearer tokens.

    ``signing_key`` gives the key, of at least 32 bytes; ``current`` finds who has a user's id and a
    password's generation, or raises Unauthenticated; ``now`` is the clock, in aware UTC.
    """

    def __init__(
        self,
        signing_key: Callable[[], bytes],
        current: Callable[[str, int], Identity],
        now: Callable[[], datetime],
        *,
        issuer: str = "gndp",
        audience: str = "gndp-api",
        lifetime: timedelta = LIFETIME,
    ) -> None:
        if not timedelta(seconds=1) <= lifetime <= LIFETIME:
            raise Invalid(Problem("lifetime", "must be between a second and 15 minutes"))
        self._signing_key = signing_key
        self._current = current
        self._now = now
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime

    def issue(self, identity: Identity) -> IssuedToken:
        """A token for somebody who came by a password or a session.

        Raises Forbidden for anybody else: a bearer token must not prolong itself, nor an API token come to
        more than its scopes.
        """
        if identity.proof not in (Proof.PASSWORD, Proof.SESSION):
            raise Forbidden("a bearer token is issued for a password or a session only")
        issued = int(self._now().timestamp())
        expires = issued + int(self._lifetime.total_seconds())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": identity.user_id,
            "iat": issued,
            "exp": expires,
            "jti": str(uuid7()),
            "pwd": identity.password_generation,
        }
        token = jwt.encode(claims, self._signing_key(), algorithm=_ALGORITHM, headers=_HEADER)
        return IssuedToken(token, datetime.fromtimestamp(expires, UTC))

    def verify(self, token: str) -> Identity:
        """Who a token is for; Unauthenticated unless it and the password that it was issued for are good."""
        claims = self.claims(token)
        return self._current(claims.user_id, claims.password_generation)

    def claims(self, token: str) -> Claims:
        """What a token says, if it was issued here and is in its time; Unauthenticated if not."""
        if not isinstance(token, str) or len(token) > MOST_CHARACTERS or not _FORM.fullmatch(token):
            raise Unauthenticated
        try:
            decoded = jwt.decode_complete(
                token,
                self._signing_key(),
                algorithms=[_ALGORITHM],
                options=_OPTIONS,
                issuer=self._issuer,
                audience=self._audience,
            )
        except jwt.InvalidTokenError:
            raise Unauthenticated from None
        claims: dict[str, Any] = decoded["payload"]
        if decoded["header"] != _HEADER or not self._are_good(claims):
            raise Unauthenticated
        return Claims(
            claims["sub"],
            claims["pwd"],
            datetime.fromtimestamp(claims["iat"], UTC),
            datetime.fromtimestamp(claims["exp"], UTC),
            claims["jti"],
        )

    def _are_good(self, claims: dict[str, Any]) -> bool:
        # By type, for True is 1 to Python; and no other claims, for what is not understood is not obeyed.
        if {name: type(value) for name, value in claims.items()} != _CLAIMS:
            return False
        try:
            arguments.name(claims["sub"], "sub")
        except Invalid:
            return False
        now = self._now().timestamp()
        issued: int = claims["iat"]
        expires: int = claims["exp"]
        generation: int = claims["pwd"]
        lasts = expires - issued
        return (
            now < expires
            and issued <= now + SKEW.total_seconds()
            and 0 < lasts <= LIFETIME.total_seconds()
            and 0 <= generation < 2**31
        )
