"""A meter on the bus against our own master, telegram by telegram."""

from __future__ import annotations

from typing import Literal

import pytest

from mbus_bench import sealed_order
from meterway.meter.firmware import signed_image
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.device import Alarm, MbusMeter
from meterway.meter.mbus.usage import Utility
from meterway.meter.mbus.valve import Valve
from meterway.meter.mbus.wired import WiredMeter
from meterway.stacks.mbus.application import ApplicationSelect, Switch, set_address, switch
from meterway.stacks.mbus.image import CI_REQUEST, ImageSender
from meterway.stacks.mbus.link.frames import ACK, LongFrame, ShortFrame
from meterway.stacks.mbus.telegram import Telegram, decode

NOW = 1_795_446_000.0
KEY = bytes(range(16))


class Bench:
    """A master's hand: frames in, telegrams out, with the frame count bit it must have."""

    def __init__(self, utility: Utility = Utility.HEAT, security: Literal[0, 5, 7, 10] = 0) -> None:
        config = MeterConfig(
            ident="20000002", utility=utility, key=KEY.hex(), security=security, primary=9, valve=utility is Utility.GAS
        )
        self.meter = MbusMeter(config)
        self.kept: list[int] = []
        self.wired = WiredMeter(self.meter, lambda: NOW, on_change=lambda meter: self.kept.append(meter.counter))
        self.bit = 0x20
        self.address = 9

    def ask(self, control: int = 0x5B) -> bytes:
        self.wired.slave.receive_data(ShortFrame(control=control | self.bit, address=self.address).encode(), 0.0)
        self.bit ^= 0x20
        return self.wired.slave.data_to_send()

    def read(self) -> Telegram:
        return decode(self.ask(), keys=[self.meter.key])

    def order(self, payload: bytes, ci: int = 0x5B, counter: int = 1, key: bytes = KEY) -> bytes:
        whole = sealed_order(self.meter, payload, counter=counter, key=key, ci=ci)
        return self.send(whole[0], whole[1:])

    def send(self, ci: int, data: bytes = b"") -> bytes:
        frame = LongFrame(control=0x53 | self.bit, address=self.address, ci=ci, data=data)
        self.wired.slave.receive_data(frame.encode(), 0.0)
        self.bit ^= 0x20
        return self.wired.slave.data_to_send()


@pytest.mark.covers("E-MED", "IF-M", "F1a")
@pytest.mark.parametrize("security", [0, 5, 7, 10])
def test_a_read_out_takes_two_telegrams_in_every_profile(security: Literal[0, 5, 7, 10]) -> None:
    bench = Bench(security=security)
    first, second = bench.read(), bench.read()
    assert first.content.more_follows
    assert not second.content.more_follows
    assert first.device == second.device == bench.meter.address
    assert (first.access, second.access) == (1, 2)
    assert first.protection.mode == security
    assert len(second.profile_values) == 11
    assert bench.kept == [1, 2]


@pytest.mark.covers("IF-M")
def test_it_is_read_by_its_secondary_address() -> None:
    bench = Bench()
    bench.address = 253
    assert bench.ask() == b""
    assert bench.send(0x52, bench.meter.address.to_wired()) == ACK
    bench.bit = 0x20
    assert bench.read().device == bench.meter.address


def test_a_selected_application_narrows_what_is_read() -> None:
    bench = Bench()
    sizes = {}
    for application in (1, 2, 3, 5, 8):
        assert bench.send(0x50, ApplicationSelect(application=application).encode()) == ACK
        sizes[application] = len(bench.read().records)
    assert sizes == {1: 8, 2: 5, 3: 5, 5: 8, 8: 3}
    bench.send(0x54)
    assert bench.read().payload == b"\x80"
    bench.send(0x50)
    assert bench.read().content.more_follows


@pytest.mark.covers("F4a", "IF-M")
def test_an_order_under_the_key_closes_the_valve_and_one_under_another_is_not_even_acknowledged() -> None:
    bench = Bench(Utility.GAS, 7)
    assert bench.order(switch(Switch.OPEN).encode(), key=bytes(16)) == b""
    assert bench.meter.valve is Valve.OPEN
    assert bench.order(switch(Switch.OPEN).encode()) == ACK
    assert bench.meter.valve is Valve.CLOSED
    assert bench.order(switch(Switch.CLOSED).encode(), counter=1) == b""
    assert bench.meter.valve is Valve.CLOSED


def test_a_refused_order_is_acknowledged_and_told_at_the_next_read_out() -> None:
    bench = Bench(Utility.HEAT)
    assert bench.send(0x51, switch(Switch.OPEN).encode()) == ACK
    telegram = bench.read()
    assert telegram.kind == "application error"
    assert telegram.payload == b"\0"
    assert bench.read().kind == "data"
    assert bench.send(0x51, b"\x04") == ACK
    assert bench.read().payload == b"\x04"


def test_a_new_primary_address_counts_at_once_and_is_kept() -> None:
    bench = Bench()
    assert bench.send(0x51, set_address(33).encode()) == ACK
    assert bench.ask() == b""
    bench.address = 33
    bench.bit = 0x20
    assert bench.read().kind == "data"
    assert bench.kept


@pytest.mark.covers("F2a")
def test_alarms_are_given_on_request_and_only_while_there_are_any() -> None:
    bench = Bench()
    assert bench.ask(0x5A) == ACK
    bench.meter.raise_alarm(Alarm.TAMPER)
    alarm = decode(bench.ask(0x5A), keys=[KEY])
    assert (alarm.kind, alarm.payload) == ("alarm", bytes((Alarm.TAMPER,)))
    assert alarm.status & 3 == 3


def transfer(bench: Bench, sender: ImageSender) -> None:
    """All of an image over the bus, each request an order under the meter's profile."""
    counter = 0
    sender.open()
    while (request := sender.next_request()) is not None:
        counter += 1
        assert bench.order(request.payload, ci=CI_REQUEST, counter=counter) == ACK
        if not request.answered:
            sender.acknowledged()
            continue
        told = bench.read()
        assert told.kind == "image transfer"
        sender.received(told.payload)


@pytest.mark.covers("F2b", "IF-M", "SEC-04")
@pytest.mark.parametrize("security", [0, 5, 7, 10])
def test_new_firmware_comes_over_the_bus_and_is_told_from_then_on(security: Literal[0, 5, 7, 10]) -> None:
    bench = Bench(Utility.GAS, security)
    sender = ImageSender(signed_image(bytes(1000)), b"GAS-2.1")
    transfer(bench, sender)
    assert sender.result is not None
    assert (sender.result.done, sender.result.active) == (True, b"GAS-2.1")
    (firmware,) = [record.value for record in bench.read().records if record.head.vif == "FD0E"]
    assert firmware == "GAS-2.1"


@pytest.mark.covers("F2b", "SEC-04")
def test_firmware_without_its_digest_or_key_changes_nothing() -> None:
    bench = Bench(Utility.GAS, 7)
    sender = ImageSender(bytes(300), b"EVIL")
    transfer(bench, sender)
    assert sender.result is not None
    assert (sender.result.done, sender.result.reason, bench.meter.firmware) == (False, "not genuine", b"1.0")
    request = ImageSender(signed_image(b"x"), b"EVIL")
    request.open()
    asked = request.next_request()
    assert asked is not None
    assert bench.order(asked.payload, ci=CI_REQUEST, counter=99, key=bytes(16)) == b""
