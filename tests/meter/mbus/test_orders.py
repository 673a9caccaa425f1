"""What a meter does for whom: protection first, all of an order or nothing of it."""

# ruff: noqa: DTZ001  a meter's clock has no zone

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, time
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mbus_bench import sealed_order
from meterway.base.errors import DecodeError, SecurityError
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.device import Alarm, MbusMeter
from meterway.meter.mbus.orders import obey
from meterway.meter.mbus.usage import Utility
from meterway.meter.mbus.valve import Valve
from meterway.stacks.mbus.application import (
    ApplicationError,
    ApplicationSelect,
    ClockAction,
    ClockOrder,
    Switch,
    change_key,
    set_address,
    set_clock,
    switch,
)
from meterway.stacks.mbus.link.frames import SND_UD, LongFrame
from meterway.stacks.mbus.records.record import Record, make_record
from meterway.stacks.mbus.telegram import Telegram, decode

NOW = 1_795_446_000.0
KEY = bytes(range(16))


def gas(security: Literal[0, 5, 7, 10] = 7) -> MbusMeter:
    return MbusMeter(MeterConfig(ident="10000001", utility=Utility.GAS, valve=True, key=KEY.hex(), security=security))


def order(
    meter: MbusMeter, payload: bytes | list[Record], *, counter: int = 1, mode: int | None = None, ci: int = 0x5B
) -> Telegram:
    octets = payload if isinstance(payload, bytes) else b"".join(one.encode() for one in payload)
    whole = sealed_order(meter, octets, counter=counter, ci=ci, mode=mode)
    frame = LongFrame(control=SND_UD, address=1, ci=whole[0], data=whole[1:]).encode()
    return decode(frame, keys=[meter.key], allow_plain=False)


@pytest.mark.covers("F4a", "SEC-04", "IF-M")
@pytest.mark.parametrize("security", [0, 5, 7, 10])
def test_an_order_as_protected_as_the_meter_closes_the_valve(security: Literal[0, 5, 7, 10]) -> None:
    meter = gas(security)
    assert obey(meter, order(meter, [switch(Switch.OPEN)]), NOW) is None
    assert meter.valve is Valve.CLOSED


@pytest.mark.covers("F4b")
@pytest.mark.parametrize("position", [Switch.CLOSED, Switch.RELEASED])
def test_an_order_to_supply_only_makes_the_valve_ready(position: Switch) -> None:
    meter = gas()
    obey(meter, order(meter, [switch(Switch.OPEN)]), NOW)
    obey(meter, order(meter, [switch(position, output=True)], counter=2), NOW)
    assert meter.valve is Valve.READY


@pytest.mark.covers("SEC-04", "SEC-03")
@pytest.mark.parametrize(("security", "mode"), [(7, 0), (7, 5), (10, 7), (10, 0), (5, 0), (5, 7)])
def test_an_order_in_another_mode_than_the_meters_is_refused(security: Literal[5, 7, 10], mode: int) -> None:
    meter = gas(security)
    refusal = obey(meter, order(meter, [switch(Switch.OPEN)], mode=mode), NOW)
    assert refusal == ApplicationError(code=0)
    assert meter.valve is Valve.OPEN


@pytest.mark.covers("SEC-05")
@pytest.mark.parametrize("security", [7, 10])
def test_an_order_played_again_is_refused(security: Literal[7, 10]) -> None:
    meter = gas(security)
    told = order(meter, [switch(Switch.OPEN)], counter=7)
    obey(meter, told, NOW)
    for counter in (7, 6):
        with pytest.raises(SecurityError, match="replay"):
            obey(meter, order(meter, [switch(Switch.RELEASED)], counter=counter), NOW)
    assert meter.valve is Valve.CLOSED


@pytest.mark.covers("SEC-07")
def test_a_new_key_is_taken_and_the_old_one_opens_nothing_more() -> None:
    meter, new = gas(), bytes(range(16, 32))
    assert obey(meter, order(meter, [change_key(new, KEY)], counter=9), NOW) is None
    assert meter.key == new
    assert obey(meter, order(meter, [switch(Switch.OPEN)], counter=1), NOW) is None
    old = gas()
    telegram = order(old, [switch(Switch.RELEASED)], counter=20)
    assert telegram.protection.state == "verified"
    with pytest.raises(SecurityError):
        decode(telegram.frame.encode(), keys=[new], allow_plain=False)  # type: ignore[union-attr]


