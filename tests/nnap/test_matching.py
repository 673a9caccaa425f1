"""What a relay without keys takes for the answer to what it carried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.nnap.matching import may_answer, unwrapped
from meterway.stacks.dlms.gateway import REQUEST, RESPONSE, GatewayAddress

pytestmark = pytest.mark.covers("IF-C", "IF-N")

METER, OTHER = GatewayAddress(b"MWYMETER"), GatewayAddress(b"MWYOTHER")
AARQ, AARE, GLO_GET, GLO_GET_ANSWER = b"\x60\x00", b"\x61\x00", b"\xc8\x01\x00", b"\xcc\x01\x00"
PUSH, PLAIN_PUSH, REFUSED = b"\xdb\x08MWY12345\x00", b"\x0f\x00\x00\x00\x01", b"\xd8\x01\x03"


@pytest.mark.parametrize(
    ("request_apdu", "apdu", "fits"),
    [
        (AARQ, AARE, True),
        (AARQ, REFUSED, True),
        (AARQ, PUSH, False),
        (AARQ, GLO_GET_ANSWER, False),
        (b"\x62\x00", b"\x63\x00", True),
        (GLO_GET, GLO_GET_ANSWER, True),
        (GLO_GET, PUSH, False),
        (PUSH, PUSH, True),
        (PUSH, PLAIN_PUSH, False),
        (AARQ, b"", False),
    ],
)
def test_a_notification_answers_nothing(request_apdu, apdu, fits):
    assert may_answer(request_apdu, apdu) is fits
    behind = METER.prefix(REQUEST) + request_apdu
    assert may_answer(behind, METER.prefix(RESPONSE) + (apdu or b"")) is fits


def test_the_way_back_is_the_way_there():
    asked = METER.prefix(REQUEST) + AARQ
    assert not may_answer(asked, OTHER.prefix(RESPONSE) + AARE)
    assert not may_answer(asked, AARE), "what the gateway itself says is not the meter's answer"
    assert may_answer(asked, REFUSED), "but it may say that it cannot carry"
    assert not may_answer(AARQ, METER.prefix(RESPONSE) + AARE)
    deep = OTHER.prefix(REQUEST) + asked
    assert may_answer(deep, OTHER.prefix(RESPONSE) + METER.prefix(RESPONSE) + AARE)
    assert may_answer(deep, OTHER.prefix(RESPONSE) + REFUSED)


@given(st.binary(), st.binary())
def test_any_octets_are_judged_without_an_error(one, other):
    assert may_answer(one, other) in (True, False)
    path, rest = unwrapped(one, REQUEST)
    assert b"".join(device.prefix(REQUEST) for device in path) + rest == one
