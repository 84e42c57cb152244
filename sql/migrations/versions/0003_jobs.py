"""Scheduled jobs: who may run them, and what they did; the index that deleting tasks needs."""

from gndp.store.migrate import run_sql

revision = "0003_jobs"
down_revision = "0002_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0003_jobs.sql")
