"""The reads that people wait for keep their indexes: each is EXPLAINed at a size where a lost one shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from benchmarks.million import load
from gndp.core import listing
from gndp.core.listing import PROCESSES, TASKS, Noun
from gndp.store import lists
from gndp.store.queries import Row, Statement, composed, statement

LARGE = {"tasks", "process_instances", "process_events", "sla_metrics", "task_search", "process_search"}

CLOCKS = """
INSERT INTO sla_terms VALUES ('plain', '{}');
WITH items AS (
    SELECT process_instance_id, id AS task_id, 'task' AS kind, status = 'completed' AS is_over,
           created_at AS at
    FROM tasks
    UNION ALL
    SELECT id, NULL, 'process', status = 'completed', created_at FROM process_instances)
INSERT INTO sla_metrics (id, process_instance_id, task_id, metric_type, target_duration_mins, start_time,
    created_at, policy_name, objective, terms, due_at, original_due_at, status, ended, end_time,
    running_since, at_risk_at, next_at)
SELECT gen_random_uuid(), process_instance_id, task_id, kind, 86400, at, at, 'plain', 'plain', 'plain',
    at + interval '60 days', at + interval '60 days',
    CASE WHEN is_over THEN 'met' ELSE 'on_track' END, CASE WHEN is_over THEN 'stopped' END,
    CASE WHEN is_over THEN at END, CASE WHEN NOT is_over THEN at END,
    CASE WHEN NOT is_over THEN at + interval '50 days' END,
    CASE WHEN NOT is_over THEN at + interval '50 days' END
FROM items;
ANALYZE sla_metrics"""
"""A clock for each process and task; those that run are at risk after 50 days."""


class Plans:
    """Explains statements on a loaded database, with the values that they would run with."""

    def __init__(self, url: str) -> None:
        self.process_id = load(url, 20_000)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(CLOCKS)
        self.connection = psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor)
        # At this size reading all of a small table can be cheapest; with it dear, a plan shows which
        # index there is to use.
        self.connection.execute("SET enable_seqscan = off")

    def indexes(self, wanted: Statement) -> set[str]:
        """The indexes that a statement's plan uses; fails when it reads a large table from end to end."""
        plan = self._explain(wanted)
        nodes = list(_nodes(plan))
        scanned = {n["Relation Name"] for n in nodes if n["Node Type"].endswith("Seq Scan")}
        assert not scanned & LARGE, json.dumps(plan, indent=1)
        return {n["Index Name"] for n in nodes if "Index Name" in n}

    def read(self, wanted: Statement) -> list[list[Row]]:
        """Runs a statement as a list does, noting the indexes that it uses and how many rows it sorts."""
        if not wanted.query.text.startswith(b"EXPLAIN"):
            self.noted.append(self.indexes(wanted))
            sorts = [node for node in _nodes(self._explain(wanted)) if node["Node Type"] == "Sort"]
            self.sorted.append(max((node["Plan Rows"] for node in sorts), default=0))
        return [self.connection.execute(wanted.query.text, wanted.values).fetchall()]

    def of_list(
        self, noun: Noun, filters: dict[str, Any], sort: str = "-created_at", offset: int = 0
    ) -> list[set[str]]:
        """The indexes of each statement of a list: of its page (once or twice), and of its count."""
        self.noted: list[set[str]] = []
        self.sorted: list[int] = []
        lists.page(self.read, asked(noun, filters, sort, offset))
        return self.noted

    def _explain(self, wanted: Statement) -> dict[str, Any]:
        explain = b"EXPLAIN (FORMAT JSON) " + wanted.query.text
        return self.connection.execute(explain, wanted.values).fetchone()[0][0]["Plan"]


def asked(noun: Noun, filters: dict[str, Any], sort: str = "-created_at", offset: int = 0) -> listing.Listing:
    return listing.listing(noun, filters, sort=sort, default=sort, limit=50, offset=offset, cursor=None)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


