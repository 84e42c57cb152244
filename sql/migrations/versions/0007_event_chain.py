"""The event chain: every event says what caused it, and seals the event before it."""

from gndp.store.migrate import run_sql

revision = "0007_event_chain"
down_revision = "0006_at_risk"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0007_event_chain.sql")
