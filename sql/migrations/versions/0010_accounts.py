"""Who somebody is: accounts, one-time links, browser sessions, API tokens, the signing key."""

from gndp.store.migrate import run_sql

revision = "0010_accounts"
down_revision = "0009_routing_queue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0010_accounts.sql")
