"""One query text for both databases: where placeholders and transactions are adapted.

Queries are written in PostgreSQL's words with ``:name`` for single statements and ``?`` for rows of a batch.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from meterway.base.errors import StoreError
from meterway.store import postgres, sqlite
from meterway.store.driver import Connection, Row

__all__ = ["Dialect", "dialect_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Which database it is, how to reach it, and how its texts and errors differ.

    ``where`` names the database in messages, without a password. ``shared`` is the number of connections that may
    be open at once.
    """

    name: str
    where: str
    shared: int
    begin: str
    connect: Callable[[], Connection]
    error: type[Exception]
    explain: Callable[[Any, str], StoreError]
    is_conflict: Callable[[Any], bool]
    text: Callable[[str], str]
    write_many: Callable[[Any, str, Iterable[Row]], int]


_SKIP_LOCKED: Final = " FOR UPDATE SKIP LOCKED"


@lru_cache(maxsize=1024)
def _plain(sql: str) -> str:
    """SQLite has one writer at a time and no row locks."""
    return sql.replace(_SKIP_LOCKED, "")


@lru_cache(maxsize=1024)
def _percent(sql: str) -> str:
    """``:name`` and ``?`` as psycopg wants them."""
    sql = sql.replace("%", "%%").replace("?", "%s")
    return re.sub(r"(?<![:\w]):([a-z_]\w*)", r"%(\1)s", sql)


def dialect_of(url: str) -> Dialect:
    """What a ``sqlite:///path`` or ``postgresql://...`` address leads to; StoreError for anything else."""
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        if path in ("", ":memory:"):
            path = ":memory:"
        return Dialect(
            name="sqlite",
            where=path,
            shared=1 if path == ":memory:" else 64,
            begin="BEGIN IMMEDIATE",
            connect=lambda: sqlite.connect(path),
            error=sqlite3.Error,
            explain=sqlite.explain,
            is_conflict=sqlite.is_conflict,
            text=_plain,
            write_many=sqlite.write_many,
        )
    if url.startswith(("postgresql://", "postgres://")):
        address = "postgresql://" + url.partition("://")[2]
        parts = urlsplit(address)
        return Dialect(
            name="postgresql",
            where=f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}",
            shared=16,
            begin="BEGIN",
            connect=lambda: postgres.connect(address),
            error=postgres.error_type(),
            explain=postgres.explain,
            is_conflict=postgres.is_conflict,
            text=_percent,
            write_many=postgres.write_many,
        )
    raise StoreError(f"{url.partition('://')[0]!r}: a store is sqlite:///path or postgresql://user@host/name")
