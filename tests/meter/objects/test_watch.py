"""What a meter does by itself."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from meter.objects.test_tariffs import flat_calendar
from meterway.base.obis import Obis
from meterway.meter.device import Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.objects import needs_watching, watch
from meterway.meter.objects.model import model_of
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.classes.disconnect_control import ControlState
from meterway.stacks.dlms.xdlms.results import DataAccessResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]
SWITCH, LIMITER, CALENDAR, IMAGE = "0-0:96.3.10*255", "0-0:17.0.0*255", "0-0:13.0.0*255", "0-0:44.0.0*255"
SWITCH_SCRIPTS = Obis.parse("0-0:10.0.106*255")


@pytest.mark.covers("F4c", "E-ADD", "REC-g", "X-02")
def test_a_limiter_opens_the_switch_after_the_time_over_its_threshold(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    line = talk(meter)
    assert not needs_watching(meter)
    assert meter.network(now).import_w > 1
    assert line.set(71, LIMITER, 4, axdr.u32(1)) is DataAccessResult.SUCCESS
    assert needs_watching(meter)
    for step in range(0, 60, 10):
        watch(meter, now + step)
        assert meter.control_state is ControlState.CONNECTED
    watch(meter, now + 61)
    assert meter.control_state is ControlState.READY_FOR_RECONNECTION
    codes = [event.code for event in meter.log_events(Log.DISCONNECTOR, now, now + 90, now + 90)]
    assert codes == [EventCode.LIMIT_CHANGED, EventCode.LIMIT_EXCEEDED, EventCode.LOCAL_DISCONNECTION]


@pytest.mark.covers("UC-BI-05")
def test_a_scheduled_disconnect_happens_at_its_local_time(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    at = axdr.structure(
        axdr.octets(CosemTime(hour=12, minute=10, second=0).encode()),
        axdr.octets(CosemDate(year=2026, month=3, day=11).encode()),
    )
    assert talk(meter).set(22, "0-0:15.0.1*255", 4, axdr.array(at)) is DataAccessResult.SUCCESS
    watch(meter, now)
    watch(meter, datetime(2026, 3, 11, 11, 9, 59, tzinfo=UTC).timestamp())
    assert meter.control_state is ControlState.CONNECTED
    watch(meter, datetime(2026, 3, 11, 11, 10, 1, tzinfo=UTC).timestamp())
    assert meter.control_state is ControlState.DISCONNECTED


@pytest.mark.covers("UC-EV-01")
def test_a_register_monitor_runs_its_script_when_power_rises_over_the_threshold(
    make: Make, talk: Talks, now: float
) -> None:
    meter = make()
    slots = [int(now // 900) + step for step in range(96)]
    powers = [meter.network(slot * 900.0).import_w for slot in slots]
    rising = next(place for place in range(95) if powers[place + 1] > powers[place])
    off = axdr.structure(axdr.octets(SWITCH_SCRIPTS.encode()), axdr.u16(1))
    nothing = axdr.structure(axdr.octets(bytes(6)), axdr.u16(0))
    line = talk(meter)
    line.set(21, "0-0:16.1.0*255", 4, axdr.array(axdr.structure(off, nothing)))
    line.set(21, "0-0:16.1.0*255", 2, axdr.array(axdr.u32(powers[rising])))
    watch(meter, slots[rising] * 900.0)
    assert meter.control_state is ControlState.CONNECTED
    watch(meter, slots[rising + 1] * 900.0)
    assert meter.control_state is ControlState.READY_FOR_RECONNECTION


@pytest.mark.covers("UC-BI-03")
def test_a_calendar_is_activated_at_the_time_that_was_set(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    line = talk(meter)
    flat_calendar(line, 4)
    at = CosemDateTime(year=2026, month=3, day=11, hour=12, minute=30, second=0)
    assert line.set(20, CALENDAR, 10, axdr.octets(at.encode())) is DataAccessResult.SUCCESS
    watch(meter, now)
    watch(meter, now + 60)
    assert meter.plans[-1][1].calendar.name == b"DAYNIGHT"
    watch(meter, now + 3600)
    assert meter.plans[-1][1].calendar.name == b"FLAT"


ODD = (
    axdr.visible("x"),
    axdr.u32(7),
    axdr.u16(60000),
    axdr.octets(bytes(12)),
    axdr.octets(b"\xff" * 12),
    axdr.array(axdr.visible("x"), axdr.null()),
    axdr.array(axdr.structure(axdr.octets(b"\xff" * 4), axdr.octets(b"\xfd" * 5))),
    axdr.structure(axdr.u16(1), axdr.octets(b"\xff" * 12), axdr.u32(0xFFFFFFFF)),
    axdr.structure(axdr.octets(bytes(6)), axdr.u16(9)),
    axdr.array(),
    axdr.null(),
    axdr.float64(float("nan")),
)


@pytest.mark.covers("SEC-11")
def test_whatever_is_written_the_meter_goes_on_working(make: Make, talk: Talks, now: float) -> None:
    """Every settable attribute gets every odd value; then time passes and everything is read."""
    for value in ODD:
        meter = make()
        line = talk(meter)
        for (class_id, obis), thing in model_of("idis").objects.items():
            for number, attribute in thing.attributes.items():
                if attribute.writable:
                    line.set(class_id, str(obis), number, value)
        flat_calendar(line, 999)
        line.act(20, CALENDAR, 1)
        for step in (0, 1, 900, 86400):
            line.now = now + step
            watch(meter, line.now)
        for class_id, obis in model_of("idis").objects:
            line.get(class_id, str(obis), 2)
        assert sum(meter.rates_at(line.now)[:4]) == meter.energy_at(line.now)[0]
