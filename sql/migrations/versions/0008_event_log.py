"""The event log that others read: which cluster its positions are of, who has read how far, what is
parked."""

from gndp.store.migrate import run_sql

revision = "0008_event_log"
down_revision = "0007_event_chain"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0008_event_log.sql")
