"""Bulk reports that were taken: each once, by its sender and its name."""

from __future__ import annotations

from meterway.store.session import Session

__all__ = ["Reports"]


class Reports:
    """The names of all reports that are stored, with a digest of what they said."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def digest(self, device: int, name: str) -> bytes | None:
        """The digest of a report that was taken from a device, or None."""
        sql = "SELECT digest FROM report WHERE device = :device AND name = :name"
        rows = self._session.read(sql, {"device": device, "name": name})
        return bytes(rows[0][0]) if rows else None

    def take(self, device: int, name: str, digest: bytes, *, now_ms: int) -> bool:
        """Note a report; False if one of that name was taken already. Call it in the transaction that stores it."""
        sql = "INSERT INTO report (device, name, digest, stored_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        return self._session.write_many(sql, [(device, name, digest, now_ms)]) == 1

    def last_ms(self, device: int) -> int | None:
        """When the last one of a device was stored, or None."""
        sql = "SELECT max(stored_ms) FROM report WHERE device = :device"
        found = self._session.read(sql, {"device": device})[0][0]
        return None if found is None else int(found)

    def prune(self, *, before_ms: int) -> int:
        """Forget those stored before a time; how many."""
        return self._session.change("DELETE FROM report WHERE stored_ms < :before", {"before": before_ms})
