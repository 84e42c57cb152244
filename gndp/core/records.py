"""The rows as callers see them: immutable read models whose attributes are the contract's field names.

Engine, checker, API and notebooks pass these around; their fields are those of the tables, in the tables'
order (a test holds the two in step). Ids are ``uuid.UUID``, instants aware UTC ``datetime``, JSON columns
plain Python values, durations whole minutes.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from gndp.core.events import Payload, payload_of


class Process(NamedTuple):
    """One process: a row of ``process_instances``.

    ``current_step`` counts completed and skipped tasks, ``total_steps`` all but the cancelled ones,
    ``failed_steps`` the failed ones; ``progress_percentage`` is 0–100 with two decimals. ``version``
    advances with every change and is what ``expected_version`` is compared with.
    """

    id: UUID
    process_definition_id: str
    definition_version: int | None
    process_name: str
    process_type: str
    status: str
    current_phase: str | None
    current_step: int
    total_steps: int
    failed_steps: int
    progress_percentage: float
    initiated_by: str
    assigned_to: str | None
    assigned_team: str | None
    business_context: dict[str, Any]
    input_data: dict[str, Any]
    output_data: dict[str, Any]
    variables: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    due_date: datetime | None
    estimated_duration_mins: int | None
    actual_duration_mins: int | None
    sla_target_mins: int | None
    sla_status: str
    sla_breach_time: datetime | None
    priority: str
    tags: list[str]
    parent_process_id: UUID | None
    auto_complete: bool
    error_message: str | None
    retry_count: int
    max_retries: int
    updated_at: datetime
    version: int

    @property
    def open_steps(self) -> int:
        """How many of its tasks are still to be done."""
        return self.total_steps - self.current_step - self.failed_steps


class Task(NamedTuple):
    """One task: a row of ``tasks``.

    ``open_dependencies`` counts the tasks it still waits for; ``ready_at`` is the instant from which that
    count is 0 (None while blocked). ``position`` orders the tasks of a process, from 0. ``wait_until`` is
    when a waiting task expects to go on, if known. ``required_skills`` goes from the name of a skill to the
    least level that routing asks for.
    """

    id: UUID
    process_instance_id: UUID
    task_definition_id: str
    task_name: str
    task_type: str
    status: str
    substatus: str | None
    phase: str | None
    position: int
    assigned_to: str | None
    assigned_team: str | None
    assignment_method: str
    claimed_by: str | None
    claimed_at: datetime | None
    depends_on: list[UUID]
    blocking: list[UUID]
    open_dependencies: int
    ready_at: datetime | None
    input_data: dict[str, Any]
    output_data: dict[str, Any]
    form_data: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    due_date: datetime | None
    estimated_duration_mins: int | None
    actual_duration_mins: int | None
    sla_target_mins: int | None
    sla_status: str
    sla_breach_time: datetime | None
    retry_count: int
    max_retries: int
    error_message: str | None
    priority: str
    tags: list[str]
    notes: str | None
    wait_until: datetime | None
    updated_at: datetime
    version: int
    required_skills: dict[str, int]


class Dependant(NamedTuple):
    """A task that waits for another, as far as freeing it, starting its clocks and routing it need it."""

    id: UUID
    version: int
    task_definition_id: str
    task_name: str
    status: str
    open_dependencies: int
    sla_target_mins: int | None
    due_date: datetime | None
    priority: str
    assigned_to: str | None
    assigned_team: str | None
    assignment_method: str
    required_skills: dict[str, int]
    estimated_duration_mins: int | None


class Assignment(NamedTuple):
    """One assignment of a task to a person: a row of ``task_assignments``."""

    id: UUID
    task_id: UUID
    assigned_to: str
    assigned_by: str | None
    assignment_method: str
    status: str
    assigned_at: datetime
    accepted_at: datetime | None
    completed_at: datetime | None
    time_to_accept_mins: int | None
    time_to_complete_mins: int | None
    reason: str | None


class Event(NamedTuple):
    """One line of the audit log: a row of ``process_events``.

    ``seq`` orders the events of a process; ``timestamp`` is the business instant of the command.
    ``causation_id`` is the event that it reacts to, None when it reacts to none. ``hash`` (SHA-256, in
    hexadecimal) seals it and all events before it of its process.
    """

    id: UUID
    seq: int
    process_instance_id: UUID
    task_id: UUID | None
    event_type: str
    event_category: str
    severity: str
    user_id: str | None
    user_name: str | None
    automated: bool
    message: str
    details: dict[str, Any]
    old_status: str | None
    new_status: str | None
    old_data: dict[str, Any] | None
    new_data: dict[str, Any] | None
    timestamp: datetime
    correlation_id: str | None
    tags: list[str]
    causation_id: UUID | None
    hash: str

    @property
    def payload(self) -> Payload:
        """The details with their types, as ``gndp.core.events`` has them for this type of event."""
        return payload_of(self.event_type, self.details)


class LiveEvent(NamedTuple):
    """A committed event, and the token of the position behind it: who has it can go on from there."""

    event: Event
    position: str


class SlaClock(NamedTuple):
    """One SLA clock of a process or a task: a row of ``sla_metrics``.

    ``terms`` is the fingerprint of what it runs by. It has counted ``elapsed_microseconds`` along its
    calendar and runs on from ``running_since`` (None while it stands still or has ended). ``due_at`` moves
    when it goes on after a pause, ``original_due_at`` never. ``paused_by`` holds the event that paused it and
    the task whose event it was. ``actual_duration_mins`` and ``breach_amount_mins`` are time along the
    calendar, known when it has ended. ``next_at`` is when the next thing happens to it if no command comes,
    ``at_risk_at`` when its first warning level is or was reached if it runs on; both None while it does not.
    """

    id: UUID
    process_instance_id: UUID
    task_id: UUID | None
    metric_type: str
    target_duration_mins: int
    warning_threshold_mins: int | None
    actual_duration_mins: int | None
    start_time: datetime
    end_time: datetime | None
    status: str
    breach_amount_mins: int | None
    business_impact: str | None
    escalation_required: bool
    escalated_to: str | None
    escalated_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    policy_name: str
    objective: str
    terms: str
    due_at: datetime
    original_due_at: datetime
    elapsed_microseconds: int
    running_since: datetime | None
    paused_at: datetime | None
    paused_by: list[list[str | None]]
    ended: str | None
    warnings_told: int
    escalations_told: int
    next_at: datetime | None
    at_risk_at: datetime | None


class Definition(NamedTuple):
    """One published version of a process definition; ``document`` is what was published."""

    id: str
    version: int
    name: str
    document: dict[str, Any]
    fingerprint: str
    published_at: datetime
    published_by: str


class PublishedPolicy(NamedTuple):
    """One published version of an SLA policy; ``retired_at`` is when it stopped starting clocks."""

    name: str
    version: int
    document: dict[str, Any]
    fingerprint: str
    published_at: datetime
    published_by: str
    retired_at: datetime | None


class ProcessPage(NamedTuple):
    """A page of a list of processes; ``total`` is exact unless ``total_is_estimate``.

    ``next_cursor`` goes on behind the page; None at the end of the list.
    """

    processes: list[Process]
    total: int
    limit: int
    offset: int
    total_is_estimate: bool
    next_cursor: str | None = None


class ListedProcess(NamedTuple):
    """What the API's list says of a process; ``get`` has the rest."""

    id: UUID
    process_definition_id: str
    process_name: str
    process_type: str
    status: str
    progress_percentage: float
    initiated_by: str
    assigned_to: str | None
    priority: str
    sla_status: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    due_date: datetime | None
    assigned_team: str | None
    current_phase: str | None
    sla_breach_time: datetime | None
    tags: list[str]
    version: int


