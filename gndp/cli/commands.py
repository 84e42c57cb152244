"""The commands of ``gndp``, in the order in which ``gndp --help`` lists them."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer
from psycopg.conninfo import conninfo_to_dict
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from gndp.access.rights_page import rights_page
from gndp.cli.accounts import accounts_app
from gndp.cli.audit import audit_app
from gndp.cli.calendars import calendars_app
from gndp.cli.directory import directory_app
from gndp.cli.events import events_app
from gndp.cli.exits import EXIT_CODES, FOUND
from gndp.cli.jobs import jobs_app
from gndp.cli.options import DatabaseUrl, DataDir, Json, WriteTo, opened, read_settings, system_user
from gndp.cli.output import one_line, print_json, print_page, print_table, progress_bar
from gndp.cli.sla import sla_app
from gndp.core.errors import Invalid
from gndp.core.schemas import calendar_json_schema, policy_json_schema
from gndp.core.states_page import states_page
from gndp.core.templates import template_json_schema
from gndp.engine.checker import CheckReport
from gndp.events.handlers import EventLogger
from gndp.formats import EXTENSIONS, Columns
from gndp.settings import Settings
from gndp.store import embedded
from gndp.workbench import Workbench

if TYPE_CHECKING:
    from gndp.replay import ReplayReport
    from gndp.serving.process import Half

app = typer.Typer(
    name="gndp",
    help="The GNDP operations workbench: a workflow engine for work that people do, on PostgreSQL.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
definitions_app = typer.Typer(help="Process definitions: publish one, list them.", no_args_is_help=True)
app.add_typer(definitions_app, name="definitions")
app.add_typer(directory_app, name="directory")
app.add_typer(calendars_app, name="calendars")
app.add_typer(sla_app, name="sla")
app.add_typer(events_app, name="events")
app.add_typer(jobs_app, name="jobs")
app.add_typer(audit_app, name="audit")
app.add_typer(accounts_app, name="accounts")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gndp {version('gndp')}")
        raise typer.Exit


@app.callback(epilog=EXIT_CODES)
def _gndp(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """The GNDP operations workbench: a workflow engine for work that people do, on PostgreSQL."""


@app.command()
def init(database_url: DatabaseUrl = None, data_dir: DataDir = None) -> None:
    """Bring the database to this version's tables.

    Every other command does so by itself.
    """
    with opened(database_url, data_dir) as workbench:
        place = conninfo_to_dict(workbench.database_url)
        typer.echo(f"the database {place.get('dbname', '')} on {place.get('host', 'localhost')} is ready")


@app.command()
def stop(data_dir: DataDir = None) -> None:
    """Stop the embedded PostgreSQL.

    It stops whoever uses it; transactions that are open are undone.
    """
    place = data_dir or read_settings().data_dir or embedded.default_data_dir()
    was_running = embedded.stop(place)
    typer.echo(f"the embedded PostgreSQL in {place} {'is stopped' if was_running else 'was not running'}")


@app.command()
def check(database_url: DatabaseUrl = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Verify what always holds.

    The whole database is verified in one consistent read. When something does not hold, the offending rows
    are listed and the exit code is 1.
    """
    with opened(database_url, data_dir) as workbench:
        report = workbench.check()
    if as_json:
        print_json(
            {
                "ok": report.ok,
                "as_of": report.as_of,
                "rows": report.rows,
                "invariants": [invariant._asdict() for invariant in report.invariants],
                "violations": [violation._asdict() for violation in report.violations],
            }
        )
    else:
        _print_check(report)
    if not report.ok:
        raise typer.Exit(FOUND)


def _print_check(report: CheckReport) -> None:
    for invariant in report.broken:
        typer.echo(f"{invariant.name}: {invariant.offenders:,} broken. {invariant.meaning}")
        listed = [violation for violation in report.violations if violation.invariant == invariant.name]
        for violation in listed:
            typer.echo(one_line(f"  {violation.id}  {violation.detail}"))
        if invariant.offenders > len(listed):
            typer.echo(f"  … and {invariant.offenders - len(listed):,} more")
    counted = ", ".join(f"{count:,} {table}" for table, count in report.rows.items())
    verdict = f"{len(report.broken)} broken" if report.broken else "all hold"
    typer.echo(f"{len(report.invariants)} invariants over {counted}: {verdict}")


