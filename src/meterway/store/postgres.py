"""How PostgreSQL is opened and what its complaints mean; the driver is psycopg 3, an optional extra."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Final

from meterway.base.errors import StoreError
from meterway.store.driver import Row

if TYPE_CHECKING:
    import psycopg

__all__ = ["connect", "error_type", "explain", "is_conflict", "write_many"]

# So many rows go to the server in one statement.
_ROWS: Final = 200
_VALUES: Final = re.compile(r"VALUES (\([^()]*\))")


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


@lru_cache(maxsize=64)
def _widened(sql: str) -> str | None:
    """An INSERT of one row as an INSERT of many, with the server's own placeholders; None for another statement."""
    found = _VALUES.search(sql)
    if found is None:
        return None
    numbers = count(1)
    wide = sql.replace(found[0], "VALUES " + ", ".join([found[1]] * _ROWS))
    return re.sub("%s", lambda _: f"${next(numbers)}", wide).replace("%%", "%")


def write_many(cursor: psycopg.Cursor[Row], sql: str, rows: Iterable[Row]) -> int:
    """Run a statement for every row; how many rows it touched. Inserts go in statements of many rows."""
    left = list(rows)
    touched = 0
    wide = _widened(sql) if len(left) >= _ROWS else None
    if wide is not None:
        import psycopg

        # A raw cursor, because the usual one would parse the long text anew each time.
        with psycopg.RawCursor(cursor.connection) as raw:
            while len(left) >= _ROWS:
                raw.execute(wide.encode(), [value for row in left[:_ROWS] for value in row])
                touched += raw.rowcount
                left = left[_ROWS:]
    if left:
        cursor.executemany(sql.encode(), left)
        touched += cursor.rowcount
    return touched


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
