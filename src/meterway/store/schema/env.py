"""What Alembic runs: it takes the open connection from ``migrate`` and applies the migrations to it."""

from __future__ import annotations

from alembic import context

from meterway.store.schema.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
