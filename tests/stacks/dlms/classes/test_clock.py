"""The clock keeps local time, daylight saving and its adjustments."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.clock import (
    PresetTime,
    TimeZone,
    adjusted_to_measuring_period,
    adjusted_to_minute,
    adjusted_to_preset_time,
    adjusted_to_quarter,
    shifted,
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


def test_adjusting_goes_to_the_nearest_quarter_period_or_minute():
    assert adjusted_to_quarter(at("2026-01-01T12:07:29")) == at("2026-01-01T12:00")
    assert adjusted_to_quarter(at("2026-01-01T12:07:30")) == at("2026-01-01T12:15")
    assert adjusted_to_quarter(at("2026-01-01T23:59:00")) == at("2026-01-02T00:00")
    assert adjusted_to_measuring_period(at("2026-01-01T12:31:00"), 3600) == at("2026-01-01T13:00")
    assert adjusted_to_minute(at("2026-01-01T12:00:29")) == at("2026-01-01T12:00")
    assert adjusted_to_minute(at("2026-01-01T12:00:30")) == at("2026-01-01T12:01")


def test_a_shift_beyond_a_quarter_of_an_hour_is_refused():
    assert shifted(at("2026-01-01T12:00"), -900) == at("2026-01-01T11:45")
    assert shifted(at("2026-01-01T12:00"), 901) is None


def test_the_preset_time_is_set_only_within_its_interval():
    preset = PresetTime(
        preset_time=CosemDateTime.from_utc(at("2026-01-01T12:00"), -60),
        validity_interval_start=CosemDateTime.from_utc(at("2026-01-01T11:50"), -60),
        validity_interval_end=CosemDateTime.from_utc(at("2026-01-01T12:10"), -60),
    )
    assert adjusted_to_preset_time(at("2026-01-01T12:09"), preset, EUROPE) == at("2026-01-01T12:00")
    assert adjusted_to_preset_time(at("2026-01-01T12:11"), preset, EUROPE) is None
