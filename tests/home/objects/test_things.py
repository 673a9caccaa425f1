"""The objects of a load controller, asked and told as its logical device is."""

from datetime import UTC, datetime

import pytest

from home_loads import EVENING, controller, order, value
from meterway.base.obis import Obis
from meterway.home.api import HomeMemory
from meterway.home.objects import LogicalHome
from meterway.home.objects.table import BROADCAST, CONSUMER, OPERATOR, PUBLIC
from meterway.mapping.home import (
    ACKNOWLEDGE,
    CONSENT,
    LOAD_ORDER,
    OVERRIDE,
    PROGRAMME,
    RELAY_ALL,
    RELAYS,
    SIGNALS,
    Signal,
    SignalKind,
)
from meterway.mapping.profile import load_profile
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class, typed, untyped
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

RELAY, POWER, ENERGY = Obis(0, 1, 96, 3, 10), Obis(1, 1, 1, 7, 0), Obis(1, 1, 1, 8, 0)
LIMITER, SCRIPTS, SCHEDULE, CLOCK = (
    Obis(0, 0, 17, 0, 0),
    Obis(0, 0, 10, 0, 106),
    Obis(0, 0, 15, 0, 1),
    Obis(0, 0, 1, 0, 0),
)
NAUGHT = axdr.i8(0)
DENIED, OK = DataAccessResult.READ_WRITE_DENIED, DataAccessResult.SUCCESS


def logical(**changes):
    return LogicalHome(controller(offset_s=0, **changes), HomeMemory(lambda: EVENING), is_local=True)


def put(device, client, obis, data, *, class_id=1, attribute=2, now=EVENING):
    return device.set(client, AttributeDescriptor(class_id, obis, attribute), None, axdr.encode(data), now)


def call(device, client, class_id, obis, method, data=NAUGHT, now=EVENING):
    return device.act(client, MethodDescriptor(class_id, obis, method), axdr.encode(data), now).result


@pytest.mark.covers("F5b", "F5c", "IF-H3")
def test_a_relay_is_switched_and_says_how_it_stands():
    device = logical()
    assert value(device, OPERATOR, 70, RELAY) is True
    assert call(device, OPERATOR, 70, RELAY, 1) is ActionResult.SUCCESS
    assert [value(device, OPERATOR, 70, RELAY, one) for one in (2, 3, 4)] == [False, 2, 5]
    assert value(device, OPERATOR, 3, POWER) == 0
    assert value(device, OPERATOR, 70, RELAY_ALL) is True  # the other relay is closed
    assert value(device, OPERATOR, 1, RELAYS)[0][:3] == [1, False, 1]
    assert call(device, OPERATOR, 70, RELAY, 2) is ActionResult.SUCCESS
    assert value(device, OPERATOR, 70, RELAY) is True
    assert call(device, OPERATOR, 70, RELAY_ALL, 1) is ActionResult.SUCCESS
    assert value(device, OPERATOR, 70, RELAY_ALL) is False


@pytest.mark.covers("F5b", "UC-DR-02")
def test_a_load_order_is_taken_or_refused_in_the_norms_words():
    device = logical()
    assert value(device, OPERATOR, 1, LOAD_ORDER) is None
    assert put(device, OPERATOR, LOAD_ORDER, order(5, relays=1, duration_s=60).encode()) is OK
    assert value(device, OPERATOR, 1, LOAD_ORDER)[0] == 5
    assert value(device, OPERATOR, 70, RELAY) is False
    assert value(device, OPERATOR, 70, RELAY, now=EVENING + 61) is True
    assert put(device, OPERATOR, LOAD_ORDER, order(6, expires=5).encode()) is DataAccessResult.OTHER_REASON
    assert put(device, OPERATOR, LOAD_ORDER, axdr.u8(1)) is DataAccessResult.TYPE_UNMATCHED
    assert put(device, CONSUMER, LOAD_ORDER, order(7).encode()) is DENIED
    assert put(logical(consent=False), OPERATOR, LOAD_ORDER, order(7).encode()) is DENIED


@pytest.mark.covers("F5d", "UC-DR-04", "SEC-03")
def test_only_the_consumer_consents_and_only_the_operator_registers():
    device = logical(consent=False, programme="")
    assert put(device, OPERATOR, CONSENT, axdr.boolean(value=True)) is DENIED
    assert put(device, OPERATOR, PROGRAMME, axdr.octets(b"PEAK")) is DENIED
    assert put(device, CONSUMER, CONSENT, axdr.boolean(value=True)) is OK
    assert put(device, CONSUMER, PROGRAMME, axdr.octets(b"PEAK")) is DENIED
    assert put(device, OPERATOR, PROGRAMME, axdr.octets(b"PEAK")) is OK
    assert device.device.takes_part
    assert put(device, OPERATOR, PROGRAMME, axdr.octets(b"\x1b")) is DataAccessResult.TYPE_UNMATCHED
    assert put(device, CONSUMER, CONSENT, axdr.u8(1)) is DataAccessResult.TYPE_UNMATCHED


