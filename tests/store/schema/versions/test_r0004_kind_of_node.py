"""The fourth migration: nodes that are there keep what is known of them, and of their kind nothing is known."""

from alembic import command

from meterway.store.database import open_store
from meterway.store.devices import NewDevice
from meterway.store.nodes import Node
from meterway.store.schema.migrate import config
from meterway.store.schema.versions import r0004_kind_of_node


def test_nodes_of_the_third_schema_are_kept(url: str) -> None:
    from sqlalchemy import StaticPool, create_engine

    with open_store(url) as store:
        nnap = store.devices.add(NewDevice(serial="N1"), now_ms=1)
        meter = store.devices.add(NewDevice(serial="M1"), now_ms=1)
        kept = Node(device=meter.id, nnap=nnap.id, eui=b"12345678", hops=2)
        store.nodes.put_many([kept])
        dialect = "sqlite" if store.session.dialect.name == "sqlite" else "postgresql+psycopg"
        with store.session.connection() as raw:
            engine = create_engine(f"{dialect}://", creator=lambda: raw, poolclass=StaticPool)
            with engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                command.downgrade(config(connection), "r0003")
                connection.commit()
    with open_store(url) as again:
        assert again.nodes.find(meter.id) == kept
        again.nodes.put_many([Node(device=meter.id, nnap=nnap.id, eui=b"12345678", role=4, name=b"MWYH-1".hex())])
        found = again.nodes.find(meter.id)
        assert found is not None
        assert (found.role, found.name) == (4, b"MWYH-1".hex())


def test_it_follows_the_third() -> None:
    assert (r0004_kind_of_node.revision, r0004_kind_of_node.down_revision) == ("r0004", "r0003")
