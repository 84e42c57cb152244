"""Whatever commands, sweeps and routing write is in the catalogue of event types, field by field."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import orjson
import psycopg
import pytest
from psycopg.rows import dict_row

import gndp
from gndp.core.errors import Refusal
from gndp.core.events import EVENT_TYPES, payload_of
from tests.model import Model, Refused
from tests.random_commands import MINUTES, NINE, STEPS, TEMPLATE, Calls

POLICIES: list[dict[str, Any]] = [
    {
        "name": "case",
        "target_minutes": 60,
        "warnings": [{"percent": 50}, {"minutes_before": 10}],
        "escalations": [
            {"after_minutes": 0, "to": "team_lead"},
            {"after_minutes": 10, "to": "person", "person": "boss"},
            {"after_minutes": 20, "action": "raise_priority"},
        ],
    },
    {
        "name": "step",
        "item": "task",
        "target_minutes": 60,
        "escalations": [{"after_minutes": 5, "to": "person", "person": "boss", "action": "reassign"}],
    },
]


class Clock:
    def __init__(self) -> None:
        self.now = NINE

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wb(new_workbench: Callable[..., gndp.Workbench], clock: Clock) -> gndp.Workbench:
    wb = new_workbench(clock=clock)
    for policy in POLICIES:
        wb.sla.publish(policy, user_id="eve")
    wb.definitions.publish(TEMPLATE, user_id="eve")
    wb.directory.add_team("ops", imbalance_limit=1)
    wb.directory.add_person("dan", team="ops", capacity=3)
    wb.directory.add_person("eva", team="ops", skills={"law": 1}, capacity=3)
    return wb


def do_at_random(wb: gndp.Workbench, clock: Clock, times: int) -> None:
    """Random commands, as they are chosen for the comparison with the model, with sweeps between them."""
    model = Model({TEMPLATE["id"]: STEPS})
    calls = Calls(model)
    for number in range(times):
        calls.random.seed(number)
        clock.now += timedelta(minutes=calls.pick(*MINUTES))
        call = calls.next()
        area, verb = call.command.split(".")
        positional = [call.arguments["items"]] if "items" in call.arguments else []
        named = {} if positional else call.arguments
        try:
            answer = getattr(getattr(wb, area), verb)(*positional, **named)
        except Refusal:
            continue
        if call.command == "processes.start":
            listed = wb.tasks.list(process_id=answer.id).tasks
            model.step_ids = {task.task_definition_id: task.id for task in listed}
        with suppress(Refused):  # it knows of no escalations, but only steers the choice here
            model.run(call.command, clock.now, **call.arguments)
        if number % 20 == 0:
            wb.sla.sweep()


def do_what_chance_does_not(wb: gndp.Workbench, clock: Clock) -> None:
    """Routing until the team is uneven and nobody is free, a queue, and recomputing what is breached."""
    process = wb.processes.start(
        process_definition_id="loose", process_name="Case", process_type="custom", initiated_by="eve"
    )
    step = {"task_definition_id": "step", "task_name": "Step", "task_type": "manual"}
    for _ in range(4):
        wb.tasks.create(
            process_instance_id=process.id,
            assigned_team="ops",
            assignment_method="skill_based",
            required_skills={"law": 1},
            **step,
        )
    queued = wb.tasks.create(process_instance_id=process.id, **step)
    wb.tasks.assign(queued.id, assignment_method="round_robin", team="ops", user_id="eve")
    clock.now += timedelta(hours=2)
    wb.sla.sweep()
    wb.sla.publish({**POLICIES[0], "target_minutes": 600}, user_id="eve")
    wb.sla.recompute(process_id=process.id, user_id="eve", reason="longer target")


def test_every_event_written_is_of_a_type_in_the_catalogue_and_has_its_fields(
    wb: gndp.Workbench, clock: Clock
) -> None:
    do_at_random(wb, clock, 600)
    do_what_chance_does_not(wb, clock)
    with psycopg.connect(wb.database_url, row_factory=dict_row) as connection:
        rows = connection.execute(
            "SELECT event_type, event_category, severity, details FROM process_events"
        ).fetchall()

    for row in rows:
        payload = payload_of(row["event_type"], row["details"])
        assert type(payload) is EVENT_TYPES.get(row["event_type"]), row
        said = {key: value for key, value in row["details"].items() if key != "clock_reading"}
        assert orjson.loads(orjson.dumps(payload.details)) == said
        if row["event_type"] not in ("task.retried", "escalation.triggered"):
            assert (row["event_category"], row["severity"]) == (payload.category, payload.severity)
    assert {row["event_type"] for row in rows} == EVENT_TYPES.keys()
    assert wb.check().ok
