"""``gndp jobs``: the scheduled jobs, what they did, and running one by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import orjson
import typer

from gndp.cli.exits import EXIT_CODES, FOUND
from gndp.cli.options import DatabaseUrl, DataDir, Json, opened
from gndp.cli.output import one_line, print_json, print_table
from gndp.core.records import JobRun, ScheduledJob
from gndp.core.states import JobRunStatus

jobs_app = typer.Typer(help="Scheduled jobs: list them and their runs, run one.")


@jobs_app.callback(invoke_without_command=True, epilog=EXIT_CODES)
def list_jobs(
    context: typer.Context,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the scheduled jobs: what each did last, and when it is due next.

    Without a command of its own it lists them.
    """
    if context.invoked_subcommand is not None:
        return
    with opened(database_url, data_dir) as workbench:
        jobs = workbench.jobs.list()
    if as_json:
        print_json([_job_as_json(job) for job in jobs])
        return
    print_table(
        ("job", "every", "last run", "ended", "next slot", "meaning"),
        [
            (job.name, str(job.interval), *_last_run(job.last_run), _instant(job.next_slot), job.meaning)
            for job in jobs
        ],
    )
    leader = jobs[0].leader if jobs else None
    typer.echo(one_line(f"run by {leader}") if leader else "no server runs them now")


@jobs_app.command("runs")
def list_runs(
    job: Annotated[str | None, typer.Option(help="Only runs of this job.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List what the jobs did, newest first.

    Runs are kept for 30 days.
    """
    with opened(database_url, data_dir) as workbench:
        runs = workbench.jobs.runs(job, limit)
    if as_json:
        print_json([run._asdict() for run in runs])
        return
    print_table(
        ("job", "slot", "attempt", "status", "started", "seconds", "by", "result"),
        [_run_row(r) for r in runs],
    )


@jobs_app.command("run")
def run_job(
    name: Annotated[str, typer.Argument(help="The job.", show_default=False)],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Run a job now, whoever runs the others.

    It is refused while the job is running. When the job fails, the exit code is 1.
    """
    with opened(database_url, data_dir) as workbench:
        run = workbench.jobs.run(name)
    if as_json:
        print_json(run._asdict())
    else:
        typer.echo(one_line(f"{run.job} {run.status} after {_seconds(run)} s: {_result(run)}"))
    if run.status != JobRunStatus.SUCCEEDED:
        raise typer.Exit(FOUND)


def _job_as_json(job: ScheduledJob) -> dict[str, Any]:
    last_run = None if job.last_run is None else job.last_run._asdict()
    return {**job._asdict(), "interval": job.interval.total_seconds(), "last_run": last_run}


def _last_run(run: JobRun | None) -> tuple[str, str]:
    if run is None:
        return "–", "–"
    return run.status, "–" if run.ended_at is None else _instant(run.ended_at)


def _run_row(run: JobRun) -> tuple[str, ...]:
    when = (_instant(run.slot), str(run.attempt), run.status, _instant(run.started_at))
    return run.job, *when, _seconds(run), run.holder, _result(run)


def _result(run: JobRun) -> str:
    return run.error or orjson.dumps(run.details).decode()


def _seconds(run: JobRun) -> str:
    return "–" if run.duration_ms is None else f"{run.duration_ms / 1000:.1f}"


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