@pytest.fixture(scope="module")
def plans(server_url: str, template_database: str) -> Iterator[Plans]:
    name = f"gndp_test_query_plans_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}")
        found = Plans(psycopg.conninfo.make_conninfo(server_url, dbname=name))
        yield found
        found.connection.close()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("offset", [0, 10_000])
@pytest.mark.parametrize(
    ("noun", "filters", "index"),
    [
        (TASKS, {"status": ["completed"]}, "tasks_status_idx"),
        (TASKS, {"assigned_to": "person000"}, "tasks_assignee_idx"),
        (TASKS, {"assigned_team": "team1"}, "tasks_team_idx"),
        (TASKS, {}, "tasks_created_idx"),
        (PROCESSES, {"status": ["completed"]}, "process_instances_status_idx"),
        (PROCESSES, {"assigned_to": "person000"}, "process_instances_assignee_idx"),
        (PROCESSES, {"assigned_team": "team1"}, "process_instances_team_idx"),
        (PROCESSES, {"process_type": "journey"}, "process_instances_type_idx"),
        (PROCESSES, {"process_definition_id": "purchase_loan"}, "process_instances_definition_idx"),
    ],
)
def test_pages_are_found_in_an_index(
    plans: Plans, noun: Noun, filters: dict[str, Any], index: str, offset: int
) -> None:
    noted = plans.of_list(noun, filters, offset=offset)
    assert index in noted[0]


OPEN = ["pending", "assigned", "in_progress"]


@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize("filters", [{}, {"status": OPEN[:1]}, {"status": ["completed"]}, {"status": None}])
@pytest.mark.parametrize(
    ("sort", "index"),
    [
        ("created_at", "status"),
        ("due_date", "due"),
        ("priority", "priority"),
        ("name", "name"),
        ("status", "status"),
    ],
)
@pytest.mark.parametrize(("noun", "table"), [(TASKS, "tasks"), (PROCESSES, "process_instances")])
def test_sorted_pages_walk_the_index_of_their_sort(
    plans: Plans, noun: Noun, table: str, sort: str, index: str, filters: dict[str, Any], direction: str
) -> None:
    several = [str(status) for status in noun.statuses][:4]
    given = {"status": several} if filters.get("status", "") is None else filters
    noted = plans.of_list(noun, given, direction + sort)
    expected = "created" if sort == "created_at" and not given else index
    assert f"{table}_{expected}_idx" in noted[0]
    assert plans.sorted[0] < 500


@pytest.mark.parametrize("sort", ["-created_at", "due_date", "-priority", "name"])
@pytest.mark.parametrize("filters", [{"search": "the"}, {"tags": ["branch"]}, {"task_definition_id": "s3"}])
def test_what_very_many_fit_is_not_sorted(plans: Plans, filters: dict[str, Any], sort: str) -> None:
    plans.of_list(TASKS, filters, sort)
    assert plans.sorted[0] < 500


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "due_date", "-priority", "name", "status"])
@pytest.mark.parametrize(
    ("noun", "filters", "index"),
    [
        (TASKS, {"search": "call12 bank"}, "task_search_words_idx"),
        (TASKS, {"tags": ["complaint"]}, "task_search_tags_idx"),
        (TASKS, {"task_definition_id": "unknown"}, "task_search_definition_idx"),
        (TASKS, {"assigned_team": "unknown"}, "tasks_team_idx"),
        (TASKS, {"sla_status": ["at_risk"]}, "tasks_late_idx"),
        (PROCESSES, {"search": "meyer 47"}, "process_search_words_idx"),
        (PROCESSES, {"search": "order 000047"}, "process_search_words_idx"),
        (PROCESSES, {"tags": ["complaint"]}, "process_search_tags_idx"),
        (PROCESSES, {"sla_status": ["at_risk"]}, "process_instances_late_idx"),
        (PROCESSES, {"business_key": "ORDER-0000047"}, "process_instances_business_key_idx"),
        (PROCESSES, {"parent_process_id": UUID(int=7)}, "process_instances_parent_idx"),
    ],
)
def test_what_few_fit_is_found_in_an_index_however_it_is_sorted(
    plans: Plans, noun: Noun, filters: dict[str, Any], index: str, sort: str
) -> None:
    noted = plans.of_list(noun, filters, sort)
    assert any(index in found for found in noted)


