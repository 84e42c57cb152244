"""``gndp sla`` and ``gndp calendars``: what they show, what they refuse, and that the how-to page is true."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

import gndp
from tests.journeys.command_line import Run, succeeded, told

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "sla.md"
LOAN_17 = "018f8680-0000-7000-8000-000000000017"
LOAN_18 = "018f8680-0000-7000-8000-000000000018"
OFFICE = """
time_zone: Europe/Berlin
hours: {"0": [["09:00", "12:30"], ["13:30", "17:30"]], "1": [["09:00", "17:00"]], "2": [["09:00", "17:00"]]}
country: DE
region: DE-BY
holidays: ["2024-12-24"]
"""
POLICY = """
name: care
target_minutes: 600
calendar: office
pause: [process.suspended, {event: task.waiting, reasons: [customer, supplier]}]
warnings: [{percent: 50}, {minutes_before: 30}]
escalations:
  - {after_minutes: -30, to: assignee}
  - {after_minutes: 0, to: person, person: boss}
  - {after_minutes: 90, to: manager, action: raise_priority}
"""


@pytest.fixture
def files(folder: Path) -> Path:
    """A folder with a calendar and a policy along it."""
    (folder / "office.yaml").write_text(OFFICE)
    (folder / "care.yaml").write_text(POLICY)
    return folder


class History:
    """Loans on a clock of their own, so that what is read later is the same each time."""

    def __init__(self, database_url: str) -> None:
        self.now = utc("2024-05-17 13:00")
        self.wb = gndp.connect(database_url, clock=lambda: self.now)

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.wb.close()

    def start(self, process_id: str, name: str, **more: Any) -> None:
        self.wb.processes.start(
            id=process_id,
            process_definition_id="purchase_loan",
            process_name=name,
            process_type="journey",
            initiated_by="ann",
            **more,
        )

    def play_the_page(self) -> None:
        """What the how-to page tells of loans 17 and 18."""
        self.start(LOAN_17, "Loan 17")
        self.start(LOAN_18, "Loan 18")
        task = self.wb.tasks.create(
            process_instance_id=LOAN_17,
            task_definition_id="take_application",
            task_name="Take the application",
            task_type="manual",
        )
        self.now = utc("2024-05-17 13:40")
        self.wb.tasks.start(task.id, user_id="ann")
        self.now = utc("2024-05-21 08:00")
        self.wb.processes.suspend(LOAN_17, user_id="ann", reason="the system is down")
        self.now = utc("2024-05-21 13:00")
        self.wb.processes.resume(LOAN_17, user_id="ann")
        self.now = utc("2024-05-23 09:00")
        self.wb.tasks.complete(task.id, user_id="ann")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def lines(output: str) -> list[str]:
    return [line.rstrip() for line in output.splitlines()]


# Calendars --------------------------------------------------------------------------------------------


def test_a_calendar_is_saved_shown_and_saved_again(run_here: Run, files: Path) -> None:
    saved = succeeded(run_here("calendars", "save", "office", "office.yaml"))
    assert saved == (
        "calendar office: Monday 09:00–12:30, 13:30–17:30; Tuesday–Wednesday 09:00–17:00 in Europe/Berlin\n"
    )
    shown = succeeded(run_here("calendars", "show", "office"))
    assert lines(shown)[:6] == [
        "calendar           office",
        "time zone          Europe/Berlin",
        "Monday             09:00–12:30, 13:30–17:30",
        "Tuesday–Wednesday  09:00–17:00",
        "Thursday–Sunday    closed",
        "closed on          holidays of DE-BY, 2024-12-24",
    ]
    (files / "again.json").write_text(succeeded(run_here("calendars", "show", "office", "--json")))
    again = json.loads(succeeded(run_here("calendars", "save", "again", "again.json", "--json")))
    assert again == json.loads((files / "again.json").read_text())
    assert "holidays of DE-BY, own dates: 1" in succeeded(run_here("calendars", "list"))
    listed = json.loads(succeeded(run_here("calendars", "list", "--json")))
    assert listed == [{"name": name, **again} for name in ("again", "office")]


def test_working_minutes_are_added_and_counted(run_here: Run, files: Path) -> None:
    succeeded(run_here("calendars", "save", "office", "office.yaml"))
    start = "2024-05-15T16:00+02:00"  # a Wednesday; Monday 20 May is Whit Monday

    def answer(*arguments: object) -> str:
        return succeeded(run_here("calendars", *arguments))

    assert answer("add", "office", start, 60) == "Wed 2024-05-15 17:00:00+02:00\n"
    assert answer("add", "office", start, "60.5") == "Tue 2024-05-21 09:00:30+02:00\n"
    assert answer("add", "office", start, -421) == "Tue 2024-05-14 16:59:00+02:00\n"
    assert answer("between", "office", start, "2024-05-21T10:00Z") == "240 working minutes (4 h)\n"
    assert answer("between", "office", "2024-05-21T10:00Z", start) == "-240 working minutes (-4 h)\n"
    added = json.loads(answer("add", "office", start, 60, "--json"))
    assert (added["start"], added["instant"]) == ("2024-05-15T14:00:00+00:00", "2024-05-15T15:00:00+00:00")
    assert json.loads(answer("between", "office", start, start, "--json"))["minutes"] == 0


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("hours: {}", ["hours: never opens"]),
        ('hours: {"0": []}', ["hours: never opens"]),
        ('hours: {"0": [["09:00", "12:30"], ["12:00", "17:00"]]}', ["hours[", "overlaps 09:00–12:30"]),
        ('{time_zone: Europe/Atlantis, hours: {"0": [["09:00", "17:00"]]}}', ["time_zone: is no known"]),
        (
            "{country: XX, hours: {}, colour: red}",
            ["country: ", "hours: never", "colour: is no key"],
        ),
        ("[monday, tuesday]", ["a calendar must be an object"]),
        ("hours: {0: [[", ["line ", "column ", "is not YAML"]),
        ("", ["the document is empty"]),
    ],
)
def test_a_bad_calendar_is_refused_with_all_its_problems(
    run_here: Run, folder: Path, document: str, words: list[str]
) -> None:
    (folder / "bad.yaml").write_text(document)
    line = told(run_here("calendars", "save", "bad", "bad.yaml"), 2)
    assert [word for word in words if word not in line] == []
    assert json.loads(succeeded(run_here("calendars", "list", "--json"))) == []


def test_what_calendars_cannot_answer_is_told(run_here: Run, files: Path) -> None:
    succeeded(run_here("calendars", "save", "office", "office.yaml"))
    noon = "2024-05-15T12:00+02:00"
    for arguments, words in (
        (("show", "nowhere"), "no calendar nowhere"),
        (("add", "nowhere", noon, 60), "no calendar nowhere"),
        (("between", "nowhere", noon, noon), "no calendar nowhere"),
        (("add", "office", "2024-05-15T12:00", 60), "start: has no time zone"),
        (("add", "office", "noon", 60), "start: is no instant"),
        (("add", "office", noon, "nan"), "minutes: is not a finite number"),
        (("add", "office", noon, "1e308"), "minutes: leads beyond the years"),
        (("add", "office", noon, "-1e12"), "minutes: leads beyond the years"),
        (("add", "office", "0001-01-01T00:00+14:00", 60), "start: is outside the years"),
        (("between", "office", noon, "2024-05-15"), "end: has no time zone"),
        (("between", "office", "", noon), "start: is no instant"),
    ):
        assert words in told(run_here("calendars", *arguments), 2)
    assert run_here("calendars", "add", "office", noon, "many").returncode == 2
    assert "none.yaml: No such file" in told(run_here("calendars", "save", "none", "none.yaml"), 3)


def test_a_calendar_that_stays_closed_for_decades_is_shown_and_answers_so(
    run_here: Run, folder: Path
) -> None:
    mondays = [str(date(2020, 1, 6) + timedelta(weeks=week)) for week in range(60 * 53)]
    (folder / "closed.json").write_text(
        json.dumps({"hours": {"0": [["09:00", "10:00"]]}, "holidays": mondays})
    )
    succeeded(run_here("calendars", "save", "closed", "closed.json"))
    refused = "no working time for more than 50 years"
    assert refused in told(run_here("calendars", "add", "closed", "2024-05-15T12:00Z", 1), 2)
    preview = ("preview", "--target", 60, "--calendar", "closed", "--opened-at", "2024-05-15T12:00Z")
    assert refused in told(run_here("sla", *preview), 2)
    (row,) = (line for line in lines(succeeded(run_here("calendars", "show", "closed"))) if "opens" in line)
    assert refused in row


def test_the_edges_of_time_are_shown_though_no_clock_can(run_here: Run, files: Path) -> None:
    (files / "samoa.yaml").write_text('{time_zone: Pacific/Apia, hours: {"4": [["00:00", "24:00"]]}}')
    succeeded(run_here("calendars", "save", "samoa", "samoa.yaml"))
    assert succeeded(run_here("calendars", "add", "samoa", "9999-12-31T23:59Z", 0)) == (
        "Fri 9999-12-31 23:59:00 UTC\n"
    )


def test_a_calendar_that_cannot_be_used_any_more_is_listed_with_the_reason(
    run_here: Run, files: Path, database_url: str
) -> None:
    succeeded(run_here("calendars", "save", "office", "office.yaml"))
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE calendars SET document = replace(document::text, 'Berlin', 'Atlantis')::json"
        )
    assert "cannot be used: time_zone: is no known time zone" in succeeded(run_here("calendars", "list"))
    (listed,) = json.loads(succeeded(run_here("calendars", "list", "--json")))
    assert "Europe/Atlantis" in listed["problem"]
    assert "Europe/Atlantis" in told(run_here("calendars", "show", "office"), 2)


# Policies ---------------------------------------------------------------------------------------------


def test_a_policy_is_published_shown_and_retired(run_here: Run, files: Path) -> None:
    succeeded(run_here("calendars", "save", "office", "office.yaml"))
    first = succeeded(run_here("sla", "publish", "care.yaml", "--user", "ann"))
    assert first == "care, version 1: resolution of processes within 10 h along office\n"
    assert succeeded(run_here("sla", "publish", "care.yaml", "--user", "bob")) == first
    shown = lines(succeeded(run_here("sla", "show", "care")))
    assert shown[0] == "policy           care"
    assert shown[1].endswith(" UTC by ann")
    assert shown[2:] == [
        "retired at       –",
        "description      –",
        "for              all processes",
        "objective        resolution",
        "target           10 h",
        "calendar         office",
        "start            process.started",
        "pause            process.suspended, task.waiting (customer or supplier)",
        "resume           –",
        "stop             process.completed",
        "cancel           –",
        "warnings         5 h before due; 30 min before due",
        "escalations      30 min before due: tell the assignee; at due: tell boss; 1 h 30 min after due: "
        "raise the priority",
        "business impact  –",
    ]
    (files / "care.yaml").write_text(
        "{name: care, item: task, target_minutes: 90, applies_to: {steps: [a, b], priorities: [high]}}"
    )
    second = json.loads(succeeded(run_here("sla", "publish", "care.yaml", "--json")))
    assert (second["version"], second["document"]["target_minutes"]) == (2, 90)
    table = succeeded(run_here("sla", "list"))
    assert "tasks, step a or b, priority high" in table
    assert "1 h 30 min" in table
    assert "; retired at " in succeeded(run_here("sla", "retire", "care"))
    (listed,) = json.loads(succeeded(run_here("sla", "list", "--json")))
    assert listed["retired_at"] is not None
    assert "version 3" in succeeded(run_here("sla", "publish", "care.yaml"))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{name: p, target_minutes: 60, calendar: nowhere}", ["calendar: there is no calendar nowhere"]),
        (
            "{name: p, target_minutes: 60, start: [process.started], stop: [process.started]}",
            ["start: process.started starts the clock and ends it at once"],
        ),
        (
            "{name: p, item: task, target_minutes: 60, start: [task.completed], stop: [task.started]}",
            ["stop: comes before the clock can start"],
        ),
        (
            "{name: p, target_minutes: 60, pause: [task.assigned]}",
            ["pause[0]: the pause from task.assigned never ends"],
        ),
        (
            "{name: p, target_minutes: 9, pause: [task.assigned], stop: [x], warnings: [minutes_before: 9]}",
            ["pause[0]: ", "stop[0]: no event 'x'", "warnings[0]: would warn before"],
        ),
        ("{name: two words, target_minutes: 0}", ["name: ", "target_minutes: "]),
        ("name: p\ntarget_minutes: [", ["is not YAML"]),
        ("60", ["a policy must be an object"]),
    ],
)
def test_a_bad_policy_is_refused_with_all_its_problems(
    run_here: Run, folder: Path, document: str, words: list[str]
) -> None:
    (folder / "bad.yaml").write_text(document)
    for command in (("publish", "bad.yaml"), ("preview", "--file", "bad.yaml")):
        line = told(run_here("sla", *command), 2)
        assert [word for word in words if word not in line] == []
    assert json.loads(succeeded(run_here("sla", "list", "--json"))) == []


def test_a_preview_says_what_comes_when(run_here: Run, files: Path) -> None:
    succeeded(run_here("calendars", "save", "office", "office.yaml"))
    succeeded(run_here("sla", "publish", "care.yaml"))
    opened = ("--opened-at", "2024-05-15T08:00Z")
    by_name = succeeded(run_here("sla", "preview", "care", *opened))
    assert [re.sub("  +", "  ", line) for line in lines(by_name)] == [
        "care: 10 h along office (Europe/Berlin)",
        "  at  time worked  what it means",
        "opened  Wed 2024-05-15 10:00:00+02:00  0 min  the clock starts",
        "warning 1  Wed 2024-05-15 15:00:00+02:00  5 h  at risk",
        "warning 2  Tue 2024-05-21 11:30:00+02:00  9 h 30 min  at risk",
        "escalation 1  Tue 2024-05-21 11:30:00+02:00  9 h 30 min  tell the assignee",
        "due  Tue 2024-05-21 12:00:00+02:00  10 h  met until here, breached after it",
        "escalation 2  Tue 2024-05-21 12:00:00+02:00  10 h  tell boss",
        "escalation 3  Tue 2024-05-21 13:30:00+02:00  11 h 30 min  raise the priority",
    ]
    assert succeeded(run_here("sla", "preview", "--file", "care.yaml", *opened)) == by_name
    told_as_json = json.loads(succeeded(run_here("sla", "preview", "care", "--json", *opened)))
    assert told_as_json["due_at"] == "2024-05-21T10:00:00+00:00"
    assert [level["minutes_before"] for level in told_as_json["warnings"]] == [300, 30]
    assert [level["after_minutes"] for level in told_as_json["escalations"]] == [-30, 0, 90]
    along = succeeded(run_here("sla", "preview", "--target", 600, "--calendar", "office", *opened))
    assert "due        Tue 2024-05-21 12:00:00+02:00  10 h" in along
    plain = succeeded(run_here("sla", "preview", "--target", 600, *opened))
    assert "due        Wed 2024-05-15 18:00:00 UTC  10 h" in plain


# Clocks -----------------------------------------------------------------------------------------------


def test_clocks_are_shown_as_they_stood_at_any_moment(run_here: Run, files: Path, database_url: str) -> None:
    succeeded(run_here("calendars", "save", "office", "office.yaml"))
    succeeded(run_here("sla", "publish", "care.yaml"))
    with History(database_url) as history:
        history.start(LOAN_17, "Loan 17", sla_target_mins=30)
        history.now = utc("2024-05-21 08:00")
        history.wb.processes.suspend(LOAN_17, user_id="ann", reason="holiday")

    def clocks(as_of: str) -> list[list[str]]:
        table = succeeded(run_here("sla", "clocks", "--process", LOAN_17, "--as-of", as_of))
        return [re.split("  +", line) for line in lines(table)]

    assert clocks("2024-05-17T12:59:59Z") == [["no clock had started by Fri 2024-05-17 12:59:59 UTC"]]
    (title,), columns, plain, care = clocks("2024-05-17T15:00+02:00")
    assert title == "Loan 17, as of Fri 2024-05-17 13:00:00 UTC"
    assert columns[2:4] == ["status", "clock"]
    assert plain[:4] == ["sla_target_mins", "sla_target_mins", "on_track", "running"]
    assert care[4:] == ["Wed 2024-05-22 09:00:00 UTC", "10 h", "0 min", "10 h", "Tue 2024-05-21 12:00:00 UTC"]
    _, _, plain, care = clocks("2024-05-21T11:00+02:00")
    assert plain[2] == "breached"
    assert (care[2:4], care[5:8]) == (["on_track", "paused"], ["10 h", "1 h", "9 h"])

    as_json = json.loads(succeeded(run_here("sla", "clocks", "--process", LOAN_17, "--json")))
    assert [found["clock"]["objective"] for found in as_json] == ["sla_target_mins", "resolution"]
    assert as_json[1]["reading"]["elapsed_seconds"] == 3600
    assert as_json[1]["reading"]["is_paused"]


def test_recomputing_shows_what_was_and_what_is(run_here: Run, files: Path, database_url: str) -> None:
    (files / "late.yaml").write_text("{name: late, item: task, target_minutes: 10}")
    succeeded(run_here("sla", "publish", "late.yaml"))
    with History(database_url) as history:
        history.start(LOAN_17, "Loan 17")
        task = history.wb.tasks.create(
            process_instance_id=LOAN_17, task_definition_id="t", task_name="Task", task_type="manual"
        )
        history.wb.tasks.start(task.id, user_id="ann")
        history.now = utc("2024-05-17 13:11")
        history.wb.tasks.complete(task.id, user_id="ann")
    command = ("sla", "recompute", "--task", task.id, "--reason", "too short", "--user", "eve")
    assert succeeded(run_here(*command)).endswith("nothing changes\n")
    (files / "late.yaml").write_text("{name: late, item: task, target_minutes: 11}")
    succeeded(run_here("sla", "publish", "late.yaml"))
    assert [re.split("  +", line) for line in lines(succeeded(run_here(*command)))[1:]] == [
        ["resolution", "before", "late", "10 min", "Fri 2024-05-17 13:10:00 UTC", "breached"],
        ["resolution", "after", "late", "11 min", "Fri 2024-05-17 13:11:00 UTC", "met"],
    ]
    as_json = json.loads(succeeded(run_here(*command, "--json")))
    assert [part["reading"]["status"] for when in ("before", "after") for part in as_json[when]] == [
        "met"
    ] * 2
    with gndp.connect(database_url) as workbench:
        (event,) = (
            e for e in workbench.processes.events(LOAN_17, limit=500) if e.event_type == "sla.recomputed"
        )
        assert (event.user_id, event.details["reason"]) == ("eve", "too short")
        assert workbench.check().ok


def test_what_sla_refuses_is_told(run_here: Run, folder: Path) -> None:
    nobody = "0" * 32
    (folder / "care.yaml").write_text(POLICY)
    for arguments, words in (
        (("show", "nothing"), "no policy nothing"),
        (("retire", "nothing"), "no policy nothing"),
        (("preview", "nothing"), "no policy nothing"),
        (("publish", "care.yaml"), "there is no calendar office"),
        (("preview",), "--file or --target, one of them"),
        (("preview", "nothing", "--target", 60), "--file or --target, one of them"),
        (("preview", "nothing", "--calendar", "office"), "--calendar goes with --target"),
        (("preview", "--target", 60, "--calendar", "nowhere"), "there is no calendar nowhere"),
        (("preview", "--target", 0), "target_minutes: "),
        (("preview", "--target", 60, "--opened-at", "2024-05-15T10:00"), "opened_at: has no time zone"),
        (("preview", "--target", 60, "--opened-at", "soon"), "opened_at: is no instant"),
        (("preview", "--target", 60, "--opened-at", "9999-12-31T23:30Z"), "leads beyond the years"),
        (("clocks",), "give --process or --task"),
        (("clocks", "--process", nobody, "--task", nobody), "give --process or --task"),
        (("clocks", "--process", "Loan 17"), "process_id: is not a UUID: 'Loan 17'"),
        (("clocks", "--process", nobody), "no process 00000000-"),
        (("clocks", "--task", nobody), "no task 00000000-"),
        (("clocks", "--process", nobody, "--as-of", "yesterday"), "as_of: is no instant"),
        (("recompute", "--process", nobody, "--reason", "so"), "no process 00000000-"),
        (("recompute", "--reason", "so"), "give --process or --task"),
    ):
        assert words in told(run_here("sla", *arguments), 2)
    assert "none.yaml: No such file" in told(run_here("sla", "publish", "none.yaml"), 3)
    assert "--reason" in run_here("sla", "recompute", "--process", nobody).stderr


def test_an_instant_without_a_zone_and_a_blank_reason_are_refused(run_here: Run, database_url: str) -> None:
    with History(database_url) as history:
        history.start(LOAN_17, "Loan 17")
    item = ("--process", LOAN_17)
    assert "as_of: has no time zone" in told(run_here("sla", "clocks", *item, "--as-of", "2024-05-18"), 2)
    assert "reason: " in told(run_here("sla", "recompute", *item, "--reason", " "), 2)


# The page ---------------------------------------------------------------------------------------------


def played(page: str, run_here: Run, folder: Path, database_url: str) -> str:
    """The page with its commands run, in their order, and what they answered in place of what it says."""
    history_is_there = False

    def answered(block: re.Match[str]) -> str:
        nonlocal history_is_there
        shown = []
        for line in block[0].splitlines():
            if line.startswith("# "):
                (folder / line[2:]).write_text(block[0].partition("\n")[2].removesuffix("```"))
            if line.startswith("$ gndp "):
                if LOAN_17 in line and not history_is_there:
                    with History(database_url) as history:
                        history.play_the_page()
                    history_is_there = True
                shown += [line, *answer(line)]
        return "\n".join(["```console", *shown, "```"]) if shown else block[0]

    def answer(line: str) -> list[str]:
        result = run_here(*re.findall(r'"[^"]*"|\S+', line.removeprefix("$ gndp ")))
        return lines(result.stdout + result.stderr)

    return re.sub(r"```(yaml|console)\n.*?```", answered, page, flags=re.DOTALL)


def without_what_differs(page: str) -> str:
    """A page without how long a job took, and without the instant of today."""
    return re.sub(r"after \d+\.\d s|as of \w{3} 20(?!24).* UTC", "…", page)


def test_the_page_says_what_the_commands_answer(run_here: Run, folder: Path, database_url: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    truth = played(page, run_here, folder, database_url)
    assert without_what_differs(truth) == without_what_differs(page)

    example = page.partition("```python\n")[2].partition("```")[0]
    result = subprocess.run(
        [sys.executable, "-c", example],
        cwd=folder,
        env=os.environ | {"GNDP_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "Loan 17 resolution met" in result.stdout
