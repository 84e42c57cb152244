"""``gndp events``: follow the log, look after durable subscriptions, and the types of events."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import Annotated

import orjson
import typer

from gndp.cli.exits import EXIT_CODES
from gndp.cli.options import DatabaseUrl, DataDir, Json, WriteTo, opened
from gndp.cli.output import one_line, print_json, print_page, print_table
from gndp.core.errors import Invalid
from gndp.core.events_page import events_page
from gndp.core.records import Delivery, Event, Subscription, Writer

events_app = typer.Typer(
    help="Events: follow them, look after subscriptions, the catalogue of their types.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
)

_Name = Annotated[str, typer.Argument(help="The subscription.", show_default=False)]


@events_app.command("tail")
def tail(
    pattern: Annotated[
        str, typer.Option("--type", metavar="PATTERN", help="A type, a prefix such as sla.*, or *.")
    ] = "*",
    process: Annotated[str | None, typer.Option(metavar="ID", help="Only events of this process.")] = None,
    after: Annotated[
        str | None,
        typer.Option(metavar="POSITION", help="Begin behind a position, which --json gives with each event."),
    ] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the first event that there is.")
    ] = False,
    most: Annotated[
        int | None, typer.Option("--count", min=1, help="Stop after so many events. [default: never]")
    ] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Follow the events live.

    They are printed as they are committed, by whichever process, until Ctrl-C.
    """
    if after is not None and from_beginning:
        raise Invalid("give --after or --from-beginning, not both")
    with opened(database_url, data_dir) as workbench:
        events = workbench.events
        start = events.beginning() if from_beginning else after
        with events.live(pattern, process_id=process, after=start) as stream:
            try:
                for number, (event, position) in enumerate(stream, start=1):
                    if as_json:
                        line = {**event._asdict(), "position": position}
                        sys.stdout.write(orjson.dumps(line, default=str).decode() + "\n")
                    else:
                        sys.stdout.write(_line(event) + "\n")
                    sys.stdout.flush()
                    if number == most:
                        break
            except KeyboardInterrupt:
                pass


def _line(event: Event) -> str:
    actor = event.user_id or ("automated" if event.automated else "–")
    at = f"{event.timestamp:%Y-%m-%d %H:%M:%S} UTC"
    words = (at, f"{event.event_type:<20}", str(event.process_instance_id), one_line(actor))
    return "  ".join((*words, one_line(event.message)))


@events_app.command("subscriptions")
def subscriptions(database_url: DatabaseUrl = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the durable subscriptions: who reads each, and how far it has come."""
    with opened(database_url, data_dir) as workbench:
        listed = workbench.events.subscriptions()
        now = workbench.clock()
        writer = workbench.events.oldest_writer()
    if as_json:
        print_json(
            {
                "subscriptions": [subscription._asdict() for subscription in listed],
                "oldest_writer": None if writer is None else writer._asdict(),
            }
        )
        return
    print_table(
        ("subscription", "events", "read by", "passed", "waiting", "retrying", "behind", "dead"),
        [_row(subscription, now) for subscription in listed],
    )
    if not listed:
        typer.echo("no durable subscriptions")
    if writer is not None:
        typer.echo(one_line(_in_words(writer)))


def _row(subscription: Subscription, now: datetime) -> tuple[str, ...]:
    waiting = f"{subscription.waiting:,}" + ("+" if subscription.waiting >= 10_000 else "")
    if subscription.oldest_waiting is not None:
        waiting += f", for {_duration(now - subscription.oldest_waiting)}"
    parked = (subscription.retrying, subscription.behind, subscription.dead)
    return (
        subscription.name,
        subscription.pattern,
        subscription.consumer or "nobody",
        f"{subscription.passed:,}",
        waiting,
        *(f"{count:,}" for count in parked),
    )


def _duration(length: timedelta) -> str:
    return str(timedelta(seconds=max(0, round(length.total_seconds()))))


def _in_words(writer: Writer) -> str:
    who = f"process {writer.process_id} ({writer.application or 'unnamed'})"
    where = writer.database or "no database"
    return (
        f"the oldest transaction that writes is {_duration(writer.open_for)} old: {who} in {where}; "
        "what it writes is read when it has committed"
    )


@events_app.command("dead")
def dead(
    name: Annotated[str | None, typer.Argument(help="A subscription.", show_default=False)] = None,
    seqs: Annotated[
        list[int] | None, typer.Option("--seq", help="Only the event with this seq; may be repeated.")
    ] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Give them to their handler again.")] = False,
    discard: Annotated[bool, typer.Option("--discard", help="Give them up for good.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to list at most.")] = 50,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the events at which a handler failed too often.

    Or have them given to it again, or give them up.
    """
    if (replay or discard) and (name is None or replay == discard):
        raise Invalid("name the subscription, and give --replay or --discard, not both")
    with opened(database_url, data_dir) as workbench:
        if replay or discard:
            act = workbench.events.replay if replay else workbench.events.discard
            count = act(name or "", seqs)
            done = "given to their handler again" if replay else "given up"
            typer.echo(f"{count:,} {'event' if count == 1 else 'events'} {done}")
            return
        deliveries = workbench.events.dead(name, limit=limit)
    if seqs:
        deliveries = [delivery for delivery in deliveries if delivery.event.seq in seqs]
    if as_json:
        print_json([{**d._asdict(), "event": d.event._asdict()} for d in deliveries])
    else:
        _print_dead(deliveries)


def _print_dead(deliveries: list[Delivery]) -> None:
    print_table(
        ("subscription", "seq", "event", "process", "attempts", "since", "error"),
        [
            (
                d.subscription,
                str(d.event.seq),
                d.event.event_type,
                str(d.event.process_instance_id),
                str(d.attempts),
                f"{d.parked_at:%Y-%m-%d %H:%M} UTC",
                d.error or "–",
            )
            for d in deliveries
        ],
    )
    if not deliveries:
        typer.echo("no dead events")


@events_app.command("unsubscribe")
def unsubscribe(name: _Name, database_url: DatabaseUrl = None, data_dir: DataDir = None) -> None:
    """Remove a durable subscription, with its position and what is parked."""
    with opened(database_url, data_dir) as workbench:
        workbench.events.unsubscribe(name)
    typer.echo(one_line(f"the subscription {name} is removed"))


@events_app.command("rebase")
def rebase(database_url: DatabaseUrl = None, data_dir: DataDir = None) -> None:
    """Let subscriptions read on after a restore.

    A database that was restored into another cluster has positions that mean nothing there. They are told
    anew: no event is lost, some are given again. Elsewhere nothing happens.
    """
    with opened(database_url, data_dir) as workbench:
        is_done = workbench.events.rebase()
    typer.echo(
        "the positions in the event log are told anew"
        if is_done
        else "nothing to do: the positions are of this cluster"
    )


@events_app.command()
def catalogue(write: WriteTo = None) -> None:
    """Print every type of event and what its details hold.

    The page docs/reference/events.md, drawn from the code.
    """
    print_page(events_page(), write)
