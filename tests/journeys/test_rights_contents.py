"""What lists, figures and streams hold for those who may not see everything: what they may, and no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest

from gndp.api.routes import events
from gndp.core.records import Process, Task
from gndp.events.live import LiveEvent
from tests.journeys.rights_house import SECRET, Caller, House, house_on

MAY_NOT_SEE_ALL = ("viewer", "worker", "lead")
WHOSE = ("own", "team", "queue", "shared", "foreign")


@pytest.fixture(scope="module")
def house(module_database_url: str) -> Iterator[House]:
    with house_on(module_database_url) as house:
        yield house


def get(house: House, caller: Caller, path: str, **query: Any) -> Any:
    reply = house.client.get(path, params=query, headers=caller.headers)
    assert reply.status_code == 200, reply.text
    return reply.json()


def ids(rows: list[dict[str, Any]]) -> set[str]:
    found = {row["id"] for row in rows}
    assert len(found) == len(rows), "something is listed twice"
    return found


def mixed(house: House, caller: Caller, definition: str) -> tuple[Process, Task, Task]:
    """A process of another team in which the caller has a task, and so has somebody else."""
    hidden = house.task(caller, "foreign", process_definition_id=definition)
    process = house.workbench.processes.get(hidden.process_instance_id)
    task = house.workbench.tasks.create(
        process_instance_id=process.id,
        task_definition_id="step",
        task_name=SECRET,
        task_type="manual",
        user_id="olga",
        assigned_to=caller.user_id,
        assigned_team="south",
    )
    return process, task, hidden


@pytest.mark.parametrize("column", MAY_NOT_SEE_ALL)
def test_lists_and_searches_hold_what_may_be_seen(house: House, column: str) -> None:
    caller, definition = house.new_caller(column), house.new_name("definition")
    processes = {whose: house.process(caller, whose, process_definition_id=definition) for whose in WHOSE}
    tasks = {whose: house.task(caller, whose, process_definition_id=definition) for whose in WHOSE}
    partly, own, _ = mixed(house, caller, definition)
    seen_tasks = {str(task.id) for whose, task in tasks.items() if whose != "foreign"} | {str(own.id)}
    # Of their own task's process they see the process, whichever team's it is.
    seen_processes = (
        {str(process.id) for whose, process in processes.items() if whose != "foreign"}
        | {str(task.process_instance_id) for whose, task in tasks.items() if whose != "foreign"}
        | {str(partly.id)}
    )
    for query in (
        {},
        {"search": "winterb"},
        {"search": "winterb", "sort": "name"},
        {"created_after": "2000-01-01T00:00:00Z", "sort": "-priority"},
        {"priority": "medium", "status": ["running", "assigned", "pending"]},
    ):
        wanted = {"process_definition_id": definition, "limit": 100, **query}
        statuses = wanted.pop("status", [])
        listed = get(house, caller, "/api/processes", **wanted)
        assert ids(listed["processes"]) == seen_processes, query
        assert listed["total"] == len(seen_processes), "the total tells of what is not listed"
        found = get(house, caller, "/api/tasks", **wanted, status=statuses[1:])
        assert ids(found["tasks"]) == seen_tasks, query
        assert found["total"] == len(seen_tasks), "the total tells of what is not listed"
    walked: set[str] = set()
    cursor: dict[str, str] = {}
    while cursor.get("cursor") != "":
        page = get(house, caller, "/api/tasks", process_definition_id=definition, limit=2, **cursor)
        walked |= ids(page["tasks"])
        cursor = {"cursor": page["next_cursor"] or ""}
    assert walked == seen_tasks
    for id in seen_processes:
        get(house, caller, f"/api/processes/{id}")
    for id in seen_tasks:
        get(house, caller, f"/api/tasks/{id}")


@pytest.mark.parametrize("column", MAY_NOT_SEE_ALL)
def test_filters_do_not_look_behind_the_curtain(house: House, column: str) -> None:
    caller = house.callers[column]
    foreign = house.task(caller, "foreign", business_context={"business_key": house.new_name("key")})
    process = house.workbench.processes.get(foreign.process_instance_id)
    part = house.process(caller, "foreign", parent_process_id=process.id)
    for path, noun, query in (
        ("/api/tasks", "tasks", {"process_id": process.id}),
        ("/api/tasks", "tasks", {"assigned_team": "south", "assigned_to": "sam"}),
        ("/api/processes", "processes", {"business_key": process.business_context["business_key"]}),
        ("/api/processes", "processes", {"parent_process_id": part.parent_process_id}),
    ):
        page = get(house, caller, path, **query)
        assert (page[noun], page["total"], page["next_cursor"]) == ([], 0, None), query
        assert get(house, house.callers["manager"], path, **query)["total"] > 0, query


@pytest.mark.parametrize("team", ["north", None])
@pytest.mark.parametrize("column", MAY_NOT_SEE_ALL)
def test_what_others_have_is_what_may_be_seen_of_it(house: House, column: str, team: str | None) -> None:
    caller = house.new_caller(column, team)
    other = house.new_caller("worker", "south").user_id

    def given(process_team: str | None, task_team: str | None, **options: Any) -> str:
        process = house.process(caller, "foreign", assigned_team=process_team, **options)
        task = house.workbench.tasks.create(
            process_instance_id=process.id,
            task_definition_id="step",
            task_name=SECRET,
            task_type="manual",
            user_id="olga",
            assigned_to=other,
            assigned_team=task_team,
        )
        return str(task.id)

    given("south", None), given("south", "south"), given(None, "south"), given("north", "south")
    seen = {given(None, None), given("south", None, initiated_by=caller.user_id)}
    of_north = {given("north", None), given("south", "north"), given(None, "north")}
    expected = seen | of_north if team == "north" else seen
    mine = get(house, caller, f"/api/tasks/my-tasks/{other}")
    assert ids(mine) == expected
    assert ids(get(house, caller, "/api/tasks", assigned_to=other)["tasks"]) == expected
    assert len(get(house, house.callers["manager"], f"/api/tasks/my-tasks/{other}")) == 9


@pytest.mark.parametrize("column", MAY_NOT_SEE_ALL)
def test_the_parts_of_a_process_are_those_that_may_be_seen(house: House, column: str) -> None:
    caller = house.callers[column]
    parent = house.process(caller, "own")
    parts = {whose: house.process(caller, whose, parent_process_id=parent.id) for whose in WHOSE}
    partly = house.task(caller, "own", parent_process_id=parent.id)
    seen = {str(part.id) for whose, part in parts.items() if whose != "foreign"}
    seen.add(str(partly.process_instance_id))
    children = get(house, caller, f"/api/processes/{parent.id}/children")
    assert ids(children) == seen
    listed = get(house, caller, "/api/processes", parent_process_id=parent.id)
    assert ids(listed["processes"]) == seen
    assert len(get(house, house.callers["service"], f"/api/processes/{parent.id}/children")) == 6


@pytest.mark.parametrize("column", MAY_NOT_SEE_ALL)
def test_figures_are_numbers_by_person_and_name_no_work(house: House, column: str) -> None:
    caller = house.callers[column]
    foreign = house.task(caller, "foreign", "working")
    for path in (
        "/api/processes/stats/summary",
        "/api/tasks/stats/workload",
        "/api/tasks/stats/assignment",
        "/api/tasks/stats/assignment?team=south",
    ):
        told = json.dumps(get(house, caller, path))
        assert SECRET not in told and str(foreign.id) not in told, path
        assert str(foreign.process_instance_id) not in told, path


def messages(reply: httpx.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream; the heartbeats are left out."""
    for line in reply.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@pytest.mark.parametrize("column", MAY_NOT_SEE_ALL)
