"""Opening a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from meterway.base.errors import StoreError
from meterway.store.alarms import Alarms
from meterway.store.audit import Audit
from meterway.store.balances import Balances
from meterway.store.blocks import Blocks
from meterway.store.contacts import Contacts
from meterway.store.counters import Counters
from meterway.store.devices import Devices
from meterway.store.dialect import dialect_of
from meterway.store.events import Events
from meterway.store.nodes import Nodes
from meterway.store.orders import Orders
from meterway.store.outbox import Outbox
from meterway.store.readings import Readings
from meterway.store.reports import Reports
from meterway.store.session import Session
from meterway.store.settings import Settings
from meterway.store.tasks import Tasks

__all__ = ["HEAD", "Store", "open_store"]

# The newest migration; a test holds it against the migrations there are.
HEAD: Final = "r0004"
_KNOWN: Final = frozenset({"r0001", "r0002", "r0003", HEAD})


class Store:
    """One open database; every part of it is reached through the attribute of that name."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.devices = Devices(session)
        self.counters = Counters(session)
        self.blocks = Blocks(session)
        self.readings = Readings(session)
        self.events = Events(session)
        self.tasks = Tasks(session)
        self.contacts = Contacts(session)
        self.audit = Audit(session)
        self.outbox = Outbox(session)
        self.settings = Settings(session)
        self.nodes = Nodes(session)
        self.reports = Reports(session)
        self.orders = Orders(session)
        self.balances = Balances(session)
        self.alarms = Alarms(session)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is stored inside is stored together or not at all (one thread)."""
        with self.session.transaction():
            yield

    @property
    def where(self) -> str:
        """The database, for messages; never with a password."""
        return self.session.dialect.where

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_store(url: str) -> Store:
    """Open ``sqlite:///path`` or ``postgresql://...``, made and migrated if need be.

    StoreError if it cannot be opened, is not a database, or was written by a newer version.
    """
    dialect = dialect_of(url)
    session = Session(dialect)
    try:
        version = _version(session)
        if version != HEAD:
            if version is not None and version not in _KNOWN:
                raise StoreError(
                    f"{dialect.where} was written by a newer version (schema {version}, this version knows {HEAD})"
                )
            _migrate(session)
    except BaseException:
        session.close()
        raise
    return Store(session)


def _version(session: Session) -> str | None:
    catalogue = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if session.dialect.name == "sqlite"
        else "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    )
    tables = {str(row[0]) for row in session.read(catalogue)}
    if "alembic_version" in tables:
        rows = session.read("SELECT version_num FROM alembic_version")
        return str(rows[0][0]) if rows else None
    if "device" in tables:
        raise StoreError(f"{session.dialect.where} holds tables of another program")
    return None


def _migrate(session: Session) -> None:
    from sqlalchemy.exc import DBAPIError

    from meterway.store.schema.migrate import migrate

    with session.connection() as connection:
        try:
            migrate(session.dialect.name, connection)
        except DBAPIError as error:
            raise session.dialect.explain(error.orig, session.dialect.where) from error.orig
