"""Connections and transactions.

Every step of the store runs in a transaction of its own, or in the one its thread has open: what is done inside one
``with session.transaction():`` is stored together or not at all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

from meterway.base.errors import StoreError
from meterway.store.dialect import Dialect
from meterway.store.driver import Connection, Cursor, Row, Value

__all__ = ["Session"]

T = TypeVar("T")
_TRIES: Final = 5


class _Current(threading.local):
    cursor: Cursor | None = None


class Session:
    """A pool of connections to one database; safe to use from many threads."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._idle: list[Connection] = []
        self._slots = threading.BoundedSemaphore(dialect.shared)
        # In one process writers queue here, which is cheaper and fairer than SQLite's busy handler.
        self._writer = threading.RLock()
        self._current = _Current()
        self._closed = False
        self._claims: list[Connection] = []

    def close(self) -> None:
        """Close all idle connections; those in use are closed when they come back."""
        self._closed = True
        for kept in (self._idle, self._claims):
            while kept:
                kept.pop().close()

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """Everything inside is stored together or not at all; an inner transaction belongs to the outer one."""
        if self._current.cursor is not None:
            yield self._current.cursor
            return
        if self.dialect.name == "sqlite":
            with self._writer, self._transaction() as cursor:
                yield cursor
        else:
            with self._transaction() as cursor:
                yield cursor

    def read(self, sql: str, params: Mapping[str, Value] | None = None) -> list[Row]:
        """The rows of a query; inside a transaction it sees what that has written."""
        if self._current.cursor is not None:
            return self._fetch(self._current.cursor, sql, params)
        with self.connection() as connection:
            cursor = connection.cursor()
            try:
                return self._fetch(cursor, sql, params)
            finally:
                cursor.close()

    def write(self, sql: str, params: Mapping[str, Value] | None = None) -> list[Row]:
        """Run one statement in a transaction; the rows it returns, if it has RETURNING."""
        with self.transaction() as cursor, self._explained():
            cursor.execute(self.dialect.text(sql), params or {})
            return cursor.fetchall() if "RETURNING" in sql else []

    def change(self, sql: str, params: Mapping[str, Value] | None = None) -> int:
        """Run one statement in a transaction; how many rows it touched."""
        with self.transaction() as cursor, self._explained():
            cursor.execute(self.dialect.text(sql), params or {})
            return cursor.rowcount

    def write_many(self, sql: str, rows: Iterable[Row]) -> int:
        """Run one statement (``?`` placeholders) for every row in a transaction; how many rows were touched."""
        with self.transaction() as cursor, self._explained():
            return self.dialect.write_many(cursor, self.dialect.text(sql), rows)

    def claim(self, name: str) -> bool:
        """Be the only one of that name on this database until the session is closed; False if there is another.

        Of an embedded database it says nothing (True): whoever serves one asks elsewhere.
        """
        if self.dialect.name != "postgresql":
            return True
        connection = self._connect()
        cursor = connection.cursor()
        try:
            with self._explained():
                cursor.execute(self.dialect.text("SELECT pg_try_advisory_lock(hashtext(:name))"), {"name": name})
                is_ours = bool(cursor.fetchall()[0][0])
        finally:
            cursor.close()
        if is_ours:
            self._claims.append(connection)  # the lock lives as long as its connection
        else:
            connection.close()
        return is_ours

    def lock(self, table: str) -> None:
        """Inside a transaction: nobody else writes to ``table`` before it ends."""
        if self.dialect.name == "postgresql":  # SQLite's transaction is the only writer anyway
            self.change(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")

    def retried(self, step: Callable[[], T]) -> T:
        """``step`` in a transaction, again if another writer was faster with the same key.

        Inside an open transaction it is tried once: what came before would have to be done again as well.
        """
        if self._current.cursor is not None:
            return step()
        for attempt in range(_TRIES):
            try:
                with self.transaction():
                    return step()
            except StoreError as error:
                again = error.__cause__ is not None and self.dialect.is_conflict(error.__cause__)
                if not again or attempt == _TRIES - 1:
                    raise
        raise AssertionError

    def _fetch(self, cursor: Cursor, sql: str, params: Mapping[str, Value] | None) -> list[Row]:
        with self._explained():
            cursor.execute(self.dialect.text(sql), params or {})
            return cursor.fetchall()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except self.dialect.error as error:
            raise self.dialect.explain(error, self.dialect.where) from error
        except OverflowError as error:
            raise StoreError(f"{self.dialect.where}: a number does not fit 64 bits") from error

    @contextmanager
    def _transaction(self) -> Iterator[Cursor]:
        with self.connection() as connection:
            cursor = connection.cursor()
            try:
                with self._explained():
                    cursor.execute(self.dialect.begin, {})
                self._current.cursor = cursor
                yield cursor
                with self._explained():
                    cursor.execute("COMMIT", {})
            except BaseException:
                self._roll_back(cursor)
                raise
            finally:
                self._current.cursor = None
                cursor.close()

    def _roll_back(self, cursor: Cursor) -> None:
        try:
            cursor.execute("ROLLBACK", {})
        except self.dialect.error:  # it was never begun, or the database has rolled back by itself
            return

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of the pool, in autocommit mode, for as long as it is needed."""
        with self._slots:
            if self._closed:
                raise StoreError(f"{self.dialect.where}: the store is closed")
            connection = self._idle.pop() if self._idle else self._connect()
            try:
                yield connection
            except StoreError as error:
                # Without a cause the database is well and the caller's step was refused; and a database in memory
                # is its connection.
                if error.__cause__ is None or self.dialect.shared == 1:
                    self._give_back(connection)
                else:
                    connection.close()
                raise
            except BaseException:
                self._give_back(connection)
                raise
            self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def _connect(self) -> Connection:
        try:
            return self.dialect.connect()
        except self.dialect.error as error:
            raise self.dialect.explain(error, self.dialect.where) from error