@app.command("settings")
def show_settings(as_json: Json = False) -> None:
    """Print every setting and its source.

    The source is the environment, the .env file of the current folder, or the default. Secrets are masked.
    """
    rows = _setting_rows(read_settings())
    if as_json:
        print_json({row.name: {k: v for k, v in row._asdict().items() if k != "name"} for row in rows})
    else:
        print_table(
            ("setting", "value", "source", "meaning"),
            [(row.name, "–" if row.value is None else str(row.value), *row[2:]) for row in rows],
        )


class _SettingRow(NamedTuple):
    """One setting as it is shown."""

    name: str
    value: str | float | None
    source: str
    meaning: str


def _setting_rows(settings: Settings) -> list[_SettingRow]:
    from_environment = EnvSettingsSource(Settings)()
    from_file = DotEnvSettingsSource(Settings)()
    rows = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value is None and name == "data_dir":
            value = embedded.default_data_dir()
        source = "environment" if name in from_environment else ".env" if name in from_file else "default"
        # A secret's own text is its mask.
        shown = value if value is None or isinstance(value, int | float) else str(value)
        if isinstance(value, tuple):
            shown = ", ".join(value) or None
        rows.append(_SettingRow(f"GNDP_{name.upper()}", shown, source, field.description or ""))
    return rows


@app.command()
def states(write: WriteTo = None) -> None:
    """Print what every status means.

    And which may follow which, by which command: the page docs/states.md, drawn from the code.
    """
    print_page(states_page(), write)


@app.command()
def rights(write: WriteTo = None) -> None:
    """Print who may do what.

    The page docs/reference/rights.md, drawn from the policy table that the engine goes by.
    """
    print_page(rights_page(), write)


class _Document(StrEnum):
    """What people write in files."""

    DEFINITION = "definition"
    POLICY = "policy"
    CALENDAR = "calendar"


@app.command()
def schema(
    document: Annotated[_Document, typer.Argument(help="Of what.", show_default=False)], write: WriteTo = None
) -> None:
    """Print the JSON Schema of a document.

    Of process definitions, SLA policies and calendars. Editors complete and check files with it.
    """
    schemas = {
        _Document.DEFINITION: template_json_schema,
        _Document.POLICY: policy_json_schema,
        _Document.CALENDAR: calendar_json_schema,
    }
    print_page(json.dumps(schemas[document](), indent=2, ensure_ascii=False) + "\n", write)


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="The address to listen on. [default: GNDP_HOST, else 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The port, 0 for any. [default: GNDP_PORT, else 8000]"),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo/--no-demo", help="Fill an empty database with a demo.")
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="How many processes answer, all at this address.")
    ] = 1,
    only: Annotated[
        Literal["api", "ui"] | None,
        typer.Option(help="Only the API, or only the workbench's pages.", show_default=False),
    ] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Serve the workbench to browsers and the API to programs, and run the scheduled jobs.

    Goes on until it is told to stop (Ctrl-C, SIGTERM): requests that are under way have ten seconds to end;
    told so twice, it waits for nothing. Of several servers or workers on one database, one at a time runs the
    jobs; GNDP_JOBS=off leaves them to other servers.
    """
    from gndp import server
    from gndp.operations.logs import set_up_logs
    from gndp.serving import process
    from gndp.serving.workers import Plan, serve_with_workers

    settings = read_settings()
    needs_authentication = settings.auth == "on"
    set_up_logs(settings.log_level, settings.log_format)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # how a service is told to stop: no failure
    listening = server.listen(
        settings.host if host is None else host,
        settings.port if port is None else port,
        needs_authentication,
    )
    with listening, opened(database_url, data_dir, settings.statement_timeout_seconds) as workbench:
        is_new_demo = demo and _fill_with_demo(workbench)
        welcome = _welcome(workbench, is_new_demo, only) if needs_authentication else []
        if settings.log_level in ("debug", "info"):
            workbench.events.subscribe("*", EventLogger())

        def on_ready(address: str) -> None:
            _say_where(address, only, welcome)

        if workers > 1:
            serve_with_workers(Plan(database_url, data_dir, settings, only), workers, listening, on_ready)
            return
        if settings.jobs == "on":
            workbench.jobs.start()
        process.serve(workbench, listening, on_ready, settings, only)


def _say_where(address: str, half: Half | None, welcome: list[str]) -> None:
    what, place = ("API", "api/") if half == "api" else ("workbench", "")
    typer.echo(f"the {what} is at {address}{place} (Ctrl-C stops it)")
    for line in welcome:
        typer.echo(line.format(address=address))


def _welcome(workbench: Workbench, is_new_demo: bool, half: Half | None) -> list[str]:
    """How to sign in for the first time; ``{address}`` stands for the server's address."""
    from gndp import demo

    lines = []
    link = workbench.entrance.accounts.first_admin_link()
    if link is not None:
        way, place = "here", f"{{address}}sign-in#link={link.token}"
        if half == "api":
            way, place = f"with the token {link.token}", "{address}api/auth/link"
        lines.append(f"set the password of {link.user_id} {way}, once, within a day: {place}")
    if is_new_demo:
        with progress_bar("accounts") as progress:
            accounts = demo.open_accounts(workbench, progress)
        lines.append(f"everybody of the demo signs in with the password {accounts.password}, for instance")
        lines += [
            f"  {person.user_id} ({person.role}{f' of {person.team}' if person.team else ''})"
            for person in accounts.examples
        ]
    return lines


