"""What waits in a team's queue: the index that people look for work by."""

from gndp.store.migrate import run_sql

revision = "0013_claimable"
down_revision = "0012_trend"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0013_claimable.sql")
