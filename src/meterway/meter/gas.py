"""The gas meter behind a channel of the meter: its volume is a pure function of (seed, time), told once an hour."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from meterway.meter.load import SLOT_S, Load, LoadKind

__all__ = ["HOUR_S", "gas_litres", "gas_litres_at"]

HOUR_S: Final = 3600
_SEED: Final = 0x6A5
_WH_PER_LITRE: Final = 10
_HOUR_SLOTS: Final = HOUR_S // SLOT_S


def _load(load: Load, channel: int) -> Load:
    return Load(seed=load.seed ^ (_SEED + channel), kind=LoadKind.HEAT_PUMP, zone=load.zone)


def gas_litres(load: Load, channel: int, times_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the meter on ``channel`` last told at each of these moments (in order), litres."""
    hours = times_s // HOUR_S
    first, last = int(hours[0]), int(hours[-1])
    heat = _load(load, channel).registers(first * _HOUR_SLOTS, (last - first) * _HOUR_SLOTS + 1)
    litres: NDArray[np.int64] = heat[::_HOUR_SLOTS, 0][hours - first] // _WH_PER_LITRE
    return litres


def gas_litres_at(load: Load, channel: int, unix_s: float) -> int:
    """What the meter on ``channel`` last told, litres."""
    return int(gas_litres(load, channel, np.array([int(unix_s)]))[0])
