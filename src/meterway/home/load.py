"""Simulated loads: what a device takes while its relay is closed, as a pure function of (kind, seed, time).

A load does not remember: what a cut kept it from taking it does not take afterwards (no payback is modelled).
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import lru_cache
from math import cos, pi
from typing import Final

__all__ = ["SLOT_S", "LoadKind", "drawn", "energy_ws", "power_w"]

SLOT_S: Final = 300
"""Power is the same all over a slot, in seconds."""
_DAY_S: Final = 86400
_YEAR_S: Final = 31_557_600
_COLDEST: Final = 15 * _DAY_S
_CYCLE_S: Final = 1800
_HEATER: Final = (0.5,) * 6 + (0.7,) * 3 + (0.15,) * 8 + (0.45,) * 5 + (0.5,) * 2
"""Of each hour of the day (UTC), the part of quarter-hours in which the thermostat calls."""


class LoadKind(StrEnum):
    """What hangs on a relay."""

    WATER_HEATER = "water heater"
    EV_CHARGER = "ev charger"
    HEAT_PUMP = "heat pump"


def drawn(*parts: object) -> float:
    """A number from 0 up to 1 that is always the same for the same parts."""
    text = "|".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / (1 << 56)


@lru_cache(maxsize=65536)
def _calls(kind: LoadKind, seed: int, slot: int) -> bool:
    """Whether the load wants power in a slot."""
    start = slot * SLOT_S
    if kind is LoadKind.WATER_HEATER:
        return drawn("heater", seed, start // 900) < _HEATER[start % _DAY_S // 3600]
    if kind is LoadKind.EV_CHARGER:
        return any(_charges(seed, start, start // _DAY_S - back) for back in (0, 1))
    cold = 0.5 + 0.5 * cos(2 * pi * (start % _YEAR_S - _COLDEST) / _YEAR_S)
    phase = int(drawn("phase", seed) * _CYCLE_S)
    return (start + phase) % _CYCLE_S < (0.2 + 0.6 * cold) * _CYCLE_S


def _charges(seed: int, start: int, day: int) -> bool:
    """Whether a car that came on a day is charging: seven days of ten it comes, at 16 to 20 h UTC, for 1 to 5 h."""
    if drawn("comes", seed, day) >= 0.7:
        return False
    came = day * _DAY_S + int((16 + 4 * drawn("hour", seed, day)) * 3600)
    return came <= start < came + int((1 + 4 * drawn("long", seed, day)) * 3600)


def power_w(kind: LoadKind, rated_w: int, seed: int, now: float) -> int:
    """What the load takes if its relay is closed, W."""
    return rated_w if _calls(kind, seed, int(now // SLOT_S)) else 0


def energy_ws(kind: LoadKind, rated_w: int, seed: int, from_s: float, to_s: float) -> float:
    """What it takes over a time with its relay closed, Ws."""
    total, at = 0.0, from_s
    while at < to_s:
        end = min(to_s, (at // SLOT_S + 1) * SLOT_S)
        total += power_w(kind, rated_w, seed, at) * (end - at)
        at = end
    return total
