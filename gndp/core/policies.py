"""SLA policies: which clock runs on which item, along which calendar, and who hears of it.

A policy is a document (YAML, JSON or these objects). It is chosen by what ``applies_to`` says; of several
with the same objective the most specific one wins, and different objectives (response, resolution, …) run
side by side. Source: the semantics page, "SLA", and the contract's default warning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gndp.core.calendars import Calendar
from gndp.core.documents import read_document
from gndp.core.errors import Invalid, Problem
from gndp.core.states import Priority
from gndp.core.values import at, bounded, validate_texts

MAX_MINUTES = 5_256_000
"""The longest target or delay: ten years."""

PLAIN_TARGET = "sla_target_mins"
"""Name and objective of the policy that an item's own sla_target_mins is."""

_ORDER = {
    name: rank
    for rank, names in enumerate(
        (
            ("process.created",),
            ("process.started",),
            ("task.created",),
            ("task.ready",),
            ("task.assigned", "task.reassigned", "task.released"),
            ("task.started",),
            ("task.waiting", "task.resumed", "task.retried"),
            ("task.completed", "task.skipped", "task.failed", "task.cancelled"),
            ("process.suspended", "process.resumed", "process.failed", "process.retried"),
            ("process.completed", "process.cancelled"),
        )
    )
    for name in names
}
"""The events that a clock may listen to, by the stage of an item's life at which they come."""

CLOCK_EVENTS = tuple(_ORDER)
"""The types of event that a clock may listen to, in the order in which they come in an item's life."""

_ONCE = {
    "process": frozenset({"process.created", "process.started"}),
    "task": frozenset({"process.created", "process.started", "task.created", "task.ready"}),
}
"""The events that an item sees once, before all that can pause it."""

_LAST = {"process": frozenset({9}), "task": frozenset({7})}

PAUSE_ENDS: Mapping[str, frozenset[str]] = {
    "process.suspended": frozenset({"process.resumed", "process.cancelled"}),
    "process.failed": frozenset({"process.retried", "process.cancelled"}),
    "task.waiting": frozenset(
        f"task.{done}"
        for done in (
            *("resumed", "released", "reassigned", "retried"),
            *("completed", "failed", "skipped", "cancelled"),
        )
    ),
}
"""What ends a pause by itself: the state that paused the clock is over."""

DONE: Mapping[str, tuple[str, ...]] = {
    "process": ("process.completed",),
    "task": ("task.completed", "task.skipped"),
}
"""By which events an item is done: its clock ends with a verdict, at the latest then."""

CALLED_OFF: Mapping[str, tuple[str, ...]] = {
    "process": ("process.cancelled",),
    "task": ("task.cancelled", "process.cancelled"),
}
"""By which events an item is called off: its clock ends without a verdict, at the latest then."""

_STARTS = {"process": "process.started", "task": "task.ready"}


def _lists_as_tuples(value: Any) -> Any:
    """Documents have lists where these objects have tuples."""
    if isinstance(value, Mapping):
        return {key: _lists_as_tuples(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_lists_as_tuples(part) for part in value)
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Condition(_Part):
    """An event that a clock listens to.

    With ``reasons``, only an event whose reason (up to a colon, whatever the case) is one of them.
    """

    event: str
    reasons: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"event": value} if isinstance(value, str) else _lists_as_tuples(value)

    def holds(self, event_type: str, reason: str | None) -> bool:
        """Whether an event of this type and reason is meant."""
        if event_type != self.event:
            return False
        if not self.reasons:
            return True
        given = (reason or "").partition(":")[0].strip().casefold()
        return any(given == wanted.strip().casefold() for wanted in self.reasons)


class WarningLevel(_Part):
    """When an item counts as at risk: after so many percent of the target, or so many minutes before due,
    along the policy's calendar. Exactly one of the two."""

    percent: int | None = Field(default=None, ge=1, le=99)
    minutes_before: int | None = Field(default=None, ge=1, le=MAX_MINUTES)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.percent is None) == (self.minutes_before is None):
            raise ValueError("say percent or minutes_before, one of them")
        return self


