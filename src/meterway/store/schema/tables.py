"""Every table, described once; SQLite and PostgreSQL are made from this.

Times are milliseconds since 1970 UTC (``*_ms``); ``day`` counts days since then. JSON is kept as text.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = ["METADATA"]

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# An integer key that counts up by itself in both databases.
_SERIAL: Final = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, default: str = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _time(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _device(*, nullable: bool = False) -> Column[int]:
    return Column("device", BigInteger, ForeignKey("device.id"), nullable=nullable)


def _index_of(state: str, *columns: str) -> Index:
    """An index of the tasks in one state only: what is done costs nothing."""
    where = text(f"state = '{state}'")
    return Index(f"ix_device_task_{state}", *columns, sqlite_where=where, postgresql_where=where)


DEVICE: Final = Table(
    "device",
    METADATA,
    Column("id", _SERIAL, primary_key=True),
    Column("serial", Text, nullable=False),
    Column("system_title", LargeBinary),
    _text("utility", "electricity"),
    _text("protocol", "dlms"),
    _text("profile"),
    _text("transport", "tcp"),
    _text("host"),
    Column("port", Integer, nullable=False, server_default="0"),
    Column("sap", Integer, nullable=False, server_default="1"),
    Column("keys", LargeBinary),
    Column("parent", BigInteger, ForeignKey("device.id")),
    _text("state", "registered"),
    _text("firmware"),
    _text("flags", "{}"),
    _time("added_ms"),
    _time("changed_ms"),
    _time("seen_ms", nullable=True),
    UniqueConstraint("serial"),
    Index("ix_device_state", "state", "serial"),
    Index("ix_device_parent", "parent"),
    Index("ix_device_system_title", "system_title"),
    Index("ix_device_host", "host"),
)

COUNTER: Final = Table(
    "counter",
    METADATA,
    _device(),
    Column("name", Text, nullable=False),
    Column("next", BigInteger, nullable=False),
    PrimaryKeyConstraint("device", "name"),
    CheckConstraint("next >= 0", name="next"),
    sqlite_with_rowid=False,
)

INTERVAL_BLOCK: Final = Table(
    "interval_block",
    METADATA,
    Column("day", Integer, nullable=False),
    _device(),
    Column("series", SmallInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("interval_s", Integer, nullable=False),
    Column("channels", SmallInteger, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("sums", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    _time("stored_ms"),
    Column("evidence", LargeBinary, nullable=False),
    Column("octets", LargeBinary, nullable=False),
    PrimaryKeyConstraint("day", "device", "series", "revision"),
    sqlite_with_rowid=False,
)

REGISTER_READING: Final = Table(
    "register_reading",
    METADATA,
    _device(),
    Column("obis", LargeBinary, nullable=False),
    _time("time_ms"),
    Column("revision", Integer, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("scaler", SmallInteger, nullable=False),
    Column("unit", SmallInteger, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    _time("stored_ms"),
    Column("evidence", LargeBinary, nullable=False),
    PrimaryKeyConstraint("device", "obis", "time_ms", "revision"),
    sqlite_with_rowid=False,
)

EVENT: Final = Table(
    "event",
    METADATA,
    Column("id", _SERIAL, primary_key=True),
    _device(),
    Column("log", Text, nullable=False),
    Column("code", Integer, nullable=False),
    _time("time_ms"),
    _time("received_ms"),
    Column("source", Text, nullable=False),
    _text("detail"),
    UniqueConstraint("device", "log", "code", "time_ms"),
    Index("ix_event_time_ms", "time_ms"),
    Index("ix_event_device", "device", "time_ms"),
)

DEVICE_TASK: Final = Table(
    "device_task",
    METADATA,
    Column("id", _SERIAL, primary_key=True),
    _device(),
    Column("kind", Text, nullable=False),
    _time("due_ms"),
    Column("priority", SmallInteger, nullable=False),
    _text("state", "due"),
    _time("lease_until_ms", nullable=True),
    _text("owner"),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("payload", LargeBinary, nullable=False),
    _text("error"),
    Column("name", Text),
    _time("changed_ms"),
    UniqueConstraint("name"),
    _index_of("due", "priority", "due_ms", "id"),
    _index_of("leased", "lease_until_ms"),
    Index("ix_device_task_device", "device", "id"),
)

CONTACT: Final = Table(
    "contact",
    METADATA,
    Column("id", _SERIAL, primary_key=True),
    _device(),
    Column("kind", Text, nullable=False),
    _time("started_ms"),
    Column("duration_us", BigInteger, nullable=False),
    Column("result", Text, nullable=False),
    _text("error"),
    Column("octets_in", BigInteger, nullable=False, server_default="0"),
    Column("octets_out", BigInteger, nullable=False, server_default="0"),
    Column("values_read", BigInteger, nullable=False, server_default="0"),
    _text("detail", "{}"),
    Index("ix_contact_device", "device", "id"),
    Index("ix_contact_started_ms", "started_ms"),
)

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _time("time_ms"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    _device(nullable=True),
    Column("result", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Index("ix_audit_device", "device", "id"),
)

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("id", _SERIAL, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    _time("added_ms"),
    sqlite_autoincrement=True,
)

SETTING: Final = Table(
    "setting",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

NODE: Final = Table(
    "node",
    METADATA,
    _device(),
    Column("nnap", BigInteger, ForeignKey("device.id"), nullable=False),
    Column("eui", LargeBinary, nullable=False),
    Column("parent", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("hops", SmallInteger, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    Column("sap", Integer, nullable=False),
    _time("heard_ms"),
    _time("joined_ms"),
    _time("changed_ms"),
    Column("role", SmallInteger, nullable=False, server_default="0"),
    _text("name"),
    PrimaryKeyConstraint("device"),
    Index("ix_node_nnap", "nnap"),
    sqlite_with_rowid=False,
)

REPORT: Final = Table(
    "report",
    METADATA,
    _device(),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    _time("stored_ms"),
    PrimaryKeyConstraint("device", "name"),
    sqlite_with_rowid=False,
)

GROUP_ORDER: Final = Table(
    "group_order",
    METADATA,
    Column("name", Text, primary_key=True),
    _text("state"),
    _text("document", "{}"),
    _time("changed_ms"),
    Index("ix_group_order_changed_ms", "changed_ms"),
)

BALANCE: Final = Table(
    "balance",
    METADATA,
    _device(),
    Column("day", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    _time("judged_ms"),
    Column("period_s", Integer, nullable=False),
    Column("intervals", Integer, nullable=False),
    Column("complete", Integer, nullable=False),
    Column("given", BigInteger, nullable=False),
    Column("taken", BigInteger, nullable=False),
    Column("low", SmallInteger, nullable=False),
    Column("high", SmallInteger, nullable=False),
    Column("verdict", SmallInteger, nullable=False),
    Column("lacking", Integer, nullable=False),
    _text("missing", "[]"),
    PrimaryKeyConstraint("device", "day"),
    sqlite_with_rowid=False,
)

ALARM: Final = Table(
    "alarm",
    METADATA,
    _device(),
    Column("kind", SmallInteger, nullable=False),
    Column("subject", Text, nullable=False),
    _time("raised_ms"),
    _time("cleared_ms"),
    Column("count", Integer, nullable=False),
    _text("text"),
    _time("acknowledged_ms"),
    _text("acknowledged_by"),
    PrimaryKeyConstraint("device", "raised_ms", "kind", "subject"),
    sqlite_with_rowid=False,
)
