"""What clocks have made of items since the last sweep, so that figures are true at any instant."""

from gndp.store.migrate import run_sql

revision = "0006_at_risk"
down_revision = "0005_routing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0006_at_risk.sql")
    run_sql("views/v_sla_breaches.sql")
