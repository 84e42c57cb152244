"""Every enumeration of the contract, a meaning beside each member, and the allowed transitions.

The two tables at the end are the only place that says which status may follow which, and by which
command. ``docs/states.md`` is drawn from them. Source: the contract ("Enumerations") and the semantics
page ("Tasks", "Processes").
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Meaning(StrEnum):
    """An enumeration of texts whose members each carry one line of meaning."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Meaning:
        """Make a member from its text and its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    __repr__ = str.__repr__


class ProcessStatus(Meaning):
    """Where a process stands."""

    PENDING = "pending", "held: created, not started yet"
    RUNNING = "running", "its tasks accept work"
    SUSPENDED = "suspended", "paused by a person; nothing in it accepts work until it is resumed"
    COMPLETED = "completed", "done; final"
    FAILED = "failed", "a task failed for good, or a person gave it up; it can be retried"
    CANCELLED = "cancelled", "called off, with its open tasks and its children; final"


class TaskStatus(Meaning):
    """Where a task stands."""

    PENDING = "pending", "nobody has it; blocked while dependencies are open, else ready"
    ASSIGNED = "assigned", "somebody has it and has not started"
    IN_PROGRESS = "in_progress", "its assignee is working on it, or waiting for something"
    COMPLETED = "completed", "done; final"
    FAILED = "failed", "given up, its process failed with it; it can be retried or skipped"
    SKIPPED = "skipped", "left out by a person's decision; counts as done; final"
    CANCELLED = "cancelled", "called off; counts as if it had not been there; final"


class TaskSubstatus(Meaning):
    """What an open task waits for, beside its status."""

    BLOCKED = "blocked", "dependencies are open"
    READY = "ready", "no open dependency: it can be started"
    WAITING = "waiting", "in progress, and waiting for somebody or something outside"


class SlaStatus(Meaning):
    """How an item stands against its target."""

    ON_TRACK = "on_track", "no target, or time enough left"
    AT_RISK = "at_risk", "a warning level has been reached"
    BREACHED = "breached", "due has passed"
    MET = "met", "ended at or before due"


class Priority(Meaning):
    """How urgent an item is; ordered from low to critical."""

    LOW = "low", "can wait"
    MEDIUM = "medium", "the ordinary case"
    HIGH = "high", "before the ordinary"
    CRITICAL = "critical", "before everything else"

    @property
    def rank(self) -> int:
        """1 for low to 4 for critical: the order that the words themselves do not have."""
        return list(Priority).index(self) + 1


class ProcessType(Meaning):
    """The kinds of process that the contract names; any other text is accepted."""

    JOURNEY = "journey", "a customer's way from end to end"
    PHASE = "phase", "one stage of a journey"
    MODULE = "module", "a reusable part"
    CUSTOM = "custom", "anything else"


class TaskType(Meaning):
    """The kinds of task that the contract names; any other text is accepted."""

    MANUAL = "manual", "a person does it"
    AUTOMATED = "automated", "a service account does it"
    APPROVAL = "approval", "a person decides"
    NOTIFICATION = "notification", "a service account tells somebody"


class AssignmentMethod(Meaning):
    """How a task finds its person."""

    MANUAL = "manual", "somebody says who"
    ROUND_ROBIN = "round_robin", "each of the team in turn"
    LOAD_BALANCED = "load_balanced", "whoever of the team has least to do"
    SKILL_BASED = "skill_based", "whoever of the team fits best"
    LAST_PERFORMER = "last_performer", "whoever of the team worked on the process last"


class AssignmentStatus(Meaning):
    """What became of one assignment of a task to a person."""

    ACTIVE = "active", "the person has the task"
    REASSIGNED = "reassigned", "the task went to somebody else"
    COMPLETED = "completed", "the person completed the task"
    CANCELLED = "cancelled", "released, failed, skipped or called off"


class EventCategory(Meaning):
    """The categories of event that the contract names; any other text is accepted."""

    LIFECYCLE = "lifecycle", "a status changed, or the item itself did"
    ASSIGNMENT = "assignment", "who does it changed"
    SLA = "sla", "a clock said something"
    ERROR = "error", "something failed"


class Severity(Meaning):
    """How much an event matters to somebody who reads the log."""

    INFO = "info", "the ordinary course"
    WARNING = "warning", "worth a look"
    ERROR = "error", "something failed"
    CRITICAL = "critical", "somebody must act"


class RuleType(Meaning):
    """What a workflow rule decides."""

    ROUTING = "routing", "which way a process goes"
    SLA = "sla", "which target applies"
    ASSIGNMENT = "assignment", "who gets a task"
    ESCALATION = "escalation", "who is told when it goes wrong"


class RuleAction(Meaning):
    """What a workflow rule does."""

    ASSIGN = "assign", "gives a task to somebody"
    ESCALATE = "escalate", "raises it"
    NOTIFY = "notify", "tells somebody"
    ROUTE = "route", "sends it to a team"


class RuleScope(Meaning):
    """Which processes a workflow rule applies to."""

    ALL = "all", "every process"
    PROCESS_TYPE = "process_type", "processes of one type"
    SPECIFIC_PROCESS = "specific_process", "processes of one definition"


class SlaMetricType(Meaning):
    """What an SLA metric measures."""

    PROCESS = "process", "a whole process"
    TASK = "task", "one task"
    PHASE = "phase", "one phase of a process"


class Role(Meaning):
    """What a person is in the operation, from the least rights to the most; and accounts of programs."""

    VIEWER = "viewer", "looks, and changes nothing"
    WORKER = "worker", "does tasks"
    LEAD = "lead", "does tasks, and shares out those of a team"
    MANAGER = "manager", "answers for processes, targets and teams"
    ADMIN = "admin", "answers for the workbench itself"
    SERVICE = "service", "a program, which does automated tasks"


class TokenScope(Meaning):
    """What a program may do with a personal API token, within the rights of whoever made it."""

    READ = "read", "look at whatever the person may see"
    WRITE = "write", "that, and the commands on processes and tasks"
    ADMIN = "admin", "that, and whatever else the person may do: people, templates, policies, accounts"


class LinkPurpose(Meaning):
    """Why somebody was given a one-time link to set a password."""

    FIRST_START = "first_start", "the workbench was started for the first time and needs an admin"
    INVITATION = "invitation", "the account is new and has no password yet"
    RESET = "reset", "the password was forgotten, or must not be used any more"


class LoadMeasure(Meaning):
    """What counts as a person's load when a team's work is shared out."""

    TASKS = "tasks", "how many tasks the person has"
    PRIORITY = "priority", "the tasks the person has, weighed by their priority"
    ESTIMATED_MINUTES = "estimated_minutes", "the minutes that the tasks are estimated to take"


class JobRunStatus(Meaning):
    """What became of one run of a scheduled job."""

    RUNNING = "running", "begun, and not ended yet"
    SUCCEEDED = "succeeded", "came to its end; its slot is done"
    FAILED = "failed", "raised an error, which is kept; the next slot tries again"
    ABANDONED = "abandoned", "who ran it was gone before it ended; a scheduled slot is run once more"


class DeliveryStatus(Meaning):
    """Where an event stands that a durable subscription has passed without its being handled."""

    RETRYING = "retrying", "its handler failed, and is given it again when it is due"
    BEHIND = "behind", "an earlier event of its process is tried again; it waits for that one"
    DEAD = "dead", "its handler failed too often; somebody must look, and may have it given again"


class AuditFault(Meaning):
    """What an audit of the log finds wrong."""

    CHAIN_BROKEN = "chain_broken", "an event is not what was written, or one before it is missing or new"
    TAIL_CUT = "tail_cut", "the last events that were anchored are gone"
    HISTORY_REWRITTEN = "history_rewritten", "the events that were anchored have been replaced by others"
    PROCESS_GONE = "process_gone", "all its events are gone, and retention did not delete it"
    ANCHOR_ALTERED = "anchor_altered", "the file is no anchor, or has been changed since it was written"


class Transition(NamedTuple):
    """One allowed change of status: ``command`` takes an item ``from_`` one status ``to`` another.

    ``from_`` is None for the command that creates the item. ``note`` says when it applies.
    """

    command: str
    from_: str | None
    to: str
    note: str = ""


_P = ProcessStatus
_T = TaskStatus

PROCESS_TRANSITIONS: tuple[Transition, ...] = (
    Transition("start", None, _P.RUNNING),
    Transition("start", None, _P.PENDING, "hold=True"),
    Transition("start", _P.PENDING, _P.RUNNING, "by update_status(new_status='running')"),
    Transition("suspend", _P.RUNNING, _P.SUSPENDED, "with a reason"),
    Transition("resume", _P.SUSPENDED, _P.RUNNING),
    Transition("complete", _P.RUNNING, _P.COMPLETED, "no open task; by itself when the last one ends"),
    Transition("fail", _P.RUNNING, _P.FAILED, "by hand, or because a task failed for good"),
    Transition("retry", _P.FAILED, _P.RUNNING, "by hand, or because its failed task is retried or skipped"),
    Transition("cancel", _P.PENDING, _P.CANCELLED),
    Transition("cancel", _P.RUNNING, _P.CANCELLED),
    Transition("cancel", _P.SUSPENDED, _P.CANCELLED),
    Transition("cancel", _P.FAILED, _P.CANCELLED),
)

TASK_TRANSITIONS: tuple[Transition, ...] = (
    Transition("create", None, _T.PENDING),
    Transition("assign", _T.PENDING, _T.ASSIGNED, "also ahead, while blocked"),
    Transition("assign", _T.ASSIGNED, _T.ASSIGNED, "to somebody else"),
    Transition("claim", _T.PENDING, _T.ASSIGNED, "ready; to the caller"),
    Transition("release", _T.ASSIGNED, _T.PENDING),
    Transition("release", _T.IN_PROGRESS, _T.PENDING),
    Transition("start", _T.ASSIGNED, _T.IN_PROGRESS, "ready; by its assignee"),
    Transition("start", _T.PENDING, _T.ASSIGNED, "ready; claims it first"),
    Transition("complete", _T.IN_PROGRESS, _T.COMPLETED, "by its assignee"),
    Transition("fail", _T.IN_PROGRESS, _T.ASSIGNED, "retries are left"),
    Transition("fail", _T.IN_PROGRESS, _T.FAILED, "no retry is left, or final=True"),
    Transition("retry", _T.FAILED, _T.PENDING),
    Transition("skip", _T.PENDING, _T.SKIPPED, "with a reason"),
    Transition("skip", _T.ASSIGNED, _T.SKIPPED, "with a reason"),
    Transition("skip", _T.FAILED, _T.SKIPPED, "with a reason"),
    Transition(
        "cancel", _T.PENDING, _T.CANCELLED, "with a reason; no open task depends on it, or cascade=True"
    ),
    Transition("cancel", _T.ASSIGNED, _T.CANCELLED, "the same"),
    Transition("cancel", _T.IN_PROGRESS, _T.CANCELLED, "the same"),
    Transition("reassign", _T.ASSIGNED, _T.ASSIGNED, "with a reason"),
    Transition("reassign", _T.IN_PROGRESS, _T.ASSIGNED, "with a reason"),
    Transition("wait", _T.IN_PROGRESS, _T.IN_PROGRESS, "substatus waiting, with a reason"),
    Transition("resume", _T.IN_PROGRESS, _T.IN_PROGRESS, "substatus waiting ends"),
)

OPEN_TASK_STATUSES = frozenset({_T.PENDING, _T.ASSIGNED, _T.IN_PROGRESS})
"""Statuses of a task that is still to be done."""

DONE_TASK_STATUSES = frozenset({_T.COMPLETED, _T.SKIPPED})
"""Statuses that count as done for progress and for the tasks that depend on it."""

FINAL_TASK_STATUSES = frozenset({_T.COMPLETED, _T.SKIPPED, _T.CANCELLED})
"""Statuses that a task never leaves."""

OPEN_PROCESS_STATUSES = frozenset({_P.PENDING, _P.RUNNING, _P.SUSPENDED})
"""Statuses of a process that is not over; a failed one is, unless it is retried."""

FINAL_PROCESS_STATUSES = frozenset({_P.COMPLETED, _P.CANCELLED})
"""Statuses that a process never leaves."""


def sources(transitions: tuple[Transition, ...], command: str) -> frozenset[str]:
    """The statuses from which ``command`` may be given."""
    return frozenset(t.from_ for t in transitions if t.command == command and t.from_ is not None)
