"""What the API serves beside processes and tasks: definitions, SLA, calendars, people, jobs, dead events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from serving import calling, served

import gndp
from gndp.core.records import Event

GREETING = {
    "id": "greeting",
    "name": "Greeting",
    "steps": [
        {"id": "greet", "name": "Greet", "team": "north", "assignment_method": "round_robin"},
        {"id": "wave", "name": "Wave", "depends_on": ["greet"]},
    ],
}
POLICY = {"name": "answer", "item": "task", "objective": "response", "target_minutes": 60}
OFFICE = {"time_zone": "Europe/Berlin", "hours": {str(day): [["09:00", "17:00"]] for day in range(5)}}


@pytest.fixture
def client(workbench: gndp.Workbench) -> Iterator[httpx.Client]:
    with served(workbench) as url, calling(url) as client:
        yield client


def answer(reply: httpx.Response) -> Any:
    assert reply.status_code == 200, reply.text
    return reply.json()


def started(client: httpx.Client, definition: str = "loose") -> str:
    body = {"process_definition_id": definition, "process_name": "P", "process_type": "custom"}
    return str(answer(client.post("/api/processes", json={**body, "initiated_by": "ann"}))["id"])


def added(client: httpx.Client, process_id: str, name: str = "T") -> dict[str, Any]:
    body = {"task_definition_id": "t", "task_name": name, "task_type": "manual"}
    task: dict[str, Any] = answer(client.post("/api/tasks", json={**body, "process_instance_id": process_id}))
    return task


def test_definitions_are_validated_published_and_read(client: httpx.Client) -> None:
    bad = answer(
        client.post("/api/validation/definition", json={**GREETING, "steps": [{"id": "x"}, {"id": "x"}]})
    )
    assert not bad["valid"] and len(bad["problems"]) >= 2
    assert answer(client.post("/api/validation/definition", json=GREETING)) == {"valid": True, "problems": []}
    assert answer(client.get("/api/definitions")) == []
    first = client.post("/api/definitions?user_id=ann", json=GREETING, headers={"If-Match": '"0"'})
    assert answer(first)["version"] == 1 and first.headers["ETag"] == '"1"'
    stale = client.post(
        "/api/definitions?user_id=ann", json={**GREETING, "name": "Hello"}, headers={"If-Match": '"0"'}
    )
    assert stale.status_code == 412 and stale.json()["current"]["version"] == 1
    assert (
        answer(client.post("/api/definitions?user_id=ann", json={**GREETING, "name": "Hello"}))["version"]
        == 2
    )
    assert answer(client.get("/api/definitions/greeting?version=1"))["name"] == "Greeting"
    assert answer(client.get("/api/definitions/greeting"))["name"] == "Hello"
    assert client.get("/api/definitions/greeting", headers={"If-None-Match": '"2"'}).status_code == 304
    assert client.get("/api/definitions/nothing").status_code == 404
    refused = client.post("/api/definitions?user_id=ann", json={"id": "x"})
    assert refused.status_code == 422 and refused.json()["problems"]


def test_policies_and_clocks(client: httpx.Client) -> None:
    published = answer(
        client.post("/api/sla/policies?user_id=ann", json=POLICY, headers={"Idempotency-Key": "once"})
    )
    assert (
        answer(client.post("/api/sla/policies?user_id=ann", json=POLICY, headers={"Idempotency-Key": "once"}))
        == published
    )
    assert [policy["name"] for policy in answer(client.get("/api/sla/policies"))] == ["answer"]
    tried = {"policy": POLICY, "opened_at": "2026-03-02T09:00:00Z"}
    preview = answer(client.post("/api/sla/preview", json=tried))
    assert preview["due_at"] == "2026-03-02T10:00:00+00:00" and len(preview["warnings"]) == 1
    task = added(client, started(client))
    (clock,) = answer(client.get(f"/api/tasks/{task['id']}/clocks"))["clocks"]
    assert (clock["policy_name"], clock["status"], clock["is_paused"]) == ("answer", "on_track", False)
    assert clock["elapsed_mins"] + clock["remaining_mins"] == pytest.approx(60)
    late = {"as_of": "2126-01-01T00:00:00Z"}
    (then,) = answer(client.get(f"/api/tasks/{task['id']}/clocks", params=late))["clocks"]
    assert then["status"] == "breached" and then["remaining_mins"] < 0
    assert answer(client.get(f"/api/processes/{task['process_instance_id']}/clocks")) == {"clocks": []}
    why = {"user_id": "ann", "reason": "other hours"}
    (again,) = answer(client.post(f"/api/tasks/{task['id']}/recompute", json=why))
    assert again["due_at"] == clock["due_at"]
    assert answer(client.post("/api/sla/policies/answer/retire?user_id=ann", json={}))["retired_at"]
    assert client.get("/api/sla/policies/nothing").status_code == 404


def test_calendars_are_saved_in_place_of_what_was_read(client: httpx.Client) -> None:
    saved = client.put("/api/calendars/office", json=OFFICE)
    assert answer(saved)["hours"]["0"] == [["09:00", "17:00"]]
    read = client.get("/api/calendars/office")
    assert read.headers["ETag"] == saved.headers["ETag"]
    assert (
        client.get("/api/calendars/office", headers={"If-None-Match": read.headers["ETag"]}).status_code
        == 304
    )
    tag = {"If-Match": read.headers["ETag"]}
    changed = {**OFFICE, "country": "DE"}
    assert answer(client.put("/api/calendars/office", json=changed, headers=tag))["country"] == "DE"
    assert client.put("/api/calendars/office", json=OFFICE, headers=tag).status_code == 412
    assert client.put("/api/calendars/new", json=OFFICE, headers=tag).status_code == 412
    assert answer(client.get("/api/calendars")) == {"calendars": ["office"]}
    bad = client.put("/api/calendars/bad", json={"time_zone": "Mars/Olympus", "hours": {}})
    assert bad.status_code == 422


def test_people_teams_and_why_somebody_has_a_task(client: httpx.Client) -> None:
    answer(client.post("/api/teams", json={"name": "north"}))
    key = {"Idempotency-Key": "add eve"}
    eve = {"user_id": "eve", "team": "north", "skills": {"kyc": 3}, "capacity": 2}
    first = client.post("/api/people", json=eve, headers=key)
    again = client.post("/api/people", json=eve, headers=key)
    assert answer(first) == answer(again)
    assert client.post("/api/people", json={**eve, "capacity": 3}, headers=key).status_code == 422
    assert client.post("/api/people", json=eve).status_code == 409
    assert client.post("/api/people", json={"user_id": "x", "team": "south"}).status_code == 422
    read = client.get("/api/people/eve")
    tag = {"If-Match": read.headers["ETag"]}
    assert answer(client.patch("/api/people/eve", json={"capacity": None}, headers=tag))["capacity"] is None
    assert client.patch("/api/people/eve", json={"capacity": 1}, headers=tag).status_code == 412
    assert answer(client.patch("/api/teams/north", json={"lead": "eve"}))["lead"] == "eve"
    assert [team["name"] for team in answer(client.get("/api/teams"))] == ["north"]
    assert answer(client.get("/api/teams/north"))["load_measure"] == "tasks"

    answer(client.post("/api/definitions?user_id=ann", json=GREETING))
    process = started(client, "greeting")
    greet, wave = answer(client.get("/api/tasks", params={"process_id": process}))["tasks"]
    explained = answer(client.get(f"/api/tasks/{greet['id']}/assignment"))
    assert explained["assigned_to"] == "eve" and explained["considered"][0]["user_id"] == "eve"
    assert client.get(f"/api/tasks/{wave['id']}/assignment").status_code == 409  # nobody was looked for yet

    away = answer(client.put("/api/people/eve/out-of-office", json={"until": "2126-01-01T00:00:00Z"}))
    assert away["out_of_office_until"] == "2126-01-01T00:00:00+00:00"
    assert answer(client.delete("/api/people/eve/out-of-office"))["out_of_office_until"] is None
    assert [one["user_id"] for one in answer(client.get("/api/people?team=north&active=true"))] == ["eve"]
    assert client.get("/api/people?team=south").status_code == 404


def test_a_timeline(client: httpx.Client) -> None:
    task = added(client, started(client))
    answer(client.post(f"/api/tasks/{task['id']}/assign", json={"assigned_to": "bob"}))
    answer(client.post(f"/api/tasks/{task['id']}/start", json={"user_id": "bob"}))
    answer(client.post(f"/api/tasks/{task['id']}/complete", json={"user_id": "bob"}))
    timeline = answer(client.get(f"/api/processes/{task['process_instance_id']}/timeline"))
    own = [stretch for stretch in timeline["stretches"] if stretch["task_id"] == task["id"]]
    assert [stretch["status"] for stretch in own] == ["ready", "assigned", "in_progress", "completed"]
    assert all(before["ends_at"] == after["begins_at"] for before, after in pairwise(own))
    assert own[2]["begun_by"] == "bob" and own[0]["name"] == "T"


def test_bulk_says_what_became_of_each(client: httpx.Client) -> None:
    process = started(client)
    tasks = [added(client, process, f"T{n}") for n in range(3)]
    answer(client.post(f"/api/tasks/{tasks[1]['id']}/claim", json={"user_id": "eve"}))
    unknown = "01a210a9-0000-7000-8000-000000000000"
    items = [{"id": task["id"]} for task in tasks] + [{"id": unknown}, {"id": tasks[2]["id"], "version": 9}]
    body = {"verb": "claim", "arguments": {"user_id": "bob"}, "items": items}
    said = answer(client.post("/api/bulk/tasks", json=body, headers={"Idempotency-Key": "k"}))
    assert [result["status"] for result in said["results"]] == [200, 409, 412, 404]
    assert (said["done"], said["refused"]) == (1, 3)
    assert said["results"][0]["item"]["assigned_to"] == "bob"
    assert said["results"][1]["problem"]["current"]["status"] == "assigned"
    again = answer(client.post("/api/bulk/tasks", json=body, headers={"Idempotency-Key": "k"}))
    assert again["results"][0]["item"] == said["results"][0]["item"]
    wrong = client.post("/api/bulk/tasks", json={**body, "arguments": {"who": "bob"}})
    assert wrong.status_code == 422
    assert {problem["place"] for problem in wrong.json()["problems"]} == {"claim.arguments.who"}
    assert client.post("/api/bulk/tasks", json={**body, "items": []}).status_code == 422
    paused = {
        "verb": "suspend",
        "arguments": {"user_id": "ann", "reason": "wait"},
        "items": [{"id": process}],
    }
    assert answer(client.post("/api/bulk/processes", json=paused))["done"] == 1


def test_jobs(client: httpx.Client) -> None:
    jobs = {job["name"]: job for job in answer(client.get("/api/jobs"))}
    assert jobs["sla_sweep"]["interval_seconds"] == 300 and jobs["sla_sweep"]["last_run"] is None
    key = {"Idempotency-Key": "now"}
    run = answer(client.post("/api/jobs/sla_sweep/run", headers=key))
    assert run["status"] == "succeeded"
    assert answer(client.post("/api/jobs/sla_sweep/run", headers=key))["id"] == run["id"]
    assert [one["id"] for one in answer(client.get("/api/jobs/runs?job=sla_sweep"))] == [run["id"]]
    assert client.post("/api/jobs/nothing/run").status_code == 404


def test_dead_events_are_listed_replayed_and_given_up(
    workbench: gndp.Workbench, client: httpx.Client
) -> None:
    def refuse(event: Event) -> None:
        raise RuntimeError("no")

    subscription = workbench.events.subscribe_durable("mail", "process.*", refuse, max_attempts=1)
    started(client)
    dead: list[dict[str, Any]] = []
    while not dead:
        dead = answer(client.get("/api/deliveries?name=mail&status=dead"))
    subscription.close()
    assert dead[0]["error"] == "RuntimeError: no" and dead[0]["event"]["event_type"] == "process.started"
    listed = answer(client.get("/api/subscriptions"))
    assert [(one["name"], one["pattern"]) for one in listed] == [("mail", "process.*")]
    seqs = {"seqs": [dead[0]["event"]["seq"]]}
    assert answer(client.post("/api/subscriptions/mail/replay", json=seqs)) == {"count": 1}
    assert answer(client.post("/api/subscriptions/mail/discard", json={}))["count"] == 0
    assert client.post("/api/subscriptions/nothing/replay", json={}).status_code == 404
    assert answer(client.delete("/api/subscriptions/mail")) == {"count": 1}


def test_events_are_streamed_and_gone_on_with(client: httpx.Client) -> None:
    process = started(client)
    with client.stream("GET", "/api/events", params={"after": "beginning"}) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        messages = _messages(stream)
        first = next(messages)
        assert first["event"] == "process.started" and first["data"]["process_instance_id"] == process
    task = added(client, process)
    reached = {"Last-Event-ID": first["id"]}
    with client.stream("GET", "/api/events?pattern=task.*", headers=reached) as stream:
        created = next(_messages(stream))
        assert created["event"] == "task.created" and created["data"]["task_id"] == task["id"]
    assert client.get("/api/events?after=nonsense").status_code == 422
    assert client.get("/api/events?pattern=ta*k").status_code == 422


def _messages(stream: httpx.Response) -> Iterator[dict[str, Any]]:
    message: dict[str, Any] = {}
    for line in stream.iter_lines():
        if not line and message:
            if "data" in message:
                yield message
            message = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            message[name] = json.loads(value) if name == "data" else value
