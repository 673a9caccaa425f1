"""Calendars, special days and tariffs that are forced."""

from collections.abc import Callable
from typing import Any

import pytest

from meterway.meter.device import Meter
from meterway.meter.tariff import TARIFF_SCRIPTS
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]
CALENDAR = "0-0:13.0.0*255"


def flat_calendar(line: Any, tariff: int) -> None:
    season = axdr.structure(axdr.octets(b"S"), axdr.octets(CosemDateTime(month=1, day=1).encode()), axdr.octets(b"W"))
    week = axdr.structure(axdr.octets(b"W"), *[axdr.u8(1)] * 7)
    switch = axdr.structure(
        axdr.octets(CosemTime(hour=0, minute=0, second=0).encode()),
        axdr.octets(TARIFF_SCRIPTS.encode()),
        axdr.u16(tariff),
    )
    values = {
        6: axdr.octets(b"FLAT"),
        7: axdr.array(season),
        8: axdr.array(week),
        9: axdr.array(axdr.structure(axdr.u8(1), axdr.array(switch))),
    }
    for attribute, value in values.items():
        assert line.set(20, CALENDAR, attribute, value) is DataAccessResult.SUCCESS


@pytest.mark.covers("F3a", "UC-BI-03")
def test_a_passive_calendar_is_programmed_then_activated(make: Make, talk: Talks) -> None:
    line = talk(make())
    assert line.act(20, CALENDAR, 1) is ActionResult.OTHER_REASON
    flat_calendar(line, 3)
    assert line.get(20, CALENDAR, 2) == b"DAYNIGHT"
    assert line.act(20, CALENDAR, 1) is ActionResult.SUCCESS
    assert line.get(20, CALENDAR, 2) == b"FLAT"
    assert line.get(20, CALENDAR, 5) == line.get(20, CALENDAR, 9)
    line.now += 1800
    assert line.get(1, "0-0:96.14.0*255") == b"0003"
    assert line.get(6, "0-0:14.0.0*255", 4) == b"RATE3"
    assert line.get(3, "1-0:1.8.3*255") > 0
    rates = [line.get(3, f"1-0:1.8.{rate}*255") for rate in (1, 2, 3, 4)]
    assert sum(rates) == line.get(3, "1-0:1.8.0*255")


@pytest.mark.covers("F3a")
def test_a_special_day_is_inserted_read_and_deleted(make: Make, talk: Talks, now: float) -> None:
    line = talk(make())
    day = axdr.structure(axdr.u16(7), axdr.octets(CosemDate(year=2026, month=3, day=11).encode()), axdr.u8(2))
    assert line.meter.tariff(now + 3600) == 2
    assert line.act(11, "0-0:11.0.0*255", 1, day) is ActionResult.SUCCESS
    assert [entry.index for entry in line.get(11, "0-0:11.0.0*255")] == [7]
    assert line.meter.tariff(now + 3600) == 1
    assert line.act(11, "0-0:11.0.0*255", 2, axdr.u16(8)) is ActionResult.OTHER_REASON
    assert line.act(11, "0-0:11.0.0*255", 2, axdr.u16(7)) is ActionResult.SUCCESS
    assert line.meter.tariff(now + 3600) == 2


@pytest.mark.covers("F3a")
def test_a_tariff_that_is_forced_holds_until_the_calendar_switches(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    line = talk(meter)
    activation = "0-0:14.0.0*255"
    assert line.get(6, activation, 4) == b"RATE2"
    assert line.set(6, activation, 4, axdr.octets(b"RATE9")) is DataAccessResult.OTHER_REASON
    assert line.set(6, activation, 4, axdr.octets(b"RATE3")) is DataAccessResult.SUCCESS
    assert meter.tariff(now + 900) == 3
    day = meter.zone.midnight(now)
    assert [meter.tariff(day + 3600 * hour) for hour in (22, 23, 24 + 8)] == [3, 1, 2]
