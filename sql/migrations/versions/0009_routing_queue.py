"""Routing: who is within reach of a team, and whether its imbalance was told."""

from gndp.store.migrate import run_sql

revision = "0009_routing_queue"
down_revision = "0008_event_log"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0009_routing_queue.sql")
