"""Every argument of every command with values that are wrong in themselves: Invalid, and nothing changes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

import gndp
from gndp.core.errors import Conflict, Invalid, NotFound
from tests.scene import (
    BAD_COUNTS,
    BAD_FLAGS,
    BAD_ID_LISTS,
    BAD_IDS,
    BAD_INSTANTS,
    BAD_KEYS,
    BAD_LISTS,
    BAD_LONG_TEXTS,
    BAD_OBJECTS,
    BAD_SHORT_TEXTS,
    BAD_VERSIONS,
    BAD_WORDS,
    NEW_PROCESS,
    Scene,
    new_task,
)

KINDS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("id", "process_instance_id", "parent_process_id"), BAD_IDS),
    **dict.fromkeys(("due_date", "until"), BAD_INSTANTS),
    **dict.fromkeys(("sla_target_mins", "estimated_duration_mins"), BAD_COUNTS),
    "max_retries": BAD_COUNTS[1:],
    **dict.fromkeys(("input_data", "output_data", "business_context", "variables"), BAD_OBJECTS),
    **dict.fromkeys(("auto_complete", "hold", "final", "cascade", "automated"), BAD_FLAGS),
    **dict.fromkeys(("priority", "assignment_method", "new_status"), BAD_WORDS),
    **dict.fromkeys(("reason", "error_message", "text", "notes"), BAD_LONG_TEXTS),
    "tags": BAD_LISTS,
    "depends_on": BAD_ID_LISTS,
    "expected_version": BAD_VERSIONS,
    "idempotency_key": BAD_KEYS,
}
COMMON = {"expected_version": 1, "idempotency_key": "key", "correlation_id": "c", "automated": False}
NEW_COMMON = {"idempotency_key": "key", "correlation_id": "c"}
UPDATE = {"priority": "high", "due_date": None, "tags": None}
OPTIONAL_NEW = {
    **UPDATE,
    "id": None,
    "assigned_to": None,
    "assigned_team": None,
    "sla_target_mins": None,
    "estimated_duration_mins": None,
    "input_data": None,
}
OPTIONAL_PROCESS = {
    **OPTIONAL_NEW,
    "parent_process_id": None,
    "business_context": None,
    "variables": None,
    "auto_complete": True,
    "hold": False,
    "automated": False,
}
OPTIONAL_TASK = {
    **OPTIONAL_NEW,
    "assignment_method": "manual",
    "depends_on": None,
    "phase": None,
    "max_retries": 3,
    "notes": None,
}

Given = dict[str, Any]
COMMANDS: dict[str, tuple[Given, Given]] = {
    # command: what it must be given (in a scene where that would succeed), and what it may be given
    "processes.start": (NEW_PROCESS, {**OPTIONAL_PROCESS, **NEW_COMMON}),
    "processes.update_status": (
        {"id": "running", "new_status": "failed", "user_id": "ada", "error_message": "broken"},
        {"expected_version": 1, **NEW_COMMON},
    ),
    "processes.suspend": ({"id": "running", "user_id": "ada", "reason": "lunch"}, COMMON),
    "processes.resume": ({"id": "suspended", "user_id": "ada"}, COMMON),
    "processes.complete": ({"id": "other", "user_id": "ada"}, {"output_data": None, **COMMON}),
    "processes.fail": ({"id": "running", "user_id": "ada", "error_message": "broken"}, COMMON),
    "processes.retry": ({"id": "running", "user_id": "ada"}, COMMON),
    "processes.update": ({"id": "running", "user_id": "ada"}, {**UPDATE, "variables": None, **COMMON}),
    "processes.comment": ({"id": "running", "user_id": "ada", "text": "well"}, COMMON),
    "processes.cancel": ({"id": "running", "user_id": "ada", "reason": "enough"}, COMMON),
    "tasks.create": (
        {**new_task("running"), "user_id": "ada"},
        {**OPTIONAL_TASK, **NEW_COMMON},
    ),
    "tasks.assign": (
        {"id": "pending", "user_id": "ada", "assigned_to": "bob"},
        {"team": None, "assignment_method": None, **COMMON},
    ),
    "tasks.claim": ({"id": "pending", "user_id": "ada"}, COMMON),
    "tasks.release": ({"id": "assigned", "user_id": "ada"}, COMMON),
    "tasks.start": ({"id": "pending", "user_id": "ada"}, COMMON),
    "tasks.complete": ({"id": "in_progress", "user_id": "ada"}, {"output_data": None, **COMMON}),
    "tasks.fail": ({"id": "in_progress", "user_id": "ada", "error_message": "no"}, {"final": None, **COMMON}),
    "tasks.skip": ({"id": "pending", "user_id": "ada", "reason": "not needed"}, COMMON),
    "tasks.cancel": ({"id": "assigned", "user_id": "ada", "reason": "no"}, {"cascade": None, **COMMON}),
    "tasks.retry": ({"id": "pending", "user_id": "ada"}, COMMON),
    "tasks.reassign": (
        {"id": "assigned", "new_assignee": "bob", "reassigned_by": "ada", "reason": "ill"},
        COMMON,
    ),
    "tasks.wait": ({"id": "in_progress", "user_id": "ada", "reason": "customer"}, {"until": None, **COMMON}),
    "tasks.resume": ({"id": "in_progress", "user_id": "ada"}, COMMON),
    "tasks.update": ({"id": "pending", "user_id": "ada"}, {**UPDATE, "notes": None, **COMMON}),
    "tasks.comment": ({"id": "pending", "user_id": "ada", "text": "well"}, COMMON),
}
OTHER_METHODS = {
    "create_many",
    "get",
    "list",
    "mine",
    "queue",
    "workload",
    "assignment_stats",
    "explain_assignment",
    "preview_reassignment",
} | {
    "children",
    "events",
    "summary",
    "trend",
    "recent_events",
    "timeline",
}
ARGUMENTS = [(command, name) for command, parts in COMMANDS.items() for name in {**parts[0], **parts[1]}]


def method(scene: Scene, command: str) -> Callable[..., Any]:
    noun, verb = command.split(".")
    return getattr(getattr(scene.wb, noun), verb)


def arguments_of(scene: Scene, command: str) -> Given:
    """What the command must be given, with the names of the scene's rows turned into their ids."""
    given = dict(COMMANDS[command][0])
    for name in ("id", "process_instance_id"):
        if name in given:
            given[name] = getattr(scene, given[name]).id
    return given


