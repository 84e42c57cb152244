"""Who does the work: calendars, teams and people; and definitions keep the order of their documents."""

from gndp.store.migrate import run_sql

revision = "0002_people"
down_revision = "0001_engine"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/0002_people.sql")
