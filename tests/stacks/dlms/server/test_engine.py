"""A server engine: several clients and devices over one link."""

from __future__ import annotations

import pytest

import dlms_device as device
from meterway.stacks.dlms.framing import Disconnected, Role
from meterway.stacks.dlms.server import DlmsServer
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.wrapper.frame import encode_frame

pytestmark = pytest.mark.covers("IF-I")

AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400001e1dffff")
GET = bytes.fromhex("c001c100030100010800ff0200")


def test_each_pair_of_client_and_device_has_its_own_association() -> None:
    devices = {1: device.Device(), 2: device.Device()}
    server = DlmsServer(WrapperFraming(0, 0, role=Role.SERVER), devices.get)
    server.receive_data(encode_frame(16, 1, AARQ), 0)
    assert server.data_to_send()[8:9] == b"\x61"
    server.receive_data(encode_frame(16, 1, GET) + encode_frame(16, 2, GET) + encode_frame(2, 1, GET), 0)
    octets = server.data_to_send()
    assert octets == (
        encode_frame(1, 16, bytes.fromhex("c401c100060001e240"))
        + encode_frame(2, 16, bytes.fromhex("d80101"))
        + encode_frame(1, 2, bytes.fromhex("d80101"))
    )


def test_a_device_that_is_not_there_does_not_answer() -> None:
    server = DlmsServer(WrapperFraming(0, 0, role=Role.SERVER), lambda _: None)
    server.receive_data(encode_frame(16, 9, AARQ), 0)
    assert server.data_to_send() == b""


def test_a_closed_line_ends_every_association() -> None:
    one = device.Device()
    server = DlmsServer(WrapperFraming(0, 0, role=Role.SERVER), lambda _: one)
    server.receive_data(encode_frame(16, 1, AARQ), 0)
    server.receive_data(b"", 0)
    assert server.next_event() == Disconnected()
    assert server.next_event() is None
    assert server.next_timeout() is None


def test_an_idle_hdlc_link_is_closed_in_time_and_its_associations_with_it() -> None:
    pair = device.Pair(device.PUBLIC, hdlc=True)
    pair.open()
    due = pair.server.next_timeout()
    assert due is not None
    pair.server.handle_timeout(due)
    events = []
    while (event := pair.server.next_event()) is not None:
        events.append(event)
    assert any(isinstance(event, Disconnected) for event in (*events, *pair.line.right_events))
