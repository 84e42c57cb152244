"""Who gets a task, in teams that nobody thought of: nobody who may not, and whom the method means."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gndp.core import routing
from gndp.core.people import Person, new_person
from gndp.core.routing import Candidate, Choice, Wanted, Workload

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
METHODS = ["round_robin", "load_balanced", "skill_based", "last_performer"]
NAMES = ["ann", "bob", "cid", "dora", "eve", "fay"]
laws = settings(max_examples=120, deadline=None)


# -------------------------------------------------------------------------------------------------- the world


@st.composite
def people(draw: st.DrawFn) -> list[Person]:
    """Up to six people in two teams; some are away, with or without somebody who stands in."""
    spans = [(-HOUR, HOUR), (timedelta(), HOUR), (-HOUR, timedelta()), *[None] * 9]
    levels = st.integers(0, 5)
    listed = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=draw(st.sampled_from([0, 3])))):
        away = draw(st.sampled_from(spans))
        columns: dict[str, Any] = {
            "team": draw(st.sampled_from(["ops", "ops", "ops", "other"])),
            "active": draw(st.sampled_from([*[True] * 9, False])),
            "capacity": draw(st.none() | st.integers(1, 9)),
            "skills": {skill: level for skill in ("law", "kyc") if (level := draw(levels))},
        }
        if away is not None:
            columns |= {"out_of_office_from": NOON + away[0], "out_of_office_until": NOON + away[1]}
            columns["substitute"] = draw(st.none() | st.sampled_from(NAMES))
        listed.append(new_person(name, columns, NOON))
    return listed


WORKLOADS = st.dictionaries(
    st.sampled_from(NAMES), st.builds(Workload, st.integers(0, 5), st.sampled_from([0.0, 1.0, 2.0, 90.0]))
)
LAST_WORKED = st.dictionaries(
    st.sampled_from(NAMES), st.integers(1, 9).map(lambda hours: NOON - hours * HOUR)
)


@st.composite
def wanted_tasks(draw: st.DrawFn, method: str | None = None) -> Wanted:
    return Wanted(
        UUID(int=1),
        "Step",
        method or draw(st.sampled_from(METHODS)),
        "ops",
        draw(
            st.dictionaries(st.sampled_from(["law", "law", "kyc", "welding"]), st.integers(1, 3), max_size=2)
        ),
        "medium",
        None,
        draw(st.frozensets(st.sampled_from(NAMES), max_size=1)),
        draw(st.frozensets(st.sampled_from(NAMES), max_size=1)),
    )


@st.composite
def teams(draw: st.DrawFn) -> list[Candidate]:
    candidates = routing.candidates_of("ops", draw(people()), draw(WORKLOADS), NOON)
    last = draw(LAST_WORKED)
    for candidate in candidates:
        candidate.last_worked_at = last.get(candidate.person.user_id)
    return candidates


# ----------------------------------------------------------------------------------- what is known without it


def is_away(person: Person) -> bool:
    begin, end = person.out_of_office_from, person.out_of_office_until
    return begin is not None and end is not None and begin <= NOON < end


def is_free(candidate: Candidate) -> bool:
    person = candidate.person
    has_room = person.capacity is None or candidate.tasks + 1 <= person.capacity
    return person.active and not is_away(person) and has_room


def may_have(candidate: Candidate, wanted: Wanted) -> bool:
    person = candidate.person
    is_kept_away = person.user_id in {*wanted.kept_apart, *wanted.gave_back}
    is_skilled = all(person.skills.get(skill, 0) >= level for skill, level in wanted.required_skills.items())
    return is_free(candidate) and not is_kept_away and is_skilled


def relative_load(candidate: Candidate, candidates: list[Candidate]) -> float:
    """Somebody without a limit counts as the largest of those with one."""
    capacities = [c.person.capacity for c in candidates if c.person.capacity]
    return candidate.load / (candidate.person.capacity or max(capacities, default=1))


def surplus(candidate: Candidate, wanted: Wanted) -> int:
    return sum(candidate.person.skills[skill] - level for skill, level in wanted.required_skills.items())


def in_order(wanted: Wanted, candidates: list[Candidate], position: str | None) -> list[str]:
    """Those who may have the task, in the order in which the method asks them."""
    able = [c for c in candidates if may_have(c, wanted)]
    loads = {c.person.user_id: relative_load(c, candidates) for c in candidates}
    ids = [c.person.user_id for c in able]
    by_load = sorted(ids, key=lambda user_id: (loads[user_id], user_id))
    match wanted.method:
        case "round_robin":
            return [i for i in sorted(ids) if position and i > position] + [
                i for i in sorted(ids) if not position or i <= position
            ]
        case "skill_based":
            needless = {c.person.user_id: surplus(c, wanted) for c in able}
            return sorted(by_load, key=lambda user_id: needless[user_id])
        case "last_performer":
            last = {c.person.user_id: c.last_worked_at for c in able if c.last_worked_at}
            familiar = sorted(sorted(last), key=lambda user_id: last[user_id], reverse=True)
            return familiar + [user_id for user_id in by_load if user_id not in last]
        case _:
            return by_load


# --------------------------------------------------------------------------------------------------- the laws


@laws
@given(teams(), st.data(), st.none() | st.sampled_from(NAMES))
@pytest.mark.parametrize("method", METHODS)
def test_the_method_chooses_among_those_who_may_have_it(
    method: str, candidates: list[Candidate], data: st.DataObject, position: str | None
) -> None:
    wanted = data.draw(wanted_tasks(method))
    choice = routing.choose(wanted, candidates, position, NOON)
    order = in_order(wanted, candidates, position)
    assert choice.person == (order[0] if order else None)
    assert [one.user_id for one in choice.considered if one.score is not None] == order


@laws
@given(teams(), wanted_tasks(), st.none() | st.sampled_from(NAMES))
def test_everybody_is_explained_once_and_whoever_is_left_out_with_the_reason(
    candidates: list[Candidate], wanted: Wanted, position: str | None
) -> None:
    choice = routing.choose(wanted, candidates, position, NOON)
    assert sorted(one.user_id for one in choice.considered) == sorted(c.person.user_id for c in candidates)
    known = {c.person.user_id: c for c in candidates}
    scores = [one.score for one in choice.considered if one.score is not None]
    assert scores == sorted(scores)
    for one in choice.considered:
        assert one.reason
        if one.score is None:
            assert_true_reason(one.reason, known[one.user_id], wanted)
    assert choice.reason
    assert choice.document["chosen"] == choice.person


def assert_true_reason(reason: str, candidate: Candidate, wanted: Wanted) -> None:
    person = candidate.person
    if "not active" in reason:
        assert not person.active
    elif "out of office" in reason:
        assert is_away(person)
    elif "at most" in reason:
        assert person.capacity is not None
        assert candidate.tasks >= person.capacity
    elif "kept apart" in reason:
        assert person.user_id in wanted.kept_apart
    elif "gave it back" in reason:
        assert person.user_id in wanted.gave_back
    else:
        lacking = {s for s, level in wanted.required_skills.items() if person.skills.get(s, 0) < level}
        assert reason.startswith("lacks ")
        assert {skill for skill in wanted.required_skills if f"{skill} " in reason} == lacking


@laws
@given(people(), WORKLOADS)
def test_the_candidates_are_the_team_and_who_stands_in_for_it(
    listed: list[Person], workloads: dict[str, Workload]
) -> None:
    known = {person.user_id: person for person in listed}

    def standing_in(person: Person) -> str | None:
        passed = {person.user_id}
        current: Person | None = person
        while current is not None and is_away(current):
            if current.substitute in passed:
                return None
            current = known.get(current.substitute or "")
            passed.add(current.user_id if current else "")
        return None if current is None or current is person else current.user_id

    team = {person.user_id for person in listed if person.team == "ops"}
    substitutes = {standing_in(known[user_id]) for user_id in team} - {None}
    candidates = routing.candidates_of("ops", listed, workloads, NOON)
    assert [c.person.user_id for c in candidates] == sorted(c.person.user_id for c in candidates)
    present = {c.person.user_id for c in candidates if not is_away(c.person)}
    assert present == {user_id for user_id in team | substitutes if not is_away(known[user_id])}
    assert team <= {c.person.user_id for c in candidates}
    for candidate in candidates:
        user_id = candidate.person.user_id
        assert (candidate.tasks, candidate.load) == workloads.get(user_id, Workload(0, 0.0))
        assert (candidate.stands_in_for is None) == (user_id in team)


def test_a_substitute_who_is_away_too_passes_it_on() -> None:
    away = {"out_of_office_from": NOON - HOUR, "out_of_office_until": NOON + HOUR}
    listed = [
        new_person("ann", {"team": "ops", "substitute": "bob", **away}, NOON),
        new_person("bob", {"team": "other", "substitute": "cid", **away}, NOON),
        new_person("cid", {"team": "other"}, NOON),
    ]
    candidates = routing.candidates_of("ops", listed, {}, NOON)
    assert [(c.person.user_id, c.stands_in_for) for c in candidates] == [("ann", None), ("cid", "ann")]


def test_a_skill_that_somebody_has_who_is_not_there_is_not_said_to_be_missing() -> None:
    expert = Candidate(new_person("ann", {"team": "ops", "skills": {"law": 3}, "active": False}, NOON))
    novice = Candidate(new_person("bob", {"team": "ops", "skills": {"law": 1}}, NOON))
    wanted = Wanted(UUID(int=1), "Step", "skill_based", "ops", {"law": 2}, "low", None)
    choice = routing.choose(wanted, [expert, novice], None, NOON)
    assert choice.reason == "nobody of 2 in the team ops can take it now"


def rotate(candidates: list[Candidate], wanted: Wanted, times: int) -> list[Choice]:
    choices: list[Choice] = []
    for _ in range(times):
        choices.append(routing.choose(wanted, candidates, choices[-1].person if choices else None, NOON))
    return choices


@laws
@given(teams(), wanted_tasks("round_robin"), st.integers(0, 20))
def test_round_robin_gives_everybody_the_same_share(
    candidates: list[Candidate], wanted: Wanted, times: int
) -> None:
    able = [c.person.user_id for c in candidates if may_have(c, wanted)]
    shares = Counter(choice.person for choice in rotate(candidates, wanted, times))
    if able:
        assert set(shares) <= set(able)
        assert max((shares[i] for i in able), default=0) - min((shares[i] for i in able), default=0) <= 1


@laws
@given(st.lists(st.sets(st.sampled_from(NAMES), min_size=1), min_size=1, max_size=60))
def test_round_robin_passes_nobody_over_while_people_come_and_go(present: list[set[str]]) -> None:
    """Until somebody has a turn again, whoever was there all the time has had one."""
    position, turns = None, []
    for names in present:
        everybody = [
            Candidate(new_person(n, {"team": "ops", "active": n in names}, NOON)) for n in sorted(NAMES)
        ]
        wanted = Wanted(UUID(int=1), "Step", "round_robin", "ops", {}, "low", None)
        position = routing.choose(wanted, everybody, position, NOON).person
        assert position is not None
        turns.append(position)
    for person in set(turns):
        mine = [index for index, name in enumerate(turns) if name == person]
        for first, last in pairwise(mine):
            there = set.intersection(*present[first + 1 : last + 1])
            assert there - {person} <= set(turns[first + 1 : last])


@laws
@given(teams(), st.lists(wanted_tasks(), max_size=12), st.sampled_from([1.0, 3.0]))
def test_nobody_is_given_more_than_their_capacity(
    candidates: list[Candidate], tasks: list[Wanted], by: float
) -> None:
    had = {c.person.user_id: c.tasks for c in candidates}
    given_tasks: Counter[str] = Counter()
    for wanted in tasks:
        choice = routing.choose(wanted, candidates, None, NOON)
        if choice.person is not None:
            assert choice.person not in {*wanted.kept_apart, *wanted.gave_back}
            routing.give(candidates, choice.person, by)
            given_tasks[choice.person] += 1
    for candidate in candidates:
        person = candidate.person
        assert candidate.tasks == had[person.user_id] + given_tasks[person.user_id]
        if given_tasks[person.user_id]:
            assert person.active and not is_away(person)
            assert person.capacity is None or candidate.tasks <= person.capacity


@laws
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 60))
def test_load_balancing_fills_people_evenly_for_their_capacity(capacities: list[int], tasks: int) -> None:
    """Nobody gets a task while another would have had less for their capacity with what they had."""
    candidates = [
        Candidate(new_person(name, {"team": "ops", "capacity": capacity}, NOON))
        for name, capacity in zip(NAMES, capacities, strict=False)
    ]
    wanted = Wanted(UUID(int=1), "Step", "load_balanced", "ops", {}, "low", None)
    for _ in range(tasks):
        choice = routing.choose(wanted, candidates, None, NOON)
        if choice.person is None:
            assert all(c.tasks == c.person.capacity for c in candidates)
            return
        routing.give(candidates, choice.person, 1.0)
    for one in candidates:
        for other in candidates:
            if one.tasks and other.tasks < (other.person.capacity or 0):
                before = (one.tasks - 1) / (one.person.capacity or 1)
                assert before <= other.tasks / (other.person.capacity or 1)


@pytest.mark.parametrize(
    ("measure", "weights"),
    [("tasks", (1, 1, 1)), ("priority", (1, 4, 2)), ("estimated_minutes", (60, 30, 0))],
)
def test_a_task_weighs_what_the_team_measures(measure: str, weights: tuple[float, ...]) -> None:
    tasks = [("low", None), ("critical", 30), ("medium", 0)]
    assert tuple(routing.weight(measure, *task) for task in tasks) == weights


@laws
@given(teams())
def test_the_spread_is_between_the_most_and_the_least_loaded_at_work(candidates: list[Candidate]) -> None:
    loads = sorted(c.load for c in candidates if c.person.active and not is_away(c.person))
    assert routing.spread(candidates, NOON) == (loads[-1] - loads[0] if loads else 0)


@laws
@given(teams(), wanted_tasks())
def test_nobody_is_said_to_have_a_skill_only_when_nobody_has(
    candidates: list[Candidate], wanted: Wanted
) -> None:
    reason = routing.choose(wanted, candidates, None, NOON).reason
    unknown = {
        skill
        for skill, level in wanted.required_skills.items()
        if all(c.person.skills.get(skill, 0) < level for c in candidates)
    }
    if not candidates:
        assert reason == "there is nobody in the team ops"
    elif unknown:
        assert all(f"{skill} {wanted.required_skills[skill]}" in reason for skill in unknown)
        assert reason.startswith("nobody in the team ops has ")
    else:
        assert not reason.startswith("nobody in the team ops has ")
