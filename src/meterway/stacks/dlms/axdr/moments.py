"""Date and time of COSEM, with unspecified parts (IEC 62056-6-2, date and time formats).

A part of None is *not specified* on the wire (0xFF, 0xFFFF for the year, 0x8000 for the deviation). The
special codes (month 0xFD and 0xFE, day 0xFD and 0xFE) and impossible values stay as they came.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from struct import Struct
from struct import error as struct_error
from typing import Final, Literal, Self

from meterway.base.errors import DecodeError, LocalProtocolError

__all__ = [
    "DAYLIGHT_SAVING_BEGIN",
    "DAYLIGHT_SAVING_END",
    "LAST_DAY",
    "SECOND_LAST_DAY",
    "CosemDate",
    "CosemDateTime",
    "CosemTime",
]

DAYLIGHT_SAVING_END: Final = 0xFD
DAYLIGHT_SAVING_BEGIN: Final = 0xFE
SECOND_LAST_DAY: Final = 0xFD
LAST_DAY: Final = 0xFE

_NO_DEVIATION: Final = -0x8000
_DATE_TIME: Final = Struct(">HBBBBBBBhB")
_DATE: Final = Struct(">HBBB")
_TIME: Final = Struct(">BBBB")


def _part(octet: int) -> int | None:
    return None if octet == 0xFF else octet


def _octet(part: int | None) -> int:
    return 0xFF if part is None else part


def _check_size(octets: bytes, size: int, what: str) -> None:
    if len(octets) != size:
        raise DecodeError(f"a {what} has {size} octets, not {len(octets)}", 0, what)


def _calendar_date(year: int | None, month: int | None, day: int | None) -> dt.date | None:
    if year is None or month is None or day is None:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _clock_time(hour: int | None, minute: int | None, second: int | None, hundredths: int | None) -> dt.time | None:
    if hour is None or minute is None or second is None:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = hundredths if hundredths is not None and hundredths < 100 else 0
    return dt.time(hour, minute, second, fraction * 10_000)


def _packed(layout: Struct, what: str, *parts: int) -> bytes:
    try:
        return layout.pack(*parts)
    except struct_error as error:
        raise LocalProtocolError(f"a part of a {what} does not fit its octets: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class CosemDate:
    """A date of 5 octets; ``weekday`` 1 is Monday."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read 5 octets; DecodeError(date) for any other count."""
        _check_size(octets, 5, "date")
        year, month, day, weekday = _DATE.unpack(octets)
        return cls(year=None if year == 0xFFFF else year, month=_part(month), day=_part(day), weekday=_part(weekday))

    def encode(self) -> bytes:
        """The 5 octets; LocalProtocolError if a part does not fit."""
        year = 0xFFFF if self.year is None else self.year
        return _packed(_DATE, "date", year, _octet(self.month), _octet(self.day), _octet(self.weekday))

    def date(self) -> dt.date | None:
        """The calendar date, or None if a part is unspecified, special or impossible."""
        return _calendar_date(self.year, self.month, self.day)

    @classmethod
    def from_date(cls, date: dt.date) -> Self:
        """A fully specified date."""
        return cls(year=date.year, month=date.month, day=date.day, weekday=date.isoweekday())


