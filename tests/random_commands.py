"""Random commands for the comparison of the engine with its model, mostly allowed ones.

They are chosen one after the other with an eye on the model's state, each from a seed of its own; now and
then something is wrong with one on purpose: an unknown id, a blank word, a stale version, a used key.
"""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

from tests.model import OPEN, Model, Process, Task

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
PEOPLE = ("ann", "bob", "cid")
MINUTES = (0, 0.5, 1, 7, 30, 90, -20)

TEMPLATE: dict[str, Any] = {
    "id": "model-loan",
    "name": "A loan",
    "phases": [
        {
            "name": "intake",
            "steps": [
                {"id": "collect", "name": "collect"},
                {"id": "check", "name": "check", "sla_minutes": 30},
            ],
        },
        {
            "name": "decision",
            "steps": [{"id": "decide", "name": "decide", "depends_on": ["collect", "check"]}],
        },
    ],
}
STEPS: list[dict[str, Any]] = [
    {"id": "collect", "phase": "intake", "depends_on": []},
    {"id": "check", "phase": "intake", "depends_on": [], "sla_target_mins": 30},
    {"id": "decide", "phase": "decision", "depends_on": ["collect", "check"]},
]

PROCESS_COMMANDS = ["update_status", "suspend", "resume", "complete", "fail", "cancel", "retry"]
PROCESS_COMMANDS += ["update", "comment"]
TASK_COMMANDS = ["assign", "claim", "release", "start", "complete", "fail", "skip", "cancel", "retry"]
TASK_COMMANDS += ["reassign", "wait", "resume", "update", "comment"]

# What is worth trying on a task or a process, and how often. It steers the choice and judges nothing.
WORTH = {
    "pending": {"start": 3, "assign": 1, "claim": 1, "skip": 1, "cancel": 1, "update": 1, "comment": 1},
    "assigned": {"start": 4, "release": 1, "reassign": 1, "assign": 1, "skip": 1, "cancel": 1},
    "in_progress": {"complete": 4, "fail": 4, "wait": 2, "release": 1, "reassign": 1, "cancel": 1},
    "waiting": {"resume": 3, "complete": 1, "fail": 1, "release": 1, "reassign": 1},
    "failed": {"retry": 1, "skip": 1},
}
WORTH_OF_PROCESS = {
    "pending": {"update_status": 3, "cancel": 1, "update": 1},
    "running": {"suspend": 2, "complete": 3, "fail": 2, "cancel": 2, "update": 1, "comment": 1},
    "suspended": {"resume": 2, "update_status": 1, "cancel": 1},
    "failed": {"retry": 2, "update_status": 1, "cancel": 1},
}


@dataclass
class Call:
    """A command with its arguments; ``ahead`` is how far its expected_version is from the current one."""

    command: str
    arguments: dict[str, Any]
    key: str | None = None
    ahead: int | None = None
    expected_version: int | None = None


