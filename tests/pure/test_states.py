"""The transition tables, the words beside every member, and the page that is drawn from both."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from gndp.core import states
from gndp.core.states import Meaning, Transition
from gndp.core.states_page import states_page

PAGE = Path(__file__).parents[2] / "docs" / "states.md"
KINDS = [kind for kind in Meaning.__subclasses__() if kind.__module__ == Meaning.__module__]
TABLES = [
    (states.PROCESS_TRANSITIONS, states.ProcessStatus, states.FINAL_PROCESS_STATUSES),
    (states.TASK_TRANSITIONS, states.TaskStatus, states.FINAL_TASK_STATUSES),
]


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == states_page(), "docs/states.md is stale: run `make docs`"


def test_the_page_has_every_value_with_its_meaning_and_every_transition() -> None:
    page = states_page()
    for kind in KINDS:
        for member in kind:
            assert f"| `{member}` | {member.meaning} |" in page
    for transitions, _, _ in TABLES:
        for transition in transitions:
            assert f"| `{transition.to}` | {transition.note} |" in page


@pytest.mark.parametrize("kind", KINDS)
def test_every_member_has_a_meaning(kind: type[Meaning]) -> None:
    assert all(member.meaning for member in kind)
    assert len({member.meaning for member in kind}) == len(kind)


@pytest.mark.parametrize(("transitions", "statuses", "final"), TABLES)
def test_transitions_are_of_known_statuses_and_reach_all_of_them(
    transitions: tuple[Transition, ...], statuses: type[Meaning], final: frozenset[Meaning]
) -> None:
    assert {t.to for t in transitions} == set(statuses)
    assert {t.from_ for t in transitions} - {None} == set(statuses) - final
    assert len({(t.command, t.from_, t.to, t.note) for t in transitions}) == len(transitions)


def test_priorities_are_ordered_from_low_to_critical() -> None:
    ordered = [states.Priority(p) for p in ("low", "medium", "high", "critical")]
    assert [p.rank for p in ordered] == [1, 2, 3, 4]
    assert all(low.rank < high.rank for low, high in pairwise(ordered))


def test_sources_are_the_statuses_that_a_command_leaves() -> None:
    assert states.sources(states.TASK_TRANSITIONS, "claim") == {"pending"}
    assert states.sources(states.TASK_TRANSITIONS, "create") == frozenset()
