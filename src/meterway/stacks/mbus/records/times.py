"""Dates and times of EN 13757-3: types F (32 bit), G (16), I (48) and J (24).

Types K (rule of daylight saving), L (listening windows) and M (time with its zone) have no public description or
example: records with them give their octets.

A meter's clock has no zone: values are ``datetime``, ``date`` and ``time`` without one. A point of time that comes
back ("every first of April") is a ``Recurring``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

__all__ = ["Recurring", "Time", "decode_time", "encode_time", "summer_time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A point of time that recurs; a part that is None stands for "every"."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None

    def __str__(self) -> str:
        """``****-04-01`` or ``****-04-01T**:00``."""
        text = f"{_part(self.year, 4)}-{_part(self.month, 2)}-{_part(self.day, 2)}"
        if self.hour is None and self.minute is None:
            return text
        return f"{text}T{_part(self.hour, 2)}:{_part(self.minute, 2)}"


Time = date | datetime | time | Recurring


def _part(number: int | None, width: int) -> str:
    return "*" * width if number is None else f"{number:0{width}d}"


def _year(short: int) -> int:
    return 2000 + short if short <= 80 else 1900 + short


def _type_g(data: bytes) -> Time | None:
    low, high = data
    day, month, year = low & 31, high & 15, low >> 5 | high >> 1 & 0x78
    if day > 0 and 0 < month < 13 and year < 100:
        try:
            return date(_year(year), month, day)
        except ValueError:
            return None
    return _recurring(year, month, day)


def _recurring(year: int, month: int, day: int, hour: int | None = None, minute: int | None = None) -> Recurring | None:
    """Only year 127, month 15, day 0, hour 31 and minute 63 say "every"; any other odd part makes it invalid."""
    if not (year < 100 or year == 127) or not (0 < month < 13 or month == 15):
        return None
    if year == 127 and month == 15 and day in (0, 31) and hour is None:
        return None  # all ones or nothing: no date was stored
    if ((hour or 0) > 23 and hour != 31) or ((minute or 0) > 59 and minute != 63):
        return None
    return Recurring(
        year=None if year == 127 else _year(year),
        month=None if month == 15 else month,
        day=day or None,
        hour=None if hour == 31 else hour,
        minute=None if minute == 63 else minute,
    )


def _type_f(data: bytes) -> Time | None:
    minute, hour, low, high = data
    if minute & 0x80:
        return None
    day, month, year = low & 31, high & 15, low >> 5 | high >> 1 & 0x78
    clock = hour & 31
    minute &= 63
    if year < 100 and 0 < month < 13 and day > 0 and clock < 24 and minute < 60:
        century = hour >> 5 & 3  # a meter that says 2 or 3 means no year after 2099
        full = 2000 + year if century == 1 else _year(year)
        try:
            return datetime(full, month, day, clock, minute)  # noqa: DTZ001  a meter's clock has no zone
        except ValueError:
            return None
    return _recurring(year, month, day, clock, minute)


def _type_i(data: bytes) -> Time | None:
    if data[1] & 0x80:
        return None
    low, high = data[3], data[4]
    year = low >> 5 | high >> 1 & 0x78
    parts = (high & 15, low & 31, data[2] & 31, data[1] & 63, data[0] & 63)
    try:
        return datetime(_year(year), *parts) if year < 100 else None  # noqa: DTZ001
    except ValueError:
        return None


def _type_j(data: bytes) -> Time | None:
    try:
        return time(data[2] & 31, data[1] & 63, data[0] & 63)
    except ValueError:
        return None


_DECODERS = {2: _type_g, 3: _type_j, 4: _type_f, 6: _type_i}


def decode_time(data: bytes) -> Time | None:
    """A data field of 2, 3, 4 or 6 octets; None for "invalid", "never" and any other size."""
    decoder = _DECODERS.get(len(data))
    return decoder(data) if decoder else None


def summer_time(data: bytes) -> bool:
    """Whether a type F or I field says that daylight saving time is in force."""
    return (len(data) == 4 and bool(data[1] & 0x80)) or (len(data) == 6 and bool(data[0] & 0x40))


def _date_octets(value: date) -> bytes:
    year = value.year % 100
    return bytes((value.day | (year & 7) << 5, value.month | (year >> 3) << 4))


def encode_time(value: Time, size: int) -> bytes:
    """The inverse of ``decode_time`` for 2 (date), 3 (time), 4 and 6 octets (datetime); ValueError if it cannot be."""
    if isinstance(value, Recurring):
        return _encode_recurring(value, size)
    if isinstance(value, time):
        if size == 3:
            return bytes((value.second, value.minute, value.hour))
        raise ValueError(f"a time of day has 3 octets, not {size}")
    if size == 2:
        return _date_octets(value)
    if not isinstance(value, datetime) or size not in (4, 6):
        raise ValueError(f"{value!r} does not fit into {size} octets")
    if size == 4:
        return bytes((value.minute, value.hour | (value.year >= 2000) << 5)) + _date_octets(value)
    return bytes((value.second, value.minute, value.hour | value.isoweekday() << 5)) + _date_octets(value) + b"\0"


def _encode_recurring(value: Recurring, size: int) -> bytes:
    year = 127 if value.year is None else value.year % 100
    month = 15 if value.month is None else value.month
    dated = bytes(((value.day or 0) | (year & 7) << 5, month | (year >> 3) << 4))
    if size == 2:
        return dated
    if size != 4:
        raise ValueError(f"a recurring time has 2 or 4 octets, not {size}")
    return bytes((63 if value.minute is None else value.minute, 31 if value.hour is None else value.hour)) + dated
