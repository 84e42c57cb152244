"""What the tests of event log files share."""

from __future__ import annotations

from datetime import UTC, datetime

from gndp.formats import Log


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 3, 1, hour, minute, tzinfo=UTC)


def trace(name: str, *events: str, more: str = "") -> str:
    return f'<trace><string key="concept:name" value="{name}"/>{more}{"".join(events)}</trace>'


def event(activity: str, time: str, lifecycle: str | None = None, resource: str | None = None) -> str:
    parts = [("string", "concept:name", activity), ("date", "time:timestamp", time)]
    parts += [("string", "lifecycle:transition", lifecycle)] if lifecycle is not None else []
    parts += [("string", "org:resource", resource)] if resource is not None else []
    return "<event>" + "".join(f'<{t} key="{k}" value="{v}"/>' for t, k, v in parts) + "</event>"


def instances(log: Log) -> list[tuple]:
    return [
        (case.case_id, a.activity, a.started_at, a.completed_at, a.resource)
        for case in log.cases
        for a in case.activities
    ]
