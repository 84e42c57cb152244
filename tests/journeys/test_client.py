"""A script elsewhere drives a workbench through the client: same answers, same errors, one effect."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

import pytest
from proxy import Proxy
from serving import served

import gndp
from gndp.access.entrance import principal_of
from gndp.client import Client, LiveStream
from gndp.core.records import ListedProcess
from gndp.core.states import Role

NOBODY = UUID(int=0)
LOAN = """
id: loan
name: Loan
steps:
  - {id: apply, name: Apply, team: intake}
  - {id: check, name: Check, team: intake, depends_on: [apply], sla_minutes: 60}
"""


@pytest.fixture
def server(workbench: gndp.Workbench) -> Iterator[str]:
    with served(workbench) as url:
        yield url


@pytest.fixture
def remote(server: str) -> Iterator[Client]:
    with Client(server) as client:
        yield client


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    with Proxy(server) as proxy:
        yield proxy


def start(wb: Any, **more: Any) -> Any:
    given = {"process_definition_id": "visit", "process_name": "Visit", "process_type": "custom"}
    return wb.processes.start(**given, initiated_by="ann", **more)


def add(wb: Any, process: Any, name: str, **more: Any) -> Any:
    given = {"task_definition_id": name, "task_name": name, "task_type": "manual"}
    return wb.tasks.create(process_instance_id=process.id, user_id="ann", **given, **more)


def test_a_whole_process_is_driven_as_on_the_workbench(remote: Client, workbench: gndp.Workbench) -> None:
    office = gndp.Calendar(hours={day: [("09:00", "17:00")] for day in range(5)}, country="DE")
    assert remote.calendars.save("office", office) == office == remote.calendars.get("office")
    assert remote.calendars.list() == ["office"]
    intake = remote.directory.add_team("intake", calendar="office")
    ann = remote.directory.add_person("ann", "Ann", team="intake", skills={"kyc": 3}, role="lead")
    remote.directory.add_person("bob", team="intake")
    assert (intake, ann) == (workbench.directory.team("intake"), workbench.directory.person("ann"))
    published = remote.definitions.publish(LOAN, user_id="ann", expected_version=0)
    assert published == workbench.definitions.get("loan") == remote.definitions.get("loan", 1)
    policy = {"name": "answer", "item": "task", "target_minutes": 60, "calendar": "office"}
    assert remote.sla.publish(policy, user_id="ann") == workbench.sla.policy("answer")

    process = remote.processes.start(
        process_definition_id="loan",
        process_name="Loan 17",
        process_type="journey",
        initiated_by="ann",
        business_context={"business_key": "L-17"},
        due_date=datetime(2030, 1, 1, tzinfo=UTC),
        tags=["new"],
        correlation_id="mail-17",
    )
    assert process == workbench.processes.get(process.id) and type(process.id) is UUID
    first, second = remote.tasks.list(process_id=process.id).tasks
    claimed = remote.tasks.claim(first.id, user_id="bob", expected_version=first.version)
    assert claimed == workbench.tasks.get(first.id)
    with pytest.raises(gndp.Conflict) as stale:
        remote.tasks.start(first.id, user_id="bob", expected_version=first.version)
    assert (stale.value.stale, stale.value.version) == (True, claimed.version)
    remote.tasks.start(first.id, user_id="bob")
    remote.tasks.complete(first.id, user_id="bob", output_data={"amount": 1000})
    remote.tasks.assign(second.id, assigned_to="ann", user_id="ann")
    remote.tasks.comment(second.id, user_id="ann", text="line\u2028line")
    assert remote.tasks.mine("ann") == workbench.tasks.mine("ann")
    remote.processes.update(process.id, user_id="ann", priority="high")
    remote.processes.suspend(process.id, user_id="ann", reason="holidays")
    remote.processes.update_status(process.id, new_status="running", user_id="ann")

    here, there = workbench, remote
    assert there.tasks.list(process_id=process.id) == here.tasks.list(process_id=process.id)
    assert there.processes.events(process.id) == here.processes.events(process.id)
    assert there.processes.events(process.id)[-1].correlation_id == "mail-17"
    assert there.processes.timeline(process.id) == here.processes.timeline(process.id)
    assert there.processes.summary() == here.processes.summary()
    assert there.tasks.workload() == here.tasks.workload() != []
    stats, own = there.tasks.assignment_stats("intake"), here.tasks.assignment_stats("intake")
    assert stats.assignment_methods == own.assignment_methods and stats.user_workloads != []
    assert there.tasks.explain_assignment(second.id) == here.tasks.explain_assignment(second.id)
    assert there.directory.people("intake", active=True) == here.directory.people("intake", active=True)
    assert there.directory.teams() == here.directory.teams()
    assert there.definitions.list() == here.definitions.list()
    assert there.sla.policies() == here.sla.policies()
    assert there.jobs.runs() == here.jobs.runs()
    moment = datetime.now(UTC)
    read = there.sla.clocks(task_id=second.id, as_of=moment)
    assert read == here.sla.clocks(task_id=second.id, as_of=moment) and read[0].item_name == "Check"
    assert there.sla.preview(policy, moment) == here.sla.preview(policy, moment)
    recomputed = there.sla.recompute(process_id=process.id, reason="a holiday was wrong", user_id="ann")
    assert recomputed == [reading.clock for reading in here.sla.clocks(process_id=process.id)]

    remote.tasks.start(second.id, user_id="ann")
    remote.tasks.complete(second.id, user_id="ann")
    assert remote.processes.get(process.id) == workbench.processes.get(process.id)
    assert remote.processes.get(process.id).status == "completed"
    assert workbench.check().ok


def test_lists_say_what_the_api_says_and_go_on_page_by_page(
    remote: Client, workbench: gndp.Workbench
) -> None:
    for number in range(3):
        start(workbench, tags=[f"n{number}"], priority="high")
    page = remote.processes.list(status=["running", "failed"], priority="high", limit=2, sort="created_at")
    own = workbench.processes.list(status="running", priority="high", limit=2, sort="created_at")
    assert page._replace(processes=[], next_cursor=None) == (own._replace(processes=[], next_cursor=None))
    assert page.processes == [
        ListedProcess(**{name: getattr(one, name) for name in ListedProcess._fields}) for one in own.processes
    ]
    rest = remote.processes.list(
        status=["running", "failed"], priority="high", limit=2, sort="created_at", cursor=page.next_cursor
    )
    assert [one.tags for one in (*page.processes, *rest.processes)] == [["n0"], ["n1"], ["n2"]]
    assert remote.processes.list(due_before=datetime.now(UTC), tags=["n1"]).processes == []
    with pytest.raises(TypeError, match="stauts"):
        remote.processes.list(stauts="running")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="expected"):
        remote.tasks.claim(uuid4(), expected="3")  # type: ignore[call-arg]


def test_many_tasks_at_once_and_many_commands_at_once(remote: Client, workbench: gndp.Workbench) -> None:
    process = start(remote)
    base = {"process_instance_id": process.id, "task_type": "manual"}
    id = uuid4()
    made = remote.tasks.create_many(
        [
            {**base, "task_definition_id": "a", "task_name": "A", "id": id},
            {**base, "task_definition_id": "b", "task_name": "B", "depends_on": [id]},
        ],
        user_id="ann",
    )
    assert made == workbench.tasks.create_many([]) + [workbench.tasks.get(task.id) for task in made]
    given = {"assigned_to": "bob", "user_id": "ann"}
    done = remote.tasks.bulk("assign", [made[0].id, (made[1].id, 99), NOBODY], **given)
    assert (done.done, done.refused) == (1, 2)
    good, stale, unknown = done.results
    assert good.item == workbench.tasks.get(made[0].id) and good.error is None
    assert isinstance(stale.error, gndp.Conflict) and stale.error.stale and stale.item is None
    assert isinstance(unknown.error, gndp.NotFound) and unknown.error.id == str(NOBODY)
    cancelled = remote.processes.bulk("cancel", [process.id], reason="a mistake", user_id="ann")
    assert cancelled.results[0].item == workbench.processes.get(process.id)
    with pytest.raises(gndp.Invalid, match=r"arguments\.reason"):
        remote.processes.bulk("cancel", [process.id])


def test_people_come_go_and_are_changed(remote: Client, workbench: gndp.Workbench) -> None:
    ann = remote.directory.add_person("ann", capacity=3)
    remote.directory.add_person("bob")
    changed = remote.directory.update_person("ann", expected_version=ann.version, capacity=None, name="Ann")
    assert (changed.capacity, changed.name) == (None, "Ann")
    with pytest.raises(gndp.Conflict) as stale:
        remote.directory.update_person("ann", expected_version=ann.version, name="Anna")
    assert stale.value.stale
    until = datetime.now(UTC) + timedelta(days=1)
    away = remote.directory.set_out_of_office("ann", until, substitute="bob")
    assert away == workbench.directory.person("ann") and away.substitute == "bob"
    assert remote.directory.set_out_of_office("ann", None).out_of_office_until is None
    with pytest.raises(gndp.Invalid, match="needs until"):
        remote.directory.set_out_of_office("ann", None, substitute="bob")
    remote.directory.add_team("intake", lead="ann")
    assert remote.directory.update_team("intake", lead=None) == workbench.directory.team("intake")
    assert remote.directory.team("intake").lead is None


def test_a_calendar_and_a_policy_are_changed_only_as_they_were_seen(remote: Client) -> None:
    seen = remote.calendars.save("office", gndp.Calendar(hours={0: [("09:00", "17:00")]}))
    new = gndp.Calendar(hours={0: [("10:00", "17:00")]})
    assert remote.calendars.save("office", new, in_place_of=seen) == new
    with pytest.raises(gndp.Conflict) as stale:
        remote.calendars.save("office", seen, in_place_of=seen)
    assert stale.value.stale
    policy = {"name": "answer", "item": "task", "target_minutes": 60}
    remote.sla.publish(policy, user_id="ann")
    with pytest.raises(gndp.Conflict):
        remote.sla.publish(policy, user_id="ann", expected_version=0)
    assert remote.sla.retire("answer", user_id="ann").retired_at is not None
    assert remote.definitions.validate({"id": "x"})[0].message
    assert remote.definitions.validate(LOAN) == []


def test_jobs_and_subscriptions_are_looked_after(remote: Client, workbench: gndp.Workbench) -> None:
    run = remote.jobs.run("sla_sweep")
    assert run == workbench.jobs.runs("sla_sweep")[0] and run.status == "succeeded"
    here = {job.name: job._replace(next_slot=job.next_slot) for job in workbench.jobs.list()}
    for job in remote.jobs.list():
        assert job._replace(next_slot=here[job.name].next_slot) == here[job.name]
        assert isinstance(job.next_slot, datetime) and isinstance(job.interval, timedelta)

    def fail(event: Any) -> None:
        raise ValueError("no")

    handler = workbench.events.subscribe_durable("mailer", "process.started", fail, max_attempts=1)
    start(remote)
    start(remote)
    while len(remote.events.dead("mailer")) < 2:
        time.sleep(0.02)
    handler.close()
    letters = remote.events.dead("mailer")
    assert letters == workbench.events.parked("mailer", status="dead")
    (subscription,) = remote.events.subscriptions()
    assert (subscription.name, subscription.dead) == ("mailer", 2)
    assert remote.events.discard("mailer", [letters[0].event.seq]) == 1
    assert remote.events.replay("mailer") == 1 and remote.events.dead() == []
    remote.events.unsubscribe("mailer")
    with pytest.raises(gndp.NotFound) as missing:
        remote.events.unsubscribe("mailer")
    assert missing.value.kind == "subscription"


def test_every_kind_of_error_is_the_one_of_the_workbench(remote: Client, workbench: gndp.Workbench) -> None:
    process = start(workbench)
    calls: dict[type[Exception], Any] = {
        gndp.NotFound: lambda wb: wb.processes.get(NOBODY),
        gndp.Conflict: lambda wb: wb.processes.resume(process.id, user_id="ann"),
        gndp.Invalid: lambda wb: wb.processes.comment(process.id, user_id="ann", text=" "),
    }
    for kind, call in calls.items():
        with pytest.raises(kind) as there:
            call(remote)
        with pytest.raises(kind) as here:
            call(workbench)
        assert str(there.value) == str(here.value)
        kept = vars(here.value)
        assert {name: value for name, value in vars(there.value).items() if name in kept} == kept
    for wrong in ({"input_data": {"n": float("nan")}}, {"input_data": {"t": "\ud800"}}, {"tags": ["\0"]}):
        with pytest.raises(gndp.Invalid) as refused:
            start(remote, **wrong)
        assert refused.value.problems[0].place.startswith(next(iter(wrong)))
    with pytest.raises(gndp.Invalid, match="timezone"):
        start(remote, due_date=datetime(2030, 1, 1))
    with pytest.raises(gndp.Invalid, match="is larger than"):
        start(remote, input_data={"text": "x" * 1_100_000})
    for name in ("a/b", "..", " "):
        with pytest.raises(gndp.Invalid):
            remote.directory.person(name)
    assert remote.tasks.mine("ärzte & co? #1") == []
    with pytest.raises(gndp.Invalid, match="printable ASCII"):
        start(remote, idempotency_key="schlüssel")
    with pytest.raises(gndp.Invalid, match="correlation_id"):
        start(remote, correlation_id="a b")


def test_a_token_says_who_calls_and_is_never_shown(
    workbench: gndp.Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbench.directory.add_person("ann", role=Role.ADMIN)
    workbench.directory.add_person("vic", role=Role.VIEWER)
    workbench.directory.add_person("robot", role=Role.SERVICE)
    until = datetime.now(UTC) + timedelta(days=1)
    admin = workbench.entrance.tokens.create("ann", "script", ["admin"], until)
    viewer = workbench.entrance.tokens.create("vic", "script", ["read"], until).token
    with served(workbench, needs_authentication=True) as url:
        with Client(url, admin.token) as remote:
            assert start_as_oneself(remote).initiated_by == "ann"
            assert admin.token not in repr(remote) + repr(vars(remote)) + repr(vars(remote._transport))
            assert remote.accounts.list() == workbench.entrance.accounts.list()
            link = remote.accounts.issue_link("vic")
            assert workbench.entrance.accounts.set_password(link.token, "correct horse battery")
            assert remote.accounts.get("vic") == workbench.entrance.accounts.get("vic")
            remote.accounts.sign_out_everywhere("vic")
            made = remote.tokens.create("robot", "nightly", ["write"], until)
            identity = workbench.entrance.by_token(made.token)
            assert principal_of(identity).user_id == "robot"
            assert remote.tokens.list("robot") == workbench.entrance.tokens.list("robot")
            assert remote.tokens.revoke(made.record.id, "robot").revoked_at is not None
        monkeypatch.setenv("GNDP_TOKEN", viewer)
        with Client(url) as remote:
            assert remote.processes.list().total == 1
            with pytest.raises(gndp.Forbidden) as forbidden:
                start_as_oneself(remote)
            assert viewer not in str(forbidden.value)
        with Client(url, "gndp_wrong") as remote, pytest.raises(gndp.Unauthenticated):
            remote.processes.list()
    with pytest.raises(gndp.Invalid) as refused:
        Client(url, "two words\n")
    assert "two words" not in str(refused.value)


def start_as_oneself(remote: Client) -> Any:
    return remote.processes.start(process_definition_id="visit", process_name="Visit", process_type="custom")


def test_a_reply_that_is_cut_off_leaves_one_effect(proxy: Proxy, workbench: gndp.Workbench) -> None:
    with Client(proxy.url) as remote:
        proxy.cut_replies(1)
        process = start(remote)
        assert workbench.processes.list().total == 1 and process == workbench.processes.get(process.id)
        assert proxy.cut == 1
        proxy.cut_replies(2)
        task = add(remote, process, "answer")
        assert [one.id for one in workbench.tasks.list(process_id=process.id).tasks] == [task.id]
        proxy.cut_replies(1)
        remote.directory.add_person("ann")
        proxy.cut_replies(1)
        assert remote.processes.get(process.id).id == process.id
        assert proxy.cut == 5


def test_what_cannot_be_repeated_is_not(proxy: Proxy, workbench: gndp.Workbench) -> None:
    ann = workbench.directory.add_person("ann")
    with Client(proxy.url) as remote:
        proxy.cut_replies(1)
        with pytest.raises(gndp.ServerUnavailable, match="broke"):
            remote.directory.update_person("ann", expected_version=ann.version, name="Ann")
        assert workbench.directory.person("ann").name == "Ann" and proxy.cut == 1
        proxy.cut_replies(9)
        with pytest.raises(gndp.ServerUnavailable):
            start(remote)
        assert workbench.processes.list().total == 1, "four tries, one effect"
        assert proxy.cut == 5


def test_a_stream_goes_on_where_its_connection_broke(proxy: Proxy, workbench: gndp.Workbench) -> None:
    with Client(proxy.url) as remote:
        with remote.events.live("process.*") as stream:
            proxy.break_connections()  # before the first event
            first = start(workbench)
            assert processes_of(taken(stream, 1)) == [first.id]
            proxy.break_connections()
            others = [start(workbench) for _ in range(3)]
            assert processes_of(taken(stream, 3)) == [one.id for one in others]
            reached = stream.position
        assert list(stream) == []
        process = start(workbench)
        add(workbench, process, "answer")
        with remote.events.live(process_id=process.id, after=reached) as stream:
            assert taken(stream, 2)[0].event == workbench.processes.events(process.id)[-1]
        with remote.events.live(after=remote.events.beginning()) as stream:
            assert processes_of(taken(stream, 1)) == [first.id]
        with pytest.raises(gndp.Invalid):
            remote.events.live(after="nowhere")


def taken(stream: LiveStream, count: int) -> list[Any]:
    """The next events of a stream, which are there or come soon."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.extend(islice(stream, count)), daemon=True)
    thread.start()
    thread.join(20)
    assert len(found) == count
    return found


def processes_of(taken: list[Any]) -> list[UUID]:
    return [live.event.process_instance_id for live in taken]
