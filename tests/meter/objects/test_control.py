"""Commands: switch, alarms and their pushes."""

from collections.abc import Callable
from typing import Any

import pytest

from meterway.base.obis import Obis
from meterway.meter.device import ALARM_PUSH, Meter
from meterway.meter.events import EventCode, Log
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.disconnect_control import ControlState
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]
SWITCH = "0-0:96.3.10*255"


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
