"""Orders and complaints lead back to their octets; records of orders say what they do."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.application import (
    Alarm,
    ApplicationError,
    ApplicationSelect,
    ClockAction,
    ClockOrder,
    Switch,
    change_key,
    command_header,
    encode_command,
    set_address,
    set_clock,
    switch,
)
from meterway.stacks.mbus.records.record import decode_records

NOON = datetime.fromisoformat("2026-05-06T12:30:15")


@given(st.binary(min_size=1, max_size=5))
def test_errors_alarms_and_selections_lead_back_to_their_octets(payload: bytes) -> None:
    assert ApplicationError.decode(payload).encode() == payload
    assert Alarm.decode(payload).encode() == payload[:1]
    assert ApplicationSelect.decode(payload).encode() == payload[:1]


def test_an_error_is_told_in_words_and_an_unknown_one_by_number() -> None:
    assert ApplicationError.decode(b"\x03").text == "too many records"
    assert ApplicationError.decode(b"\xee").text == "error 0xEE"
    assert ApplicationSelect().encode() == b""


@pytest.mark.covers("IF-M")
def test_a_clock_order_sets_or_shifts() -> None:
    order = ClockOrder(moment=NOON)
    assert ClockOrder.decode(order.encode()) == order
    assert order.ci == 0x6C
    shift = ClockOrder(action=ClockAction.SUBTRACT, shift=time(0, 1, 30))
    assert ClockOrder.decode(shift.encode()) == shift
    assert shift.ci == 0x6D


@pytest.mark.parametrize("payload", ["", "03000000", "00FFFFFFFFFFFF", "01FFFFFF"])
def test_a_clock_order_without_a_time_is_refused(payload: str) -> None:
    with pytest.raises(DecodeError):
        ClockOrder.decode(bytes.fromhex(payload))


def test_orders_as_records_say_what_they_do() -> None:
    records = [set_clock(NOON), set_address(5), switch(Switch.CLOSED), switch(Switch.OPEN, output=True)]
    content = decode_records(encode_command(records))
    assert [(record.quantity, record.value) for record in content.records] == [
        ("time", NOON),
        ("bus address", 5),
        ("remote control", 1),
        ("digital output", 0),
    ]


def test_a_new_key_never_travels_in_the_clear() -> None:
    record = change_key(bytes(range(16)), bytes(16))
    assert record.quantity == "security key"
    assert bytes(range(16)) not in record.encode()
    with pytest.raises(LocalProtocolError):
        change_key(b"short", bytes(16))


def test_a_primary_address_beyond_250_and_an_empty_clock_order_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        set_address(251)
    with pytest.raises(LocalProtocolError):
        ClockOrder().encode()


def test_a_command_to_a_meter_by_name_has_the_long_header() -> None:
    meter = Address(manufacturer=1, ident="00000001", version=0, device_type=0)
    assert (command_header(meter, access=1).ci, command_header(None, access=1, mode=5).mode) == (0x5B, 5)
