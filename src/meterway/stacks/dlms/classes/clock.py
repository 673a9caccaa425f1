"""Clock: local time, its deviation from UTC, and daylight saving (class 8)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.model import declare, dynamic, method, static
from meterway.stacks.dlms.classes.recurrence import occurrence_in
from meterway.stacks.dlms.classes.types import (
    BOOLEAN,
    DATE_TIME,
    INTEGER,
    LONG,
    UNSIGNED,
    enumerated,
    structure,
)

__all__ = [
    "CLASSES",
    "MAX_SHIFT_S",
    "ClockBase",
    "PresetTime",
    "TimeZone",
    "adjusted",
]

MAX_SHIFT_S: Final = 900
"""The farthest that ``shift_time`` moves a clock, in seconds."""


class ClockBase(IntEnum):
    """What the clock's time comes from."""

    NOT_DEFINED = 0
    INTERNAL_CRYSTAL = 1
    MAINS_50_HZ = 2
    MAINS_60_HZ = 3
    GPS = 4
    RADIO_CONTROLLED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetTime:
    """A time kept ready, and the interval in which ``adjust_to_preset_time`` may set it."""

    preset_time: CosemDateTime | None
    validity_interval_start: CosemDateTime | None
    validity_interval_end: CosemDateTime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeZone:
    """The time zone of a clock object.

    ``time_zone_min`` has the sign of the deviation in a date-time: UTC is local normal time plus it, so central
    Europe has -60. ``dst_deviation_min`` is how far local time moves forward in summer, 60. ``begin`` is told in
    normal time, ``end`` in daylight saving time, both may be templates for every year.
    """

    time_zone_min: int = 0
    begin: CosemDateTime | None = None
    end: CosemDateTime | None = None
    dst_deviation_min: int = 60
    enabled: bool = True

    def is_dst(self, moment: dt.datetime) -> bool:
        """Whether daylight saving holds at an aware moment."""
        if not self.enabled or self.begin is None or self.end is None:
            return False
        moment = moment.astimezone(dt.UTC)
        year = (moment - dt.timedelta(minutes=self.time_zone_min)).year
        begin = self._utc(self.begin, year, self.time_zone_min)
        end = self._utc(self.end, year, self.time_zone_min - self.dst_deviation_min)
        if begin is None or end is None:
            return False
        if begin < end:
            return begin <= moment < end
        return moment >= begin or moment < end

    def _utc(self, template: CosemDateTime, year: int, deviation_min: int) -> dt.datetime | None:
        local = occurrence_in(template, year)
        if local is None:
            return None
        stated = template.deviation_min
        return (local + dt.timedelta(minutes=deviation_min if stated is None else stated)).replace(tzinfo=dt.UTC)

    def deviation_min(self, moment: dt.datetime) -> int:
        """The deviation at an aware moment: UTC is local time plus it."""
        return self.time_zone_min - (self.dst_deviation_min if self.is_dst(moment) else 0)

    def local(self, moment: dt.datetime) -> CosemDateTime:
        """The date-time a clock of this zone shows at an aware moment, with deviation and daylight saving flag."""
        return CosemDateTime.from_utc(moment, self.deviation_min(moment), dst=self.is_dst(moment))


def adjusted(clock_s: float, period_s: int) -> float:
    """The nearest start of a period (900 s, a minute), the later one when in between; both in Unix seconds."""
    return (clock_s + period_s / 2) // period_s * period_s


CLASSES = (
    declare(
        8,
        0,
        "Clock",
        attributes=(
            dynamic("time", DATE_TIME),
            static("time_zone", LONG),
            dynamic("status", UNSIGNED),
            static("daylight_savings_begin", DATE_TIME),
            static("daylight_savings_end", DATE_TIME),
            static("daylight_savings_deviation", INTEGER),
            static("daylight_savings_enabled", BOOLEAN),
            static("clock_base", enumerated(ClockBase)),
        ),
        methods=(
            method("adjust_to_quarter", INTEGER),
            method("adjust_to_measuring_period", INTEGER),
            method("adjust_to_minute", INTEGER),
            method("adjust_to_preset_time", INTEGER),
            method("preset_adjusting_time", structure(PresetTime, DATE_TIME, DATE_TIME, DATE_TIME)),
            method("shift_time", LONG),
        ),
    ),
)
