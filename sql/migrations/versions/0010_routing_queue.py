"""Routing: who is within reach of a team, and whether its imbalance was told."""

from gndp.store.migrate import run_sql

revision = "0010_routing_queue"
down_revision = "0005_routing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0010_routing_queue.sql")
