"""``/api/auth``: signing in and out, bearer tokens, passwords, and personal API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from gndp.access.identity import Identity
from gndp.access.sessions import LIFETIME, OpenedSession
from gndp.api.callers import COOKIE, TheEntrance, Who
from gndp.api.descriptions import answers
from gndp.api.replies import json_reply
from gndp.api.schemas import Body
from gndp.api.types import Instant, Name, NewPassword, TokenId
from gndp.core.states import TokenScope

router = APIRouter(prefix="/auth", tags=["authentication"])


class SignIn(Body):
    """Who signs in."""

    user_id: str = Field(description="the person's id", examples=["ann"])
    password: str = Field(description="the person's password", examples=["correct horse battery"])


class ChangePassword(Body):
    """The password of now, and the one from now on."""

    password: str = Field(description="the password of now", examples=["correct horse battery"])
    new: NewPassword = Field(
        description="the password from now on: 15 to 256 characters", examples=["staple of another horse"]
    )


class RedeemLink(Body):
    """A one-time link, and the password to be set by it."""

    token: str = Field(
        description="what the link ends with", examples=["J3nB0l1c8mWm2tq7c0m9y5Wc3p0zv6R5kq4u8xYtA2E"]
    )
    password: NewPassword = Field(
        description="the password from now on: 15 to 256 characters", examples=["correct horse battery"]
    )


class CreateToken(Body):
    """An API token to be made."""

    name: Name = Field(description="what it is for", examples=["nightly export"])
    scopes: list[TokenScope] = Field(
        description="read, write or admin; each brings those before it along",
        examples=[["read"]],
        json_schema_extra={"minItems": 1},
    )
    expires_at: Instant = Field(
        description="when it ends: within 365 days", examples=["2026-12-31T00:00:00Z"]
    )


class Me(BaseModel):
    """Whoever calls."""

    user_id: str = Field(description="the person's id")
    name: str = Field(description="the person's name")
    role: str = Field(description="viewer, worker, lead, manager, admin or service")
    team: str | None = Field(description="the person's team; null for none")
    scopes: list[str] = Field(description="what the token that proves it is good for; all without a token")


class SignedIn(Me):
    """Whoever has signed in; the session is in the cookie."""

    csrf_token: str = Field(description="goes into X-CSRF-Token with everything that changes something")
    expires_at: datetime = Field(description="when the session ends at the latest")


class Bearer(BaseModel):
    """A bearer token."""

    access_token: str = Field(description="goes into Authorization, after the word Bearer")
    token_type: str = Field(description="always Bearer")
    expires_at: datetime = Field(description="when it ends: after 15 minutes")


class Token(BaseModel):
    """An API token, without its secret."""

    id: str = Field(description="its id, which is also in the token")
    user_id: str = Field(description="whose it is")
    name: str = Field(description="what it is for")
    scopes: list[str] = Field(description="what it is good for")
    created_at: datetime = Field(description="when it was made")
    created_by: str | None = Field(description="who made it; null for its owner")
    expires_at: datetime = Field(description="when it ends")
    last_used_at: datetime | None = Field(description="when it was used last, to the minute")
    revoked_at: datetime | None = Field(description="when it was revoked; null while it is not")


class NewToken(Token):
    """An API token that was just made."""

    token: str = Field(description="the token, which is told here and never again")


@router.post("/sign-in", responses=answers(SignedIn, 422))
def sign_in(request: Request, entrance: TheEntrance, body: SignIn) -> Response:
    """Sign in with a password; the session comes in a cookie that scripts cannot read."""
    identity = entrance.accounts.sign_in(body.user_id, body.password)
    return _opened(request, entrance.sessions.open(identity, replacing=request.cookies.get(COOKIE)))


@router.post("/sign-out", responses=answers(None))
def sign_out(request: Request, entrance: TheEntrance, who: Who) -> Response:
    """End the session."""
    secret = request.cookies.get(COOKIE)
    if secret is not None:
        entrance.sessions.close(secret)
    reply = json_reply(None)
    reply.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return reply


@router.post("/token", responses=answers(Bearer, 422))
def issue_bearer_token(entrance: TheEntrance, body: SignIn) -> Response:
    """A bearer token of 15 minutes for a password, for programs that sign in as a person."""
    issued = entrance.bearer.issue(entrance.accounts.sign_in(body.user_id, body.password))
    return json_reply(
        {"access_token": issued.token, "token_type": "Bearer", "expires_at": issued.expires_at},
        {"Cache-Control": "no-store"},
    )


@router.get("/me", responses=answers(Me))
def me(who: Who) -> Response:
    """Who calls, and with what."""
    return json_reply(_me(who))


@router.post("/password", responses=answers(SignedIn, 422))
def change_password(request: Request, entrance: TheEntrance, who: Who, body: ChangePassword) -> Response:
    """Set another password; everything that was opened with the one before ends."""
    who.require_scope(TokenScope.ADMIN)
    identity = entrance.accounts.change_password(who.user_id, body.password, body.new)
    return _opened(request, entrance.sessions.open(identity))


@router.post("/link", responses=answers(SignedIn, 422))
def redeem_link(request: Request, entrance: TheEntrance, body: RedeemLink) -> Response:
    """Set a password by a one-time link, and sign in with it."""
    identity = entrance.accounts.set_password(body.token, body.password)
    return _opened(request, entrance.sessions.open(identity))


@router.get("/tokens", responses=answers(list[Token]))
def list_tokens(entrance: TheEntrance, who: Who) -> Response:
    """One's own API tokens, the newest first."""
    return json_reply([record._asdict() for record in entrance.tokens.list(who.user_id)])


@router.post("/tokens", responses=answers(NewToken, 409, 422))
def create_token(entrance: TheEntrance, who: Who, body: CreateToken) -> Response:
    """Make an API token for oneself; it is told once. An API token makes no other."""
    who.require_password_or_session()
    made = entrance.tokens.create(who.user_id, body.name, body.scopes, body.expires_at)
    return json_reply({**made.record._asdict(), "token": made.token}, {"Cache-Control": "no-store"})


@router.delete("/tokens/{id}", responses=answers(Token, 404, 422))
def revoke_token(
    entrance: TheEntrance, who: Who, id: Annotated[TokenId, Path(description="the token's id")]
) -> Response:
    """Make one of one's own API tokens good for nothing."""
    who.require_scope(TokenScope.ADMIN)
    return json_reply(entrance.tokens.revoke(id, who.user_id)._asdict())


def _me(identity: Identity) -> dict[str, Any]:
    return {
        "user_id": identity.user_id,
        "name": identity.name,
        "role": identity.role,
        "team": identity.team,
        "scopes": sorted(identity.scopes),
    }


def _opened(request: Request, opened: OpenedSession) -> Response:
    said = {
        **_me(opened.identity),
        "csrf_token": opened.csrf_token,
        "expires_at": opened.expires_at,
    }
    reply = json_reply(said, {"Cache-Control": "no-store"})
    reply.set_cookie(
        COOKIE,
        opened.secret,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return reply
