"""An entity's own small file: a schema with a version, transactions, counters that only rise, and named octets.

SQLite with a write-ahead log that is flushed to the disk at every commit: what ``transaction`` has ended without an
error is there after a power loss. A gateway or a concentrator adds the tables of what it keeps.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from meterway.base.errors import StoreError
from meterway.store.driver import Row
from meterway.store.private_file import make_private

__all__ = ["OwnFile", "whole_seconds"]

_LATEST_S: Final = 1 << 53
_SCHEMA: Final = """
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE state (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


class OwnFile:
    """The file; StoreError where the disk or the file refuses.

    ``kind`` is the word for it in errors. ``schema`` has the tables of each version, the first being 1: an older file
    gets those it lacks. The thread that opens it is the one that uses it.
    """

    def __init__(self, path: Path | str, *, kind: str, schema: Sequence[str]) -> None:
        self._kind = kind
        self._depth = 0
        if str(path) != ":memory:":
            make_private(path)
        try:
            self._db = sqlite3.connect(str(path), isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA journal_size_limit = 1048576")
            self._open(schema)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error

    def _open(self, schema: Sequence[str]) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(schema):
            raise StoreError(f"the {self._kind} was written by a newer program (version {version})")
        if version < len(schema):
            missing = ("" if version else _SCHEMA) + "".join(schema[version:])
            self._db.executescript(f"BEGIN; {missing} PRAGMA user_version = {len(schema)}; COMMIT;")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def copy_to(self, path: Path) -> None:
        """A whole copy, as of one moment, for a standby; StoreError if it cannot be written."""
        make_private(path)
        try:
            target = sqlite3.connect(str(path))
            try:
                self._db.backup(target)
            finally:
                target.close()
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error

    # -- transactions ---------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; when it ends without an error, it is on the disk. One within another is part of it."""
        if self._depth:
            yield
            return
        self._run("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
            self._run("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.rollback()
            self._undone()
            raise
        finally:
            self._depth = 0

    def _undone(self) -> None:
        """A transaction was taken back: whoever remembers rows reads them anew."""

    def _run(self, text: str, values: Sequence[object] | Mapping[str, object] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(text, values)
        except sqlite3.Error as error:
            raise StoreError(f"the {self._kind} refuses: {error}") from error

    def _many(self, text: str, rows: Iterable[tuple[object, ...]]) -> int:
        try:
            return self._db.executemany(text, rows).rowcount
        except sqlite3.Error as error:
            raise StoreError(f"the {self._kind} refuses: {error}") from error

    def _all(self, text: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
        return self._run(text, values).fetchall()

    # -- counters and state ---------------------------------------------------------------------------------

    def counter(self, name: str) -> int:
        """A counter; 0 if there is none."""
        rows = self._all("SELECT value FROM counters WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    def counters(self, prefix: str) -> dict[str, int]:
        """The counters whose name begins so, by the rest of the name."""
        return dict(self._named("counters", prefix))

    def keep_counter(self, name: str, value: int) -> None:
        """A counter only rises."""
        self._run(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (name, value),
        )

    def keep_state(self, name: str, value: bytes) -> None:
        """Any small thing that is to outlive the process."""
        self._run("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    def state(self, name: str) -> bytes:
        """What was kept under a name; empty if nothing was."""
        rows = self._all("SELECT value FROM state WHERE name = ?", (name,))
        return bytes(rows[0][0]) if rows else b""

    def states(self, prefix: str) -> dict[str, bytes]:
        """What was kept under names that begin so, by the rest of the name."""
        return {name: bytes(value) for name, value in self._named("state", prefix)}

    def drop_states(self, prefix: str) -> None:
        """Forget what was kept under names that begin so."""
        self._run("DELETE FROM state WHERE name >= ? AND name < ?", (prefix, prefix + "\uffff"))

    def _named(self, table: str, prefix: str) -> list[Row]:
        text = f"SELECT name, value FROM {table} WHERE name >= ? AND name < ?"  # noqa: S608  one of two words of our own
        return [(name.removeprefix(prefix), value) for name, value in self._all(text, (prefix, prefix + "\uffff"))]


def whole_seconds(from_s: float, to_s: float) -> tuple[int, int]:
    """The whole seconds within [from, to], as far as a column can hold them."""
    return max(int(-(-from_s // 1)), 0), min(int(to_s // 1), _LATEST_S)
