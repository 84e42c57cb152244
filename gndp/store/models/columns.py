"""What the tables' columns and constraints are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.types import UserDefinedType

SHORT_LIST = {"gin_pending_list_limit": 512}
"""How many kilobytes of new entries of an index of words wait to be entered."""


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in DDL."""
        return "xid8"


class PgSnapshot(UserDefinedType[str]):
    """Which transactions are visible, as PostgreSQL writes it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in DDL."""
        return "pg_snapshot"


def one_of(name: str, column: str, members: type[StrEnum]) -> CheckConstraint:
    """A CHECK that a column holds a member of an enumeration."""
    values = ", ".join(f"'{member}'" for member in members)
    return CheckConstraint(f"{column} IN ({values})", name=name)
