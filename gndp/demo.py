"""The demo: sixty days of a home-lending operation, simulated through the engine's own commands.

Deterministic by seed and ``now`` (ids apart). The simulation plans each process — who works on which step and
when, what fails, waits or is suspended — and then gives the engine the commands up to ``now``, one transaction
per process, with the clock set to each command's instant.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from gndp.core.templates import Step, Template, parse_template
from gndp.core.values import require_aware
from gndp.workbench import Workbench

DAYS = 60
"""How far back the demo goes."""

_NAMESPACE = UUID("6c1d9f0e-52f3-4f7c-9a55-6d1f0b8f7a11")
_DEFINITIONS = {"purchase_loan": 0.6, "document_approval": 0.2, "customer_onboarding": 0.2}
_PER_WORKING_DAY = 8
_OPENS, _CLOSES = 9, 17
_FIRST_NAMES = (
    "Ada", "Ben", "Chloe", "David", "Elif", "Farid", "Grace", "Henk", "Ines", "Jonas", "Kofi", "Lena",
    "Marta", "Nils", "Olga", "Pablo", "Quinn", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wim", "Yara",
)  # fmt: skip
_LAST_NAMES = (
    "Adler", "Bakker", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Haas", "Ivanov", "Jansen", "Keller",
    "Lopez", "Meyer", "Novak", "Okafor", "Peters", "Rossi", "Schmidt", "Tanaka", "Visser", "Weber", "Young",
)  # fmt: skip
_DOCUMENTS = ("Fraud policy", "Rate sheet", "Privacy notice", "Appraisal guide", "Servicing manual", "Fee list")
_FAILURES = ("the county recorder's system was down", "the file was incomplete", "two figures did not agree")
_WAITS = ("customer", "appraiser", "employer")
_SUSPENSIONS = ("the applicant asked to wait", "the seller is reconsidering", "a document is being contested")


class Planned(NamedTuple):
    """One command of the plan: when it is given, and what gives it."""

    at: datetime
    give: Callable[[Workbench], object]


@dataclass(slots=True)
class _Operation:
    """What the whole simulation shares: chance, people by team, and when each is free again."""

    chance: random.Random
    now: datetime
    teams: dict[str, list[str]] = field(default_factory=dict)
    free_at: dict[str, datetime] = field(default_factory=dict)

    def person(self, team: str, kept_apart: set[str]) -> str:
        """Whoever of the team is free first."""
        candidates = [p for p in self.teams[team] if p not in kept_apart]
        return min(candidates, key=lambda p: self.free_at[p])


def is_empty(workbench: Workbench) -> bool:
    """Whether the database has no process yet, so that the demo may fill it."""
    return workbench.processes.list(limit=1).total == 0


def fill(
    workbench: Workbench,
    *,
    seed: int = 7,
    now: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Simulate the operation up to ``now`` (aware; the workbench's clock by default); the answer is how many
    processes there are. Running it again with the same seed adds nothing. ``progress`` is told how many
    processes of how many are done."""
    clock = workbench.clock
    until = require_aware(now or clock(), "now")
    operation = _Operation(random.Random(seed), until)
    instant = [until - timedelta(days=DAYS)]
    workbench.clock = lambda: instant[0]
    try:
        templates = _publish(workbench)
        _staff(operation, templates.values(), instant[0])
        arrivals = _arrivals(operation)
        for number, at in enumerate(arrivals):
            _run(workbench, operation, templates, seed, number, at, instant)
            if progress is not None:
                progress(number + 1, len(arrivals))
        return len(arrivals)
    finally:
        workbench.clock = clock


def _publish(workbench: Workbench) -> dict[str, Template]:
    folder = resources.files("gndp").joinpath("definitions")
    templates = {name: parse_template(folder.joinpath(f"{name}.yaml").read_text("utf-8")) for name in _DEFINITIONS}
    for template in templates.values():
        workbench.definitions.publish(template, user_id="admin")
    return templates


def _staff(operation: _Operation, templates: Any, start: datetime) -> None:
    teams = sorted({step.team or "office" for template in templates for step in template.steps})
    names = [f"{first.lower()}.{last.lower()}" for first in _FIRST_NAMES for last in _LAST_NAMES]
    operation.chance.shuffle(names)
    for team in teams:
        size = operation.chance.randint(4, 6)
        operation.teams[team] = [names.pop() for _ in range(size)]
    operation.free_at = {person: start for people in operation.teams.values() for person in people}


def _arrivals(operation: _Operation) -> list[datetime]:
    first = (operation.now - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [first + timedelta(days=n) for n in range(1, DAYS + 1)]
    return sorted(
        at
        for day in days
        if day.weekday() < 5
        for _ in range(_PER_WORKING_DAY)
        if (at := day + timedelta(hours=_OPENS, seconds=operation.chance.randrange(8 * 3600))) < operation.now
    )


def _run(
    workbench: Workbench,
    operation: _Operation,
    templates: Mapping[str, Template],
    seed: int,
    number: int,
    at: datetime,
    instant: list[datetime],
) -> None:
    chance = operation.chance
    template = templates[chance.choices(list(_DEFINITIONS), list(_DEFINITIONS.values()))[0]]
    process_id = uuid5(_NAMESPACE, f"{seed}/{number}/{at.isoformat()}")
    subject = _subject(template, chance)
    priority = chance.choices(("low", "medium", "high", "critical"), (15, 60, 20, 5))[0]
    planned = _plan(operation, template, process_id, at)
    owner = operation.teams[template.steps[0].team or "office"][number % 4]
    if any(row.id == process_id for row in _existing(workbench, process_id)):
        return
    with workbench.transaction():
        instant[0] = at
        process = workbench.processes.start(
            id=process_id,
            process_definition_id=template.id,
            process_name=f"{template.name}: {subject}",
            process_type=template.process_type,
            initiated_by=owner,
            assigned_to=owner,
            priority=priority,
            business_context={"subject": subject, "channel": chance.choice(("branch", "broker", "online"))},
        )
        tasks = {task.task_definition_id: task.id for task in _tasks(workbench, process.id)}
        for step in sorted(planned, key=lambda step: step.at):
            if step.at >= operation.now:
                break
            instant[0] = step.at
            step.give(_Bound(workbench, tasks))  # type: ignore[arg-type]
