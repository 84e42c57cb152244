"""The directory on a real database: its commands, everything they refuse, and many of them at once."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

import gndp
from gndp.core.errors import Conflict, Invalid, NotFound, Refusal
from gndp.directory.contract import Directory
from gndp.directory.table_directory import TableDirectory
from tests.scene import BAD_COUNTS, BAD_FLAGS, BAD_INSTANTS, BAD_OBJECTS, BAD_SHORT_TEXTS, BAD_WORDS

NOON = datetime(2026, 8, 3, 12, tzinfo=UTC)
FILE = """user_id,name,email,team,role,skills,capacity,calendar,active
ann,Ann Bo,ann@example.com,underwriting,lead,"underwriting:5, kyc:2",,vienna,
dan,Dan,,closing,,kyc:1,4,,no
eve,,,closing,,,,,
"""


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.fixture
def wb(new_workbench: Callable[..., gndp.Workbench], database_url: str) -> gndp.Workbench:
    """A workbench at noon, with a calendar, a team and three people."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO calendars (name, document, created_at) VALUES ('vienna', '{}', now())"
        )
    workbench = new_workbench(database_url=database_url, clock=lambda: NOON)
    workbench.directory.add_team("underwriting")
    for user_id in ("ann", "bob", "cyd"):
        workbench.directory.add_person(user_id, team="underwriting", skills={"kyc": 2}, capacity=3)
    return workbench


@pytest.fixture
def directory(wb: gndp.Workbench) -> TableDirectory:
    return wb.directory


@pytest.fixture
def unchanged(directory: TableDirectory) -> Iterator[None]:
    """Nothing that a test does may change anything."""
    before = everything(directory)
    yield
    assert everything(directory) == before


def everything(directory: TableDirectory) -> tuple[list[Any], list[Any]]:
    return directory.people(), directory.teams()


def refused(kind: type[Refusal], call: Callable[[], Any]) -> Any:
    with pytest.raises(kind) as error:
        call()
    return error.value


def places(call: Callable[[], Any]) -> list[str]:
    return [problem.place for problem in refused(Invalid, call).problems]


# Adding, changing and reading -------------------------------------------------------------------------


def test_a_person_is_added_with_what_is_given_and_read_again(directory: TableDirectory) -> None:
    added = directory.add_person(
        "dan",
        "Dan Ek",
        team="underwriting",
        skills={"underwriting": 3},
        capacity=5,
        role="lead",
        email="dan@example.com",
        calendar="vienna",
        active=False,
    )
    given = ("dan", "Dan Ek", "dan@example.com", "underwriting", "lead", {"underwriting": 3}, 5, "vienna")
    assert added[:8] == given
    assert added[8:12] == (None, None, None, False)
    assert (added.created_at, added.version) == (NOON, 1)
    assert directory.person("dan") == added


def test_a_new_person_needs_an_id_only(directory: TableDirectory) -> None:
    added = directory.add_person("dan")
    assert added[:8] == ("dan", "dan", None, None, "worker", {}, None, None)
    assert added.active


def test_a_team_is_added_with_what_is_given_and_read_again(directory: TableDirectory) -> None:
    added = directory.add_team("closing", "vienna", "ann", "bob", "priority", 3)
    assert added[:7] == ("closing", "vienna", "ann", "bob", "priority", 3, None)
    assert (added.created_at, added.version) == (NOON, 1)
    assert directory.team("closing") == added
    assert directory.team("underwriting")[:7] == ("underwriting", None, None, None, "tasks", None, None)


def test_a_person_is_changed_in_what_is_given_only(directory: TableDirectory) -> None:
    before = directory.person("ann")
    after = directory.update_person("ann", role="lead", email="ann@example.com")
    expected = before._replace(role="lead", email="ann@example.com", version=2, updated_at=after.updated_at)
    assert after == expected
    assert directory.person("ann") == after
    cleared = directory.update_person("ann", team=None, capacity=None, email=None, skills=None)
    assert (cleared.team, cleared.capacity, cleared.email, cleared.skills) == (None, None, None, {})
    left = directory.update_person("ann", name="Ann", skills={"law": 1}, calendar="vienna", active=False)
    assert (left.name, left.skills, left.calendar, left.active) == ("Ann", {"law": 1}, "vienna", False)
    assert left.role == "lead"


