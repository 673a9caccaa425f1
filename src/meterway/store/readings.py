"""Register readings: single values with their time, each with what it came from.

The same reading again changes nothing; another value for the same device, code and time is a new revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from meterway.base.obis import Obis
from meterway.store.driver import Row, Value
from meterway.store.session import Session

__all__ = ["Reading", "Readings", "StoredReading"]

_KEYS: Final = "device, obis, time_ms, revision, value, scaler, unit, quality, stored_ms, evidence"
_INSERT: Final = f"INSERT INTO register_reading ({_KEYS}) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
_REVISE: Final = (
    f"INSERT INTO register_reading ({_KEYS})"  # noqa: S608
    " SELECT ?, ?, ?, newest.revision + 1, ?, ?, ?, ?, ?, ? FROM"
    " (SELECT revision, value, scaler, unit, quality FROM register_reading"
    "  WHERE device = ? AND obis = ? AND time_ms = ? ORDER BY revision DESC LIMIT 1) AS newest"
    " WHERE newest.value <> ? OR newest.scaler <> ? OR newest.unit <> ? OR newest.quality <> ?"
)
_NEWEST: Final = (
    " r.revision = (SELECT max(n.revision) FROM register_reading n"
    " WHERE n.device = r.device AND n.obis = r.obis AND n.time_ms = r.time_ms)"
)
_SELECT: Final = (
    "SELECT r.device, r.obis, r.time_ms, r.value, r.scaler, r.unit, r.quality, r.evidence, r.revision, r.stored_ms"
)
_RANGE: Final = (
    f"{_SELECT} FROM register_reading r WHERE r.device = :device AND r.obis = :obis"
    f" AND r.time_ms >= :first AND r.time_ms < :end AND{_NEWEST} ORDER BY r.time_ms"
)
# The codes of a device are found by hopping through the key, not by reading all its readings.
_LATEST: Final = (
    "WITH RECURSIVE code(obis) AS ("  # noqa: S608
    "SELECT (SELECT f.obis FROM register_reading f WHERE f.device = :device ORDER BY f.obis LIMIT 1)"
    " UNION ALL SELECT (SELECT n.obis FROM register_reading n"
    "  WHERE n.device = :device AND n.obis > code.obis ORDER BY n.obis LIMIT 1) FROM code WHERE code.obis IS NOT NULL)"
    f" {_SELECT} FROM code CROSS JOIN register_reading r"
    f" WHERE r.device = :device AND r.obis = code.obis AND{_NEWEST} AND r.time_ms ="
    " (SELECT max(t.time_ms) FROM register_reading t WHERE t.device = r.device AND t.obis = r.obis) ORDER BY r.obis"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value: ``value * 10**scaler`` in the unit of a DLMS unit code, at ``time_ms``."""

    device: int
    obis: Obis
    time_ms: int
    value: int
    scaler: int = 0
    unit: int = 255
    quality: int = 0
    evidence: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReading(Reading):
    """A reading as it was found."""

    revision: int
    stored_ms: int


class Readings:
    """Register readings of all devices."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_many(self, readings: Sequence[Reading], *, now_ms: int) -> int:
        """Store all of them in one transaction; how many were not known (new ones and revisions)."""
        rows = [_row(reading, now_ms) for reading in readings]
        return self._session.retried(lambda: self._add(rows))

    def _add(self, rows: list[Row]) -> int:
        written = self._session.write_many(_INSERT, rows) if rows else 0
        if written < len(rows):
            written += self._session.write_many(_REVISE, [(*row, *row[:3], *row[3:7]) for row in rows])
        return written

    def latest(self, device: int) -> list[StoredReading]:
        """The last reading of every code of a device, by code."""
        return [_reading(row) for row in self._session.read(_LATEST, {"device": device})]

    def read_range(self, device: int, obis: Obis, from_ms: int, to_ms: int) -> list[StoredReading]:
        """The newest revision of each reading of a code from ``from_ms`` to before ``to_ms``, by time."""
        params: dict[str, Value] = {"device": device, "obis": obis.encode(), "first": from_ms, "end": to_ms}
        return [_reading(row) for row in self._session.read(_RANGE, params)]


def _row(reading: Reading, now_ms: int) -> Row:
    return (
        reading.device,
        reading.obis.encode(),
        reading.time_ms,
        reading.value,
        reading.scaler,
        reading.unit,
        reading.quality,
        now_ms,
        reading.evidence,
    )


def _reading(row: Row) -> StoredReading:
    device, obis, time_ms, value, scaler, unit, quality, evidence, revision, stored_ms = row
    return StoredReading(
        device=device,
        obis=Obis(*obis),
        time_ms=time_ms,
        value=value,
        scaler=scaler,
        unit=unit,
        quality=quality,
        evidence=evidence,
        revision=revision,
        stored_ms=stored_ms,
    )
