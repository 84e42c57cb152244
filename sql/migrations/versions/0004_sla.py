"""SLA policies and clocks."""

from gndp.store.migrate import run_sql

revision = "0004_sla"
down_revision = "0003_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0004_sla.sql")
