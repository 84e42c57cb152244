"""The engine's ground: the contract's tables and ours beside them, with views, triggers and indexes."""

from gndp.store.migrate import run_sql

revision = "0001_engine"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0001_engine.sql")
    for view in ("v_active_processes", "v_my_tasks"):
        run_sql(f"views/{view}.sql")
