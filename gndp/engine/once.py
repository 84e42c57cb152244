"""Idempotency keys for what is no command of a process: changes of the directory, the calendars, the jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from gndp.core import arguments
from gndp.engine.transition import Call, Transitions, key_owner, recall, remember


def once(
    transitions: Transitions,
    name: str,
    given: dict[str, Any],
    key: str | None,
    do: Callable[[], Any],
    *,
    in_one_transaction: bool = True,
) -> Any:
    """What ``do`` answers, a JSON value; under a key that was used before, what it answered then.

    The change and the answer are kept in one transaction; where ``do`` has transactions of its own, the
    answer is kept after them, and a fault between lets it be done again. ``name`` says what is done and
    ``given`` with what: the key of one thing is none for another. Raises Conflict while the first runs,
    Invalid when the key was used with something else, and what ``do`` raises.
    """
    key = arguments.optional_key(key, "idempotency_key")
    if key is None:
        return do()
    rights = transitions.rights
    call = Call(name, None if rights is None else rights.principal.user_id, given, key)
    if in_one_transaction:
        with transitions.unit_of_work():
            return _once(transitions, call, do)
    return _once(transitions, call, do)


def _once(transitions: Transitions, call: Call, do: Callable[[], Any]) -> Any:
    owner = key_owner(call, transitions.rights)
    with transitions.transaction() as transaction:
        remembered = recall(transaction, call, owner)
    if remembered is not None:
        return orjson.loads(remembered)
    answer = do()
    transitions.write(remember(call, owner, answer))
    return answer
