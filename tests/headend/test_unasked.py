"""What meters say by themselves on a concentrator's line reaches the pushes, and no session."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.nnap_double import Double, meter
from headend.test_calls import call_in, greeting, meet, until
from meterway.headend.serve import HeadEnd
from meterway.headend.unasked import UnaskedFraming, unasked
from meterway.meter.counters import ClockCounters
from meterway.meter.device import ALARM_PUSH
from meterway.meter.pushes import protected_push
from meterway.stacks.dlms.framing import ApduReceived, Role
from meterway.stacks.dlms.gateway import RESPONSE, GatewayAddress, GatewayFraming
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.wrapper.frame import encode_frame

pytestmark = pytest.mark.covers("IF-G2", "E-HES-5")

EUI = GatewayAddress(b"METER001")
PUSH = b"\xdb\x08METER001\x05\x30\x00\x00\x00\x01"


def test_the_push_behind_any_number_of_prefixes_and_nothing_else() -> None:
    once = EUI.prefix(RESPONSE) + PUSH
    assert unasked(once) == PUSH
    assert unasked(GatewayAddress(b"NNAP").prefix(RESPONSE) + once) == PUSH
    for other in (PUSH, b"", EUI.prefix(RESPONSE), EUI.prefix(RESPONSE) + b"\xc4\x01\xc1\x00\x00", b"\xe7\x00\x09M"):
        assert unasked(other) is None


@given(st.binary(max_size=40))
def test_any_octets_are_a_push_or_none(octets: bytes) -> None:
    said = unasked(b"\xe7" + octets)
    assert said is None or octets.endswith(said)


@pytest.mark.parametrize("port", [1, 7])
def test_a_session_hears_its_answers_only(port: int) -> None:
    heard: list[bytes] = []
    framing = UnaskedFraming(WrapperFraming(1, 1, role=Role.CLIENT), heard.append)
    framing.connect(0.0)
    framing.receive_data(encode_frame(port, 1, EUI.prefix(RESPONSE) + PUSH) + encode_frame(1, 1, b"\xc4"), 0.0)
    found = []
    while (event := framing.next_event()) is not None:
        found += [event.apdu] if isinstance(event, ApduReceived) else []
    assert (heard, found) == ([PUSH], [b"\xc4"])


def test_a_session_with_one_device_hears_no_other() -> None:
    heard: list[bytes] = []
    through = GatewayFraming(WrapperFraming(1, 1, role=Role.CLIENT), GatewayAddress(b"OTHER"))
    framing = UnaskedFraming(through, heard.append)
    framing.receive_data(encode_frame(1, 1, EUI.prefix(RESPONSE) + PUSH), 0.0)
    assert framing.next_event() is None
    assert heard == [PUSH]


def test_an_alarm_of_a_meter_is_stored_from_a_line_that_was_called_and_within_a_session(tmp_path: Path) -> None:
    behind = meter("M1")
    double = Double("N1", behind)
    counters = ClockCounters(time.time)

    def alarm() -> bytes:
        said = protected_push(behind, ALARM_PUSH, counters, invoke=1, now=time.time())
        return encode_frame(1, 1, EUI.prefix(RESPONSE) + said)

    async def work(head: HeadEnd) -> None:
        device = head.store.devices.by_serial("M1").id
        head.store.devices.update(device, {"system_title": behind.title}, now_ms=3)

        def stored() -> int:
            return sum(event.log == "push" for event in head.store.events.of_device(device))

        line: Any = await call_in(head, double, greeting())
        line._transport.write(alarm())
        await until(lambda: stored() == 1)
        assert line.connected
        assert head.called.line(1) is not None
        engine = line.engine
        take = engine.receive_data

        def with_an_alarm(data: bytes, now: float) -> None:
            line._transport.write(alarm())
            take(data, now)

        engine.receive_data = with_an_alarm
        assert (await head.collect_now("N1"))["cause"] == "ok"
        await until(lambda: stored() > 2)

    meet(tmp_path, double, work)


def test_an_alarm_in_the_same_octets_as_the_greeting_is_not_lost(tmp_path: Path) -> None:
    behind = meter("M1")

    async def work(head: HeadEnd) -> None:
        device = head.store.devices.by_serial("M1").id
        head.store.devices.update(device, {"system_title": behind.title}, now_ms=3)
        said = protected_push(behind, ALARM_PUSH, ClockCounters(time.time), invoke=1, now=time.time())
        first = encode_frame(1, 1, greeting())
        wrapped = encode_frame(1, 1, EUI.prefix(RESPONSE) + said)
        _, writer = await asyncio.open_connection("127.0.0.1", head.calls.port)
        writer.write(first + wrapped)
        await until(lambda: any(event.log == "push" for event in head.store.events.of_device(device)))
        writer.close()

    meet(tmp_path, Double("N1", behind), work)