class ListedProcessPage(NamedTuple):
    """A page of the API's list of processes; its fields are those of ``ProcessPage``."""

    processes: list[ListedProcess]
    total: int
    limit: int
    offset: int
    total_is_estimate: bool
    next_cursor: str | None = None


class ListedTask(NamedTuple):
    """A task in a list, with the name of its process beside it."""

    task: Task
    process_name: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)


class TaskPage(NamedTuple):
    """A page of a list of tasks; ``total`` is exact unless ``total_is_estimate``.

    ``next_cursor`` goes on behind the page; None at the end of the list.
    """

    tasks: list[ListedTask]
    total: int
    limit: int
    offset: int
    total_is_estimate: bool
    next_cursor: str | None = None


class MyTask(NamedTuple):
    """A task that a person has now, as ``v_my_tasks`` lists it."""

    task: Task
    ready: bool
    process_name: str
    process_type: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)


class Workload(NamedTuple):
    """What one person has now: ready or in-progress tasks of running processes."""

    assigned_to: str
    active_tasks: int
    in_progress: int
    at_risk: int
    breached: int


class AssignedWork(NamedTuple):
    """How many active tasks one person has, and how old they are on average (minutes since assigned)."""

    assigned_to: str
    active_tasks: int
    avg_age_mins: float


