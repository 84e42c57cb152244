"""Commands as they are called: who gives them, and what every one of them may carry."""

from __future__ import annotations

from typing import Any

from gndp.core import arguments
from gndp.engine.transition import Call, Transitions

_COMMON = frozenset({"expected_version", "idempotency_key", "correlation_id", "automated", "called_as"})

# The contract lets clients leave out who does these.
_MAY_BE_ANONYMOUS = frozenset({"tasks.create", "tasks.create_many", "tasks.assign"})


def command_call(
    transitions: Transitions,
    name: str,
    user_id: str | None,
    given: dict[str, Any],
    common: dict[str, Any],
) -> tuple[Call, int | None]:
    """The call of a command from its arguments and what every command may carry.

    ``called_as`` among these is the command that led to it: idempotency keys are that one's.
    """
    unknown = common.keys() - _COMMON
    if unknown:
        raise TypeError(f"{name}() got an unexpected keyword argument '{min(unknown)}'")
    expected_version = common.get("expected_version")
    if expected_version is not None:
        expected_version = arguments.whole_number(expected_version, "expected_version", least=0)
    called_as = common.get("called_as")
    if called_as is not None:
        given = {**given, "command": name}
    call = Call(
        name,
        None
        if user_id is None and transitions.rights is None and name in _MAY_BE_ANONYMOUS
        else transitions.actor(user_id),
        {**given, "expected_version": expected_version},
        arguments.optional_key(common.get("idempotency_key"), "idempotency_key"),
        arguments.optional_name(common.get("correlation_id"), "correlation_id"),
        arguments.flag(common.get("automated", False), "automated"),
        called_as=called_as,
    )
    return call, expected_version
