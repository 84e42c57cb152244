"""Accounts: who can sign in with a password, how they come by it, and what stops others from guessing it.

A sign-in hashes without a lock, for that takes its time, and decides under the lock of the account's row.
Guesses that come all at once are therefore judged one after the other, and those after the fifth wrong one
find the account locked, even the right one among them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from argon2 import PasswordHasher

from gndp.access.identity import Identity, Proof
from gndp.access.passwords import Passwords
from gndp.access.secrets import digest, is_secret, new_secret
from gndp.core import arguments
from gndp.core.accounts import Account, OneTimeLink
from gndp.core.credentials import Standing, after_failure, new_password, presented_password
from gndp.core.errors import Conflict, Invalid, NotFound, Problem, Unauthenticated
from gndp.core.people import new_person
from gndp.core.states import LinkPurpose, Role
from gndp.store.queries import Row, statement
from gndp.store.session import Transaction

LINK_VALID_FOR = timedelta(hours=24)
"""How long a one-time link is good, if nothing else is asked for."""

MOST_LINK_VALID_FOR = timedelta(days=7)
"""How long a one-time link may be good."""


class _Locked(NamedTuple):
    """An account whose row is locked, and its person."""

    password_hash: str | None
    standing: Standing
    is_active: bool
    identity: Identity


class Accounts:
    """Accounts, their passwords and one-time links.

    ``transaction`` gives the transaction to work in, ``read`` runs reads in one round trip, ``now`` is the
    clock, in aware UTC. ``hasher`` has argon2's parameters, argon2-cffi's own if None. Do not sign in within
    a unit of work: the refusal would undo what was counted.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Transaction]],
        read: Callable[..., list[list[Row]]],
        now: Callable[[], datetime],
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._transaction = transaction
        self._read = read
        self._now = now
        self._passwords = Passwords(hasher)

    def list(self) -> list[Account]:
        """Every account, by the person's id."""
        (rows,) = self._read(statement("accounts", "accounts"))
        return [Account._make(row) for row in rows]

    def get(self, user_id: str) -> Account:
        """The account of a person; NotFound when there is none."""
        user_id = arguments.name(user_id, "user_id")
        (rows,) = self._read(statement("accounts", "account", user_id=user_id))
        if not rows:
            raise NotFound("account", user_id)
        return Account._make(rows[0])

    def create(self, user_id: str, password: str | None = None) -> Account:
        """Give a person an account, with a password or, as a rule, without: ``issue_link`` lets them set it.

        Raises NotFound when there is no such person, Conflict when there is an account already or the person
        is not active, Invalid for a password that is not good enough, or for a program's account, which has
        API tokens.
        """
        user_id = arguments.name(user_id, "user_id")
        hash = None if password is None else self._hash(password, "password", user_id)
        with self._transaction() as transaction:
            self._refuse_person(transaction, user_id)
            (added,) = transaction.run(statement("accounts", "add", user_id=user_id, now=self._now()))
            if not added:
                raise Conflict(f"there is an account of {user_id} already")
            if hash is not None:
                self._set(transaction, user_id, hash)
            (rows,) = transaction.run(statement("accounts", "account", user_id=user_id))
        return Account._make(rows[0])

    def issue_link(
        self, user_id: str, *, created_by: str | None = None, valid_for: timedelta = LINK_VALID_FOR
    ) -> OneTimeLink:
        """A link with which a person sets a password; their earlier links are good for nothing from now on.

        Who has no account gets one. The password of now stays good until the link is used. ``created_by`` is
        who asked for it, None for whoever runs the server. Raises as ``create``, but not when there is an
        account.
        """
        user_id = arguments.name(user_id, "user_id")
        created_by = arguments.optional_name(created_by, "created_by")
        if not isinstance(valid_for, timedelta) or not timedelta() < valid_for <= MOST_LINK_VALID_FOR:
            raise Invalid(Problem("valid_for", f"must be a time of at most {MOST_LINK_VALID_FOR.days} days"))
        with self._transaction() as transaction:
            self._refuse_person(transaction, user_id)
            return self._issue(transaction, user_id, created_by, self._now() + valid_for)

    def first_admin_link(self) -> OneTimeLink | None:
        """At the first start, a link for an admin to set a password; None when it is not the first.

        It is the first as long as nobody has a password or a link that is still good for one. The admin is
        one of the directory if it has one, or is added to it. Of servers that start at once, one gets the
        link.
        """
        now = self._now()
        first_start = statement("accounts", "is_first_start", now=now)
        (rows,) = self._read(first_start)
        if not rows[0][0]:
            return None
        with self._transaction() as transaction:
            transaction.run(statement("accounts", "lock_first_start"))
            rows, admins, free = transaction.run(
                first_start, statement("accounts", "first_admin"), statement("accounts", "free_admin_id")
            )
            if not rows[0][0]:
                return None
            user_id = admins[0][0] if admins else self._add_admin(transaction, free[0][0])
            return self._issue(
                transaction, user_id, None, now + LINK_VALID_FOR, purpose=LinkPurpose.FIRST_START
            )

    def set_password(self, link: str, password: str) -> Identity:
        """Set the password of whoever has the token of a one-time link, and end all that an earlier one
        opened.

        Raises Unauthenticated for a link that is wrong, used or expired, or whose person is not active, and
        Invalid for a password that is not good enough: the link can then be used again.
        """
        if not is_secret(link):
            raise Unauthenticated
        now = self._now()
        hash_of_link = digest(link)
        (rows,) = self._read(statement("accounts", "link", token_hash=hash_of_link, now=now))
        if not rows:
            raise Unauthenticated
        user_id: str = rows[0][0]
        hash = self._hash(password, "password", user_id)
        with self._transaction() as transaction:
            account = self._locked(transaction, user_id)
            (used,) = transaction.run(statement("accounts", "use_link", token_hash=hash_of_link, now=now))
            if account is None or not account.is_active or not used:
                raise Unauthenticated
            return account.identity._replace(password_generation=self._set(transaction, user_id, hash))

    def change_password(self, user_id: str, password: str, new: str) -> Identity:
        """Set another password, given the one of now, and end all that it opened.

        Raises Unauthenticated as ``sign_in``, and Invalid for a new password that is not good enough.
        """
        user_id = arguments.name(user_id, "user_id")
        new_password(new, "new", user_id=user_id)  # first, so that it costs whoever mistyped it no attempt
        proved = self.sign_in(user_id, password)
        hash = self._hash(new, "new", user_id)
        with self._transaction() as transaction:
            account = self._locked(transaction, user_id)
            if account is None or account.identity != proved or not account.is_active:
                raise Unauthenticated
            return account.identity._replace(password_generation=self._set(transaction, user_id, hash))

    def sign_in(self, user_id: str, password: str) -> Identity:
        """Who it is that knows a password.

        Raises Unauthenticated for a wrong one, somebody who is unknown, not active or a program, and for an
        account without a password or locked: after five wrong ones for 15 minutes, then for twice as long
        with every five more, up to a day. The right one sets that back.
        """
        try:
            user_id = arguments.name(user_id, "user_id")
        except Invalid:
            user_id = ""  # nobody's, and looked for all the same
        presented = presented_password(password)
        (rows,) = self._read(statement("accounts", "password", user_id=user_id))
        hash: str | None = rows[0][0] if rows else None
        is_right = self._passwords.verify(hash, presented)
        identity = self._judge(user_id, hash if is_right else None)
        if identity is None:
            raise Unauthenticated
        if hash is not None and presented is not None and self._passwords.is_outdated(hash):
            self._renew(user_id, hash, presented)
        return identity

    def current(self, user_id: str, password_generation: int) -> Identity:
        """Who it is that signed in with a password of this generation, if it still is the account's.

        Raises Unauthenticated when it is not, or when the person is not active.
        """
        (rows,) = self._read(
            statement("accounts", "current", user_id=user_id, password_generation=password_generation)
        )
        if not rows:
            raise Unauthenticated
        return Identity.of(rows[0], Proof.BEARER)

    def sign_out_everywhere(self, user_id: str) -> None:
        """End all sessions and bearer tokens of a person; the password stays. NotFound without an account."""
        user_id = arguments.name(user_id, "user_id")
        with self._transaction() as transaction:
            rows, _ = transaction.run(
                statement("accounts", "next_generation", user_id=user_id),
                statement("sessions", "close_all", user_id=user_id),
            )
            if not rows:
                raise NotFound("account", user_id)

    def _judge(self, user_id: str, proved_hash: str | None) -> Identity | None:
        """Decide on an attempt, one after the other for an account: who it is, or None.

        ``proved_hash`` is the hash that the password has matched. Whoever is refused, and why, the same
        statements are run: nothing is to be told by the time that it takes.
        """
        now = self._now()
        with self._transaction() as transaction:
            account = self._locked(transaction, user_id)
            standing = account.standing if account else Standing(0, None)
            identity = None
            if account is None or standing.is_locked(now) or not account.is_active:
                after = standing
            elif proved_hash is None or proved_hash != account.password_hash:
                after = after_failure(standing, now)
            else:
                after, identity = Standing(0, None), account.identity
            record = statement("accounts", "record_attempt", user_id=user_id, **after._asdict())
            if identity is None:
                transaction.run(statement("accounts", "commit_without_waiting"), record)
            elif after != standing:
                transaction.run(record)
        return identity

    def _renew(self, user_id: str, hash: str, password: str) -> None:
        renewed = self._passwords.hash(password)
        renew = statement("accounts", "renew_hash", user_id=user_id, old=hash, new=renewed)
        with self._transaction() as transaction:
            transaction.run(renew)

    def _hash(self, password: Any, place: str, user_id: str) -> str:
        return self._passwords.hash(new_password(password, place, user_id=user_id))

    @staticmethod
    def _locked(transaction: Transaction, user_id: str) -> _Locked | None:
        (rows,) = transaction.run(statement("accounts", "lock", user_id=user_id))
        if not rows:
            return None
        password_hash, failed_attempts, locked_until, is_active, *person = rows[0]
        identity = Identity.of(person, Proof.PASSWORD)
        return _Locked(
            password_hash,
            Standing(failed_attempts, locked_until),
            is_active and identity.role != Role.SERVICE,
            identity,
        )

    def _set(self, transaction: Transaction, user_id: str, hash: str) -> int:
        """Write a password and end links and sessions; its generation."""
        now = self._now()
        rows, *_ = transaction.run(
            statement("accounts", "set_password", user_id=user_id, password_hash=hash, now=now),
            statement("accounts", "end_links", user_id=user_id, now=now),
            statement("sessions", "close_all", user_id=user_id),
        )
        generation: int = rows[0][0]
        return generation

    def _issue(
        self,
        transaction: Transaction,
        user_id: str,
        created_by: str | None,
        expires_at: datetime,
        purpose: LinkPurpose | None = None,
    ) -> OneTimeLink:
        now = self._now()
        transaction.run(statement("accounts", "add", user_id=user_id, now=now))
        account = self._locked(transaction, user_id)
        has_password = account is not None and account.password_hash is not None
        purpose = purpose or (LinkPurpose.RESET if has_password else LinkPurpose.INVITATION)
        link = OneTimeLink(new_secret(), user_id, purpose, expires_at)
        transaction.run(
            statement("accounts", "end_links", user_id=user_id, now=now),
            statement(
                "accounts",
                "add_link",
                token_hash=digest(link.token),
                user_id=user_id,
                purpose=str(purpose),
                now=now,
                created_by=created_by,
                expires_at=expires_at,
            ),
        )
        return link

    def _add_admin(self, transaction: Transaction, user_id: str) -> str:
        person = new_person(user_id, {"role": Role.ADMIN.value}, self._now())
        rows = orjson.dumps([person._asdict()]).decode()
        transaction.run(statement("directory", "lock"), statement("directory", "add_people", rows=rows))
        return user_id

    @staticmethod
    def _refuse_person(transaction: Transaction, user_id: str) -> None:
        (rows,) = transaction.run(statement("accounts", "person", user_id=user_id))
        if not rows:
            raise NotFound("person", user_id)
        is_active, role = rows[0]
        if role == Role.SERVICE:
            raise Invalid(Problem("user_id", "is a program's account: it has no password but API tokens"))
        if not is_active:
            raise Conflict(f"{user_id} is not active")
