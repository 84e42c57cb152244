"""Routing: what a task asks of its person, and the queue of those that wait for one."""

from gndp.store.migrate import run_sql

revision = "0005_routing"
down_revision = "0004_sla"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0005_routing.sql")
    run_sql("views/v_my_tasks.sql")
