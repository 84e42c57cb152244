"""Hostile texts in every text of every request: refused with a 4xx, or kept as they are."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from serving import served

import gndp

_SEEDS = [
    # SQL
    "'; DROP TABLE tasks; --",
    "' OR '1'='1",
    "1); DELETE FROM process_events; --",
    "$$; SELECT pg_sleep(10); $$",
    "%s %(user)s %%",
    ":name :user_id ::text",
    "\\'; SELECT 1; --",
    "E'\\x27'",
    # scripts, formulas, templates
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "=1+1+cmd|'/c calc'!A0",
    "@SUM(A1:A9)",
    "+49 30 1234",
    "-2+3",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    "{0.__class__}",
    "%n%n%s",
    # paths, protocols, headers
    "../../etc/passwd",
    "..\\..\\windows",
    "file:///etc/passwd",
    "a\r\nSet-Cookie: x=1",
    "\n\n\t",
    # characters
    "\u202eevitagen\u202c",
    "\u200b\u200d\ufeff",
    "a\u0301\u0323\u0301",
    "ﷺ" * 50,
    "😀👩‍👩‍👧‍👦🏳️‍🌈",
    "\U0010ffff\ufffe\uffff",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
    "ıİſKÅ",
    "\x01\x02\x1b[31m\x7f\x9b",
    " leading and trailing ",
    "null",
    "undefined",
    "NaN",
    "true",
    "0",
    "-1e400",
    "[]",
    '{"a": 1}',
    # what no database or decoder keeps
    "NUL \x00 in the middle",
    "\x00",
    "lone \ud800 surrogate",
    "\udfff",
    # sizes
    "x" * 499,
    "x" * 501,
    "ä" * 100_001,
    "\\" * 400,
    "'" * 400,
]


Probe = Callable[["Target", str], tuple[httpx.Response, Any, Any]]
"""Says a text somewhere; the reply, what was said, and what was kept of it."""


def hostile(count: int) -> list[str]:
    """So many texts: the seeds, then their parts put together at random (always the same ones)."""
    chance = random.Random(500)
    texts = list(_SEEDS)
    while len(texts) < count:
        parts = [chance.choice(_SEEDS)[: chance.randrange(1, 60)] for _ in range(chance.randrange(2, 5))]
        texts.append("".join(parts))
    return texts


class Target:
    """An API to say hostile things to, with something to say them about."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.process = self.start()
        self.task = self.add()

    def start(self) -> str:
        body = {"process_definition_id": "x", "process_name": "P", "process_type": "custom"}
        return str(self.say("POST", "/processes", {**body, "initiated_by": "ann"}).json()["id"])

    def add(self) -> str:
        body = {"task_definition_id": "t", "task_name": "T", "task_type": "manual", "assigned_to": "ann"}
        return str(self.say("POST", "/tasks", {**body, "process_instance_id": self.process}).json()["id"])

    def begun(self) -> str:
        task = self.add()
        self.say("POST", f"/tasks/{task}/start", {"user_id": "ann"})
        return task

    def say(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        """One request. JSON has lone surrogates as escapes, addresses as the bytes that they are not."""
        spoken = "&".join(f"{name}={_quoted(value)}" for name, value in query.items())
        content = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} if content else {}
        return self.client.request(method, f"/api{path}?{spoken}", content=content, headers=headers)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def everything_is_kept_of_a_process(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    names = ("process_definition_id", "process_name", "process_type", "initiated_by", "assigned_to")
    said = {
        **dict.fromkeys((*names, "assigned_team"), text),
        **{name: {text: [text, {text: text}]} for name in ("business_context", "input_data", "variables")},
        "tags": [text],
    }
    reply = target.say("POST", "/processes", said)
    kept = target.say("GET", f"/processes/{reply.json()['id']}").json() if reply.is_success else {}
    return reply, said, {name: kept.get(name) for name in said}


def everything_is_kept_of_a_task(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    names = ("task_definition_id", "task_name", "task_type", "assigned_to", "assigned_team", "phase", "notes")
    said = {
        **dict.fromkeys(names, text),
        "input_data": {text: text},
        "tags": [text],
        "required_skills": {text: 3},
    }
    reply = target.say("POST", "/tasks", {**said, "process_instance_id": target.process})
    kept = target.say("GET", f"/tasks/{reply.json()['id']}").json() if reply.is_success else {}
    return reply, said, {name: kept.get(name) for name in said}


def texts_are_kept_of_updates(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    said = {"notes": text, "tags": [text]}
    reply = target.say("PATCH", f"/tasks/{target.task}", {**said, "user_id": "ann"})
    kept = target.say("GET", f"/tasks/{target.task}").json()
    return reply, said, {name: kept[name] for name in said}


def variables_are_kept_of_updates(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    said = {"variables": {text: text}, "tags": [text]}
    reply = target.say("PATCH", f"/processes/{target.process}", {**said, "user_id": "ann"})
    kept = target.say("GET", f"/processes/{target.process}").json()
    return reply, said, {name: kept[name] for name in said}


def _event(target: Target, process: str) -> dict[str, Any]:
    newest: dict[str, Any] = target.say("GET", f"/processes/{process}/events", limit="1").json()[0]
    return newest


def comments_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    reply = target.say("POST", f"/tasks/{target.task}/comment", {"user_id": text, "text": text})
    event = _event(target, target.process)
    return reply, [text, text], [event["user_id"], event["details"].get("text")]


def reasons_of_waiting_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    reply = target.say("POST", f"/tasks/{target.begun()}/wait", {"user_id": "ann", "reason": text})
    return reply, text, _event(target, target.process)["details"].get("reason")


def reassigned_people_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    task = target.begun()
    said = {"new_assignee": text, "reassigned_by": text, "reason": text}
    reply = target.say("POST", f"/tasks/{task}/reassign", said)
    event = _event(target, target.process)
    kept = target.say("GET", f"/tasks/{task}").json()
    return reply, [text] * 3, [kept["assigned_to"], event["user_id"], event["details"].get("reason")]


def outputs_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    task = target.begun()
    said = {text: [text]}
    reply = target.say("POST", f"/tasks/{task}/complete", {"user_id": "ann", "output_data": said})
    return reply, said, target.say("GET", f"/tasks/{task}").json()["output_data"]


def errors_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    process = target.start()
    reply = target.say("POST", f"/processes/{process}/fail", {"user_id": "ann", "error_message": text})
    return reply, text, target.say("GET", f"/processes/{process}").json()["error_message"]


def errors_of_tasks_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    task = target.begun()
    reply = target.say("POST", f"/tasks/{task}/fail", {"user_id": "ann", "error_message": text})
    return reply, text, _event(target, target.process)["details"].get("error_message")


def reasons_in_addresses_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    process, text = target.start(), text[:1_500]  # httpx makes no longer addresses
    reply = target.say("POST", f"/processes/{process}/suspend", user_id=text, reason=text)
    event = _event(target, process)
    return reply, [text, text], [event["user_id"], event["details"].get("reason")]


def reasons_of_cancelling_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    process = target.start()
    reply = target.say("POST", f"/processes/{process}/cancel", {"user_id": "ann", "reason": text})
    return reply, text, _event(target, process)["details"].get("reason")


def people_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    said = {"user_id": text, "name": text, "skills": {text: 2}}
    reply = target.say("POST", "/people", said)
    if not reply.is_success:
        return reply, None, None
    kept = (
        reply.json()
        if "/" in text or text in (".", "..")
        else target.say("GET", f"/people/{_quoted(text)}").json()
    )
    return reply, said, {name: kept.get(name) for name in said}


def teams_and_calendars_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    reply = target.say("POST", "/teams", {"name": text})
    kept = [team["name"] for team in target.say("GET", "/teams").json()]
    return reply, [text], [name for name in kept if name == text]


def definitions_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    document = {"id": "hostile", "name": text, "steps": [{"id": "a", "name": text, "team": text}]}
    reply = target.say("POST", "/definitions", document, user_id="ann")
    kept = target.say("GET", "/definitions/hostile").json().get("document")
    return reply, document, kept


def policies_are_kept(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    document = {"name": "hostile", "target_minutes": 5, "description": text, "business_impact": text}
    reply = target.say("POST", "/sla/policies", document, user_id="ann")
    kept = target.say("GET", "/sla/policies/hostile").json().get("document", {})
    return reply, [text, text], [kept.get("description"), kept.get("business_impact")]


def names_of_nothing_change_nothing(target: Target, text: str) -> tuple[httpx.Response, Any, Any]:
    """What is only looked for: 2xx, or a refusal."""
    text = text[:1_500]  # httpx makes no longer addresses
    quoted = _quoted(text).replace(".", "%2E")
    asked = [
        target.say("GET", f"/processes/{quoted}"),
        target.say("GET", f"/tasks/my-tasks/{quoted}"),
        target.say("GET", f"/calendars/{quoted}"),
        target.say("PUT", f"/calendars/{quoted}", {"time_zone": text, "hours": {"0": [[text, text]]}}),
        target.say("POST", f"/jobs/{quoted}/run"),
        target.say("GET", "/tasks", search=text, assigned_to=text, tags=text, sort=text),
        target.say("GET", "/tasks", search=text),
        target.say("GET", "/processes", business_key=text, process_type=text, cursor=text),
        target.say("GET", "/events", pattern=f"{text}!"),
        target.say("POST", "/auth/sign-in", {"user_id": text, "password": text}),
        target.say("POST", "/auth/link", {"token": text, "password": text}),
        target.say("POST", "/people", {"user_id": "y", "email": text, "calendar": text, "team": text}),
        target.say("POST", "/bulk/tasks", {"verb": text, "items": [{"id": text}]}),
        target.say("PUT", f"/processes/{target.process}/status", {"new_status": text, "reason": text}),
    ]
    worst = max(asked, key=lambda reply: reply.status_code)
    return worst, None, None


PROBES = [
    everything_is_kept_of_a_process,
    everything_is_kept_of_a_task,
    texts_are_kept_of_updates,
    variables_are_kept_of_updates,
    comments_are_kept,
    reasons_of_waiting_are_kept,
    reassigned_people_are_kept,
    outputs_are_kept,
    errors_are_kept,
    errors_of_tasks_are_kept,
    reasons_in_addresses_are_kept,
    reasons_of_cancelling_are_kept,
    people_are_kept,
    teams_and_calendars_are_kept,
    definitions_are_kept,
    policies_are_kept,
    names_of_nothing_change_nothing,
]


@pytest.fixture
def target(workbench: gndp.Workbench) -> Iterator[Target]:
    with served(workbench) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield Target(client)


def _try(target: Target, probe: Probe, texts: Sequence[str]) -> int:
    """How many of the texts were accepted."""
    accepted = 0
    for text in texts:
        reply, said, kept = probe(target, text)
        assert 200 <= reply.status_code < 300 or 400 <= reply.status_code < 500, ascii((text, reply.text))
        assert "Traceback" not in reply.text
        if reply.is_success:
            is_kept = kept == said
            assert is_kept, ascii((text, kept))
            accepted += 1
    return accepted


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
def test_hostile_texts(target: Target, workbench: gndp.Workbench, probe: Probe) -> None:
    accepted = _try(target, probe, _SEEDS)
    assert accepted > 20 or probe is names_of_nothing_change_nothing
    assert workbench.check().ok


@pytest.mark.soak
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
def test_five_hundred_hostile_texts(target: Target, workbench: gndp.Workbench, probe: Probe) -> None:
    _try(target, probe, hostile(500))
    assert workbench.check().ok
