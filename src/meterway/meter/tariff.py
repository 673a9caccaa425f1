"""Which tariff holds in which quarter-hour, by the activity calendar and its special days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meterway.base.obis import Obis
from meterway.meter.load import DAY_SLOTS, SLOT_S
from meterway.meter.zone import Zone
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.classes.activity_calendar import (
    Calendar,
    DayAction,
    DayProfile,
    Season,
    SpecialDay,
    WeekProfile,
    action_at,
    day_id_on,
)

__all__ = ["DEFAULT_PLAN", "TARIFFS", "TARIFF_SCRIPTS", "TariffPlan", "flat_plan", "plan_of", "slot_tariffs"]

TARIFF_SCRIPTS: Final = Obis(0, 0, 10, 0, 100)
"""The script table whose script n makes tariff n hold."""
TARIFFS: Final = 4
"""How many tariff registers a meter has for each direction."""
_MAX_DAYS: Final = 2000

Tariffs = NDArray[np.uint8]


class TariffPlan:
    """A calendar with its special days, and what they say for days that were asked; shared between meters."""

    __slots__ = ("_days", "_shapes", "calendar", "special")

    def __init__(self, calendar: Calendar, special: tuple[SpecialDay, ...] = ()) -> None:
        self.calendar = calendar
        self.special = special
        self._days: dict[tuple[Zone, int], Tariffs] = {}
        self._shapes: dict[tuple[object, ...], Tariffs] = {}

    def tariff_at(self, local: datetime) -> int:
        """The tariff at a wall clock time; 1 where the calendar says nothing or names one the meter does not have."""
        action = action_at(self.calendar, local, self.special)
        return action.selector if action is not None and 1 <= action.selector <= TARIFFS else 1

    def day(self, zone: Zone, utc_day: int) -> Tariffs:
        """The tariffs of the 96 slots of a UTC day (days since 1970); not to be written."""
        found = self._days.get((zone, utc_day))
        if found is None:
            if len(self._days) > _MAX_DAYS:
                self._days.clear()
                self._shapes.clear()
            found = self._days[zone, utc_day] = self._work_out(zone, utc_day * 86400)
        return found

    def _work_out(self, zone: Zone, start: int) -> Tariffs:
        """Days of the same kind share one array."""
        first = zone.local(start)
        offsets = zone.offset_min(start), zone.offset_min(start + 86399)
        kinds = [day_id_on(self.calendar, first + timedelta(days=step), self.special) for step in (-1, 0, 1)]
        key: tuple[object, ...] = (*offsets, *kinds, start if offsets[0] != offsets[1] else 0)
        known = self._shapes.get(key)
        if known is None:
            slots = range(start, start + 86400, SLOT_S)
            known = np.array([self.tariff_at(zone.local(moment)) for moment in slots], dtype=np.uint8)
            known.setflags(write=False)
            self._shapes[key] = known
        return known


@lru_cache(maxsize=256)
def plan_of(calendar: Calendar, special: tuple[SpecialDay, ...]) -> TariffPlan:
    """The one plan that all meters with this calendar share."""
    return TariffPlan(calendar, special)


@cache
def flat_plan(tariff: int) -> TariffPlan:
    """One tariff at all times."""
    days = (DayProfile(day_id=1, actions=_starts((0, tariff))),)
    every_day = SpecialDay(index=1, date=CosemDate(), day_id=1)
    return plan_of(Calendar(name=b"RATE%d" % tariff, seasons=(), weeks=(), days=days), (every_day,))


def _starts(*pairs: tuple[int, int]) -> tuple[DayAction, ...]:
    return tuple(
        DayAction(
            start=CosemTime(hour=hour, minute=0, second=0, hundredths=0), script_table=TARIFF_SCRIPTS, selector=tariff
        )
        for hour, tariff in pairs
    )


DEFAULT_PLAN: Final = plan_of(
    Calendar(
        name=b"DAYNIGHT",
        seasons=(Season(name=b"ALL", start=CosemDateTime(month=1, day=1), week_name=b"WEEK"),),
        weeks=(
            WeekProfile(name=b"WEEK", monday=1, tuesday=1, wednesday=1, thursday=1, friday=1, saturday=2, sunday=2),
        ),
        days=(
            DayProfile(day_id=1, actions=_starts((0, 1), (7, 2), (23, 1))),
            DayProfile(day_id=2, actions=_starts((0, 1))),
        ),
    ),
    (),
)
"""Tariff 2 (day) on Monday to Friday from 07:00 to 23:00, tariff 1 (night) else."""


def slot_tariffs(
    plans: Sequence[tuple[float, TariffPlan]], zones: Zone | Sequence[tuple[float, Zone]], first_slot: int, count: int
) -> Tariffs:
    """The tariff of ``count`` slots under plans that came into force one after the other (Unix seconds).

    So did zones, if there is more than one: what was local time once stays so for its time.
    """
    if isinstance(zones, Zone):
        return _slot_tariffs(plans, zones, first_slot, count)
    result = _slot_tariffs(plans, zones[0][1], first_slot, count)
    for since, zone in zones[1:]:
        start = min(max(int(-(-since // SLOT_S)) - first_slot, 0), count)
        if start < count:
            result[start:] = _slot_tariffs(plans, zone, first_slot, count)[start:]
    return result


def _slot_tariffs(plans: Sequence[tuple[float, TariffPlan]], zone: Zone, first_slot: int, count: int) -> Tariffs:
    first_day = first_slot // DAY_SLOTS
    days = range(first_day, (first_slot + count - 1) // DAY_SLOTS + 1)
    skip = first_slot - first_day * DAY_SLOTS
    result = np.ones(count, dtype=np.uint8)
    for since, plan in plans:
        start = min(max(int(-(-since // SLOT_S)) - first_slot, 0), count)
        if start < count:
            these = np.concatenate([plan.day(zone, day) for day in days])[skip : skip + count]
            result[start:] = these[start:]
    return result
