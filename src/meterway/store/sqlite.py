"""How SQLite is opened and what its complaints mean; the driver is the standard library's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from meterway.base.errors import StoreError
from meterway.store.driver import Cursor, Row
from meterway.store.private_file import make_private

__all__ = ["BUSY_S", "connect", "explain", "is_conflict", "write_many"]

# How long a writer waits for another process.
BUSY_S = 30.0
# Every commit is on the disk before it is acknowledged (FULL); readers never wait for the writer (WAL).
_SETUP: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA cache_size = -32768;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA temp_store = MEMORY;
"""


def connect(path: str) -> sqlite3.Connection:
    """A connection in autocommit mode to ``path`` (``:memory:`` too); raises sqlite3.Error or StoreError."""
    if path != ":memory:":
        folder = Path(path).resolve().parent
        if not folder.is_dir():
            raise StoreError(f"{path}: the folder {folder} does not exist")
        if Path(path).is_dir():
            raise StoreError(f"{path} is a folder, not a database file")
        make_private(path)
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.executescript(_SETUP)
    except BaseException:
        connection.close()
        raise
    return connection


def write_many(cursor: Cursor, sql: str, rows: Iterable[Row]) -> int:
    """Run a statement for every row; how many rows it touched."""
    cursor.executemany(sql, rows)
    return cursor.rowcount


def explain(error: sqlite3.Error, where: str) -> StoreError:
    """What went wrong, in words that say what to do."""
    text = str(error)
    if "disk is full" in text:
        return StoreError(f"{where}: no space is left for the database; nothing of this step was stored")
    if "locked" in text or "busy" in text:
        return StoreError(f"{where}: another process kept the database locked; nothing of this step was stored")
    if "not a database" in text:
        return StoreError(f"{where} is not a database")
    if "malformed" in text or "corrupt" in text:
        return StoreError(f"{where}: the database is damaged ({text})")
    if "readonly" in text or "unable to open" in text:
        return StoreError(f"{where}: the database cannot be written ({text})")
    if "disk I/O error" in text:
        return StoreError(f"{where}: the disk failed ({text}); nothing of this step was stored")
    return StoreError(f"{where}: {text}")


def is_conflict(error: sqlite3.Error) -> bool:
    """Whether another writer was faster and the step may simply be done again."""
    del error  # one writer at a time: there is nothing to lose a race against
    return False
