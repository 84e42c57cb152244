"""The metrics of a server, for Prometheus. docs/how-to/operate.md says what each one means.

Several workers of one server count in files of a folder (``PROMETHEUS_MULTIPROC_DIR``), so that whichever is
asked answers for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from gndp.core.errors import GndpError
from gndp.core.states import OPEN_PROCESS_STATUSES, OPEN_TASK_STATUSES, JobRunStatus, SlaStatus
from gndp.operations.latest import Latest
from gndp.store.health import DatabaseState, Figure
from gndp.store.session import PoolFigures

_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_RUN_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900)


class Metrics:
    """Counts what this process does, and tells it together with what the database says.

    ``pool`` tells how the connections are doing, ``state`` and ``figures`` what the database says.
    """

    def __init__(
        self,
        pool: Callable[[], PoolFigures],
        state: Latest[DatabaseState],
        figures: Latest[list[Figure]],
    ) -> None:
        self._pool = pool
        self._registry = registry = CollectorRegistry()
        self._database = _Database(state, figures)
        registry.register(self._database)
        self._requests = Histogram(
            "gndp_http_request_duration_seconds",
            "Requests by method, route and status: how many, and how long until the end of the reply",
            ("method", "route", "status"),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._transitions = Counter(
            "gndp_transitions",
            "Events of commands that this server has committed",
            ("noun", "event_type"),
            registry=registry,
        )
        self._job_runs = Histogram(
            "gndp_job_run_duration_seconds",
            "Runs of scheduled jobs that ended here, by job and status",
            ("job", "status"),
            buckets=_RUN_SECONDS,
            registry=registry,
        )
        self._pool_gauges = {
            field: Gauge(name, meaning, registry=registry, multiprocess_mode="livesum")
            for field, name, meaning in (
                ("size", "gndp_pool_connections", "Connections to the database that are open"),
                ("available", "gndp_pool_connections_available", "Open connections that nobody has"),
                ("waiting", "gndp_pool_requests_waiting", "Threads that wait for a connection"),
            )
        }
        self._pool_counters = {
            field: Counter(name, meaning, registry=registry)
            for field, name, meaning in (
                ("requests", "gndp_pool_requests", "Times that a connection was asked for"),
                ("failed", "gndp_pool_requests_failed", "Times that there was none in time"),
            )
        }
        self._counted = dict.fromkeys(self._pool_counters, 0)
        # Looking a counter up by its labels takes longer than counting.
        self._request_counters: dict[tuple[str, str, int], Histogram] = {}
        self._event_counters: dict[str, Counter] = {}

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        labels = method, route, status
        counter = self._request_counters.get(labels)
        if counter is None:
            counter = self._request_counters[labels] = self._requests.labels(*labels)
        counter.observe(seconds)

    def count_events(self, event_types: Collection[str]) -> None:
        """Count the events of commands that were committed."""
        for event_type in event_types:
            counter = self._event_counters.get(event_type)
            if counter is None:
                noun = event_type.partition(".")[0]
                counter = self._event_counters[event_type] = self._transitions.labels(noun, event_type)
            counter.inc()

    def count_run(self, job: str, status: JobRunStatus, seconds: float) -> None:
        """Count a run of a scheduled job."""
        self._job_runs.labels(job, str(status)).observe(seconds)

    async def look_at_pool(self) -> None:
        """Take down how the connections are doing, for whichever worker is asked."""
        self._note_pool()

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Everything as Prometheus reads it, and the media type, as the Accept header wants it."""
        self._note_pool()
        encode, media_type = choose_encoder(accept)
        return encode(self._of_all_workers()), media_type

    def _note_pool(self) -> None:
        figures = self._pool()
        for field, gauge in self._pool_gauges.items():
            gauge.set(getattr(figures, field))
        for field, counter in self._pool_counters.items():
            counter.inc(getattr(figures, field) - self._counted[field])
            self._counted[field] = getattr(figures, field)

    def _of_all_workers(self) -> CollectorRegistry:
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return self._registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        registry.register(self._database)
        return registry


class _Database(Collector):
    """What the database says, asked when it is told. A database that is away, or too slow, breaks nothing
    off."""

    def __init__(self, state: Latest[DatabaseState], figures: Latest[list[Figure]]) -> None:
        self._state = state
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        try:
            state = self._state.get()
        except (GndpError, TimeoutError):
            yield GaugeMetricFamily("gndp_database_up", _UP, 0)
            return
        yield GaugeMetricFamily("gndp_database_up", _UP, 1)
        yield GaugeMetricFamily("gndp_jobs_lease_held", _LEASE, state.lease_is_held)
        try:
            figures = self._figures.get()
        except (GndpError, TimeoutError):
            return
        for name, meaning, labels, sources in _FIGURES:
            yield _family(name, meaning, labels, sources, figures)


_UP = "Whether the database answers: 1 or 0"
_LEASE = "Whether some server holds the lease of the scheduled jobs: 1 or 0"
_FIGURES = (
    ("gndp_tasks_open", "Open tasks by status", ("status",), {"tasks": ((), OPEN_TASK_STATUSES)}),
    (
        "gndp_processes_open",
        "Open processes by status",
        ("status",),
        {"processes": ((), OPEN_PROCESS_STATUSES)},
    ),
    ("gndp_tasks_queued", "Ready tasks that nobody has, by team", ("team",), {"queue": ((), ())}),
    (
        "gndp_sla_items",
        "Open tasks and processes by SLA status",
        ("item", "sla_status"),
        {"task_sla": (("task",), SlaStatus), "process_sla": (("process",), SlaStatus)},
    ),
    (
        "gndp_job_last_success_timestamp_seconds",
        "When a scheduled job last succeeded, in seconds since 1970",
        ("job",),
        {"job_success": ((), ())},
    ),
)
"""Each metric of the database's figures with its labels: from which figure, with which labels before the
figure's own, and which of those there always are, with 0 if there is nothing."""


def _family(
    name: str,
    meaning: str,
    labels: tuple[str, ...],
    sources: Mapping[str, tuple[tuple[str, ...], Iterable[str]]],
    figures: list[Figure],
) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for source, (first, always) in sources.items():
        found = {str(label): 0.0 for label in always}
        found |= {figure.label: figure.value for figure in figures if figure.figure == source}
        for label, value in found.items():
            family.add_metric((*first, label), value)
    return family