def test_filters_on_person_and_status_stay_inside_an_index(plans: Plans) -> None:
    noted = plans.of_list(TASKS, {"assigned_to": "person000", "status": ["assigned"]})
    assert noted[0] & {"tasks_assignee_idx", "tasks_mine_idx", "tasks_status_idx"}


def test_steps_of_a_process_come_in_their_order_from_an_index(plans: Plans) -> None:
    noted = plans.of_list(TASKS, {"process_instance_id": plans.process_id}, "position")
    assert "tasks_process_idx" in noted[0]


def test_my_tasks_reads_only_what_the_person_has_now(plans: Plans) -> None:
    for viewer in (None, "person002"):
        mine = statement(
            "tasks", "mine", user_id="person001", limit=1000, seen_by=viewer, seen_by_team="team"
        )
        assert "tasks_mine_idx" in plans.indexes(mine)


def test_what_may_be_claimed_comes_due_soonest_first_from_an_index(plans: Plans) -> None:
    for viewer in (None, "person002"):
        queue = statement("tasks", "queue", team="ops", limit=100, seen_by=viewer, seen_by_team="team")
        assert "tasks_claimable_idx" in plans.indexes(queue)


def test_events_of_a_process_come_newest_first_from_an_index(plans: Plans) -> None:
    wanted = statement("events", "of_process", process_id=plans.process_id, limit=100)
    assert plans.indexes(wanted) == {"process_events_process_idx"}


@pytest.mark.parametrize(("noun", "name"), [("tasks", "workload"), ("processes", "summary")])
def test_figures_find_what_was_not_told_yet_by_its_next_instant(plans: Plans, noun: str, name: str) -> None:
    assert "sla_metrics_next_idx" in plans.indexes(statement(noun, name, now="2024-02-12T12:00:00Z"))


def test_what_happened_on_each_day_is_counted_in_indexes(plans: Plans) -> None:
    bounds = ["2024-02-01T00:00:00Z", "2024-02-02T00:00:00Z"]
    wanted = statement("processes", "trend", bounds=bounds, since=bounds[0], now="2024-02-12T12:00:00Z")
    assert plans.indexes(wanted) >= {
        "process_instances_started_idx",
        "process_instances_completed_idx",
        "process_instances_breached_idx",
        "sla_metrics_next_idx",
    }


@pytest.mark.parametrize("viewer", [None, "person002"])
def test_recent_events_are_looked_for_among_the_newest_alone(plans: Plans, viewer: str | None) -> None:
    values = {"since": "2024-02-12T11:00:00Z", "limit": 20, "looked_through": 2_000}
    wanted = statement("events", "recent", seen_by=viewer, seen_by_team="team", **values)
    assert "process_events_seq_idx" in plans.indexes(wanted)


def test_breaches_come_most_overdue_first_from_their_indexes(plans: Plans) -> None:
    asked = Statement(composed("SELECT * FROM v_sla_breaches LIMIT 50"), ())
    assert plans.indexes(asked) >= {"process_instances_sla_idx", "tasks_sla_idx", "sla_metrics_next_idx"}


@pytest.mark.parametrize(
    ("noun", "name", "values"),
    [
        ("tasks", "state", {}),
        ("tasks", "dependants", {}),
        ("processes", "lock_of_task", {}),
    ],
)
def test_what_a_decision_loads_is_found_by_index(plans: Plans, noun: str, name: str, values: Any) -> None:
    (task,) = plans.connection.execute("SELECT id FROM tasks LIMIT 1 OFFSET 500").fetchone()
    plans.indexes(statement(noun, name, task_id=task, **values))