def test_a_team_is_changed_in_what_is_given_only_and_keeps_its_turn(
    directory: TableDirectory, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE teams SET round_robin_position = 'bob'")
    before = directory.team("underwriting")
    changes = {"calendar": "vienna", "lead": "ann", "manager": "bob", "imbalance_limit": 2}
    after = directory.update_team("underwriting", load_measure="estimated_minutes", **changes)
    expected = before._replace(
        load_measure="estimated_minutes", version=3, updated_at=after.updated_at, **changes
    )
    assert after == expected
    assert directory.team("underwriting") == after
    cleared = directory.update_team("underwriting", lead=None, imbalance_limit=None, calendar=None)
    assert cleared[:7] == ("underwriting", None, None, "bob", "estimated_minutes", None, "bob")


def test_what_changes_nothing_leaves_the_version(directory: TableDirectory) -> None:
    person, team = directory.person("ann"), directory.team("underwriting")
    assert directory.update_person("ann", team="underwriting", skills={"kyc": 2}) == person
    assert directory.update_person("ann") == person
    assert directory.update_team("underwriting", load_measure="tasks") == team
    assert directory.set_out_of_office("ann", None) == person
    assert directory.person("ann").version == directory.team("underwriting").version == 1


def test_people_are_listed_by_team_and_by_whether_they_are_active(directory: TableDirectory) -> None:
    directory.add_team("closing")
    directory.add_person("aaron", team="closing", active=False)
    directory.add_person("zoe")

    def listed(**filters: Any) -> list[str]:
        return [person.user_id for person in directory.people(**filters)]

    assert listed() == ["aaron", "ann", "bob", "cyd", "zoe"]
    assert listed(team="closing") == listed(active=False) == ["aaron"]
    assert listed(active=True) == ["ann", "bob", "cyd", "zoe"]
    assert listed(team="closing", active=True) == []
    assert listed(team="underwriting") == ["ann", "bob", "cyd"]
    assert [team.name for team in directory.teams()] == ["closing", "underwriting"]


def test_the_table_directory_is_a_directory(directory: TableDirectory) -> None:
    needed: Directory = directory
    assert needed.person("ann") in needed.people("underwriting")
    assert needed.team("underwriting") in needed.teams()


def test_commands_belong_to_the_unit_of_work_that_is_open(wb: gndp.Workbench) -> None:
    with pytest.raises(ZeroDivisionError), wb.transaction():
        wb.directory.add_team("closing")
        wb.directory.add_person("dan", team="closing")
        assert wb.directory.person("dan").team == "closing"
        _ = 1 / 0
    refused(NotFound, lambda: wb.directory.team("closing"))
    refused(NotFound, lambda: wb.directory.person("dan"))
    with wb.transaction():
        refused(Conflict, lambda: wb.directory.add_person("ann"))
        wb.directory.add_person("dan")
    assert wb.directory.person("dan").version == 1


# Absences ---------------------------------------------------------------------------------------------


def test_an_absence_begins_now_and_ends_when_it_is_ended(directory: TableDirectory) -> None:
    person = directory.set_out_of_office("ann", NOON + days(7), "bob")
    assert (person.out_of_office_from, person.out_of_office_until) == (NOON, NOON + days(7))
    assert person.substitute == "bob"
    assert directory.person("ann") == person
    later = directory.set_out_of_office("ann", NOON + days(9), from_=NOON + days(8))
    assert later.out_of_office_from == NOON + days(8)
    assert later.substitute is None
    back = directory.set_out_of_office("ann", None)
    assert (back.out_of_office_from, back.out_of_office_until, back.substitute) == (None, None, None)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"until": NOON}, "until"),
        ({"until": NOON, "from_": NOON - days(1)}, "until"),
        ({"until": NOON - days(1), "from_": NOON - days(2)}, "until"),
        ({"until": NOON + days(1), "from_": NOON + days(1)}, "until"),
        ({"until": NOON + days(1), "from_": NOON + days(2)}, "until"),
        ({"until": None, "substitute": "bob"}, "substitute"),
        ({"until": None, "from_": NOON}, "from_"),
        ({"until": NOON + days(1), "substitute": "ann"}, "substitute"),
        ({"until": NOON + days(1), "substitute": "nobody"}, "substitute"),
    ],
)
def test_an_absence_that_cannot_be_is_invalid(
    directory: TableDirectory, arguments: dict[str, Any], place: str
) -> None:
    assert places(lambda: directory.set_out_of_office("ann", **arguments)) == [place]


