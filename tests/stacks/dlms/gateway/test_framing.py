"""A client to devices behind gateways: prefixed, matched, through one gateway and through two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_device as device
from dlms_gateway import Gateway, Member
from meterway.base.errors import LinkError, LocalProtocolError
from meterway.links.memory import MemoryLine
from meterway.stacks.dlms.client import DlmsClient
from meterway.stacks.dlms.client.events import Associated, Failed, GetDone, Quirk, Released
from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, Framing, FramingEvent, Noticed, Role
from meterway.stacks.dlms.gateway import REQUEST, RESPONSE, GatewayAddress, GatewayFraming
from meterway.stacks.dlms.server import DlmsServer
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.wrapper.frame import encode_frame

pytestmark = pytest.mark.covers("IF-C")

ONE = GatewayAddress(b"\x02\x00\x00\xff\xfe\x00\x00\x01")
TWO = GatewayAddress(b"\x02\x00\x00\xff\xfe\x00\x00\x02", 3)


def framing(*route: GatewayAddress, client: int = device.SECURE) -> Framing:
    """A framing to logical device 1 through the gateways named, the first next to the line."""
    line: Framing = WrapperFraming(client, 1, role=Role.CLIENT)
    for hop in route:
        line = GatewayFraming(line, hop)
    return line


def session(*route: GatewayAddress, gateway: Any, client: int = device.SECURE) -> tuple[DlmsClient, MemoryLine]:
    ours = DlmsClient(framing(*route, client=client), device.settings(client))
    line = MemoryLine(ours, gateway)
    ours.open(line.now)
    line.settle()
    return ours, line


def heard(engine: Framing) -> list[FramingEvent]:
    events = []
    while (event := engine.next_event()) is not None:
        events.append(event)
    return events


@pytest.mark.covers("SEC-03", "F1a")
@pytest.mark.parametrize("client", [device.PUBLIC, device.READER, device.HLS5, device.SECURE])
def test_a_session_end_to_end_reads_blocks_and_releases(client: int) -> None:
    behind = device.Device()
    gateway = Gateway({1: device.Device()}, {ONE.address: Member({1: behind})})
    ours, line = session(ONE, gateway=gateway, client=client)
    assert isinstance(line.left_events[-1], Associated)
    ours.get(device.LOAD, now=line.now)
    line.settle()
    done = line.left_events[-1]
    assert isinstance(done, GetDone)
    assert done.result == device.profile()
    ours.release(line.now)
    line.settle()
    assert isinstance(line.left_events[-1], Released)
    assert "associated" in behind.kinds
    assert {request.device for request in gateway.carried} == {ONE}


def test_a_device_behind_two_gateways_is_reached_by_a_prefix_for_each() -> None:
    far, near = device.Device(), device.Device()
    inner = Gateway({1: near}, {TWO.address: Member({1: far})})
    outer = Gateway({1: device.Device()}, {ONE.address: inner})
    _, line = session(ONE, TWO, gateway=outer)
    assert isinstance(line.left_events[-1], Associated)
    assert far.kinds == ["associated"]
    assert near.kinds == []
    assert {request.device for request in inner.carried} == {TWO}


def test_the_octets_of_two_prefixes_have_the_first_gateway_first() -> None:
    line = framing(ONE, TWO, client=16)
    line.send(b"\xc0", 0)
    prefixes = ONE.prefix(REQUEST) + TWO.prefix(REQUEST)
    assert line.data_to_send() == encode_frame(16, 1, prefixes + b"\xc0")


def test_a_device_that_the_gateway_does_not_know_fails_at_once() -> None:
    _, line = session(TWO, gateway=Gateway({}, {}))
    failed = line.left_events[-1]
    assert isinstance(failed, Failed)
    assert "does not reach" in str(failed.error)
    assert isinstance(failed.error, LinkError)


def test_a_server_that_knows_no_prefix_fails_the_session_at_once() -> None:
    plain = DlmsServer(WrapperFraming(0, 0, role=Role.SERVER), lambda _: device.Device())
    _, line = session(ONE, gateway=plain)
    failed = line.left_events[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, LinkError)


def test_what_is_of_another_device_or_of_the_gateway_is_noticed_and_not_taken() -> None:
    line = framing(ONE, client=16)
    for apdu in (TWO.prefix(RESPONSE) + b"\xc4", ONE.prefix(REQUEST) + b"\xc4", b"\xc4\x01", b"\xe7\x00\x09a"):
        line.receive_data(encode_frame(1, 16, apdu), 0)
    line.receive_data(encode_frame(1, 16, ONE.prefix(RESPONSE) + b"\xc4\x02"), 0)
    events = heard(line)
    assert [event.kind for event in events if isinstance(event, Noticed)] == ["address", *["gateway"] * 3]
    assert events[-1] == ApduReceived(apdu=b"\xc4\x02", client=16, server=1)


def test_an_answer_of_another_device_is_a_quirk_and_the_client_waits_on() -> None:
    gateway = Gateway({}, {ONE.address: Member({1: device.Device()})})
    ours, line = session(ONE, gateway=gateway)
    ours.receive_data(encode_frame(1, device.SECURE, TWO.prefix(RESPONSE) + b"\xc4\x01\xc1\x00\x06\x00\x00\x00\x01"), 0)
    ours.get(device.ENERGY, now=line.now)
    line.settle()
    assert any(isinstance(event, Quirk) and event.kind == "address" for event in line.left_events)
    assert isinstance(line.left_events[-1], GetDone)


def test_life_of_the_line_is_that_of_the_link_to_the_gateway() -> None:
    line = framing(ONE)
    line.connect(0)
    line.disconnect(0)
    assert heard(line) == [Connected(), Disconnected()]
    line.connect(0)
    line.receive_data(b"", 0)
    assert line.next_timeout() is None
    line.handle_timeout(0)
    lost = heard(line)[-1]
    assert isinstance(lost, Disconnected)
    assert isinstance(lost.error, LinkError)


def test_an_apdu_too_long_with_its_prefix_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        framing(ONE).send(bytes(65530), 0)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
def test_any_apdus_bring_events_and_no_exception(apdus: Sequence[bytes]) -> None:
    line = framing(ONE, TWO, client=16)
    for apdu in apdus:
        line.receive_data(encode_frame(1, 16, apdu), 0)
    assert len(heard(line)) == len(apdus)
