"""Load curves for people: energy of each interval from the registers that blocks hold. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.mapping.obis import describe
from meterway.store.block import Block, Column

__all__ = ["Curve", "CurveChannel", "curve_of", "is_cumulative"]

_ELECTRICITY: Final = 1
_TIME_INTEGRAL_1: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveChannel:
    """One channel: what each interval brought, in ``unit``; None where that is not known."""

    obis: str
    name: str
    title: str
    unit: str
    is_cumulative: bool
    values: list[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A load curve: ``times_s`` are the beginnings of the intervals, Unix seconds; ``period_s`` their length."""

    times_s: list[int]
    period_s: int
    channels: list[CurveChannel]


def is_cumulative(obis: Obis) -> bool:
    """Whether the code names a register that only counts up; a profile of it tells each interval by its difference."""
    return obis.a != _ELECTRICITY or obis.d == _TIME_INTEGRAL_1


def curve_of(blocks: Sequence[Block], from_s: int, to_s: int) -> Curve:
    """The curve from ``from_s`` to before ``to_s``; what is captured at an interval's end belongs to the interval.

    ``blocks`` must reach one slot beyond ``to_s`` for the last interval. Blocks on another grid than the last one's
    are left out. A cumulative register that went back tells nothing of its interval.
    """
    if not blocks:
        return Curve(times_s=[], period_s=0, channels=[])
    period = blocks[-1].interval_s
    slots = -(-(to_s - from_s) // period) + 1
    columns = {channel.column: None for block in blocks for channel in block.channels}
    return Curve(
        times_s=[from_s + index * period for index in range(slots - 1)],
        period_s=period,
        channels=[_channel(column, blocks, from_s, period, slots) for column in columns],
    )


def _channel(column: Column, blocks: Sequence[Block], from_s: int, period: int, slots: int) -> CurveChannel:
    values, present = np.zeros(slots, np.int64), np.zeros(slots, np.bool_)
    for block in blocks:
        if block.interval_s != period or (block.start_s - from_s) % period:
            continue
        for channel in block.channels:
            if channel.column == column:
                _lay(values, channel.values, (block.start_s - from_s) // period)
                _lay(present, channel.present, (block.start_s - from_s) // period)
    name, cumulative = describe(column.obis), is_cumulative(column.obis)
    brought, known = (np.diff(values), present[1:] & present[:-1]) if cumulative else (values[1:], present[1:])
    if cumulative:
        known = known & (brought >= 0)
    scale = 10.0**column.scaler
    told = zip(brought.tolist(), known.tolist(), strict=True)
    return CurveChannel(
        obis=column.obis.short,
        name=name.name,
        title=name.title,
        unit=symbol_of(column.unit),
        is_cumulative=cumulative,
        values=[round(value * scale, 9) if there else None for value, there in told],
    )


def _lay(row: NDArray[np.int64] | NDArray[np.bool_], part: NDArray[np.int64] | NDArray[np.bool_], at: int) -> None:
    low, high = max(at, 0), min(at + len(part), len(row))
    if low < high:
        row[low:high] = part[low - at : high - at]