def test_every_command_is_tried() -> None:
    methods = {
        f"{noun}.{name}"
        for noun, kind in (("processes", gndp.workbench.Processes), ("tasks", gndp.workbench.Tasks))
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and name not in OTHER_METHODS
    }
    assert methods == set(COMMANDS)


@pytest.mark.parametrize(("command", "argument"), ARGUMENTS)
def test_an_argument_that_is_wrong_in_itself_is_invalid(scene: Scene, command: str, argument: str) -> None:
    given = arguments_of(scene, command)
    for value in KINDS.get(argument, BAD_SHORT_TEXTS):
        with pytest.raises(Invalid) as refused:
            method(scene, command)(**{**given, argument: value})
        if argument not in ("reassigned_by", "expected_version"):
            assert refused.value.problems[0].place.startswith(argument)


@pytest.mark.parametrize("command", [name for name in COMMANDS if not name.endswith((".start", ".create"))])
def test_an_unknown_id_is_not_found(scene: Scene, command: str) -> None:
    unknown = uuid4()
    with pytest.raises(NotFound) as refused:
        method(scene, command)(**{**arguments_of(scene, command), "id": unknown})
    assert refused.value.id == str(unknown)


@pytest.mark.parametrize("command", [name for name, parts in COMMANDS.items() if parts[1] is COMMON])
def test_a_stale_version_is_a_conflict_that_says_the_current_one(scene: Scene, command: str) -> None:
    given = arguments_of(scene, command)
    noun = command.split(".")[0]
    current = getattr(scene.wb, noun).get(given["id"])
    for stale in (current.version + 1, current.version - 1, 0, 2**31 - 1):
        with pytest.raises(Conflict) as refused:
            method(scene, command)(**given, expected_version=stale)
        assert refused.value.stale
        assert (refused.value.status, refused.value.version) == (current.status, current.version)


def test_a_required_argument_that_is_none_is_invalid(scene: Scene) -> None:
    optional = {
        ("processes.update_status", "user_id"),
        ("processes.update_status", "error_message"),
        ("tasks.create", "user_id"),
        ("tasks.assign", "user_id"),
    }
    for command, (required, _) in COMMANDS.items():
        for name in required:
            if (command, name) not in optional:
                with pytest.raises(Invalid):
                    method(scene, command)(**{**arguments_of(scene, command), name: None})
