"""Idempotency keys and preconditions over HTTP: repeated safely, and nobody's change is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from serving import calling, served

import gndp
from gndp.access.identity import Identity, Proof
from tests.scene import digest_of

START = {"process_definition_id": "x", "process_name": "X", "process_type": "custom"}
NO_KEY = {
    *(f"/api/auth/{name}" for name in ("sign-in", "sign-out", "token", "password", "link", "tokens")),
    *(f"/api/accounts/{{user_id}}/{name}" for name in ("sign-out", "link", "tokens")),
}
"""What answers with a secret, which must not be kept to be told again, or ends something."""

READS = {"/api/validation/definition", "/api/sla/preview"}


@pytest.fixture
def client(workbench: gndp.Workbench) -> Iterator[httpx.Client]:
    with served(workbench) as url, calling(url) as client:
        yield client


def started(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.post("/api/processes", json={**START, "initiated_by": "ann"}, headers=headers)


def kind(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["type"].removeprefix("urn:gndp:problem:")


def test_every_post_takes_an_idempotency_key(client: httpx.Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    without = {
        path
        for path, verbs in paths.items()
        if "post" in verbs
        and not any(given["name"] == "idempotency-key" for given in verbs["post"].get("parameters", ()))
    }
    assert without == NO_KEY | READS


def test_every_post_that_was_done_comes_again(client: httpx.Client, workbench: gndp.Workbench) -> None:
    first = started(client, **{"Idempotency-Key": "one"})
    process_id = first.json()["id"]
    paused = client.post(
        f"/api/processes/{process_id}/suspend?user_id=ann&reason=lunch", headers={"Idempotency-Key": "two"}
    )
    assert (first.status_code, paused.status_code) == (200, 200)
    before = digest_of(workbench.database_url)
    again = started(client, **{"Idempotency-Key": "one"})
    assert (again.content, again.headers["ETag"]) == (first.content, first.headers["ETag"])
    paused_again = client.post(
        f"/api/processes/{process_id}/suspend?user_id=ann&reason=lunch", headers={"Idempotency-Key": "two"}
    )
    assert paused_again.content == paused.content
    other: dict[str, Any] = {**START, "initiated_by": "ann", "process_name": "Y"}
    refused = client.post("/api/processes", json=other, headers={"Idempotency-Key": "one"})
    assert kind(refused) == (422, "invalid")
    assert digest_of(workbench.database_url) == before


def test_while_the_first_is_under_way_the_second_is_a_409(
    client: httpx.Client, workbench: gndp.Workbench
) -> None:
    task_body = {"task_definition_id": "t", "task_name": "T", "task_type": "manual"}
    process_id = started(client).json()["id"]

    def add(_: object = None) -> httpx.Response:
        body = {**task_body, "process_instance_id": process_id}
        return client.post("/api/tasks", json=body, headers={"Idempotency-Key": "once"}, timeout=60)

    with psycopg.connect(workbench.database_url) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("SELECT 1 FROM process_instances WHERE id = %s FOR UPDATE", (process_id,))
        first = pool.submit(add)
        with psycopg.connect(workbench.database_url, autocommit=True) as watcher:
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            while watcher.execute(waiting).fetchone() == (0,):
                assert not first.done()
                time.sleep(0.02)
        assert kind(add()) == (409, "conflict")
        holder.rollback()
        done = first.result()
    assert done.status_code == 200
    assert add().content == done.content
    assert client.get(f"/api/tasks?process_id={process_id}").json()["total"] == 1


def test_a_key_belongs_to_whoever_calls(workbench: gndp.Workbench) -> None:
    def token(user_id: str, role: str) -> dict[str, str]:
        workbench.directory.add_person(user_id, role=role)
        account = workbench.entrance.accounts
        account.create(user_id, "correct horse battery staple")
        person = Identity(user_id, user_id, role, None, 1, Proof.PASSWORD)
        generation = account.sign_in(user_id, "correct horse battery staple").password_generation
        issued = workbench.entrance.bearer.issue(person._replace(password_generation=generation))
        return {"Authorization": f"Bearer {issued.token}", "Idempotency-Key": "same"}

    max_, eve, ann = token("max", "manager"), token("eve", "manager"), token("ann", "worker")
    with served(workbench, needs_authentication=True) as url, calling(url) as client:

        def start(headers: dict[str, str], **named: str) -> httpx.Response:
            return client.post("/api/processes", json={**START, **named}, headers=headers)

        by_max = start(max_, initiated_by="ann")
        by_eve = start(eve, initiated_by="ann")
        by_ann = start(ann)
        assert [reply.status_code for reply in (by_max, by_eve, by_ann)] == [200] * 3
        assert len({reply.json()["id"] for reply in (by_max, by_eve, by_ann)}) == 3
        before = digest_of(workbench.database_url)
        assert start(max_, initiated_by="ann").content == by_max.content
        assert start(eve, initiated_by="ann").content == by_eve.content
        assert start(ann).content == by_ann.content
        assert kind(start(max_, initiated_by="eve")) == (422, "invalid"), "for somebody else: not the same"
        assert digest_of(workbench.database_url) == before


def test_changes_can_be_made_to_say_what_they_are_meant_for(workbench: gndp.Workbench) -> None:
    workbench.directory.add_person("bob")
    with (
        served(workbench, require_if_match="on") as url,
        calling(url) as client,
    ):
        process = started(client)
        where = f"/api/processes/{process.json()['id']}"
        bulk = {"verb": "comment", "arguments": {"user_id": "ann", "text": "x"}}
        item = {"id": process.json()["id"]}
        before = digest_of(workbench.database_url)
        for method, path, body in (
            ("PATCH", where, {"user_id": "ann", "priority": "high"}),
            ("PUT", f"{where}/status", {"new_status": "suspended", "user_id": "ann"}),
            ("POST", f"{where}/suspend?user_id=ann", None),
            ("POST", f"{where}/comment", {"user_id": "ann", "text": "x"}),
            ("POST", "/api/bulk/processes", {**bulk, "items": [item]}),
            ("PATCH", "/api/people/bob", {"name": "Bob"}),
            ("DELETE", "/api/people/bob/out-of-office", None),
            ("PUT", "/api/calendars/office", {"hours": {"0": [["09:00", "17:00"]]}}),
        ):
            reply = client.request(method, path, json=body)
            assert kind(reply) == (428, "precondition-required"), (method, path, reply.text)
        assert digest_of(workbench.database_url) == before
        change = {"user_id": "ann", "priority": "high"}
        etag = process.headers["ETag"]
        assert client.patch(where, json=change, headers={"If-Match": etag}).status_code == 200
        assert kind(client.patch(where, json=change, headers={"If-Match": etag})) == (412, "stale")
        for headers in ({"If-Match": "*"}, {"Idempotency-Key": "one"}):
            text = {"user_id": "ann", "text": "x"}
            assert client.post(f"{where}/comment", json=text, headers=headers).status_code == 200
        version = client.get(where).json()["version"]
        reply = client.post("/api/bulk/processes", json={**bulk, "items": [{**item, "version": version}]})
        assert reply.json()["done"] == 1, reply.text
        assert client.get(where).status_code == 200


def test_without_that_setting_nobody_has_to_say_it(client: httpx.Client) -> None:
    where = f"/api/processes/{started(client).json()['id']}"
    assert client.patch(where, json={"user_id": "ann", "priority": "high"}).status_code == 200