def test_somebody_who_is_not_active_stands_in_for_nobody(directory: TableDirectory) -> None:
    directory.update_person("bob", active=False)
    assert places(lambda: directory.set_out_of_office("ann", NOON + days(1), "bob")) == ["substitute"]


def test_nobody_stands_in_for_themselves_through_others(directory: TableDirectory) -> None:
    directory.set_out_of_office("ann", NOON + days(7), "bob")
    directory.set_out_of_office("bob", NOON + days(7), "cyd")
    error = refused(Invalid, lambda: directory.set_out_of_office("cyd", NOON + days(1), "ann"))
    assert "cyd → ann → bob → cyd" in str(error)
    assert directory.person("cyd").version == 1
    directory.set_out_of_office("cyd", NOON + days(9), "ann", from_=NOON + days(7))


def test_two_may_stand_in_for_each_other_in_turn(wb: gndp.Workbench) -> None:
    wb.directory.set_out_of_office("ann", NOON + days(7), "bob")
    wb.clock = lambda: NOON + days(7)
    assert wb.directory.set_out_of_office("bob", NOON + days(14), "ann").substitute == "ann"
    since = NOON + days(3)  # what is over by now stands in nobody's way
    assert wb.directory.set_out_of_office("bob", NOON + days(14), "ann", since).out_of_office_from == since


# Refusals ---------------------------------------------------------------------------------------------

KINDS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("until", "from_"), BAD_INSTANTS),
    **dict.fromkeys(("capacity", "imbalance_limit"), BAD_COUNTS),
    **dict.fromkeys(("role", "load_measure"), BAD_WORDS),
    "active": BAD_FLAGS,
    "skills": (*BAD_OBJECTS, {"kyc": 0}, {"kyc": 6}, {"kyc": True}, {" ": 1}),
    "email": (*BAD_SHORT_TEXTS, "nobody", "a@b@c", "a b@c", "a@b\nBcc: c"),
}
COMMANDS: dict[str, tuple[tuple[Any, ...], tuple[str, ...]]] = {
    "add_team": (("closing",), ("name", "calendar", "lead", "manager", "load_measure", "imbalance_limit")),
    "update_team": (
        ("underwriting",),
        ("name", "calendar", "lead", "manager", "load_measure", "imbalance_limit"),
    ),
    "add_person": (
        ("dan",),
        *(("user_id", "name", "team", "skills", "capacity", "role", "email", "calendar", "active"),),
    ),
    "update_person": (
        ("ann",),
        *(("user_id", "name", "team", "skills", "capacity", "role", "email", "calendar", "active"),),
    ),
    "set_out_of_office": (("ann", NOON + days(1)), ("user_id", "until", "substitute", "from_")),
    "people": ((), ("team", "active")),
    "person": (("ann",), ("user_id",)),
    "team": (("underwriting",), ("name",)),
}
POSITIONAL = {"user_id": 0, "name": 0, "until": 1}


def called(directory: TableDirectory, command: str, argument: str, value: Any) -> Callable[[], Any]:
    """A call of a command with what it needs, and this value for this argument."""
    given = list(COMMANDS[command][0])
    if argument in POSITIONAL and not (command.endswith("person") and argument == "name"):
        given[POSITIONAL[argument]] = value
        return partial(getattr(directory, command), *given)
    return partial(getattr(directory, command), *given, **{argument: value})


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("command", "argument"), [(name, argument) for name, parts in COMMANDS.items() for argument in parts[1]]
)
def test_an_argument_that_is_wrong_in_itself_is_invalid(
    directory: TableDirectory, command: str, argument: str
) -> None:
    for value in KINDS.get(argument, BAD_SHORT_TEXTS):
        (place, *_) = places(called(directory, command, argument, value))
        assert place.startswith(argument)


@pytest.mark.usefixtures("unchanged")
def test_what_must_not_be_none_is_invalid_as_none(directory: TableDirectory) -> None:
    for name in ("name", "role", "active"):
        assert places(partial(directory.update_person, "ann", **{name: None})) == [name]
    assert places(partial(directory.update_team, "underwriting", load_measure=None)) == ["load_measure"]
    for call in (directory.add_person, directory.update_person, directory.person):
        assert places(partial(call, None)) == ["user_id"]
    for call in (directory.add_team, directory.update_team, directory.team):
        assert places(partial(call, None)) == ["name"]


