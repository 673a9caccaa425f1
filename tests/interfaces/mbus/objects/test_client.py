"""The M-Bus client binds, unbinds, sets keys and orders; the valve moves when the meter says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import NOON, RadioMeter, hear
from meterway.interfaces.mbus.meters import KeyStatus
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.xdlms.results import ActionResult
from meterway.stacks.mbus.records.record import make_record

INSTALL, DEINSTALL, CAPTURE, RESET, CLOCK, SEND, SET_KEY, TRANSFER = range(1, 9)
OK = ActionResult.SUCCESS


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, RadioMeter())


@pytest.mark.covers("IF-G1", "UC-IN-01")
def test_a_client_says_who_its_meter_is(bench: Bench) -> None:
    shown = [bench.get(0, 72, "0-1:24.1.0", place) for place in (6, 7, 8, 9, 14)]
    assert shown[:4] == [0x10000001, bench.meter.address.manufacturer, 1, 3]
    assert shown[4] == KeyStatus.IN_USE
    assert bench.get(0, 72, "0-2:24.1.0", 6) == 0
    assert bench.get(1, 72, "0-1:24.1.0", 6) == 0x10000001
    bench.close()


@pytest.mark.covers("UC-IN-01")
def test_a_proposed_meter_is_installed_on_a_free_channel(bench: Bench) -> None:
    water = RadioMeter(kind=0x07, ident="20000002", control=0x46)
    assert bench.act(0, 72, "0-2:24.1.0", INSTALL, axdr.u8(0)) is ActionResult.OTHER_REASON
    bench.book.gateway.install(NOON + 999, NOON)
    hear(bench.book, water.telegram(1), NOON)
    assert bench.act(0, 72, "0-2:24.1.0", INSTALL, axdr.u8(0)) is OK
    assert bench.book.gateway.channel(2).address == water.address
    assert bench.act(0, 72, "0-2:24.1.0", SET_KEY, axdr.octets(water.key)) is OK
    hear(bench.book, water.telegram(2), NOON + 1)
    assert bench.book.gateway.mirror.age_s(2, NOON + 2) == 1
    assert bench.act(0, 72, "0-2:24.1.0", DEINSTALL) is OK
    assert bench.act(0, 72, "0-2:24.1.0", DEINSTALL) is ActionResult.OBJECT_UNAVAILABLE
    bench.close()


@pytest.mark.covers("UC-BI-05", "UC-IN-02", "SEC-05")
def test_orders_wait_in_the_mailbox(bench: Bench) -> None:
    records = axdr.array(axdr.structure(axdr.octets(b"\x01"), axdr.octets(b"\x7a"), axdr.octets(b"\x05")))
    assert bench.act(1, 72, "0-1:24.1.0", CLOCK) is OK
    assert bench.act(1, 72, "0-1:24.1.0", SEND, records) is OK
    assert bench.act(1, 72, "0-1:24.1.0", TRANSFER, axdr.octets(bytes(16))) is OK
    assert bench.act(1, 72, "0-1:24.1.0", TRANSFER, axdr.octets(b"short")) is ActionResult.TYPE_UNMATCHED
    waiting = bench.book.gateway.mailbox.waiting(1)
    assert [(order.kind, order.ci) for order in waiting] == [("clock", 0x6C), ("data", 0x5B), ("key", 0x5B)]
    assert waiting[1].payload == b"\x01\x7a\x05"
    assert [order.number for order in bench.book.spool.orders()] == [1, 2, 3]
    bench.close()


def test_a_sleeping_meter_is_asked_when_it_wakes_a_one_way_one_cannot_be_and_alarms_are_reset(bench: Bench) -> None:
    assert bench.act(1, 72, "0-1:24.1.0", CAPTURE) is OK
    assert [order.kind for order in bench.book.gateway.mailbox.waiting(1)] == ["read"]
    bench.book.gateway.channel(1).listens = False
    assert bench.act(1, 72, "0-1:24.1.0", CAPTURE) is ActionResult.TEMPORARY_FAILURE
    bench.book.gateway.channel(1).alarm = 3
    assert bench.act(1, 72, "0-1:24.1.0", RESET) is OK
    assert bench.get(1, 72, "0-1:24.1.0", 12) == 0
    bench.close()


@pytest.mark.covers("F4a", "UC-BI-05")
def test_a_valve_shows_what_the_meter_reported(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RadioMeter(), make_record(b"\xfd\x1a", 1, 1))
    assert bench.act(1, 70, "0-1:24.4.0", 1) is OK
    assert bench.get(1, 70, "0-1:24.4.0", 2) is True
    hear(bench.book, bench.meter.telegram(13, make_record(b"\xfd\x1a", 2, 1)), NOON + 30)
    assert bench.get(1, 70, "0-1:24.4.0", 3) == 2
    assert bench.get(0, 70, "0-1:24.4.0", 2) is False
    bench.close()


def test_a_meter_without_a_valve_has_none_to_move(bench: Bench) -> None:
    assert bench.act(1, 70, "0-1:24.4.0", 1) is ActionResult.OBJECT_UNDEFINED
    bench.close()
