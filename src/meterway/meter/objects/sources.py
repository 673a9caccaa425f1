"""Where the rows of profiles come from: a period, the calendar, a log."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from meterway.base.errors import ConfigError
from meterway.mapping.companion import ProfileObject
from meterway.meter.device import Buffer, Meter
from meterway.meter.events import LOG_NAMES, Log
from meterway.meter.load import SLOT_S
from meterway.meter.profile_rows import (
    STATUS_SUMMER,
    Rows,
    billing_rows,
    daily_times,
    monthly_times,
    periodic_bounds,
    periodic_rows,
)

__all__ = ["FAR", "CalendarSource", "LogSource", "PeriodicSource", "Source", "cut", "source_of"]

FAR: Final = 4e11
"""Later than anything, Unix seconds."""
_LOG_ROWS: Final = 500
_DAY_S: Final = 86400

Ints = NDArray[np.int64]


def _merged(times: Ints, more: tuple[float, ...], from_s: float, to_s: float) -> Ints:
    """Times of capture with those asked for out of turn."""
    kept = [int(moment) for moment in more if from_s <= moment <= to_s]
    return np.union1d(times, np.array(kept, dtype=np.int64)) if kept else times


class PeriodicSource:
    """Rows at whole multiples of a period of quarter-hours."""

    def __init__(self, item: ProfileObject, period_s: int, *, rates: bool) -> None:
        self._key = (item.class_id, item.obis, 4)
        self._obis = item.obis
        self._period_s = period_s
        self._entries = item.static.get(8)
        self._rates = rates

    def period_s(self, meter: Meter) -> int:
        """As it is set."""
        octets = (meter.changed or {}).get(self._key)
        return self._period_s if octets is None else int.from_bytes(octets[1:], "big")

    def capacity(self, meter: Meter) -> int:
        """How many rows there is room for."""
        if isinstance(self._entries, int):
            return self._entries
        return meter.config.profile_days * _DAY_S // self.period_s(meter)

    def _span(self, meter: Meter, now: float) -> tuple[int, int]:
        since = (meter.buffers or {}).get(self._obis, Buffer()).since
        return periodic_bounds(meter, self.period_s(meter), self.capacity(meter), since, now)

    def between(self, meter: Meter, from_s: float, to_s: float, now: float) -> Rows:
        """Rows captured within [from_s, to_s]."""
        period = self.period_s(meter)
        oldest, newest = self._span(meter, now)
        first = max(-int(-max(from_s, 0.0) // period), oldest)
        return periodic_rows(meter, period, first, min(int(to_s // period), newest), rates=self._rates)

    def count(self, meter: Meter, now: float) -> int:
        """How many rows there are."""
        first, last = self._span(meter, now)
        if any(period.dark for period in meter.off):
            return len(periodic_rows(meter, self.period_s(meter), first, last).times_s)
        return max(last - first + 1, 0)

    def entries(self, meter: Meter, part: slice, now: float) -> Rows:
        """Rows by their place, the oldest first."""
        period = self.period_s(meter)
        first, last = self._span(meter, now)
        if any(period.dark for period in meter.off):
            return cut(periodic_rows(meter, period, first, last, rates=self._rates), part)
        return periodic_rows(meter, period, first + part.start, first + part.stop - 1, rates=self._rates)


class CalendarSource:
    """Rows at local midnights or at the starts of months, and when a client asks for one."""

    def __init__(self, item: ProfileObject, *, monthly: bool) -> None:
        self._obis = item.obis
        self._monthly = monthly
        self._entries = item.static.get(8)

    def period_s(self, meter: Meter) -> int:
        """A day, or none."""
        return 0 if self._monthly else _DAY_S

    def capacity(self, meter: Meter) -> int:
        """How many rows there is room for."""
        if isinstance(self._entries, int):
            return self._entries
        return 13 if self._monthly else meter.config.profile_days

    def _times(self, meter: Meter, from_s: float, to_s: float, now: float) -> Ints:
        buffer = (meter.buffers or {}).get(self._obis)
        low = from_s if buffer is None else max(from_s, buffer.since + 1)
        times = (monthly_times if self._monthly else daily_times)(meter, low, to_s, now, self.capacity(meter))
        if buffer is not None and buffer.captured:
            return _merged(times, buffer.captured, low, to_s)[-self.capacity(meter) :]
        return times

    def between(self, meter: Meter, from_s: float, to_s: float, now: float) -> Rows:
        """Rows captured within [from_s, to_s]."""
        return billing_rows(meter, self._times(meter, from_s, to_s, now))

    def count(self, meter: Meter, now: float) -> int:
        """How many rows there are."""
        return len(self._times(meter, 0.0, FAR, now))

    def entries(self, meter: Meter, part: slice, now: float) -> Rows:
        """Rows by their place, the oldest first."""
        return billing_rows(meter, self._times(meter, 0.0, FAR, now)[part])


class LogSource:
    """Event codes."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def period_s(self, meter: Meter) -> int:
        """None: events come when they come."""
        return 0

    def capacity(self, meter: Meter) -> int:
        """How many rows there is room for."""
        return _LOG_ROWS

    def between(self, meter: Meter, from_s: float, to_s: float, now: float) -> Rows:
        """Events within [from_s, to_s]."""
        found = meter.log_events(self._log, from_s, to_s, now)[-_LOG_ROWS:]
        times = np.array([event.unix_s for event in found], dtype=np.int64)
        summer = np.array([STATUS_SUMMER * meter.zone.is_summer(event.unix_s) for event in found], dtype=np.uint8)
        return Rows(times, summer, np.array([[event.code] for event in found], dtype=np.int64).reshape(-1, 1))

    def count(self, meter: Meter, now: float) -> int:
        """How many events there are."""
        return len(self.between(meter, 0.0, FAR, now).times_s)

    def entries(self, meter: Meter, part: slice, now: float) -> Rows:
        """Events by their place, the oldest first."""
        return cut(self.between(meter, 0.0, FAR, now), part)


def cut(rows: Rows, part: slice) -> Rows:
    """Some of the rows."""
    return Rows(rows.times_s[part], rows.status[part], rows.values[part])


Source = PeriodicSource | CalendarSource | LogSource


def source_of(item: ProfileObject, *, rates: bool) -> Source:
    """Where the rows of a profile object come from; ConfigError for a log or period that the meter does not have."""
    if item.log:
        if item.log not in LOG_NAMES:
            raise ConfigError(f"{item.obis} ({item.name}): a meter keeps no log {item.log!r}")
        return LogSource(LOG_NAMES[item.log])
    period = item.static.get(4)
    if period in (0, _DAY_S):
        return CalendarSource(item, monthly=period == 0)
    if not isinstance(period, int) or period % SLOT_S or _DAY_S % period:
        raise ConfigError(f"{item.obis} ({item.name}): the meter does not capture every {period} s")
    return PeriodicSource(item, period, rates=rates)