class Calls:
    """Chooses the next command, looking at the model; ``random`` is set anew for every step."""

    def __init__(self, model: Model) -> None:
        self.model, self.random, self.keyed = model, Random(0), list[Call]()
        self.run = uuid4().hex

    def chance(self, one_in: int) -> bool:
        return self.random.randrange(one_in) == 0

    def pick(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def next(self) -> Call:
        kind = self.pick(*["task"] * 8, "process", "process", "create", "create", "start", "again")
        if kind == "again" and self.keyed:
            return self.again()
        lively = any(self.is_lively(task) for task in self.model.tasks.values())
        if kind == "task" and not lively and not self.chance(4):
            kind = self.pick("create", "create", "process")
        running = any(process.status == "running" for process in self.model.processes.values())
        if kind == "start" or not self.model.processes or (kind == "create" and not running):
            call = self.start()
        elif kind == "create" or not self.model.tasks:
            call = self.create()
        elif kind == "process":
            call = self.on_process()
        else:
            call = self.on_task()
        if self.chance(5):
            call.key = f"{self.run}-{self.pick(1, 2, 3, 4)}"
            self.keyed.append(call)
        return call

    def again(self) -> Call:
        """A call made before with a key, as it was or with another argument."""
        call: Call = copy.deepcopy(self.pick(*self.keyed))
        if self.chance(3):
            name = next((n for n in ("reason", "text", "error_message", "tags") if n in call.arguments), None)
            if name:
                call.arguments[name] = ["other"] if name == "tags" else "something else"
        return call

    def verb(self, worth: dict[str, int] | None, commands: list[str]) -> Any:
        worth = worth if worth and not self.chance(6) else dict.fromkeys(commands, 1)
        return self.pick(*Counter(worth).elements())

    def start(self) -> Call:
        arguments = {
            "id": uuid4(),
            "process_definition_id": self.pick("loose", "loose", TEMPLATE["id"]),
            "process_name": "A case",
            "process_type": "custom",
            "initiated_by": self.pick(*PEOPLE),
            "auto_complete": not self.chance(4),
            "hold": self.chance(4),
            "sla_target_mins": self.pick(None, 5, 60),
            "priority": self.pick("medium", "high"),
        }
        if self.model.processes and self.chance(2):
            arguments["parent_process_id"] = self.process().id
        if self.chance(20):
            arguments["parent_process_id"] = uuid4()
        if self.chance(20):
            arguments["initiated_by"] = " "
        if self.model.processes and self.chance(25):
            arguments["id"] = self.pick(*self.model.processes)
        return Call("processes.start", arguments)

    def create(self) -> Call:
        process = uuid4() if self.chance(25) else self.process().id
        items: list[dict[str, Any]] = []
        for number in range(self.pick(1, 1, 2, 3, 4)):
            items.append(self.item(process, f"task {len(self.model.tasks) + number}", items))
        if self.chance(15):
            items[0]["depends_on"] = [items[-1]["id"]]
        if len(items) == 1:
            return Call("tasks.create", items[0])
        if self.chance(3):
            items.reverse()
        return Call("tasks.create_many", {"items": items})

    def item(self, process: UUID, name: str, earlier: list[dict[str, Any]]) -> dict[str, Any]:
        known = [task.id for task in self.model.tasks.values() if task.process == process]
        known += [item["id"] for item in earlier]
        if self.chance(20):
            known += [id for id in self.model.tasks if id not in known]
        depends_on = self.random.sample(known, min(len(known), self.pick(0, 1, 1, 2)))
        if self.chance(30):
            depends_on.append(self.pick(uuid4(), "no-uuid"))
        return {
            "id": self.pick(*self.model.tasks) if self.model.tasks and self.chance(40) else uuid4(),
            "process_instance_id": process,
            "task_definition_id": "step",
            "task_name": name,
            "task_type": "manual",
            "depends_on": depends_on,
            "assigned_to": self.pick(None, None, *PEOPLE),
            "priority": self.pick(None, "critical"),
            "sla_target_mins": self.pick(None, 1, 30),
        }

    def process(self) -> Process:
        processes = list(self.model.processes.values())
        running = [process for process in processes if process.status == "running"]
        chosen: Process = self.pick(*(running if running and not self.chance(6) else processes))
        return chosen

    def on_process(self) -> Call:
        process = self.pick(*self.model.processes.values())
        if process.parent in self.model.processes and self.chance(2):
            process = self.model.processes[process.parent]
        verb = self.verb(WORTH_OF_PROCESS.get(process.status or ""), PROCESS_COMMANDS)
        person = self.pick(*PEOPLE)
        more = {
            "update_status": {"new_status": self.status_for(process)},
            "suspend": {"reason": "holiday"},
            "fail": {"error_message": "given up"},
            "cancel": {"reason": "moot"},
            "update": {"priority": self.pick("low", "high"), "tags": [uuid4().hex]},
            "comment": {"text": "well"},
        }
        return self.spoil(
            Call(f"processes.{verb}", {"id": process.id, "user_id": person} | more.get(verb, {}))
        )

    def status_for(self, process: Process) -> Any:
        if process.status != "running" and not self.chance(4):
            return "running"
        return self.pick("pending", "running", "suspended", "completed", "failed", "cancelled")

    def on_task(self) -> Call:
        tasks = list(self.model.tasks.values())
        lively = [task for task in tasks if self.is_lively(task)]
        task = self.pick(*(lively if lively and not self.chance(8) else tasks))
        tried = max(lively, key=lambda task: (task.status == "failed", task.retry_count), default=task)
        if (tried.retry_count or tried.status == "failed") and not self.chance(4):
            task = tried
        verb = self.verb(WORTH.get("waiting" if task.waiting else task.status or ""), TASK_COMMANDS)
        if task.retry_count and not self.chance(4):  # fail until no retries are left
            verb = {"assigned": "start", "in_progress": "fail"}.get(task.status or "", verb)
        person = task.assigned_to if task.assigned_to and not self.chance(8) else self.pick(*PEOPLE)
        arguments: dict[str, Any] = {"id": task.id, "user_id": person}
        if verb in ("skip", "cancel"):
            arguments["reason"] = "not needed"
        if verb == "cancel":
            arguments["cascade"] = self.chance(2)
        if verb == "assign":
            arguments["assigned_to"] = self.pick(*PEOPLE)
        if verb == "fail":
            arguments |= {"error_message": "no paper", "final": self.chance(5)}
        if verb == "wait":
            arguments |= {"reason": "customer", "until": self.pick(None, NINE + timedelta(days=3))}
        if verb == "update":
            arguments |= {"priority": self.pick("low", "high"), "tags": [uuid4().hex]}
        if verb == "comment":
            arguments["text"] = "well"
        if verb == "reassign":
            arguments = {"id": task.id, "new_assignee": self.pick(*PEOPLE), "reassigned_by": person}
            arguments["reason"] = "holiday"
        return self.spoil(Call(f"tasks.{verb}", arguments))

    def is_lively(self, task: Task) -> bool:
        """Whether something can be done about it now."""
        at_work = task.status in OPEN and task.ready_at is not None
        accepts = "running" if at_work else "failed" if task.status == "failed" else None
        return self.model.processes[task.process].status == accepts

    def spoil(self, call: Call) -> Call:
        """Now and then, something is wrong with the call."""
        spoken = [name for name in ("user_id", "reason", "new_assignee") if name in call.arguments]
        if self.chance(30):
            call.arguments[self.pick(*spoken)] = self.pick("", "  ")
        elif self.chance(30):
            call.arguments["id"] = uuid4()
        elif self.chance(6):
            call.ahead = self.pick(0, 0, 1, -1)
        return call