@dataclass(frozen=True, slots=True, kw_only=True)
class CosemTime:
    """A time of day of 4 octets."""

    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    hundredths: int | None = None

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read 4 octets; DecodeError(time) for any other count."""
        _check_size(octets, 4, "time")
        hour, minute, second, hundredths = octets
        return cls(hour=_part(hour), minute=_part(minute), second=_part(second), hundredths=_part(hundredths))

    def encode(self) -> bytes:
        """The 4 octets; LocalProtocolError if a part does not fit."""
        parts = (self.hour, self.minute, self.second, self.hundredths)
        return _packed(_TIME, "time", *map(_octet, parts))

    def time(self) -> dt.time | None:
        """The time of day, or None if hour, minute or second is unspecified or impossible."""
        return _clock_time(self.hour, self.minute, self.second, self.hundredths)

    @classmethod
    def from_time(cls, time: dt.time) -> Self:
        """A fully specified time of day; what is under a hundredth of a second is dropped."""
        return cls(hour=time.hour, minute=time.minute, second=time.second, hundredths=time.microsecond // 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class CosemDateTime:
    """A moment of 12 octets: local date and time, deviation from UTC in minutes, clock status.

    UTC is local time plus ``deviation_min`` (central European winter time has -60). ``status`` is the octet
    as it came: bit 0 invalid, bit 1 doubtful, bit 2 other clock base, bit 3 invalid clock, bit 7 daylight
    saving; 0xFF is not specified.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    hundredths: int | None = None
    deviation_min: int | None = None
    status: int = 0xFF

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read 12 octets; DecodeError(date-time) for any other count."""
        _check_size(octets, 12, "date-time")
        year, month, day, weekday, hour, minute, second, hundredths, deviation, status = _DATE_TIME.unpack(octets)
        return cls(
            year=None if year == 0xFFFF else year,
            month=_part(month),
            day=_part(day),
            weekday=_part(weekday),
            hour=_part(hour),
            minute=_part(minute),
            second=_part(second),
            hundredths=_part(hundredths),
            deviation_min=None if deviation == _NO_DEVIATION else deviation,
            status=status,
        )

    def encode(self) -> bytes:
        """The 12 octets; LocalProtocolError if a part does not fit."""
        year = 0xFFFF if self.year is None else self.year
        parts = (self.month, self.day, self.weekday, self.hour, self.minute, self.second, self.hundredths)
        deviation = _NO_DEVIATION if self.deviation_min is None else self.deviation_min
        return _packed(_DATE_TIME, "date-time", year, *map(_octet, parts), deviation, self.status)

    @property
    def daylight_saving(self) -> bool | None:
        """Whether the clock was on daylight saving time; None if the status is not specified."""
        return None if self.status == 0xFF else bool(self.status & 0x80)

    def local(self) -> dt.datetime | None:
        """The local date and time without a zone, or None if a part is unspecified or impossible.

        Hundredths that are unspecified or above 99 count as 0.
        """
        date = _calendar_date(self.year, self.month, self.day)
        time = _clock_time(self.hour, self.minute, self.second, self.hundredths)
        return None if date is None or time is None else dt.datetime.combine(date, time)

    def utc(
        self, default_deviation_min: int | None = None, *, deviation_sign: Literal[1, -1] = 1
    ) -> dt.datetime | None:
        """The moment in UTC, or None if a part is unspecified or impossible.

        ``default_deviation_min`` stands in for an unspecified deviation. ``deviation_sign=-1`` is the quirk of
        meters that send minutes *east* of UTC.
        """
        local = self.local()
        deviation = default_deviation_min if self.deviation_min is None else self.deviation_min
        if local is None or deviation is None:
            return None
        try:
            return (local + dt.timedelta(minutes=deviation_sign * deviation)).replace(tzinfo=dt.UTC)
        except OverflowError:
            return None

    @classmethod
    def from_utc(cls, moment: dt.datetime, deviation_min: int = 0, *, dst: bool = False) -> Self:
        """The local moment of an aware datetime; UTC is local time plus ``deviation_min``.

        Raises LocalProtocolError for a datetime without a zone.
        """
        if moment.tzinfo is None:
            raise LocalProtocolError("a moment without a zone cannot be told in local time")
        local = moment.astimezone(dt.UTC) - dt.timedelta(minutes=deviation_min)
        return cls(
            year=local.year,
            month=local.month,
            day=local.day,
            weekday=local.isoweekday(),
            hour=local.hour,
            minute=local.minute,
            second=local.second,
            hundredths=local.microsecond // 10_000,
            deviation_min=deviation_min,
            status=0x80 if dst else 0,
        )
