"""The tables as SQLModel classes: what the migrations must arrive at.

The engine's hot path does not use them (it runs named SQL); lists are composed from their columns, and a
test migrates an empty database and finds no difference from them. Validation happens at the engine's edge,
for table classes skip it; the CHECK constraints hold in the database whoever writes.
"""

from __future__ import annotations

from sqlmodel import SQLModel

from gndp.store.models.access import Accounts, ApiTokens, BrowserSessions, OneTimeLinks, SigningKeys
from gndp.store.models.idempotency import IdempotencyKeys
from gndp.store.models.jobs import JobLease, JobRuns
from gndp.store.models.measures import PerformanceMetrics, SlaMetrics
from gndp.store.models.people import Calendars, People, Teams
from gndp.store.models.policies import SlaPolicies, SlaRevision, SlaSweeps, SlaTerms
from gndp.store.models.processes import (
    DeletedProcesses,
    ProcessDefinitions,
    ProcessEvents,
    ProcessInstances,
    ProcessSearch,
)
from gndp.store.models.rules import WorkflowRules
from gndp.store.models.subscriptions import EventDeliveries, EventLog, EventSubscriptions
from gndp.store.models.tasks import TaskAssignments, Tasks, TaskSearch

__all__ = [
    "Accounts",
    "ApiTokens",
    "BrowserSessions",
    "Calendars",
    "DeletedProcesses",
    "EventDeliveries",
    "EventLog",
    "EventSubscriptions",
    "IdempotencyKeys",
    "JobLease",
    "JobRuns",
    "OneTimeLinks",
    "People",
    "PerformanceMetrics",
    "ProcessDefinitions",
    "ProcessEvents",
    "ProcessInstances",
    "ProcessSearch",
    "SQLModel",
    "SigningKeys",
    "SlaMetrics",
    "SlaPolicies",
    "SlaRevision",
    "SlaSweeps",
    "SlaTerms",
    "TaskAssignments",
    "TaskSearch",
    "Tasks",
    "Teams",
    "WorkflowRules",
]
