"""A line northbound: what has a prefix is carried on, the rest is served here."""

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.nnap.north import NorthLine
from meterway.stacks.dlms.framing import ApduReceived, Role
from meterway.stacks.dlms.gateway import GatewayAddress
from meterway.stacks.dlms.wrapper import WrapperFraming

DEVICE = GatewayAddress(b"METER001")
ASK = b"\xc0\x01\xc1\x00\x08\x00\x00\x01\x00\x00\xff\x02\x00"


def line(carry):
    called = []
    return NorthLine(WrapperFraming(0, 0, role=Role.SERVER), lambda sap: None, carry, lambda: called.append(1)), called


def exchange(engine, *apdus):
    head = WrapperFraming(1, 1, role=Role.CLIENT)
    for apdu in apdus:
        head.send(apdu, 0.0)
    engine.receive_data(head.data_to_send(), 0.0)
    return head


def answers(engine, head):
    if octets := engine.data_to_send():
        head.receive_data(octets, 0.0)
    found = []
    while (event := head.next_event()) is not None:
        if isinstance(event, ApduReceived):
            found.append(event.apdu)
    return found


def test_answers_come_back_with_the_prefix_in_any_order_and_none_is_a_refusal():
    waiting = []
    engine, called = line(lambda request, answer, now: waiting.append((request, answer)))
    other = GatewayAddress(b"METER002")
    head = exchange(engine, DEVICE.prefix(0xE6) + ASK, other.prefix(0xE6) + ASK)
    assert [request.apdu for request, _ in waiting] == [ASK, ASK]
    assert answers(engine, head) == []
    waiting[1][1](b"\xc4\x01\xc1\x00\x00", 1.0)
    waiting[0][1](None, 1.0)
    assert len(called) == 2
    second, first = answers(engine, head)
    assert second == other.prefix(0xE7) + b"\xc4\x01\xc1\x00\x00"
    assert first[: len(DEVICE.prefix(0xE7)) + 1] == DEVICE.prefix(0xE7) + b"\xd8"


def test_what_cannot_be_carried_is_refused_at_once():
    def carry(request, answer, now):
        raise LocalProtocolError("away")

    engine, _ = line(carry)
    (refusal,) = answers(engine, exchange(engine, DEVICE.prefix(0xE6) + ASK))
    assert refusal.startswith(DEVICE.prefix(0xE7) + b"\xd8")
    assert engine.next_timeout() is None
    engine.handle_timeout(0.0)


@pytest.mark.covers("SEC-03", "SEC-11")
def test_who_is_not_known_has_nothing_carried_before_an_association_and_is_told_of_once():
    asked, denied = [], []
    engine, _ = line(lambda request, answer, now: asked.append(request))
    engine.is_known = False
    engine.on_denied = lambda: denied.append(1)
    request = DEVICE.prefix(0xE6) + ASK
    found = answers(engine, exchange(engine, request, request))
    assert [apdu.startswith(DEVICE.prefix(0xE7) + b"\xd8") for apdu in found] == [True, True]
    assert (asked, denied) == ([], [1])
    engine.is_listed = True
    exchange(engine, request)
    assert len(asked) == 1