class EscalationLevel(_Part):
    """What happens ``after_minutes`` after due (negative: before it), along the policy's calendar.

    ``to`` is the task's or process's assignee, the lead or the manager of its team, or the named ``person``.
    """

    after_minutes: int = Field(default=0, ge=-MAX_MINUTES, le=MAX_MINUTES)
    to: Literal["assignee", "team_lead", "manager", "person"] = "team_lead"
    person: str | None = Field(default=None, max_length=500)
    action: Literal["notify", "raise_priority", "reassign"] = "notify"

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.to == "person") != (self.person is not None):
            raise ValueError("person goes with to: person")
        if self.action == "reassign" and self.to == "assignee":
            raise ValueError("cannot reassign to the assignee")
        return self


class AppliesTo(_Part):
    """Which items a policy is for; what is left out does not restrict.

    ``template`` is a process definition's id, ``steps`` the ids of its steps.
    """

    template: str | None = None
    steps: tuple[str, ...] = ()
    process_types: tuple[str, ...] = ()
    priorities: tuple[Annotated[Priority, Field(strict=False)], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, value: Any) -> Any:
        return _lists_as_tuples(value)


class Item(NamedTuple):
    """A process or a task, as far as choosing its policies needs it; ``step`` is None for a process."""

    kind: Literal["process", "task"]
    template: str
    step: str | None
    process_type: str
    priority: str
    sla_target_mins: int | None


