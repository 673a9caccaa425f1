"""The clock keeps local time, daylight saving and its adjustments."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.clock import (
    TimeZone,
    adjusted,
)

EUROPE = TimeZone(
    time_zone_min=-60,
    begin=CosemDateTime(month=3, day=0xFE, weekday=7, hour=2, minute=0, second=0, hundredths=0),
    end=CosemDateTime(month=10, day=0xFE, weekday=7, hour=3, minute=0, second=0, hundredths=0),
)
SYDNEY = TimeZone(
    time_zone_min=-600,
    begin=CosemDateTime(month=10, day=1, weekday=7, hour=2),
    end=CosemDateTime(month=4, day=1, weekday=7, hour=3),
)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("moment", "deviation"),
    [
        ("2026-03-29T00:59:59", -60),
        ("2026-03-29T01:00:00", -120),
        ("2026-10-25T00:59:59", -120),
        ("2026-10-25T01:00:00", -60),
    ],
)
def test_central_europe_changes_on_the_last_sundays_at_one_utc(moment, deviation):
    assert EUROPE.deviation_min(at(moment)) == deviation


@given(st.integers(1262304000, 2114380800), st.sampled_from(["europe", "sydney"]))
def test_the_local_time_is_that_of_the_time_zone_database(second, where):
    zone, name = {"europe": (EUROPE, "Europe/Brussels"), "sydney": (SYDNEY, "Australia/Sydney")}[where]
    moment = dt.datetime.fromtimestamp(second, dt.UTC)
    shown = zone.local(moment)
    assert shown.local() == moment.astimezone(ZoneInfo(name)).replace(tzinfo=None)
    assert shown.utc() == moment


def test_a_clock_with_daylight_saving_off_stays_on_normal_time():
    zone = TimeZone(time_zone_min=-60, begin=EUROPE.begin, end=EUROPE.end, enabled=False)
    assert zone.deviation_min(at("2026-07-01T00:00")) == -60
    assert TimeZone(time_zone_min=-60).deviation_min(at("2026-07-01T00:00")) == -60


@pytest.mark.parametrize(
    ("period_s", "shown", "wanted"),
    [
        (900, "12:07:29", "12:00:00"),
        (900, "12:07:30", "12:15:00"),
        (3600, "12:31:00", "13:00:00"),
        (60, "12:00:29", "12:00:00"),
        (60, "12:00:30", "12:01:00"),
    ],
)
def test_adjusting_goes_to_the_nearest_start_of_a_period(period_s: int, shown: str, wanted: str):
    day = "2026-01-01T"
    assert adjusted(at(day + shown).timestamp(), period_s) == at(day + wanted).timestamp()
