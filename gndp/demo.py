"""The demo: sixty days of a home-lending operation, simulated through the engine's own commands.

Deterministic by seed and ``now`` (ids apart). The simulation plans each process — who works on which step and
when, what fails, waits or is suspended — and then gives the engine the commands up to ``now``, one
transaction per process, with the clock set to each command's
instant.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from gndp.core.errors import Conflict
from gndp.core.templates import Step, Template, parse_template
from gndp.core.values import require_aware
from gndp.workbench import Workbench

DAYS = 60
"""How far back the demo goes."""

_NAMESPACE = UUID("6c1d9f0e-52f3-4f7c-9a55-6d1f0b8f7a11")
_DEFINITIONS = {"purchase_loan": 0.6, "document_approval": 0.2, "customer_onboarding": 0.2}
_PER_WORKING_DAY = 8
_OPENS, _CLOSES = 9, 17
_MINUTES_A_DAY = 420
_FIRST_NAMES = (
    "Ada", "Ben", "Chloe", "David", "Elif", "Farid", "Grace", "Henk", "Ines", "Jonas", "Kofi", "Lena",
    "Marta", "Nils", "Olga", "Pablo", "Quinn", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wim", "Yara",
)  # fmt: skip
_LAST_NAMES = (
    "Adler", "Bakker", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Haas", "Ivanov", "Jansen", "Keller",
    "Lopez", "Meyer", "Novak", "Okafor", "Peters", "Rossi", "Schmidt", "Tanaka", "Visser", "Weber", "Young",
)  # fmt: skip
_DOCUMENTS = (
    "Fraud policy",
    "Rate sheet",
    "Privacy notice",
    "Appraisal guide",
    "Servicing manual",
    "Fee list",
)
_FAILURES = ("the county recorder's system was down", "the file was incomplete", "two figures did not agree")
_WAITS = ("customer", "appraiser", "employer")
_SUSPENSIONS = ("the applicant asked to wait", "the seller is reconsidering", "a document is being contested")


class Planned(NamedTuple):
    """One command of the plan: given at an instant, on a step's task or (without a step) on the process."""

    at: datetime
    verb: str
    step: str | None
    arguments: dict[str, Any]


@dataclass(slots=True)
class _Operation:
    """What the whole simulation shares: chance, people by team, minutes that each has booked a day."""

    chance: random.Random
    now: datetime
    teams: dict[str, list[str]] = field(default_factory=dict)
    booked: Counter[tuple[str, date]] = field(default_factory=Counter)

    def person(self, team: str, kept_apart: set[str], at: datetime) -> str:
        """Whoever of the team has least booked on a day."""
        candidates = [p for p in self.teams[team] if p not in kept_apart]
        return min(candidates, key=lambda p: self.booked[p, at.date()])

    def book(self, person: str, at: datetime, minutes: float) -> datetime:
        """The first instant from ``at`` on a day when the person has time left; books the minutes there."""
        while self.booked[person, at.date()] >= _MINUTES_A_DAY:
            at = _office_hours(at.replace(hour=_CLOSES))
        self.booked[person, at.date()] += round(minutes)
        return at


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
        _staff(operation, templates.values())
        arrivals = _arrivals(operation)
        for number, at in enumerate(arrivals):
            process_id = uuid5(_NAMESPACE, f"{seed}/{number}/{at.isoformat()}")
            _run(workbench, operation, templates, process_id, at, instant)
            if progress is not None:
                progress(number + 1, len(arrivals))
        return len(arrivals)
    finally:
        workbench.clock = clock


def _publish(workbench: Workbench) -> dict[str, Template]:
    folder = resources.files("gndp").joinpath("definitions")
    templates = {
        name: parse_template(folder.joinpath(f"{name}.yaml").read_text("utf-8")) for name in _DEFINITIONS
    }
    for template in templates.values():
        workbench.definitions.publish(template, user_id="admin")
    return templates


