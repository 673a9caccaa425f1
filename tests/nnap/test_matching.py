"""What a relay without keys takes for the answer to what it carried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.nnap.matching import Relays, may_answer, unwrapped
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
        (b"\xc9\x01\x00", GLO_GET_ANSWER, False),
        (b"\xc0\x01\xc1", b"\xc4\x01\xc1\x00", True),
        (b"\xc0\x01\xc1", b"\xc4\x01\xc2\x00", False),
        (b"\xc0\x01\xc1", b"\xc5\x01\xc1\x00", False),
        (b"\xd9\x40\x00\x00\x07", b"\xda\x40\x00\x00\x07", True),
        (b"\xd9\x40\x00\x00\x07", b"\xda\x40\x00\x00\x08", False),
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


class Asker:
    """Somebody above who waits."""

    def __init__(self):
        self.heard = []

    def __call__(self, apdu, now):
        self.heard.append(apdu)


@pytest.mark.covers("SEC-05")
def test_an_answer_that_comes_too_late_is_not_given_to_the_next_request():
    relays, first, second = Relays(), Asker(), Asker()
    relays.add("m", GLO_GET, first, 10.0)
    relays.expire(10.0)
    assert (first.heard, len(relays)) == ([None], 0)
    relays.add("m", GLO_GET, second, 70.0)
    assert relays.take("m", b"\xcc\x01\x01", 11.0)
    assert second.heard == [], "it may be the first one's"
    assert relays.take("m", b"\xcc\x01\x02", 12.0)
    assert (first.heard, second.heard) == ([None], [b"\xcc\x01\x02"])


def test_an_association_that_opens_anew_is_answered_and_ends_what_was_late():
    relays, late, opens, asks = Relays(), Asker(), Asker(), Asker()
    relays.add("m", GLO_GET, late, 10.0)
    relays.expire(10.0)
    relays.add("m", AARQ, opens, 70.0)
    assert relays.take("m", AARE, 12.0)
    relays.add("m", GLO_GET, asks, 70.0)
    assert relays.take("m", GLO_GET_ANSWER, 13.0)
    assert (opens.heard, asks.heard) == ([AARE], [GLO_GET_ANSWER])


def test_what_was_late_is_forgotten_after_a_minute_and_nothing_else_is_taken():
    relays, one = Relays(), Asker()
    relays.add("m", GLO_GET, Asker(), 10.0)
    relays.expire(10.0)
    relays.expire(71.0)
    assert not relays.take("m", GLO_GET_ANSWER, 72.0)
    relays.add("m", GLO_GET, one, 100.0)
    assert not relays.take("other", GLO_GET_ANSWER, 73.0)
    assert not relays.take("m", PUSH, 73.0)
    relays.end(74.0, lambda key: key == "m")
    assert one.heard == [None]
    assert len(relays) == 0


def test_answers_of_meters_behind_one_line_find_their_request_in_any_order():
    relays, one, two = Relays(), Asker(), Asker()
    relays.add("line", METER.prefix(REQUEST) + GLO_GET, one, 10.0)
    relays.add("line", OTHER.prefix(REQUEST) + GLO_GET, two, 10.0)
    answer = OTHER.prefix(RESPONSE) + GLO_GET_ANSWER
    assert relays.take("line", answer, 1.0)
    assert (one.heard, two.heard) == ([], [answer])
