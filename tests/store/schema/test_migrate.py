"""The schema and its migrations."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import StaticPool, create_engine

from meterway.store.database import HEAD, Store
from meterway.store.schema.migrate import config
from meterway.store.schema.tables import METADATA


def test_the_migrations_lead_to_the_tables_that_are_described(store: Store) -> None:
    name = "sqlite" if store.session.dialect.name == "sqlite" else "postgresql+psycopg"
    with store.session.connection() as raw:
        engine = create_engine(f"{name}://", creator=lambda: raw, poolclass=StaticPool)
        with engine.connect() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    assert differences == []


def test_the_version_a_store_looks_for_is_the_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(config())
    assert scripts.get_heads() == [HEAD]
