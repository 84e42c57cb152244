"""${message}"""

from gndp.store.migrate import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("migrations/versions/${up_revision}.sql")
