"""Balances of transformers, a day each, as their concentrators judged them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Final

from meterway.store.session import Session

__all__ = ["BalanceDay", "Balances"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceDay:
    """One day (``day`` counts days since 1970, UTC) of the concentrator ``device``; energies in Wh.

    ``low`` and ``high`` are the band of the loss in thousandths of what was given, ``verdict`` a number of the
    concentrator's (0 open, 1 within, 2 beyond), ``missing`` a JSON array of pairs: serial, intervals.
    """

    device: int
    day: int
    revision: int
    judged_ms: int
    period_s: int
    intervals: int
    complete: int
    given: int
    taken: int
    low: int
    high: int
    verdict: int
    lacking: int = 0
    missing: str = "[]"


_NAMES: Final = tuple(each.name for each in fields(BalanceDay))
_SELECT: Final = f"SELECT {', '.join(_NAMES)} FROM balance"  # noqa: S608
_PUT: Final = (
    f"INSERT INTO balance ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"  # noqa: S608
    f" ON CONFLICT (device, day) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _NAMES[2:])}"
    " WHERE excluded.revision > balance.revision OR"
    " (excluded.revision < balance.revision AND excluded.judged_ms > balance.judged_ms)"
)


class Balances:
    """All of them; of a day the last judgement stays."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put_many(self, days: Sequence[BalanceDay]) -> int:
        """Store those that are new, or newer than what is known of their day; how many.

        A lower revision that was judged later counts as newer: the concentrator has lost its file and begun anew.
        """
        return self._session.write_many(_PUT, [astuple(each) for each in days]) if days else 0

    def of_device(self, device: int, *, from_day: int = 0, to_day: int = 1 << 31) -> list[BalanceDay]:
        """The days of a concentrator within [from, to), the oldest first."""
        sql = f"{_SELECT} WHERE device = :device AND day >= :first AND day < :end ORDER BY day"
        rows = self._session.read(sql, {"device": device, "first": from_day, "end": to_day})
        return [BalanceDay(**dict(zip(_NAMES, row, strict=True))) for row in rows]