def _staff(operation: _Operation, templates: Iterable[Template]) -> None:
    teams = sorted({step.team or "office" for template in templates for step in template.steps})
    names = [f"{first.lower()}.{last.lower()}" for first in _FIRST_NAMES for last in _LAST_NAMES]
    operation.chance.shuffle(names)
    for team in teams:
        size = operation.chance.randint(6, 9)
        operation.teams[team] = [names.pop() for _ in range(size)]


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
    process_id: UUID,
    at: datetime,
    instant: list[datetime],
) -> None:
    chance = operation.chance
    template = templates[chance.choices(list(_DEFINITIONS), list(_DEFINITIONS.values()))[0]]
    subject = _subject(template, chance)
    owner = chance.choice(operation.teams[_team(template.steps[0])])
    priority = chance.choices(("low", "medium", "high", "critical"), (15, 60, 20, 5))[0]
    context = {"subject": subject, "channel": chance.choice(("branch", "broker", "online"))}
    planned = _plan(operation, template, owner, at)
    with workbench.transaction():
        instant[0] = at
        try:
            process = workbench.processes.start(
                id=process_id,
                process_definition_id=template.id,
                process_name=f"{template.name}: {subject}",
                process_type=template.process_type,
                initiated_by=owner,
                assigned_to=owner,
                priority=priority,
                business_context=context,
            )
        except Conflict:
            return  # this process is there from an earlier run
        listed = workbench.tasks.list(process_id=process.id, limit=100).tasks
        tasks = {row.task.task_definition_id: row.task.id for row in listed}
        for command in planned:
            instant[0] = command.at
            if command.step is None:
                getattr(workbench.processes, command.verb)(process.id, **command.arguments)
            else:
                getattr(workbench.tasks, command.verb)(tasks[command.step], **command.arguments)


def _plan(operation: _Operation, template: Template, owner: str, at: datetime) -> list[Planned]:
    """The commands that a process gets, in time order, up to the operation's now."""
    chance = operation.chance
    planned: list[Planned] = []
    done: dict[str, datetime] = {}
    performer: dict[str, str] = {}
    for step in _in_dependency_order(template):
        ready = max((done[dependency] for dependency in step.depends_on), default=at)
        apart = {performer[other] for other in template.people_apart(step.id) if other in performer}
        person = operation.person(_team(step), apart, ready)
        performer[step.id] = person
        done[step.id] = _work(operation, step, person, ready, planned)
    planned = sorted((command for command in planned if command.at < operation.now), key=lambda c: c.at)
    if planned and chance.random() < 0.12:
        return _suspended(operation, planned, owner)
    if len(planned) > 4 and chance.random() < 0.05:
        return _given_up(chance, planned, owner)
    return planned


def _work(
    operation: _Operation, step: Step, person: str, ready: datetime, planned: list[Planned]
) -> datetime:
    """Plan a step: assigned, started when its person is free, waited for, perhaps failed, completed."""
    chance = operation.chance
    automated = step.type in ("automated", "notification")
    assigned = ready + timedelta(minutes=1 if automated else chance.uniform(5, 90))
    effort = (step.estimated_minutes or 30) * chance.lognormvariate(0, 0.5)
    started, ended = assigned, assigned + timedelta(minutes=effort)
    if not automated:
        wished = _office_hours(assigned + timedelta(minutes=chance.expovariate(1 / 240)))
        started = operation.book(person, wished, effort)
        ended = _after_work(started, effort)
    by = {"user_id": person}
    planned.append(Planned(assigned, "assign", step.id, {"assigned_to": person, "user_id": "dispatcher"}))
    planned.append(Planned(started, "start", step.id, by))
    if not automated and chance.random() < 0.12:
        paused = started + (ended - started) / 2
        reason = chance.choice(_WAITS)
        resumed = _office_hours(paused + timedelta(hours=chance.uniform(4, 72)))
        planned.append(Planned(paused, "wait", step.id, {**by, "reason": reason}))
        planned.append(Planned(resumed, "resume", step.id, by))
        ended = _after_work(resumed, effort / 2)
    if chance.random() < 0.06:
        failed = started + (ended - started) / 4 if ended - started < timedelta(days=1) else None
        if failed is not None and not any(c.step == step.id and c.verb == "wait" for c in planned):
            again = failed + timedelta(minutes=chance.uniform(2, 60))
            planned.append(
                Planned(failed, "fail", step.id, {**by, "error_message": chance.choice(_FAILURES)})
            )
            planned.append(Planned(again, "start", step.id, by))
            ended = max(ended, again + timedelta(minutes=5))
    output = _filled(step.form, chance, started) if step.form else {"note": "done"}
    planned.append(Planned(ended, "complete", step.id, {**by, "output_data": output}))
    return ended


