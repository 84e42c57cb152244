"""The command line as a person or a script meets it: a process, its output, its exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner

import gndp
from gndp.cli import app
from gndp.core.states_page import states_page
from tests.journeys.command_line import GNDP, Run, succeeded, told

TEMPLATE = """
id: hiring
name: Hiring
steps:
  - {id: read, name: Read the letter}
  - {id: talk, name: Talk, depends_on: [read]}
"""
LOG = """Case,Activity,Completed at,Resource
a,Register,2024-03-01T09:00:00Z,ann
a,Decide,2024-03-01T10:00:00Z,bob
b,Register,yesterday,ann
b,Register,2024-03-02T09:00:00Z,ann
"""


@pytest.mark.parametrize(
    "command",
    [
        *([], ["init"], ["stop"], ["check"], ["settings"], ["states"], ["serve"], ["replay"], ["export"]),
        *(["definitions"], ["definitions", "publish"], ["definitions", "list"]),
        *(["directory"], ["directory", "teams"], ["directory", "people"], ["directory", "import"]),
        *(["directory", "add-team"], ["directory", "update-team"], ["directory", "out-of-office"]),
        *(["directory", "add-person"], ["directory", "update-person"]),
        *(["events"], ["events", "catalogue"], ["events", "tail"], ["events", "subscriptions"]),
        *(["events", "dead"], ["events", "unsubscribe"], ["events", "rebase"]),
        *(["jobs"], ["jobs", "runs"], ["jobs", "run"]),
        *(["audit"], ["audit", "anchor"], ["audit", "verify"]),
        *(["accounts"], ["accounts", "link"], ["accounts", "sign-out"], ["accounts", "tokens"]),
        *(["accounts", "token"], ["accounts", "revoke"]),
        *(["calendars"], ["calendars", "save"], ["calendars", "list"], ["calendars", "show"]),
        *(["calendars", "add"], ["calendars", "between"]),
        *(["sla"], ["sla", "publish"], ["sla", "list"], ["sla", "show"], ["sla", "retire"]),
        *(["sla", "preview"], ["sla", "clocks"], ["sla", "recompute"]),
        ["schema"],
    ],
    ids=" ".join,
)
def test_every_command_has_help(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage: " in result.output


def test_a_database_is_made_and_checked(run: Run, database_url: str) -> None:
    assert "is ready" in succeeded(run("init", "--database-url", database_url))
    report = json.loads(succeeded(run("check", "--json", GNDP_DATABASE_URL=database_url)))
    assert report["ok"]
    assert report["violations"] == []
    assert len(report["invariants"]) > 20


def test_a_check_names_what_is_broken(run_here: Run, database_url: str) -> None:
    with gndp.connect(database_url) as workbench:
        process = workbench.processes.start(
            process_definition_id="d", process_name="p", process_type="custom", initiated_by="ann"
        )
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE process_instances SET status = 'suspended'")
    result = run_here("check", "--database-url", database_url)
    assert result.returncode == 1
    assert "event_fold: 1 broken" in result.stdout
    assert str(process.id) in result.stdout
    as_json = run_here("check", "--database-url", database_url, "--json")
    assert as_json.returncode == 1
    assert str(process.id) in {violation["id"] for violation in json.loads(as_json.stdout)["violations"]}


def test_a_definition_is_published_and_listed(run_here: Run, database_url: str, folder: Path) -> None:
    file = folder / "hiring.yaml"
    file.write_text(TEMPLATE)
    common = ("--database-url", database_url)
    answer = json.loads(
        succeeded(run_here("definitions", "publish", file, "--user", "ann", "--json", *common))
    )
    assert (answer["id"], answer["version"], answer["published_by"]) == ("hiring", 1, "ann")
    assert "Hiring" in succeeded(run_here("definitions", "list", *common))
    file.write_text(TEMPLATE.replace("[read]", "[nothing]").replace("id: read", "id: talk"))
    refused = told(run_here("definitions", "publish", file, *common), 2)
    assert "nothing" in refused
    assert refused.count("steps[") >= 2


def test_a_log_is_replayed_once_and_exported(run_here: Run, database_url: str, folder: Path) -> None:
    file = folder / "log.csv"
    file.write_text(LOG)
    common = ("--database-url", database_url)
    first = run_here("replay", file, *common)
    assert first.returncode == 1
    assert "case id: Case (guessed)" in first.stdout
    assert "2 cases with 3 tasks loaded" in first.stdout
    (problem,) = first.stderr.splitlines()
    assert problem.startswith("not loaded: line 4: ")
    again = run_here("replay", file, "--activity", "Activity", "--json", *common)
    report = json.loads(again.stdout)
    assert (report["cases"], report["skipped"], len(report["problems"])) == (0, 2, 1)
    exported = json.loads(
        succeeded(run_here("export", folder / "out.csv", "--tag", report["tag"], "--json", *common))
    )
    assert (exported["cases"], exported["activities"]) == (2, 3)
    assert "Decide" in (folder / "out.csv").read_text()
    assert "all hold" in succeeded(run_here("check", *common))


def test_a_log_is_replayed_with_its_priorities(run_here: Run, database_url: str, folder: Path) -> None:
    file = folder / "tickets.csv"
    header, *rows = (
        "Case,Activity,Complete Timestamp,Severity",
        "a,open,{},2 - High",
        "b,open,{},P1",
        "c,open,{},",
    )
    file.write_text("\n".join([header, *(row.format("2024-03-01T09:00:00Z") for row in rows)]))
    common = ("replay", file, "--database-url", database_url)
    assert "has no =" in run_here(*common, "--priority", "Severity", "--priority-map", "P1").stderr
    assert "needs the column" in run_here(*common, "--priority-map", "P1=critical").stderr
    done = succeeded(run_here(*common, "--priority", "Severity", "--priority-map", "P1=critical"))
    assert "priority '2 - High' is read as high" in done
    assert "priority 'P1' is read as critical" in done
    assert "events without a value in Severity: 1" in done
    with gndp.connect(database_url) as workbench:
        read = {p.process_name: p.priority for p in workbench.processes.list().processes}
    assert read == {"a": "high", "b": "critical", "c": "medium"}


def test_people_and_teams_are_kept_from_the_command_line(run_here: Run, database_url: str) -> None:
    def directory(*arguments: object) -> str:
        return succeeded(run_here("directory", *arguments, "--database-url", database_url))

    assert "team uw: no lead" in directory("add-team", "uw", "--load-measure", "priority")
    directory("add-person", "ann", "--team", "uw", "--skills", "law:3, kyc:2", "--capacity", 4)
    assert "bob: Bob, lead, no team, active" in directory(
        "add-person", "bob", "--name", "Bob", "--role", "lead"
    )
    assert "led by ann" in directory("update-team", "uw", "--lead", "ann", "--imbalance-limit", 2)
    assert "ann  " in directory("teams")
    (team,) = json.loads(directory("teams", "--json"))
    assert (team["name"], team["lead"], team["load_measure"]) == ("uw", "ann", "priority")
    assert team["imbalance_limit"] == 2
    table = directory("people", "--team", "uw")
    assert "kyc:2, law:3" in table
    assert "bob" not in table
    away = directory("out-of-office", "ann", "--until", "2999-08-15T08:00+02:00", "--substitute", "bob")
    assert "away until 2999-08-15 06:00 UTC, bob stands in" in away
    assert "active" in directory("out-of-office", "ann", "--back")
    assert "not active" in directory("update-person", "ann", "--inactive", "--no-capacity", "--team", "")
    cleared = json.loads(directory("update-team", "uw", "--lead", "", "--no-imbalance-limit", "--json"))
    assert (cleared["lead"], cleared["imbalance_limit"]) == (None, None)
    ann, bob = json.loads(directory("people", "--json"))
    assert (ann["team"], ann["capacity"], ann["active"], ann["skills"]) == (
        None,
        None,
        False,
        {"law": 3, "kyc": 2},
    )
    assert (bob["name"], bob["role"], bob["active"]) == ("Bob", "lead", True)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["people", "--team", "none"], "no team none"),
        (["add-person", "ann", "--team", "none"], "there is no team 'none'"),
        (["add-person", "ann", "--capacity", "0"], "active=False"),
        (["add-person", "ann", "--skills", "kyc"], "kyc:2"),
        (["update-person", "ann", "--capacity", "3"], "no person ann"),
        (["update-person", "ann", "--capacity", "3", "--no-capacity"], "not both"),
        (["out-of-office", "ann"], "--until or --back"),
        (["out-of-office", "ann", "--until", "2999-08-15T08:00Z", "--back"], "--until or --back"),
        (["out-of-office", "ann", "--until", "tomorrow"], "until: is no instant"),
        (["out-of-office", "ann", "--until", "2999-08-15"], "no time zone"),
        (["import", "no_such_file.csv"], "no_such_file.csv"),
    ],
)
def test_what_the_directory_refuses_is_told(
    run_here: Run, database_url: str, arguments: list[str], word: str
) -> None:
    assert word in told(run_here("directory", *arguments, "--database-url", database_url), 2)


def test_people_are_imported_once_and_all_or_none(run_here: Run, database_url: str, folder: Path) -> None:
    file = folder / "people.csv"
    common = ("--database-url", database_url)
    file.write_text("user_id,team,skills\nann,uw,kyc:2\nbob,uw,kyc\n")
    assert "line 3, skills" in told(run_here("directory", "import", file, *common), 2)
    assert json.loads(succeeded(run_here("directory", "people", "--json", *common))) == []
    some = run_here("directory", "import", file, "--skip-bad-rows", *common)
    assert some.returncode == 1
    assert "1 people added, 0 updated, 0 unchanged" in some.stdout
    assert "new teams: uw" in some.stdout
    assert some.stderr.startswith("left out: line 3, skills: ")
    file.write_text("user_id,team,skills\nann,uw,kyc:2\nbob,uw,kyc:4\n")
    report = json.loads(succeeded(run_here("directory", "import", file, "--json", *common)))
    assert (report["added"], report["unchanged"], report["problems"]) == (["bob"], ["ann"], [])
    again = succeeded(run_here("directory", "import", file, *common))
    assert again == "0 people added, 0 updated, 2 unchanged\n"


def test_settings_say_where_they_come_from_and_mask_secrets(run_inside: Run, folder: Path) -> None:
    (folder / ".env").write_text("GNDP_DATABASE_URL=postgresql://ann:hunter2@host/db\nGNDP_HOST=127.0.0.9\n")
    output = succeeded(run_inside("settings", "--json", GNDP_PORT=9000))
    shown = {name: (found["value"], found["source"]) for name, found in json.loads(output).items()}
    assert shown["GNDP_PORT"] == (9000, "environment")
    assert shown["GNDP_HOST"] == ("127.0.0.9", ".env")
    assert shown["GNDP_LOG_LEVEL"] == ("warning", "default")
    assert shown["GNDP_DATABASE_URL"][1] == ".env"
    table = succeeded(run_inside("settings"))
    assert "hunter2" not in output + table
    assert "GNDP_DATA_DIR" in table


def test_the_page_of_states_is_printed_and_written(run_inside: Run, folder: Path) -> None:
    assert succeeded(run_inside("states")) == states_page()
    assert succeeded(run_inside("states", "--write", folder / "states.md")) == ""
    assert (folder / "states.md").read_text(encoding="utf-8") == states_page()


def test_the_schema_of_a_document_is_printed_and_written(run_inside: Run, folder: Path) -> None:
    printed = succeeded(run_inside("schema", "policy"))
    assert json.loads(printed)["title"] == "GNDP SLA policy"
    assert succeeded(run_inside("schema", "calendar", "--write", folder / "calendar.json")) == ""
    assert json.loads((folder / "calendar.json").read_text(encoding="utf-8"))["required"] == ["hours"]
    assert run_inside("schema", "poem").returncode == 2


def test_the_embedded_server_serves_a_command_and_stops(run: Run, folder: Path) -> None:
    data_dir = folder / "data"
    assert "all hold" in succeeded(run("check", "--data-dir", data_dir))
    assert "was not running" in succeeded(run("stop", GNDP_DATA_DIR=data_dir))
    (data_dir / "pgdata" / "global" / "pg_control").write_bytes(b"")
    assert str(data_dir) in told(run("check", "--data-dir", data_dir), 3)


def test_a_newer_database_is_refused(run_inside: Run, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_future'")
    assert "newer version" in told(run_inside("check", "--database-url", database_url), 3)


def test_a_user_without_rights_is_told_so(run_inside: Run, database_url: str) -> None:
    user = f"gndp_test_{uuid4().hex}"
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {user} LOGIN")
        try:
            url = psycopg.conninfo.make_conninfo(database_url, user=user)
            assert "permission denied" in told(run_inside("check", "--database-url", url), 3)
        finally:
            admin.execute(f"DROP ROLE {user}")


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "words"),
    [
        (["check", "--database-url", "postgresql://127.0.0.1:1/none"], {}, 3, "cannot reach the database"),
        (["check", "--database-url", "nonsense"], {}, 2, "the database URL cannot be read"),
        (["check", "--database-url", "postgresql://127.0.0.1:1/none", "--data-dir", "x"], {}, 2, "not both"),
        (["check", "--data-dir", "/etc/hostname"], {}, 3, "/etc/hostname is not a directory"),
        (["settings"], {"GNDP_PORT": "many"}, 2, "GNDP_PORT: "),
        (["states", "--write", "no/such/folder"], {}, 3, "no/such/folder: No such file"),
    ],
    ids=lambda value: "" if isinstance(value, dict | list) else str(value),
)
def test_what_cannot_be_is_said_in_one_line(
    run_inside: Run, arguments: list[str], settings: dict[str, str], code: int, words: str
) -> None:
    assert words in told(run_inside(*arguments, **settings), code)


def test_it_serves_until_it_is_told_to_stop(run: Run, folder: Path) -> None:
    data_dir = folder / "data"
    command = [GNDP, "serve", "--port", "0", "--data-dir", data_dir]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as server:
        assert server.stdout is not None
        ready = re.search(r"http://127\.0\.0\.1:(\d+)/", server.stdout.readline())
        assert ready is not None
        link = re.search(
            r"set the password of admin .*: (http\S+)/sign-in#link=\S+", server.stdout.readline()
        )
        assert link is not None and link[1] == ready[0].rstrip("/")
        with urllib.request.urlopen(ready[0], timeout=60) as page:
            assert page.status == 200 and page.url.startswith(f"{link[1]}/sign-in")
        busy = told(run("serve", "--port", ready[1], "--data-dir", data_dir), 3)
        assert f"cannot listen on 127.0.0.1:{ready[1]}" in busy
        server.terminate()
        assert server.wait(60) == 0
    assert "was not running" in succeeded(run("stop", "--data-dir", data_dir))


def test_only_this_machine_is_served_without_authentication(run_inside: Run, database_url: str) -> None:
    command = ("serve", "--host", "0.0.0.0", "--database-url", database_url)
    assert "only loopback" in told(run_inside(*command, GNDP_AUTH="off"), 2)


def test_wrong_usage_is_refused(run_inside: Run) -> None:
    result = run_inside("check", "--no-such-option")
    assert result.returncode == 2
    assert "No such option" in result.stderr


@pytest.mark.parametrize("number", [0, 1])
def test_the_examples_of_the_readme_run(database_url: str, number: int) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    example = readme.split("```python\n")[number + 1].partition("```")[0]
    result = subprocess.run(
        [sys.executable, "-c", example],
        env=os.environ | {"GNDP_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith(["Index: []\n", "completed\n"][number]), result.stdout
