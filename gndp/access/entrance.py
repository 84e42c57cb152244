"""Everything that proves who somebody is, of one workbench: ``wb.entrance``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from gndp.access.accounts import Accounts
from gndp.access.bearer import BearerTokens
from gndp.access.identity import Identity
from gndp.access.keys import SigningKeys
from gndp.access.principals import Principal
from gndp.access.sessions import Sessions
from gndp.access.tokens import ApiTokens
from gndp.core.states import Role, TokenScope
from gndp.store.queries import Row
from gndp.store.session import Transaction

_API_TOKEN = "gndp_"


class Entrance:
    """Accounts, sessions, bearer tokens and API tokens over one database.

    ``transaction`` gives the transaction to work in, ``read`` runs reads in one round trip, ``now`` is the
    clock, in aware UTC. ``secret_key`` is what the servers sign with, None for the database's own key.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Transaction]],
        read: Callable[..., list[list[Row]]],
        now: Callable[[], datetime],
        secret_key: str | None,
    ) -> None:
        self.keys = SigningKeys(transaction, read, now, secret_key)
        self.accounts = Accounts(transaction, read, now)
        self.sessions = Sessions(transaction, read, now)
        self.tokens = ApiTokens(transaction, read, now)
        self.bearer = BearerTokens(lambda: self.keys.key("bearer"), self.accounts.current, now)

    def by_token(self, token: str) -> Identity:
        """Whose bearer token or API token it is; Unauthenticated when it is neither, or no longer good."""
        return (self.tokens if token.startswith(_API_TOKEN) else self.bearer).verify(token)


def principal_of(identity: Identity) -> Principal:
    """With what rights somebody comes in: their role's, as far as their token's scopes go."""
    widest = next(scope for scope in reversed(TokenScope) if scope in identity.scopes)
    return Principal(identity.user_id, Role(identity.role), identity.team, widest)
