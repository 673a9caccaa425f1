"""The rows of a virtual meter's profiles: when they were captured, their status octets and registers.

Like everything about the meter a pure function of what it is and the time; nothing is stored.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meterway.meter import events
from meterway.meter.device import Meter
from meterway.meter.load import SLOT_S
from meterway.meter.tariff import TARIFFS
from meterway.meter.zone import Zone

__all__ = [
    "STATUS_CLOCK_ADJUSTED", "STATUS_CLOCK_INVALID", "STATUS_POWER_DOWN", "STATUS_SUMMER", "Rows", "billing_rows",
    "daily_times", "monthly_times", "periodic_bounds", "periodic_rows",
]  # fmt: skip

STATUS_CLOCK_INVALID: Final = 0x02
STATUS_SUMMER: Final = 0x08
STATUS_CLOCK_ADJUSTED: Final = 0x20
STATUS_POWER_DOWN: Final = 0x80

Ints = NDArray[np.int64]


class Rows(NamedTuple):
    """Rows of a profile as columns: true time of capture, status octet, values."""

    times_s: Ints
    status: NDArray[np.uint8]
    values: Ints


def periodic_bounds(meter: Meter, period_s: int, entries: int, since: float, now: float) -> tuple[int, int]:
    """First and last boundary (periods since 1970) that a profile holds at most; gaps may lie between."""
    last = int(now // period_s)
    first = max(-(-meter.installed_s // period_s), last - entries + 1, int(since // period_s) + 1)
    return first, last


def periodic_rows(meter: Meter, period_s: int, first: int, last: int, *, rates: bool = False) -> Rows:
    """Rows captured at these boundaries of a period of whole quarter-hours; with tariff registers or without."""
    if last < first:
        return _nothing(4 + 2 * TARIFFS)
    times = np.arange(first, last + 1) * period_s
    step = period_s // SLOT_S
    if rates:
        values = meter.rates_slots(times // SLOT_S)
    else:
        values = meter.energy_slots(first * step, (last - first) * step + 1)[::step]
    return _present(meter, Rows(times, _status(meter, times, period_s), values))


def daily_times(meter: Meter, from_s: float, to_s: float, now: float, entries: int) -> Ints:
    """Local midnights at which a daily profile captured, within [from_s, to_s], the last ``entries`` at most."""
    times = _midnights(meter.zone, meter.zone.midnight(now), entries)
    low = np.searchsorted(times, max(from_s, meter.installed_s))
    return times[low : np.searchsorted(times, to_s, side="right")]


def monthly_times(meter: Meter, from_s: float, to_s: float, now: float, entries: int) -> Ints:
    """Starts of local months at which a billing profile captured, the last ``entries`` at most."""
    starts = _months(meter.zone, meter.zone.month_start(now), entries)
    low = np.searchsorted(starts, max(from_s, meter.installed_s))
    return starts[low : np.searchsorted(starts, to_s, side="right")]


def billing_rows(meter: Meter, times: Ints) -> Rows:
    """Rows at these moments: the four registers, then ``rates_at``; shape (count, 12)."""
    if not len(times):
        return _nothing(4 + 2 * TARIFFS)
    even = times % SLOT_S == 0
    if even.all():
        return _present(meter, Rows(times, _status(meter, times), meter.rates_slots(times // SLOT_S)))
    values = np.array([(*meter.energy_at(moment), *meter.rates_at(moment)) for moment in times.tolist()])
    return _present(meter, Rows(times, _status(meter, times), values))


def _present(meter: Meter, rows: Rows) -> Rows:
    """Without the rows that would have been captured while the meter had no supply."""
    dark = [period for period in meter.off if period.dark]
    if not dark:
        return rows
    there = np.ones(len(rows.times_s), dtype=bool)
    for period in dark:
        there &= (rows.times_s < period.start) | (rows.times_s >= period.end)
    return Rows(rows.times_s[there], rows.status[there], rows.values[there])


def _status(meter: Meter, times: Ints, window_s: int = SLOT_S) -> NDArray[np.uint8]:
    """The status octets of rows; what happened within ``window_s`` before a row marks it."""
    first, last = int(times[0]), int(times[-1])
    count = len(times)
    if count > 1 and last - first == (count - 1) * int(times[1] - times[0]):
        status = _even_summer(meter.zone, first, (last - first) // (count - 1), count).copy()
    else:
        status = _summer_marks(meter.zone, times)
    if abs(meter.clock_offset_s) >= 86400:
        status |= np.uint8(STATUS_CLOCK_INVALID)
    cuts = events.past_power_cuts(meter.load.seed, (first - window_s) // 86400, last // 86400)
    cuts += [(int(period.start), int(min(period.end, last + 1))) for period in meter.off if period.dark]
    for bit, moments in (
        (STATUS_POWER_DOWN, [moment for cut in cuts for moment in cut]),
        (STATUS_CLOCK_ADJUSTED, [int(jump) for jump in meter.clock_jumps]),
    ):
        for moment in moments:
            row = int(np.searchsorted(times, moment, side="left"))
            if row < len(times) and times[row] - moment < window_s:
                status[row] |= np.uint8(bit)
    return status


def _summer_marks(zone: Zone, times: Ints) -> NDArray[np.uint8]:
    """The status octets of these times as far as the season goes."""
    first, last = int(times[0]), int(times[-1])
    status = np.full(len(times), STATUS_SUMMER if zone.is_summer(first) else 0, dtype=np.uint8)
    for turn in zone.turns(first + 1, last + 1):
        status[np.searchsorted(times, turn) :] ^= np.uint8(STATUS_SUMMER)
    return status


@lru_cache(maxsize=256)
def _even_summer(zone: Zone, first_s: int, step_s: int, count: int) -> NDArray[np.uint8]:
    """The same slice is asked of many meters; not to be written."""
    return _summer_marks(zone, np.arange(count, dtype=np.int64) * step_s + first_s)


def _nothing(columns: int) -> Rows:
    none = np.zeros(0, dtype=np.int64)
    return Rows(none, none.astype(np.uint8), np.zeros((0, columns), dtype=np.int64))


@lru_cache(maxsize=64)
def _months(zone: Zone, newest: int, count: int) -> Ints:
    """The last ``count`` starts of local months up to ``newest``, the oldest first; not to be written."""
    return np.array([zone.month_start(newest, back) for back in range(count - 1, -1, -1)], dtype=np.int64)


@lru_cache(maxsize=64)
def _midnights(zone: Zone, newest: int, count: int) -> Ints:
    """The last ``count`` local midnights up to ``newest``, the oldest first; not to be written."""
    times = [newest]
    for _ in range(count - 1):
        times.append(zone.midnight(times[-1] - 3600))
    return np.array(times[::-1], dtype=np.int64)
