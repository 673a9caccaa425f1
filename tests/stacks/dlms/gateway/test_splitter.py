"""What a gateway hears: its own requests and those for the devices behind it, on one line."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_device as device
from meterway.stacks.dlms.framing import ApduReceived, Disconnected, Framing, Noticed, PairedFraming, Role
from meterway.stacks.dlms.gateway import REQUEST, RESPONSE, GatewayAddress, GatewayRequest, GatewaySplitter
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFraming
from meterway.stacks.dlms.server import DlmsServer
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.wrapper.frame import encode_frame

pytestmark = pytest.mark.covers("IF-C")

ONE = GatewayAddress(b"\x01")
AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400001e1dffff")
GET = bytes.fromhex("c001c100030100010800ff0200")


def splitter() -> GatewaySplitter:
    return GatewaySplitter(WrapperFraming(0, 0, role=Role.SERVER))


def test_its_own_requests_and_those_of_its_devices_share_the_line_and_answers_find_back() -> None:
    gateway = splitter()
    server = DlmsServer(gateway, {1: device.Device()}.get)
    server.receive_data(encode_frame(16, 1, AARQ), 0)
    server.data_to_send()
    server.receive_data(encode_frame(16, 1, GET) + encode_frame(2, 9, ONE.prefix(REQUEST) + b"\xc0ask"), 0)
    assert server.data_to_send() == encode_frame(1, 16, bytes.fromhex("c401c100060001e240"))
    request = gateway.next_request()
    assert request == GatewayRequest(device=ONE, apdu=b"\xc0ask", client=2, server=9)
    assert gateway.next_request() is None
    server.receive_data(encode_frame(16, 1, GET), 0)
    server.data_to_send()
    gateway.answer(request, b"\xc4answer", 0)
    assert server.data_to_send() == encode_frame(9, 2, ONE.prefix(RESPONSE) + b"\xc4answer")


def test_a_refusal_is_an_exception_response_in_the_devices_place() -> None:
    gateway = splitter()
    gateway.refuse(GatewayRequest(device=ONE, apdu=GET, client=16, server=1), 0)
    assert gateway.data_to_send() == encode_frame(1, 16, ONE.prefix(RESPONSE) + bytes.fromhex("d80103"))


def test_what_a_device_says_by_itself_goes_out_with_its_prefix() -> None:
    gateway = splitter()
    gateway.notify(ONE, b"\x0fpush", client=102, server=1, now=0)
    assert gateway.data_to_send() == encode_frame(1, 102, ONE.prefix(RESPONSE) + b"\x0fpush")


def test_a_broken_prefix_is_noticed() -> None:
    gateway = splitter()
    gateway.receive_data(encode_frame(16, 1, b"\xe6\x00\x05a"), 0)
    event = gateway.next_event()
    assert isinstance(event, Noticed)
    assert event.kind == "gateway"
    assert gateway.next_request() is None


def test_a_closed_line_forgets_what_was_asked_over_it() -> None:
    gateway = splitter()
    gateway.receive_data(encode_frame(16, 1, ONE.prefix(REQUEST) + GET), 0)
    assert gateway.next_event() is None
    gateway.receive_data(b"", 0)
    assert gateway.next_event() == Disconnected()
    assert gateway.next_request() is None


def test_on_a_framing_without_pairs_answers_go_to_the_one_heard_last() -> None:
    sent: list[bytes] = []

    class Line(HdlcFraming):
        def send(self, apdu: bytes, now: float) -> None:
            sent.append(apdu)

    line: Framing = Line(role=Role.SERVER, server=HdlcAddress(logical=1, physical=17, size=2))
    assert not isinstance(line, PairedFraming)
    gateway = GatewaySplitter(line)
    gateway.answer(GatewayRequest(device=ONE, apdu=GET, client=16, server=1), b"\xc4", 0)
    gateway.reply(b"\xc5", client=16, server=1)
    gateway.send(b"\xc7", 0)
    assert sent == [ONE.prefix(RESPONSE) + b"\xc4", b"\xc5", b"\xc7"]


def test_life_of_the_line_is_that_of_the_link_below() -> None:
    gateway = splitter()
    gateway.connect(0)
    gateway.disconnect(0)
    assert gateway.next_event() is not None
    assert gateway.next_event() == Disconnected()
    assert gateway.next_timeout() is None
    gateway.handle_timeout(0)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
def test_every_apdu_is_an_event_or_a_request(apdus: Sequence[bytes]) -> None:
    gateway = splitter()
    for apdu in apdus:
        gateway.receive_data(encode_frame(16, 1, apdu), 0)
    events = requests = 0
    while (event := gateway.next_event()) is not None:
        events += 1
        assert isinstance(event, Noticed) or (isinstance(event, ApduReceived) and event.apdu[0] != REQUEST)
    while (request := gateway.next_request()) is not None:
        requests += 1
        assert request.device.prefix(REQUEST) + request.apdu in apdus
    assert events + requests == len(apdus)
