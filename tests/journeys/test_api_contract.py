"""A client that knows only the contract's page drives a whole process and checks every field named there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from serving import calling, served

import gndp


def _words(text: str) -> list[str]:
    return text.split()


PROCESS_ROW = frozenset(
    _words("""
    id process_definition_id process_name process_type status current_phase current_step total_steps
    progress_percentage initiated_by assigned_to assigned_team business_context input_data output_data
    variables created_at started_at completed_at due_date estimated_duration_mins actual_duration_mins
    sla_target_mins sla_status sla_breach_time priority tags parent_process_id error_message retry_count
    max_retries updated_at version
""")
)
TASK_ROW = frozenset(
    _words("""
    id process_instance_id task_definition_id task_name task_type status substatus assigned_to
    assigned_team assignment_method claimed_by claimed_at depends_on blocking input_data output_data
    form_data created_at started_at completed_at due_date estimated_duration_mins actual_duration_mins
    sla_target_mins sla_status sla_breach_time retry_count max_retries error_message priority tags notes
    updated_at version phase position open_dependencies ready_at
""")
)
EVENT_ROW = frozenset(
    _words("""
    id process_instance_id task_id event_type event_category severity user_id user_name automated
    message details old_status new_status old_data new_data timestamp correlation_id tags
""")
)
LISTED_PROCESS = frozenset(
    _words("""
    id process_definition_id process_name process_type status progress_percentage initiated_by
    assigned_to priority sla_status created_at started_at completed_at due_date
