"""Activity calendar and special days: which tariff script runs when (classes 20, 11)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from meterway.base.obis import Obis
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.classes.model import declare, method, static
from meterway.stacks.dlms.classes.recurrence import date_matches, latest_start
from meterway.stacks.dlms.classes.types import (
    DATE,
    DATE_TIME,
    INTEGER,
    LONG_UNSIGNED,
    OBIS,
    OCTETS,
    TIME,
    UNSIGNED,
    array,
    structure,
)

__all__ = [
    "CLASSES",
    "Calendar",
    "DayAction",
    "DayProfile",
    "Season",
    "SpecialDay",
    "WeekProfile",
    "action_at",
    "day_id_on",
    "passive_is_due",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """A day, perhaps of every year, on which another day profile holds."""

    index: int
    date: CosemDate | None
    day_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """A season: when it starts and which week profile it has."""

    name: bytes
    start: CosemDateTime | None
    week_name: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekProfile:
    """The day profile of each day of the week."""

    name: bytes
    monday: int
    tuesday: int
    wednesday: int
    thursday: int
    friday: int
    saturday: int
    sunday: int

    def day_id(self, date: dt.date) -> int:
        """The day profile of that date."""
        days = (self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday)
        return days[date.weekday()]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAction:
    """From ``start`` on, the script ``selector`` of ``script_table`` holds."""

    start: CosemTime | None
    script_table: Obis
    selector: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayProfile:
    """The actions of one kind of day."""

    day_id: int
    actions: tuple[DayAction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One half (active or passive) of an activity calendar."""

    name: bytes
    seasons: tuple[Season, ...]
    weeks: tuple[WeekProfile, ...]
    days: tuple[DayProfile, ...]

    def season_at(self, local: dt.datetime) -> Season | None:
        """The season that started last; a season with no start date is there when no other has started."""
        found: tuple[dt.datetime, Season] | None = None
        for season in self.seasons:
            started = latest_start(season.start or CosemDateTime(), local)
            if started is not None and (found is None or started >= found[0]):
                found = started, season
        return None if found is None else found[1]


def day_id_on(calendar: Calendar, local: dt.datetime, special_days: tuple[SpecialDay, ...] = ()) -> int | None:
    """The day profile that holds at a local time: of a special day, else of the season's week."""
    for special in special_days:
        if special.date is not None and date_matches(special.date, local.date()):
            return special.day_id
    season = calendar.season_at(local)
    if season is None:
        return None
    week = next((week for week in calendar.weeks if week.name == season.week_name), None)
    return None if week is None else week.day_id(local.date())


def action_at(calendar: Calendar, local: dt.datetime, special_days: tuple[SpecialDay, ...] = ()) -> DayAction | None:
    """The action that holds at a local time: the last one started, yesterday's last before the day's first."""
    moment = local
    for _ in range(7):
        day_id = day_id_on(calendar, moment, special_days)
        profile = next((day for day in calendar.days if day.day_id == day_id), None)
        started = [pair for pair in _starts(profile) if pair[0] <= moment.time()]
        if started:
            return max(started, key=lambda pair: pair[0])[1]
        moment = dt.datetime.combine(moment.date() - dt.timedelta(days=1), dt.time.max)
    return None


def _starts(profile: DayProfile | None) -> list[tuple[dt.time, DayAction]]:
    pairs = []
    for action in () if profile is None else profile.actions:
        start = action.start
        if start is not None and start.hour is not None and start.hour < 24 and (start.minute or 0) < 60:
            pairs.append((dt.time(start.hour, start.minute or 0, min(start.second or 0, 59)), action))
    return pairs


def passive_is_due(activate_at: CosemDateTime | None, before: dt.datetime, now: dt.datetime) -> bool:
    """Whether the passive calendar becomes active between the local times ``before`` (excluded) and ``now``."""
    moment = None if activate_at is None else activate_at.local()
    return moment is not None and before < moment <= now


_SPECIAL_DAY = structure(SpecialDay, LONG_UNSIGNED, DATE, UNSIGNED)
_SEASONS = array(structure(Season, OCTETS, DATE_TIME, OCTETS))
_WEEKS = array(structure(WeekProfile, OCTETS, *[UNSIGNED] * 7))
_DAYS = array(structure(DayProfile, UNSIGNED, array(structure(DayAction, TIME, OBIS, LONG_UNSIGNED))))

CLASSES = (
    declare(
        11,
        0,
        "Special days table",
        attributes=(static("entries", array(_SPECIAL_DAY)),),
        methods=(method("insert", _SPECIAL_DAY), method("delete", LONG_UNSIGNED)),
    ),
    declare(
        20,
        0,
        "Activity calendar",
        attributes=(
            static("calendar_name_active", OCTETS),
            static("season_profile_active", _SEASONS),
            static("week_profile_table_active", _WEEKS),
            static("day_profile_table_active", _DAYS),
            static("calendar_name_passive", OCTETS),
            static("season_profile_passive", _SEASONS),
            static("week_profile_table_passive", _WEEKS),
            static("day_profile_table_passive", _DAYS),
            static("activate_passive_calendar_time", DATE_TIME),
        ),
        methods=(method("activate_passive_calendar", INTEGER),),
    ),
)
