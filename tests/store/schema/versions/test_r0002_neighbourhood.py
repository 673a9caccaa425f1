"""The second migration: a database of the first schema keeps what it has and gains three tables."""

from alembic import command

from meterway.store.database import open_store
from meterway.store.devices import NewDevice
from meterway.store.schema.migrate import config
from meterway.store.schema.versions import r0002_neighbourhood


def test_a_database_of_the_first_schema_is_brought_up_with_all_it_has(url: str) -> None:
    from sqlalchemy import StaticPool, create_engine

    with open_store(url) as store:
        store.devices.add(NewDevice(serial="M1"), now_ms=1)
        dialect = "sqlite" if store.session.dialect.name == "sqlite" else "postgresql+psycopg"
        with store.session.connection() as raw:
            engine = create_engine(f"{dialect}://", creator=lambda: raw, poolclass=StaticPool)
            with engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                command.downgrade(config(connection), "r0001")
                connection.commit()
    with open_store(url) as again:
        assert [device.serial for device in again.devices.all()] == ["M1"]
        assert (again.nodes.count(), again.orders.recent()) == (0, [])


def test_it_follows_the_first() -> None:
    assert (r0002_neighbourhood.revision, r0002_neighbourhood.down_revision) == ("r0002", "r0001")
