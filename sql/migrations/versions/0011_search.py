"""Search: the words of processes and tasks beside them, and the indexes that lists are sorted by."""

from gndp.store.migrate import run_sql

revision = "0011_search"
down_revision = "0010_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0011_search.sql")
