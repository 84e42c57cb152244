"""Trend: processes by the instants of their start and their end, and of coming past due."""

from gndp.store.migrate import run_sql

revision = "0012_trend"
down_revision = "0011_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0012_trend.sql")
