"""My work without a browser: what it shows, what it offers, and what a person does there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import gndp
from apps.desk import Desk
from apps.pages.start import StartView
from apps.pages.work import WorkView
from gndp.access.principals import Principal
from gndp.core.errors import DatabaseUnavailable
from gndp.core.states import Role

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FORM = {
    "type": "object",
    "required": ["score"],
    "properties": {"score": {"type": "integer", "minimum": 300}, "remarks": {"type": "string"}},
}
TEMPLATE = {
    "id": "loan",
    "name": "Loan",
    "description": "From application to money",
    "steps": [
        {"id": "score", "name": "Score", "team": "north", "form": FORM},
        {"id": "sign", "name": "Sign", "team": "north", "depends_on": ["score"]},
    ],
}


@pytest.fixture
def house(workbench: gndp.Workbench) -> gndp.Workbench:
    for team in ("north", "south"):
        workbench.directory.add_team(team)
    for name, role, team in (
        ("ann", "worker", "north"),
        ("bob", "worker", "north"),
        ("vic", "viewer", "north"),
        ("sue", "worker", "south"),
        ("max", "manager", None),
    ):
        workbench.directory.add_person(name, team=team, role=role)
    workbench.definitions.publish(TEMPLATE, user_id="max")
    return workbench


def started(house: gndp.Workbench, name: str = "Case") -> tuple[gndp.Task, gndp.Task]:
    process = house.processes.start(
        process_definition_id="loan", process_name=name, process_type="custom", initiated_by="max"
    )
    score, sign = (one.task for one in house.tasks.list(process_id=process.id).tasks)
    return score, sign


def work(house: gndp.Workbench, user_id: str, query: str = "") -> WorkView:
    """My work of somebody, where nobody has to sign in."""
    view = WorkView(Desk(lambda: house, url=f"/work?as={user_id}{query}"))
    view.refresh()
    return view


def signed_in(house: gndp.Workbench, user_id: str, query: str = "") -> WorkView:
    """My work of somebody who has signed in."""
    bound = house.acting_as(Principal.of(house.directory.person(user_id)))
    view = WorkView(Desk(lambda: bound, url=f"/work{query}"))
    view.refresh()
    return view


def shown(view: WorkView) -> list[list[str]]:
    return [[task["name"] for task in group["tasks"]] for group in view.list.groups]


def offered(view: WorkView) -> set[str]:
    found = {name for name, button in view.buttons.items() if button.visible}
    return found | ({"complete"} if view.form.visible else set())


def said(view: WorkView) -> tuple[str, str]:
    return view._desk.message.severity, view._desk.message.object


def test_a_worker_claims_starts_and_completes(house: gndp.Workbench) -> None:
    score, sign = started(house)
    view = signed_in(house, "ann")
    assert shown(view) == [[], ["Score"]]
    assert offered(view) == {"claim", "start"}
    view.command("claim")
    assert (shown(view), offered(view)) == ([["Score"], []], {"start", "release", "reassign"})
    view.command("start")
    assert offered(view) == {"complete", "wait", "fail", "release", "reassign"}
    view.form.fill({"score": "700", "remarks": ""})
    view.form.submit()
    done = house.tasks.get(score.id)
    assert (done.status, done.form_data) == ("completed", {"score": 700})
    assert (shown(view), view.store.chosen) == ([[], ["Sign"]], sign.id)


def test_an_invalid_field_stops_a_completion_and_what_was_typed_stays(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = work(house, "ann")
    view.command("start")
    asked = view.form.asked
    view.form.fill({"score": "12", "remarks": "almost"})
    assert view.form.problems == {'["score"]': "must be at least 300"}
    view.form.submit()
    assert view.form.verdict["refusals"] == 1
    assert house.tasks.get(score.id).status == "in_progress"
    view.refresh()
    assert view.form.asked is asked and view.form.draft == {"score": "12", "remarks": "almost"}
    view.form.fill({"score": "310", "remarks": "almost"})
    assert view.form.problems == {}
    view.form.submit()
    assert house.tasks.get(score.id).output_data == {"score": 310, "remarks": "almost"}


def test_a_task_without_a_form_asks_for_nothing(house: gndp.Workbench) -> None:
    score, sign = started(house)
    house.tasks.skip(score.id, user_id="max", reason="known")
    view = work(house, "ann")
    view.command("start")
    assert (view.form.asked["root"]["fields"], view.form_title.visible) == ([], False)
    view.form.submit()
    assert (house.tasks.get(sign.id).status, house.tasks.get(sign.id).output_data) == ("completed", {})


def test_what_changes_elsewhere_leaves_a_form_alone(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = work(house, "ann")
    view.command("start")
    view.form.fill({"score": "3"})
    asked = view.form.asked
    changes: list[str] = []
    view.form.param.watch(lambda event: changes.append(event.name), ["asked", "verdict", "visible"])
    started(house, "Another")
    house.tasks.update(score.id, user_id="max", priority="critical")
    view.refresh()
    assert (changes, view.form.asked is asked) == ([], True)
    assert shown(view) == [["Score"], ["Score"]]
    assert view.store.opened.task.priority == "critical"


def test_a_draft_waits_while_another_task_is_in_hand(house: gndp.Workbench) -> None:
    first, _ = started(house)
    second, _ = started(house, "Another")
    for task in (first, second):
        house.tasks.start(task.id, user_id="ann")
    view = work(house, "ann", f"&task={first.id}")
    view.form.fill({"score": "333"})
    view.choose(str(second.id))
    assert view.form.draft == {"score": "", "remarks": ""}
    view.choose(str(first.id))
    assert view.form.asked["draft"] == {"score": "333"}


def test_a_draft_outlives_a_look_at_another_page(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = work(house, "ann")
    view.command("start")
    view.form.fill({"score": "333", "remarks": ""})
    again = WorkView(view._desk)
    again.refresh()
    assert again.form.asked["draft"] == {"score": "333", "remarks": ""}
    again.form.submit()
    third = WorkView(view._desk)
    third.refresh()
    assert house.tasks.get(score.id).status == "completed"
    assert view._desk.drafts == {}


def test_events_that_change_nothing_here_are_not_heard(house: gndp.Workbench) -> None:
    score, sign = started(house)
    house.tasks.start(score.id, user_id="ann")
    other = house.processes.start(
        process_definition_id="x", process_name="Other", process_type="custom", initiated_by="max"
    )
    task = house.tasks.create(
        process_instance_id=other.id,
        task_definition_id="t",
        task_name="T",
        task_type="manual",
        assigned_to="sue",
        user_id="max",
    )
    view = work(house, "ann")
    house.tasks.comment(score.id, user_id="max", text="hurry")
    assert view.concerns(house.processes.events(score.process_instance_id)[0])
    for act, heard in (
        (lambda: house.processes.comment(other.id, user_id="max", text="well"), False),
        (lambda: house.tasks.start(task.id, user_id="sue"), False),
        (lambda: house.tasks.release(task.id, user_id="max"), True),
    ):
        act()
        assert view.concerns(house.processes.events(other.id)[0]) is heard
    assert sign.status == "pending"


def test_a_task_that_somebody_else_was_given_keeps_what_was_typed(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = signed_in(house, "ann")
    view.command("start")
    view.form.fill({"score": "700", "remarks": ""})
    house.tasks.reassign(score.id, new_assignee="bob", reassigned_by="max", reason="ill")
    view.refresh()
    assert (view.notice.object, view.notice.visible) == ("bob has it now.", True)
    assert (view.form.visible, view.form.draft["score"], shown(view)) == (True, "700", [[], []])
    assert offered(view) == {"complete"}
    view.form.submit()
    assert said(view)[0] == "error"
    assert (house.tasks.get(score.id).assigned_to, house.tasks.get(score.id).status) == ("bob", "assigned")
    assert view.form.draft["score"] == "700"


def test_what_was_not_seen_is_not_overwritten(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = work(house, "ann")
    view.command("start")
    house.tasks.update(score.id, user_id="max", notes="Stop: fraud")
    view.form.fill({"score": "700"})
    view.form.submit()
    assert said(view)[0] == "error"
    assert house.tasks.get(score.id).status == "in_progress"
    assert ("Notes", "Stop: fraud") in [(fact["name"], fact["value"]) for fact in view.facts.facts]
    view.form.submit()
    assert house.tasks.get(score.id).status == "completed"


def test_waiting_names_a_reason_and_goes_on(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = work(house, "ann")
    view.command("start")
    view.command("wait")
    assert view.asking.visible
    view.asking.submit()
    assert view.asking.verdict["refusals"] == 1
    assert house.tasks.get(score.id).substatus is None
    view.asking.fill({"reason": "customer", "until": "2099-05-31T12:00:00Z"})
    view.asking.submit()
    task = house.tasks.get(score.id)
    assert (task.substatus, task.wait_until) == ("waiting", datetime(2099, 5, 31, 12, tzinfo=UTC))
    assert (view.asking.visible, "resume" in offered(view), "wait" in offered(view)) == (False, True, False)
    view.command("resume")
    assert house.tasks.get(score.id).substatus is None


def test_work_is_given_to_somebody_else_with_a_reason(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = signed_in(house, "ann")
    view.command("claim")
    view.command("reassign")
    to = view.asking.asked["root"]["fields"][0]["options"]
    assert ['"bob"', "bob (north)"] in to and '"ann"' not in [value for value, _ in to]
    view.asking.fill({"person": '"bob"', "reason": "holiday"})
    view.asking.submit()
    assert house.tasks.get(score.id).assigned_to == "bob"
    assert shown(view) == [[], []]


def test_a_failure_is_reported_and_tried_again_or_given_up(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = work(house, "ann")
    for final, status in (("false", "assigned"), ("true", "failed")):
        view.command("start")
        view.command("fail")
        view.asking.fill({"reason": "no answer", "final": final})
        view.asking.submit()
        assert house.tasks.get(score.id).status == status


def test_a_question_is_put_away_when_it_makes_no_sense_any_more(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = work(house, "ann")
    view.command("claim")
    view.command("reassign")
    view.refresh()
    assert view.asking.visible
    house.tasks.release(score.id, user_id="max")
    view.refresh()
    assert not view.asking.visible


@pytest.mark.parametrize("command", ["claim", "start"])
def test_a_viewer_is_offered_nothing_and_refused_when_it_is_forced(
    house: gndp.Workbench, command: str
) -> None:
    score, _ = started(house)
    view = signed_in(house, "vic")
    assert (shown(view), offered(view)) == ([[], ["Score"]], set())
    assert not view.absence.plan.visible
    view.command(command)
    view._give(command, score)
    assert said(view)[0] == "error" and "viewer" in said(view)[1]
    assert house.tasks.get(score.id) == score


def test_another_team_s_task_is_not_shown_by_its_address(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = signed_in(house, "sue", f"?task={score.id}")
    assert (view.facts.facts, offered(view), view.problem.visible) == ([], set(), False)


@pytest.mark.parametrize("task", ["nonsense", "01a210a9-0000-7000-8000-000000000000", "<script>"])
def test_an_address_that_names_no_task_shows_the_lists(house: gndp.Workbench, task: str) -> None:
    started(house)
    assert shown(work(house, "ann", f"&task={task}")) == [[], ["Score"]]


def test_nothing_is_offered_while_the_process_is_paused(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = work(house, "ann")
    view.command("claim")
    process_id = house.tasks.get(score.id).process_instance_id
    house.processes.suspend(process_id, user_id="max", reason="lunch")
    view.refresh()
    assert (offered(view), view.notice.visible) == (set(), True)
    assert "suspended" in view.notice.object


def test_a_blocked_task_says_that_it_waits(house: gndp.Workbench) -> None:
    _, sign = started(house)
    house.tasks.assign(sign.id, assigned_to="ann", user_id="max")
    view = work(house, "ann")
    assert view.list.groups[0]["tasks"][0]["said"] == "blocked"
    assert (offered(view), view.notice.visible) == ({"release", "reassign"}, True)


def test_where_nobody_signs_in_a_person_is_chosen_and_kept_in_the_address(house: gndp.Workbench) -> None:
    started(house)
    desk = Desk(lambda: house, url="/work")
    view = WorkView(desk)
    view.refresh()
    assert view.acting.panel.visible and shown(view) == [[]]
    assert view.list.groups[0]["empty"] == "Choose above as whom you work."
    view.acting.choice.value = "ann"
    assert (desk.user_id, shown(view)) == ("ann", [[], ["Score"]])
    assert "as=ann" in desk.navigation.said
    view.acting.choice.value = "sue"
    assert shown(view) == [[], []]


def test_a_person_who_is_in_no_directory_has_work_too(house: gndp.Workbench) -> None:
    score, _ = started(house)
    house.tasks.assign(score.id, assigned_to="robot 7", user_id="max")
    view = work(house, "robot+7")
    assert (shown(view), view.acting.choice.value) == ([["Score"]], "robot 7")
    assert not view.absence.plan.visible


def test_whoever_signed_in_chooses_nobody(house: gndp.Workbench) -> None:
    view = signed_in(house, "ann", "?as=sue")
    assert (view.acting.panel.visible, view.store.user_id) == (False, "ann")


def test_keys_do_what_buttons_do(house: gndp.Workbench) -> None:
    score, _ = started(house)
    view = work(house, "ann")
    for key, status in (("c", "assigned"), ("r", "pending"), ("x", "pending"), ("Enter", "in_progress")):
        view.list._handle_msg({"key": key, "task": str(score.id)})
        assert house.tasks.get(score.id).status == status
    view.list._handle_msg({"key": "s", "task": str(score.id)})
    assert house.tasks.get(score.id).status == "in_progress"


def test_an_older_draft_never_takes_the_place_of_a_newer_one(house: gndp.Workbench) -> None:
    started(house)
    view = work(house, "ann")
    view.command("start")
    number = view.form.asked["number"]
    view.form._handle_msg({"what": "draft", "draft": {"score": "700"}, "serial": 2, "number": number})
    view.form._handle_msg({"what": "draft", "draft": {"score": "70"}, "serial": 1, "number": number})
    view.form._handle_msg({"what": "draft", "draft": {"score": "7"}, "serial": 9, "number": number - 1})
    assert view.form.draft == {"score": "700"}


def test_a_database_that_is_away_is_said_and_tried_again(
    house: gndp.Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(house)
    view = work(house, "ann")

    def unreachable(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("the database cannot be reached")

    with monkeypatch.context() as patched:
        patched.setattr(house.tasks, "mine", unreachable)
        view.refresh()
        assert view.problem.visible and "cannot be reached" in view.problem.object
        assert shown(view) == [[], ["Score"]]
    view.retry.clicks += 1
    assert not view.problem.visible


def test_a_message_is_put_away_until_there_is_another(house: gndp.Workbench) -> None:
    desk = Desk(lambda: house)
    desk.say("Done <b>now</b>")
    assert (desk.message.visible, desk.message.object) == (True, "Done <b>now</b>")
    desk.message._handle_msg("close")
    assert not desk.message.visible
    desk.say("Again", "error")
    assert (desk.message.visible, desk.message.severity) == (True, "error")


# Out of office ------------------------------------------------------------------------------------------


def test_an_absence_is_set_shown_and_ended(house: gndp.Workbench) -> None:
    view = signed_in(house, "ann")
    assert (view.absence.plan.visible, view.absence.end.visible) == (True, False)
    view.absence.plan.clicks += 1
    assert view.absence.form.visible
    view.absence.form.submit()
    assert view.absence.form.problems == {'["until"]': "is missing"}
    until = (house.clock() + timedelta(days=7)).replace(microsecond=0)
    view.absence.form.fill({"from": "", "until": until.isoformat(), "substitute": '"bob"'})
    view.absence.form.submit()
    ann = house.directory.person("ann")
    assert (ann.out_of_office_until, ann.substitute) == (until, "bob")
    assert (view.absence.form.visible, view.absence.end.visible) == (False, True)
    assert [fact["value"] for fact in view.absence.facts.facts][1:] == [until.isoformat(), "bob"]
    view.absence.end.clicks += 1
    assert house.directory.person("ann").out_of_office_until is None
    assert (view.absence.facts.visible, view.absence.end.visible) == (False, False)


def test_an_absence_that_is_refused_keeps_its_form(house: gndp.Workbench) -> None:
    view = work(house, "ann")
    view.absence.plan.clicks += 1
    view.absence.form.fill({"from": "", "until": "2001-01-01T00:00:00Z", "substitute": ""})
    view.absence.form.submit()
    assert said(view) == ("error", "until: is in the past")
    assert view.absence.form.visible and view.absence.form.draft["until"]


# Starting a process -------------------------------------------------------------------------------------


def starting(house: gndp.Workbench, opened: Callable[[], gndp.Workbench], query: str = "") -> StartView:
    view = StartView(Desk(opened, url=f"/start{query}"))
    view.refresh()
    return view


def test_a_process_is_started_from_a_template(house: gndp.Workbench) -> None:
    bound = house.acting_as(Principal.of(house.directory.person("ann")))
    view = starting(house, lambda: bound)
    view.form.submit()
    assert view.form.problems == {'["template"]': "is missing", '["name"]': "is missing"}
    draft = {**view.form.draft, "template": '"loan"', "name": "Mr <b>Bee</b>", "priority": '"high"'}
    view.form.fill(draft)
    assert (view.facts.title, view._desk.navigation.said) == ("Loan", "/start?template=loan")
    view.form.fill({**draft, "due_date": "2099-05-31T12:00:00Z", "input_data": '{"customer": "Bee"}'})
    view.form.submit()
    (process,) = house.processes.list().processes
    assert (process.process_name, process.priority, process.initiated_by) == ("Mr <b>Bee</b>", "high", "ann")
    assert (process.input_data, process.due_date) == (
        {"customer": "Bee"},
        datetime(2099, 5, 31, 12, tzinfo=UTC),
    )
    assert process.total_steps == 2
    assert view._desk.navigation.url == f"/process?id={process.id}"


def test_an_address_may_name_the_template(house: gndp.Workbench) -> None:
    view = starting(house, lambda: house, "?template=loan&as=ann")
    assert (view.form.draft["template"], view.facts.title) == ('"loan"', "Loan")
    assert view._desk.user_id == "ann"


def test_a_new_version_keeps_what_was_typed(house: gndp.Workbench) -> None:
    view = starting(house, lambda: house)
    view.form.fill({**view.form.draft, "name": "Mr Bee"})
    asked = view.form.asked
    view.refresh()
    assert view.form.asked is asked
    house.definitions.publish({**TEMPLATE, "name": "Loan 2"}, user_id="max")
    view.refresh()
    assert view.form.asked["draft"]["name"] == "Mr Bee"
    assert view.form.asked["root"]["fields"][0]["options"] == [['"loan"', "Loan 2, version 2"]]


def test_a_viewer_starts_nothing(house: gndp.Workbench) -> None:
    bound = house.acting_as(Principal("vic", Role.VIEWER, "north"))
    view = starting(house, lambda: bound)
    assert (view.form.visible, view.notice.visible) == (False, True)


def test_without_a_template_there_is_a_word_for_it(workbench: gndp.Workbench) -> None:
    view = starting(workbench, lambda: workbench)
    assert (view.form.visible, view.notice.object) == (
        False,
        "There is no template yet: somebody has to publish one.",
    )
