"""The demo's SLA policies: a response and a completion for what people do, a resolution by priority."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gndp.demo.people import OFFICE_NAME, WORKING_DAY

_DAYS_FOR_A_STEP = {
    "purchase_loan": {
        "take_application": 1,
        "collect_documents": 2,
        "verify_income": 2,
        "appraise_property": 3,
        "search_title": 3,
        "screen_applicant": 1,
        "underwrite": 2,
        "approve_loan": 1,
        "prepare_closing": 2,
        "sign_documents": 3,
        "release_funds": 1,
    },
    "document_approval": {"draft_review": 2, "legal_check": 2},
    "customer_onboarding": {"collect_documents": 2, "review_kyc": 1},
}

_DAYS_FOR_ALL = {
    "purchase_loan": {"critical": 6, "high": 8, "medium": 11, "low": 14},
    "document_approval": {"critical": 1, "high": 2, "medium": 3, "low": 4},
    "customer_onboarding": {"critical": 1, "high": 2, "medium": 3, "low": 4},
}

_WAITING = [
    "process.suspended",
    {"event": "task.waiting", "reasons": ["customer", "appraiser", "employer"]},
]


def policies() -> Iterator[dict[str, Any]]:
    """The policies as documents; all count working time of the office."""
    for template, steps in _DAYS_FOR_A_STEP.items():
        yield _response(template, list(steps))
        for step, days in steps.items():
            yield _completion(template, step, days)
    for template, by_priority in _DAYS_FOR_ALL.items():
        for priority, days in by_priority.items():
            yield _resolution(template, priority, days)


def _response(template: str, steps: list[str]) -> dict[str, Any]:
    return {
        "name": f"{template}.response",
        "description": "Somebody begins within a working day.",
        "item": "task",
        "objective": "response",
        "applies_to": {"template": template, "steps": steps},
        "target_minutes": WORKING_DAY,
        "calendar": OFFICE_NAME,
        "stop": ["task.started", "task.skipped"],
        "warnings": [{"percent": 75}],
        "escalations": [{"to": "team_lead"}],
    }


def _completion(template: str, step: str, days: int) -> dict[str, Any]:
    return {
        "name": f"{template}.{step}",
        "description": "Done within so many working days; waiting for somebody outside does not count.",
        "item": "task",
        "objective": "completion",
        "applies_to": {"template": template, "steps": [step]},
        "target_minutes": days * WORKING_DAY,
        "calendar": OFFICE_NAME,
        "pause": _WAITING,
        "warnings": [{"percent": 75}],
        "escalations": [
            {"to": "team_lead"},
            {"after_minutes": WORKING_DAY, "to": "team_lead", "action": "raise_priority"},
        ],
    }


def _resolution(template: str, priority: str, days: int) -> dict[str, Any]:
    return {
        "name": f"{template}.{priority}",
        "description": "The whole within so many working days, by priority.",
        "objective": "resolution",
        "applies_to": {"template": template, "priorities": [priority]},
        "target_minutes": days * WORKING_DAY,
        "calendar": OFFICE_NAME,
        "warnings": [{"percent": 70}, {"minutes_before": WORKING_DAY // 4}],
        "escalations": [
            {"after_minutes": -WORKING_DAY // 4, "to": "assignee"},
            {"to": "team_lead"},
            {"after_minutes": 2 * WORKING_DAY, "to": "manager", "action": "raise_priority"},
        ],
        "business_impact": f"a {priority} matter takes longer than was promised",
    }