@pytest.mark.parametrize(
    ("noun", "name", "table"), [("sla", "change", "sla_metrics"), ("tasks", "show_sla", "tasks")]
)
def test_a_plan_made_for_an_empty_table_reads_only_the_rows_that_change(
    database_url: str, noun: str, name: str, table: str
) -> None:
    with psycopg.connect(database_url, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute(b"PREPARE change AS " + statement(noun, name, rows="[]").query.text)
        plan = connection.execute("EXPLAIN (FORMAT JSON) EXECUTE change ('[]')").fetchone()[0][0]["Plan"]
    nodes = [n for n in _nodes(plan) if n.get("Relation Name") == table and "Scan" in n["Node Type"]]
    assert nodes
    assert all("Index Cond" in n or "Recheck Cond" in n for n in nodes), json.dumps(plan, indent=1)


def test_what_is_new_in_the_log_is_found_by_index(plans: Plans) -> None:
    (now,) = plans.connection.execute("SELECT pg_current_snapshot()::text").fetchone()
    wanted = {"types": "%", "starts_at": None, "process_id": None, "most": 100}
    found = plans.indexes(statement("event_log", "window", read_from=now, **wanted))
    assert found == {"process_events_xid_idx", "process_events_seq_idx"}
    place = {"read_from": "1:1:", "read_to": now, "last_seq": 10_000}
    found = plans.indexes(statement("event_log", "rest_of_window", **place, **wanted))
    assert found == {"process_events_seq_idx"}


def test_how_far_subscriptions_have_come_is_found_by_index(plans: Plans) -> None:
    plans.indexes(statement("subscriptions", "list", most=10_000))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("queues_of_people", {"people": '["person001"]', "now": "2026-01-01T00:00:00Z"}),
        ("gave_back", {"task_ids": []}),
        ("waiting", {"task_ids": []}),
        ("waiting_teams", {}),
    ],
)
def test_what_routing_asks_is_found_by_index(plans: Plans, name: str, values: Any) -> None:
    plans.indexes(statement("routing", name, **values))


def test_a_queue_is_found_by_its_team(plans: Plans) -> None:
    place = {"after_urgency": -5, "after_ready": "0001-01-01T00:00:00Z"}
    first = "00000000-0000-0000-0000-000000000000"
    wanted = statement("routing", "queue", team="ops", after_id=first, most=100, **place)
    assert "tasks_waiting_idx" in plans.indexes(wanted)


def test_retention_walks_from_the_oldest_process_in_an_index(plans: Plans) -> None:
    place = {"after_instant": "0001-01-01T00:00:00Z", "after_id": "00000000-0000-0000-0000-000000000000"}
    wanted = statement("retention", "roots", before="2100-01-01T00:00:00Z", most=100, **place)
    assert plans.indexes(wanted) >= {"process_instances_created_idx", "process_instances_parent_idx"}
    plans.indexes(statement("retention", "family", roots=[plans.process_id]))


@pytest.mark.parametrize(
    "step",
    ["lock", "delete_events", "delete_assignments", "delete_sla_metrics", "delete_tasks", "delete_processes"],
)
def test_retention_finds_what_it_deletes_by_index(plans: Plans, step: str) -> None:
    plans.indexes(statement("retention", step, ids=[plans.process_id]))


def test_the_events_of_a_deleted_task_are_found_by_index(plans: Plans) -> None:
    """What the foreign key of process_events asks for each task that is deleted."""
    asked = composed("SELECT FROM process_events WHERE task_id = :task_id::uuid FOR KEY SHARE")
    (task,) = plans.connection.execute("SELECT id FROM tasks LIMIT 1 OFFSET 500").fetchone()
    assert plans.indexes(Statement(asked, (task,))) == {"process_events_task_idx"}


def test_what_metrics_count_is_open_work_found_by_index(plans: Plans) -> None:
    assert "tasks_open_idx" in plans.indexes(statement("health", "figures", jobs=["sla_sweep"]))
    plans.indexes(statement("health", "state", lease="scheduler"))
