"""What goes to a meter opens at the meter, and only there."""

from __future__ import annotations

import pytest

from lnap_town import RadioMeter
from meterway.interfaces.mbus.answers import alarm_question, bus_order, confirm, end, question, reply_window, send_order
from meterway.interfaces.mbus.mirror import Order
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.application import Switch, switch
from meterway.stacks.mbus.telegram import decode, sender_of

OWN = Address(manufacturer=0x3B39, ident="00000001", version=1, device_type=0x31)


def order() -> Order:
    return Order(number=1, channel=1, kind="valve", payload=switch(Switch.OPEN).encode(), created_s=0.0, expires_s=1.0)


@pytest.mark.covers("IF-M", "SEC-05")
@pytest.mark.parametrize("mode", [5, 7, 10])
def test_an_order_opens_under_the_meters_key(mode: int) -> None:
    meter = RadioMeter(mode=mode)
    bound = meter.bound(protection=mode, mode="T1", sent=41)
    answer = send_order(OWN, bound, order())
    assert (answer.mode, answer.delay_s) == ("T2 down", 0.0025)
    assert sender_of(answer.octets) == meter.address
    telegram = decode(answer.octets, keys=[meter.key], allow_plain=False)
    assert [(one.head.vif, one.value) for one in telegram.records] == [("FD1F", 0)]
    assert bound.sent == 42


@pytest.mark.parametrize(
    ("make", "name"), [(confirm, "CNF-IR"), (alarm_question, "REQ-UD1"), (end, "SND-NKE"), (question, "REQ-UD2")]
)
def test_short_answers_name_the_meter(make: object, name: str) -> None:
    meter = RadioMeter()
    answer = make(OWN, meter.bound(mode="C1"))  # type: ignore[operator]
    telegram = decode(answer.octets)
    assert telegram.device == meter.address
    assert telegram.frame.name == name  # type: ignore[union-attr]


def test_windows_follow_the_mode() -> None:
    assert reply_window("S1")[0] == "S2"
    assert reply_window("N1a") == ("N1a", 0.1)


def test_a_plain_meter_on_the_bus_gets_records_without_header() -> None:
    ci, data = bus_order(RadioMeter(mode=0).bound(link="wired"), order())
    assert (ci, data) == (0x51, order().payload)
    ci, _ = bus_order(RadioMeter(mode=5).bound(link="wired", protection=5), order())
    assert ci == 0x5B