@pytest.mark.usefixtures("unchanged")
def test_who_and_what_there_is_not_is_invalid_by_its_argument(directory: TableDirectory) -> None:
    for call in (partial(directory.add_person, "dan"), partial(directory.update_person, "ann")):
        assert places(partial(call, team="none", calendar="none")) == ["team", "calendar"]
    for call in (partial(directory.add_team, "closing"), partial(directory.update_team, "underwriting")):
        named = {"calendar": "none", "lead": "nobody", "manager": "nobody"}
        assert places(partial(call, **named)) == list(named)


@pytest.mark.usefixtures("unchanged")
def test_a_place_that_is_taken_is_a_conflict(directory: TableDirectory) -> None:
    assert refused(Conflict, lambda: directory.add_person("ann")).version == 1
    assert refused(Conflict, lambda: directory.add_team("underwriting")).version == 1


@pytest.mark.usefixtures("unchanged")
def test_whom_and_what_there_is_not_is_not_found(directory: TableDirectory) -> None:
    for call in (
        partial(directory.person, "nobody"),
        partial(directory.update_person, "nobody", capacity=1),
        partial(directory.set_out_of_office, "nobody", NOON + days(1), "ann"),
        partial(directory.set_out_of_office, "nobody", None),
    ):
        error = refused(NotFound, call)
        assert (error.kind, error.id) == ("person", "nobody")
    for call in (
        partial(directory.team, "none"),
        partial(directory.people, "none"),
        partial(directory.update_team, "none", load_measure="tasks"),
    ):
        error = refused(NotFound, call)
        assert (error.kind, error.id) == ("team", "none")


@pytest.mark.usefixtures("unchanged")
def test_an_unknown_keyword_is_refused(directory: TableDirectory) -> None:
    with pytest.raises(TypeError, match="capacty"):
        directory.update_person("ann", capacty=3)
    with pytest.raises(TypeError, match="round_robin_position"):
        directory.update_team("underwriting", round_robin_position="ann")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE people SET capacity = 0",
        "UPDATE people SET role = 'boss'",
        "UPDATE people SET substitute = user_id",
        "UPDATE people SET substitute = 'nobody'",
        "UPDATE people SET team = 'none'",
        "UPDATE people SET calendar = 'none'",
        "UPDATE people SET out_of_office_from = now()",
        "UPDATE people SET out_of_office_until = now()",
        "UPDATE people SET out_of_office_from = now(), out_of_office_until = now()",
        "UPDATE teams SET load_measure = 'mood'",
        "UPDATE teams SET imbalance_limit = 0",
        "UPDATE teams SET lead = 'nobody'",
        "UPDATE teams SET manager = 'nobody'",
        "UPDATE teams SET calendar = 'none'",
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_the_tables_refuse_it_too_whoever_writes(database_url: str, change: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError), psycopg.connect(database_url) as connection:
        connection.execute(change)


# Files ------------------------------------------------------------------------------------------------


def imported(directory: TableDirectory, text: str, **options: Any) -> Any:
    return directory.import_csv(io.StringIO(text), **options)


