"""The logical device, asked by a client engine over a line in memory."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from meterway.base.obis import Obis
from meterway.mapping.profile import load_profile
from meterway.meter.counters import ClockCounters
from meterway.meter.device import Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.objects.logical import LogicalMeter
from meterway.meter.objects.model import model_of
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.client import Associated, Failed
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]


@pytest.mark.covers("IF-I", "SEC-03", "SEC-04", "E-MCF", "REC-h")
@pytest.mark.parametrize("client", [1, 2, 3, 16])
def test_every_client_associates_with_its_own_security(make: Make, talk: Talks, client: int) -> None:
    line = talk(make(), client)
    assert isinstance(line.events[-1], Associated)


@pytest.mark.covers("UC-EV-03", "E-MCF")
@pytest.mark.parametrize("country", ["idis", "smr5"])
def test_every_attribute_of_every_object_is_answered_with_its_type(make: Make, talk: Talks, country: str) -> None:
    line = talk(make(country=country))
    for class_id, obis in model_of(country).objects:
        for entry in interface_class(class_id, load_profile(country).objects[obis].version).attributes:
            number = entry.index
            answer = line.get(class_id, str(obis), number)
            if (class_id, number) == (15, 7):
                assert answer is DataAccessResult.READ_WRITE_DENIED
            else:
                assert not isinstance(answer, DataAccessResult), (obis, number)


@pytest.mark.parametrize("country", ["idis", "smr5"])
def test_a_meter_lists_what_its_profile_has_and_captures_and_lets_be_set(make: Make, talk: Talks, country: str) -> None:
    line = talk(make(country=country))
    listed = {entry.obis: entry for entry in line.get(15, "0-0:40.0.0*255")}
    assert list(listed) == list(load_profile(country).objects)
    for obis, wanted in load_profile(country).objects.items():
        assert listed[obis].version == wanted.version
        rights = listed[obis].access
        assert {right.attribute for right in rights.attributes if right.mode & 2} == wanted.settable, obis
        assert {right.method for right in rights.methods if right.mode} == wanted.callable, obis
        if wanted.capture_objects:
            assert line.get(7, str(obis), 3) == wanted.capture_objects


@pytest.mark.covers("SEC-03")
def test_the_public_client_sees_clock_names_and_counters_only(make: Make, talk: Talks) -> None:
    line = talk(make(), 16)
    assert line.get(1, "0-0:42.0.0*255") == b"MWYM0001"
    assert line.get(8, "0-0:1.0.0*255").year == 2026
    assert line.get(1, "0-0:43.1.0*255") == 0
    assert line.get(3, "1-0:1.8.0*255") is DataAccessResult.READ_WRITE_DENIED
    assert line.get(7, "1-0:99.1.0*255") is DataAccessResult.READ_WRITE_DENIED
    listed = {entry.obis for entry in line.get(15, "0-0:40.0.0*255")}
    assert Obis.parse("1-0:1.8.0*255") not in listed
    assert Obis.parse("0-0:1.0.0*255") in listed


@pytest.mark.covers("SEC-03")
def test_a_reading_client_neither_sets_nor_acts(make: Make, talk: Talks) -> None:
    meter = make()
    line = talk(meter, 3)
    assert line.get(3, "1-0:1.8.0*255") == meter.energy_at(line.now)[0]
    relay = Obis.parse("0-0:96.3.10*255")
    line.engine.set(((AttributeDescriptor(70, relay, 4), None),), (axdr.encode(axdr.enum(1)),), now=0.0)
    line.line.settle()
    assert "service-not-supported" in str(line.events[-1].error)
    assert talk(meter, 3, counter=100).act(70, "0-0:96.3.10*255", 1) is ActionResult.READ_WRITE_DENIED
    assert meter.control_mode == 4


def test_unknown_objects_attributes_and_classes_are_refused_by_name(make: Make, talk: Talks) -> None:
    line = talk(make())
    assert line.get(3, "1-0:99.99.99*255") is DataAccessResult.OBJECT_UNDEFINED
    assert line.get(1, "1-0:1.8.0*255") is DataAccessResult.OBJECT_CLASS_INCONSISTENT
    assert line.get(3, "1-0:1.8.0*255", 9) is DataAccessResult.OBJECT_UNDEFINED
    assert line.set(3, "1-0:1.8.0*255", 2, axdr.u32(0)) is DataAccessResult.READ_WRITE_DENIED
    assert line.act(3, "1-0:1.8.0*255", 7) is ActionResult.OBJECT_UNDEFINED


@pytest.mark.covers("SEC-05", "SEC-09", "REC-i")
def test_a_replayed_counter_is_refused_and_logged_as_fraud(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    talk(meter, counter=500)
    replay = talk(meter, counter=3)
    assert isinstance(replay.events[-1], Failed)
    codes = [event.code for event in meter.log_events(Log.FRAUD, now - 1, now + 1, now)]
    assert codes == [EventCode.REPLAY_ATTACK, EventCode.AUTHENTICATION_FAILED]
    assert meter.alarms & 1 << 13


@pytest.mark.covers("UC-IN-02")
def test_the_clock_is_set_with_its_deviation_and_shifted(make: Make, talk: Talks, now: float) -> None:
    meter = make(clock_offset_s=50.0)
    line = talk(meter)
    moment = axdr.CosemDateTime.decode(bytes.fromhex("07EA030B030C0314 00 FFC4 00".replace(" ", "")))
    assert line.set(8, "0-0:1.0.0*255", 2, axdr.octets(moment.encode())) is DataAccessResult.SUCCESS
    assert meter.clock_error_s(now) == 0
    assert line.act(8, "0-0:1.0.0*255", 6, axdr.i16(-30)) is ActionResult.SUCCESS
    assert meter.clock_error_s(now) == -30
    assert line.act(8, "0-0:1.0.0*255", 3) is ActionResult.SUCCESS
    assert meter.clock(now) % 60 == 0
    assert line.set(8, "0-0:1.0.0*255", 2, axdr.u8(1)) is DataAccessResult.TYPE_UNMATCHED


@pytest.mark.covers("F2b", "UC-IN-03")
def test_a_stored_setting_is_checked_for_its_type_and_read_back(make: Make, talk: Talks) -> None:
    line = talk(make())
    assert line.set(1, "0-0:97.98.10*255", 2, axdr.u32(5)) is DataAccessResult.SUCCESS
    assert line.get(1, "0-0:97.98.10*255") == 5
    assert line.meter.alarm_filter == 5
    assert line.set(71, "0-0:17.0.0*255", 6, axdr.visible("x")) is DataAccessResult.TYPE_UNMATCHED
    assert line.get(71, "0-0:17.0.0*255", 6) == 60


@pytest.mark.covers("E-NNAP")
def test_a_broadcast_may_do_what_its_association_shows_and_nothing_more(make: Callable[..., Meter]) -> None:
    """The clock and the image are there for the pre-established client, the key transfer is not; nobody opens it."""
    meter = make()
    device = LogicalMeter(meter, ClockCounters(lambda: 0.0), lambda now: now)
    assert device.broadcast(102) is None
    meter.keys.gbek = bytes(16)
    found = device.broadcast(102)
    assert found is not None
    assert found.keys.authentication == meter.keys.gak
    meter.keys.gbak = bytes(range(16))
    again = device.broadcast(102)
    assert again is not None
    assert again.keys.authentication == bytes(range(16))
    assert again.received is found.received
    assert device.association(102) is None
    assert device.broadcast(1) is None
    moment = axdr.octets(axdr.CosemDateTime.from_utc(datetime(2026, 6, 1, tzinfo=UTC), 0).encode())
    clock = AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)
    alarms = AttributeDescriptor(1, Obis(0, 0, 97, 98, 10), 2)
    assert device.set(102, clock, None, axdr.encode(moment), 1.7e9) is DataAccessResult.SUCCESS
    denied = device.set(102, alarms, None, axdr.encode(axdr.u32(0)), 1.7e9)
    assert denied is DataAccessResult.READ_WRITE_DENIED
