"""How PostgreSQL is opened and what its complaints mean; the driver is psycopg 3, an optional extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meterway.base.errors import StoreError

if TYPE_CHECKING:
    import psycopg

__all__ = ["connect", "error_type", "explain", "is_conflict"]


def error_type() -> type[Exception]:
    """The root of the driver's errors; StoreError if the driver is not installed."""
    try:
        import psycopg
    except ImportError:
        raise StoreError("PostgreSQL needs the extra 'postgresql': pip install 'meterway[postgresql]'") from None
    return psycopg.Error


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection in autocommit mode; a transaction is opened by ``BEGIN``."""
    error_type()
    import psycopg

    connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    connection.prepare_threshold = 2
    connection.execute("SET TIME ZONE 'UTC'")
    return connection


def explain(error: Exception, where: str) -> StoreError:
    """What went wrong, in words that say what to do."""
    state = getattr(error, "sqlstate", None) or ""
    text = " ".join(str(error).split())
    if state == "53100":
        return StoreError(f"{where}: no space is left for the database; nothing of this step was stored")
    if state in ("55P03", "57014"):
        return StoreError(f"{where}: another process kept the database locked; nothing of this step was stored")
    if not state:
        return StoreError(f"{where}: the database server cannot be reached ({text})")
    return StoreError(f"{where}: {text}")


def is_conflict(error: Exception) -> bool:
    """Whether another writer was faster and the step may simply be done again (unique key, serialisation, deadlock)."""
    return getattr(error, "sqlstate", None) in ("23505", "40001", "40P01")
