"""Commands: switch, limiter, monitor, schedules, calendar, firmware, pushes."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from meterway.base.obis import Obis
from meterway.meter.device import ALARM_PUSH, Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.tariff import TARIFF_SCRIPTS
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.classes.disconnect_control import ControlState
from meterway.stacks.dlms.classes.image_transfer import ImageStatus
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]
SWITCH, LIMITER, CALENDAR, IMAGE = "0-0:96.3.10*255", "0-0:17.0.0*255", "0-0:13.0.0*255", "0-0:44.0.0*255"
SWITCH_SCRIPTS = Obis.parse("0-0:10.0.106*255")


@pytest.mark.covers("F4a", "F4b", "UC-BI-05", "F4", "REC-g")
def test_a_remote_disconnect_stops_the_energy_and_a_reconnect_lets_it_flow(make: Make, talk: Talks) -> None:
    line = talk(make())
    assert line.act(70, SWITCH, 1) is ActionResult.SUCCESS
    assert (line.get(70, SWITCH, 2), line.get(70, SWITCH, 3)) == (False, ControlState.DISCONNECTED)
    held = line.get(3, "1-0:1.8.0*255")
    line.now += 7200
    assert line.get(3, "1-0:1.8.0*255") == held
    assert line.get(3, "1-0:1.7.0*255") == 0
    assert line.act(70, SWITCH, 1) is ActionResult.OTHER_REASON
    assert line.act(70, SWITCH, 2) is ActionResult.SUCCESS
    line.now += 7200
    assert line.get(3, "1-0:1.8.0*255") > held


@pytest.mark.covers("F4a")
def test_the_control_mode_decides_what_a_remote_reconnect_does(make: Make, talk: Talks) -> None:
    line = talk(make())
    assert line.set(70, SWITCH, 4, axdr.enum(9)) is DataAccessResult.OTHER_REASON
    assert line.set(70, SWITCH, 4, axdr.enum(1)) is DataAccessResult.SUCCESS
    line.act(70, SWITCH, 1)
    assert line.act(70, SWITCH, 2) is ActionResult.SUCCESS
    assert line.get(70, SWITCH, 3) is ControlState.READY_FOR_RECONNECTION


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


@pytest.mark.covers("UC-IN-05", "SEC-08")
@pytest.mark.parametrize("genuine", [True, False])
def test_firmware_is_taken_in_blocks_and_started_only_if_its_digest_is_right(
    make: Make, talk: Talks, genuine: bool
) -> None:
    line = talk(make())
    body = bytes(range(250))
    image = body + (hashlib.sha256(body).digest() if genuine else bytes(32))
    started = axdr.structure(axdr.octets(b"MWY-2.0.0"), axdr.u32(len(image)))
    assert line.act(18, IMAGE, 1, started) is ActionResult.SUCCESS
    size = line.get(18, IMAGE, 2)
    blocks = [image[start : start + size] for start in range(0, len(image), size)]
    for number, block in reversed(list(enumerate(blocks))):
        assert line.act(18, IMAGE, 2, axdr.structure(axdr.u32(number), axdr.octets(block))) is ActionResult.SUCCESS
    assert line.get(18, IMAGE, 3) == "1" * len(blocks)
    verified = line.act(18, IMAGE, 3)
    activated = line.act(18, IMAGE, 4)
    if genuine:
        assert (verified, activated) == (ActionResult.SUCCESS, ActionResult.SUCCESS)
        assert line.get(18, IMAGE, 6) is ImageStatus.ACTIVATION_SUCCESSFUL
        assert line.get(1, "1-0:0.2.0*255") == b"MWY-2.0.0"
    else:
        assert verified is not ActionResult.SUCCESS
        assert line.get(1, "1-0:0.2.0*255") == b"MWY-1.0.0"


@pytest.mark.covers("UC-EV-02")
def test_an_alarm_asks_for_a_push_unless_its_bit_is_filtered(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    pushed: list[Obis] = []
    meter.on_push = lambda _meter, setup, _now: pushed.append(setup)
    meter.log(now, Log.FRAUD, EventCode.METER_COVER_REMOVED)
    assert pushed == [ALARM_PUSH]
    line = talk(meter)
    line.set(1, "0-0:97.98.10*255", 2, axdr.u32(0))
    meter.log(now, Log.FRAUD, EventCode.METER_COVER_REMOVED)
    assert pushed == [ALARM_PUSH]
    assert line.act(40, "0-1:25.9.0*255", 1) is ActionResult.SUCCESS
    assert pushed[-1] == Obis(0, 1, 25, 9, 0)


def test_clearing_alarms_takes_away_bits_and_never_adds_any(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    meter.log(now, Log.FRAUD, EventCode.METER_COVER_REMOVED)
    line = talk(meter)
    assert line.get(1, "0-0:97.98.0*255") == 1 << 13
    line.set(1, "0-0:97.98.0*255", 2, axdr.u32(0xFF))
    assert line.get(1, "0-0:97.98.0*255") == 0


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