""")
)
INSTANTS = {"created_at", "started_at", "completed_at", "due_date", "updated_at", "timestamp", "claimed_at"}


@pytest.fixture
def client(workbench: gndp.Workbench) -> Iterator[httpx.Client]:
    with served(workbench) as url, calling(url) as client:
        yield client


def answer(reply: httpx.Response) -> Any:
    assert reply.status_code == 200, reply.text
    return reply.json()


def checked(row: dict[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    assert fields <= row.keys(), fields - row.keys()
    for name in INSTANTS & row.keys():
        if row[name] is not None:
            assert datetime.fromisoformat(row[name]).utcoffset() is not None
    return row


def test_a_whole_process(client: httpx.Client) -> None:
    process = checked(
        answer(
            client.post(
                "/api/processes",
                json={
                    "process_definition_id": "loan",
                    "process_name": "Loan 4711",
                    "process_type": "journey",
                    "initiated_by": "ann",
                    "input_data": {"amount": 1000},
                    "assigned_to": "ann",
                    "priority": "high",
                    "sla_target_mins": 60,
                    "business_context": {"branch": "north"},
                },
            )
        ),
        PROCESS_ROW,
    )
    assert (process["status"], process["priority"], process["progress_percentage"]) == ("running", "high", 0)
    assert process["input_data"] == {"amount": 1000} and process["business_context"] == {"branch": "north"}
    path = f"/api/processes/{process['id']}"
    assert checked(answer(client.get(path)), PROCESS_ROW) == process

    task = {"process_instance_id": process["id"], "task_type": "manual"}
    first = checked(
        answer(client.post("/api/tasks", json={**task, "task_definition_id": "a", "task_name": "A"})),
        TASK_ROW,
    )
    second = checked(
        answer(
            client.post(
                "/api/tasks",
                json={**task, "task_definition_id": "b", "task_name": "B", "depends_on": [first["id"]]},
            )
        ),
        TASK_ROW,
    )
    assert first["priority"] == "high" and second["depends_on"] == [first["id"]]
    assert answer(client.get(f"/api/tasks/{first['id']}"))["blocking"] == [second["id"]]

    assigned = answer(client.post(f"/api/tasks/{first['id']}/assign", json={"assigned_to": "bob"}))
    assert (assigned["status"], assigned["assigned_to"]) == ("assigned", "bob")
    mine = answer(client.get("/api/tasks/my-tasks/bob"))
    assert [checked(row, TASK_ROW)["id"] for row in mine] == [first["id"]]
    assert (mine[0]["ready"], mine[0]["process_name"], mine[0]["process_type"]) == (
        True,
        "Loan 4711",
        "journey",
    )
    refused = client.post(f"/api/tasks/{second['id']}/start", json={"user_id": "bob"})
    assert refused.status_code == 409

    started = answer(client.post(f"/api/tasks/{first['id']}/start", json={"user_id": "bob"}))
    assert (started["status"], started["claimed_by"]) == ("in_progress", "bob")
    done = answer(
        client.post(
            f"/api/tasks/{first['id']}/complete", json={"user_id": "bob", "output_data": {"ok": True}}
        )
    )
    assert (done["status"], done["output_data"]) == ("completed", {"ok": True})
    answer(client.post(f"/api/tasks/{second['id']}/assign", json={"assigned_to": "bob"}))
    moved = answer(
        client.post(
            f"/api/tasks/{second['id']}/reassign",
            json={"new_assignee": "eve", "reassigned_by": "ann", "reason": "bob is away"},
        )
    )
    assert moved["assigned_to"] == "eve"

    assert answer(client.post(f"{path}/suspend?user_id=ann&reason=holidays"))["status"] == "suspended"
    assert answer(client.put(f"{path}/status", json={"new_status": "running"}))["status"] == "running"
    assert answer(client.post(f"{path}/suspend?user_id=ann&reason=again"))["status"] == "suspended"
    assert answer(client.post(f"{path}/resume?user_id=ann"))["status"] == "running"
    answer(client.post(f"/api/tasks/{second['id']}/start", json={"user_id": "eve"}))
    answer(client.post(f"/api/tasks/{second['id']}/complete", json={"user_id": "eve"}))
    ended = answer(client.get(path))
    assert (ended["status"], ended["progress_percentage"]) == ("completed", 100)

    events = answer(client.get(f"{path}/events?limit=500"))
    told = [checked(row, EVENT_ROW)["event_type"] for row in reversed(events)]
    assert told[0] == "process.started" and told.count("task.completed") == 2
    assert told.count("process.suspended") == told.count("process.resumed") == 2
    assert len(answer(client.get(f"{path}/events?limit=3"))) == 3


def test_lists_and_figures(client: httpx.Client) -> None:
    for number in range(3):
        process = answer(
            client.post(
                "/api/processes",
                json={
                    "process_definition_id": "x",
                    "process_name": f"P{number}",
                    "process_type": "custom",
                    "initiated_by": "ann",
                },
            )
        )
        task = answer(
            client.post(
                "/api/tasks",
                json={
                    "process_instance_id": process["id"],
                    "task_definition_id": "t",
                    "task_name": "T",
                    "task_type": "manual",
                    "assigned_to": "bob",
                },
            )
        )
    page = answer(client.get("/api/processes", params={"status": "running", "limit": 2, "offset": 1}))
    assert (page["total"], page["limit"], page["offset"], page["total_is_estimate"]) == (3, 2, 1, False)
    assert [checked(row, LISTED_PROCESS)["process_name"] for row in page["processes"]] == ["P1", "P0"]
    assert answer(client.get("/api/processes", params={"process_type": "journey"}))["processes"] == []
    listed = answer(client.get("/api/tasks", params={"process_id": process["id"], "assigned_to": "bob"}))
    assert [checked(row, TASK_ROW)["id"] for row in listed["tasks"]] == [task["id"]]
    assert listed["tasks"][0]["process_name"] == "P2" and listed["total"] == 1

    answer(client.post(f"/api/tasks/{task['id']}/start", json={"user_id": "bob"}))
    workload = answer(client.get("/api/tasks/stats/workload"))["user_workloads"]
    assert workload == [
        {"assigned_to": "bob", "active_tasks": 3, "in_progress": 1, "at_risk": 0, "breached": 0}
    ]
    stats = answer(client.get("/api/tasks/stats/assignment"))
    assert stats["assignment_methods"] == {"manual": 3} and stats["total_reassignments"] == 0
    assert stats["user_workloads"][0].keys() == {"assigned_to", "active_tasks", "avg_age_mins"}
    assert answer(client.get("/api/processes/stats/summary")) == {
        "total_processes": 3,
        "running": 3,
        "completed": 0,
        "failed": 0,
        "suspended": 0,
        "sla_breached": 0,
        "avg_progress": 0.0,
        "avg_duration_mins": None,
    }


def test_versions_and_keys(client: httpx.Client) -> None:
    start = {
        "process_definition_id": "x",
        "process_name": "P",
        "process_type": "custom",
        "initiated_by": "ann",
    }
    key = {"Idempotency-Key": "once"}
    first = client.post("/api/processes", json=start, headers=key)
    again = client.post("/api/processes", json=start, headers=key)
    assert first.json() == again.json() and first.headers["ETag"] == again.headers["ETag"] == '"1"'
    other = client.post("/api/processes", json={**start, "process_name": "Q"}, headers=key)
    assert other.status_code == 422
    path = f"/api/processes/{first.json()['id']}"
    assert client.get(path, headers={"If-None-Match": '"1"'}).status_code == 304
    patched = client.patch(path, json={"user_id": "ann", "priority": "low"}, headers={"If-Match": '"1"'})
    assert (patched.status_code, patched.headers["ETag"]) == (200, '"2"')
    stale = client.patch(path, json={"user_id": "ann", "priority": "high"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert stale.json()["current"] == {"status": "running", "version": 2}
    assert client.patch(path, json={"user_id": "ann"}, headers={"If-Match": "2"}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "kind"),
    [
        ("GET", "/api/processes/nonsense", {}, 422, "invalid"),
        ("GET", "/api/processes/01a210a9-0000-7000-8000-000000000000", {}, 404, "not-found"),
        ("GET", "/api/processes?status=done", {}, 422, "invalid"),
        ("GET", "/api/processes?limit=101", {}, 422, "invalid"),
        ("GET", "/api/nothing", {}, 404, "not-found"),
        ("DELETE", "/api/processes", {}, 405, "malformed"),
        ("POST", "/api/processes", {"json": {}}, 422, "invalid"),
        ("POST", "/api/processes", {"json": {"process_name": "\0"}}, 422, "invalid"),
        ("POST", "/api/processes", {"content": "{}"}, 415, "unsupported"),
        ("POST", "/api/processes", {"data": {"process_name": "x"}}, 415, "unsupported"),
        ("POST", "/api/processes", {"json": {"process_name": "x" * 1_000_000}}, 413, "too-large"),
        ("POST", "/api/processes", {"content": iter([b"x" * 600_000] * 2)}, 413, "too-large"),
        (
            "POST",
            "/api/processes",
            {"content": "{", "headers": {"Content-Type": "application/json"}},
            400,
            "malformed",
        ),
        (
            "POST",
            "/api/processes",
            {"content": "[" * 100_000, "headers": {"Content-Type": "application/json"}},
            400,
            "malformed",
        ),
        (
            "POST",
            "/api/processes",
            {"content": b'"\xff"', "headers": {"Content-Type": "application/json"}},
            400,
            "malformed",
        ),
    ],
)
def test_problems(
    client: httpx.Client, method: str, path: str, sent: dict[str, Any], status: int, kind: str
) -> None:
    reply = client.request(method, path, **sent)
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    problem = reply.json()
    assert problem["type"] == f"urn:gndp:problem:{kind}" and problem["status"] == status
    assert problem["correlation_id"] == reply.headers["X-Correlation-ID"]
    assert problem["detail"] and "Traceback" not in reply.text
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_events_carry_the_request_s_correlation_id(client: httpx.Client) -> None:
    start = {
        "process_definition_id": "x",
        "process_name": "P",
        "process_type": "custom",
        "initiated_by": "ann",
    }
    process = answer(client.post("/api/processes", json=start, headers={"X-Correlation-ID": "visit-7"}))
    events = answer(client.get(f"/api/processes/{process['id']}/events"))
    assert {event["correlation_id"] for event in events} == {"visit-7"}


def test_the_description_says_what_every_field_means(client: httpx.Client) -> None:
    description = answer(client.get("/api/openapi.json"))
    assert description["openapi"].startswith("3.1")
    for name, schema in description["components"]["schemas"].items():
        for field, said in schema.get("properties", {}).items():
            assert said.get("description"), f"{name}.{field} has no meaning"
    for path, verbs in description["paths"].items():
        for verb, endpoint in verbs.items():
            assert endpoint.get("description"), f"{verb} {path} has no meaning"
            for parameter in endpoint.get("parameters", []):
                assert parameter.get("description"), f"{verb} {path}: {parameter['name']} has no meaning"


def test_lists_are_searched_sorted_and_walked(client: httpx.Client) -> None:
    for number in range(5):
        answer(
            client.post(
                "/api/processes",
                json={
                    "process_definition_id": "x",
                    "process_name": f"Loan of house {number}",
                    "process_type": "custom",
                    "initiated_by": "ann",
                    "tags": ["north"] if number % 2 else ["south"],
                    "priority": "high" if number == 3 else "low",
                },
            )
        )
    wanted: dict[str, Any] = {
        "search": "hou loan",
        "sort": "name",
        "limit": 2,
        "status": ["running", "failed"],
    }
    names: list[str] = []
    while True:
        page = answer(client.get("/api/processes", params=wanted))
        names += [one["process_name"] for one in page["processes"]]
        assert page["total"] == 5
        if page["next_cursor"] is None:
            break
        wanted["cursor"] = page["next_cursor"]
    assert names == [f"Loan of house {number}" for number in range(5)]
    tagged = answer(client.get("/api/processes", params={"tags": "north", "priority": ["high", "critical"]}))
    assert [one["process_name"] for one in tagged["processes"]] == ["Loan of house 3"]
    for bad in ({"sort": "colour"}, {"cursor": "x"}, {"serach": "x"}, {"due_before": "2026-01-01T00:00:00"}):
        assert client.get("/api/processes", params=bad).status_code == 422, bad
    assert answer(client.get("/api/tasks", params={"search": "'); DROP TABLE tasks; --"}))["tasks"] == []
