"""The types of what requests say, as the OpenAPI description tells them.

Their limits are only told here: the workbench holds to them itself, with the same words whoever calls.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field, StrictBool

from gndp.core.arguments import MAX_NAME, MAX_TEXT
from gndp.core.credentials import LEAST_PASSWORD, MOST_PASSWORD
from gndp.core.people import LEVELS
from gndp.core.policies import MAX_MINUTES

# One character at least that str.strip() leaves, and no NUL.
_NO_BLANK = (
    r"^[^\u0000]*"
    r"[^\u0000\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
    r"[^\u0000]*$"
)
_MAX_INTEGER = 2**31 - 1


def _told(**limits: Any) -> Any:
    return Field(json_schema_extra=limits)


def _iso(value: Any) -> Any:
    """Numbers are no instants here, though Pydantic would take them for seconds since 1970."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or "T" not in value.upper():
        raise ValueError("must be an instant such as 2026-08-15T08:00:00+02:00")
    return value


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 3.0 is a whole one. A text is none, though Pydantic would take it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number."""

Name = Annotated[str, _told(minLength=1, maxLength=MAX_NAME, pattern=_NO_BLANK)]
"""A short text that is not blank: an id of a person, a name, a word."""

Text = Annotated[str, _told(minLength=1, maxLength=MAX_TEXT, pattern=_NO_BLANK)]
"""A text that is not blank."""

Id = Annotated[str, _told(format="uuid")]
"""The id of an item in an address."""

TokenId = Annotated[str, _told(pattern="^[0-9a-f]{16}$")]
"""The id of an API token."""

NewPassword = Annotated[str, _told(minLength=LEAST_PASSWORD, maxLength=MOST_PASSWORD)]
"""A password that is to be set."""

Instant = Annotated[AwareDatetime, BeforeValidator(_iso)]
"""An instant with an offset."""

Minutes = Annotated[Whole, _told(minimum=1, maximum=_MAX_INTEGER)]
"""A whole number of minutes, at least one."""

SlaMinutes = Annotated[Whole, _told(minimum=1, maximum=MAX_MINUTES)]
"""The minutes of an SLA target."""

Count = Annotated[Whole, _told(minimum=0, maximum=_MAX_INTEGER)]
"""A whole number, zero or more."""

Limit = Annotated[Whole, _told(minimum=1, maximum=_MAX_INTEGER)]
"""A whole number, at least one."""

Sequence = Annotated[Whole, _told(minimum=1, maximum=2**53 - 1)]
"""The place of an event in the log."""

Email = Annotated[str, _told(minLength=3, maxLength=MAX_NAME, pattern=r"^[^@\s\u0000]+@[^@\s\u0000]+$")]
"""An address."""

Flag = StrictBool
"""True or false."""

Skills = dict[Name, Annotated[Whole, _told(minimum=LEVELS[0], maximum=LEVELS[-1])]]
"""Skills, each with a level 1 to 5."""
