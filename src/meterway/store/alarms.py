"""Alarms of neighbourhoods: raised, ended, acknowledged by somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Final

from meterway.store.driver import Value
from meterway.store.session import Session

__all__ = ["AlarmRow", "Alarms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """One alarm of the concentrator ``device``; a time of 0 has not come. ``kind`` is one of ``AlarmKind``."""

    device: int
    kind: int
    subject: str
    raised_ms: int
    cleared_ms: int = 0
    count: int = 1
    text: str = ""
    acknowledged_ms: int = 0
    acknowledged_by: str = ""


_NAMES: Final = tuple(each.name for each in fields(AlarmRow))
_SELECT: Final = f"SELECT {', '.join(_NAMES)} FROM alarm"  # noqa: S608
_PUT: Final = (
    f"INSERT INTO alarm ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"  # noqa: S608
    " ON CONFLICT (device, raised_ms, kind, subject) DO UPDATE SET cleared_ms = excluded.cleared_ms,"
    " count = excluded.count, text = excluded.text"
    " WHERE alarm.cleared_ms = 0"
)
_KEY: Final = "device = :device AND kind = :kind AND subject = :subject AND raised_ms = :raised"


class Alarms:
    """All of them. One that has ended does not stand again; what was acknowledged stays so."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put_many(self, alarms: Sequence[AlarmRow]) -> int:
        """Store alarms as they are told, each once, in any order; how many rows were written."""
        return self._session.write_many(_PUT, [astuple(each) for each in alarms]) if alarms else 0

    def standing(self, device: int | None = None) -> list[AlarmRow]:
        """Those that stand, of one concentrator or of all, the newest first."""
        which = "" if device is None else " AND device = :device"
        sql = f"{_SELECT} WHERE cleared_ms = 0{which} ORDER BY raised_ms DESC, kind, subject"
        return self._found(sql, {} if device is None else {"device": device})

    def of_device(self, device: int, *, limit: int = 100) -> list[AlarmRow]:
        """The last ones of a concentrator, those that stand first, then the newest."""
        order = " ORDER BY CASE WHEN cleared_ms = 0 THEN 0 ELSE 1 END, raised_ms DESC, kind, subject LIMIT :limit"
        return self._found(f"{_SELECT} WHERE device = :device{order}", {"device": device, "limit": limit})

    def find(self, device: int, kind: int, subject: str, raised_ms: int) -> AlarmRow | None:
        """One alarm, or None."""
        key: dict[str, Value] = {"device": device, "kind": kind, "subject": subject, "raised": raised_ms}
        return next(iter(self._found(f"{_SELECT} WHERE {_KEY}", key)), None)

    def acknowledge(self, alarm: AlarmRow, *, by: str, now_ms: int) -> bool:
        """Note who has seen an alarm; False if there is none such, or somebody has already."""
        sql = (
            "UPDATE alarm SET acknowledged_ms = :now, acknowledged_by = :by"  # noqa: S608  text of our own
            f" WHERE {_KEY} AND acknowledged_ms = 0"
        )
        values: dict[str, Value] = {
            "device": alarm.device, "kind": alarm.kind, "subject": alarm.subject, "raised": alarm.raised_ms,
            "now": now_ms, "by": by,
        }  # fmt: skip
        return self._session.change(sql, values) > 0

    def _found(self, sql: str, values: Mapping[str, Value]) -> list[AlarmRow]:
        return [AlarmRow(**dict(zip(_NAMES, row, strict=True))) for row in self._session.read(sql, values)]