class AssignmentStats(NamedTuple):
    """Assignments of the last 7 days: how they were made, who has work, how many were changed (percent)."""

    assignment_methods: dict[str, int]
    user_workloads: list[AssignedWork]
    reassignment_rate: float
    total_reassignments: int


class Summary(NamedTuple):
    """Processes of the last 30 days in figures; ``avg_duration_mins`` is None while none is completed."""

    total_processes: int
    running: int
    completed: int
    failed: int
    suspended: int
    sla_breached: int
    avg_progress: float
    avg_duration_mins: float | None


class DayFigures(NamedTuple):
    """What happened to processes on one day: how many were started, were completed, met their SLA target when
    they were completed, and came past due."""

    day: date
    started: int
    completed: int
    met: int
    breached: int


class RecentEvent(NamedTuple):
    """An event with the name of its process, and of its task if it has one."""

    event: Event
    process_name: str
    task_name: str | None


class LoadChange(NamedTuple):
    """How many ready or in-progress tasks of running processes somebody has, and would have; ``capacity`` is
    how many the person may have, None for no limit."""

    user_id: str
    before: int
    after: int
    capacity: int | None


class Reassignment(NamedTuple):
    """What it would come to if a task were given to somebody else.

    ``version`` is that of the task. ``refusal`` says why the command would be refused, ``objection`` why
    routing would not choose the person, though somebody may; both are None where nothing stands against it.
    """

    task_id: UUID
    version: int
    giver: LoadChange
    taker: LoadChange
    refusal: str | None
    objection: str | None


class JobRun(NamedTuple):
    """One attempt of a scheduled job at a slot: a row of ``job_runs``; instants are the database's clock.

    ``slot`` is the instant that the run is for, ``attempt`` counts from 1. ``lease`` and ``epoch`` are what
    it ran under: the scheduler's lease, or the job's own when somebody ran it by hand. ``duration_ms`` is in
    milliseconds, None while it runs and for an abandoned run. ``details`` is what the job reported, ``error``
    the type and message of what it raised.
    """

    id: UUID
    job: str
    slot: datetime
    attempt: int
    lease: str
    epoch: int
    holder: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int | None
    details: dict[str, Any]
    error: str | None


class ScheduledJob(NamedTuple):
    """One scheduled job as it stands: ``next_slot`` is the next instant that it is due for.

    ``leader`` is who runs the jobs now, None while no server does.
    """

    name: str
    meaning: str
    interval: timedelta
    last_run: JobRun | None
    next_slot: datetime
    leader: str | None


class Subscription(NamedTuple):
    """A durable subscription to the event log as it stands; instants aware UTC.

    ``passed`` counts the events that it has passed, handled or parked. ``consumer`` is who reads it now,
    None while nobody does. ``waiting`` counts the events that it has still to pass, up to 10,000,
    ``oldest_waiting`` is the instant of the oldest of them. ``retrying``, ``behind`` and ``dead`` count its
    parked deliveries.
    """

    name: str
    pattern: str
    starts_at: datetime | None
    created_at: datetime
    moved_at: datetime
    passed: int
    consumer: str | None
    waiting: int
    oldest_waiting: datetime | None
    retrying: int
    behind: int
    dead: int


class Delivery(NamedTuple):
    """An event that a durable subscription has passed without its being handled; instants are the database's.

    ``status`` is retrying, behind or dead; ``attempts`` is how often its handler failed, ``due_at`` when it
    is given it again (None for the others), ``error`` the type and message of what it raised last.
    """

    subscription: str
    status: str
    attempts: int
    due_at: datetime | None
    error: str | None
    parked_at: datetime
    event: Event


class Writer(NamedTuple):
    """A transaction that has written and is not over: its server process, database, application, when it
    began (the database's clock) and how long ago."""

    process_id: int
    database: str | None
    application: str
    began_at: datetime
    open_for: timedelta
