"""Bearer tokens that are good at noon under ``KEY``, and many kinds of bad ones that are made from them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from gndp.access.bearer import MOST_CHARACTERS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
AT = int(NOON.timestamp())
KEY = hashlib.sha256(b"the key of this installation").hexdigest().encode()
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS: dict[str, Any] = {
    "iss": "gndp",
    "aud": "gndp-api",
    "sub": "ann",
    "iat": AT,
    "exp": AT + 900,
    "jti": "0195",
    "pwd": 3,
}


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: str, payload: str, key: bytes = KEY, hash: str = "sha256") -> str:
    text = f"{header}.{payload}"
    return f"{text}.{part(hmac.digest(key, text.encode(), hash))}"


def forged(claims: object = None, header: object = None, key: bytes = KEY, hash: str = "sha256") -> str:
    """A token as somebody who knows the key, or thinks so, would make it."""
    header = HEADER if header is None else header
    claims = CLAIMS if claims is None else claims
    return signed(part(json.dumps(header).encode()), part(json.dumps(claims).encode()), key, hash)


def with_claims(**changes: Any) -> str:
    return forged({**CLAIMS, **changes})


def without(claim: str) -> str:
    return forged({name: value for name, value in CLAIMS.items() if name != claim})


def with_header(**changes: Any) -> str:
    return forged(header={**HEADER, **changes})


GOOD = forged()
HEAD, BODY, SIGNATURE = GOOD.split(".")
ADMIN = part(json.dumps({**CLAIMS, "sub": "root"}).encode())
UNSIGNED = part(json.dumps({"alg": "none", "typ": "JWT"}).encode())
LAST = SIGNATURE[:-1] + chr(ord(SIGNATURE[-1]) + 1)  # the last character has two bits too many

BAD_TOKENS: dict[str, object] = {
    "nothing": "",
    "no text": None,
    "bytes": GOOD.encode(),
    "a number": 7,
    "no token": "bearer",
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "an encrypted token's five parts": f"{HEAD}.{BODY}.{BODY}.{BODY}.{SIGNATURE}",
    "empty parts": "..",
    "no signature": f"{HEAD}.{BODY}.",
    "space around it": f" {GOOD}",
    "a line's end": f"{GOOD}\n",
    "padding": f"{GOOD}=",
    "characters that base64 skips": f"{HEAD}.{BODY}.{SIGNATURE[:20]}!!{SIGNATURE[20:]}",
    "letters that look alike": GOOD.replace("e", "е", 1),
    "a lone surrogate": f"{HEAD}.{BODY}.\ud800{SIGNATURE[1:]}",
    "too large": forged({**CLAIMS, "jti": "x" * MOST_CHARACTERS}),
    "alg none, unsigned": f"{UNSIGNED}.{BODY}.",
    "alg none, with the signature of another": f"{UNSIGNED}.{BODY}.{SIGNATURE}",
    "alg none, signed": with_header(alg="none"),
    "alg NONE": with_header(alg="NONE"),
    "no alg": forged(header={"typ": "JWT"}),
    "alg null": with_header(alg=None),
    "alg a list": with_header(alg=["HS256"]),
    "alg in small letters": with_header(alg="hs256"),
    "HS384": forged(header={"alg": "HS384", "typ": "JWT"}, hash="sha384"),
    "HS512": forged(header={"alg": "HS512", "typ": "JWT"}, hash="sha512"),
    "RS256 over our key": with_header(alg="RS256"),
    "typ of another kind": with_header(typ="at+jwt"),
    "no typ": forged(header={"alg": "HS256"}),
    "a key of its own": with_header(jwk={"kty": "oct", "k": part(b"mine")}),
    "a key from elsewhere": with_header(jku="https://example.com/keys"),
    "a key's name as a path": with_header(kid="../../dev/null"),
    "something critical": with_header(crit=["exp"], exp=AT + 900),
    "a payload apart": with_header(b64=False, crit=["b64"]),
    "header no object": forged(header=["HS256"]),
    "header no JSON": signed(part(b"{"), BODY),
    "header nested deeply": signed(part(b"[" * 3_000), BODY),
    "signed with another key": forged(key=b"x" * 64),
    "signed with the empty key": forged(key=b"\0"),
    "signed with a part of the key": forged(key=KEY[:32]),
    "payload tampered with": f"{HEAD}.{ADMIN}.{SIGNATURE}",
    "header tampered with": f"{part(json.dumps({**HEADER, 'kid': '1'}).encode())}.{BODY}.{SIGNATURE}",
    "signature tampered with": f"{HEAD}.{BODY}.{'B' if SIGNATURE[0] == 'A' else 'A'}{SIGNATURE[1:]}",
    "signature of the same bytes, otherwise spelled": f"{HEAD}.{BODY}.{LAST}",
    "signature cut": f"{HEAD}.{BODY}.{SIGNATURE[:20]}",
    "signature of another token": f"{HEAD}.{BODY}.{with_claims(jti='9').split('.')[2]}",
    "payload no JSON": signed(HEAD, part(b"{")),
    "payload no UTF-8": signed(HEAD, part(b'{"sub": "\xff"}')),
    "payload no object": forged(["ann"]),
    "payload nested deeply": signed(HEAD, part(b"[" * 3_000)),
    **{f"no {claim}": without(claim) for claim in CLAIMS},
    **{f"{claim} null": with_claims(**{claim: None}) for claim in CLAIMS},
    "a claim too many": with_claims(role="admin"),
    "another issuer": with_claims(iss="gndp.example"),
    "issuer a list": with_claims(iss=["gndp"]),
    "another audience": with_claims(aud="gndp-ui"),
    "several audiences": with_claims(aud=["gndp-api", "other"]),
    "expired": with_claims(iat=AT - 900, exp=AT),
    "expired long ago": with_claims(iat=0, exp=900),
    "exp a text": with_claims(exp=str(AT + 900)),
    "exp a fraction": with_claims(exp=AT + 899.5),
    "exp a truth": with_claims(exp=True),
    "exp infinite": with_claims(exp=float("inf")),
    "exp no number": with_claims(exp=float("nan")),
    "exp beyond all calendars": with_claims(exp=10**30),
    "exp of five thousand digits": signed(
        HEAD, part(json.dumps(CLAIMS).replace(str(AT + 900), "9" * 5_000).encode())
    ),
    "exp before iat": with_claims(iat=AT + 20, exp=AT + 10),
    "longer than it may last": with_claims(exp=AT + 901),
    "issued in the future": with_claims(iat=AT + 31, exp=AT + 600),
    "not yet valid": with_claims(nbf=AT + 600),
    "iat negative": with_claims(iat=-(10**20)),
    "sub a number": with_claims(sub=7),
    "sub a list": with_claims(sub=["ann"]),
    "sub empty": with_claims(sub=""),
    "sub with a NUL": with_claims(sub="ann\0"),
    "sub with half a surrogate pair": with_claims(sub="\ud800"),
    "sub too long": with_claims(sub="x" * 501),
    "jti a number": with_claims(jti=7),
    "pwd a text": with_claims(pwd="3"),
    "pwd a truth": with_claims(pwd=True),
    "pwd negative": with_claims(pwd=-1),
    "pwd beyond the column": with_claims(pwd=2**31),
}
