"""Where Alembic enters: db/migrate.py hands it a connection that is already in a transaction."""

from alembic import context

from db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
