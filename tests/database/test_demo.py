"""The demo: some weeks of a home lender, with people who are routed to and promises that are kept or not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

import gndp
from gndp import demo
from gndp.core.errors import Conflict
from gndp.core.templates import parse_template
from gndp.demo.people import OFFICE, SERVICES
from gndp.demo.promises import policies

NOW = datetime(2026, 3, 11, 13, 20, tzinfo=UTC)
WHAT_HAPPENED = """
SELECT p.process_name, e.seq - min(e.seq) OVER (), e.event_type, e.user_id, e.timestamp, t.task_definition_id,
       t.assigned_to
FROM process_events e
JOIN process_instances p ON p.id = e.process_instance_id LEFT JOIN tasks t ON t.id = e.task_id
ORDER BY e.seq
"""


@pytest.fixture(scope="module")
def database(server_url: str, template_database: str) -> Iterator[str]:
    """A database that the demo has filled with three weeks."""
    name = f"gndp_test_demo_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}")
        url = psycopg.conninfo.make_conninfo(server_url, dbname=name)
        with gndp.connect(url) as workbench:
            assert demo.is_empty(workbench)
            demo.fill(workbench, now=NOW, days=21)
        yield url
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def filled(database: str) -> Iterator[gndp.Workbench]:
    """A workbench on the filled database, at the demo's now."""
    with gndp.connect(database, clock=lambda: NOW) as workbench:
        yield workbench


def rows(workbench: gndp.Workbench, query: str) -> list[tuple]:
    with psycopg.connect(workbench.database_url) as connection:
        return connection.execute(query).fetchall()


def test_everything_holds_and_every_kind_of_process_is_there(filled: gndp.Workbench) -> None:
    assert filled.check().violations == ()
    statuses = Counter(status for (status,) in rows(filled, "SELECT status FROM process_instances"))
    assert statuses.keys() >= {"running", "completed", "suspended", "failed"}
    assert not demo.is_empty(filled)


def test_nothing_is_later_than_now(filled: gndp.Workbench) -> None:
    ((newest,),) = rows(filled, "SELECT max(timestamp) FROM process_events")
    assert newest <= NOW


def test_most_promises_are_kept_and_some_are_not(filled: gndp.Workbench) -> None:
    ended = Counter(
        status for (status,) in rows(filled, "SELECT status FROM sla_metrics WHERE ended = 'stopped'")
    )
    assert 0.80 <= ended["met"] / ended.total() <= 0.95
    running = {status for (status,) in rows(filled, "SELECT status FROM sla_metrics WHERE end_time IS NULL")}
    assert running >= {"on_track", "at_risk", "breached"}
    told = {name for (name,) in rows(filled, "SELECT event_type FROM process_events")}
    assert told >= {"sla.at_risk", "sla.breached", "escalation.triggered"}


def test_a_sweep_at_the_demos_now_has_nothing_left_to_tell(filled: gndp.Workbench) -> None:
    assert filled.sla.sweep().clocks == 0


def test_people_were_routed_by_every_method_and_did_what_they_were_given(filled: gndp.Workbench) -> None:
    methods = Counter(m for (m,) in rows(filled, "SELECT assignment_method FROM task_assignments"))
    assert methods.keys() >= {"round_robin", "load_balanced", "skill_based"}
    people = {person.user_id: person for person in filled.directory.people()}
    done = rows(
        filled,
        "SELECT assigned_to, assigned_team, required_skills, task_type FROM tasks WHERE status = 'completed'",
    )
    for person, team, skills, task_type in done:
        assert people[person].team == team
        assert all(people[person].skills[skill] >= level for skill, level in skills.items())
        assert (person in SERVICES) == (task_type in ("automated", "notification"))


def test_people_begin_in_the_office_and_not_while_away(filled: gndp.Workbench) -> None:
    started = rows(
        filled,
        "SELECT started_at FROM tasks WHERE started_at IS NOT NULL AND assigned_team <> 'integrations'",
    )
    assert started
    assert all(OFFICE.is_working(at) for (at,) in started)
    away = [person for person in filled.directory.people() if person.is_out_of_office(NOW)]
    assert away
    assert all(person.substitute for person in away)


def test_teams_have_leads_and_every_step_a_target(filled: gndp.Workbench) -> None:
    teams = {team.name: team for team in filled.directory.teams()}
    assert all(team.lead and team.manager for name, team in teams.items() if name != "integrations")
    promised = {
        (policy["applies_to"]["template"], step)
        for policy in policies()
        if policy["objective"] == "completion"
        for step in policy["applies_to"]["steps"]
    }
    for definition in filled.definitions.list():
        template = parse_template(definition.document)
        assert all(step.sla_minutes or (template.id, step.id) in promised for step in template.steps)


def test_the_same_seed_and_now_make_the_same_demo(new_workbench: Callable[..., gndp.Workbench]) -> None:
    one, other = new_workbench(), new_workbench()
    count = demo.fill(one, now=NOW, days=6)
    demo.fill(other, now=NOW, days=6)
    assert rows(other, WHAT_HAPPENED) == rows(one, WHAT_HAPPENED)
    assert demo.fill(other, now=NOW, days=6) == count == other.processes.list().total


def test_what_is_there_already_is_left_alone(new_workbench: Callable[..., gndp.Workbench]) -> None:
    workbench = new_workbench(clock=lambda: NOW)
    workbench.directory.add_team("legal")
    assert not demo.is_empty(workbench)
    with pytest.raises(Conflict, match="legal already"):
        demo.fill(workbench, days=5)
    assert [team.name for team in workbench.directory.teams()] == ["legal"]
    assert workbench.processes.list().total == 0
    assert workbench.clock() == NOW


@pytest.mark.parametrize("week", range(0, 52, 3))
def test_whenever_it_is_made_it_has_three_hundred_processes(week: int) -> None:
    now = NOW + timedelta(weeks=week)
    arrivals = demo._arrivals(random.Random(7), now - timedelta(days=demo.DAYS), now)
    assert len(arrivals) >= 300
    assert all(OFFICE.is_working(at) for at in arrivals)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [7, 8, 9])
def test_sixty_days(new_workbench: Callable[..., gndp.Workbench], seed: int) -> None:
    workbench = new_workbench()
    assert demo.fill(workbench, seed=seed) >= 300
    assert workbench.check().violations == ()
    met, ended = rows(
        workbench,
        "SELECT count(*) FILTER (WHERE status = 'met'), count(*) FROM sla_metrics WHERE ended = 'stopped'",
    )[0]
    assert 0.80 <= met / ended <= 0.95
