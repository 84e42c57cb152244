"""The examples of the API's description do what they say: each is sent as it stands, where it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from serving import calling, served

import gndp
from gndp.access.passwords import Passwords
from gndp.core.records import Event, Process, Task

PASSWORD = "correct horse battery"


class Scene:
    """A workbench with what the examples are about, each item in the state that a verb asks for."""

    def __init__(self, workbench: gndp.Workbench) -> None:
        self.wb = workbench
        workbench.entrance.accounts._passwords = Passwords(PasswordHasher(1, 8, 1))
        for person, role in (("ann", "admin"), ("bob", "worker"), ("export", "service")):
            workbench.directory.add_person(person, role=role)
        workbench.directory.add_team("north")
        workbench.entrance.accounts.create("ann", PASSWORD)

    def process(self) -> Process:
        return self.wb.processes.start(
            process_definition_id="x", process_name="P", process_type="custom", initiated_by="ann"
        )

    def failed_process(self) -> Process:
        return self.wb.processes.fail(self.process().id, user_id="ann", error_message="no")

    def task(self) -> Task:
        return self.wb.tasks.create(
            process_instance_id=self.process().id,
            task_definition_id="t",
            task_name="T",
            task_type="manual",
            user_id="ann",
        )

    def assigned(self) -> Task:
        return self.wb.tasks.assign(self.task().id, assigned_to="bob", user_id="ann")

    def begun(self) -> Task:
        return self.wb.tasks.start(self.assigned().id, user_id="bob")

    def waiting(self) -> Task:
        return self.wb.tasks.wait(self.begun().id, user_id="bob", reason="papers")

    def failed(self) -> Task:
        return self.wb.tasks.fail(self.begun().id, user_id="bob", error_message="no", final=True)

    def subscription(self) -> str:
        def refuse(event: Event) -> None:
            raise RuntimeError("no")

        self.wb.events.subscribe_durable("mail", "task.*", refuse, max_attempts=1).close()
        return "mail"


STATES: dict[str, Callable[[Scene], Any]] = {
    "/api/processes/{id}/retry": Scene.failed_process,
    "/api/tasks/{id}/release": Scene.assigned,
    "/api/tasks/{id}/start": Scene.assigned,
    "/api/tasks/{id}/complete": Scene.begun,
    "/api/tasks/{id}/fail": Scene.begun,
    "/api/tasks/{id}/retry": Scene.failed,
    "/api/tasks/{id}/reassign": Scene.assigned,
    "/api/tasks/{id}/wait": Scene.begun,
    "/api/tasks/{id}/resume": Scene.waiting,
}
"""What an address is about, where a fresh process or task would not do."""

BY_NOUN: dict[str, Callable[[Scene], Any]] = {
    "processes": lambda scene: scene.process().id,
    "tasks": lambda scene: scene.task().id,
    "calendars": lambda scene: "office",
    "people": lambda scene: "bob",
    "accounts": lambda scene: "bob",
    "/api/accounts/{user_id}/tokens": lambda scene: "export",
    "teams": lambda scene: "north",
    "subscriptions": Scene.subscription,
}


def example_of(schemas: dict[str, Any], schema: dict[str, Any]) -> Any:
    """The example of a body: its own, or those of its fields together. What must be there has one."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if "examples" in schema:
        return schema["examples"][0]
    if "oneOf" in schema:
        return example_of(schemas, schema["oneOf"][0])
    found = {}
    for name, field in schema["properties"].items():
        if "const" in field:
            found[name] = field["const"]
        elif "examples" in field:
            found[name] = field["examples"][0]
        elif name in schema.get("required", ()):
            inner = field["items"] if field.get("type") == "array" else field
            assert "$ref" in inner, f"{schema['title']}.{name} has no example"
            example = example_of(schemas, inner)
            found[name] = [example] if field.get("type") == "array" else example
    return found


@pytest.fixture
def scene(workbench: gndp.Workbench) -> Scene:
    return Scene(workbench)


@pytest.fixture
def client(scene: Scene) -> Iterator[httpx.Client]:
    with served(scene.wb) as url, calling(url) as client:
        yield client


def test_every_example_is_accepted(client: httpx.Client, scene: Scene) -> None:
    description = client.get("/api/openapi.json").json()
    schemas = description["components"]["schemas"]
    sent = 0
    for path, verbs in description["paths"].items():
        for verb, operation in verbs.items():
            if "requestBody" not in operation:
                continue
            (content,) = operation["requestBody"]["content"].values()
            schema = content["schema"]
            body = (content.get("examples") or schema.get("examples") or [None])[0] or example_of(
                schemas, schema
            )
            reply = client.request(
                verb, *_address(scene, path), json=_here(scene, path, body), **_as_ann(scene, path)
            )
            assert reply.status_code == 200, (verb, path, body, reply.text)
            sent += 1
    assert sent > 40


def _address(scene: Scene, path: str) -> tuple[str]:
    noun = path.split("/")[2]
    if "{" not in path:
        return (
            (f"{path}?user_id=ann",) if noun in ("definitions", "sla") and "preview" not in path else (path,)
        )
    about = STATES[path](scene).id if path in STATES else BY_NOUN.get(path, BY_NOUN[noun])(scene)
    return (path.replace("{id}", str(about)).replace("{name}", str(about)).replace("{user_id}", str(about)),)


def _here(scene: Scene, path: str, body: Any) -> Any:
    """The example with what no example can know: ids of this database, an instant to come, a link."""
    body = dict(body)
    if "process_instance_id" in body:
        body["process_instance_id"] = str(scene.process().id)
    for task in body.get("specifications", ()):
        task["process_instance_id"] = str(scene.process().id)
    if "expires_at" in body:
        body["expires_at"] = (scene.wb.clock() + timedelta(days=30)).isoformat()
    if path == "/api/auth/link":
        body["token"] = scene.wb.entrance.accounts.issue_link("ann").token
    return body


def _as_ann(scene: Scene, path: str) -> dict[str, Any]:
    """Some endpoints ask who calls even where nobody else does."""
    if path not in ("/api/auth/password", "/api/auth/tokens"):
        return {}
    identity = scene.wb.entrance.accounts.sign_in("ann", PASSWORD)
    opened = scene.wb.entrance.sessions.open(identity)
    return {"headers": {"Cookie": f"gndp_session={opened.secret}", "X-CSRF-Token": opened.csrf_token}}
