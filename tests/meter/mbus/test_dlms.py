"""DLMS in M-Bus long frames: our own client reads a utility meter on its wired bus."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dlms_device
from meterway.base.obis import Obis
from meterway.meter.mbus.config import DlmsKeys, MeterConfig
from meterway.meter.mbus.device import MbusMeter
from meterway.meter.mbus.dlms import DlmsMeter, segments
from meterway.meter.mbus.usage import Utility
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.client import ClientSettings, DlmsClient
from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, FramingEvent
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.mbus.link.frames import ACK, LongFrame, ShortFrame, decode_frame
from meterway.stacks.mbus.telegram import decode

NOW = 1_795_446_000.0
CLOCK = AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)
NAME = AttributeDescriptor(1, Obis(0, 0, 42, 0, 0), 2)
ENCRYPTION, AUTHENTICATION = dlms_device.KEYS.encryption.hex(), dlms_device.KEYS.authentication.hex()


def meter_of(utility: Utility = Utility.GAS, **more: Any) -> MbusMeter:
    keys = DlmsKeys(encryption=ENCRYPTION, authentication=AUTHENTICATION)
    return MbusMeter(MeterConfig(ident="70000007", utility=utility, security=0, primary=4, dlms=keys, **more))


class Bus:
    """A ``Framing`` that a master's hand carries over the wired bus, frame by frame."""

    def __init__(self, meter: MbusMeter, client: int, size: int = 248) -> None:
        self.host = DlmsMeter(meter, lambda: NOW)
        self.client = client
        self.size = size
        self.frames = 0
        self.bit = 0x20
        self.events: deque[FramingEvent] = deque()

    def exchange(self, frame: ShortFrame | LongFrame) -> bytes:
        self.bit ^= 0x20
        self.frames += 1
        self.host.slave.receive_data(frame.encode(), 0.0)
        return self.host.slave.data_to_send()

    def connect(self, now: float) -> None:
        self.events.append(Connected())

    def disconnect(self, now: float) -> None:
        self.events.append(Disconnected())

    def send(self, apdu: bytes, now: float) -> None:
        parts = [apdu[place : place + self.size] for place in range(0, len(apdu), self.size)]
        for number, part in enumerate(parts):
            ci = number & 15 | (0x10 if number == len(parts) - 1 else 0)
            frame = LongFrame(control=0x53 | self.bit, address=4, ci=ci, data=bytes((self.client, 1)) + part)
            assert self.exchange(frame) == ACK
        answer = b""
        while True:
            frame_in = decode_frame(self.exchange(ShortFrame(control=0x5B | self.bit, address=4)))
            assert isinstance(frame_in, LongFrame)
            assert frame_in.data[:2] == bytes((1, self.client))
            answer += frame_in.data[2:]
            if frame_in.ci & 0x10:
                break
        self.events.append(ApduReceived(apdu=answer, client=self.client, server=1))

    def receive_data(self, data: bytes, now: float) -> None:
        raise AssertionError("frames come in with send")

    def next_event(self) -> FramingEvent | None:
        return self.events.popleft() if self.events else None

    def data_to_send(self) -> bytes:
        return b""

    def next_timeout(self) -> float | None:
        return None

    def handle_timeout(self, now: float) -> None:
        return


class Client:
    """Our client engine on such a bus."""

    def __init__(self, meter: MbusMeter, client: int, *, size: int = 248) -> None:
        self.bus = Bus(meter, client, size)
        wanted = dlms_device.settings(client) if client == 1 else ClientSettings()
        self.engine = DlmsClient(self.bus, wanted)
        self.engine.open(0.0)
        self.opened = self.last()

    def last(self) -> Any:
        found = None
        for _ in range(8):  # what was sent is answered at once, and is there at the next look
            self.engine.handle_timeout(0.0)
            self.engine.data_to_send()
            event = self.engine.next_event()
            found = event if event is not None else found
        return found

    def get(self, attribute: AttributeDescriptor) -> Any:
        self.engine.get(attribute, now=0.0)
        return self.last()

    def set(self, attribute: AttributeDescriptor, value: bytes) -> Any:
        self.engine.set(((attribute, None),), (value,), now=0.0)
        return self.last()


@pytest.mark.covers("E-MED", "IF-M")
@pytest.mark.parametrize("client", [1, 16])
@pytest.mark.parametrize("size", [20, 248])
def test_anybody_may_ask_who_the_meter_is_and_what_its_clock_shows(client: int, size: int) -> None:
    meter = meter_of(utc_offset_min=60)
    talk = Client(meter, client, size=size)
    assert axdr.decode_all(talk.get(NAME).result).value == b"MWY0370000007"
    shown = axdr.decode_all(talk.get(CLOCK).result).value
    assert isinstance(shown, bytes)
    assert CosemDateTime.decode(shown).utc() == datetime.fromtimestamp(NOW, UTC)