@pytest.mark.covers("F2b")
@pytest.mark.parametrize("security", [5, 7, 10])
def test_the_clock_is_set_and_shifted(security: Literal[5, 7, 10]) -> None:
    meter = gas(security)
    moment = datetime(2026, 11, 23, 16, 30)
    obey(meter, order(meter, ClockOrder(moment=moment).encode(), ci=0x6C), NOW)
    assert meter.clock(NOW) == moment
    shift = ClockOrder(action=ClockAction.SUBTRACT, shift=time(0, 0, 30))
    obey(meter, order(meter, shift.encode(), ci=0x6D, counter=2), NOW)
    assert meter.clock(NOW) == datetime(2026, 11, 23, 16, 29, 30)
    obey(meter, order(meter, [set_clock(moment)], counter=3), NOW)
    assert meter.clock(NOW) == moment
    assert obey(meter, order(meter, b"\0", ci=0x6C, counter=4), NOW) == ApplicationError(code=4)
    refused = obey(meter, order(meter, ClockOrder(moment=moment).encode(), ci=0x6C, counter=5, mode=0), NOW)
    assert refused == ApplicationError(code=0)


def test_an_address_and_an_application_need_no_protection() -> None:
    meter = gas()
    assert obey(meter, order(meter, [set_address(17)], mode=0), NOW) is None
    assert meter.primary == 17
    assert obey(meter, order(meter, ApplicationSelect(application=3).encode(), ci=0x53, mode=0), NOW) is None
    assert meter.application == 3
    assert obey(meter, order(meter, ApplicationSelect().encode(), ci=0x53, mode=0), NOW) is None
    assert meter.application == 0
    refused = obey(meter, order(meter, ApplicationSelect(application=15).encode(), ci=0x53, mode=0), NOW)
    assert refused == ApplicationError(code=0)


def test_a_protected_selection_and_reset_are_found_behind_their_fillers() -> None:
    meter = gas(5)
    assert obey(meter, order(meter, ApplicationSelect(application=3).encode(), ci=0x53), NOW) is None
    assert meter.application == 3
    assert obey(meter, order(meter, b"", ci=0x53), NOW) is None
    assert meter.application == 0


def test_alarms_are_reset_by_order() -> None:
    meter = gas()
    meter.raise_alarm(Alarm.TAMPER)
    assert obey(meter, order(meter, [make_record(b"\xfd\x17", 0, 2)]), NOW) is None
    assert meter.alarms == 0


def test_an_order_of_which_a_part_is_not_known_is_not_done_at_all() -> None:
    meter = gas()
    mixed = [switch(Switch.OPEN), make_record(b"\x13", 1.0, 4)]
    assert obey(meter, order(meter, mixed), NOW) == ApplicationError(code=0)
    assert meter.valve is Valve.OPEN
    assert obey(meter, order(meter, b"", ci=0x72), NOW) == ApplicationError(code=1)


def test_a_meter_without_a_valve_refuses_to_move_one() -> None:
    meter = MbusMeter(MeterConfig(ident="10000001", utility=Utility.WATER, key=KEY.hex()))
    assert obey(meter, order(meter, [switch(Switch.OPEN)]), NOW) == ApplicationError(code=0)


@pytest.mark.covers("SEC-11")
@settings(max_examples=150)
@given(st.binary(max_size=60), st.sampled_from([0x50, 0x51, 0x53, 0x5A, 0x5B, 0x6C, 0x6D, 0x72, 0x90]))
def test_octets_of_strangers_move_nothing(data: bytes, ci: int) -> None:
    meter = gas()
    frame = LongFrame(control=SND_UD, address=1, ci=ci, data=data).encode()
    with suppress(DecodeError, SecurityError):
        obey(meter, decode(frame, keys=[KEY], allow_plain=False), NOW)
    assert (meter.valve, meter.key, meter.received) == (Valve.OPEN, KEY, -1)