def test_the_button_is_the_consumers():
    device = logical()
    press = axdr.structure(axdr.u8(1), axdr.boolean(value=False))
    assert put(device, OPERATOR, OVERRIDE, press) is DENIED
    assert put(device, CONSUMER, OVERRIDE, press) is OK
    assert value(device, CONSUMER, 70, RELAY) is False
    assert put(device, CONSUMER, OVERRIDE, axdr.u8(1)) is DataAccessResult.TYPE_UNMATCHED
    wrong = axdr.structure(axdr.u8(7), axdr.boolean(value=False))
    assert put(device, CONSUMER, OVERRIDE, wrong) is DataAccessResult.OTHER_REASON


@pytest.mark.covers("F5a", "UC-DR-01")
def test_signals_are_told_shown_and_acknowledged():
    device = logical()
    told = Signal(ident=3, kind=SignalKind.MESSAGE, text="cheap now", end=int(EVENING) + 60, wants_answer=True)
    assert put(device, OPERATOR, SIGNALS, told.encode()) is OK
    assert value(device, CONSUMER, 1, SIGNALS) == [[3, 3, 0, 0, int(EVENING) + 60, b"cheap now", True, False]]
    assert put(device, CONSUMER, ACKNOWLEDGE, axdr.u32(3)) is OK
    assert value(device, OPERATOR, 1, SIGNALS)[0][-1] is True
    assert value(device, OPERATOR, 1, ACKNOWLEDGE) == 3
    assert value(device, OPERATOR, 1, SIGNALS, now=EVENING + 61) == []


@pytest.mark.covers("F5e", "UC-DR-05")
def test_the_limiter_takes_an_emergency_profile():
    device = logical(consent=False)
    start = datetime.fromtimestamp(EVENING, UTC).isoformat()
    held = untyped(71, 8, {"profile_id": 1, "activation_time": start, "duration": 600})
    assert put(device, BROADCAST, LIMITER, held, class_id=71, attribute=8) is OK
    assert value(device, OPERATOR, 71, LIMITER, 10) is True
    assert value(device, OPERATOR, 71, LIMITER, 3) == 0
    assert value(device, OPERATOR, 70, RELAY_ALL) is False
    assert value(device, OPERATOR, 70, RELAY_ALL, 3) == 0  # no hand closes it
    assert value(device, OPERATOR, 70, RELAY_ALL, now=EVENING + 601) is True
    read = typed(71, 8, axdr.decode_all(device.get(OPERATOR, AttributeDescriptor(71, LIMITER, 8), None, EVENING)))
    assert read.duration == 600
    assert put(device, BROADCAST, LIMITER, axdr.u32(5), class_id=71, attribute=5) is DENIED
    assert put(device, OPERATOR, LIMITER, axdr.u32(2500), class_id=71, attribute=5) is OK
    assert put(device, OPERATOR, LIMITER, axdr.i32(-1), class_id=71, attribute=4) is DataAccessResult.TYPE_UNMATCHED


def test_a_script_runs_now_and_at_its_time():
    device = logical()
    assert call(device, OPERATOR, 9, SCRIPTS, 1, axdr.u16(1)) is ActionResult.SUCCESS
    assert value(device, OPERATOR, 70, RELAY_ALL) is False
    assert call(device, OPERATOR, 9, SCRIPTS, 1, axdr.u16(2)) is ActionResult.SUCCESS
    assert call(device, OPERATOR, 9, SCRIPTS, 1, axdr.u16(9)) is ActionResult.OTHER_REASON
    times = untyped(22, 4, [{"time": "22:00:00", "date": "2026-11-23"}])
    assert put(device, OPERATOR, SCHEDULE, times, class_id=22, attribute=4) is OK
    assert value(device, OPERATOR, 70, RELAY_ALL, now=EVENING + 3599) is True
    assert value(device, OPERATOR, 70, RELAY_ALL, now=EVENING + 3600) is False
    wrong = untyped(22, 2, {"script_table": "0-0:10.0.107", "selector": 1})
    assert put(device, OPERATOR, SCHEDULE, wrong, class_id=22) is DataAccessResult.OTHER_REASON


def test_the_clock_is_set_by_operator_and_broadcast():
    device = logical()
    wanted = untyped(8, 2, datetime.fromtimestamp(EVENING + 5, UTC).isoformat())
    assert put(device, CONSUMER, CLOCK, wanted, class_id=8) is DENIED
    assert put(device, BROADCAST, CLOCK, wanted, class_id=8) is OK
    assert device.device.clock(EVENING) == EVENING + 5
    assert value(device, PUBLIC, 8, CLOCK) == value(device, OPERATOR, 8, CLOCK)


OWN = Obis(0, 0, 40, 0, 0)


@pytest.mark.covers("IF-H3")
def test_the_companion_profile_is_what_the_device_has():
    device = logical()
    items = [item for item in load_profile("home").objects.values() if item.obis.b not in range(3, 9)]  # two relays
    for item in items:
        for attribute in interface_class(item.class_id, item.version).attributes:
            asked = AttributeDescriptor(item.class_id, item.obis, attribute.index)
            octets = device.get(OPERATOR, asked, None, EVENING)
            if isinstance(octets, DataAccessResult):
                assert item.obis == OWN, (str(item.obis), attribute)
            elif attribute.index in item.static:
                found = typed(item.class_id, attribute.index, axdr.decode_all(octets))
                assert found == item.static[attribute.index], (str(item.obis), attribute)
    listed = {(one[0], one[2]) for one in value(device, OPERATOR, 15, OWN)}
    assert {(item.class_id, item.obis.encode()) for item in items if item.obis != OWN} <= listed
