"""How ``gndp sla`` shows policies, previews and clocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import typer

from gndp.cli.output import cells, one_line, print_table, shown_duration, shown_instant
from gndp.core.clocks import ClockReading
from gndp.core.policies import AppliesTo, Condition, EscalationLevel, Policy, parse_policy
from gndp.core.records import PublishedPolicy
from gndp.core.sla import Preview


def promise_in_words(policy: Policy) -> str:
    """What a policy promises, in a line: `resolution of processes within 16 h along office`."""
    items = "processes" if policy.item == "process" else "tasks"
    return f"{policy.objective} of {items} within {_target(policy)}"


# Policies ---------------------------------------------------------------------------------------------


def print_policies(policies: Iterable[PublishedPolicy]) -> None:
    """Print a table of policies."""
    print_table(
        ("name", "version", "objective", "target", "calendar", "for", "published at", "by", "retired at"),
        [_policy_row(published) for published in policies],
    )


def print_policy(published: PublishedPolicy) -> None:
    """Print what a policy says, its defaults too."""
    policy = parse_policy(published.document)
    version = f"{published.version}, published at {shown_instant(published.published_at)}"
    lines = [
        ("version", f"{version} by {published.published_by}"),
        ("retired at", _instant(published.retired_at)),
        ("description", policy.description),
        ("for", _applies_to(policy)),
        ("objective", policy.objective),
        ("target", _minutes(policy.target_minutes)),
        ("calendar", policy.calendar or "none: every minute counts"),
        *(
            (part, _conditions(getattr(policy, part)))
            for part in ("start", "pause", "resume", "stop", "cancel")
        ),
        ("warnings", "; ".join(f"{_minutes(before)} before due" for before in policy.warning_minutes)),
        ("escalations", "; ".join(f"{_when(level)}: {_what(level)}" for level in policy.escalation_levels)),
        ("business impact", policy.business_impact),
    ]
    print_table(("policy", published.name), [(name, value or "–") for name, value in lines])


def _policy_row(published: PublishedPolicy) -> list[str]:
    policy = parse_policy(published.document)
    return cells(
        published.name,
        published.version,
        policy.objective,
        _minutes(policy.target_minutes),
        policy.calendar,
        _applies_to(policy),
        shown_instant(published.published_at),
        published.published_by,
        _instant(published.retired_at),
    )


def _applies_to(policy: Policy) -> str:
    """Which items a policy is for: `tasks, step underwrite or approve, priority high`."""
    wanted: AppliesTo = policy.applies_to
    restricted = {
        "template": (wanted.template,) if wanted.template else (),
        "step": wanted.steps,
        "process type": wanted.process_types,
        "priority": wanted.priorities,
    }
    items = "processes" if policy.item == "process" else "tasks"
    words = [f"{name} {' or '.join(values)}" for name, values in restricted.items() if values]
    return ", ".join([items, *words]) if words else f"all {items}"


def _conditions(conditions: Sequence[Condition]) -> str:
    return ", ".join(
        f"{condition.event} ({' or '.join(condition.reasons)})" if condition.reasons else condition.event
        for condition in conditions
    )


def _when(level: EscalationLevel) -> str:
    if level.after_minutes == 0:
        return "at due"
    side = "after" if level.after_minutes > 0 else "before"
    return f"{_minutes(abs(level.after_minutes))} {side} due"


def _what(level: EscalationLevel) -> str:
    person = level.person or f"the {level.to.replace('_', ' ')}"
    match level.action:
        case "raise_priority":
            return "raise the priority"
        case "reassign":
            return f"give the task to {person}"
        case _:
            return f"tell {person}"


# Previews ---------------------------------------------------------------------------------------------


def print_preview(preview: Preview) -> None:
    """Print when a clock would tell what, on the clock of its calendar."""
    policy, calendar = preview.terms
    time_zone = "UTC" if calendar is None else calendar.time_zone
    typer.echo(one_line(f"{policy.name}: {_target(policy)} ({time_zone})"))
    rows = [
        (what, shown_instant(at, time_zone), shown_duration(elapsed), meaning)
        for at, what, elapsed, meaning in sorted(_previewed(preview), key=lambda row: row[0])
    ]
    print_table(("", "at", "time worked" if calendar else "time", "what it means"), rows)


def _previewed(preview: Preview) -> Iterator[tuple[datetime, str, timedelta, str]]:
    policy = preview.terms.policy
    target = timedelta(minutes=policy.target_minutes)
    yield preview.opened_at, "opened", timedelta(), "the clock starts"
    for number, (before, at) in enumerate(zip(policy.warning_minutes, preview.warnings, strict=True), 1):
        yield at, f"warning {number}", target - timedelta(minutes=before), "at risk"
    yield preview.due_at, "due", target, "met until here, breached after it"
    for number, (level, at) in enumerate(zip(policy.escalation_levels, preview.escalations, strict=True), 1):
        yield at, f"escalation {number}", target + timedelta(minutes=level.after_minutes), _what(level)


def preview_as_json(preview: Preview) -> dict[str, Any]:
    """A preview as JSON values, its instants in UTC."""
    policy = preview.terms.policy
    return {
        "policy": policy.name,
        "target_minutes": policy.target_minutes,
        "calendar": policy.calendar,
        "opened_at": preview.opened_at,
        "due_at": preview.due_at,
        "warnings": [
            {"at": at, "minutes_before": before}
            for before, at in zip(policy.warning_minutes, preview.warnings, strict=True)
        ],
        "escalations": [
            {"at": at, **level.model_dump(mode="json")}
            for level, at in zip(policy.escalation_levels, preview.escalations, strict=True)
        ],
    }


# Clocks -----------------------------------------------------------------------------------------------


def print_clocks(readings: Iterable[ClockReading], as_of: datetime) -> None:
    """Print a table of clocks as they stood at an instant."""
    print_table(
        ("objective", "policy", "status", "clock", "due", "target", "elapsed", "remaining", "next change"),
        [_clock_row(clock_reading, as_of) for clock_reading in readings],
    )


def print_recomputed(before: Sequence[ClockReading], after: Sequence[ClockReading]) -> None:
    """Print the clocks of an item before and after they were recomputed."""
    then, now = ({reading.clock.objective: _outcome(reading) for reading in part} for part in (before, after))
    rows = []
    for objective in {**then, **now}:
        for when, outcomes in (("before", then), ("after", now)):
            rows.append((objective, when, *outcomes.get(objective, cells(None, None, None, None))))
    print_table(("objective", "", "policy", "target", "due", "status"), rows)
    if then == now:
        typer.echo("nothing changes")


def clock_as_json(clock_reading: ClockReading) -> dict[str, Any]:
    """A clock and its reading as JSON values, durations in seconds."""
    reading = clock_reading.reading._asdict()
    seconds = {f"{name}_seconds": reading.pop(name).total_seconds() for name in ("elapsed", "remaining")}
    return {
        "item_name": clock_reading.item_name,
        "clock": clock_reading.clock._asdict(),
        "reading": {**reading, **seconds},
    }


def _clock_row(clock_reading: ClockReading, as_of: datetime) -> list[str]:
    clock, _, reading = clock_reading
    has_ended = clock.end_time is not None and clock.end_time <= as_of
    return cells(
        clock.objective,
        clock.policy_name,
        _status(clock_reading),
        "ended" if has_ended else "paused" if reading.is_paused else "running",
        shown_instant(reading.due_at),
        _minutes(clock.target_duration_mins),
        shown_duration(reading.elapsed),
        shown_duration(reading.remaining),
        _instant(reading.next_at),
    )


def _outcome(clock_reading: ClockReading) -> list[str]:
    clock, _, reading = clock_reading
    target = _minutes(clock.target_duration_mins)
    return [clock.policy_name, target, shown_instant(reading.due_at), _status(clock_reading)]


def _status(clock_reading: ClockReading) -> str:
    return clock_reading.reading.status or "cancelled"


# Words ------------------------------------------------------------------------------------------------


def _target(policy: Policy) -> str:
    along = f" along {policy.calendar}" if policy.calendar else ""
    return _minutes(policy.target_minutes) + along


def _minutes(minutes: float) -> str:
    return shown_duration(timedelta(minutes=minutes))


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else shown_instant(instant)
