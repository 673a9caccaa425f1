"""Counters that only rise: invocation counters sent and seen, per device and name.

A counter that is sent is reserved ahead: the database holds a value that is higher than any that was used, so a
crash skips some and repeats none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meterway.base.errors import StoreError
from meterway.store.driver import Value
from meterway.store.session import Session

__all__ = ["Counters"]

_TOP: Final = 1 << 63
_READ: Final = "SELECT next FROM counter WHERE device = :device AND name = :name"
_RAISE: Final = (
    "INSERT INTO counter (device, name, next) VALUES (:device, :name, :next)"
    " ON CONFLICT (device, name) DO UPDATE SET next = excluded.next WHERE counter.next < excluded.next"
)
_RAISE_MANY: Final = (
    "INSERT INTO counter (device, name, next) VALUES (?, ?, ?)"
    " ON CONFLICT (device, name) DO UPDATE SET next = excluded.next WHERE counter.next < excluded.next"
)
_RESERVE: Final = (
    "INSERT INTO counter (device, name, next) VALUES (:device, :name, :first + :many)"
    " ON CONFLICT (device, name) DO UPDATE SET next ="
    " CASE WHEN counter.next < :first THEN :first ELSE counter.next END + :many RETURNING next"
)

_GIVE_BACK: Final = (
    "UPDATE counter SET next = :first WHERE device = :device AND name = :name AND next = :end AND :first < next"
)


class Counters:
    """The lowest value of each counter that has not been used."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def next(self, device: int, name: str) -> int:
        """The lowest unused value; 0 for a counter that was never used."""
        rows = self._session.read(_READ, {"device": device, "name": name})
        return int(rows[0][0]) if rows else 0

    def all(self, device: int) -> dict[str, int]:
        """Every counter of a device."""
        sql = "SELECT name, next FROM counter WHERE device = :device ORDER BY name"
        return dict(self._session.read(sql, {"device": device}))

    def reserve(self, device: int, name: str, many: int, *, at_least: int = 0) -> range:
        """Take ``many`` values that nobody else will get, from ``at_least`` on; on disk before this returns."""
        if many < 1 or at_least < 0 or at_least + many >= _TOP:
            raise StoreError(f"{many} values from {at_least} cannot be reserved")
        params: dict[str, Value] = {"device": device, "name": name, "many": many, "first": at_least}
        ((end,),) = self._session.write(_RESERVE, params)
        return range(int(end) - many, int(end))

    def give_back(self, device: int, name: str, unused: range) -> bool:
        """Let go of the values at the end of a reservation that were not used; False if somebody has reserved since.

        Whoever gives them back must not use them any more.
        """
        if not unused:
            return False
        params: dict[str, Value] = {"device": device, "name": name, "first": unused.start, "end": unused.stop}
        return self._session.change(_GIVE_BACK, params) == 1

    def raise_to(self, device: int, name: str, next_value: int) -> None:
        """Note that all values below ``next_value`` are used.

        StoreError if the counter stands higher: it would fall. The same value again is no change.
        """
        if not 0 <= next_value < _TOP:
            raise StoreError(f"counter {name!r} cannot be {next_value}")
        with self._session.transaction():
            if self._session.change(_RAISE, {"device": device, "name": name, "next": next_value}) == 1:
                return
            stands = self.next(device, name)
            if stands > next_value:
                raise StoreError(
                    f"counter {name!r} of device {device} stands at {stands} and cannot fall to {next_value}"
                )

    def note_many(self, values: Mapping[tuple[int, str], int]) -> int:
        """Raise those that stand lower and leave those that stand higher; how many rose."""
        rows = [(device, name, next_value) for (device, name), next_value in values.items()]
        return self._session.write_many(_RAISE_MANY, rows) if rows else 0

    def begin_anew(self, device: int, name: str) -> None:
        """Forget a counter whose key is gone: what is counted under the next one begins at 0."""
        self._session.change(
            "DELETE FROM counter WHERE device = :device AND name = :name", {"device": device, "name": name}
        )
