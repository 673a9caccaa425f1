"""What flows through a virtual meter: energy as a pure function of (seed, time).

Registers have a closed form over days (mean, week, season and a bounded noise that cancels from day to day), and a
day is spread over its 96 quarter-hours by a noisy shape. So a register at any time costs the same, an interval
value is the difference of two register values, and nothing is ever stored.

Channels are always in the order ``CHANNELS``; energies are whole Wh and varh, slots are quarter-hours since the
epoch (UTC).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meterway.meter.zone import CENTRAL_EUROPE, Zone

__all__ = ["CHANNELS", "DAY_SLOTS", "ORIGIN_DAY", "SLOT_S", "Load", "LoadKind", "Network", "noise", "noises"]

SLOT_S: Final = 900
DAY_SLOTS: Final = 96
ORIGIN_DAY: Final = 18262
"""Registers read zero at the start of 2020 (days since 1970)."""
CHANNELS: Final = ("active import", "active export", "reactive import", "reactive export")

_YEAR: Final = 365.25
_WINTER: Final = 15.0  # the coldest day, counted from the origin
_MASK: Final = (1 << 64) - 1

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class LoadKind(Enum):
    """Who lives behind the meter."""

    HOUSEHOLD = "household"
    HEAT_PUMP = "heat pump"
    PV = "pv"
    BUSINESS = "business"


class Network(NamedTuple):
    """What the meter measures at one moment: W and var (whole), V and A per phase."""

    import_w: int
    export_w: int
    import_var: int
    export_var: int
    voltages_v: tuple[float, float, float]
    currents_a: tuple[float, float, float]
    frequency_hz: float

    def phase_w(self, phase: int) -> float:
        """Net power of a phase (0 to 2), W; negative while it feeds the grid."""
        total = sum(self.currents_a)
        return (self.import_w - self.export_w) * self.currents_a[phase] / total if total else 0.0


class _Model(NamedTuple):
    """One kind's constants: per channel the mean Wh a day, season and noise; the week; the day's shapes."""

    mean: Floats  # (4,)
    season: Floats  # (4,) share by which winter exceeds the mean; negative peaks in summer
    spread: Floats  # (4,) size of the noise from day to day
    week: Floats  # (8,) cumulated weight of the days before Thursday, Friday, ... (the epoch was a Thursday)
    shapes: Floats  # (4, 96, 4): season quarter (winter, spring, summer, autumn), local quarter-hour, channel


_FEW_DAYS: Final = 8  # below this, noise one by one is faster
_ADD: Final = np.uint64(0x9E3779B97F4A7C15)
# Arrays without dimensions are cheaper operands than scalars.
_MUL1: Final = np.array(0xBF58476D1CE4E5B9, np.uint64)
_MUL2: Final = np.array(0x94D049BB133111EB, np.uint64)
_S30: Final = np.array(30, np.uint64)
_S27: Final = np.array(27, np.uint64)
_S31: Final = np.array(31, np.uint64)
_FLOOR: Final = np.array(9000.0)
_GOLDEN: Final = 0x9E3779B97F4A7C15


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64, in place."""
    z ^= z >> _S30
    z *= _MUL1
    z ^= z >> _S27
    z *= _MUL2
    z ^= z >> _S31
    return z


def noise(seed: int, index: int) -> int:
    """64 evenly spread bits of (seed, index): the splitmix64 sequence of ``seed`` at place ``index``."""
    z = (seed + (index + 1) * _GOLDEN) & _MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _MASK
    return z ^ z >> 31


def noises(seed: int, first: int, count: int) -> NDArray[np.uint64]:
    """``noise`` of ``count`` places from ``first`` on."""
    return _mix(_places(first, count) + np.array(seed & _MASK, np.uint64))


def _bumps(*bumps: tuple[float, float, float], base: float) -> Floats:
    """A day of 96 local quarter-hours: ``base`` plus bells of (hour, width in hours, height)."""
    hours = (np.arange(DAY_SLOTS) + 0.5) / 4
    shape = np.full(DAY_SLOTS, base)
    for hour, width, height in bumps:
        away = np.abs(hours - hour)
        away = np.minimum(away, 24 - away)
        shape += height * np.exp(-0.5 * (away / width) ** 2)
    return shape


def _daylight(quarter: int) -> Floats:
    """How the sun stands over a day of winter, spring, summer or autumn, in local standard hours; 0 at night."""
    half_day = (4.2, 6.2, 8.0, 6.0)[quarter]
    hours = (np.arange(DAY_SLOTS) + 0.5) / 4
    sun = np.cos((hours - 12.5) / half_day * (math.pi / 2))
    return np.where(np.abs(hours - 12.5) < half_day, np.maximum(sun, 0.0) ** 1.3, 0.0)


def _stack(imports: list[Floats], exports: list[Floats]) -> Floats:
    flat = np.ones(DAY_SLOTS)
    return np.stack(
        [np.stack([i, e, 0.4 * i + 0.2 * i.mean(), flat], axis=1) for i, e in zip(imports, exports, strict=True)]
    )


