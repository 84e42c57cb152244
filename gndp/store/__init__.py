"""The store: tables, sessions, named queries, migrations and the embedded server."""
