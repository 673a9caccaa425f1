"""What flows through a utility meter, as a pure function of (seed, time): nothing is stored, any moment costs the same.

A register has a closed form over days (mean, two harmonics of the year, a noise that cancels from day to day); a day is
spread over its hours by a noisy shape; within an hour it runs straight. Days are those of the meter's standard time.
Registers are whole litres (gas, water), Wh (heat, cooling, electricity) or thousandths of a unit (heat cost
allocators).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meterway.meter.load import ORIGIN_DAY, noise, noises

__all__ = ["DAY_S", "HOUR_S", "LITRES_PER_WH_K", "Usage", "Utility"]

DAY_S: Final = 86400
HOUR_S: Final = 3600
LITRES_PER_WH_K: Final = 1 / 1.163
"""Litres of water that give one Wh when they cool down by 1 K."""

_HOURS: Final = 24
_TURN: Final = 2 * math.pi / 365.25
_COLDEST: Final = 15.0  # days after the origin, a New Year
_NOISE: Final = 0.5
_LANE: Final = 1 << 44  # keeps the noise of channels apart
_BASE_C: Final = 15.0
_COOLING_K: Final = 6.0
_ZERO_K: Final = 273.15

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Utility(Enum):
    """What a meter measures."""

    GAS = "gas"
    WATER = "water"
    HEAT = "heat"
    COOLING = "cooling"
    HEAT_COOLING = "heat and cooling"
    HEAT_COST = "heat cost allocator"
    ELECTRICITY = "electricity sub-meter"


class _Course(NamedTuple):
    """One register: its mean a day, how the year sways it, and how a day is spread over its hours."""

    mean: float
    first: float
    second: float
    shape: Floats


def _shape(base: float, *bumps: tuple[float, float, float]) -> Floats:
    """Weights of the 24 hours: ``base`` plus bells of (hour, width, height)."""
    hours = np.arange(_HOURS) + 0.5
    out = np.full(_HOURS, base)
    for hour, width, height in bumps:
        away = np.abs(hours - hour)
        out += height * np.exp(-0.5 * (np.minimum(away, _HOURS - away) / width) ** 2)
    return out


def _heated(mean: float, share: float, shape: Floats) -> _Course:
    """``share`` of the mean follows the cold of the year, ((1 + cos) / 2)^2; the rest is the same all year."""
    return _Course(mean, share * 4 / 3, share / 3, shape)


_TAPS: Final = _shape(0.05, (7.2, 1.1, 2.2), (12.5, 1.5, 0.8), (19.3, 1.8, 1.6))
_BOILER: Final = _shape(0.25, (6.8, 1.6, 2.0), (18.5, 2.8, 1.4))
_HEATING: Final = _shape(0.6, (7.0, 2.2, 1.0), (19.0, 3.0, 0.8))
_APPLIANCES: Final = _shape(0.3, (7.5, 1.3, 0.8), (12.5, 1.2, 0.7), (19.5, 2.2, 1.6))
_COURSES: Final[dict[Utility, tuple[_Course, ...]]] = {
    Utility.GAS: (_heated(3800.0, 0.82, _BOILER),),
    Utility.WATER: (_Course(320.0, -0.08, 0.0, _TAPS),),
    Utility.HEAT: (_heated(42_000.0, 0.88, _HEATING),),
    Utility.COOLING: (_Course(9_000.0, -0.96 * 4 / 3, 0.96 / 3, _shape(0.2, (15.5, 3.0, 2.0))),),
    Utility.HEAT_COOLING: (
        _heated(36_000.0, 0.9, _HEATING),
        _Course(7_000.0, -0.96 * 4 / 3, 0.96 / 3, _shape(0.2, (15.5, 3.0, 2.0))),
    ),
    Utility.HEAT_COST: (_heated(3_400.0, 0.96, _HEATING),),
    Utility.ELECTRICITY: (_Course(7_500.0, 0.12, 0.0, _APPLIANCES),),
}


def _angle(days: Floats) -> Floats:
    return (days - ORIGIN_DAY - _COLDEST) * _TURN


@lru_cache(maxsize=256)
def _base(utility: Utility, channel: int, first_day: int, count: int) -> tuple[Floats, Floats]:
    """Register and what the day adds, of a meter of mean size, at the start of ``count`` days."""
    course = _COURSES[utility][channel]
    days = np.arange(first_day, first_day + count + 1, dtype=np.float64)
    ends = np.concatenate([days, [float(ORIGIN_DAY)]])
    angle = _angle(ends)
    sums = course.mean * (
        ends - ORIGIN_DAY + (course.first * np.sin(angle) + course.second / 2 * np.sin(2 * angle)) / _TURN
    )
    sums -= sums[-1]
    added = np.diff(sums[:-1])
    return sums[:-2], added


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One consumer; ``offset_min`` is the meter's standard time, minutes east of UTC."""

    seed: int
    utility: Utility
    offset_min: int = 0

    @property
    def known_from_s(self) -> float:
        """From when on the registers are known, Unix seconds."""
        return -math.inf

    @property
    def channels(self) -> int:
        """How many registers there are: two for heat and cooling, else one."""
        return len(_COURSES[self.utility])

    def _draw(self, place: int) -> float:
        """A number in [0, 1) that belongs to this consumer for good."""
        return (noise(self.seed, -place) >> 11) / (1 << 53)

    @property
    def size(self) -> float:
        """How big this consumer is beside the mean of its kind: 0.5 to 1.7."""
        return 0.5 + 1.2 * self._draw(1) * self._draw(4)

    def _levels(self, channel: int, first_day: int, count: int) -> Ints:
        """The register at the start of ``count`` days from ``first_day`` (not before the origin) on."""
        sums, added = _base(self.utility, channel, first_day, count)
        draws = noises(~self.seed, first_day + channel * _LANE, count) >> np.uint64(11)
        levels = (sums + added * draws.astype(np.float64) * (_NOISE / (1 << 53))) * self.size
        out: Ints = levels.astype(np.int64)
        return out

    def _spent(self, channel: int, first_day: int, count: int) -> Floats:
        """Which share of its day is spent at each full hour (0 to 24), shape (count, 25)."""
        draws = noises(self.seed, first_day * _HOURS + channel * _LANE, count * _HOURS) >> np.uint64(40)
        weights = (draws.astype(np.float64) / (1 << 24) + 0.15).reshape(count, _HOURS)
        weights *= _COURSES[self.utility][channel].shape
        spent = np.zeros((count, _HOURS + 1))
        np.cumsum(weights, axis=1, out=spent[:, 1:])
        spent /= spent[:, -1:]
        return spent

    def registers(self, times_s: Ints) -> Ints:
        """The registers at any moments (Unix seconds, any order), shape (count, channels); later is never less."""
        local = np.maximum(times_s + self.offset_min * 60, ORIGIN_DAY * DAY_S)
        days, rests = np.divmod(local, DAY_S)
        first, last = int(days.min()), int(days.max())
        within = np.flatnonzero(rests)
        out = np.empty((len(times_s), self.channels), np.int64)
        for channel in range(self.channels):
            levels = self._levels(channel, first, last - first + 2)
            values = levels[days - first]
            if len(within):
                values[within] = self._within(channel, days[within], rests[within], levels, first)
            out[:, channel] = values
        return out

    def _within(self, channel: int, days: Ints, rests: Ints, levels: Ints, first: int) -> Ints:
        start = int(days.min())
        spent = self._spent(channel, start, int(days.max()) - start + 1)
        hours, seconds = np.divmod(rests, HOUR_S)
        low, high = spent[days - start, hours], spent[days - start, hours + 1]
        shares = np.minimum(low + (high - low) * (seconds / HOUR_S), high)
        begin, end = levels[days - first], levels[days - first + 1]
        values: Ints = (begin + (end - begin) * shares).astype(np.int64)
        return values

    def intervals(self, first_s: int, count: int, *, period_s: int = HOUR_S) -> Ints:
        """What ``count`` periods from ``first_s`` on used, shape (count, channels): differences of registers."""
        bounds = self.registers(first_s + period_s * np.arange(count + 1, dtype=np.int64))
        return bounds[1:] - bounds[:-1]

    def at(self, unix_s: float) -> tuple[int, ...]:
        """The registers now."""
        return tuple(int(value) for value in self.registers(np.array([int(unix_s)], np.int64))[0])

    def rates(self, unix_s: float) -> tuple[int, ...]:
        """What the running hour uses, per hour: l/h, W, or thousandths of a unit an hour."""
        hour = int(unix_s) // HOUR_S * HOUR_S
        return tuple(int(value) for value in self.intervals(hour, 1)[0])

    # -- what the quantity comes with ---------------------------------------------------------------------

    @property
    def gas_temperature_c(self) -> float:
        """The temperature of the gas in the meter, 8 to 20 °C."""
        return round(8 + 12 * self._draw(2), 1)

    @property
    def unconverted_share(self) -> float:
        """Volume as it flows for one of temperature-converted volume (converted to 15 °C)."""
        return (_ZERO_K + self.gas_temperature_c) / (_ZERO_K + _BASE_C)

    @property
    def spread_k(self) -> float:
        """By how much the water cools down in a heating circuit, 12 to 28 K; in a cooling circuit it warms by 6 K."""
        return _COOLING_K if self.utility is Utility.COOLING else round(12 + 16 * self._draw(3), 1)

    def circuit_litres(self, registers_wh: Sequence[int]) -> int:
        """The water that carried these energies (one for each channel)."""
        spreads = (self.spread_k, _COOLING_K)
        return sum(int(wh * LITRES_PER_WH_K / spread) for wh, spread in zip(registers_wh, spreads, strict=False))

    def temperatures_c(self, unix_s: float) -> tuple[float, float]:
        """Forward and return: a heating curve over the year, or cold water; their difference is ``spread_k``."""
        if self.utility is Utility.COOLING:
            return 6.0, 6.0 + _COOLING_K
        cold = (1 + math.cos((unix_s / DAY_S - ORIGIN_DAY - _COLDEST) * _TURN)) / 2
        wander = (noise(self.seed, int(unix_s // HOUR_S) | 1 << 43) >> 54) / 1024
        forward = round(48 + 26 * cold + 2 * wander, 1)
        return forward, round(forward - self.spread_k, 1)