def _model(
    mean: tuple[float, ...],
    season: tuple[float, ...],
    spread: tuple[float, ...],
    week: tuple[float, ...],
    shapes: Floats,
) -> _Model:
    thursday_first = week[3:] + week[:3]
    cumulated = np.concatenate([[0.0], np.cumsum(thursday_first)]) * (7 / sum(week))
    return _Model(np.array(mean), np.array(season), np.array(spread), cumulated, shapes)


@lru_cache(maxsize=8)
def _model_of(kind: LoadKind) -> _Model:
    flat = np.ones(DAY_SLOTS)
    no_export = [flat] * 4
    evening = _bumps((7.3, 0.9, 1.0), (12.5, 1.2, 0.5), (19.2, 1.8, 2.0), base=0.45)
    if kind is LoadKind.HOUSEHOLD:
        return _model(
            (8600.0, 0.0, 2100.0, 310.0),
            (0.22, 0.0, 0.1, 0.0),
            (0.45, 0.0, 0.3, 0.3),
            (0.95, 0.93, 0.94, 0.95, 1.0, 1.13, 1.1),
            _stack([evening] * 4, no_export),
        )
    if kind is LoadKind.HEAT_PUMP:
        warm = [evening + _bumps((5.0, 2.5, heat), (22.0, 3.0, heat * 0.8), base=heat) for heat in (2.4, 1.2, 0.1, 0.9)]
        return _model(
            (19500.0, 0.0, 6200.0, 240.0),
            (0.68, 0.0, 0.5, 0.0),
            (0.4, 0.0, 0.3, 0.3),
            (1.0, 0.99, 0.99, 0.99, 1.0, 1.02, 1.01),
            _stack(warm, no_export),
        )
    if kind is LoadKind.PV:
        suns = [_daylight(quarter) for quarter in range(4)]
        nets = [evening * (1 - min(0.97, 0.75 + 0.1 * q) * sun) for q, sun in zip((0, 1, 2, 1), suns, strict=True)]
        return _model(
            (6200.0, 11800.0, 1900.0, 900.0),
            (0.4, -0.72, 0.1, -0.3),
            (0.4, 0.7, 0.3, 0.3),
            (0.97, 0.96, 0.96, 0.97, 1.0, 1.08, 1.06),
            _stack(nets, suns),
        )
    working = _bumps((10.5, 2.2, 3.4), (15.0, 2.4, 3.0), base=0.5)
    return _model(
        (31000.0, 0.0, 11500.0, 700.0),
        (0.08, 0.0, 0.05, 0.0),
        (0.22, 0.0, 0.2, 0.2),
        (1.22, 1.24, 1.23, 1.22, 1.15, 0.52, 0.42),
        _stack([working] * 4, no_export),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One consumer: what flowed until when is decided by ``seed``, ``kind`` and ``zone`` alone."""

    seed: int
    kind: LoadKind = LoadKind.HOUSEHOLD
    zone: Zone = CENTRAL_EUROPE

    @property
    def size(self) -> float:
        """How big this consumer is beside the mean of its kind, 0.5 to 2."""
        share = (noise(self.seed, -1) >> 40) / (1 << 24)
        return 0.5 + 1.5 * share * share

    def day_registers(self, first_day: int, count: int) -> Ints:
        """The four registers at the start of ``count`` UTC days (days since 1970), shape (count, 4), Wh and varh.

        A day before the origin reads as the origin.
        """
        if first_day < ORIGIN_DAY:
            before = min(ORIGIN_DAY - first_day, count)
            rest = self.day_registers(ORIGIN_DAY, max(count - before, 1))
            return np.concatenate([np.repeat(rest[:1], before, axis=0), rest[: count - before]])
        base, spread = _course(self.kind, first_day, count)
        if count <= _FEW_DAYS:
            bits = np.array([noise(~self.seed, day) for day in range(first_day, first_day + count)], np.uint64)
        else:
            bits = noises(~self.seed, first_day, count)
        level = bits.view(np.uint16).reshape(count, 4) * spread
        level += base
        level *= self.size
        registers: Ints = level.astype(np.int64)
        return registers

    def registers(self, first_slot: int, count: int) -> Ints:
        """The four registers at the start of ``count`` slots, shape (count, 4), Wh and varh; never falling."""
        first_day = first_slot // DAY_SLOTS
        days = (first_slot + count - 1) // DAY_SLOTS - first_day + 1
        starts = self.day_registers(first_day, days + 1)
        lanes = noises(self.seed, first_day * DAY_SLOTS, days * DAY_SLOTS).view(np.uint16)
        weights = lanes.reshape(days, DAY_SLOTS, 4) + _FLOOR
        weights *= _shapes(self.kind, self.zone, first_day, days)
        spent = weights.cumsum(axis=1)
        spent /= spent[:, -1:]
        spent *= (starts[1:] - starts[:-1])[:, None]
        values = np.empty((days, DAY_SLOTS, 4), np.int64)
        values[:, 0] = 0
        values[:, 1:] = spent[:, :-1]
        values += starts[:-1, None]
        skip = first_slot - first_day * DAY_SLOTS
        return values.reshape(-1, 4)[skip : skip + count]

    def intervals(self, first_slot: int, count: int) -> Ints:
        """Energy of ``count`` slots per channel, shape (count, 4), Wh and varh."""
        bounds = self.registers(first_slot, count + 1)
        return bounds[1:] - bounds[:-1]

    def at(self, unix_s: float) -> tuple[int, int, int, int]:
        """The four registers at any time: straight within a slot, Wh and varh."""
        slot, rest = divmod(unix_s, SLOT_S)
        low, high = _bounds(self, int(slot))
        share = rest / SLOT_S
        a, b, c, d = (int(lo + (hi - lo) * share) for lo, hi in zip(low, high, strict=True))
        return a, b, c, d

    def network(self, unix_s: float) -> Network:
        """Power as the running slot spends its energy; voltage wanders from minute to minute."""
        slot = int(unix_s // SLOT_S)
        low, high = _bounds(self, slot)
        import_w, export_w, import_var, export_var = (4 * (hi - lo) for lo, hi in zip(low, high, strict=True))
        bits = noise(self.seed, int(unix_s // 60) | 1 << 40)
        shares = self._phase_shares()
        apparent = math.hypot(import_w - export_w, import_var - export_var)
        volts = tuple(
            round(230.5 + ((bits >> 12 * phase & 0xFFF) / 4095 - 0.5) * 7 - apparent * shares[phase] / 2500, 1)
            for phase in range(3)
        )
        amps = tuple(round(apparent * share / volt, 2) for share, volt in zip(shares, volts, strict=True))
        hertz = round(50 + ((bits >> 36 & 0xFFF) / 4095 - 0.5) * 0.06, 2)
        return Network(
            import_w=import_w,
            export_w=export_w,
            import_var=import_var,
            export_var=export_var,
            voltages_v=(volts[0], volts[1], volts[2]),
            currents_a=(amps[0], amps[1], amps[2]),
            frequency_hz=hertz,
        )

    def _phase_shares(self) -> tuple[float, float, float]:
        bits = noise(self.seed, -2)
        first = 0.2 + 0.4 * (bits & 0xFF) / 255
        second = (1 - first) * (0.3 + 0.4 * (bits >> 8 & 0xFF) / 255)
        return first, second, 1 - first - second


@lru_cache(maxsize=8192)
def _bounds(load: Load, slot: int) -> list[list[int]]:
    """The registers at both ends of a slot: registers are read one by one, within the same moment."""
    bounds: list[list[int]] = load.registers(slot, 2).tolist()
    return bounds


@lru_cache(maxsize=512)
def _course(kind: LoadKind, first_day: int, count: int) -> tuple[Floats, Floats]:
    """What all consumers of a kind share at the starts of days: the mean register, and what the noise is scaled by."""
    model = _model_of(kind)
    day = np.arange(first_day, first_day + count)
    weeks = day // 7
    ideal = model.week[day - weeks * 7] + (weeks * 7)
    angle = (day - (ORIGIN_DAY + _WINTER)) * (2 * math.pi / _YEAR)
    level = ideal[:, None] - ORIGIN_DAY + (_YEAR / (2 * math.pi)) * np.sin(angle)[:, None] * model.season
    level += 60.0  # keeps the first days above zero
    spread = (model.spread / 65536) * (1 + np.cos(angle)[:, None] * model.season)
    return level * model.mean, spread * model.mean


@lru_cache(maxsize=512)
def _shapes(kind: LoadKind, zone: Zone, first_day: int, days: int) -> Floats:
    """Shapes of days, turned to UTC by the zone; one array when all days are alike."""
    keys = [_shape_key(zone, day) for day in range(first_day, first_day + days)]
    if keys.count(keys[0]) == days:
        return _turned(kind, keys[0])
    return np.stack([_turned(kind, key) for key in keys])


@lru_cache(maxsize=512)
def _places(first: int, count: int) -> NDArray[np.uint64]:
    places = np.arange(first + 1, first + 1 + count, dtype=np.uint64)
    places *= _ADD
    places.setflags(write=False)
    return places


@lru_cache(maxsize=4096)
def _shape_key(zone: Zone, day: int) -> tuple[int, int]:
    """(season quarter, UTC offset in quarter-hours) of a UTC day, taken at its noon."""
    quarter = int((day - ORIGIN_DAY + 31) % _YEAR / (_YEAR / 4))
    return quarter, zone.offset_min(day * 86400 + 43200) // 15


@lru_cache(maxsize=128)
def _turned(kind: LoadKind, key: tuple[int, int]) -> Floats:
    quarter, offset = key
    shape: Floats = np.roll(_model_of(kind).shapes[quarter], -offset, axis=0)
    shape.setflags(write=False)
    return shape
