"""Accounts and API tokens, for those who look after them: ``wb.entrance.accounts`` and ``.tokens``."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from datetime import datetime

from gndp.client.encoding import segment
from gndp.client.noun import Noun
from gndp.client.replies import record, records
from gndp.core.accounts import Account, ApiToken, NewToken, OneTimeLink


class Accounts(Noun):
    """Who can sign in with a password."""

    def list(self) -> builtins.list[Account]:
        """Every account, by the person's id."""
        return records(Account, self._transport.get("/accounts"))

    def get(self, user_id: str) -> Account:
        """The account of a person; NotFound when there is none."""
        return record(Account, self._transport.get(_path(user_id)))

    def issue_link(self, user_id: str) -> OneTimeLink:
        """A link with which a person sets a password, within a day; their earlier links are good for nothing
        from now on. Who has no account gets one.

        It is put together as ``/sign-in#link=<token>`` behind the server's address.
        """
        said = self._transport.change("POST", f"{_path(user_id)}/link", is_repeatable=False)
        return record(OneTimeLink, {**said, "token": said["path"].partition("#link=")[2]})

    def sign_out_everywhere(self, user_id: str) -> None:
        """End all sessions and bearer tokens of a person; the password stays."""
        self._transport.change("POST", f"{_path(user_id)}/sign-out", is_repeatable=True)


class Tokens(Noun):
    """API tokens of people and of programs' accounts."""

    def list(self, user_id: str) -> builtins.list[ApiToken]:
        """Every token of a person, also those that are good for nothing any more; the newest first."""
        return records(ApiToken, self._transport.get(f"{_path(user_id)}/tokens"))

    def create(self, user_id: str, name: str, scopes: Iterable[str], expires_at: datetime) -> NewToken:
        """A token for a program's account until an instant within the next 365 days; people make their own.

        ``scopes`` are of read, write and admin; each brings those before it along.
        """
        body = {"name": name, "scopes": sorted(scopes), "expires_at": expires_at}
        made = self._transport.change("POST", f"{_path(user_id)}/tokens", body, is_repeatable=False)
        return NewToken(made["token"], record(ApiToken, made))

    def revoke(self, id: str, user_id: str) -> ApiToken:
        """Make a token of somebody's good for nothing, for ever; revoking it again changes nothing."""
        path = f"{_path(user_id)}/tokens/{segment(id, 'id')}"
        return record(ApiToken, self._transport.change("DELETE", path, is_repeatable=True))


def _path(user_id: str) -> str:
    return f"/accounts/{segment(user_id, 'user_id')}"
