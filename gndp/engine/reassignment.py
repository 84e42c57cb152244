"""What it would come to if a task were given to somebody else, before it is."""

from __future__ import annotations

from collections.abc import Collection

from gndp.core import routing
from gndp.core.people import Person
from gndp.core.records import Definition, LoadChange, Process, Reassignment, Task
from gndp.core.routing import Candidate
from gndp.core.states import TASK_TRANSITIONS, ProcessStatus, sources
from gndp.core.templates import parse_template
from gndp.engine.transition import Transitions
from gndp.store.queries import statement

_REASSIGNED = sources(TASK_TRANSITIONS, "reassign")


def preview(transitions: Transitions, task: Task, person: str) -> Reassignment:
    """What both people would have, why the command would be refused, and why routing would not choose the
    person: by the rules that the command and routing have."""
    now = transitions.now()
    among = {"teams": [], "people": [task.assigned_to or "", person], "now": now}
    (process_rows, people_rows, workload_rows, gave_back) = transitions.read(
        statement("processes", "of_task", task_id=task.id),
        statement("routing", "people", **among),
        statement("routing", "workloads", unestimated=0, about_to_run=[], **among),
        statement("routing", "gave_back", task_ids=[task.id]),
    )
    process = Process._make(process_rows[0])
    people = {row[0]: Person._make(row) for row in people_rows}
    tasks = {row[0]: row[1] for row in workload_rows}
    apart = _kept_apart(transitions, process, task)
    refusal = _refusal(process, task, person, apart)
    # What is blocked, or stands still with its process, is nobody's load yet.
    moved = 0 if refusal or task.ready_at is None else 1

    def change(user_id: str, by: int) -> LoadChange:
        capacity = people[user_id].capacity if user_id in people else None
        return LoadChange(user_id, tasks.get(user_id, 0), tasks.get(user_id, 0) + by, capacity)

    objection: str | None = "is not in the directory"
    if person in people:
        candidate = Candidate(people[person], tasks.get(person, 0))
        wanted = routing.wanted(task, kept_apart=apart, gave_back=[row[1] for row in gave_back])
        objection = routing.why_not(candidate, wanted, now) or _outside(task, people[person])
    return Reassignment(
        task.id,
        task.version,
        change(task.assigned_to or "", -moved),
        change(person, moved),
        refusal,
        objection,
    )


def _kept_apart(transitions: Transitions, process: Process, task: Task) -> Collection[str]:
    """Who did steps of the process that must be done by somebody other than this task's person."""
    if process.definition_version is None:
        return frozenset()
    (rows,) = transitions.read(
        statement(
            "definitions",
            "get",
            definition_id=process.process_definition_id,
            version=process.definition_version,
        )
    )
    steps = parse_template(Definition._make(rows[0]).document).people_apart(task.task_definition_id)
    if not steps:
        return frozenset()
    (performers,) = transitions.read(
        statement("routing", "performers_of_steps", process_ids=[process.id], steps=sorted(steps))
    )
    return frozenset(person for _, _, person in performers)


def _refusal(process: Process, task: Task, person: str, apart: Collection[str]) -> str | None:
    if process.status != ProcessStatus.RUNNING:
        return f"its process is {process.status}"
    if task.status not in _REASSIGNED:
        return f"the task is {task.status}"
    if task.assigned_to == person:
        return f"{person} has it already"
    if person in apart:
        return f"{person} did a step that this one must be kept apart from"
    return None


def _outside(task: Task, person: Person) -> str | None:
    if task.assigned_team is None or person.team == task.assigned_team:
        return None
    return f"is not in the team {task.assigned_team}"
