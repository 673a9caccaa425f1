"""A hand-held and a device, octet by octet, without a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.iec21.exchange import Device, LineSpeed, Reader, ReadFailed, ReadOut
from meterway.stacks.iec21.messages import DataMessage, DataSet, Identification

pytestmark = pytest.mark.covers("P13", "E-LOCAL")
DATA = DataMessage(lines=((DataSet(address="1.8.0", value="000123", unit="kWh"),),))


def device(speed: str = "5", address: str = "123") -> Device:
    return Device(Identification(maker="MWY", speed=speed, ident="LEGACY"), lambda: DATA, address=address)


def events(engine: Device | Reader) -> list[object]:
    found = []
    while (event := engine.next_event()) is not None:
        found.append(event)
    return found


def talk(reader: Reader, meter: Device, *, step: int = 1 << 16) -> list[object]:
    """Carry octets to and fro, ``step`` at a time, until both are silent."""
    reader.open(0.0)
    for _ in range(1000):
        for source, sink in ((reader, meter), (meter, reader)):
            octets = source.data_to_send()
            for place in range(0, len(octets), step):
                sink.receive_data(octets[place : place + step], 0.0)
            if octets:
                break
        else:
            break
    return events(reader)


@pytest.mark.parametrize(("speed", "bauds"), [("5", [300, 9600]), ("E", [300, 9600]), ("x", [300, 300])])
@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_modes_a_b_and_c_are_read_out(speed: str, bauds: list[int], step: int) -> None:
    found = talk(Reader(), device(speed), step=step)
    assert [event.baud for event in found if isinstance(event, LineSpeed)] == bauds
    assert isinstance(found[-1], ReadOut)
    assert found[-1].data == DATA


def test_a_device_answers_to_its_address_and_to_none() -> None:
    assert isinstance(talk(Reader(address="00123"), device())[-1], ReadOut)
    silent = Reader(address="9")
    assert not any(isinstance(event, ReadOut) for event in talk(silent, device()))
    silent.handle_timeout(10.0)
    assert [type(event) for event in events(silent)] == [ReadFailed]


def test_without_an_option_the_device_tells_at_the_slow_speed_and_to_programmers_nothing() -> None:
    meter = device()
    meter.receive_data(b"/?!\r\n", 0.0)
    assert meter.data_to_send() == b"/MWY5LEGACY\r\n"
    assert meter.next_timeout() == 2.2
    meter.handle_timeout(2.2)
    assert meter.data_to_send() == DATA.encode()
    assert LineSpeed(baud=300) in events(meter)
    meter.receive_data(b"/?!\r\n", 3.0)
    meter.data_to_send()
    meter.receive_data(b"\x06051\r\n", 3.1)
    assert (meter.data_to_send(), meter.next_timeout()) == (b"", None)


def test_a_head_that_hears_itself_and_noise_before_the_request_do_no_harm() -> None:
    reader = Reader()
    reader.open(0.0)
    reader.receive_data(reader.data_to_send() + b"/MWY5LEGACY\r\n", 0.0)
    assert reader.data_to_send() == b"\x06050\r\n"
    meter = device()
    meter.receive_data(b"\x00\xff/?!\r\n", 0.0)
    assert meter.data_to_send() == b"/MWY5LEGACY\r\n"


def test_damage_and_a_closed_line_end_a_readout() -> None:
    for octets, kind in (
        (b"/MWY5LEGACY\r\n" + DATA.encode()[:-1] + b"\x00", DecodeError),
        (b"x" * 100, DecodeError),
        (b"", Exception),
    ):
        reader = Reader()
        reader.open(0.0)
        reader.receive_data(octets, 0.0)
        last = events(reader)[-1]
        assert isinstance(last, ReadFailed)
        assert isinstance(last.error, kind)
        assert reader.next_timeout() is None


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_noise_never_breaks_an_engine(parts: list[bytes]) -> None:
    reader, meter = Reader(), device()
    reader.open(0.0)
    for part in parts:
        reader.receive_data(part, 0.0)
        meter.receive_data(part, 0.0)
        reader.data_to_send()
        meter.data_to_send()
    assert sum(isinstance(event, ReadOut | ReadFailed) for event in events(reader)) <= 1
