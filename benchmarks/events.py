"""Events: publishing in a process, from commit to handler in another, catching up, and what it all costs
commands.

Run it with ``make bench``, or ``python -m benchmarks.events [--seconds 4] [--rounds 5]``. What is compared
runs in alternation, and the figure is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

import gndp
from benchmarks.five_tasks import TEMPLATE, measure
from benchmarks.server import temporary_server

PROCESSES = multiprocessing.get_context("spawn")


def percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def publish(workbench: gndp.Workbench, messages: int) -> None:
    """Publish to ten handlers: as fast as it goes, and one by one for the time until all have heard."""
    counts = [0] * 10

    def handler(place: int) -> Any:
        def count(message: Any) -> None:
            counts[place] += 1

        return count

    subscriptions = [workbench.events.subscribe("bench.*", handler(place)) for place in range(10)]
    began = time.perf_counter()
    for number in range(messages):
        workbench.events.publish("bench.flood", {"number": number})
        if number % 4_000 == 3_999:  # a publisher that is bounded by nothing outruns every bounded queue
            wait_until_idle(subscriptions, counts, number + 1)
    wait_until_idle(subscriptions, counts, messages)
    seconds = time.perf_counter() - began
    assert counts == [messages] * 10
    print(f"publish to 10 handlers: {messages / seconds:,.0f} messages/s, all handled", flush=True)
    for subscription in subscriptions:
        subscription.close()

    latencies: list[float] = []
    heard = threading.Semaphore(0)

    def clock(message: Any) -> None:
        latencies.append(time.perf_counter() - message.data["at"])
        heard.release()

    for _ in range(10):
        workbench.events.subscribe("bench.*", clock)
    for _ in range(2_000):
        workbench.events.publish("bench.one", {"at": time.perf_counter()})
        for _ in range(10):
            heard.acquire()
        time.sleep(0.001)
    p50, p99 = percentile(latencies, 50) * 1e3, percentile(latencies, 99) * 1e3
    print(f"publish to handled, 10 handlers: median {p50:.2f} ms, p99 {p99:.2f} ms", flush=True)


def wait_until_idle(subscriptions: Any, counts: list[int], messages: int) -> None:
    while min(counts) < messages or not all(subscription.is_idle for subscription in subscriptions):
        time.sleep(0.0002)


def consume(url: str, name: str, start: str, pipe: Any) -> None:
    """A process with a durable subscription that says when it was given what."""
    with gndp.connect(url) as workbench:
        heard: list[tuple[int, float]] = []
        workbench.events.subscribe_durable(
            name,
            "*",
            lambda event: heard.append((event.seq, time.time())),
            start=start,  # type: ignore[arg-type]
        )
        pipe.send("ready")
        while True:
            match pipe.recv():
                case "count":
                    pipe.send((len(heard), heard[-1][1] if heard else 0.0))
                case "all":
                    pipe.send(heard)
                case _:
                    return


@contextmanager
def consumer(url: str, name: str, start: str = "now") -> Iterator[Any]:
    """Such a process, stopped afterwards."""
    pipe, other = PROCESSES.Pipe()
    process = PROCESSES.Process(target=consume, args=(url, name, start, other))
    process.start()
    pipe.recv()
    try:
        yield pipe
    finally:
        pipe.send("stop")
        process.join()


def commit_to_handler(url: str, events: int) -> None:
    """From commit to the handler of another process, with nothing else going on."""
    with gndp.connect(url) as workbench, consumer(url, "latency") as pipe:
        process = workbench.processes.start(
            process_definition_id="talk", process_name="talk", process_type="custom", initiated_by="ann"
        )
        time.sleep(1)
        committed = []
        for number in range(events):
            workbench.processes.comment(process.id, user_id="ann", text=str(number))
            committed.append(time.time())
            time.sleep(0.1)
        time.sleep(1)
        pipe.send("all")
        handled = [at for _, at in pipe.recv()][-events:]
    latencies = [(after - before) * 1e3 for before, after in zip(committed, handled, strict=True)]
    print(
        f"commit to handler in another process: median {percentile(latencies, 50):.1f} ms, "
        f"p99 {percentile(latencies, 99):.1f} ms",
        flush=True,
    )


def catching_up(url: str, seconds: float) -> None:
    """How fast one durable subscription reads what eight clients write, in events a second."""
    with psycopg.connect(url, autocommit=True) as admin:
        before = admin.execute("SELECT count(*) FROM process_events").fetchone()[0]
        cases = measure(url, "ours", 8, seconds)
        after = admin.execute("SELECT count(*) FROM process_events").fetchone()[0]
    events_a_case = 27
    produced = cases * events_a_case
    began = time.time()
    with consumer(url, f"catch up {began}", "beginning") as pipe:
        count = 0
        while count < after:
            time.sleep(0.1)
            pipe.send("count")
            count, last = pipe.recv()
        pipe.send("all")
        heard = pipe.recv()
    rate = after / (last - heard[0][1])
    print(
        f"eight clients write {produced:,.0f} events/s ({after - before:,} in all); "
        f"one subscription handles {rate:,.0f} events/s: {rate / produced:.1f} times",
        flush=True,
    )


def cost_of_subscriptions(url: str, seconds: float, rounds: int) -> None:
    """The five-task case with one client, without and with five durable subscriptions that read along."""
    ratios = []
    for _ in range(rounds):
        alone = measure(url, "ours", 1, seconds)
        with all_of(consumer(url, f"along {n}") for n in range(5)):
            along = measure(url, "ours", 1, seconds)
        ratios.append(along / alone)
        print(f"  alone {alone:.1f}, with five {along:.1f} cases/s: {along / alone:.0%}", flush=True)
    print(f"five subscriptions in five processes: median {statistics.median(ratios):.0%}", flush=True)
    ratios = []
    with gndp.connect(url) as workbench:
        for _ in range(rounds):
            alone = measure(url, "ours", 1, seconds)
            subscriptions = [
                workbench.events.subscribe_durable(f"here {n}", "*", lambda event: None) for n in range(5)
            ]
            along = measure(url, "ours", 1, seconds)
            for subscription in subscriptions:
                subscription.close()
            ratios.append(along / alone)
            print(f"  alone {alone:.1f}, with five {along:.1f} cases/s: {along / alone:.0%}", flush=True)
    print(f"five subscriptions in one other process: median {statistics.median(ratios):.0%}", flush=True)


@contextmanager
def all_of(managers: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for manager in managers:
            stack.enter_context(manager)
        yield


def listeners(url: str, streams: int, events: int) -> None:
    """So many live streams of one process: connections, and from commit until the last has the event."""
    with gndp.connect(url) as workbench, psycopg.connect(url, autocommit=True) as admin:
        process = workbench.processes.start(
            process_definition_id="talk", process_name="talk", process_type="custom", initiated_by="ann"
        )
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        before = admin.execute(query).fetchone()[0]
        opened = [workbench.events.live(process_id=process.id) for _ in range(streams)]
        latencies = []
        for number in range(events):
            workbench.processes.comment(process.id, user_id="ann", text=str(number))
            began = time.perf_counter()
            for stream in opened:
                stream.next(10)
            latencies.append((time.perf_counter() - began) * 1e3)
            time.sleep(0.05)
        after = admin.execute(query).fetchone()[0]
    print(
        f"{streams} live streams: {after - before} more connection, commit until all have it: "
        f"median {percentile(latencies, 50):.1f} ms, p99 {percentile(latencies, 99):.1f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with temporary_server() as url:
        with gndp.connect(url) as workbench:
            workbench.definitions.publish(TEMPLATE, user_id="ann")
            publish(workbench, 100_000)
        commit_to_handler(url, 300)
        listeners(url, 500, 100)
        catching_up(url, options.seconds)
        cost_of_subscriptions(url, options.seconds, options.rounds)


if __name__ == "__main__":
    main()