def _suspended(operation: _Operation, planned: list[Planned], owner: str) -> list[Planned]:
    """The process is suspended in the middle: for some days, or still is."""
    chance = operation.chance
    middle = chance.randrange(len(planned))
    at = planned[middle].at + timedelta(seconds=1)
    before = [command for command in planned if command.at < at]
    reason = {"user_id": owner, "reason": chance.choice(_SUSPENSIONS)}
    if at >= operation.now or len(before) == len(planned):
        return planned
    before.append(Planned(at, "suspend", None, reason))
    pause = timedelta(days=chance.uniform(1, 15))
    after = [command._replace(at=command.at + pause) for command in planned if command.at >= at]
    resumed = Planned(at + pause, "resume", None, {"user_id": owner})
    return [command for command in (*before, resumed, *after) if command.at < operation.now]


def _given_up(chance: random.Random, planned: list[Planned], owner: str) -> list[Planned]:
    """The process comes to nothing: a started step fails for good, or it is called off."""
    starts = [n for n, command in enumerate(planned) if command.verb == "start"]
    last = chance.choice(starts) if starts else None
    if last is None:
        return planned
    command = planned[last]
    at = command.at + timedelta(seconds=1)
    until = [c for c in planned if c.at <= command.at]
    if chance.random() < 0.4:
        return [*until, Planned(at, "cancel", None, {"user_id": owner, "reason": "the applicant withdrew"})]
    failure = {**command.arguments, "error_message": chance.choice(_FAILURES), "final": True}
    return [*until, Planned(at, "fail", command.step, failure)]


def _in_dependency_order(template: Template) -> list[Step]:
    remaining, placed, ordered = list(template.steps), set[str](), []
    while remaining:
        step = next(step for step in remaining if placed.issuperset(step.depends_on))
        remaining.remove(step)
        placed.add(step.id)
        ordered.append(step)
    return ordered


def _team(step: Step) -> str:
    return step.team or "office"


def _subject(template: Template, chance: random.Random) -> str:
    if template.id == "document_approval":
        return f"{chance.choice(_DOCUMENTS)} {chance.randrange(2, 30)}"
    return f"{chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}"


def _office_hours(at: datetime) -> datetime:
    """The instant itself when the office is open, else the next opening."""
    if at.hour >= _CLOSES:
        at = (at + timedelta(days=1)).replace(hour=_OPENS, minute=at.minute)
    elif at.hour < _OPENS:
        at = at.replace(hour=_OPENS)
    while at.weekday() >= 5:
        at = (at + timedelta(days=1)).replace(hour=_OPENS)
    return at


def _after_work(start: datetime, minutes: float) -> datetime:
    """The instant when so many minutes have been worked in office hours from ``start``."""
    at = _office_hours(start)
    left = timedelta(minutes=minutes)
    while (closing := at.replace(hour=_CLOSES, minute=0, second=0, microsecond=0)) - at < left:
        left -= closing - at
        at = _office_hours(closing).replace(minute=0)
    return at + left


def _filled(form: Mapping[str, Any], chance: random.Random, at: datetime) -> dict[str, Any]:
    """What a person puts into a form: its required fields."""
    return _object(form, form, chance, at)


def _object(
    schema: Mapping[str, Any], form: Mapping[str, Any], chance: random.Random, at: datetime
) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {n: _value(n, properties.get(n, {}), form, chance, at) for n in schema.get("required", [])}


def _value(
    name: str, schema: Mapping[str, Any], form: Mapping[str, Any], chance: random.Random, at: datetime
) -> Any:
    if "$ref" in schema:
        schema = form["$defs"][schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "boolean":
            return True
        case "integer" | "number":
            least = int(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1))
            return chance.randint(least, min(int(schema.get("maximum", least + 400_000)), least + 400_000))
        case "array":
            items = schema.get("items", {})
            return [_value(name, items, form, chance, at) for _ in range(schema.get("minItems", 1))]
        case "object":
            return _object(schema, form, chance, at)
        case _:
            return _text(name, schema, chance, at)


def _text(name: str, schema: Mapping[str, Any], chance: random.Random, at: datetime) -> str:
    match schema.get("format"):
        case "date":
            return at.date().isoformat()
        case "date-time":
            return at.isoformat()
        case "email":
            return f"{chance.choice(_FIRST_NAMES).lower()}@example.com"
        case "uri":
            return f"https://example.com/{name}"
    if "pattern" in schema:
        digits = "".join(chance.choices("0123456789", k=10))
        return digits if schema["pattern"].startswith("^[0-9]") else f"NL91ABNA{digits}"
    return f"{chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}"
