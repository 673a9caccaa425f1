"""Many date-times at once, between the 12 octets of COSEM and seconds since 1970 in UTC (NumPy)."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_TIME", "advanced", "date_time_octets", "utc_seconds"]

NO_TIME: Final = int(np.iinfo(np.int64).min)
"""Stands for a date-time that is not specified or not possible."""

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_FIRST_SECOND: Final = (dt.date.min.toordinal() - _EPOCH) * 86400
_LAST_SECOND: Final = (dt.date.max.toordinal() + 1 - _EPOCH) * 86400 - 1
_FIRST_INNER: Final = _FIRST_SECOND + 25 * 86400  # a deviation is at most 32768 minutes
_LAST_INNER: Final = _LAST_SECOND - 25 * 86400
_UNKNOWN: Final = 1 << 32  # more seconds than any deviation has
_FEW_DATES: Final = 40  # below this, dates are looked up one by one
_NO_DEVIATION: Final = -0x8000

Octets = NDArray[np.uint8]
Seconds = NDArray[np.int64]


def utc_seconds(
    moments: Octets, *, deviation_sign: Literal[1, -1] = 1, default_deviation_min: int | None = 0
) -> Seconds:
    """Seconds since 1970 in UTC of ``moments`` (n rows of 12 octets), NO_TIME where ``CosemDateTime.utc`` has None.

    Hundredths are dropped.
    """
    if not len(moments):
        return np.empty(0, np.int64)
    if moments.strides[1] != 1:
        moments = np.ascontiguousarray(moments)
    dates, clocks, tails = moments.view(">u4").T.astype(np.uint32, order="C")
    deviation = _deviation_seconds(tails, deviation_sign, default_deviation_min)
    if deviation is None:
        return np.full(len(moments), NO_TIME)
    times, inner = _midnights(dates)
    if inner:
        _add_clock(times, clocks, deviation)
        return times
    wrong = times == NO_TIME
    _add_clock(times, clocks, deviation)
    times[wrong | (times < _FIRST_SECOND) | (times > _LAST_SECOND)] = NO_TIME
    return times


def _add_clock(times: Seconds, clocks: NDArray[np.uint32], deviation: int | Seconds) -> None:
    """Add time of day and deviation; NO_TIME where the time of day is impossible or the deviation unknown."""
    times += (clocks >> 16 & 0xFF) * np.uint32(3600) + (clocks >> 8 & 0xFF) * np.uint32(60) + (clocks & 0xFF)
    times += deviation
    # An octet's top bit is set where hour > 23, minute > 59 or second > 59; the additions cannot carry over.
    beyond = ((clocks & 0x7F7F7F) + np.uint32(0x684444) | clocks) & 0x808080
    if beyond.any():
        times[beyond != 0] = NO_TIME
    if not isinstance(deviation, int):
        times[deviation == _UNKNOWN] = NO_TIME


def _midnights(dates: NDArray[np.uint32]) -> tuple[Seconds, bool]:
    """Local midnights in seconds of dates given as year, month, day in 16, 8 and 8 bits; NO_TIME if impossible.

    The flag says that all are possible and so far from the ends of the calendar that no deviation leads out of it.
    """
    changes = np.flatnonzero(dates[1:] != dates[:-1])
    if len(changes) > _FEW_DATES:
        midnights = _many_midnights(dates)
        return midnights, bool(midnights.min() > _FIRST_INNER and midnights.max() < _LAST_INNER)
    starts = [0, *(changes + 1).tolist(), len(dates)]
    each = [_midnight(int(dates[start])) for start in starts[:-1]]
    inner = min(each) > _FIRST_INNER and max(each) < _LAST_INNER
    return np.repeat(np.array(each, np.int64), [end - start for start, end in pairwise(starts)]), inner


@lru_cache(maxsize=8192)
def _midnight(date: int) -> int:
    try:
        return (dt.date(date >> 16, date >> 8 & 0xFF, date & 0xFF).toordinal() - _EPOCH) * 86400
    except ValueError:
        return NO_TIME


def _many_midnights(dates: NDArray[np.uint32]) -> Seconds:
    years, months, days = dates >> 16, dates >> 8 & 0xFF, (dates & 0xFF).astype(np.int64)
    possible = (years >= 1) & (years <= 9999) & (months >= 1) & (months <= 12) & (days >= 1)
    number = np.where(possible, years.astype(np.int64) * 12 + months - (1970 * 12 + 1), 0)
    first = number.astype("M8[M]").astype("M8[D]").astype(np.int64)
    following = (number + 1).astype("M8[M]").astype("M8[D]").astype(np.int64)
    possible &= days <= following - first
    return np.where(possible, (first + days - 1) * 86400, NO_TIME)


def _deviation_seconds(
    tails: NDArray[np.uint32], sign: Literal[1, -1], default_min: int | None
) -> int | Seconds | None:
    """Seconds to add to local time, one for all or one a row; None if unknown for all."""
    codes = tails >> 8 & 0xFFFF
    first = int(codes[0])
    if (codes == first).all():
        minutes = first - 0x10000 if first & 0x8000 else first
        if minutes == _NO_DEVIATION:
            return None if default_min is None else sign * default_min * 60
        return sign * minutes * 60
    each = codes.astype(np.uint16).view(np.int16).astype(np.int64)
    unspecified = each == _NO_DEVIATION
    each[unspecified] = default_min or 0
    each *= sign * 60
    if default_min is None:
        each[unspecified] = _UNKNOWN
    return each


def date_time_octets(times: Seconds, *, deviation_min: int | Seconds = 0, status: int | Octets = 0) -> Octets:
    """The reverse: ``times`` in UTC as n rows of 12 octets of local date-time (UTC is local plus deviation).

    Times outside the years 1 to 9999, and NO_TIME, become date-times with every part unspecified.
    ValueError or OverflowError for a deviation or status that does not fit.
    """
    deviation = np.asarray(deviation_min, np.int64)
    if deviation.size and (deviation.min() < -0x7FFF or deviation.max() > 0x7FFF):
        raise ValueError("a deviation is at most 32767 minutes")
    known = (times >= _FIRST_SECOND + 86400) & (times <= _LAST_SECOND - 86400)
    days, seconds = np.divmod(np.where(known, times, 0) - deviation * 60, 86400)
    day = days.astype("M8[D]")
    month = day.astype("M8[M]")
    year = month.astype("M8[Y]")
    out = np.empty((len(times), 12), np.uint8)
    out[:, 0:2] = (year.astype(np.int64) + 1970).astype(">u2").view(np.uint8).reshape(-1, 2)
    out[:, 2] = (month - year).astype(np.int64) + 1
    out[:, 3] = (day - month).astype(np.int64) + 1
    out[:, 4] = (days + 3) % 7 + 1
    out[:, 5] = seconds // 3600
    out[:, 6] = seconds // 60 % 60
    out[:, 7] = seconds % 60
    out[:, 8] = 0
    out[:, 9] = deviation >> 8 & 0xFF
    out[:, 10] = deviation & 0xFF
    out[:, 11] = status
    if not known.all():
        out[~known] = (*b"\xff" * 9, 0x80, 0, 0xFF)
    return out


def advanced(last: Octets, rows: int, period_s: int | None) -> Octets | None:
    """``rows`` date-times after ``last`` (1 row of 12 octets), each ``period_s`` later in local time.

    Octets that are no moment are repeated as they are. None if there is no period, or if it leads out of the calendar.
    """
    local = last.copy()
    local[:, 9:11] = 0
    start = int(utc_seconds(local)[0])
    if start == NO_TIME:
        return np.repeat(last, rows, axis=0)
    if period_s is None or not _FIRST_INNER < start + period_s * rows < _LAST_INNER:
        return None
    out = date_time_octets(start + period_s * np.arange(1, rows + 1, dtype=np.int64))
    out[:, 8:] = last[:, 8:]
    if last[0, 4] == 0xFF:
        out[:, 4] = 0xFF
    return out
