"""What waits in a team's queue: the index that people look for work by."""

from gndp.store.migrate import run_sql

revision = "0012_claimable"
down_revision = "0011_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0012_claimable.sql")
