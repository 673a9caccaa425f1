"""A head end's orders about battery meters: bound, keyed, released; commands wait until the meter listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_town import GAS, RadioMeter
from meterway.base.obis import Obis
from meterway.mapping.neighbourhood import HEARD_SAP
from meterway.nnap.events import Code
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from meterway.stacks.mbus.application import Switch, switch
from meterway.stacks.mbus.records.record import make_record
from meterway.stacks.mbus.wireless.frames import decode_radio
from nnap.objects.test_logical import device
from nnap_network import Network
from nnap_radio import Mast, settings

pytestmark = pytest.mark.covers("E-NNAP", "IF-C")

_CLIENT = "0-1:24.1.0"
_OK = ActionResult.SUCCESS


def test_a_meter_is_bound_keyed_heard_and_released_by_order(tmp_path: Path) -> None:
    gas = RadioMeter()
    mast = Mast(settings(tmp_path))
    mast.hear(gas, 1.0)
    assert mast.device(HEARD_SAP + 1) is None
    address = gas.address
    for place, value in (
        (6, axdr.u32(int(address.ident, 16))),
        (7, axdr.u16(address.manufacturer)),
        (8, axdr.u8(address.version)),
        (9, axdr.u8(address.device_type)),
    ):
        assert mast.set(1, 72, _CLIENT, place, value) == "success"
    assert mast.act(1, 72, _CLIENT, 1, axdr.u8(0)) is _OK
    assert mast.act(1, 72, _CLIENT, 7, axdr.octets(gas.key)) is _OK
    mast.kill()
    mast.begin()
    mast.hear(gas, 2.5)
    assert mast.get(HEARD_SAP + 1, 3, "7-0:3.0.0") == 2500
    assert [(row.serial, row.sap) for row in mast.collector.rows()] == [(str(address), HEARD_SAP + 1)]
    assert any(row.sap == HEARD_SAP + 1 for row in mast.get(1, 17, "0-0:41.0.0"))  # type: ignore[attr-defined]
    assert mast.act(1, 72, _CLIENT, 2) is _OK
    assert mast.device(HEARD_SAP + 1) is None
    listed = [event.code for event in mast.nnap.store.events() if event.detail or event.serial]
    assert {Code.NODE_LISTED, Code.METER_UNKNOWN} <= set(listed)
    mast.kill()


def test_a_command_waits_for_the_window_that_the_meter_opens(tmp_path: Path) -> None:
    gas = RadioMeter(kind=GAS)
    mast = Mast(settings(tmp_path, gas))
    mast.air.say(gas.telegram(1.0, make_record(b"\xfd\x1a", 1, 1)), mast.now, "N1a")
    mast.nnap.tick()
    mast.air.sent.clear()
    assert mast.act(HEARD_SAP + 1, 70, "0-1:24.4.0", 1) is _OK
    assert mast.air.sent == [], "the meter sleeps"
    mast.pass_s(600)
    gas.bidirectional = False
    mast.hear(gas, 1.1)
    assert mast.air.sent == [], "it spoke and did not listen"
    gas.bidirectional = True
    mast.hear(gas, 1.2)
    ((octets, mode, delay_s),) = mast.air.sent
    assert (mode, decode_radio(octets).control) == ("N1a", 0x53)
    assert delay_s > 0
    assert switch(Switch.OPEN).encode() not in octets, "an order is encrypted as the meter's telegrams are"
    rows = mast.get(HEARD_SAP + 1, 1, "0-0:128.1.0")
    assert [(row[1], row[2], row[3]) for row in rows] == [(b"valve", 1, 1)]  # type: ignore[attr-defined]
    mast.kill()


def test_without_a_receiver_there_is_nothing_of_it() -> None:
    item = AttributeDescriptor(1, Obis.parse("0-0:128.3.0"), 2)
    assert device(Network(meters=1)).get(1, item, None, 0.0) is DataAccessResult.OBJECT_UNDEFINED
