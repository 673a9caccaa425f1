"""Meters that are heard and are nobody's here: who they are, how often they speak, how well. Pure.

An address on the air is a claim that anybody can make: how many are remembered is bounded, and how many are told of.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from meterway.stacks.mbus.address import Address

__all__ = ["Stranger", "Strangers"]

_MOST: Final = 1024
_TOLD: Final = 20
_WITHIN_S: Final = 3600.0


@dataclass(slots=True)
class Stranger:
    """One of them; times are Unix seconds."""

    first_s: float
    last_s: float
    count: int = 1
    rssi_dbm: float | None = None


class Strangers:
    """Those of late; the one not heard for longest makes way for a new one."""

    def __init__(self) -> None:
        self.known: OrderedDict[Address, Stranger] = OrderedDict()
        self._told_s: list[float] = []

    def heard(self, address: Address, now: float, rssi_dbm: float | None) -> bool:
        """Count a telegram; whether it is to be told of: a new one, and not too many within an hour."""
        found = self.known.get(address)
        if found is not None:
            found.last_s, found.count, found.rssi_dbm = now, found.count + 1, rssi_dbm
            self.known.move_to_end(address)
            return False
        if len(self.known) >= _MOST:
            self.known.popitem(last=False)
        self.known[address] = Stranger(now, now, rssi_dbm=rssi_dbm)
        self._told_s = [time for time in self._told_s if now - time < _WITHIN_S]
        if len(self._told_s) >= _TOLD:
            return False
        self._told_s.append(now)
        return True
