"""The calendar runs the right tariff script through seasons, weeks and special days."""

from __future__ import annotations

import datetime as dt

import pytest

from meterway.base.obis import Obis
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
    passive_is_due,
)

SCRIPTS = Obis(0, 0, 10, 0, 100, 255)


def action(hour: int, selector: int) -> DayAction:
    return DayAction(start=CosemTime(hour=hour, minute=0, second=0), script_table=SCRIPTS, selector=selector)


def week(name: bytes, workday: int, weekend: int) -> WeekProfile:
    return WeekProfile(
        name=name,
        monday=workday,
        tuesday=workday,
        wednesday=workday,
        thursday=workday,
        friday=workday,
        saturday=weekend,
        sunday=weekend,
    )


CALENDAR = Calendar(
    name=b"2026",
    seasons=(
        Season(name=b"summer", start=CosemDateTime(month=4, day=1), week_name=b"S"),
        Season(name=b"winter", start=CosemDateTime(month=10, day=1), week_name=b"W"),
    ),
    weeks=(week(b"S", 1, 2), week(b"W", 3, 2)),
    days=(
        DayProfile(day_id=1, actions=(action(7, 1), action(23, 2))),
        DayProfile(day_id=2, actions=(action(0, 2),)),
        DayProfile(day_id=3, actions=(action(6, 1), action(22, 2))),
    ),
)
HOLIDAYS = (SpecialDay(index=1, date=CosemDate(month=12, day=25), day_id=2),)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.covers("F3a")
@pytest.mark.parametrize(
    ("local", "selector"),
    [
        ("2026-06-01T06:59:59", 2),  # Monday before seven: Sunday's low tariff goes on
        ("2026-06-01T07:00:00", 1),
        ("2026-06-01T23:00:00", 2),
        ("2026-06-06T12:00:00", 2),  # Saturday
        ("2026-09-30T06:30:00", 2),  # still summer
        ("2026-10-01T06:30:00", 1),  # winter begins at six
        ("2026-01-05T06:30:00", 1),  # the winter begun last year
        ("2026-12-25T12:00:00", 2),  # a Friday, but Christmas
    ],
)
def test_the_script_of_season_day_and_hour_runs(local, selector):
    found = action_at(CALENDAR, at(local), HOLIDAYS)
    assert found is not None
    assert found.selector == selector


def test_a_season_without_a_start_holds_all_year():
    calendar = Calendar(
        name=b"x",
        seasons=(Season(name=b"all", start=CosemDateTime(), week_name=b"S"),),
        weeks=CALENDAR.weeks,
        days=CALENDAR.days,
    )
    assert day_id_on(calendar, at("2026-01-05T00:00")) == 1


def test_an_empty_calendar_runs_nothing():
    calendar = Calendar(name=b"", seasons=(), weeks=(), days=())
    assert day_id_on(calendar, at("2026-01-05T00:00")) is None
    assert action_at(calendar, at("2026-01-05T00:00")) is None


@pytest.mark.covers("F3f", "UC-BI-03")
def test_the_passive_calendar_becomes_active_once_at_its_time():
    due = CosemDateTime(year=2026, month=12, day=1, hour=0, minute=0, second=0)
    assert passive_is_due(due, at("2026-11-30T23:59"), at("2026-12-01T00:00"))
    assert not passive_is_due(due, at("2026-12-01T00:00"), at("2026-12-01T00:01"))
    assert not passive_is_due(CosemDateTime(), at("2026-11-30T23:59"), at("2026-12-01T00:00"))