def _fill_with_demo(workbench: Workbench) -> bool:
    from gndp import demo

    if not demo.is_empty(workbench):
        return False
    typer.echo("filling the empty database with a demo …", err=True)
    with progress_bar("processes") as progress:
        demo.fill(workbench, progress=progress)
    return True


@app.command()
def replay(
    file: Annotated[
        Path, typer.Argument(help=f"The event log: {', '.join(EXTENSIONS)}.", show_default=False)
    ],
    case_id: Annotated[str | None, typer.Option(help="The column of the case id.")] = None,
    activity: Annotated[str | None, typer.Option(help="The column of the activity.")] = None,
    timestamp: Annotated[str | None, typer.Option(help="The column of the completion time.")] = None,
    start_timestamp: Annotated[
        str | None, typer.Option(help="The column of the start time; an empty text when there is none.")
    ] = None,
    resource: Annotated[
        str | None, typer.Option(help="The column of the person; an empty text when there is none.")
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(help="The zone of times without an offset, such as Europe/Rome. [default: UTC]"),
    ] = None,
    day_first: Annotated[
        bool | None,
        typer.Option("--day-first/--month-first", help="How 2/3/2016 is read. [default: the log decides]"),
    ] = None,
    definition_id: Annotated[
        str | None, typer.Option(help="What the processes are of. [default: the file's name]")
    ] = None,
    priority: Annotated[str | None, typer.Option(help="The column of the priority.")] = None,
    priority_map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VALUE=PRIORITY",
            help="Which priority a value of that column is, such as P1=critical; may be given several times. "
            "Values that are named like one, such as '1 - Critical', need none.",
        ),
    ] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Load an event log.

    Its cases go through the engine's own commands, with the log's own times. Columns that are not named are
    guessed and said. Loading a log again adds nothing. What cannot be loaded is listed with its place, the
    rest is loaded, and the exit code is then 1.
    """
    from gndp import replay as replays

    columns = Columns(case_id, activity, timestamp, start_timestamp, resource)
    meanings = _meanings(priority_map or [])
    with opened(database_url, data_dir) as workbench, progress_bar("cases") as progress:
        report = replays.replay(
            workbench,
            file,
            columns=columns,
            time_zone=time_zone,
            day_first=day_first,
            definition_id=definition_id,
            priority=priority,
            priority_map=meanings,
            progress=progress,
        )
    if as_json:
        problems = [problem._asdict() for problem in report.problems]
        print_json({**asdict(report), "problems": problems})
    else:
        _print_replay(report)
    if report.problems:
        raise typer.Exit(FOUND)


def _meanings(pairs: list[str]) -> dict[str, str]:
    """What --priority-map says: the priority of each value."""
    meanings = {}
    for pair in pairs:
        value, separator, meaning = pair.rpartition("=")
        if not separator:
            raise Invalid(f"--priority-map {pair!r} has no =; it is VALUE=PRIORITY, such as P1=critical")
        meanings[value] = meaning.strip()
    return meanings


def _print_replay(report: ReplayReport) -> None:
    read = {name: column for name, column in asdict(report.columns).items() if column is not None}
    for name, column in read.items():
        how = " (guessed)" if name in report.guessed else ""
        typer.echo(one_line(f"{name.replace('_', ' ')}: {column}{how}"))
    if report.assumed_time_zone:
        typer.echo(f"times without an offset are taken as {report.assumed_time_zone} (assumed)")
    if report.assumed_date_order:
        typer.echo(f"dates are read {report.assumed_date_order} (assumed)")
    for value, priority in report.priorities.items():
        typer.echo(one_line(f"priority {value!r} is read as {priority}"))
    for note in report.notes:
        typer.echo(one_line(note))
    for lifecycle, count in report.other_events.items():
        typer.echo(one_line(f"{count:,} events of lifecycle {lifecycle!r} are no activity instances"))
    for problem in report.problems:
        typer.echo(one_line(f"not loaded: {problem}"), err=True)
    typer.echo(
        f"{report.cases:,} cases with {report.tasks:,} tasks loaded as {one_line(report.definition_id)!r} "
        f"in {report.seconds:.1f} s; {report.skipped:,} cases were there already; "
        f"{len(report.problems):,} problems; to export them: --tag {report.tag}"
    )


@app.command()
def export(
    file: Annotated[
        Path, typer.Argument(help=f"The file to write: {', '.join(EXTENSIONS)}.", show_default=False)
    ],
    definition_id: Annotated[str | None, typer.Option(help="Only processes of this definition.")] = None,
    tag: Annotated[
        str | None, typer.Option(help="Only processes with this tag, such as the one that replay gave them.")
    ] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write processes as an event log.

    Completed tasks become its activity instances. An existing file is replaced, in one step when all is
    written.
    """
    from gndp import export as exports

    with opened(database_url, data_dir) as workbench:
        report = exports.export(workbench, file, definition_id=definition_id, tag=tag)
    if as_json:
        print_json(asdict(report))
        return
    typer.echo(f"{report.cases:,} cases with {report.activities:,} activity instances written to {file}")
    if report.left_out:
        typer.echo(f"{report.left_out:,} processes are left out: no task of theirs is completed yet")
    if report.renamed:
        typer.echo(f"{report.renamed:,} cases carry their process's id: another case has theirs")


@definitions_app.command("publish")
def publish_definition(
    file: Annotated[Path, typer.Argument(help="A definition in YAML or JSON.", show_default=False)],
    user: Annotated[str | None, typer.Option(help="Who publishes it. [default: the system's user]")] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Publish a definition as its next version.

    Nothing happens when it has not changed. All problems of a bad one are told at once, with their place.
    """
    document = file.read_bytes()
    with opened(database_url, data_dir) as workbench:
        definition = workbench.definitions.publish(document, user_id=user or system_user())
    if as_json:
        print_json(definition._asdict())
    else:
        typer.echo(f"{definition.id}, version {definition.version}: {one_line(definition.name)}")


@definitions_app.command("list")
def list_definitions(
    database_url: DatabaseUrl = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List the published definitions, each in its newest version."""
    with opened(database_url, data_dir) as workbench:
        published = workbench.definitions.list()
    if as_json:
        print_json([definition._asdict() for definition in published])
    else:
        print_table(
            ("id", "version", "name", "published at", "by"),
            [
                (d.id, str(d.version), d.name, f"{d.published_at:%Y-%m-%d %H:%M} UTC", d.published_by)
                for d in published
            ],
        )
