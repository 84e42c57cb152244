"""Whether a server can do its work: what ``/readyz`` says."""

from __future__ import annotations

from typing import NamedTuple

from gndp.core.errors import DatabaseMismatch, GndpError
from gndp.operations.latest import Latest
from gndp.store.health import DatabaseState


class Check(NamedTuple):
    """One thing that a server needs, whether it has it, and what there is to say about that to anybody."""

    ok: bool
    detail: str


def checks(latest: Latest[DatabaseState], runs_jobs: bool) -> dict[str, Check]:
    """What a server needs: the database, this version's tables, and somebody who runs the jobs, if servers
    such as this one (``runs_jobs``) are to."""
    unknown = Check(False, "not known without the database")
    try:
        state = latest.get()
    except DatabaseMismatch as error:
        return {"database": Check(True, "answers"), "schema": Check(False, str(error)), "jobs": unknown}
    except (GndpError, TimeoutError):
        return {"database": Check(False, "does not answer"), "schema": unknown, "jobs": unknown}
    return {"database": Check(True, "answers"), "schema": _schema(state), "jobs": _jobs(state, runs_jobs)}


def _schema(state: DatabaseState) -> Check:
    if state.revision == state.wanted_revision:
        return Check(True, f"at {state.revision}")
    return Check(False, f"at {state.revision}, but this version wants {state.wanted_revision}")


def _jobs(state: DatabaseState, runs_jobs: bool) -> Check:
    if state.lease_is_held:
        return Check(True, "some server runs them")
    if not runs_jobs:
        return Check(True, "off on this server, and no other one runs them")
    if not state.lease_was_held:
        return Check(True, "no server has run them yet")
    return Check(False, "no server runs them")
