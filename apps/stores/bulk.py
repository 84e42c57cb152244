"""One thing done to several processes or tasks, each a command of its own with a result of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from gndp.core.errors import GndpError
from gndp.core.states import PROCESS_TRANSITIONS, TASK_TRANSITIONS, Priority, sources

if TYPE_CHECKING:
    from gndp.core.records import ListedTask, Process
    from gndp.workbench import Workbench


class Verb(NamedTuple):
    """What may be done to several items: the command's name, what a button says, the statuses that it needs,
    and which argument somebody has to give ('' for none; the rest need nothing but a choice)."""

    name: str
    label: str
    statuses: frozenset[str]
    needs: str = ""


_OPEN = frozenset({"pending", "assigned", "in_progress"})
_NOT_OVER = frozenset({"pending", "running", "suspended", "failed"})

TASK_VERBS = (
    Verb("claim", "Claim", sources(TASK_TRANSITIONS, "claim")),
    Verb("release", "Give back", sources(TASK_TRANSITIONS, "release")),
    Verb("assign", "Assign", frozenset({"pending"}), "person"),
    Verb("reassign", "Reassign", sources(TASK_TRANSITIONS, "reassign"), "person and reason"),
    Verb("update", "Change priority", _OPEN, "priority"),
    Verb("skip", "Skip", sources(TASK_TRANSITIONS, "skip"), "reason"),
    Verb("cancel", "Cancel", sources(TASK_TRANSITIONS, "cancel"), "reason"),
)
PROCESS_VERBS = (
    Verb("suspend", "Suspend", sources(PROCESS_TRANSITIONS, "suspend"), "reason"),
    Verb("resume", "Resume", sources(PROCESS_TRANSITIONS, "resume")),
    Verb("retry", "Retry", sources(PROCESS_TRANSITIONS, "retry")),
    Verb("update", "Change priority", _NOT_OVER, "priority"),
    Verb("cancel", "Cancel", sources(PROCESS_TRANSITIONS, "cancel"), "reason"),
)
PRIORITIES = [str(priority) for priority in Priority]


class Outcome(NamedTuple):
    """What became of one item; ``problem`` says why it was refused, None when it was done."""

    name: str
    problem: str | None


class Item(NamedTuple):
    """Something that was chosen, as it was seen: its version is the one that the command expects."""

    id: UUID
    name: str
    status: str
    version: int
    process_id: UUID
    listed: Any


def item_of(listed: Process | ListedTask) -> Item:
    """A process or a listed task as an item."""
    task = getattr(listed, "task", None)
    if task is not None:
        return Item(task.id, task.task_name, task.status, task.version, task.process_instance_id, listed)
    process: Any = listed
    return Item(process.id, process.process_name, process.status, process.version, process.id, listed)


@dataclass
class Bulk:
    """What is chosen in a list, and what may be done to it."""

    workbench: Callable[[], Workbench]
    noun: str
    verbs: Sequence[Verb]
    chosen: dict[str, Item] = field(default_factory=dict)
    _processes: dict[UUID, Process | None] = field(default_factory=dict, repr=False)

    def choose(self, ids: Iterable[str], rows: Iterable[Any]) -> None:
        """Keep what is chosen, as its rows are shown now, or as they were when they were shown last."""
        shown = {str(item.id): item for item in map(item_of, rows)}
        self.chosen = {id: item for id in ids if (item := shown.get(id) or self.chosen.get(id)) is not None}

    @property
    def offered(self) -> list[Verb]:
        """What the states of all that is chosen allow, and the person may do to each."""
        items = list(self.chosen.values())
        return [
            verb
            for verb in self.verbs
            if items and all(item.status in verb.statuses and self._may(verb, item) for item in items)
        ]

    def apply(self, verb: Verb, given: Mapping[str, Any]) -> list[Outcome]:
        """Do it to each of what is chosen; one that is refused stops none of the others."""
        command = getattr(getattr(self.workbench(), self.noun), verb.name)
        return [self._apply(command, item, given) for item in self.chosen.values()]

    def _apply(self, command: Callable[..., Any], item: Item, given: Mapping[str, Any]) -> Outcome:
        try:
            command(item.id, expected_version=item.version, **given)
        except GndpError as refusal:
            return Outcome(item.name, str(refusal))
        return Outcome(item.name, None)

    def _may(self, verb: Verb, item: Item) -> bool:
        workbench = self.workbench()
        action = f"{self.noun}.{verb.name}"
        if self.noun == "processes":
            return workbench.may(action, item.listed)
        if workbench.may(action):
            return True
        process = self._process(workbench, item.process_id)
        return process is not None and workbench.may(action, process, item.listed.task)

    def _process(self, workbench: Workbench, id: UUID) -> Process | None:
        """The process of a task, as far as rights go by it; None when it cannot be seen."""
        if id not in self._processes:
            try:
                self._processes[id] = workbench.processes.get(id)
            except GndpError:
                self._processes[id] = None
        return self._processes[id]
