"""The third migration: a database of the second schema keeps what it has and gains two tables."""

from alembic import command

from meterway.store.database import open_store
from meterway.store.devices import NewDevice
from meterway.store.schema.migrate import config
from meterway.store.schema.versions import r0003_neighbourhood_watch


def test_a_database_of_the_second_schema_is_brought_up_with_all_it_has(url: str) -> None:
    from sqlalchemy import StaticPool, create_engine

    with open_store(url) as store:
        device = store.devices.add(NewDevice(serial="M1"), now_ms=1).id
        dialect = "sqlite" if store.session.dialect.name == "sqlite" else "postgresql+psycopg"
        with store.session.connection() as raw:
            engine = create_engine(f"{dialect}://", creator=lambda: raw, poolclass=StaticPool)
            with engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                command.downgrade(config(connection), "r0002")
                connection.commit()
    with open_store(url) as again:
        assert [one.serial for one in again.devices.all()] == ["M1"]
        assert (again.balances.of_device(device), again.alarms.standing()) == ([], [])


def test_it_follows_the_second() -> None:
    assert (r0003_neighbourhood_watch.revision, r0003_neighbourhood_watch.down_revision) == ("r0003", "r0002")
