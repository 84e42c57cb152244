"""``/api/events``: everything that is committed, as it is committed (Server-Sent Events)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from gndp.access.entrance import principal_of
from gndp.api.callers import Bench, identity_of
from gndp.api.descriptions import answers
from gndp.core.errors import Forbidden, NotFound, Unauthenticated
from gndp.core.records import LiveEvent
from gndp.events.live import ListenerDropped, LiveStream
from gndp.workbench import Workbench

router = APIRouter(prefix="/events", tags=["events"])

HEARTBEAT = 15.0
"""Seconds after which a stream says that it lives, and asks whether its caller may still."""

_KEPT = 500
_STREAM = answers(None, 403, 409, 422)
_STREAM[200] = {
    "description": "Server-Sent Events: `id` is a position to go on from, `event` the event's type, `data` "
    "the event as in the events of a process. A comment every 15 seconds says that the stream lives. "
    "`gndp.dropped` is the last event of a listener that was too slow: go on from its id.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get("", responses=_STREAM, response_class=StreamingResponse)
async def stream_events(
    request: Request,
    bench: Bench,
    pattern: Annotated[
        str, Query(description="a type such as task.completed, a prefix such as sla.*, or *")
    ] = "*",
    process_id: Annotated[UUID | None, Query(description="only events of this process")] = None,
    after: Annotated[
        str | None,
        Query(description="the id after which to begin; the first event: beginning; now if left out"),
    ] = None,
    last_event_id: Annotated[
        str | None, Header(description="the id that a stream came to before it broke off; goes before after")
    ] = None,
) -> StreamingResponse:
    """Follow what is committed, live. Whoever may not read all events names a process that they may see."""
    reached = last_event_id or after

    def opened() -> LiveStream:
        start = bench.events.beginning() if reached == "beginning" else reached
        return bench.events.live(pattern, process_id=process_id, after=start)

    stream = await run_in_threadpool(opened)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _sent(request, stream, process_id), headers=headers, media_type="text/event-stream"
    )


async def _sent(request: Request, stream: LiveStream, process_id: UUID | None) -> AsyncIterator[bytes]:
    events = aiter(stream)
    coming: asyncio.Task[LiveEvent] | None = None
    now = asyncio.get_running_loop().time
    beat_at = now() + HEARTBEAT
    try:
        # The position alone: who loses the connection before the first event goes on from here.
        yield b": the stream begins\nid: %b\n\n" % stream.position.encode()
        while True:
            # A task, for what a listener waits with must not be broken off when the heartbeat is due.
            coming = coming or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({coming}, timeout=max(0, beat_at - now()))
            if now() >= beat_at:
                if not await run_in_threadpool(_may_still, request, process_id):
                    return
                beat_at = now() + HEARTBEAT
                yield b": still there\n\n"
            if done:
                live, coming = coming.result(), None
                yield _message(live.position, live.event.event_type, _written(live))
    except StopAsyncIteration:
        pass
    except ListenerDropped as dropped:
        yield _message(dropped.position, "gndp.dropped", orjson.dumps({"detail": str(dropped)}))
    finally:
        stream.close()
        if coming is not None:
            coming.cancel()


_newest: dict[UUID, bytes] = {}


def _written(live: LiveEvent) -> bytes:
    """An event as JSON. The newest are kept, since all streams of this process send them, in its one loop."""
    written = _newest.get(live.event.id)
    if written is None:
        written = _newest[live.event.id] = orjson.dumps(live.event._asdict())
        if len(_newest) > _KEPT:
            del _newest[next(iter(_newest))]
    return written


def _message(id: str, event: str, data: bytes) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (id.encode(), event.encode(), data)


def _may_still(request: Request, process_id: UUID | None) -> bool:
    """Whether what the caller came with is still good, and lets them see what they follow."""
    if not request.app.state.needs_authentication:
        return True
    workbench: Workbench = request.app.state.workbench
    try:
        bench = workbench.acting_as(principal_of(identity_of(request)))
        bench.events.require_sight(process_id)
    except (Unauthenticated, Forbidden, NotFound):
        return False
    return True
