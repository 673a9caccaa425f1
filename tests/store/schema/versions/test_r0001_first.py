"""The first migration."""

from alembic import command

from meterway.store.database import Store
from meterway.store.schema.migrate import config
from meterway.store.schema.versions import r0001_first


def names(store: Store) -> set[str]:
    if store.session.dialect.name == "sqlite":
        rows = store.session.read("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    else:
        rows = store.session.read("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows += store.session.read("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    return {name for (name,) in rows}


def test_it_makes_the_tables_and_can_be_undone(store: Store) -> None:
    from sqlalchemy import StaticPool, create_engine

    assert {"device", "interval_block", "audit"} <= names(store)
    dialect = "sqlite" if store.session.dialect.name == "sqlite" else "postgresql+psycopg"
    with store.session.connection() as raw:
        engine = create_engine(f"{dialect}://", creator=lambda: raw, poolclass=StaticPool)
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            command.downgrade(config(connection), "base")
            connection.commit()
    assert {name for name in names(store) if "alembic" not in name} == set()


def test_it_is_the_first() -> None:
    assert (r0001_first.revision, r0001_first.down_revision) == ("r0001", None)
