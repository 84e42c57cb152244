"""``/api/accounts``: who can sign in, for those who look after that."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from gndp.api.callers import Bench
from gndp.api.descriptions import answers
from gndp.api.replies import json_reply, row, rows
from gndp.api.routes.authentication import CreateToken, NewToken, Token
from gndp.api.schemas import described
from gndp.api.types import Name, TokenId
from gndp.core import accounts

router = APIRouter(prefix="/accounts", tags=["accounts"])

Account = described(accounts.Account, "Account", meanings={"user_id": "whose it is"})
_UserId = Annotated[Name, Path(description="the id of the person")]


class OneTimeLink(BaseModel):
    """What somebody sets a password with, once."""

    path: str = Field(description="the link, to be put behind the address of the workbench; told only here")
    user_id: str = Field(description="whose password it sets")
    purpose: str = Field(description="invitation, reset or first_start")
    expires_at: datetime = Field(description="until when it is good")


class Done(BaseModel):
    """It is done."""

    user_id: str = Field(description="whom it was done to")


@router.get("", responses=answers(list[Account]))  # type: ignore[valid-type]
def list_accounts(bench: Bench) -> Response:
    """Every account, by the person's id."""
    return json_reply(rows(bench.entrance.accounts.list()))


@router.get("/{user_id}", responses=answers(Account, 404, 422))
def get_account(bench: Bench, user_id: _UserId) -> Response:
    """One account."""
    return json_reply(row(bench.entrance.accounts.get(user_id)))


@router.post("/{user_id}/link", responses=answers(OneTimeLink, 404, 409, 422))
def issue_link(bench: Bench, user_id: _UserId) -> Response:
    """Make a link with which somebody sets a password, once, within a day; who has no account gets one.

    Links that they had are good for nothing from then on. It takes no Idempotency-Key: a secret is not kept.
    """
    link = bench.entrance.accounts.issue_link(user_id, created_by=bench.acting_user)
    said = {
        "path": f"/sign-in#link={link.token}",
        "user_id": link.user_id,
        "purpose": link.purpose,
        "expires_at": link.expires_at,
    }
    return json_reply(said, {"Cache-Control": "no-store"})


@router.post("/{user_id}/sign-out", responses=answers(Done, 404, 422))
def sign_out_everywhere(bench: Bench, user_id: _UserId) -> Response:
    """End all sessions and bearer tokens of somebody; the password stays."""
    bench.entrance.accounts.sign_out_everywhere(user_id)
    return json_reply({"user_id": user_id})


@router.get("/{user_id}/tokens", responses=answers(list[Token], 422))
def list_tokens_of(bench: Bench, user_id: _UserId) -> Response:
    """The API tokens of a person or of a program's account, the newest first."""
    return json_reply(rows(bench.entrance.tokens.list(user_id)))


@router.post("/{user_id}/tokens", responses=answers(NewToken, 404, 409, 422))
def create_token_for(bench: Bench, user_id: _UserId, body: CreateToken) -> Response:
    """Make an API token for a program's account; it is told once. People make their own.

    It takes no Idempotency-Key: a secret is not kept.
    """
    made = bench.entrance.tokens.create(
        user_id,
        body.name,
        body.scopes,
        body.expires_at,
        created_by=bench.acting_user,
        for_program=True,
    )
    return json_reply({**made.record._asdict(), "token": made.token}, {"Cache-Control": "no-store"})


@router.delete("/{user_id}/tokens/{id}", responses=answers(Token, 404, 422))
def revoke_token_of(
    bench: Bench, user_id: _UserId, id: Annotated[TokenId, Path(description="the id of the token")]
) -> Response:
    """Make an API token of somebody good for nothing."""
    return json_reply(row(bench.entrance.tokens.revoke(id, user_id)))
