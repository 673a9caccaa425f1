"""Dates and times with wildcards: which days they mean and when they come next (IEC 62056-6-2, date and time).

All times here are local, without a zone. A day of month with a weekday means the first such weekday on or
after that day; with the code for the last day, the last such weekday of the month.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from typing import Final

from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime

__all__ = ["date_matches", "latest_start", "next_match", "occurrence_in"]

_LAST_DAY: Final = 0xFE
_SECOND_LAST_DAY: Final = 0xFD
_LONG_AGO: Final = dt.datetime.combine(dt.date.min, dt.time())
_HORIZON_DAYS: Final = 8 * 366 + 1  # 29 February may be eight years away


def date_matches(template: CosemDate | CosemDateTime, date: dt.date) -> bool:
    """Whether the template means that day. The months coded *daylight saving begin* and *end* match nothing."""
    if template.year not in (None, date.year) or template.month not in (None, date.month):
        return False
    if template.day is None:
        return template.weekday in (None, date.isoweekday())
    return _day_in(date.year, date.month, template) == date


def _day_in(year: int, month: int, template: CosemDate | CosemDateTime) -> dt.date | None:
    """The one day that a template with a day of month means in a month."""
    length = monthrange(year, month)[1]
    day, weekday = template.day or 1, template.weekday
    exact = template.year is not None and template.month is not None
    if day in (_LAST_DAY, _SECOND_LAST_DAY):
        back = _LAST_DAY - day
        last = dt.date(year, month, length)
        if weekday is None:
            return last - dt.timedelta(days=back)
        return last - dt.timedelta(days=(last.isoweekday() - weekday) % 7 + 7 * back)
    if day > length:
        return None
    first = dt.date(year, month, day)
    if weekday is None or exact:
        return first
    found = first + dt.timedelta(days=(weekday - first.isoweekday()) % 7)
    return found if found.month == month else None


def occurrence_in(template: CosemDateTime, year: int) -> dt.datetime | None:
    """The moment a template of month, day and time means in a year; None if it leaves them open or never comes."""
    if template.year not in (None, year) or template.month is None or not 1 <= template.month <= 12:
        return None
    if template.day is None:
        return None
    day = _day_in(year, template.month, template)
    hour, minute, second = template.hour or 0, template.minute or 0, template.second or 0
    if day is None or hour > 23 or minute > 59 or second > 59:
        return None
    return dt.datetime.combine(day, dt.time(hour, minute, second))


def latest_start(template: CosemDateTime, local: dt.datetime) -> dt.datetime | None:
    """The last time at or before ``local`` at which the template came; long ago if it specifies no date."""
    if template.month is None and template.day is None and template.year is None:
        return _LONG_AGO
    years = [template.year] if template.year is not None else [local.year, local.year - 1]
    found = [occurrence_in(template, year) for year in years if dt.MINYEAR <= year <= dt.MAXYEAR]
    return next((moment for moment in found if moment is not None and moment <= local), None)


def next_match(date: CosemDate, time: CosemTime, after: dt.datetime) -> dt.datetime | None:
    """The first moment later than ``after`` that both templates mean; None if there is none in eight years.

    An unspecified second means second 0; unspecified hours and minutes mean every one.
    """
    if date.year is not None and date.year > after.year and date.year <= dt.MAXYEAR:
        after = dt.datetime.combine(dt.date(date.year, 1, 1), dt.time()) - dt.timedelta(seconds=1)
    first = after.date()
    for ahead in range(min(_HORIZON_DAYS, (dt.date.max - first).days)):
        day = first + dt.timedelta(days=ahead)
        if date_matches(date, day):
            found = _time_after(time, day, after)
            if found is not None:
                return found
    return None


def _time_after(time: CosemTime, day: dt.date, after: dt.datetime) -> dt.datetime | None:
    second = time.second or 0
    hours = range(24) if time.hour is None else (time.hour,)
    minutes = range(60) if time.minute is None else (time.minute,)
    if max(hours) > 23 or max(minutes) > 59 or second > 59:
        return None
    start = dt.datetime.combine(day, dt.time())
    moments = (start + dt.timedelta(hours=hour, minutes=minute, seconds=second) for hour in hours for minute in minutes)
    return next((moment for moment in moments if moment > after), None)
