"""``gndp audit``: anchors of the log, to be kept elsewhere, and whether the log still agrees with one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gndp.cli.exits import EXIT_CODES, FOUND
from gndp.cli.options import DatabaseUrl, DataDir, Json, opened
from gndp.cli.output import one_line, print_json, progress_bar
from gndp.engine.audit import AuditReport
from gndp.formats.anchors import Anchor

audit_app = typer.Typer(
    help="The audit log: anchor it, and verify that nobody has rewritten it since.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
)


@audit_app.command("anchor")
def write(
    file: Annotated[Path, typer.Argument(help="The file to write.", show_default=False)],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write to a file where the history of every process ends.

    Keep the file where nobody who can write to the database can write; its root, which is printed, will do to
    tell whether it is the same file. An existing file is replaced, in one step when all is written.
    """
    with opened(database_url, data_dir) as workbench, progress_bar("processes") as progress:
        anchor = workbench.audit.anchor(file, progress=progress)
    if as_json:
        print_json(_anchor_as_json(anchor))
        return
    typer.echo(f"{_size(anchor)} anchored in {one_line(str(file))}")
    typer.echo(f"root {anchor.root}")


@audit_app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="What `gndp audit anchor` wrote.", show_default=False)],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Verify that the history is what was written.

    Every chain of events must hold, and everything that was anchored must be there, but for what retention
    has deleted. What is wrong is listed by process, and the exit code is then 1.
    """
    with opened(database_url, data_dir) as workbench, progress_bar("processes") as progress:
        report = workbench.audit.verify(file, progress=progress)
    if as_json:
        print_json(_report_as_json(report))
    else:
        _print_report(report)
    if not report.ok:
        raise typer.Exit(FOUND)


def _print_report(report: AuditReport) -> None:
    for fault, count in report.faults.items():
        typer.echo(f"{fault} ({count:,}): {fault.meaning}")
        listed = [finding for finding in report.findings if finding.fault == fault]
        for finding in listed:
            process = "" if finding.process_id is None else f"{finding.process_id} "
            typer.echo(f"  {process}{one_line(finding.detail)}")
        if count > len(listed):
            typer.echo(f"  … and {count - len(listed):,} more")
    if report.anchor is not None:
        _print_anchor(report, report.anchor)
    verdict = "nothing is wrong" if report.ok else f"{sum(report.faults.values()):,} wrong"
    typer.echo(f"{report.processes:,} processes with {report.events:,} events verified: {verdict}")


def _print_anchor(report: AuditReport, anchor: Anchor) -> None:
    place = anchor.place
    if not report.same_database:
        typer.echo(one_line(f"the anchor is of database {place.database} of cluster {place.cluster}"))
    typer.echo(f"the anchor of {place.as_of:%Y-%m-%d %H:%M:%S} UTC has {_size(anchor)}; root {anchor.root}")
    if report.deleted:
        typer.echo(f"{report.deleted:,} of them have been deleted by retention")


def _size(anchor: Anchor) -> str:
    return f"{anchor.processes:,} processes with {anchor.events:,} events"


def _anchor_as_json(anchor: Anchor) -> dict[str, object]:
    sealed = {"processes": anchor.processes, "events": anchor.events, "root": anchor.root}
    return {**anchor.place._asdict(), **sealed}


def _report_as_json(report: AuditReport) -> dict[str, object]:
    return {
        "ok": report.ok,
        "as_of": report.place.as_of,
        "processes": report.processes,
        "events": report.events,
        "anchor": report.anchor and _anchor_as_json(report.anchor),
        "same_database": report.same_database,
        "deleted": report.deleted,
        "faults": {fault.value: count for fault, count in report.faults.items()},
        "findings": [finding._asdict() for finding in report.findings],
    }