def test_a_stream_of_a_process_holds_its_own_events_from_the_beginning(house: House, column: str) -> None:
    caller = house.callers[column]
    process = house.process(caller, "team")
    house.process(caller, "foreign")
    house.workbench.processes.comment(process.id, user_id="olga", text="hello")
    query = {"process_id": str(process.id), "after": "beginning"}
    with house.client.stream("GET", "/api/events", params=query, headers=caller.headers) as reply:
        assert reply.status_code == 200
        told = list(islice(messages(reply), 2))
    assert [event["event_type"] for event in told] == ["process.started", "process.commented"]
    assert {event["process_instance_id"] for event in told} == {str(process.id)}
    for refused in ({"after": "beginning"}, {"process_id": str(house.process(caller, "foreign").id)}):
        reply = house.client.get("/api/events", params=refused, headers=caller.headers)
        assert reply.status_code == 403


def test_a_stream_ends_when_its_caller_may_not_see_it_any_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gndp.api.routes.events.HEARTBEAT", 0.01)
    mover, leaver, revoked = (house.new_caller("worker") for _ in range(3))
    process = house.process(mover, "team")
    endings = {
        mover.user_id: lambda: house.workbench.directory.update_person(mover.user_id, team="south"),
        leaver.user_id: lambda: house.workbench.directory.update_person(leaver.user_id, active=False),
        revoked.user_id: lambda: house.workbench.entrance.accounts.sign_out_everywhere(revoked.user_id),
    }
    for caller in (mover, leaver, revoked):
        query = {"process_id": str(process.id)}
        with house.client.stream("GET", "/api/events", params=query, headers=caller.headers) as reply:
            assert reply.status_code == 200
            lines = reply.iter_lines()
            assert ": still there" in lines  # reads on until then
            endings[caller.user_id]()
            rest = list(islice(lines, 1000))
            assert len(rest) < 1000 and set(rest) <= {": still there", ""}, "the stream goes on"


class _Talkative:
    """A stream that always has another event at hand."""

    position = "here"
    is_closed = False

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            event: Any = SimpleNamespace(id=uuid4(), event_type="x", _asdict=dict)
            yield LiveEvent(event=event, position=self.position)

    def close(self) -> None:
        self.is_closed = True


def test_a_stream_that_always_has_something_to_tell_asks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.0)
    monkeypatch.setattr(events, "_may_still", lambda request, process_id: False)
    stream: Any = _Talkative()

    async def told(most: int) -> list[bytes]:
        sent = events._sent(cast(Any, None), stream, None)
        messages = [await anext(sent, None) for _ in range(most)]
        return [message for message in messages if message is not None]

    (beginning,) = asyncio.run(told(100))
    assert beginning.startswith(b": the stream begins\n")
    assert stream.is_closed
