"""A meter's local time: a standard offset and the summer time rule of Europe, as its Clock object holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

__all__ = ["CENTRAL_EUROPE", "Zone"]


@lru_cache(maxsize=256)
def _summer(year: int) -> tuple[int, int]:
    """Start and end of summer time, Unix seconds: 01:00 UTC on the last Sundays of March and October."""
    bounds = []
    for month in (3, 10):
        last = date(year, month, 31)
        sunday = last - timedelta(days=(last.weekday() + 1) % 7)
        bounds.append(int(datetime(year, month, sunday.day, 1, tzinfo=UTC).timestamp()))
    return bounds[0], bounds[1]


def _year(unix_s: float) -> int:
    """The year, wrong by a day at most around New Year, where it is winter anyway."""
    return min(max(1970 + int(unix_s // 31_556_952), 1971), 9998)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Local time of a meter; ``standard_min`` minutes east of UTC, an hour more in summer if ``summer_time``."""

    standard_min: int = 60
    summer_time: bool = True

    def is_summer(self, unix_s: float) -> bool:
        """Whether summer time is in force."""
        if not self.summer_time:
            return False
        start, end = _summer(_year(unix_s))
        return start <= unix_s < end

    def turns(self, from_s: float, to_s: float) -> list[int]:
        """When summer time starts and ends within [from_s, to_s), Unix seconds."""
        if not self.summer_time:
            return []
        years = range(_year(from_s), _year(to_s) + 1)
        return [turn for year in years for turn in _summer(year) if from_s <= turn < to_s]

    def offset_min(self, unix_s: float) -> int:
        """Minutes by which local time is ahead of UTC."""
        return self.standard_min + 60 if self.is_summer(unix_s) else self.standard_min

    def local(self, unix_s: float) -> datetime:
        """The wall clock, as a datetime without a zone."""
        return datetime.fromtimestamp(unix_s, UTC).replace(tzinfo=None) + timedelta(minutes=self.offset_min(unix_s))

    def unix(self, local: datetime) -> int:
        """Unix seconds of a wall clock time; the second pass of a doubled hour is taken as standard time."""
        seconds = int(local.replace(tzinfo=UTC).timestamp()) - self.standard_min * 60
        return seconds - 3600 if self.is_summer(seconds - 3600) else seconds

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
