"""``/api/calendars``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel, Field

from gndp.api import schemas
from gndp.api.callers import Bench, require_precondition
from gndp.api.descriptions import answers
from gndp.api.replies import json_reply, tagged_reply
from gndp.api.types import Name
from gndp.core.calendars import Calendar
from gndp.core.errors import Conflict, NotFound

router = APIRouter(prefix="/calendars", tags=["calendars"])

_Name = Annotated[Name, Path(description="the name of the calendar")]
_IfMatch = Annotated[
    str | None,
    Header(
        description="the ETag that the calendar must still have, else 412",
        json_schema_extra={"minLength": 1, "pattern": '^("[0-9a-f]{32}"|[*])$'},
    ),
]


class CalendarDocument(schemas.Body):
    """A working-time calendar."""

    time_zone: str = schemas.given("UTC", name="time_zone", examples=["Europe/Berlin"])
    hours: dict[str, list[list[str]]] = schemas.given(name="hours", examples=[{"0": [["09:00", "17:00"]]}])
    country: str | None = schemas.given(None, name="country", examples=["DE"])
    region: str | None = schemas.given(None, name="region", examples=["BY"])
    holidays: list[str] = schemas.given(default_factory=list, name="holidays", examples=[["2026-12-24"]])


class CalendarNames(BaseModel):
    """The calendars that there are."""

    calendars: list[str] = Field(description="their names, in order")


@router.get("", responses=answers(CalendarNames))
def list_calendars(bench: Bench) -> Response:
    """The names of all working-time calendars."""
    return json_reply({"calendars": bench.calendars.list()})


@router.get("/{name}", responses=answers(CalendarDocument, 304, 404, 422))
def get_calendar(request: Request, bench: Bench, name: _Name) -> Response:
    """One working-time calendar."""
    return _reply(request, bench.calendars.get(name))


@router.put("/{name}", responses=answers(CalendarDocument, 412, 422))
def save_calendar(
    request: Request, bench: Bench, name: _Name, body: CalendarDocument, if_match: _IfMatch = None
) -> Response:
    """Save a calendar under a name. Clocks that run keep the one that they started with."""
    require_precondition(request, if_match is not None)
    in_place_of = None if if_match in (None, "*") else _with_tag(bench, name, if_match)
    return _reply(request, bench.calendars.save(name, body.model_dump(), in_place_of=in_place_of))


def _with_tag(bench: Any, name: str, etag: str | None) -> Calendar:
    """The calendar, if it has this ETag still. Raises Conflict (stale) when it has not."""
    try:
        calendar: Calendar = bench.calendars.get(name)
    except NotFound:
        raise Conflict(f"there is no calendar {name} yet", stale=True) from None
    if _etag(calendar) != etag:
        raise Conflict(f"the calendar {name} is another one meanwhile", stale=True)
    return calendar


def _reply(request: Request, calendar: Calendar) -> Response:
    return tagged_reply(request, calendar.to_document(), _etag(calendar))


def _etag(calendar: Calendar) -> str:
    return f'"{calendar.fingerprint}"'
