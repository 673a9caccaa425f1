"""Events that devices logged or pushed; one that arrives twice (pushed, then read) is kept once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from meterway.store.session import Session

__all__ = ["Event", "Events", "StoredEvent"]

_INSERT: Final = (
    "INSERT INTO event (device, log, code, time_ms, received_ms, source, detail) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (device, log, code, time_ms) DO NOTHING"
)
_SELECT: Final = "SELECT id, device, log, code, time_ms, received_ms, source, detail FROM event"
_PAGE: Final = " ORDER BY time_ms DESC, id DESC LIMIT :limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event: its log, its code there, the device's time, when it came in and how (``read`` or ``push``)."""

    device: int
    log: str
    code: int
    time_ms: int
    received_ms: int
    source: str = "read"
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent(Event):
    """An event as it was found."""

    id: int


class Events:
    """Events of all devices."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_many(self, events: Sequence[Event]) -> int:
        """Store those that are not known by device, log, code and time; how many were new."""
        rows = [
            (each.device, each.log, each.code, each.time_ms, each.received_ms, each.source, each.detail)
            for each in events
        ]
        return self._session.write_many(_INSERT, rows) if rows else 0

    def recent(self, *, limit: int = 50) -> list[StoredEvent]:
        """The last events of all devices, the newest first."""
        return self._found(_SELECT + _PAGE, {"limit": limit})

    def of_device(self, device: int, *, from_ms: int = 0, to_ms: int = 1 << 62, limit: int = 200) -> list[StoredEvent]:
        """The last events of one device in a range of its time, the newest first."""
        sql = f"{_SELECT} WHERE device = :device AND time_ms >= :first AND time_ms < :end{_PAGE}"
        return self._found(sql, {"device": device, "first": from_ms, "end": to_ms, "limit": limit})

    def _found(self, sql: str, params: dict[str, int]) -> list[StoredEvent]:
        return [
            StoredEvent(
                id=number,
                device=device,
                log=log,
                code=code,
                time_ms=time_ms,
                received_ms=received_ms,
                source=source,
                detail=detail,
            )
            for number, device, log, code, time_ms, received_ms, source, detail in self._session.read(sql, params)
        ]
