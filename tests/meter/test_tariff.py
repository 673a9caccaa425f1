"""Which tariff holds when."""

from datetime import datetime

import numpy as np
import pytest

from meterway.meter.tariff import DEFAULT_PLAN, TARIFF_SCRIPTS, TariffPlan, plan_of, slot_tariffs
from meterway.meter.zone import CENTRAL_EUROPE, Zone
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.classes.activity_calendar import (
    Calendar,
    DayAction,
    DayProfile,
    Season,
    SpecialDay,
    WeekProfile,
)


def week(name: bytes, day_id: int) -> WeekProfile:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return WeekProfile(name=name, **dict.fromkeys(days, day_id))


def day(day_id: int, *starts: tuple[int, int]) -> DayProfile:
    actions = tuple(
        DayAction(start=CosemTime(hour=hour, minute=0), script_table=TARIFF_SCRIPTS, selector=tariff)
        for hour, tariff in starts
    )
    return DayProfile(day_id=day_id, actions=actions)


SEASONS = plan_of(
    Calendar(
        name=b"X",
        seasons=(
            Season(name=b"W", start=CosemDateTime(month=10, day=15), week_name=b"w"),
            Season(name=b"S", start=CosemDateTime(month=4, day=1), week_name=b"s"),
        ),
        weeks=(week(b"w", 1), week(b"s", 2)),
        days=(day(1, (0, 1)), day(2, (0, 2), (12, 4)), day(3, (0, 3))),
    ),
    (SpecialDay(index=1, date=CosemDate(month=12, day=25), day_id=3),),
)


def moment(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def test_a_season_lasts_until_the_next_one_over_the_turn_of_the_year() -> None:
    days = [moment(2026, 1, 10), moment(2026, 4, 1), moment(2026, 10, 14), moment(2026, 10, 15)]
    assert [SEASONS.tariff_at(day) for day in days] == [1, 2, 2, 1]


@pytest.mark.covers("REC-f")
def test_special_days_go_before_the_week_in_every_year() -> None:
    assert [SEASONS.tariff_at(moment(year, 12, 25)) for year in (2026, 2027)] == [3, 3]


def test_the_switch_that_passed_last_decides() -> None:
    assert [SEASONS.tariff_at(moment(2026, 5, 5, hour, 59)) for hour in (11, 12)] == [2, 4]


def test_slots_follow_local_time_on_the_day_the_clocks_change() -> None:
    """Monday 30 March 2026 starts day tariff at 05:00 UTC, the Friday before at 06:00 UTC."""
    days = (20539, 20542)
    first = [int(np.argmax(slot_tariffs([(0, DEFAULT_PLAN)], CENTRAL_EUROPE, day * 96, 96) == 2)) for day in days]
    assert first == [24, 20]


def test_every_slot_of_a_year_says_what_its_own_moment_says() -> None:
    zone = Zone()
    first = 20454 * 96
    tariffs = slot_tariffs([(0, SEASONS)], zone, first, 365 * 96)
    for slot in range(0, 365 * 96, 37):
        assert tariffs[slot] == SEASONS.tariff_at(zone.local((first + slot) * 900))


def test_a_plan_holds_from_the_slot_at_which_it_came_into_force() -> None:
    first = 20542 * 96
    since = (first + 50) * 900
    tariffs = slot_tariffs([(0, SEASONS), (since, DEFAULT_PLAN)], Zone(standard_min=0, summer_time=False), first, 96)
    assert set(tariffs[:50].tolist()) == {1}
    assert set(tariffs[50:90].tolist()) == {2}


def test_an_empty_calendar_means_tariff_one() -> None:
    assert TariffPlan(Calendar(name=b"", seasons=(), weeks=(), days=())).tariff_at(moment(2026, 1, 1)) == 1