class Policy(_Part):
    """One SLA policy.

    ``item`` says whether it measures processes or tasks; ``objective`` what it promises (each objective of an
    item has a clock). ``target_minutes`` are working minutes of the ``calendar`` named, or plain minutes
    without one. The clock starts at the first ``start`` event, stands still from a ``pause`` event until what
    paused it is over (or a ``resume`` event comes), ends at the first ``stop`` event with a verdict and at a
    ``cancel`` event without one. The end of the item ends it in any case: done with a verdict, called off
    without one.
    """

    name: str = Field(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str = Field(default="", max_length=10_000)
    item: Literal["process", "task"] = "process"
    objective: str = Field(default="resolution", min_length=1, max_length=100)
    applies_to: AppliesTo = AppliesTo()
    target_minutes: int = Field(ge=1, le=MAX_MINUTES)
    calendar: str | None = Field(default=None, max_length=500)
    start: tuple[Condition, ...] = Field(default=(), validate_default=False)
    pause: tuple[Condition, ...] = (Condition(event="process.suspended"),)
    resume: tuple[Condition, ...] = ()
    stop: tuple[Condition, ...] = ()
    cancel: tuple[Condition, ...] = ()
    warnings: tuple[WarningLevel, ...] | None = None
    escalations: tuple[EscalationLevel, ...] = ()
    business_impact: str | None = Field(default=None, max_length=1_000)

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        whole = _lists_as_tuples(value)
        item = whole.get("item", "process")
        if isinstance(item, str) and item in _STARTS:
            whole.setdefault("start", (_STARTS[item],))
            whole.setdefault("stop", DONE[item])
        return whole

    @property
    def warning_minutes(self) -> tuple[float, ...]:
        """How long before due the item is at risk, in minutes along the calendar, earliest first.

        Without warnings of its own: 15 minutes, or 20 % of the target when that is shorter.
        """
        if self.warnings is None:
            return (min(15.0, self.target_minutes / 5),)
        before = {
            self.target_minutes * (100 - level.percent) / 100
            if level.percent is not None
            else float(level.minutes_before or 0)
            for level in self.warnings
        }
        return tuple(sorted(before, reverse=True))

    @property
    def escalation_levels(self) -> tuple[EscalationLevel, ...]:
        """The escalations in the order in which they come."""
        return tuple(sorted(self.escalations, key=lambda level: level.after_minutes))

    def matches(self, item: Item) -> bool:
        """Whether this policy is for an item."""
        wanted = self.applies_to
        return (
            self.item == item.kind
            and wanted.template in (None, item.template)
            and (not wanted.steps or item.step in wanted.steps)
            and (not wanted.process_types or item.process_type in wanted.process_types)
            and (not wanted.priorities or item.priority in wanted.priorities)
        )

    @property
    def specificity(self) -> int:
        """Of two that match with one objective the higher wins: step, template, process type, priority."""
        wanted = self.applies_to
        return (
            8 * bool(wanted.steps)
            + 4 * bool(wanted.template)
            + 2 * bool(wanted.process_types)
            + bool(wanted.priorities)
        )


class Terms(NamedTuple):
    """What a clock runs by, fixed when it starts: the policy, and its calendar as it was then."""

    policy: Policy
    calendar: Calendar | None

    @property
    def document(self) -> dict[str, Any]:
        """These terms as JSON values; ``terms_from`` reads them back."""
        return {
            "policy": policy_document(self.policy),
            "calendar": None if self.calendar is None else self.calendar.to_document(),
        }


def terms_from(document: Mapping[str, Any]) -> Terms:
    """The terms that ``Terms.document`` wrote; Invalid when policy or calendar cannot be used any more."""
    calendar = document.get("calendar")
    return Terms(
        _validated(document.get("policy")), None if calendar is None else Calendar.from_document(calendar)
    )


def terms_of(policy: Policy, calendars: Mapping[str, Any]) -> Terms:
    """The terms that a policy gives under the calendars in force, documents by name.

    Raises Invalid when its calendar is not among them, or cannot be used.
    """
    if policy.calendar is None:
        return Terms(policy, None)
    if policy.calendar not in calendars:
        raise Invalid(Problem("calendar", f"there is no calendar {policy.calendar}"))
    try:
        return Terms(policy, Calendar.from_document(calendars[policy.calendar]))
    except Invalid as error:
        raise Invalid(f"the calendar {policy.calendar} cannot be used: {error}") from None


def usable_terms(document: Mapping[str, Any]) -> Terms | None:
    """The terms that ``Terms.document`` wrote; None when policy or calendar cannot be used any more."""
    try:
        return terms_from(document)
    except Invalid:
        return None


def fingerprint(document: Mapping[str, Any]) -> str:
    """The SHA-256 of terms as a document, in hexadecimal: equal for terms that say the same."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plain_policy(kind: Literal["process", "task"], minutes: int) -> Policy:
    """The policy that an item's own sla_target_mins is: plain minutes, no calendar."""
    return Policy.model_validate(
        {"name": PLAIN_TARGET, "objective": PLAIN_TARGET, "item": kind, "target_minutes": minutes}
    )


def choose_policies(policies: Mapping[str, Policy], item: Item) -> list[Policy]:
    """The policies that an item has: the most specific one of each objective, and its own target."""
    chosen: dict[str, Policy] = {}
    for policy in sorted(policies.values(), key=lambda policy: (-policy.specificity, policy.name)):
        if policy.matches(item):
            chosen.setdefault(policy.objective, policy)
    if item.sla_target_mins is not None:
        chosen[PLAIN_TARGET] = plain_policy(item.kind, item.sla_target_mins)
    return list(chosen.values())


def parse_policy(document: str | bytes | Mapping[str, Any] | Policy) -> Policy:
    """The policy that YAML or JSON text, a mapping or an object describes.

    Raises Invalid with every problem, each with its place.
    """
    if isinstance(document, Policy):
        raw: Any = policy_document(document)
    else:
        raw = read_document(document) if isinstance(document, str | bytes) else document
    if not isinstance(raw, Mapping):
        raise Invalid(Problem("", "a policy must be an object with name and target_minutes"))
    problems = validate_texts(dict(raw), "")
    if problems:
        raise Invalid(*problems)
    policy = _validated(raw)
    problems = list(_contradictions(policy))
    if problems:
        raise Invalid(*problems)
    return policy


def policy_document(policy: Policy) -> dict[str, Any]:
    """The policy as JSON values, without what is at its default."""
    document: dict[str, Any] = policy.model_dump(mode="json", exclude_defaults=True)
    return document


def _validated(raw: Any) -> Policy:
    try:
        return Policy.model_validate(raw)
    except ValidationError as error:
        raise Invalid(*bounded(_worded(error))) from None


def _contradictions(policy: Policy) -> Iterator[Problem]:
    if PLAIN_TARGET in (policy.name, policy.objective):
        yield Problem("name", f"{PLAIN_TARGET} is the policy that an item's own target is")
    for part in ("start", "pause", "resume", "stop", "cancel"):
        for index, condition in enumerate(getattr(policy, part)):
            place = at(part, index)
            if condition.event not in _ORDER:
                yield Problem(place, f"no event {condition.event!r}; one of {', '.join(_ORDER)}")
            elif part == "start" and policy.item == "task" and not condition.event.startswith("task."):
                yield Problem(place, "a task's clock starts at an event of the task")
            elif policy.item == "task" and condition.event == "process.completed":
                yield Problem(place, "a process completes when its tasks have ended: name their events")
    for part in ("start", "stop"):
        if not getattr(policy, part):
            yield Problem(part, "must name at least one event")
    yield from _never_runs(policy)
    yield from _never_goes_on(policy)
    for index, level in enumerate(policy.warnings or ()):
        if level.minutes_before is not None and level.minutes_before >= policy.target_minutes:
            yield Problem(at("warnings", index), "would warn before the clock starts")
    for index, step in enumerate(policy.escalations):
        if step.after_minutes <= -policy.target_minutes:
            yield Problem(at("escalations", index), "would escalate before the clock starts")
        if step.action == "reassign" and policy.item == "process":
            yield Problem(at("escalations", index), "reassign is for tasks; a process is done by many")
    if policy.item == "process" and policy.applies_to.steps:
        yield Problem("applies_to.steps", "steps are tasks: say item: task")


def _never_runs(policy: Policy) -> Iterator[Problem]:
    starts, stops = _events(policy.start), _events(policy.stop)
    ends = {*DONE[policy.item], *CALLED_OFF[policy.item]}
    for event in sorted(starts & (stops | _events(policy.cancel) | ends)):
        yield Problem("start", f"{event} starts the clock and ends it at once")
    known_starts, known_stops = starts & _ORDER.keys(), stops & _ORDER.keys()
    if not known_starts or not known_stops or starts & stops:
        return
    first, last = min(_ORDER[event] for event in known_starts), max(_ORDER[event] for event in known_stops)
    if last < first or first in _LAST[policy.item]:
        yield Problem("stop", "comes before the clock can start")


def _never_goes_on(policy: Policy) -> Iterator[Problem]:
    resumes = _events(policy.resume)
    for index, condition in enumerate(policy.pause):
        place = at("pause", index)
        if condition.event in resumes:
            yield Problem(place, f"{condition.event} pauses the clock and lets it go on at once")
        elif condition.event not in PAUSE_ENDS and resumes <= _ONCE[policy.item]:
            yield Problem(
                place, f"the pause from {condition.event} never ends: resume names nothing after it"
            )
    if resumes and all(condition.event in PAUSE_ENDS for condition in policy.pause):
        ends = frozenset().union(*(PAUSE_ENDS[condition.event] for condition in policy.pause))
        for index, condition in enumerate(policy.resume):
            if condition.event not in ends:
                yield Problem(at("resume", index), "nothing that pauses the clock is over by that")


def _events(conditions: tuple[Condition, ...]) -> set[str]:
    return {condition.event for condition in conditions}


def _worded(error: ValidationError) -> Iterator[Problem]:
    for found in error.errors(include_url=False):
        place = ""
        for part in found["loc"]:
            place = at(place, part)
        message = found["msg"].removeprefix("Value error, ")
        yield Problem(place, message[:1].lower() + message[1:])