def test_a_file_adds_and_updates_once(directory: TableDirectory, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(FILE, encoding="utf-8-sig", newline="\r\n")
    report = directory.import_csv(path)
    assert report == (["dan", "eve"], ["ann"], [], ["closing"], [])
    ann, dan, eve = (directory.person(user_id) for user_id in ("ann", "dan", "eve"))
    assert ann[:8] == (
        *("ann", "Ann Bo", "ann@example.com", "underwriting", "lead"),
        *({"underwriting": 5, "kyc": 2}, 3, "vienna"),
    )
    assert dan[:8] == ("dan", "Dan", None, "closing", "worker", {"kyc": 1}, 4, None)
    assert (dan.active, dan.created_at) == (False, NOON)
    assert eve[:8] == ("eve", "eve", None, "closing", "worker", {}, None, None)
    assert directory.team("closing").created_at == NOON
    before = everything(directory)
    again = directory.import_csv(str(path))
    assert again == ([], [], ["ann", "dan", "eve"], [], [])
    assert everything(directory) == before


def test_an_import_leaves_an_absence_alone(directory: TableDirectory) -> None:
    directory.set_out_of_office("ann", NOON + days(7), "bob")
    assert imported(directory, "user_id,capacity\nann,9\n").updated == ["ann"]
    ann = directory.person("ann")
    assert (ann.capacity, ann.substitute, ann.out_of_office_until) == (9, "bob", NOON + days(7))


BAD_FILE = "user_id,role,calendar\ndan,,vienna\nann,boss,\neve,,none\n,,\nfay,lead,\nfay,,\n"


def test_a_file_with_a_problem_changes_nothing_and_tells_all(directory: TableDirectory) -> None:
    before = everything(directory)
    error = refused(Invalid, lambda: imported(directory, BAD_FILE))
    assert [problem.place for problem in error.problems] == [
        "line 3, role",
        "line 4, calendar",
        "line 7, user_id",
    ]
    assert "there is no calendar 'none'" in str(error)
    assert everything(directory) == before


def test_bad_rows_are_left_out_when_that_is_wanted(directory: TableDirectory) -> None:
    report = imported(directory, BAD_FILE.replace("role", "team"), skip_bad_rows=True)
    assert report.added == ["dan", "fay"]
    assert report.updated == ["ann"]
    assert report.teams_added == ["boss", "lead"]
    assert [(problem.line, problem.column) for problem in report.problems] == [
        (4, "calendar"),
        (7, "user_id"),
    ]
    refused(NotFound, lambda: directory.person("eve"))


@pytest.mark.usefixtures("unchanged")
def test_a_thousand_problems_are_cut_to_what_can_be_read(directory: TableDirectory) -> None:
    rows = "\n".join(f"p{number},boss" for number in range(1000))
    assert len(refused(Invalid, lambda: imported(directory, f"user_id,role\n{rows}\n")).problems) == 501


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("source", [None, 7, b"user_id\n", "no such file", "a\0b", io.StringIO("")])
def test_what_is_no_file_is_invalid(directory: TableDirectory, source: Any) -> None:
    refused(Invalid, lambda: directory.import_csv(source))
    assert places(lambda: directory.import_csv(io.StringIO("user_id\n"), skip_bad_rows=1)) == [
        "skip_bad_rows"
    ]


def test_many_people_come_in_one_file(directory: TableDirectory) -> None:
    rows = "\n".join(f"p{number:05},team {number % 50}" for number in range(5_000))
    report = imported(directory, f"user_id,team\n{rows}\n")
    assert (len(report.added), len(report.teams_added)) == (5_000, 50)
    assert len(directory.people("team 7")) == 100


# Many at once -----------------------------------------------------------------------------------------


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """The answers or refusals of calls in threads of their own."""

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(max_workers=len(calls)) as threads:
        return list(threads.map(run, calls))


def test_of_many_who_add_the_same_one_wins(directory: TableDirectory) -> None:
    for add, what in ((directory.add_person, "dan"), (directory.add_team, "closing")):
        outcomes = at_once(*[partial(add, what)] * 8)
        lost = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
        assert len(lost) == 7
        assert sum(outcome[0] == what for outcome in outcomes if isinstance(outcome, tuple)) == 1


def test_files_imported_at_once_add_everybody_once(directory: TableDirectory) -> None:
    reports = at_once(*[partial(imported, directory, FILE)] * 6)
    assert sorted(len(report.added) for report in reports) == [0] * 5 + [2]
    assert sorted(len(report.teams_added) for report in reports) == [0] * 5 + [1]


def test_absences_set_at_once_make_no_circle(directory: TableDirectory) -> None:
    ring = {"ann": "bob", "bob": "cyd", "cyd": "ann"}
    for _ in range(5):
        outcomes = at_once(
            *[
                partial(directory.set_out_of_office, away, NOON + days(1), stand_in)
                for away, stand_in in ring.items()
            ]
        )
        assert sum(isinstance(outcome, Invalid) for outcome in outcomes) == 1
        for person in ring:
            directory.set_out_of_office(person, None)


def test_updates_at_once_lose_nothing(directory: TableDirectory) -> None:
    changes = [{"capacity": 9}, {"role": "lead"}, {"email": "ann@example.com"}, {"name": "Ann"}]
    after = at_once(*[partial(directory.update_person, "ann", **change) for change in changes])
    assert max(person.version for person in after) == 5
    ann = directory.person("ann")
    assert (ann.capacity, ann.role, ann.email, ann.name) == (9, "lead", "ann@example.com", "Ann")


def waits(database_url: str) -> None:
    """Return when a session of this database waits for a lock."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for _ in range(500):
            waiting = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            ).fetchone()
            if waiting and waiting[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


LOCK_TEAM = "SELECT FROM teams WHERE name = %s FOR NO KEY UPDATE"
LOCK_PERSON = "SELECT FROM people WHERE user_id = %s FOR UPDATE NOWAIT"


@pytest.mark.parametrize(
    ("held", "command"),
    [
        ("underwriting", lambda d: d.update_person("ann", capacity=7)),
        ("underwriting", lambda d: d.update_person("ann", team="closing")),
        ("closing", lambda d: d.update_person("ann", team="closing")),
        ("closing", lambda d: d.update_person("ann", team=None) and d.update_person("ann", team="closing")),
        ("closing", lambda d: d.add_person("dan", team="closing")),
        ("underwriting", lambda d: d.set_out_of_office("ann", NOON + days(1), "bob")),
        ("underwriting", lambda d: d.update_team("underwriting", lead="ann")),
        ("underwriting", lambda d: imported(d, "user_id,capacity\nann,8\nbob,8\n")),
        ("closing", lambda d: imported(d, "user_id,team\nann,closing\ndan,closing\n")),
    ],
)
def test_a_command_waits_for_a_team_before_it_holds_a_person(
    directory: TableDirectory, database_url: str, held: str, command: Callable[[TableDirectory], Any]
) -> None:
    directory.add_team("closing")
    with ThreadPoolExecutor(1) as thread, psycopg.connect(database_url) as routing:
        routing.execute(LOCK_TEAM, [held])
        running = thread.submit(command, directory)
        waits(database_url)
        for user_id in ("ann", "bob"):  # as routing goes on; it would fail if the command held one already
            routing.execute(LOCK_PERSON, [user_id])
        routing.commit()
        assert running.result(timeout=10)


@pytest.mark.parametrize(
    "command",
    [
        lambda d: d.set_out_of_office("bob", NOON + days(1), "ann"),
        lambda d: d.update_team("closing", lead="bob", manager="ann"),
        lambda d: d.add_team("sales", lead="bob", manager="ann"),
        lambda d: imported(d, "user_id,capacity\nbob,8\nann,8\n"),
    ],
)
def test_a_command_waits_for_people_in_the_order_of_their_ids(
    directory: TableDirectory, database_url: str, command: Callable[[TableDirectory], Any]
) -> None:
    directory.add_team("closing")
    with ThreadPoolExecutor(1) as thread, psycopg.connect(database_url) as routing:
        routing.execute(LOCK_PERSON, ["ann"])
        running = thread.submit(command, directory)
        waits(database_url)
        routing.execute(LOCK_PERSON, ["bob"])
        routing.commit()
        assert running.result(timeout=10)


def test_commands_and_routing_at_once_never_wait_for_each_other_in_a_circle(
    directory: TableDirectory, database_url: str
) -> None:
    directory.add_team("closing")

    def route(team: str) -> None:
        with psycopg.connect(database_url) as connection:
            for _ in range(40):
                connection.execute(LOCK_TEAM, [team])
                connection.execute("SELECT FROM people WHERE team = %s ORDER BY user_id FOR UPDATE", [team])
                connection.execute("UPDATE teams SET round_robin_position = 'ann' WHERE name = %s", [team])
                connection.commit()

    def move(user_id: str) -> None:
        for number in range(20):
            directory.update_person(user_id, team="closing" if number % 2 else "underwriting")
            directory.set_out_of_office(user_id, NOON + days(number + 1), {"ann": "cyd"}.get(user_id, "ann"))
            directory.set_out_of_office(user_id, None)

    teams = [partial(route, team) for team in ("closing", "underwriting") * 2]
    outcomes = at_once(*teams, partial(move, "ann"), partial(imported, directory, FILE))
    assert [outcome for outcome in outcomes if isinstance(outcome, Refusal)] == []
    assert at_once(*teams, partial(move, "bob"), partial(imported, directory, FILE))[4] is None
