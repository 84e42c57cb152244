"""``gndp sla``: policies and clocks, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gndp.cli.options import DatabaseUrl, DataDir, Json, opened, read_instant, system_user
from gndp.cli.output import one_line, print_json, shown_instant
from gndp.cli.sla_output import (
    clock_as_json,
    preview_as_json,
    print_clocks,
    print_policies,
    print_policy,
    print_preview,
    print_recomputed,
    promise_in_words,
)
from gndp.core.clocks import ClockReading
from gndp.core.errors import Invalid
from gndp.core.policies import parse_policy
from gndp.core.records import PublishedPolicy
from gndp.workbench import Workbench

sla_app = typer.Typer(
    help="SLA policies and clocks: publish, preview, read, recompute.", no_args_is_help=True
)

PolicyName = Annotated[str, typer.Argument(help="The name of the policy.", show_default=False)]
User = Annotated[str | None, typer.Option(help="Who does it. [default: the system's user]")]
ProcessId = Annotated[
    str | None, typer.Option("--process", metavar="ID", help="The process; its own clocks are meant.")
]
TaskId = Annotated[str | None, typer.Option("--task", metavar="ID", help="The task.")]


@sla_app.command("publish")
def publish_policy(
    file: Annotated[Path, typer.Argument(help="A policy in YAML or JSON.", show_default=False)],
    user: User = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Publish a policy as its next version.

    Nothing happens when it has not changed. It is for clocks that start from now on; recompute brings it to
    an item that runs already. All problems of a bad one are told at once, with their place.
    """
    document = file.read_bytes()
    with opened(database_url, data_dir) as workbench:
        published = workbench.sla.publish(document, user_id=user or system_user())
    _print_published(published, as_json)


@sla_app.command("list")
def list_policies(database_url: DatabaseUrl = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the policies.

    Each in its newest version, retired ones too.
    """
    with opened(database_url, data_dir) as workbench:
        policies = workbench.sla.policies()
    if as_json:
        print_json([published._asdict() for published in policies])
    else:
        print_policies(policies)


@sla_app.command("show")
def show_policy(
    name: PolicyName,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show a policy.

    In its newest version, with what it says by default.
    """
    with opened(database_url, data_dir) as workbench:
        published = workbench.sla.policy(name)
    if as_json:
        print_json(published._asdict())
    else:
        print_policy(published)


@sla_app.command("retire")
def retire_policy(
    name: PolicyName,
    user: User = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Let a policy start no more clocks.

    Those that run go on. Publishing it again brings it back.
    """
    with opened(database_url, data_dir) as workbench:
        published = workbench.sla.retire(name, user_id=user or system_user())
    _print_published(published, as_json)


@sla_app.command("preview")
def preview_policy(
    name: Annotated[str | None, typer.Argument(help="A published policy.", show_default=False)] = None,
    file: Annotated[Path | None, typer.Option(help="A policy in YAML or JSON instead.")] = None,
    target: Annotated[
        int | None, typer.Option(metavar="MINUTES", help="Just a target instead, in minutes.")
    ] = None,
    calendar: Annotated[str | None, typer.Option(help="The calendar that --target is along.")] = None,
    opened_at: Annotated[
        str | None,
        typer.Option(
            "--opened-at",
            metavar="INSTANT",
            help="When the clock starts, with an offset: 2026-08-15T08:00+02:00. [default: now]",
        ),
    ] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Tell when a clock would be due.

    And when it would warn and escalate, if it started at an instant and nothing paused or ended it. Instants
    are on the calendar's clock. Nothing is written.
    """
    if sum(given is not None for given in (name, file, target)) != 1:
        raise Invalid("give the name of a policy, --file or --target, one of them")
    if calendar is not None and target is None:
        raise Invalid("--calendar goes with --target; a policy names its own")
    start = None if opened_at is None else read_instant(opened_at, "opened_at")
    document: Any = file.read_bytes() if file else None
    if target is not None:
        document = {"name": "target", "target_minutes": target, "calendar": calendar}
    with opened(database_url, data_dir) as workbench:
        if name is not None:
            document = workbench.sla.policy(name).document
        preview = workbench.sla.preview(document, start or workbench.clock())
    if as_json:
        print_json(preview_as_json(preview))
    else:
        print_preview(preview)


@sla_app.command("clocks")
def show_clocks(
    process: ProcessId = None,
    task: TaskId = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Read them then: 2026-08-15T08:00+02:00. [default: now]"),
    ] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show the clocks of a process or a task.

    Due soonest first. Any past moment is read from the item's history. Elapsed and remaining are time along
    the calendar.
    """
    item = _item(process, task)
    past = None if as_of is None else read_instant(as_of, "as_of")
    with opened(database_url, data_dir) as workbench:
        readings = workbench.sla.clocks(**item, as_of=past)
        instant = past or workbench.clock()
    if as_json:
        print_json([clock_as_json(reading) for reading in readings])
    elif readings:
        typer.echo(one_line(f"{readings[0].item_name}, as of {shown_instant(instant)}"))
        print_clocks(readings, instant)
    else:
        typer.echo(f"no clock had started by {shown_instant(instant)}")


@sla_app.command("recompute")
def recompute_clocks(
    reason: Annotated[str, typer.Option(help="Why; it is kept in the log.", show_default=False)],
    process: ProcessId = None,
    task: TaskId = None,
    user: User = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Work the clocks of an item out anew.

    From its whole history, under the policies, calendars and priority of now. It is shown before and after.
    This alone can undo a breach.
    """
    item = _item(process, task)
    with opened(database_url, data_dir) as workbench:
        before, after = _recomputed(workbench, item, user or system_user(), reason)
    if as_json:
        told = {"before": before, "after": after}
        print_json({when: [clock_as_json(reading) for reading in told[when]] for when in told})
    else:
        print_recomputed(before, after)


def _recomputed(
    workbench: Workbench, item: dict[str, Any], user: str, reason: str
) -> tuple[list[ClockReading], list[ClockReading]]:
    with workbench.transaction():
        before = workbench.sla.clocks(**item)
        workbench.sla.recompute(**item, user_id=user, reason=reason)
        return before, workbench.sla.clocks(**item)


def _item(process: str | None, task: str | None) -> dict[str, Any]:
    if (process is None) == (task is None):
        raise Invalid("give --process or --task, and not both")
    return {"process_id": process, "task_id": task}


def _print_published(published: PublishedPolicy, as_json: bool) -> None:
    if as_json:
        print_json(published._asdict())
        return
    promise = promise_in_words(parse_policy(published.document))
    retired = f"; retired at {shown_instant(published.retired_at)}" if published.retired_at else ""
    typer.echo(one_line(f"{published.name}, version {published.version}: {promise}{retired}"))
