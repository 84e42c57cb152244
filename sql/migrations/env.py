"""Alembic's entry: runs the migrations on the connection that gndp.store.migrate hands over."""

from alembic import context

from gndp.store.models import SQLModel

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    transaction_per_migration=False,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
