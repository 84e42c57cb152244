"""What the engine should do, said a second time: a small in-memory model of its commands.

Written from the semantics page and the contract alone, without a look at the engine, so that the two can
be compared: the same commands run against both, and any difference is a mistake in one of them. The model
has no database, no locks and no versions; who runs it says which version an item has.
``Model.run("tasks.claim", reading, id=…, user_id=…)`` acts or raises ``Refused``, which lists every error
class that would be right: two where the call is wrong in two ways and no page says which one counts.

Decided where the semantics page is silent:

- process.fail only from running; comments on a process in any state, updates in any but completed and
  cancelled; a running process is needed for every task command, comment, update and assign too, but for
  create and create_many (pending or running) and retry or skip of a failed task in a failed process.
- reassign and assign to the same person conflict, so does claim of a blocked task and wait of a waiting
  one; complete, start and wait are for the assignee alone, fail, release, resume, skip and cancel for
  anybody; a blank reason or user_id is invalid, whatever the state.
- A new task that depends on a cancelled one conflicts, on a completed or skipped one it counts as met, on
  an unknown, malformed or foreign one it is invalid. A child of a completed or cancelled parent conflicts.
- completed_at is of what was completed or skipped, and of nothing else. assigned_to stays on a failed,
  completed, skipped or cancelled row; retry clears it. Substatus: blocked or ready while pending or
  assigned, waiting or none in progress, none when closed.
- A start that claims writes task.assigned, then task.started. ``assign`` of an assigned task writes
  task.assigned (assigned → assigned), ``reassign`` writes task.reassigned. Retry or skip of the failed
  task writes process.retried after it; then the process may complete by itself.
- Tasks are ready from their creation, in a held process too. A blocked task that is skipped never had a
  clock, so it gets no verdict. A cancelled process takes its open children along, each after its parent;
  below a child that was already completed or cancelled nothing is touched.
- PUT status knows no reason, so suspending and cancelling through it need none. The expected version is one
  of the arguments that an idempotency key stands for.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any
from uuid import UUID, uuid4

OPEN = ("pending", "assigned", "in_progress")
DONE = ("completed", "skipped")
FINAL = ("completed", "cancelled")
Versions = tuple[int | None, int] | None
Tags = list[str] | None
Item = dict[str, Any]  # the arguments that make a task

# Arguments that must say something when they are given.
SPOKEN = ("user_id", "reason", "initiated_by", "reassigned_by", "new_assignee", "assigned_to")


class Refused(Exception):
    """The command is refused and nothing changed; ``errors`` names the error classes that would be right."""

    def __init__(self, *errors: str, stale: bool = False) -> None:
        super().__init__(" or ".join(sorted(set(errors))))
        self.errors = frozenset(errors)
        self.stale = stale


@dataclass
class Event:
    """A line of the log; those of different tasks that share a ``batch`` may stand in any order."""

    type: str
    task: UUID | None
    old: str | None
    new: str | None
    at: datetime
    reading: datetime
    batch: UUID | None = None


@dataclass(kw_only=True)
class Row:
    """What processes and tasks have in common."""

    id: UUID
    created_at: datetime
    status: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    sla_target_mins: int | None = None
    sla_status: str = "on_track"
    priority: str = "medium"
    tags: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Process(Row):
    """A process; ``error`` is what its error_message has to contain while it is failed."""

    parent: UUID | None
    auto_complete: bool
    error: str = ""
    events: list[Event] = field(default_factory=list)


@dataclass(kw_only=True)
class Task(Row):
    """A task; what can be said from the other tasks (its open dependencies) is not kept here."""

    process: UUID
    name: str
    depends_on: frozenset[UUID]
    phase: str | None
    waiting: bool = False
    assigned_to: str | None = None
    ready_at: datetime | None = None
    retry_count: int = 0
    max_retries: int = 3
    assignments: list[tuple[str, str]] = field(default_factory=list)  # (assignee, status), in their order

    @property
    def substatus(self) -> str | None:
        if self.status in ("pending", "assigned"):
            return "ready" if self.ready_at else "blocked"
        return "waiting" if self.waiting else None


class Model:
    """All processes and tasks, and the commands on them, named as in the contract."""

    def __init__(self, templates: dict[str, list[Item]] | None = None) -> None:
        self.templates = templates or {}  # a step: id, phase, depends_on, sla_target_mins
        self.processes: dict[UUID, Process] = {}
        self.tasks: dict[UUID, Task] = {}
        self.answers: dict[tuple[object, ...], object] = {}
        self.step_ids: dict[str, UUID] = {}  # the ids that the tasks of the next template get
        self.reading = datetime.min

    def run(
        self, command: str, at: datetime, key: str | None = None, versions: Versions = None, **arguments: Any
    ) -> bool:
        """Do a command; False when its key was used before. ``versions``: the expected and the current."""
        expected, current = versions or (None, None)
        self.reading = at
        scope = self.scope(command, key, arguments)
        if key and scope in self.answers:
            if self.answers[scope] == (arguments, expected):
                return False
            raise Refused("Conflict", "Invalid")
        target = self.processes if command.startswith("processes") else self.tasks
        creates = command in ("processes.start", "tasks.create", "tasks.create_many")
        unknown = not creates and arguments["id"] not in target
        if any(isinstance(arguments.get(name), str) and not arguments[name].strip() for name in SPOKEN):
            raise Refused("Invalid", *(["NotFound"] if unknown else []))
        if unknown:
            raise Refused("NotFound", *([] if isinstance(arguments["id"], UUID) else ["Invalid"]))
        if expected != current:
            self._refuse_stale(command, arguments)
        getattr(self, command.replace(".", "_"))(**arguments)
        if key:
            self.answers[scope] = copy.deepcopy((arguments, expected))
        return True

    def _refuse_stale(self, command: str, arguments: dict[str, Any]) -> None:
        """Refuse; the stale version has to be named as the reason only if there is no other."""
        try:
            getattr(copy.deepcopy(self), command.replace(".", "_"))(**arguments)
        except Refused as refused:
            raise Refused("Conflict", *refused.errors) from refused
        raise Refused("Conflict", stale=True)

    @staticmethod
    def scope(command: str, key: str | None, arguments: dict[str, Any]) -> tuple[object, ...]:
        """Where an idempotency key counts: with the acting user and the command."""
        actors = [
            arguments[name] for name in ("user_id", "initiated_by", "reassigned_by") if name in arguments
        ]
        return (*actors, command, key)

    # What can be seen of a process

    def tasks_of(self, process: Process) -> list[Task]:
        return [task for task in self.tasks.values() if task.process == process.id]

    def open_tasks(self, process: Process) -> list[Task]:
        return [task for task in self.tasks_of(process) if task.status in OPEN]

    def open_dependencies(self, task: Task) -> int:
        return sum(self.tasks[other].status not in DONE for other in task.depends_on)

    def dependents(self, task: Task) -> list[Task]:
        """The open tasks that wait for this one directly."""
        return [
            other for other in self.tasks.values() if task.id in other.depends_on and other.status in OPEN
        ]

    def steps(self, process: Process) -> tuple[int, int, float]:
        """current_step, total_steps and progress_percentage."""
        done = sum(task.status in DONE for task in self.tasks_of(process))
        total = sum(task.status != "cancelled" for task in self.tasks_of(process))
        return done, total, round(100 * done / total, 2) if total else 0.0

    def current_phase(self, process: Process) -> str | None:
        return next((task.phase for task in self.open_tasks(process)), None)

    def sla_status_at(self, item: Row, now: datetime) -> str:
        """What the clock says at an instant; for an ended item, its verdict. A suspension stops the clock."""
        since = item.ready_at if isinstance(item, Task) else item.started_at
        if item.completed_at and item.completed_at < now:
            return item.sla_status
        if not item.sla_target_mins or not since or since > now:
            return "on_track"
        process = self.processes[item.process if isinstance(item, Task) else item.id]
        elapsed, suspended_at = now - since, None
        for event in process.events:
            if event.type == "process.suspended" and event.at <= now:
                suspended_at = max(event.at, since)
            elif event.type in ("process.resumed", "process.cancelled") and suspended_at:
                elapsed -= max(timedelta(), min(event.at, now) - suspended_at)
                suspended_at = None
        if suspended_at:
            elapsed -= max(timedelta(), now - suspended_at)
        target = timedelta(minutes=item.sla_target_mins)
        if elapsed > target:
            return "breached"
        return "at_risk" if elapsed >= target - min(timedelta(minutes=15), target / 5) else "on_track"

    # Writing

    def _now(self, process: Process) -> datetime:
        """The reading, or the instant of the process's last event when the clock went back behind it."""
        return max([self.reading] + [event.at for event in process.events[-1:]])

    def _event(self, event: str, item: Row, new: str | None = None, batch: UUID | None = None) -> datetime:
        """Log an event at the command's instant, and change the status of its item to ``new`` if given."""
        process = self.processes[item.process if isinstance(item, Task) else item.id]
        task = item.id if isinstance(item, Task) else None
        now, new = self._now(process), new or item.status
        process.events.append(Event(event, task, item.status, new, now, self.reading, batch))
        item.status = new
        return now

    def _verdict(self, item: Row, since: datetime | None, now: datetime) -> None:
        if item.sla_target_mins and since:
            item.sla_status = "breached" if self.sla_status_at(item, now) == "breached" else "met"
            if item.sla_status == "met":
                self._event("sla.met", item)

    def _give(self, task: Task, person: str) -> None:
        self._take(task, "reassigned")
        task.assigned_to = person
        task.assignments.append((person, "active"))

    def _take(self, task: Task, how: str) -> None:
        """Close the active assignment, if there is one; the name stays on the row."""
        task.waiting = False
        task.assignments = [(who, how if was == "active" else was) for who, was in task.assignments]

    def _done(self, task: Task, event: str, status: str) -> None:
        """Complete or skip a task, with all that follows."""
        process = self.processes[task.process]
        self._take(task, "completed" if status == "completed" else "cancelled")
        now = task.completed_at = self._event(event, task, status)
        freed, batch = self.dependents(task), uuid4()
        for other in freed:
            if not other.ready_at and not self.open_dependencies(other):
                other.ready_at = self._event("task.ready", other, batch=batch)
        self._verdict(task, task.ready_at, now)
        if process.status == "failed":
            self._event("process.retried", process, "running")
        if process.auto_complete and not self.open_tasks(process):
            self._complete(process)

    def _complete(self, process: Process) -> None:
        now = process.completed_at = self._event("process.completed", process, "completed")
        self._verdict(process, process.started_at, now)

    def _start(self, process: Process) -> None:
        process.started_at = self._event("process.started", process, "running")

    def _retry(self, task: Task, batch: UUID | None = None) -> None:
        self._event("task.retried", task, "pending", batch)
        task.retry_count, task.assigned_to = 0, None

    def _cancel_tasks(self, tasks: list[Task]) -> None:
        batch = uuid4()
        for task in tasks:
            self._take(task, "cancelled")
            self._event("task.cancelled", task, "cancelled", batch)

    # Processes

    @staticmethod
    def _refuse_if(conflict: bool) -> None:
        if conflict:
            raise Refused("Conflict")

    def _expect(self, item: Row, *states: str) -> None:
        self._refuse_if(item.status not in states)

    def processes_start(self, id: UUID, process_definition_id: str, **more: Any) -> None:
        parent = more.get("parent_process_id")
        errors = ["Conflict", "Invalid"] if id in self.processes else []
        if parent and parent not in self.processes:
            errors.append("NotFound")
        elif parent and self.processes[parent].status in FINAL:
            errors.append("Conflict")
        if errors:
            raise Refused(*errors)
        process = Process(id=id, created_at=self.reading, parent=parent, auto_complete=more["auto_complete"])
        process.sla_target_mins, process.priority = more["sla_target_mins"], more["priority"]
        self.processes[id] = process
        self._event("process.created", process, "pending") if more.get("hold") else self._start(process)
        steps = self.templates.get(process_definition_id, [])
        ids = {step["id"]: self.step_ids.get(step["id"]) or uuid4() for step in steps}
        items = [step | {"process_instance_id": id, "task_name": step["id"]} for step in steps]
        for item in items:
            item["id"], item["depends_on"] = ids[item["id"]], [ids[other] for other in item["depends_on"]]
        self._create(items)

    def processes_update_status(self, id: UUID, new_status: str, error_message: str = "", **_: Any) -> None:
        verbs = {"suspended": "suspend", "completed": "complete", "failed": "fail", "cancelled": "cancel"}
        verb = verbs.get(new_status)
        if new_status == "running":
            by_state = {"pending": "_start", "suspended": "resume", "failed": "retry"}
            verb = by_state.get(self.processes[id].status or "")
        if verb == "_start":
            self._start(self.processes[id])
        elif verb:
            getattr(self, f"processes_{verb}")(id, error_message=error_message)
        else:
            raise Refused("Conflict")

    def processes_suspend(self, id: UUID, **_: Any) -> None:
        self._expect(self.processes[id], "running")
        self._event("process.suspended", self.processes[id], "suspended")

    def processes_resume(self, id: UUID, **_: Any) -> None:
        self._expect(self.processes[id], "suspended")
        self._event("process.resumed", self.processes[id], "running")

    def processes_complete(self, id: UUID, **_: Any) -> None:
        self._expect(self.processes[id], "running")
        self._refuse_if(len(self.open_tasks(self.processes[id])) > 0)
        self._complete(self.processes[id])

    def processes_fail(self, id: UUID, error_message: str, **_: Any) -> None:
        self._expect(self.processes[id], "running")
        self.processes[id].error = error_message
        self._event("process.failed", self.processes[id], "failed")

    def processes_cancel(self, id: UUID, **_: Any) -> None:
        process = self.processes[id]
        self._expect(process, "pending", "running", "suspended", "failed")
        self._cancel_tasks(self.open_tasks(process))
        self._event("process.cancelled", process, "cancelled")
        for child in self.processes.values():
            if child.parent == id and child.status not in FINAL:
                self.processes_cancel(child.id)

    def processes_retry(self, id: UUID, **_: Any) -> None:
        process, batch = self.processes[id], uuid4()
        self._expect(process, "failed")
        for task in self.tasks_of(process):
            if task.status == "failed":
                self._retry(task, batch)
        self._event("process.retried", process, "running", batch)

    def processes_update(self, id: UUID, priority: str = "", tags: Tags = None, **_: Any) -> None:
        process = self.processes[id]
        self._expect(process, "pending", "running", "suspended", "failed")
        process.priority, process.tags = priority or process.priority, tags or process.tags
        self._event("process.updated", process)

    def processes_comment(self, id: UUID, **_: Any) -> None:
        self._event("process.commented", self.processes[id])

    # Tasks

    def _expect_task(self, id: UUID, *states: str) -> Task:
        """The task, when it is in one of the states and its process accepts work."""
        task = self.tasks[id]
        self._expect(task, *states)
        self._expect(self.processes[task.process], "failed" if task.status == "failed" else "running")
        return task

    def tasks_create(self, **item: Any) -> None:
        self.tasks_create_many([item])

    def tasks_create_many(self, items: list[Item], **_: Any) -> None:
        processes = {item["process_instance_id"] for item in items}
        unknown = processes - self.processes.keys()
        new = {item["id"]: item for item in items}
        errors = ["NotFound"] if unknown else []
        if any(
            self.processes[process].status not in ("pending", "running") for process in processes - unknown
        ):
            errors.append("Conflict")
        if new.keys() & self.tasks.keys() or len(new) < len(items):
            errors += ["Conflict", "Invalid"]
        for item in items:
            for other in item["depends_on"]:
                home = self.tasks[other].process if other in self.tasks else None
                home = new[other]["process_instance_id"] if other in new else home
                if home != item["process_instance_id"]:
                    errors.append("Invalid")
                elif other in self.tasks and self.tasks[other].status == "cancelled":
                    errors.append("Conflict")
        try:
            TopologicalSorter({id: item["depends_on"] for id, item in new.items()}).prepare()
        except CycleError:
            errors.append("Invalid")
        if errors:
            raise Refused(*errors)
        self._create(items)

    def _create(self, items: list[Item]) -> None:
        batch = uuid4()
        for item in items:
            process = self.processes[item["process_instance_id"]]
            task = Task(
                id=item["id"],
                created_at=self._now(process),
                process=process.id,
                name=item["task_name"],
                depends_on=frozenset(item["depends_on"]),
                phase=item.get("phase"),
                sla_target_mins=item.get("sla_target_mins"),
                priority=item.get("priority") or process.priority,
            )
            self.tasks[task.id] = task
        for item in items:
            task = self.tasks[item["id"]]
            task.ready_at = None if self.open_dependencies(task) else task.created_at
            self._event("task.created", task, "pending", batch)
            if item.get("assigned_to"):
                self._give(task, item["assigned_to"])
                self._event("task.assigned", task, "assigned", batch)

    def tasks_assign(self, id: UUID, assigned_to: str, **_: Any) -> None:
        task = self._expect_task(id, "pending", "assigned")
        self._refuse_if(task.assigned_to == assigned_to)
        self._give(task, assigned_to)
        self._event("task.assigned", task, "assigned")

    def tasks_claim(self, id: UUID, user_id: str, **_: Any) -> None:
        task = self._expect_task(id, "pending")
        self._refuse_if(not task.ready_at)
        self._give(task, user_id)
        self._event("task.assigned", task, "assigned")

    def tasks_release(self, id: UUID, **_: Any) -> None:
        task = self._expect_task(id, "assigned", "in_progress")
        self._take(task, "cancelled")
        task.assigned_to = None
        self._event("task.released", task, "pending")

    def tasks_start(self, id: UUID, user_id: str, **_: Any) -> None:
        task = self._expect_task(id, "pending", "assigned")
        self._refuse_if(not task.ready_at or task.assigned_to not in (None, user_id))
        if task.status == "pending":
            self.tasks_claim(id, user_id)
        now = self._event("task.started", task, "in_progress")
        task.started_at = task.started_at or now

    def _expect_work(self, id: UUID, user_id: str) -> Task:
        """The task, when the caller is working on it."""
        task = self._expect_task(id, "in_progress")
        self._refuse_if(task.assigned_to != user_id)
        return task

    def tasks_complete(self, id: UUID, user_id: str, **_: Any) -> None:
        self._done(self._expect_work(id, user_id), "task.completed", "completed")

    def tasks_fail(self, id: UUID, final: bool = False, **_: Any) -> None:
        task = self._expect_task(id, "in_progress")
        if task.retry_count < task.max_retries and not final:
            task.retry_count += 1
            task.waiting = False
            self._event("task.retried", task, "assigned")
        else:
            self._take(task, "cancelled")
            self._event("task.failed", task, "failed")
            self.processes_fail(task.process, error_message=task.name)

    def tasks_skip(self, id: UUID, **_: Any) -> None:
        self._done(self._expect_task(id, "pending", "assigned", "failed"), "task.skipped", "skipped")

    def tasks_cancel(self, id: UUID, cascade: bool = False, **_: Any) -> None:
        task = self._expect_task(id, *OPEN)
        all_waiting = [task]
        for one in all_waiting:
            all_waiting += [other for other in self.dependents(one) if other not in all_waiting]
        others = all_waiting[1:]
        self._refuse_if(len(others) > 0 and not cascade)
        self._cancel_tasks([task])
        self._cancel_tasks(others)

    def tasks_retry(self, id: UUID, **_: Any) -> None:
        task = self._expect_task(id, "failed")
        self._retry(task)
        self._event("process.retried", self.processes[task.process], "running")

    def tasks_reassign(self, id: UUID, new_assignee: str, **_: Any) -> None:
        task = self._expect_task(id, "assigned", "in_progress")
        self._refuse_if(task.assigned_to == new_assignee)
        self._give(task, new_assignee)
        self._event("task.reassigned", task, "assigned")

    def tasks_wait(self, id: UUID, user_id: str, **_: Any) -> None:
        task = self._expect_work(id, user_id)
        self._refuse_if(task.waiting)
        task.waiting = True
        self._event("task.waiting", task)

    def tasks_resume(self, id: UUID, **_: Any) -> None:
        task = self._expect_task(id, "in_progress")
        self._refuse_if(not task.waiting)
        task.waiting = False
        self._event("task.resumed", task)

    def tasks_update(self, id: UUID, priority: str = "", tags: Tags = None, **_: Any) -> None:
        task = self._expect_task(id, *OPEN)
        task.priority, task.tags = priority or task.priority, tags or task.tags
        self._event("task.updated", task)

    def tasks_comment(self, id: UUID, **_: Any) -> None:
        self._event("task.commented", self._expect_task(id, *OPEN))