@pytest.mark.covers("E-MED", "IF-M", "F1a", "SEC-03")
@pytest.mark.parametrize(
    ("utility", "obis", "scaler", "unit"),
    [
        (Utility.GAS, Obis(7, 0, 3, 1, 0), -3, 13),
        (Utility.WATER, Obis(8, 0, 1, 0, 0), -3, 13),
        (Utility.HEAT, Obis(6, 0, 1, 0, 0), 3, 30),
    ],
)
def test_the_management_client_reads_the_register_and_the_public_one_does_not(
    utility: Utility, obis: Obis, scaler: int, unit: int
) -> None:
    meter = meter_of(utility)
    talk = Client(meter, 1)
    per = 1000 if utility is Utility.HEAT else 1
    assert axdr.decode_all(talk.get(AttributeDescriptor(3, obis, 2)).result).value == meter.at(NOW)[0] // per
    scaled = axdr.encode(axdr.structure(axdr.i8(scaler), axdr.enum(unit)))
    assert talk.get(AttributeDescriptor(3, obis, 3)).result == scaled
    assert talk.get(AttributeDescriptor(3, Obis(1, 0, 1, 8, 0), 2)).result.name == "OBJECT_UNDEFINED"
    assert Client(meter, 16).get(AttributeDescriptor(3, obis, 2)).result.name == "READ_WRITE_DENIED"


@pytest.mark.covers("F2b", "SEC-03")
def test_the_management_client_sets_the_clock_and_nobody_else() -> None:
    meter = meter_of(utc_offset_min=60)
    wanted = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    octets = axdr.encode(axdr.octets(CosemDateTime.from_utc(wanted, -60).encode()))
    assert Client(meter, 16).set(CLOCK, octets) != Client(meter, 1).set(CLOCK, octets)
    assert meter.clock(NOW).isoformat() == "2026-11-24T13:00:00"
    talk = Client(meter, 1)
    for odd in (axdr.octets(b"x"), axdr.u8(1), axdr.octets(b"\xff" * 12)):
        assert "TYPE_UNMATCHED" in str(talk.set(CLOCK, axdr.encode(odd)))
    assert "READ_WRITE_DENIED" in str(talk.set(NAME, axdr.encode(axdr.u8(1))))


def test_without_dlms_keys_only_the_public_client_gets_in() -> None:
    meter = MbusMeter(MeterConfig(ident="70000007", utility=Utility.WATER, security=0, primary=4))
    assert "Associated" in type(Client(meter, 16).opened).__name__
    assert "Associated" not in type(Client(meter, 1).opened).__name__


def test_records_are_read_as_before_and_orders_obeyed() -> None:
    bus = Bus(meter_of(), 16)
    frame = bus.exchange(ShortFrame(control=0x5B | bus.bit, address=4))
    assert decode(frame).records[0].value == "70000007"
    assert bus.exchange(LongFrame(control=0x53 | bus.bit, address=4, ci=0x51, data=b"\x01\x7a\x09")) == ACK
    assert bus.host.slave.primary == 9
    assert bus.exchange(ShortFrame(control=0x5A | bus.bit, address=9)) == ACK


@given(st.binary(min_size=1, max_size=4500))
def test_segments_are_numbered_and_the_last_is_marked(apdu: bytes) -> None:
    parts = segments(apdu, 1, 0x67)
    assert b"".join(data[2:] for _, data in parts) == apdu
    assert {data[:2] for _, data in parts} == {b"\x01\x67"}
    assert [ci & 15 for ci, _ in parts] == [number & 15 for number in range(len(parts))]
    assert [bool(ci & 16) for ci, _ in parts] == [False] * (len(parts) - 1) + [True]
    assert all(len(data) <= 252 for _, data in parts)


@pytest.mark.covers("SEC-11")
@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 0x1F), st.binary(max_size=60)), max_size=8))
def test_strange_segments_change_nothing_and_leave_it_able_to_answer(frames: list[tuple[int, bytes]]) -> None:
    meter = meter_of()
    talk = Client(meter, 16)
    for ci, data in frames:
        talk.bus.host.received(ci, data)
        talk.bus.host.user_data()
    assert meter.clock_offset_s == 0
    assert "Associated" in type(Client(meter, 16).opened).__name__
