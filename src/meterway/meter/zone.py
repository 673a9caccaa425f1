"""A meter's local time: a standard offset and summer time, as its clock object holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.recurrence import occurrence_in

__all__ = ["CENTRAL_EUROPE", "Zone", "always"]


@lru_cache(maxsize=1024)
def _europe(year: int, month: int) -> int:
    """01:00 UTC on the last Sunday of a month with 31 days, Unix seconds."""
    last = date(year, month, 31)
    sunday = last - timedelta(days=(last.weekday() + 1) % 7)
    return int(datetime(year, month, sunday.day, 1, tzinfo=UTC).timestamp())


@lru_cache(maxsize=1024)
def _occurs(template: CosemDateTime, year: int, offset_min: int) -> int | None:
    """When a template comes in a year, Unix seconds; None if it does not."""
    local = occurrence_in(template, year)
    if local is None:
        return None
    offset = offset_min if template.deviation_min is None else -template.deviation_min
    return int((local.replace(tzinfo=UTC) - timedelta(minutes=offset)).timestamp())


def _year(unix_s: float) -> int:
    """The year, wrong by a day at most around New Year, where no clock changes."""
    return min(max(1970 + int(unix_s // 31_556_952), 1971), 9998)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Local time of a meter: ``standard_min`` minutes east of UTC, ``saving_min`` more in summer if ``summer_time``.

    ``begin`` (in standard time) and ``end`` (in summer time) are templates for every year; None is Europe's rule.
    """

    standard_min: int = 60
    summer_time: bool = True
    saving_min: int = 60
    begin: CosemDateTime | None = None
    end: CosemDateTime | None = None

    def _summer(self, year: int) -> tuple[int, int] | None:
        """Start and end of summer time in a year, Unix seconds; None if it has none."""
        if not self.summer_time:
            return None
        standard, begin, end = self.standard_min, self.begin, self.end
        start = _europe(year, 3) if begin is None else _occurs(begin, year, standard)
        stop = _europe(year, 10) if end is None else _occurs(end, year, standard + self.saving_min)
        return None if start is None or stop is None else (start, stop)

    def is_summer(self, unix_s: float) -> bool:
        """Whether summer time is in force; it may last over the turn of the year."""
        bounds = self._summer(_year(unix_s))
        if bounds is None:
            return False
        start, end = bounds
        return start <= unix_s < end if start < end else unix_s >= start or unix_s < end

    def turns(self, from_s: float, to_s: float) -> list[int]:
        """When summer time starts and ends within [from_s, to_s), Unix seconds."""
        years = [self._summer(year) or () for year in range(_year(from_s), _year(to_s) + 1)]
        return [turn for bounds in years for turn in bounds if from_s <= turn < to_s]

    def offset_min(self, unix_s: float) -> int:
        """Minutes by which local time is ahead of UTC."""
        return self.standard_min + self.saving_min if self.is_summer(unix_s) else self.standard_min

    def local(self, unix_s: float) -> datetime:
        """The wall clock, as a datetime without a zone."""
        return datetime.fromtimestamp(unix_s, UTC).replace(tzinfo=None) + timedelta(minutes=self.offset_min(unix_s))

    def unix(self, local: datetime) -> int:
        """Unix seconds of a wall clock time; the second pass of a doubled hour is taken as standard time."""
        seconds = int(local.replace(tzinfo=UTC).timestamp()) - self.standard_min * 60
        earlier = seconds - self.saving_min * 60
        return earlier if self.is_summer(earlier) else seconds

    def midnight(self, unix_s: float) -> int:
        """Unix seconds of the last local midnight at or before ``unix_s``."""
        return self.unix(self.local(unix_s).replace(hour=0, minute=0, second=0, microsecond=0))

    def month_start(self, unix_s: float, back: int = 0) -> int:
        """Unix seconds of the local start of the month ``back`` months before that of ``unix_s``."""
        local = self.local(unix_s)
        months = local.year * 12 + local.month - 1 - back
        return self.unix(datetime(months // 12, months % 12 + 1, 1))  # noqa: DTZ001  a wall clock


CENTRAL_EUROPE = Zone()
"""UTC+1, an hour more in summer."""


@lru_cache(maxsize=256)
def always(zone: Zone) -> tuple[tuple[float, Zone], ...]:
    """The history of a zone that never changed: one object for all meters of the zone."""
    return ((0.0, zone),)
