"""The audit log: who did what to which device, when, with what result. Rows are only added.

Every row carries a hash over itself and the row before, so that a changed, removed or reordered row is found. Who
wants to notice a cut end as well keeps ``head()`` somewhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from meterway.base.errors import StoreError
from meterway.store.driver import Row
from meterway.store.session import Session

__all__ = ["Audit", "Entry"]

_FIRST: Final = bytes(32)
_COLUMNS: Final = "id, time_ms, actor, action, device, result, detail, chain"
_SELECT: Final = f"SELECT {_COLUMNS} FROM audit"  # noqa: S608
_INSERT: Final = (
    f"INSERT INTO audit ({_COLUMNS}) VALUES (:id, :time, :actor, :action, :device, :result, :detail, :chain)"  # noqa: S608
)
_PAGE: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the log."""

    id: int
    time_ms: int
    actor: str
    action: str
    device: int | None
    result: str
    detail: str
    chain: bytes


class Audit:
    """The log of all commands."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def append(
        self, actor: str, action: str, *, time_ms: int, result: str, device: int | None = None, detail: str = ""
    ) -> Entry:
        """Add a row; never put a key or a password into ``detail``."""
        with self._session.transaction():
            self._session.lock("audit")
            last, before = self.head()
            told = (last + 1, time_ms, actor, action, device, result, detail)
            names = ("id", "time", "actor", "action", "device", "result", "detail")
            chain = _chained(before, told)
            self._session.change(_INSERT, {**dict(zip(names, told, strict=True)), "chain": chain})
        return _entry((*told, chain))

    def head(self) -> tuple[int, bytes]:
        """Number and hash of the last row; 0 and zeros while the log is empty."""
        rows = self._session.read("SELECT id, chain FROM audit ORDER BY id DESC LIMIT 1")
        return (int(rows[0][0]), bytes(rows[0][1])) if rows else (0, _FIRST)

    def recent(self, *, limit: int = 50) -> list[Entry]:
        """The last rows, the newest first."""
        return [_entry(row) for row in self._session.read(f"{_SELECT} ORDER BY id DESC LIMIT :limit", {"limit": limit})]

    def of_device(self, device: int, *, limit: int = 50) -> list[Entry]:
        """The last rows about a device, the newest first."""
        sql = f"{_SELECT} WHERE device = :device ORDER BY id DESC LIMIT :limit"
        return [_entry(row) for row in self._session.read(sql, {"device": device, "limit": limit})]

    def verify(self) -> int:
        """Check the whole chain; how many rows. StoreError names the first row that does not follow."""
        last, chain = 0, _FIRST
        while True:
            sql = f"{_SELECT} WHERE id > :last ORDER BY id LIMIT {_PAGE}"
            rows = self._session.read(sql, {"last": last})
            if not rows:
                return last
            for row in rows:
                if row[0] != last + 1 or _chained(chain, row[:-1]) != row[-1]:
                    raise StoreError(f"audit row {row[0]} was altered, or rows before it are missing")
                last, chain = row[0], row[-1]


def _chained(before: bytes, told: Row) -> bytes:
    return sha256(before + msgspec.json.encode(told)).digest()


def _entry(row: Row) -> Entry:
    number, time_ms, actor, action, device, result, detail, chain = row
    return Entry(
        id=number,
        time_ms=time_ms,
        actor=actor,
        action=action,
        device=device,
        result=result,
        detail=detail,
        chain=chain,
    )
