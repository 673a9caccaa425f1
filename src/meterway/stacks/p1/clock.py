"""P1 times: ``YYMMDDhhmmssX``, X = S in summer time and W in winter time, both ways, and the old form without X."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

__all__ = ["is_summer", "local_time", "stamp", "written"]

_EPOCH_YEAR: Final = 70
"""A channel that never had a reading may show the first second of 1970; no meter writes of 2070 yet."""


def stamp(part: str, offset_h: int = 1) -> datetime | None:
    """``200426223001S`` to UTC; None for what is no time, such as ``632525252525S`` (no reading yet).

    The letter decides: S is one hour more than the standard time of the country, ``offset_h`` hours east of UTC.
    """
    return _stamp(part, offset_h) if len(part) == 13 and part[12] in "SW" else None


@lru_cache(maxsize=1024)
def _stamp(part: str, offset_h: int) -> datetime | None:
    local = _naive(part[:12])
    return None if local is None else _to_utc(local, offset_h + (part[12] == "S"))


def local_time(part: str, offset_h: int = 1) -> datetime | None:
    """``090212160000`` (DSMR 2.2 and 3) to UTC by the summer time of the European Union; None for what is no time.

    The repeated hour in October is taken as the first one, still summer time.
    """
    local = _naive(part) if len(part) == 12 else None
    if local is None:
        return None
    as_summer = _to_utc(local, offset_h + 1)
    return as_summer if is_summer(as_summer) else _to_utc(local, offset_h)


def is_summer(time: datetime) -> bool:
    """Whether summer time is in force in the European Union: last Sunday of March to last of October, 1:00 UTC."""
    return _last_sunday(time.year, 3) <= time < _last_sunday(time.year, 10)


def written(time: datetime, offset_h: int = 1, *, summer_time: bool = True) -> str:
    """A time as P1 writes it; ``summer_time=False`` for meters that stay on standard time (Sweden)."""
    summer = summer_time and is_summer(time)
    local = time.astimezone(UTC) + timedelta(hours=offset_h + summer)
    return f"{local:%y%m%d%H%M%S}{'S' if summer else 'W'}"


def _naive(digits: str) -> datetime | None:
    if not (digits.isascii() and digits.isdigit()):
        return None
    year, month, day, hour, minute, second = (int(digits[place : place + 2]) for place in range(0, 12, 2))
    if year >= _EPOCH_YEAR:
        return None
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _to_utc(local: datetime, hours: int) -> datetime:
    return local - timedelta(hours=hours)


@lru_cache(maxsize=256)
def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)
