"""The graph of a process: its template's steps or, without one, its tasks, laid out in layers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gndp.core.processes import is_open
from gndp.core.states import DONE_TASK_STATUSES, TaskStatus, TaskSubstatus

if TYPE_CHECKING:
    from gndp.core.records import Task
    from gndp.core.templates import Template


class Node(NamedTuple):
    """A step or task. ``state`` is a task's status; of one that is pending blocked or ready, of one in
    progress that waits for something waiting; hidden where no task of the step can be seen."""

    id: str
    name: str
    state: str
    assigned_to: str | None
    layer: int
    row: float


class Edge(NamedTuple):
    """``target`` depends on ``source``; ``is_taken`` when the process went this way."""

    source: str
    target: str
    is_taken: bool


class Graph(NamedTuple):
    """The nodes, by layer, and the edges."""

    nodes: list[Node]
    edges: list[Edge]


def state_of(task: Task) -> str:
    """Where a task stands, in one word."""
    if task.substatus == TaskSubstatus.WAITING:
        return "waiting"
    if task.status == TaskStatus.PENDING:
        return "blocked" if task.open_dependencies else "ready"
    return task.status


def graph(template: Template | None, tasks: Sequence[Task]) -> Graph:
    """The graph of a process's tasks, with the steps of its template.

    A step is named by its id, a task of no step by its own.
    """
    steps = {step.id: step for step in template.steps} if template else {}
    by_name: dict[str, Task | None] = dict.fromkeys(steps)
    names = {task.id: _name(task, by_name) for task in tasks}
    parents = {name: set(steps[name].depends_on) for name in steps}
    for task in tasks:
        on = {names[id] for id in task.depends_on if id in names}
        parents.setdefault(names[task.id], set()).update(on - {names[task.id]})
    layers = _layers(parents)
    rows = _rows(layers, parents)
    nodes = [
        Node(
            name,
            steps[name].name if name in steps else (task.task_name if task else name),
            state_of(task) if task else "hidden",
            task.assigned_to if task else None,
            layers[name],
            rows[name],
        )
        for name, task in by_name.items()
    ]
    edges = [
        Edge(source, name, _is_taken(by_name[source], by_name[name]))
        for name in by_name
        for source in sorted(parents[name])
    ]
    return Graph(sorted(nodes, key=lambda node: (node.layer, node.row)), edges)


def _name(task: Task, by_name: dict[str, Task | None]) -> str:
    """The node of a task, which is taken by the first task of a step."""
    step = task.task_definition_id
    name = step if step in by_name and by_name[step] is None else str(task.id)
    by_name[name] = task
    return name


def _is_taken(source: Task | None, target: Task | None) -> bool:
    if source is None or target is None or source.status not in DONE_TASK_STATUSES:
        return False
    return target.status != TaskStatus.CANCELLED and not (is_open(target) and target.open_dependencies)


def _layers(parents: Mapping[str, set[str]]) -> dict[str, int]:
    """How many steps lie before each, along the longest way; there is no cycle."""
    layers: dict[str, int] = {}
    left = dict(parents)
    while left:
        placed = {
            name: 1 + max((layers[parent] for parent in on), default=-1)
            for name, on in left.items()
            if on <= layers.keys()
        }
        if not placed:
            return {**layers, **dict.fromkeys(left, len(layers))}
        layers |= placed
        left = {name: on for name, on in left.items() if name not in placed}
    return layers


def _rows(layers: Mapping[str, int], parents: Mapping[str, set[str]]) -> dict[str, float]:
    """Where each stands in its layer: near those it depends on, the layers centred on each other."""
    rows: dict[str, float] = {}
    order: dict[Hashable, list[str]] = {}
    for name, layer in layers.items():
        order.setdefault(layer, []).append(name)
    for layer in sorted(set(layers.values())):
        names = order[layer]
        names.sort(key=lambda name: _middle([rows[parent] for parent in parents[name] if parent in rows]))
        first = -(len(names) - 1) / 2
        rows |= {name: first + number for number, name in enumerate(names)}
    return rows


def _middle(rows: Sequence[float]) -> float:
    return sum(rows) / len(rows) if rows else 0.0
